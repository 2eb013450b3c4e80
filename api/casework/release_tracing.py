"""Whose copy it was: the fetches of releases in the log, of which one has the mark of the copy.

The search tables of the log lead to the fetches; what each was is read from its leaf. These tables
are no evidence: where they lead to nothing, every leaf is read. Only of partners whose keys are in
this process.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.accesslog.finding import Filters
from api.casework.house import House
from api.casework.recording import event_of_service
from api.casework.release_marks import mark_of
from api.store.sealed_fields import RELEASE_BODY
from api.vocabulary import Action, Compartment, Decision, RecordKind, Role

#: Events that are read at once.
_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Fetch:
    """One fetch of one release.

    Attributes:
        index: of its event in the log.
        made_by: the agencies whose releases the event names.
    """

    mark: str
    index: int
    release: UUID
    partner: str
    member: UUID
    at: datetime
    made_by: tuple[str, ...]


async def trace(house: House, marks: Collection[str]) -> list[Fetch]:
    """Find the fetches that have one of *marks*, the newest first.

    Leaves an event with the operator's role, which the officers of all organisations see whose
    keys are here, whatever was found; it is durable before anything is told.

    Raises:
        LogBroken: the search tables lead to an event that was not searched for.
        LogUnavailable: nothing may be told.
    """
    asked = frozenset(marks)
    found = []
    for partner in sorted(house.keyring.owners):
        found += [fetch async for fetch in _fetches(house, partner) if fetch.mark in asked]
    if not found:
        found = [fetch async for fetch in _all_fetches(house) if fetch.mark in asked]
    found.sort(key=lambda fetch: fetch.index, reverse=True)
    touched = Touched(Decision.ALLOWED, None, None, (), ("query:trace", f"shown:{len(found)}"), ())
    event = event_of_service(
        Action.READ_LOG,
        house.now(),
        request="operation",
        policy=house.gate.policy_hash,
        agencies=tuple(house.keyring.owners),
        role=Role.OPERATOR,
    )
    await house.ledger.append(replace(event, touched=(touched,)))
    return found


async def _fetches(house: House, partner: str) -> AsyncIterator[Fetch]:
    filters = Filters(organisation=partner, role=Role.PARTNER, compartment=Compartment.RELEASE)
    last: int | None = None
    more = True
    while more:
        events = await house.log.find(filters, agency=partner, first=_CHUNK, after_idx=last)
        for index, event in events:
            last = index
            for fetch in _of(house, index, event):
                yield fetch
        more = len(events) == _CHUNK


async def _all_fetches(house: House) -> AsyncIterator[Fetch]:
    """Read the whole log: somebody may have taken rows out of the search tables."""
    head = await house.log.head()
    async for index, event in house.log.between(0, head.size - 1):
        if event.role is Role.PARTNER and event.organisation in house.keyring.owners:
            for fetch in _of(house, index, event):
                yield fetch


def _of(house: House, index: int, event: Event) -> Iterator[Fetch]:
    partner = event.organisation
    if event.actor is None or partner is None:
        return
    for release in _opened(event):
        mark = mark_of(house, partner, release, event)
        yield Fetch(mark, index, release, partner, event.actor, event.at, event.agencies)


def _opened(event: Event) -> list[UUID]:
    """Name the releases of which *event* says that their content was disclosed."""
    return [
        record
        for group in event.touched
        if group.decision is Decision.DISCLOSED and RELEASE_BODY.name in group.fields
        for kind, record, _ in group.records
        if kind is RecordKind.RELEASE
    ]
