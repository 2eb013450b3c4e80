"""Conflict of interest: who is tied to a reported adversary is kept out."""

from typing import Annotated
from uuid import UUID

import strawberry

from api.casework import ties
from api.errors import (
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import CaseFileId, MemberId, TieId, TieKind

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    NotAllowed,
    NotFound,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)


@strawberry.input(
    description=(
        "A tie of a caseworker or a partner to the reported adversary, either of one case file "
        "or, as an institution, of every one in which it is reported, now or later."
    )
)
class DeclareTieInput:
    """See `casework.ties.declare_tie`."""

    kind: TieKind = strawberry.field(description="How they are tied.")
    case_file_id: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the case file, unless an institution is named."
    )
    institution: str | None = strawberry.field(
        default=None,
        description="Name of the institution, unless a case file is; kept as a keyed tag only.",
    )
    member_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Pseudonym of a caseworker of your agency; without one, and without a "
        "partner, it is you.",
    )
    partner: str | None = strawberry.field(
        default=None, description="Slug of a partner, instead of a caseworker."
    )


@strawberry.input(description="A tie that is to end.")
class WithdrawTieInput:
    """See `casework.ties.withdraw_tie`."""

    tie_id: strawberry.ID = strawberry.field(description="Id of the tie.")


@strawberry.type(description="How the declaring or withdrawing of a tie went.")
class TiePayload:
    """Payload."""

    tie_id: strawberry.ID | None = strawberry.field(description="Id of the tie.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def _payload(tie_id: UUID | None, error: PerisaiError | None = None) -> TiePayload:
    made = None if tie_id is None else strawberry.ID(str(tie_id))
    errors = [] if error is None else [told(error)]
    return TiePayload(tie_id=made, errors=errors)


def _new(info: PerisaiInfo, given: DeclareTieInput) -> ties.NewTie:
    member = None if given.member_id is None else MemberId(uuid_of(given.member_id))
    if member is None and given.partner is None:
        member = info.context.caller.member
    return ties.NewTie(
        given.kind,
        member,
        given.partner,
        None if given.case_file_id is None else CaseFileId(uuid_of(given.case_file_id)),
        given.institution,
    )


@strawberry.type(description="Changes that keep out who has a conflict of interest.")
class TieChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description=(
            "Declare that you, a colleague or a partner are tied to a reported adversary: from "
            "the next request on the case file does not exist for them."
        )
    )
    async def declare_tie(
        self,
        info: PerisaiInfo,
        input: Annotated[DeclareTieInput, InputOf],  # noqa: A002
    ) -> TiePayload:
        """Declare."""
        context = info.context
        new = _new(info, input)
        try:
            return _payload(await ties.declare_tie(context.house, context.caller, new))
        except MENDABLE as error:
            return _payload(None, error)

    @strawberry.mutation(
        description="End a tie in your agency, as its lead; never one of your own."
    )
    async def withdraw_tie(
        self,
        info: PerisaiInfo,
        input: Annotated[WithdrawTieInput, InputOf],  # noqa: A002
    ) -> TiePayload:
        """Withdraw."""
        context = info.context
        tie_id = TieId(uuid_of(input.tie_id))
        try:
            return _payload(await ties.withdraw_tie(context.house, context.caller, tie_id))
        except MENDABLE as error:
            return _payload(None, error)
