"""A change of the agency that leads a case file: previewed, proposed, accepted."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import leads
from api.casework.leads import Proposal
from api.casework.referrals import Override
from api.errors import (
    ConsentMissing,
    LeadNotPossible,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    RecordErased,
    ReferralInvalid,
    ReferralNotOpen,
    StaleRevision,
    ValueInvalid,
)
from api.schema.agency.referrals import (
    ConsentOverrideInput,
    InputOf,
    ReferralInput,
    ReferralPayload,
    failed,
)
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import CaseFileId, Compartment, LeadObstacle, Purpose, ReferralId

#: Errors that the caller's person can mend; all others fail the field.
_MENDABLE = (
    ConsentMissing,
    LeadNotPossible,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    RecordErased,
    ReferralInvalid,
    ReferralNotOpen,
    StaleRevision,
    ValueInvalid,
)


@strawberry.type(description="How many rows of one table.")
class LeadPart:
    """See `casework.leads.Counted`."""

    name: str = strawberry.field(description="Name of the table.")
    rows: int = strawberry.field(description="How many.")


@strawberry.type(
    description="What goes over where another agency comes to lead a case file: this, all of it, "
    "and nothing else."
)
class LeadPreview:
    """See `casework.leads.Preview`."""

    revision: int = strawberry.field(description="Of the case file, for `proposeLead`.")
    compartments: list[Compartment] = strawberry.field(description="What opens for it.")
    fields: list[str] = strawberry.field(
        description="The names of all fields of the case file and its defenders."
    )
    parts: list[LeadPart] = strawberry.field(
        description="The rows that go over, by table, with all that is written in them."
    )
    releases: int = strawberry.field(
        description="Redacted views that partners have of it: they end with your lead."
    )
    obstacles: list[LeadObstacle] = strawberry.field(
        description="What your agency has to end before; empty: nothing."
    )


@strawberry.input(description="Which case file another agency is to lead, and on what terms.")
class ProposeLeadInput:
    """See `casework.leads.Proposal`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of a case file you lead.")
    revision: int = strawberry.field(description="The revision that you read.")
    recipient: str = strawberry.field(description="Slug of another agency.")
    purpose: Purpose = strawberry.field(description="What for, as the consents say.")
    until: datetime = strawberry.field(
        description="Until when it may be accepted and taken over, with its zone, at most 366 days "
        "ahead."
    )
    override: ConsentOverrideInput | None = strawberry.field(
        default=None, description="In place of consents; as of `referCaseFile`."
    )


@strawberry.type(description="What a caseworker may ask about a change of the lead.")
class LeadQuery:
    """A part of the root of the agency face."""

    @strawberry.field(
        description="What another agency would get that comes to lead a case file of yours, and "
        "what is in the way. Opens nothing; one event in the access log."
    )
    async def lead_preview(
        self,
        info: PerisaiInfo,
        case_file_id: Annotated[
            strawberry.ID, strawberry.argument(description="Id of the case file.")
        ],
    ) -> LeadPreview | None:
        """Preview."""
        context = info.context
        case_file = CaseFileId(uuid_of(case_file_id))
        found = await leads.preview(context.house, context.caller, case_file)
        return cast(LeadPreview, found)


@strawberry.type(description="What a caseworker may do about who leads a case file.")
class LeadMutation:
    """A part of the root of changes."""

    @strawberry.mutation(
        description="Propose that another agency leads a case file in the place of yours. It is a "
        "referral of everything (`leadPreview`) and rests on what a referral rests on; "
        "`withdrawReferral`, `declineReferral` and `endReferral` are of it, too. Nothing is shared "
        "until the other agency accepts. Once it has taken the case file over, yours has no part "
        "in it any more."
    )
    async def propose_lead(
        self,
        info: PerisaiInfo,
        input: Annotated[ProposeLeadInput, InputOf],  # noqa: A002
    ) -> ReferralPayload:
        """Propose."""
        context = info.context
        try:
            if input.until.tzinfo is None:
                raise ValueInvalid
            given = input.override
            made = await leads.propose(
                context.house,
                context.caller,
                Proposal(
                    CaseFileId(uuid_of(input.case_file_id)),
                    input.revision,
                    input.recipient,
                    input.purpose,
                    input.until,
                    None if given is None else Override(given.reason, given.text),
                ),
            )
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=strawberry.ID(str(made)), errors=[])

    @strawberry.mutation(
        description="Accept that your agency leads a case file which another one proposed "
        "(`Referral.lead`). It does as soon as all keys are there."
    )
    async def accept_lead(
        self,
        info: PerisaiInfo,
        input: Annotated[ReferralInput, InputOf],  # noqa: A002
    ) -> ReferralPayload:
        """Accept."""
        context = info.context
        referral_id = ReferralId(uuid_of(input.referral_id))
        try:
            await leads.accept(context.house, context.caller, referral_id)
        except _MENDABLE as error:
            return failed(error)
        return ReferralPayload(referral_id=input.referral_id, errors=[])
