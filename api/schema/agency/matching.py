"""Matching across agencies: ask whether another one knows a person, and answer."""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from api.casework import match_answers, match_views, matching
from api.casework.matching import NewMatch
from api.errors import (
    DefenderMerged,
    MatchesExhausted,
    MatchInvalid,
    MatchNotOpen,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    PerisaiError,
    RecordErased,
    SealBroken,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import DefenderId, MatchAnswer, MatchId, MatchReason, MatchState

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    DefenderMerged,
    MatchInvalid,
    MatchNotOpen,
    MatchesExhausted,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    RecordErased,
    SealBroken,
    StaleRevision,
    ValueInvalid,
)

FirstOf = Annotated[int, strawberry.argument(description="How many at the most, 1 to 100.")]
InputOf = strawberry.argument(description="The change.")


@strawberry.type(
    description="That you asked another agency for a person. Without its confirmation you are "
    "told the same whether it knows the person or not."
)
class MatchRequest:
    """See `casework.match_views.MatchRequestView`."""

    id: strawberry.ID = strawberry.field(description="Id of the request.")
    recipient: str = strawberry.field(description="Slug of the agency that was asked.")
    reason: MatchReason = strawberry.field(description="Why it was asked.")
    asked_at: datetime = strawberry.field(description="When it was sent.")
    until: datetime = strawberry.field(description="Until when that agency may answer.")
    defender_id: strawberry.ID = strawberry.field(description="Id of your defender.")
    case_file_id: strawberry.ID = strawberry.field(description="Id of your case file.")
    state: MatchState = strawberry.field(description="Where it stands, as far as you are told.")
    linked_at: datetime | None = strawberry.field(
        description="When that agency confirmed that it knows the person; null while it did not."
    )


@strawberry.type(description="A person of your agency for whom another agency asked.")
class WaitingMatch:
    """See `casework.match_answers.WaitingMatch`."""

    id: strawberry.ID = strawberry.field(description="Id of the match: you answer it by this.")
    asker: str = strawberry.field(description="Slug of the agency that asked.")
    reason: MatchReason = strawberry.field(description="Why it asked.")
    urgent: bool = strawberry.field(description="Whether it asked in an emergency.")
    looked_at: datetime = strawberry.field(description="When the person was found here.")
    until: datetime = strawberry.field(description="Until when you may answer.")
    defender_id: strawberry.ID = strawberry.field(description="Id of your defender.")
    case_file_ids: list[strawberry.ID] = strawberry.field(
        description="Your case files with the person, in which you may answer."
    )
    fields: list[str] = strawberry.field(
        description="What agrees with what was sent: email, nik, phone. Compare before you confirm."
    )


@strawberry.type(description="That another agency knows a defender of yours, too, and said so.")
class LinkedRecord:
    """See `casework.match_views.LinkView`."""

    match_id: strawberry.ID = strawberry.field(
        description="Id of the request that led to it: both agencies have it."
    )
    agency: str = strawberry.field(description="Slug of the other agency.")
    confirmed_at: datetime = strawberry.field(description="When it was confirmed.")


@strawberry.input(description="For whom another agency is asked, and why.")
class RequestMatchInput:
    """See `casework.matching.NewMatch`."""

    defender_id: strawberry.ID = strawberry.field(
        description="Id of a defender whose identity and contact you may open."
    )
    recipient: str = strawberry.field(description="Slug of another agency.")
    reason: MatchReason = strawberry.field(description="Why it is asked; it is told this code.")
    reason_text: str | None = strawberry.field(
        default=None, description=f"{REASON_TEXT} It is not sent."
    )


@strawberry.input(description="What you answer about a person whom your agency knows.")
class AnswerMatchInput:
    """See `casework.match_answers.answer_match`."""

    match_id: strawberry.ID = strawberry.field(description="Id of the match.")
    answer: MatchAnswer = strawberry.field(
        description="Only CONFIRM is told to the agency that asked: that yours knows the person."
    )


@strawberry.type(description="How asking another agency went.")
class RequestMatchPayload:
    """Payload."""

    request_id: strawberry.ID | None = strawberry.field(description="Id of the request.")
    state: MatchState | None = strawberry.field(
        description="SENT, whoever is asked for; null where nothing was sent."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing was sent.")


@strawberry.type(description="How an answer went.")
class AnswerMatchPayload:
    """Payload."""

    match_id: strawberry.ID | None = strawberry.field(description="Id of the match.")
    case_file_id: strawberry.ID | None = strawberry.field(
        description="Your case file with the person: to refer it, call `referCaseFile`."
    )
    asker: str | None = strawberry.field(description="Slug of the agency that asked.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


def _id(record: UUID) -> strawberry.ID:
    return strawberry.ID(str(record))


@strawberry.type(description="What a caseworker may ask about matches.")
class MatchQueries:
    """A part of the root of the agency face."""

    @strawberry.field(
        description="The newest people for whom you asked other agencies within three days. Opens "
        "nothing."
    )
    async def match_requests(self, info: PerisaiInfo, first: FirstOf) -> list[MatchRequest]:
        """List what the caller asked."""
        context = info.context
        found = await match_views.match_requests(context.house, context.caller, first)
        return cast(list[MatchRequest], found)

    @strawberry.field(
        description="Which other agencies know a defender, too, the newest first; shown where you "
        "may open the identity. Opens nothing."
    )
    async def linked_records(
        self,
        info: PerisaiInfo,
        defender_id: Annotated[
            strawberry.ID, strawberry.argument(description="Id of your defender.")
        ],
        first: FirstOf,
    ) -> list[LinkedRecord]:
        """List links."""
        context = info.context
        defender = DefenderId(uuid_of(defender_id))
        found = await match_views.linked_records(context.house, context.caller, defender, first)
        return cast(list[LinkedRecord], found)

    @strawberry.field(
        description="The people of your agency for whom others asked and nobody answered, the "
        "oldest first; for supervisors and agency leads. Opens nothing."
    )
    async def matches_waiting(self, info: PerisaiInfo, first: FirstOf) -> list[WaitingMatch]:
        """List what waits for an answer."""
        context = info.context
        found = await match_answers.matches_waiting(context.house, context.caller, first)
        return cast(list[WaitingMatch], found)


@strawberry.type(description="What agencies ask each other about a person.")
class MatchChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description="Ask another agency whether it knows a person, too. NIK, telephone numbers and "
        "e-mail addresses go to it sealed; you are told that it was sent, and later only if "
        "somebody there confirms."
    )
    async def request_match(
        self,
        info: PerisaiInfo,
        input: Annotated[RequestMatchInput, InputOf],  # noqa: A002
    ) -> RequestMatchPayload:
        """Ask."""
        context = info.context
        new = NewMatch(
            DefenderId(uuid_of(input.defender_id)),
            input.recipient,
            input.reason,
            input.reason_text,
        )
        try:
            made = await matching.request_match(context.house, context.caller, new)
        except MENDABLE as error:
            return RequestMatchPayload(request_id=None, state=None, errors=_errors(error))
        return RequestMatchPayload(request_id=_id(made), state=MatchState.SENT, errors=[])

    @strawberry.mutation(
        description="Answer about a person for whom another agency asked, once. To dismiss, to "
        "refer and to say nothing look the same to it."
    )
    async def answer_match(
        self,
        info: PerisaiInfo,
        input: Annotated[AnswerMatchInput, InputOf],  # noqa: A002
    ) -> AnswerMatchPayload:
        """Answer."""
        context = info.context
        match_id = MatchId(uuid_of(input.match_id))
        try:
            made = await match_answers.answer_match(
                context.house, context.caller, match_id, input.answer
            )
        except MENDABLE as error:
            return AnswerMatchPayload(
                match_id=None, case_file_id=None, asker=None, errors=_errors(error)
            )
        return AnswerMatchPayload(
            match_id=_id(made.match),
            case_file_id=_id(made.case_file),
            asker=made.asker,
            errors=[],
        )
