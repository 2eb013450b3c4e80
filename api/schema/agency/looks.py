"""How two persons look at the whereabouts together, once: ask, agree, look."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import looks
from api.errors import (
    LookOver,
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    TooManyStand,
)
from api.schema.agency import types
from api.schema.agency.changes import ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import requested
from api.vocabulary import CaseFileId

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    LookOver,
    NotAllowed,
    NotFound,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    TooManyStand,
)

CaseFileOf = Annotated[strawberry.ID, strawberry.argument(description="Id of the case file.")]
LookOf = Annotated[strawberry.ID, strawberry.argument(description="Id of the look.")]


@strawberry.type(description="How asking for a look, or agreeing to one, went.")
class LookPayload:
    """Payload."""

    look_id: strawberry.ID | None = strawberry.field(
        description="Id of the look: a colleague approves it, you look with it."
    )
    expires_at: datetime | None = strawberry.field(
        description="Until when the next step can be taken: the colleague's, then the look."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="What two persons see together, once.")
class LookAtWhereaboutsPayload:
    """Payload."""

    defenders: list[types.Defender] | None = strawberry.field(
        description="The persons at risk, with `presentLocation`; every other field as you may "
        "open it alone. Null where nothing is shown."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing is shown.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


def _made(look: looks.Look) -> LookPayload:
    return LookPayload(look_id=strawberry.ID(str(look.id)), expires_at=look.expires_at, errors=[])


def _failed(error: PerisaiError) -> LookPayload:
    return LookPayload(look_id=None, expires_at=None, errors=_errors(error))


@strawberry.type(description="Looks of two persons at the whereabouts.")
class LookChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description=(
            "Ask for one look at the whereabouts in a case file on which you work, or which you "
            "supervise. A colleague who does, too, approves it within 10 minutes."
        )
    )
    async def request_look(self, info: PerisaiInfo, case_file_id: CaseFileOf) -> LookPayload:
        """Ask."""
        context = info.context
        file = CaseFileId(uuid_of(case_file_id))
        try:
            return _made(await looks.request_look(context.house, context.caller, file))
        except MENDABLE as error:
            return _failed(error)

    @strawberry.mutation(
        description=(
            "Agree to look at the whereabouts together with the colleague who asked for it, and "
            "who then looks within 5 minutes. See `CaseFile.looksWaiting`."
        )
    )
    async def approve_look(self, info: PerisaiInfo, look_id: LookOf) -> LookPayload:
        """Agree."""
        context = info.context
        try:
            return _made(await looks.approve_look(context.house, context.caller, uuid_of(look_id)))
        except MENDABLE as error:
            return _failed(error)

    @strawberry.mutation(
        description=(
            "Look at the whereabouts, once, with the look that you asked for and a colleague "
            "approved. It is used even if the answer does not reach you: ask for another one."
        )
    )
    async def look_at_whereabouts(
        self, info: PerisaiInfo, look_id: LookOf
    ) -> LookAtWhereaboutsPayload:
        """Look."""
        context = info.context
        names = requested(info)["defenders"].names
        try:
            shown = await looks.look_at_whereabouts(
                context.house, context.caller, uuid_of(look_id), names
            )
        except MENDABLE as error:
            return LookAtWhereaboutsPayload(defenders=None, errors=_errors(error))
        return LookAtWhereaboutsPayload(
            defenders=cast(list[types.Defender], list(shown)), errors=[]
        )
