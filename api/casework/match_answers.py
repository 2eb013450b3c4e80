"""Answer, as a liaison of the agency that was asked, about a person whom it knows.

Only a confirmation is ever told to the asker. To dismiss, to refer and to say nothing are one
to it; a referral is a referral, made by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.casework import rights
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.casework.match_reach import reached, told
from api.casework.matched import Found, found_in, sealed_hit, signed_link
from api.database import Connection
from api.errors import MatchNotOpen, NotFound, PageSizeInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import matching
from api.store.matching import Row
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    MatchAnswer,
    MatchId,
    MatchReason,
    Purpose,
    RecordKind,
)

PAGE_MOST = 100


@dataclass(frozen=True, slots=True)
class WaitingMatch:
    """A person of the own agency for whom another one asked.

    Attributes:
        case_files: of the agency, in which the caller may answer.
        fields: what of the person agrees with what was sent: "email", "nik", "phone".
        urgent: it was asked in an emergency.
    """

    id: UUID
    asker: str
    reason: MatchReason
    urgent: bool
    looked_at: datetime
    until: datetime
    defender_id: UUID
    case_file_ids: list[UUID]
    fields: list[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered about: a referral begins with it."""

    match: UUID
    case_file: CaseFileId
    asker: str


async def answer_match(
    house: House, caller: Caller, match_id: MatchId, answer: MatchAnswer
) -> Answered:
    """Answer, once. Only CONFIRM reaches the asker.

    Raises:
        NotFound: nobody of the caller's agency was found by this id; or see `change`.
        NotAllowed, RecordErased: see `change`.
        MatchNotOpen: it was answered or is over.
    """
    async with house.records.snapshot() as snapshot:
        _, found = await _hit(house, snapshot, caller, match_id)
    # What is not there names a person who is not there either.
    person = found.defender or match_id

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, Action.ANSWER_MATCH, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> Answered:
        await matching.lock_hit(transaction, match_id)
        row, found = await _hit(house, transaction, caller, match_id)
        if row is None or found.defender != person:
            raise NotFound
        # A link stands for its answer, should that be put back.
        linked = await matching.links_of(transaction, caller.organisation, [match_id])
        if found.answer is not None or linked or row["until"] <= situation.now:
            raise MatchNotOpen
        answered = sealed_hit(house, {**row, "event": intent}, found._replace(answer=answer))
        await matching.renew_hit(transaction, answered)
        if answer is MatchAnswer.CONFIRM:
            await _confirm(house, transaction, row, person, situation.now, intent)
        return Answered(match_id, CaseFileId(situation.row.id), row["asker"])

    return await change(
        house,
        caller,
        Changing(
            Action.ANSWER_MATCH,
            (RecordKind.DEFENDER, person),
            fields=(f"answer:{answer.value}",),
            others=((RecordKind.MATCH, match_id),),
        ),
        ask,
        write,
    )


async def _hit(
    house: House, connection: Connection, caller: Caller, match_id: UUID
) -> tuple[Row | None, Found]:
    """Read what the caller's agency found for a request; nobody, where it is not proven."""
    row = await matching.hit_of(connection, match_id, caller.organisation)
    found = None if row is None else found_in(house, row)
    return (None, Found(None)) if found is None else (row, found)


async def _confirm(
    house: House, transaction: Connection, hit: Row, person: UUID, now: datetime, intent: int
) -> None:
    agency = hit["agency"]
    row: Row = {
        "request": hit["request"],
        "agency": agency,
        "peer": hit["asker"],
        "defender": person,
        "confirmed_at": now,
        "confirmation": intent,
        "event": intent,
    }
    signing = house.keyring.signing_key(agency)
    row["signature"] = signing.sign(signed_link(row, hit["asker"], agency))
    await matching.insert_link(transaction, rights.sealed_row(house, agency, "linked_record", row))


async def matches_waiting(house: House, caller: Caller, first: int) -> list[WaitingMatch]:
    """List those of the caller's agency for whom others asked and nobody answered, oldest first.

    Shows of a record its id only, and only where the caller may answer.

    Raises:
        PageSizeInvalid: *first* is not 1 to PAGE_MOST.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotAllowed: the caller's role or purpose has no part in it; one event.
    """
    if not 1 <= first <= PAGE_MOST:
        raise PageSizeInvalid

    def may(facts: CaseFileFacts) -> Verdict:
        return house.gate.change(who, Action.ANSWER_MATCH, facts)

    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        read = await matching.hits_of(snapshot, caller.organisation, house.now())
        waiting = [
            (row, found.defender, found.fields)
            for row in read
            if (found := found_in(house, row)) is not None
            and found.defender is not None
            and found.answer is None
        ]
        people = {person for _, person, _ in waiting}
        places = await reached(house, snapshot, caller, who, people, may)
    files = {person: [f for f, of in sorted(places) if of == person] for person in people}
    shown = [
        _view(row, person, files[person], fields)
        for row, person, fields in waiting
        if files[person]
    ][:first]
    await told(
        house,
        caller,
        [(one.id, one.defender_id, one.case_file_ids) for one in shown],
        may(CaseFileFacts(caller.organisation, 1, False, False)),
    )
    return shown


def _view(row: Row, defender: UUID, files: list[UUID], fields: Sequence[str]) -> WaitingMatch:
    return WaitingMatch(
        row["request"],
        row["asker"],
        MatchReason(row["reason"]),
        row["purpose"] == Purpose.EMERGENCY.value,
        row["looked_at"],
        row["until"],
        defender,
        files,
        list(fields),
    )
