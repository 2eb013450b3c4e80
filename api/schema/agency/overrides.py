"""Referrals without consent: what waits for a second person, and their review."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import overrides
from api.errors import (
    NotAllowed,
    NotFound,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
)
from api.schema import words
from api.schema.agency.changes import ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import OverrideReason, ReferralId, ReferralState

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (NotAllowed, NotFound, RecordErased, SecondPersonNeeded, StaleRevision)


@strawberry.type(
    description="A referral that was made without consent and waits for its review. The words "
    "that were given for it are in the `reasons` of the case file, with the same `event`."
)
class ConsentOverride:
    """See `casework.overrides.OverrideView`."""

    referral: strawberry.ID = strawberry.field(description="Id of the referral.")
    case_file: strawberry.ID = strawberry.field(description="Id of the case file.")
    recipient: str = strawberry.field(description="Slug of the agency that was brought in.")
    reason: OverrideReason = strawberry.field(description="Why without consent.")
    decided_by: strawberry.ID = strawberry.field(description="Who referred, by pseudonym.")
    decided_at: datetime = strawberry.field(description="When.")
    event: int = strawberry.field(description="Index of its intent in the access log.")
    state: ReferralState = strawberry.field(description="Where the referral stands.")


@strawberry.input(description="A referral without consent that you have looked into.")
class ReviewOverrideInput:
    """See `casework.overrides.review`."""

    referral_id: strawberry.ID = strawberry.field(description="Id of the referral.")


@strawberry.type(description="How a review went.")
class ReviewOverridePayload:
    """Payload."""

    reviewed_at: datetime | None = strawberry.field(description="When it was reviewed.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="Questions about referrals without consent.")
class OverrideQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description="Referrals that your agency made without consent, in somebody's vital "
        "interest, and nobody reviewed: the longest waiting first. For supervisors and agency "
        "leads who supervise. Opens nothing."
    )
    async def overrides_to_review(
        self,
        info: PerisaiInfo,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")],
    ) -> list[ConsentOverride]:
        """List."""
        context = info.context
        found = await overrides.to_review(context.house, context.caller, first)
        return cast(list[ConsentOverride], found)


@strawberry.type(description="Changes about referrals without consent.")
class OverrideChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description="Say that you reviewed a referral that a colleague made without consent. "
        "Where it was wrong, end it besides."
    )
    async def review_override(
        self,
        info: PerisaiInfo,
        input: Annotated[  # noqa: A002
            ReviewOverrideInput, strawberry.argument(description="The change.")
        ],
    ) -> ReviewOverridePayload:
        """Review."""
        context = info.context
        referral_id = ReferralId(uuid_of(input.referral_id))
        try:
            at = await overrides.review(context.house, context.caller, referral_id)
        except MENDABLE as error:
            return ReviewOverridePayload(reviewed_at=None, errors=[told(error)])
        return ReviewOverridePayload(reviewed_at=at, errors=[])
