"""How a caseworker breaks glass, a second person approves it, and it ends before its time."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.casework import break_glass
from api.casework.break_glass import Need
from api.errors import (
    NotAllowed,
    NotFound,
    PerisaiError,
    ReasonNotKept,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    SignInNotStrong,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.answers import INSUFFICIENT, step_up
from api.schema.context import Context, PerisaiInfo, uuid_of
from api.vocabulary import BreakGlassReason, CaseFileId, Compartment

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    NotAllowed,
    NotFound,
    ReasonNotKept,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    SignInNotStrong,
    StaleRevision,
    ValueInvalid,
)


@strawberry.input(description="What is to be unlocked for you, and why it cannot wait.")
class BreakGlassInput:
    """See `casework.break_glass.break_glass`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    reason: BreakGlassReason = strawberry.field(description="The danger, as a code.")
    compartments: list[Compartment] = strawberry.field(
        description="What you need, 1 to 7; nothing else opens."
    )
    text: str | None = strawberry.field(
        default=None,
        description=f"{REASON_TEXT} Needed where your agency leads the case file, and left out "
        "where another one does, which alone could keep it.",
    )


@strawberry.type(description="How to sign in so that it is enough (RFC 9470).")
class SignInNeeded:
    """See `casework.strong_sign_in`."""

    error: str = strawberry.field(description=f"Always {INSUFFICIENT}.")
    acr_values: list[str] = strawberry.field(
        description="Ask your agency's issuer for one of these with `acr_values`."
    )
    max_age: int = strawberry.field(description="Seconds; ask for it with `max_age`.")


@strawberry.type(description="How an emergency access went.")
class BreakGlassPayload:
    """Payload."""

    break_glass_id: strawberry.ID | None = strawberry.field(
        description="Its id, which every event that follows from it names."
    )
    ends_at: datetime | None = strawberry.field(
        description="Until when it opens; null where nothing is open, or not yet."
    )
    waits_for_second_person: bool = strawberry.field(
        description="Nothing is open before a supervisor or the lead of your agency approves it: "
        "a use of yours was not reviewed yet."
    )
    sign_in: SignInNeeded | None = strawberry.field(
        description="What to ask your issuer for, with the error SIGN_IN_NOT_STRONG."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")
IdOf = strawberry.argument(description="Id of the emergency access.")


def _made(made: object, ends_at: datetime | None, *, waits: bool = False) -> BreakGlassPayload:
    return BreakGlassPayload(
        break_glass_id=strawberry.ID(str(made)),
        ends_at=ends_at,
        waits_for_second_person=waits,
        sign_in=None,
        errors=[],
    )


def _failed(context: Context, error: PerisaiError) -> BreakGlassPayload:
    needed = None
    if isinstance(error, SignInNotStrong):
        strong = context.house.strong
        needed = SignInNeeded(
            error=INSUFFICIENT,
            acr_values=list(strong.acr),
            max_age=int(strong.most.total_seconds()),
        )
        context.headers["www-authenticate"] = step_up(needed.acr_values, needed.max_age)
    return BreakGlassPayload(
        break_glass_id=None,
        ends_at=None,
        waits_for_second_person=False,
        sign_in=needed,
        errors=[told(error)],
    )


@strawberry.type(description="Emergency access.")
class BreakGlassChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description=(
            "Unlock, for yourself and four hours, compartments of a case file that your agency "
            "leads or was referred. It takes a strong sign-in of a few minutes ago and the "
            "purpose EMERGENCY. The lead agency is told at once, and another agency reviews it."
        )
    )
    async def break_glass(
        self,
        info: PerisaiInfo,
        input: Annotated[BreakGlassInput, InputOf],  # noqa: A002
    ) -> BreakGlassPayload:
        """Break glass."""
        context = info.context
        case_file_id = CaseFileId(uuid_of(input.case_file_id))
        need = Need(input.reason, input.text, input.compartments)
        try:
            made = await break_glass.break_glass(context.house, context.caller, case_file_id, need)
        except MENDABLE as error:
            return _failed(context, error)
        return _made(made.id, made.ends_at, waits=made.ends_at is None)

    @strawberry.mutation(
        description=(
            "Approve an emergency access that a colleague asked for in the last four hours and "
            "that waits for a second person. It takes a strong sign-in, too."
        )
    )
    async def approve_break_glass(
        self,
        info: PerisaiInfo,
        id: Annotated[strawberry.ID, IdOf],  # noqa: A002
    ) -> BreakGlassPayload:
        """Approve."""
        context = info.context
        break_glass_id = uuid_of(id)
        try:
            ends = await break_glass.approve_break_glass(
                context.house, context.caller, break_glass_id
            )
        except MENDABLE as error:
            return _failed(context, error)
        return _made(break_glass_id, ends)

    @strawberry.mutation(
        description=(
            "End your emergency access before its time; a supervisor or the lead also a "
            "colleague's. It is reviewed all the same."
        )
    )
    async def end_break_glass(
        self,
        info: PerisaiInfo,
        id: Annotated[strawberry.ID, IdOf],  # noqa: A002
    ) -> BreakGlassPayload:
        """End."""
        context = info.context
        break_glass_id = uuid_of(id)
        try:
            await break_glass.end_break_glass(context.house, context.caller, break_glass_id)
        except MENDABLE as error:
            return _failed(context, error)
        return _made(break_glass_id, None)
