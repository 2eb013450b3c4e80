"""What a member asked other agencies, and whom two agencies know: nothing else is told."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.casework import rights
from api.casework.disclosure import Reading, disclose
from api.casework.house import House
from api.casework.match_reach import reached, told
from api.casework.matched import link_holds, request_holds
from api.errors import NotFound, PageSizeInvalid
from api.policies.facts import CaseFileFacts
from api.store import matching
from api.store.case_file_statements import Shape, Which
from api.store.matching import Row
from api.vocabulary import (
    Action,
    Caller,
    Compartment,
    DefenderId,
    MatchReason,
    MatchState,
    RecordKind,
)

PAGE_MOST = 100


@dataclass(frozen=True, slots=True)
class MatchRequestView:
    """A request as its asker sees it; without a confirmation it is sent, whatever was found."""

    id: UUID
    recipient: str
    reason: MatchReason
    asked_at: datetime
    until: datetime
    defender_id: UUID
    case_file_id: UUID
    state: MatchState
    linked_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkView:
    """That another agency knows a defender, too.

    Attributes:
        match_id: of the request that led to it: both agencies have it.
    """

    match_id: UUID
    agency: str
    confirmed_at: datetime


async def match_requests(house: House, caller: Caller, first: int) -> list[MatchRequestView]:
    """List the caller's newest requests that are not over, where they may open the identity.

    Raises:
        PageSizeInvalid: *first* is not 1 to PAGE_MOST.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotAllowed: nothing exists for the caller's role and purpose; one event.
    """
    if not 1 <= first <= PAGE_MOST:
        raise PageSizeInvalid
    now, agency = house.now(), caller.organisation
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        read = await matching.requests_of(snapshot, agency, caller.member, now, first)
        mine = [row for row in read if request_holds(house, row)]
        seen = await reached(
            house,
            snapshot,
            caller,
            who,
            {row["defender"] for row in mine},
            lambda facts: house.gate.open(who, Compartment.IDENTITY, facts),
        )
        found = await matching.links_of(snapshot, agency, [row["id"] for row in mine])
    links = {request: link for request, link in found.items() if link_holds(house, link)}
    shown = [
        _view(row, links.get(row["id"]))
        for row in mine
        if (row["case_file"], row["defender"]) in seen
    ]
    own = CaseFileFacts(agency, 1, False, False)
    await told(
        house,
        caller,
        [(one.id, one.defender_id, [one.case_file_id]) for one in shown],
        house.gate.see(who, own),
    )
    return shown


async def linked_records(
    house: House, caller: Caller, defender_id: DefenderId, first: int
) -> list[LinkView]:
    """List which other agencies know the defender, too, newest first.

    None is shown where the caller may not open the identity.

    Raises:
        PageSizeInvalid: *first* is not 1 to PAGE_MOST.
        NotFound: as of a defender who is read; likewise what else `disclose` raises.
    """
    if not 1 <= first <= PAGE_MOST:
        raise PageSizeInvalid
    target = (RecordKind.DEFENDER, defender_id)
    shape = Shape(Which.OF_DEFENDER, frozenset(), frozenset())
    reading = Reading(Action.READ, shape, {"id": defender_id}, target=target)
    if not (await disclose(house, caller, reading)).case_files:
        raise NotFound
    agency = caller.organisation
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        places = await reached(
            house,
            snapshot,
            caller,
            who,
            [defender_id],
            lambda facts: house.gate.open(who, Compartment.IDENTITY, facts),
        )
        read = await matching.links_to(snapshot, agency, defender_id, first)
    links = [row for row in read if places and link_holds(house, row)]
    files = sorted(file for file, _ in places)
    own = CaseFileFacts(agency, 1, False, False)
    verdict = house.gate.see(who, own)
    await told(house, caller, [(row["request"], defender_id, files) for row in links], verdict)
    return [LinkView(row["request"], row["peer"], row["confirmed_at"]) for row in links]


def _view(row: Row, link: Row | None) -> MatchRequestView:
    return MatchRequestView(
        row["id"],
        row["recipient"],
        MatchReason(row["reason"]),
        row["asked_at"],
        row["until"],
        row["defender"],
        row["case_file"],
        MatchState.SENT if link is None else MatchState.LINKED,
        None if link is None else link["confirmed_at"],
    )
