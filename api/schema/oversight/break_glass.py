"""What a security officer does about break-glass: see what awaits a review, and close it."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import break_glass_reviews
from api.casework.break_glass_reviews import Use
from api.errors import NotAllowed, NotFound, PerisaiError
from api.schema import words
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import BreakGlassFinding, BreakGlassReason, Compartment, SecurityOfficer

words.define()

#: Errors that the officer can mend; all others fail the field.
MENDABLE = (NotAllowed, NotFound)


@strawberry.type(description="An emergency access that awaits its review. No identity, no text.")
class BreakGlassUse:
    """See `casework.break_glass_reviews.Use`."""

    id: strawberry.ID = strawberry.field(description="Its id, which its events name.")
    agency: str = strawberry.field(description="Agency of the member.")
    lead_agency: str = strawberry.field(description="Agency that leads the case file.")
    member: strawberry.ID = strawberry.field(description="Who did it, by pseudonym.")
    case_file: strawberry.ID | None = strawberry.field(
        description="Id of the case file; null unless your agency leads it or did it."
    )
    reason: BreakGlassReason = strawberry.field(description="The danger, as a code.")
    compartments: list[Compartment] = strawberry.field(description="What was unlocked.")
    approved_by: strawberry.ID | None = strawberry.field(
        description="The second person, by pseudonym; null where none was needed."
    )
    starts_at: datetime = strawberry.field(description="From when it opened.")
    ends_at: datetime = strawberry.field(description="Until when it opens at the most.")
    ended_at: datetime | None = strawberry.field(
        description="When it was ended before its time; null where it was not."
    )
    review_by: datetime = strawberry.field(description="Until when it must be reviewed.")
    overdue: bool = strawberry.field(description="That time is over.")
    yours_to_review: bool = strawberry.field(
        description="Your agency may close it: it is another agency's."
    )


@strawberry.input(description="What you found about an emergency access of another agency.")
class ReviewBreakGlassInput:
    """See `casework.break_glass_reviews.review_break_glass`."""

    id: strawberry.ID = strawberry.field(description="Id of the emergency access.")
    finding: BreakGlassFinding = strawberry.field(description="What you found.")


@strawberry.type(description="Why nothing changed, in words for the person who asked.")
class ReviewError:
    """One error of a payload."""

    code: str = strawberry.field(description="Stable code; see docs/errors.md.")
    message: str = strawberry.field(description="What is wrong and what to do.")


@strawberry.type(description="How a review went.")
class ReviewBreakGlassPayload:
    """Payload."""

    reviewed_at: datetime | None = strawberry.field(description="When it was closed.")
    errors: list[ReviewError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="What an officer may ask about emergency accesses.")
class BreakGlassQueries:
    """Part of the root of the oversight face."""

    @strawberry.field(
        description=(
            "The emergency accesses that await a review, newest first, at most 1,000: those of "
            "other agencies, which yours may close, and your own agency's."
        )
    )
    async def break_glass_uses(self, info: PerisaiInfo) -> list[BreakGlassUse]:
        """List what awaits a review."""
        context = info.context
        found = await break_glass_reviews.uses(context.house, cast(SecurityOfficer, context.caller))
        return [_shown(one) for one in found]


@strawberry.type(description="What a security officer may change: nothing but a review.")
class Mutation:
    """The root of changes of the oversight face."""

    @strawberry.mutation(
        description="Close an emergency access of another agency; nobody reviews the own one's."
    )
    async def review_break_glass(
        self,
        info: PerisaiInfo,
        input: Annotated[  # noqa: A002
            ReviewBreakGlassInput, strawberry.argument(description="The review.")
        ],
    ) -> ReviewBreakGlassPayload:
        """Review."""
        context = info.context
        try:
            at = await break_glass_reviews.review_break_glass(
                context.house,
                cast(SecurityOfficer, context.caller),
                uuid_of(input.id),
                input.finding,
            )
        except MENDABLE as error:
            return ReviewBreakGlassPayload(reviewed_at=None, errors=_errors(error))
        return ReviewBreakGlassPayload(reviewed_at=at, errors=[])


def _errors(error: PerisaiError) -> list[ReviewError]:
    return [ReviewError(code=error.code, message=error.message)]


def _shown(use: Use) -> BreakGlassUse:
    return BreakGlassUse(
        id=strawberry.ID(str(use.id)),
        agency=use.agency,
        lead_agency=use.lead_agency,
        member=strawberry.ID(str(use.member)),
        case_file=None if use.case_file is None else strawberry.ID(str(use.case_file)),
        reason=use.reason,
        compartments=use.compartments,
        approved_by=None if use.approved_by is None else strawberry.ID(str(use.approved_by)),
        starts_at=use.starts_at,
        ends_at=use.ends_at,
        ended_at=use.ended_at,
        review_by=use.review_by,
        overdue=use.overdue,
        yours_to_review=use.mine,
    )
