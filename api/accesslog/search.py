"""The tables for searching: a projection of the entries, never evidence.

They are not written with the entries. Whoever searches brings them up to the head
first, in short transactions. What the rows of one event are is said here, for who
fills the tables and for who compares them with the leaves; `finding` searches.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from api.accesslog.event import Event, decode
from api.accesslog.tables import Tables
from api.errors import LeafMalformed, LogBroken
from api.vocabulary import Action, Phase

#: Events that one transaction brings into the search tables.
BATCH: Final = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

EventRow = tuple[
    int, int, str | None, str | None, str | None, str, str | None, str, str, int | None
]
RecordRow = tuple[str, int, str, str]
AgencyRow = tuple[str, int, int, str | None, str | None, str | None, str, str | None, str]
AgencyCopy = tuple[str, int, bool]
WordRow = tuple[str, str, int, int]
WordsRow = tuple[str, str, int, int, int]


def records_of(event: Event) -> set[UUID]:
    """Give the ids of all records that *event* names."""
    return {record for touched in event.touched for _kind, record, _revision in touched.records}


def agencies_of(event: Event) -> set[str]:
    """Give the organisations whose officers may see *event*: the actor's and the records'."""
    agencies = set(event.agencies)
    if event.organisation is not None:
        agencies.add(event.organisation)
    return agencies


def words_of(event: Event) -> set[str]:
    """Give what an event can have several of: agencies, compartments, fields and grounds."""
    words = {f"agency:{agency}" for agency in event.agencies}
    for touched in event.touched:
        words.update([f"compartment:{compartment}" for compartment in touched.compartments])
        words.update([f"field:{name}" for name in touched.fields])
        if touched.ground is not None:
            words.add(f"ground:{touched.ground}")
    return words


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
        event.phase,
        event.intent,
    )


def record_rows(index: int, event: Event) -> set[RecordRow]:
    """Give the rows of `event_record`."""
    return {
        (record.hex, index, kind.value, touched.decision.value)
        for touched in event.touched
        for kind, record, _revision in touched.records
    }


def agency_rows(index: int, event: Event) -> set[AgencyRow]:
    """Give the rows of `event_agency`: one for each agency whose officers may see the event."""
    row = event_row(index, event)[:8]  # Up to the decision; no search asks for more.
    return {(agency, *row) for agency in agencies_of(event)}


def agency_copies(index: int, event: Event) -> set[AgencyCopy]:
    """Give the rows of `copies_between`, where each agency has a faithful copy."""
    return {(agency, index, True) for agency in agencies_of(event)}


def word_rows(index: int, event: Event) -> set[WordRow]:
    """Give the rows of `event_word`: each of `words_of`, for each agency of `agencies_of`."""
    at = microseconds(event.at)
    words = words_of(event)
    return {(agency, word, index, at) for agency in agencies_of(event) for word in words}


def words_rows(index: int, event: Event) -> set[WordsRow]:
    """Give the rows of `words_between`: all words of the event in one, for each agency."""
    at = microseconds(event.at)
    words = ",".join(sorted(words_of(event)))
    return {(agency, words, index, at, at) for agency in agencies_of(event)} if words else set()


def copies_between(tables: Tables) -> Select[Any]:
    """Give the query for `event_agency` from :start to before :stop, to be compared.

    Each agency and index, and whether the rest is what the row of `event` says, which is
    compared by itself: the database need not hand out the same values once more.
    """
    copy, event = tables.event_agency.c, tables.event.c
    start, stop = bindparam("start", type_=BigInteger), bindparam("stop", type_=BigInteger)
    repeated = [one for one in copy if one.name not in ("agency", "idx")]
    same = and_(*(one.is_not_distinct_from(event[one.name]) for one in repeated))
    return (
        select(copy.agency, copy.idx, same)
        .select_from(tables.event_agency.outerjoin(tables.event, event.idx == copy.idx))
        .where(copy.idx >= start, copy.idx < stop)
    )


def words_between(tables: Tables, dialect: str) -> Select[Any]:
    """Give the query for `event_word` from :start to before :stop, to be compared.

    All words of one event and agency in one row, joined, and the smallest and the largest
    `at`: an event has many words, and a comparison reads them all. On SQLite the words come
    in the order in which an index gives them: `in_order` sees to those that do not.
    """
    t = tables.event_word.c
    start, stop = bindparam("start", type_=BigInteger), bindparam("stop", type_=BigInteger)
    joined: ColumnElement[str]
    if dialect == "postgresql":
        separated: Any = aggregate_order_by(literal_column("','"), t.word.collate("C"))
        joined = func.string_agg(t.word, separated)
    else:
        # The same bytes as a blob are another value, which no search finds.
        joined = func.group_concat(case((func.typeof(t.word) == "text", t.word)), ",")
    return (
        select(t.agency, joined, t.idx, func.min(t.at), func.max(t.at))
        .where(t.idx >= start, t.idx < stop)
        .group_by(t.idx, t.agency)
    )


def in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give a row of `words_between` with its words in their order."""
    agency, joined, *rest = row
    return (agency, ",".join(sorted(str(joined).split(","))), *rest)


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
    words: set[WordRow] = set()
    for expected, (index, body) in enumerate(rows, start):
        if index != expected:
            raise LogBroken(f"entry {expected}", "is missing")
        event = read_event(index, body)
        events.append(event_row(index, event))
        records |= record_rows(index, event)
        agencies |= agency_rows(index, event)
        words |= word_rows(index, event)
    await _insert(connection, tables.event, events)
    await _insert(connection, tables.event_record, sorted(records))
    await _insert(connection, tables.event_agency, sorted(agencies, key=lambda row: row[:2]))
    await _insert(connection, tables.event_word, sorted(words))
    return len(events)


def of_action(tables: Tables, action: Action, after: int, first: int) -> Select[tuple[int, bytes]]:
    """Give the query for the oldest *first* entries of *action* above index *after*."""
    event, entry = tables.event, tables.entry
    return (
        select(entry.c.idx, entry.c.body)
        .join(event, event.c.idx == entry.c.idx)
        .where(event.c.action == str(action), event.c.idx > after)
        .order_by(event.c.idx)
        .limit(first)
    )


def newest_of(tables: Tables, actions: Sequence[Action]) -> Select[tuple[int, bytes]]:
    """Give the query for the newest entry of one of *actions*.

    One look into an index for each action: together they would be walked and sorted.
    """
    event, entry = tables.event, tables.entry
    newest = [
        select(func.max(event.c.idx).label("idx")).where(event.c.action == str(action))
        for action in actions
    ]
    each = union_all(*newest).subquery()
    return select(entry.c.idx, entry.c.body).where(
        entry.c.idx == select(func.max(each.c.idx)).scalar_subquery()
    )


def unfinished(tables: Tables, after: int, first: int) -> Select[tuple[int, bytes]]:
    """Give the query for the oldest *first* intents above *after* that no event ends.

    Two indices answer it: no row of a finished change is looked at.
    """
    event, entry = tables.event, tables.entry
    outcome = event.alias("outcome")
    return (
        select(entry.c.idx, entry.c.body)
        .join(event, event.c.idx == entry.c.idx)
        .where(
            event.c.phase == Phase.INTENT.value,
            event.c.idx > after,
            ~select(outcome.c.idx).where(outcome.c.intent == event.c.idx).exists(),
        )
        .order_by(event.c.idx)
        .limit(first)
    )


def read_event(index: int, body: bytes) -> Event:
    """Read the leaf at *index*.

    Raises:
        LogBroken: it is not an event.
    """
    try:
        return decode(body)
    except LeafMalformed:
        raise LogBroken(f"entry {index}", "is not an event") from None


async def _insert(
    connection: AsyncConnection, table: Table, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Add rows that are not there yet; as tuples to the driver, since there are many."""
    if not rows:
        return
    names = table.columns.keys()
    postgresql = connection.dialect.name == "postgresql"
    marks = [f"${place}" if postgresql else "?" for place in range(1, len(names) + 1)]
    await connection.exec_driver_sql(
        f"insert into {table.fullname} ({', '.join(names)})"  # noqa: S608  # names of tables.py
        f" values ({', '.join(marks)})"
        " on conflict do nothing",
        list(rows),
    )
