"""How an agency erases: one person asks, another approves; legal holds forbid it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.casework import erasure, legal_holds
from api.errors import (
    DefendersRemain,
    LegalHoldStands,
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import ErasureReason, HoldReason, RecordKind

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    DefendersRemain,
    LegalHoldStands,
    NotAllowed,
    NotFound,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)

_KIND = "DEFENDER or CASE_FILE; nothing else is erased or held."


@strawberry.input(description="A record that is to be erased, and why.")
class RequestErasureInput:
    """See `casework.erasure.request_erasure`."""

    kind: RecordKind = strawberry.field(description=_KIND)
    record_id: strawberry.ID = strawberry.field(description="Id of the record.")
    reason: ErasureReason = strawberry.field(description="Why it is to be erased.")
    reason_text: str | None = strawberry.field(default=None, description=REASON_TEXT)


@strawberry.input(description="A request that is to be approved, declined or withdrawn.")
class EndErasureInput:
    """See `casework.erasure`."""

    kind: RecordKind = strawberry.field(description=_KIND)
    record_id: strawberry.ID = strawberry.field(description="Id of the record.")
    erasure_id: strawberry.ID = strawberry.field(description="Id of the request.")


@strawberry.input(description="A record that must be kept, and why.")
class PlaceLegalHoldInput:
    """See `casework.legal_holds.place_legal_hold`."""

    kind: RecordKind = strawberry.field(description=_KIND)
    record_id: strawberry.ID = strawberry.field(description="Id of the record.")
    reason: HoldReason = strawberry.field(description="Why it must be kept.")
    until: datetime | None = strawberry.field(
        default=None, description="When it ends by itself, with its zone; without, it is lifted."
    )
    reason_text: str | None = strawberry.field(default=None, description=REASON_TEXT)


@strawberry.input(description="A legal hold that is to end.")
class LiftLegalHoldInput:
    """See `casework.legal_holds.lift_legal_hold`."""

    kind: RecordKind = strawberry.field(description=_KIND)
    record_id: strawberry.ID = strawberry.field(description="Id of the record.")
    hold_id: strawberry.ID = strawberry.field(description="Id of the hold.")


@strawberry.type(description="How a step of an erasure went.")
class ErasurePayload:
    """Payload."""

    erasure_id: strawberry.ID | None = strawberry.field(description="Id of the request.")
    at: datetime | None = strawberry.field(
        description="When it was erased, or the request ended; null where it was only asked for."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How the placing or lifting of a legal hold went.")
class LegalHoldPayload:
    """Payload."""

    hold_id: strawberry.ID | None = strawberry.field(description="Id of the hold.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def _errors(error: PerisaiError | None) -> list[ChangeError]:
    return [] if error is None else [told(error)]


def _erasure(
    erasure_id: UUID | None, at: datetime | None = None, error: PerisaiError | None = None
) -> ErasurePayload:
    made = None if erasure_id is None else strawberry.ID(str(erasure_id))
    return ErasurePayload(erasure_id=made, at=at, errors=_errors(error))


def _hold(hold_id: UUID | None, error: PerisaiError | None = None) -> LegalHoldPayload:
    made = None if hold_id is None else strawberry.ID(str(hold_id))
    return LegalHoldPayload(hold_id=made, errors=_errors(error))


@strawberry.type(description="Changes that end what is kept, or forbid it.")
class ErasureChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description="Ask that a record be erased. Nothing goes until another person approves."
    )
    async def request_erasure(
        self,
        info: PerisaiInfo,
        input: Annotated[RequestErasureInput, InputOf],  # noqa: A002
    ) -> ErasurePayload:
        """Ask."""
        context = info.context
        target = (input.kind, uuid_of(input.record_id))
        try:
            made = await erasure.request_erasure(
                context.house, context.caller, target, input.reason, input.reason_text
            )
        except MENDABLE as error:
            return _erasure(None, error=error)
        return _erasure(made)

    @strawberry.mutation(
        description=(
            "Approve what another person asked for. The record is erased at once, and no "
            "state of before can be had again."
        )
    )
    async def approve_erasure(
        self,
        info: PerisaiInfo,
        input: Annotated[EndErasureInput, InputOf],  # noqa: A002
    ) -> ErasurePayload:
        """Approve and erase."""
        context = info.context
        target = (input.kind, uuid_of(input.record_id))
        erasure_id = uuid_of(input.erasure_id)
        try:
            at = await erasure.approve_erasure(context.house, context.caller, target, erasure_id)
        except MENDABLE as error:
            return _erasure(None, error=error)
        return _erasure(erasure_id, at)

    @strawberry.mutation(description="Withdraw a request of your own, or decline another's.")
    async def decline_erasure(
        self,
        info: PerisaiInfo,
        input: Annotated[EndErasureInput, InputOf],  # noqa: A002
    ) -> ErasurePayload:
        """Decline."""
        context = info.context
        target = (input.kind, uuid_of(input.record_id))
        erasure_id = uuid_of(input.erasure_id)
        try:
            at = await erasure.decline_erasure(context.house, context.caller, target, erasure_id)
        except MENDABLE as error:
            return _erasure(None, error=error)
        return _erasure(erasure_id, at)

    @strawberry.mutation(
        description=(
            "Forbid the erasure of a record, and of what belongs with it: the defenders of a "
            "case file, the case files of a defender."
        )
    )
    async def place_legal_hold(
        self,
        info: PerisaiInfo,
        input: Annotated[PlaceLegalHoldInput, InputOf],  # noqa: A002
    ) -> LegalHoldPayload:
        """Place a hold."""
        context = info.context
        target = (input.kind, uuid_of(input.record_id))
        try:
            if input.until is not None and input.until.tzinfo is None:
                raise ValueInvalid
            made = await legal_holds.place_legal_hold(
                context.house,
                context.caller,
                target,
                input.reason,
                input.until,
                input.reason_text,
            )
        except MENDABLE as error:
            return _hold(None, error)
        return _hold(made)

    @strawberry.mutation(description="End a legal hold that another person placed.")
    async def lift_legal_hold(
        self,
        info: PerisaiInfo,
        input: Annotated[LiftLegalHoldInput, InputOf],  # noqa: A002
    ) -> LegalHoldPayload:
        """Lift a hold."""
        context = info.context
        target = (input.kind, uuid_of(input.record_id))
        hold_id = uuid_of(input.hold_id)
        try:
            await legal_holds.lift_legal_hold(context.house, context.caller, target, hold_id)
        except MENDABLE as error:
            return _hold(None, error)
        return _hold(hold_id)
