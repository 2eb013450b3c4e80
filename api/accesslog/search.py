"""The tables for searching: a projection of the entries, never evidence.

They are not written with the entries. Whoever searches brings them up to the head
first, in short transactions. What a search gives back is read from the leaf bytes
and measured against the question once more, so that a row that somebody slipped
into these tables shows nobody an event that is not for them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from api.accesslog.event import Event, decode
from api.accesslog.tables import Tables
from api.errors import LeafMalformed, LogBroken
from api.vocabulary import Action, Decision, Purpose, Role

#: Events that one transaction brings into the search tables.
BATCH: Final = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

EventRow = tuple[int, int, str | None, str | None, str | None, str, str | None, str]
RecordRow = tuple[str, int, str, str]
AgencyRow = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Filters:
    """What to search for; None does not narrow. `since` is included, `until` is not."""

    actor: UUID | None = None
    organisation: str | None = None
    role: Role | None = None
    record: UUID | None = None
    action: Action | None = None
    decision: Decision | None = None
    purpose: Purpose | None = None
    since: datetime | None = None
    until: datetime | None = None

    def fit(self, event: Event) -> bool:
        """Tell whether *event* is searched for."""
        return (
            self.actor in (None, event.actor)
            and self.organisation in (None, event.organisation)
            and self.role in (None, event.role)
            and (self.record is None or self.record in records_of(event))
            and self.action in (None, event.action)
            and self.decision in (None, event.decision)
            and self.purpose in (None, event.purpose)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )


def records_of(event: Event) -> set[UUID]:
    """Give the ids of all records that *event* names."""
    return {record for touched in event.touched for _kind, record, _revision in touched.records}


def agencies_of(event: Event) -> set[str]:
    """Give the organisations whose officers may see *event*: the actor's and the records'."""
    agencies = set(event.agencies)
    if event.organisation is not None:
        agencies.add(event.organisation)
    return agencies


def microseconds(at: datetime) -> int:
    """Give a moment as the tables hold it: microseconds since 1970, exact."""
    return (at - _EPOCH) // _MICROSECOND


def event_row(index: int, event: Event) -> EventRow:
    """Give the row of `event`."""
    return (
        index,
        microseconds(event.at),
        None if event.actor is None else event.actor.hex,
        event.organisation,
        event.role,
        event.action,
        event.purpose,
        event.decision,
    )


def record_rows(index: int, event: Event) -> set[RecordRow]:
    """Give the rows of `event_record`."""
    return {
        (record.hex, index, kind.value, touched.decision.value)
        for touched in event.touched
        for kind, record, _revision in touched.records
    }


def agency_rows(index: int, event: Event) -> set[AgencyRow]:
    """Give the rows of `event_agency`."""
    return {(agency, index) for agency in agencies_of(event)}


async def catch_up(connection: AsyncConnection, tables: Tables) -> int:
    """Bring up to 1,000 more events into the search tables; give how many there were.

    The caller commits. Two who do this at once do it twice, which is once.

    Raises:
        LogBroken: an entry is not an event, or is missing.
    """
    newest = await connection.scalar(select(func.max(tables.event.c.idx)))
    start = 0 if newest is None else newest + 1
    entry = tables.entry
    rows = await connection.execute(
        select(entry.c.idx, entry.c.body)
        .where(entry.c.idx >= start)
        .order_by(entry.c.idx)
        .limit(BATCH)
    )
    events: list[EventRow] = []
    records: set[RecordRow] = set()
    agencies: set[AgencyRow] = set()
    for expected, (index, body) in enumerate(rows, start):
        if index != expected:
            raise LogBroken(f"entry {expected}", "is missing")
        event = read_event(index, body)
        events.append(event_row(index, event))
        records |= record_rows(index, event)
        agencies |= agency_rows(index, event)
    await _insert(connection, tables.event, events)
    await _insert(connection, tables.event_record, sorted(records))
    await _insert(connection, tables.event_agency, sorted(agencies))
    return len(events)


def found(
    tables: Tables, filters: Filters, before: int | None, first: int, agency: str
) -> Select[tuple[int, bytes]]:
    """Give the query for the newest *first* entries below *before* that *agency* may see."""
    event, entry = tables.event, tables.entry
    scope = tables.event_agency
    query = (
        select(entry.c.idx, entry.c.body)
        .join(scope, scope.c.idx == entry.c.idx)
        .join(event, event.c.idx == entry.c.idx)
        .where(scope.c.agency == agency)
        .order_by(scope.c.idx.desc())
        .limit(first)
    )
    if before is not None:
        query = query.where(scope.c.idx < before)
    if filters.actor is not None:
        query = query.where(event.c.actor == filters.actor.hex)
    for name in ("organisation", "role", "action", "decision", "purpose"):
        wanted = getattr(filters, name)
        if wanted is not None:
            query = query.where(event.c[name] == str(wanted))
    if filters.since is not None:
        query = query.where(event.c.at >= microseconds(filters.since))
    if filters.until is not None:
        query = query.where(event.c.at < microseconds(filters.until))
    if filters.record is not None:
        record = tables.event_record
        query = query.where(
            select(record.c.idx)
            .where(record.c.record == filters.record.hex, record.c.idx == scope.c.idx)
            .exists()
        )
    return query


def read_event(index: int, body: bytes) -> Event:
    """Read the leaf at *index*.

    Raises:
        LogBroken: it is not an event.
    """
    try:
        return decode(body)
    except LeafMalformed:
        raise LogBroken(f"entry {index}", "is not an event") from None


async def _insert(connection: AsyncConnection, table: Table, rows: list[Any]) -> None:
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    names = table.columns.keys()
    await connection.execute(
        dialect.insert(table).on_conflict_do_nothing(),
        [dict(zip(names, row, strict=True)) for row in rows],
    )
