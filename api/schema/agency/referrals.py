"""Referrals between agencies: what is asked, sent and answered."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import referral_views, referrals
from api.casework.referral_parts import fields_of
from api.casework.referrals import NewReferral, Override
from api.errors import (
    ConsentMissing,
    LeadProposed,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    PerisaiError,
    ReasonNotKept,
    ReferralInvalid,
    ReferralNotOpen,
    StaleRevision,
    ValueInvalid,
)
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import (
    CaseFileId,
    Compartment,
    DeclineReason,
    OverrideReason,
    Purpose,
    ReferralId,
    ReferralState,
)

#: Errors that the caller's person can mend; all others fail the field.
_MENDABLE = (
    ConsentMissing,
    LeadProposed,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    ReasonNotKept,
    ReferralInvalid,
    ReferralNotOpen,
    StaleRevision,
    ValueInvalid,
)


@strawberry.type(description="A case file that one agency brings another one into.")
class Referral:
    """See `casework.referral_views.ReferralView`."""

    id: strawberry.ID = strawberry.field(description="Id of the referral.")
    case_file: strawberry.ID = strawberry.field(
        description="Id of the case file; the recipient finds it only while the referral lasts."
    )
    giver: str = strawberry.field(description="Slug of the agency that leads the case file.")
    recipient: str = strawberry.field(description="Slug of the agency that is brought in.")
    purpose: Purpose = strawberry.field(description="What the recipient is asked for.")
    compartments: list[Compartment] = strawberry.field(description="What is shared.")
    fields: list[str] = strawberry.field(
        description="The names of all fields that are shared, and of no others. Notes are not."
    )
    defenders: int = strawberry.field(description="How many defenders it covers.")
    sensitivity: int = strawberry.field(description="Of the case file: 1 (low) to 4 (extreme).")
    until: datetime = strawberry.field(description="When it ends by itself.")
    state: ReferralState = strawberry.field(description="Where it stands.")
    decline_reason: DeclineReason | None = strawberry.field(
        description="Why the recipient declined it, if it did and said so."
    )
    lead: bool = strawberry.field(
        description="Whether the recipient is to lead the case file: `acceptLead`. Then everything "
        "goes over, notes and attachments too (`leadPreview`)."
    )


@strawberry.input(description="Why somebody is referred without their consent.")
class ConsentOverrideInput:
    """See `casework.referrals.Override`."""

    reason: OverrideReason = strawberry.field(description="Why, as a code.")
    text: str = strawberry.field(
        description="Why, in words of at most 2,000 characters; sealed with the case file."
    )


@strawberry.input(description="What is referred, to whom, for what and until when.")
class ReferCaseFileInput:
    """See `casework.referrals.NewReferral`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of a case file you lead.")
    recipient: str = strawberry.field(description="Slug of another agency.")
    purpose: Purpose = strawberry.field(description="What the recipient is asked for.")
    compartments: list[Compartment] = strawberry.field(
        description="What is shared of the case file and its defenders; only what you may open."
    )
    until: datetime = strawberry.field(
        description="When it ends by itself, with its zone, at most 366 days ahead."
    )
    override: ConsentOverrideInput | None = strawberry.field(
        default=None,
        description="In place of consents, in the vital interest of who is referred: counts "
        "only with the header 'Perisai-Legal-Basis: vital_interest', and is listed for a second "
        "person's review.",
    )


@strawberry.input(description="Which referral.")
class ReferralInput:
    """The referral that is answered or ended."""

    referral_id: strawberry.ID = strawberry.field(description="Id of the referral.")


@strawberry.type(description="How a referral, its answer or its end went.")
class ReferralPayload:
    """Payload."""

    referral_id: strawberry.ID | None = strawberry.field(
        description="Id of the referral; null where nothing changed."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def failed(error: PerisaiError) -> ReferralPayload:
    """Say why nothing changed."""
    return ReferralPayload(referral_id=None, errors=[told(error)])


@strawberry.type(description="What a caseworker may ask about referrals.")
class ReferralQuery:
    """A part of the root of the agency face."""

    @strawberry.field(
        description="What a referral of these compartments shares: the names of all fields of "
        "the case file and its defenders, and of no others. Opens nothing."
    )
    def referral_preview(
        self,
        compartments: Annotated[
            list[Compartment], strawberry.argument(description="What would be shared.")
        ],
    ) -> list[str]:
        """Preview."""
        return fields_of(compartments)

    @strawberry.field(
        description="The newest 100 referrals that your agency gave and received; for "
        "supervisors and agency leads with the purpose of a referral. Opens nothing."
    )
    async def referrals(
        self,
        info: PerisaiInfo,
        state: Annotated[
            ReferralState | None, strawberry.argument(description="Only those in this state.")
        ] = None,
    ) -> list[Referral]:
        """List referrals."""
        context = info.context
        found = await referral_views.listed(context.house, context.caller, state)
        return cast(list[Referral], found)


@strawberry.type(description="What a caseworker may do about referrals.")
class ReferralMutation:
    """A part of the root of changes."""

    @strawberry.mutation(
        description="Refer a case file to another agency. It rests on a consent of each defender "
        "in it (`recordConsent`). Nothing is shared until the other agency accepts."
    )
    async def refer_case_file(
        self,
        info: PerisaiInfo,
        input: Annotated[ReferCaseFileInput, InputOf],  # noqa: A002
    ) -> ReferralPayload:
        """Refer."""
        context = info.context
        case_file_id = CaseFileId(uuid_of(input.case_file_id))
        try:
            if input.until.tzinfo is None:
                raise ValueInvalid
            made = await referrals.refer(
                context.house,
                context.caller,
                NewReferral(
                    case_file_id,
                    input.recipient,
                    input.purpose,
                    input.compartments,
                    input.until,
                    None
                    if input.override is None
                    else Override(input.override.reason, input.override.text),
                ),
            )
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=strawberry.ID(str(made)), errors=[])

    @strawberry.mutation(description="Accept a referral that was made to your agency.")
    async def accept_referral(
        self,
        info: PerisaiInfo,
        input: Annotated[ReferralInput, InputOf],  # noqa: A002
    ) -> ReferralPayload:
        """Accept."""
        context = info.context
        referral_id = ReferralId(uuid_of(input.referral_id))
        try:
            await referrals.accept(context.house, context.caller, referral_id)
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=input.referral_id, errors=[])

    @strawberry.mutation(description="Decline a referral that was made to your agency.")
    async def decline_referral(
        self,
        info: PerisaiInfo,
        input: Annotated[ReferralInput, InputOf],  # noqa: A002
        reason: Annotated[
            DeclineReason | None,
            strawberry.argument(description="Why, for the agency that referred it."),
        ] = None,
    ) -> ReferralPayload:
        """Decline."""
        context = info.context
        referral_id = ReferralId(uuid_of(input.referral_id))
        try:
            await referrals.decline(context.house, context.caller, referral_id, reason)
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=input.referral_id, errors=[])

    @strawberry.mutation(
        description="Take back a referral that your agency gave, before the other one answered."
    )
    async def withdraw_referral(
        self,
        info: PerisaiInfo,
        input: Annotated[ReferralInput, InputOf],  # noqa: A002
        reason_text: Annotated[str | None, strawberry.argument(description=REASON_TEXT)] = None,
    ) -> ReferralPayload:
        """Withdraw."""
        context = info.context
        referral_id = ReferralId(uuid_of(input.referral_id))
        try:
            await referrals.withdraw(context.house, context.caller, referral_id, reason_text)
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=input.referral_id, errors=[])

    @strawberry.mutation(
        description="End a referral that your agency gave or accepted: it closes at once."
    )
    async def end_referral(
        self,
        info: PerisaiInfo,
        input: Annotated[ReferralInput, InputOf],  # noqa: A002
        reason_text: Annotated[
            str | None,
            strawberry.argument(description=f"{REASON_TEXT} Only of the agency that gave it."),
        ] = None,
    ) -> ReferralPayload:
        """End."""
        context = info.context
        referral_id = ReferralId(uuid_of(input.referral_id))
        try:
            await referrals.end(context.house, context.caller, referral_id, reason_text)
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=input.referral_id, errors=[])
