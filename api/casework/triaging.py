"""The triage of one case file that is being opened: checked, weighed, and made into a row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import triage, values
from api.casework.triage import Answered, Known, Proposal
from api.casework.writing import NewTriage
from api.code_lists import CodeLists
from api.vocabulary import LoweringReason, MemberId, TriageAnswer, Urgency


@dataclass(frozen=True, slots=True)
class Triaged:
    """What was answered, to every question, and what came of it.

    Attributes:
        urgency: the one that counts, proposed or set by the caller.
        lowered: why it is below what was proposed; None: it is not.
    """

    answers: Mapping[str, TriageAnswer] = field(repr=False)
    proposal: Proposal
    urgency: Urgency
    lowered: LoweringReason | None

    def row(self, case_file: UUID, author: MemberId, now: datetime) -> NewTriage:
        """Make the row; its answers are sealed with the case file."""
        return NewTriage(
            {
                "id": uuid7(),
                "case_file": case_file,
                "author": author,
                "written_at": now,
                "proposed": self.proposal.urgency.value,
                "lowered": None if self.lowered is None else self.lowered.value,
            },
            [f"{question}:{answer.value}" for question, answer in self.answers.items()],
        )


def triaged(
    codes: CodeLists,
    told: Answered,
    wanted: Urgency | None,
    kinds: Collection[str],
    categories: Collection[str],
) -> Triaged:
    """Weigh what was *told* of a complaint with these incident *kinds* and *categories*.

    Raises:
        UrgencyTooLow: *wanted* is below what the answers ask for, without a reason.
        ValueInvalid: an unknown question or need, two answers to one, or a needless reason.
    """
    answers = triage.checked(codes.triage, told.answers)
    found = {
        "defender_categories": frozenset(categories),
        "incident_kinds": frozenset(kinds),
        "measure_kinds": frozenset(values.codes_of(codes, "measure_kinds", told.needs)),
    }
    proposal = triage.propose(codes, Known(found, answers))
    urgency, lowered = triage.chosen_urgency(proposal.urgency, wanted, told.lowered)
    return Triaged(answers, proposal, urgency, lowered)
