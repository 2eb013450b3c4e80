"""What requests between agencies leave to do, each process for its own agencies, by itself.

- The recipient opens what was sent to it, looks among its own, and seals to itself what it
  found. Whether that is somebody or nobody, it does the same and leaves as much.
- The asker takes what the other agency confirmed, and nothing else ever reaches it.
- Each takes away what is over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework import match_alerts
from api.casework.house import House
from api.casework.match_limits import OPEN_FOR, WINDOW
from api.casework.matched import (
    SENT_NAMES,
    best_of,
    link_is_signed,
    open_sent,
    request_holds,
    request_is_signed,
    sealed_hit,
)
from api.casework.recording import recorded
from api.casework.rights import sealed_row
from api.casework.trust import pinned
from api.errors import PerisaiError, SealBroken, StaleRevision
from api.store import defenders, matching
from api.store.matching import Row, Sent
from api.vocabulary import (
    DEFAULT_BASIS,
    Action,
    Compartment,
    Decision,
    Phase,
    Purpose,
    RecordKind,
)

_log = structlog.get_logger("perisai.match_settling")

#: How long the asker keeps a request that is over: what was confirmed at its end is on its way.
_KEPT = timedelta(days=1)

_T = TypeVar("_T")


async def settle_matches(house: House) -> None:
    """Do what this process has to do about requests from and to its agencies.

    What fails is reported and left for the next time; nothing is told by a failure.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    now, owners = house.now(), house.keyring.owners
    async with house.records.snapshot() as snapshot:
        sent = await matching.to_look_up(snapshot, owners, now)
        confirmed = await matching.to_link(snapshot, owners)
        over = await matching.is_over(snapshot, owners, now, now - _KEPT)
    await _look_up_all(house, sent)
    for row in confirmed:
        try:
            await _link(house, row)
        except PerisaiError as error:
            _log.error("match_not_settled", part="link", code=error.code)
    if over:
        async with house.records.change() as change:
            await matching.delete_over(change, owners, now, now - _KEPT)


async def settle_matches_forever(house: House, every: timedelta) -> None:
    """Do this process's part of what agencies ask each other, again and again."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await settle_matches(house)
        except Exception as error:  # By its kind only: its text may hold what was asked.
            _log.error("matches_not_settled", error=type(error).__name__)


async def _look_up_all(house: House, waiting: Iterable[Sent]) -> None:
    """Look up what waits, of each asker up to the limit: nobody's many keep others waiting."""
    over: set[tuple[str, str]] = set()
    for one in waiting:
        sides = one.recipient, one.asker
        if sides in over:
            continue
        try:
            if await _is_over_limit(house, *sides):
                over.add(sides)
            else:
                await _look_up(house, one.id)
        except PerisaiError as error:
            _log.error("match_not_settled", part="look_up", code=error.code)


async def _is_over_limit(house: House, agency: str, asker: str) -> bool:
    """Tell whether *asker* sent more than its own limit lets through: tomorrow, if it stands."""
    async with house.records.snapshot() as snapshot:
        since = house.now() - WINDOW
        looked = await matching.looked_for_since(snapshot, agency, asker, since)
    if looked < house.matches.per_agency:
        return False
    _log.error("matches_over_limit", agency=agency, asker=asker)
    return True


async def _look_up(house: House, request_id: UUID) -> None:
    """As the recipient, look who of ours was asked for, if its asker signed that."""
    now = house.now()
    async with house.records.snapshot() as snapshot:
        read = await matching.request(snapshot, request_id)
        if read is None:
            raise StaleRevision  # It went meanwhile.
        sent, agency = read, read["recipient"]
        asker = await pinned(house, snapshot, agency, sent["asker"])
    if agency not in house.keyring.owners or not request_is_signed(sent, asker):
        _log.error("seal_broken", table="match_request", owner=sent["asker"])
        return

    async def do(intent: int) -> None:
        tags = await _tags(house, sent)
        async with house.records.change() as change:
            again = await matching.locked_request(change, sent["id"])
            if again != sent or await matching.hit_of(change, sent["id"], agency) is not None:
                raise StaleRevision  # Another process came first.
            found = best_of(await matching.known(change, agency, tags))
            row: Row = {
                "request": sent["id"],
                "agency": agency,
                "asker": sent["asker"],
                "purpose": sent["purpose"],
                "reason": sent["reason"],
                "looked_at": now,
                "until": min(sent["until"], now + OPEN_FOR),
                "event": intent,
            }
            await matching.insert_hit(change, sealed_hit(house, row, found))
            await matching.empty_request(change, sent["id"])
            # Its liaison is to look now; whether there is anybody, this tells nobody else.
            await match_alerts.make(house, change, row, sent["case_file"])

    await _recorded(house, Action.LOOK_UP_MATCH, agency, sent, SENT_NAMES, do)


async def _tags(house: House, sent: Row) -> dict[str, list[bytes]]:
    """Make the agency's own tags of what was sent; none where its asker sealed something else."""
    tags: dict[str, list[bytes]] = {}
    try:
        identifiers = open_sent(house, sent)
    except SealBroken:
        _log.error("seal_broken", table="match_request", owner=sent["asker"])
        identifiers = []
    for field, value in identifiers:
        found = await house.keyring.tags_to_find(sent["recipient"], field, value)
        tags.setdefault(field, []).extend(found)
    return tags


async def _link(house: House, theirs: Row) -> None:
    """As the asker, write down that the other agency confirmed a request of ours."""
    agency = theirs["peer"]
    async with house.records.snapshot() as snapshot:
        ours = await matching.request(snapshot, theirs["request"])
        confirmer = await pinned(house, snapshot, agency, theirs["agency"])
    if ours is None or not request_holds(house, ours) or not link_is_signed(theirs, confirmer):
        _log.error("seal_broken", table="linked_record", owner=theirs["agency"])
        return

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await defenders.lock(change, ours["defender"])  # It may be erased meanwhile.
            again = await matching.request(change, ours["id"])
            if again != ours or await matching.links_of(change, agency, [ours["id"]]):
                raise StaleRevision
            row: Row = {
                "request": ours["id"],
                "agency": agency,
                "peer": theirs["agency"],
                "defender": ours["defender"],
                "confirmed_at": theirs["confirmed_at"],
                "confirmation": theirs["confirmation"],
                "event": intent,
                "signature": theirs["signature"],
            }
            await matching.insert_link(change, sealed_row(house, agency, "linked_record", row))

    await _recorded(house, Action.LINK_RECORD, agency, ours, (), do)


async def _recorded(
    house: House,
    action: Action,
    agency: str,
    request: Row,
    fields: tuple[str, ...],
    do: Callable[[int], Awaitable[_T]],
) -> _T:
    """Do it between an intent and an outcome that name the request, and whom it is about.

    Nothing that was found is in them: they are the same whether anybody was.
    """
    touched = Touched(
        Decision.ALLOWED,
        None,
        None,
        (Compartment.CONTACT, Compartment.IDENTITY) if fields else (),
        fields,
        (
            (RecordKind.MATCH, request["id"], 0),
            (RecordKind.DEFENDER, request["defender"], 0),
            (RecordKind.CASE_FILE, request["case_file"], 0),
        ),
    )
    purpose = Purpose(request["purpose"])
    event = Event(
        at=house.now(),
        request="matching",
        actor=None,
        organisation=agency,
        role=None,
        action=action,
        phase=Phase.INTENT,
        purpose=purpose,
        basis=DEFAULT_BASIS[purpose],
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=tuple(sorted((request["asker"], request["recipient"]))),
        touched=(touched,),
    )
    return await recorded(house, event, do)
