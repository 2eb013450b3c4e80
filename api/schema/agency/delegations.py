"""Delegation: who is assigned hands compartments of the own work to a colleague for a while."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.casework import delegations
from api.errors import (
    AssigneeInvalid,
    NotAllowed,
    NotAssigned,
    NotFound,
    PerisaiError,
    RecordErased,
    StaleRevision,
    TooManyStand,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import CaseFileId, Compartment, DelegationId, MemberId

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    AssigneeInvalid,
    NotAllowed,
    NotAssigned,
    NotFound,
    RecordErased,
    StaleRevision,
    TooManyStand,
    ValueInvalid,
)


@strawberry.input(description="What of your own work on a case file a colleague is to do.")
class DelegateCaseFileInput:
    """See `casework.delegations.delegate_case_file`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    member_id: strawberry.ID = strawberry.field(
        description="Pseudonym of a caseworker of your agency, never your own."
    )
    compartments: list[Compartment] = strawberry.field(
        description="What opens for them, 1 to 7, each one that you may open yourself."
    )
    until: datetime = strawberry.field(
        description="When it ends, with an offset: in 30 days at the latest, and not after your "
        "own assignment."
    )


@strawberry.input(description="A delegation that is to end.")
class EndDelegationInput:
    """See `casework.delegations.end_delegation`."""

    delegation_id: strawberry.ID = strawberry.field(description="Id of the delegation.")


@strawberry.type(description="How the giving or ending of a delegation went.")
class DelegationPayload:
    """Payload."""

    delegation_id: strawberry.ID | None = strawberry.field(description="Id of the delegation.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def _payload(delegation_id: UUID | None, error: PerisaiError | None = None) -> DelegationPayload:
    made = None if delegation_id is None else strawberry.ID(str(delegation_id))
    errors = [] if error is None else [told(error)]
    return DelegationPayload(delegation_id=made, errors=errors)


@strawberry.type(description="Changes that hand work to a colleague for a while.")
class DelegationChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description=(
            "Hand compartments of a case file, to which you are assigned in person, to a "
            "colleague. They open as far and as long as you may open them yourself, for the "
            "purpose that your colleague declares, and cannot be handed on."
        )
    )
    async def delegate_case_file(
        self,
        info: PerisaiInfo,
        input: Annotated[DelegateCaseFileInput, InputOf],  # noqa: A002
    ) -> DelegationPayload:
        """Delegate."""
        context = info.context
        case_file_id = CaseFileId(uuid_of(input.case_file_id))
        member_id = MemberId(uuid_of(input.member_id))
        try:
            if input.until.tzinfo is None:
                raise ValueInvalid
            made = await delegations.delegate_case_file(
                context.house,
                context.caller,
                case_file_id,
                member_id,
                input.compartments,
                input.until,
            )
        except MENDABLE as error:
            return _payload(None, error)
        return _payload(made)

    @strawberry.mutation(
        description=(
            "End a delegation before its time: one that you gave or, as the supervisor or the "
            "lead, a colleague's."
        )
    )
    async def end_delegation(
        self,
        info: PerisaiInfo,
        input: Annotated[EndDelegationInput, InputOf],  # noqa: A002
    ) -> DelegationPayload:
        """End."""
        context = info.context
        delegation_id = DelegationId(uuid_of(input.delegation_id))
        try:
            await delegations.end_delegation(context.house, context.caller, delegation_id)
        except MENDABLE as error:
            return _payload(None, error)
        return _payload(delegation_id)
