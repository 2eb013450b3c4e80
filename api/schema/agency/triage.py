"""Triage: the questions at the door, what is answered to them, and what that proposes."""

import strawberry

from api.casework.triage import AgencyForIt
from api.code_lists.labels import Labels
from api.schema import words
from api.schema.agency.explaining import Sentence
from api.schema.context import PerisaiInfo
from api.vocabulary import LoweringReason, TriageAnswer, Urgency

words.define()


@strawberry.input(description="One answer of a triage.")
class TriageAnswerInput:
    """See `casework.triage.Answered`."""

    question: str = strawberry.field(description="Code of the question; see `triage`.")
    answer: TriageAnswer = strawberry.field(description="What was answered.")


@strawberry.input(description="What was asked at the door, and what the person asks for.")
class TriageInput:
    """See `casework.triage.Answered`."""

    answers: list[TriageAnswerInput] = strawberry.field(
        description="One for each question that was asked; all others count as UNKNOWN. Sealed."
    )
    needs: list[str] | None = strawberry.field(
        default=None,
        description="Codes of the list measure_kinds that the person asks for. They serve to "
        "propose agencies, and are not kept.",
    )
    lowered_because: LoweringReason | None = strawberry.field(
        default=None,
        description="Why `urgency` is lower than the answers ask for; only where it is.",
    )


@strawberry.type(description="A question of triage, and the urgency that its answers ask for.")
class TriageQuestion:
    """See `code_lists.questions.Question`."""

    code: str = strawberry.field(description="The code.")
    question: Sentence = strawberry.field(description="The question for a person.")
    if_yes: Urgency | None = strawberry.field(
        description="The urgency that YES asks for at the least; null: none."
    )
    if_unknown: Urgency | None = strawberry.field(description="The same of UNKNOWN.")
    if_no: Urgency | None = strawberry.field(description="The same of NO.")


@strawberry.type(description="An agency, and why it is proposed or cannot take the case on.")
class AgencyAndWhy:
    """See `casework.triage.AgencyForIt`."""

    agency: str = strawberry.field(description="Slug of the agency.")
    why: Sentence = strawberry.field(description="Why, for a person.")


@strawberry.type(description="Questions at the door.")
class TriageQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description=(
            "The questions of triage in their order, and the rule: the highest urgency that any "
            "answer asks for counts. Opens nothing."
        )
    )
    def triage(self, info: PerisaiInfo) -> list[TriageQuestion] | None:
        """Give the questions."""
        return [
            TriageQuestion(
                code=one.code,
                question=_sentence(one.labels),
                if_yes=one.asks_for.get(TriageAnswer.YES),
                if_unknown=one.asks_for.get(TriageAnswer.UNKNOWN),
                if_no=one.asks_for.get(TriageAnswer.NO),
            )
            for one in info.context.house.codes.triage.questions.values()
        ]


def agencies(found: tuple[AgencyForIt, ...]) -> list[AgencyAndWhy]:
    """Give *found* as the schema has it."""
    return [AgencyAndWhy(agency=one.agency, why=_sentence(one.why)) for one in found]


def _sentence(labels: Labels) -> Sentence:
    return Sentence(indonesian=labels.id, english=labels.en)
