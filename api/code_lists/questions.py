"""The questions of triage, and the urgency that each answer asks for at the least.

What an answer asks for is data, and published with the question: nobody has to guess why a
case file was proposed as urgent. The highest of all answers counts, whatever the others say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from api.code_lists.labels import Labels
from api.vocabulary import TriageAnswer, Urgency


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        source: "V", "N" or "P", as of any entry.
        asks_for: answer -> the urgency that it asks for at the least; no answer, no urgency.
    """

    code: str
    labels: Labels
    source: str
    asks_for: Mapping[TriageAnswer, Urgency]


@dataclass(frozen=True, slots=True)
class Triage:
    """All questions, in the order in which they are asked.

    Attributes:
        otherwise: the urgency where no answer asks for any.
    """

    otherwise: Urgency
    questions: Mapping[str, Question]


def triage_of(file: dict[str, Any]) -> Triage:
    """Read what the file says; a word that is none of ours is a KeyError or ValueError."""
    questions = {
        row["code"]: Question(
            row["code"],
            Labels(row["id"], row["en"]),
            row["source"],
            MappingProxyType({a: Urgency(row[a.value]) for a in TriageAnswer if a.value in row}),
        )
        for row in file["entries"]
    }
    return Triage(Urgency(file["otherwise"]), MappingProxyType(questions))
