"""Why something is open or closed to the caller, and what would open it. Opens nothing."""

from typing import Annotated

import strawberry

from api.casework import explaining
from api.casework.explaining import Explained, Said, Told
from api.schema import words
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import Compartment, Decision, Ground, Reason, RecordKind

words.define()


@strawberry.type(description="The same sentence in two languages, for people.")
class Sentence:
    """See `policies.plain_words.Said`."""

    indonesian: str = strawberry.field(description="In Indonesian.")
    english: str = strawberry.field(description="In English.")


@strawberry.type(description="A rule of the policy, and what it lacks.")
class PolicyRule:
    """See `policies.tracing.Told`."""

    place: str = strawberry.field(description="File and line, as `base.polar:112`.")
    name: str = strawberry.field(description="Name of the rule, as `open`.")
    condition: str | None = strawberry.field(
        description="Its first condition that does not hold, as written; null: all of it holds."
    )
    condition_place: str | None = strawberry.field(description="File and line of that condition.")


@strawberry.type(description="Why something is open or closed to you, now. Nothing was opened.")
class Explanation:
    """See `casework.explaining.Explained`."""

    decision: Decision = strawberry.field(description="ALLOWED or REFUSED.")
    ground: Ground | None = strawberry.field(
        description="The ground, if it is allowed: of several the narrowest."
    )
    grounds: list[Ground] = strawberry.field(description="All grounds on which it is allowed.")
    reason: Reason | None = strawberry.field(description="The reason, if it is refused.")
    sentence: Sentence = strawberry.field(description="The ground or the reason for a person.")
    rules: list[PolicyRule] = strawberry.field(
        description=(
            "The rules by which it is allowed; or those that come nearest, from the question "
            "down to the fact that is missing."
        )
    )
    remedies: list[Sentence] = strawberry.field(
        description=(
            "What would open it: each of these by itself. Empty where it is open, where more "
            "than two things are missing, or where nothing would."
        )
    )
    case_file: strawberry.ID | None = strawberry.field(
        description=(
            "The case file on which the answer rests; null where it lies in your role or "
            "purpose alone, whatever you ask about."
        )
    )


@strawberry.type(description="Questions about decisions.")
class ExplainQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description=(
            "Why a record, one of its compartments or fields is open or closed to you for the "
            "declared purpose, by which rule, and what would open it. Opens nothing; is in the "
            "access log. The error NOT_FOUND where no such record is in reach."
        )
    )
    async def explain(
        self,
        info: PerisaiInfo,
        kind: Annotated[RecordKind, strawberry.argument(description="CASE_FILE or DEFENDER.")],
        record_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the record.")],
        compartment: Annotated[
            Compartment | None,
            strawberry.argument(
                description="Which one; with neither this nor `field`: the record's existence."
            ),
        ] = None,
        field: Annotated[
            str | None,
            strawberry.argument(description="Name of a protected field, as in `withheld`."),
        ] = None,
    ) -> Explanation | None:
        """Explain."""
        context = info.context
        question = explaining.question_of((kind, uuid_of(record_id)), compartment, field)
        found = await explaining.explain(context.house, context.caller, question)
        return _explanation(found)


def _explanation(found: Explained) -> Explanation:
    return Explanation(
        decision=Decision.REFUSED if found.ground is None else Decision.ALLOWED,
        ground=found.ground,
        grounds=list(found.grounds),
        reason=found.reason,
        sentence=_sentence(found.said),
        rules=[_rule(told) for told in found.rules],
        remedies=[_sentence(said) for said in found.remedies],
        case_file=None if found.case_file is None else strawberry.ID(str(found.case_file)),
    )


def _sentence(said: Said) -> Sentence:
    return Sentence(indonesian=said.indonesian, english=said.english)


def _rule(told: Told) -> PolicyRule:
    return PolicyRule(
        place=told.place,
        name=told.name,
        condition=told.condition,
        condition_place=told.condition_place,
    )
