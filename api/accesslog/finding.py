"""Searching the log: what to search for, and the one way through the search tables.

Each filter is a range of one index that leads with the agency and gives the events of
that agency newest first. A search walks along the shortest of its ranges and looks each
event up in the others, so that it takes as long as the rarest of its filters, however
long the log is. What it gives back is read from the leaf bytes and measured against the
question once more: a row that somebody slipped into these tables shows nobody an event
that is not for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from api.accesslog.event import Event
from api.accesslog.search import agencies_of, microseconds, read_event, records_of
from api.accesslog.tables import Tables
from api.errors import LogBroken
from api.vocabulary import Action, Compartment, Decision, Ground, Purpose, Role

#: How far each range is counted before one is chosen. Beyond that any is long, and a page
#: is full soon; counting so far takes about a millisecond.
COUNTED: Final = 10_000

_COLUMNS: Final = ("role", "action", "purpose", "organisation", "decision")
_WORDS: Final = ("field", "ground", "compartment", "agency")
_BREAK_GLASS: Final = f"ground:{Ground.BREAK_GLASS}"


@dataclass(frozen=True, slots=True)
class Filters:
    """What to search for; None does not narrow.

    Attributes:
        actor, organisation, role: who did it.
        agency: whose records it concerns.
        ground, compartment, field: what some group of records in it says.
        break_glass: whether some group says that need overrode the rules.
        since, until: since that moment, and before this one.
    """

    actor: UUID | None = None
    organisation: str | None = None
    role: Role | None = None
    agency: str | None = None
    record: UUID | None = None
    compartment: Compartment | None = None
    field: str | None = None
    action: Action | None = None
    decision: Decision | None = None
    ground: Ground | None = None
    purpose: Purpose | None = None
    break_glass: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def used(self) -> tuple[str, ...]:
        """The names of those that narrow."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not None)

    def fit(self, event: Event) -> bool:
        """Tell whether *event* is searched for."""
        grounds = {touched.ground for touched in event.touched}
        return (
            self.actor in (None, event.actor)
            and self.organisation in (None, event.organisation)
            and self.role in (None, event.role)
            and (self.agency is None or self.agency in event.agencies)
            and (self.record is None or self.record in records_of(event))
            and (
                self.compartment is None
                or any(self.compartment in touched.compartments for touched in event.touched)
            )
            and (
                self.field is None or any(self.field in touched.fields for touched in event.touched)
            )
            and self.action in (None, event.action)
            and self.decision in (None, event.decision)
            and (self.ground is None or self.ground in grounds)
            and self.purpose in (None, event.purpose)
            and self.break_glass in (None, Ground.BREAK_GLASS in grounds)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )


class _Range(NamedTuple):
    """One range of one index.

    Attributes:
        idx, at: the columns that give position and moment of an event in it.
        by_time: it is in the order of the moments, not of the log.
        repeats: an event may be in it several times.
    """

    rows: FromClause
    idx: ColumnElement[int]
    at: ColumnElement[int]
    where: tuple[ColumnElement[bool], ...]
    by_time: bool = False
    repeats: bool = False


async def find(
    connection: AsyncConnection,
    tables: Tables,
    filters: Filters,
    *,
    agency: str,
    before: int | None,
    first: int,
) -> list[tuple[int, Event]]:
    """Give the newest *first* events below index *before* that *agency* may see.

    Raises:
        LogBroken: the search tables lead to an event that was not searched for.
    """
    query = await query_of(connection, tables, filters, agency=agency, before=before, first=first)
    events = [(row.idx, read_event(row.idx, row.body)) for row in await connection.execute(query)]
    for idx, event in events:
        if agency not in agencies_of(event) or not filters.fit(event):
            raise LogBroken(f"event {idx}", "the search tables do not fit its entry")
    return events


async def query_of(
    connection: AsyncConnection,
    tables: Tables,
    filters: Filters,
    *,
    agency: str,
    before: int | None,
    first: int,
) -> Select[tuple[int, bytes]]:
    """Give the query of `find` for index and leaf, along the range that is the shortest now."""
    ranges = _ranges(tables, agency, filters)
    walked = ranges[0]
    if len(ranges) > 1:
        counts = (await connection.execute(_counting(ranges))).one()
        # Along the time only where it is short: what is found there has to be sorted.
        lengths = [
            COUNTED + 1 if one.by_time and count == COUNTED else count
            for count, one in zip(counts, ranges, strict=True)
        ]
        walked = ranges[lengths.index(min(lengths))]
    others = [one for one in ranges if one is not walked and not one.by_time]
    query = _along(walked, others, filters, before)
    if filters.break_glass is False:
        query = query.where(_found(_of_word(tables, agency, _BREAK_GLASS), walked).is_(None))
    # A sum has no index: the range of the time is not left for one that is in this order.
    order = walked.idx + literal_column("0") if walked.by_time else walked.idx
    # As literals: a planner that does not see how few are wanted reads all.
    query = query.order_by(order.desc()).limit(literal_column(str(first)))
    entry, chosen = tables.entry, query.subquery("chosen")
    return (
        select(entry.c.idx, entry.c.body)
        .join(chosen, chosen.c.idx == entry.c.idx)
        .order_by(entry.c.idx.desc())
    )


def _ranges(tables: Tables, agency: str, filters: Filters) -> list[_Range]:
    """Give the range of each filter, those that are mostly short first; at least one.

    All are of *agency*: what others have in the log makes no search longer.
    """
    words = [
        f"{kind}:{getattr(filters, kind)}" for kind in _WORDS if getattr(filters, kind) is not None
    ]
    if filters.break_glass:
        words.append(_BREAK_GLASS)
    columns = [(name, getattr(filters, name)) for name in _COLUMNS]
    ranges = [
        *([] if filters.record is None else [_of_record(tables, agency, filters.record)]),
        *([] if filters.actor is None else [_of_column(tables, agency, "actor", filters.actor)]),
        *(_of_word(tables, agency, word) for word in words),
        *(_of_column(tables, agency, name, to) for name, to in columns if to is not None),
    ]
    if filters.since is not None or filters.until is not None:
        ranges.append(_of_time(tables, agency, filters))
    if all(one.by_time for one in ranges):
        ranges.append(_of_all(tables, agency))
    return ranges


def _of_all(tables: Tables, agency: str) -> _Range:
    scope = tables.event_agency.alias()
    return _Range(scope, scope.c.idx, scope.c.at, (scope.c.agency == agency,))


def _of_column(tables: Tables, agency: str, name: str, to: object) -> _Range:
    scope = tables.event_agency.alias()
    text = to.hex if isinstance(to, UUID) else str(to)
    return _Range(scope, scope.c.idx, scope.c.at, (scope.c.agency == agency, scope.c[name] == text))


def _of_word(tables: Tables, agency: str, word: str) -> _Range:
    words = tables.event_word.alias()
    return _Range(words, words.c.idx, words.c.at, (words.c.agency == agency, words.c.word == word))


def _of_record(tables: Tables, agency: str, of: UUID) -> _Range:
    record, scope = tables.event_record.alias(), tables.event_agency.alias()
    rows = record.join(scope, scope.c.idx == record.c.idx)
    where = (record.c.record == of.hex, scope.c.agency == agency)
    return _Range(rows, record.c.idx, scope.c.at, where, repeats=True)


def _of_time(tables: Tables, agency: str, filters: Filters) -> _Range:
    scope = tables.event_agency.alias()
    where = (scope.c.agency == agency, *_within(filters, scope.c.at))
    return _Range(scope, scope.c.idx, scope.c.at, where, by_time=True)


def _within(filters: Filters, at: ColumnElement[int]) -> list[ColumnElement[bool]]:
    within = []
    if filters.since is not None:
        within.append(at >= microseconds(filters.since))
    if filters.until is not None:
        within.append(at < microseconds(filters.until))
    return within


def _counting(ranges: Sequence[_Range]) -> Select[Any]:
    """Give the query for the length of each range, up to COUNTED."""
    counts = []
    for one in ranges:
        rows: Select[tuple[int]] = select(literal_column("1", Integer).label("one"))
        rows = rows.select_from(one.rows).where(*one.where)
        some = rows.limit(literal_column(str(COUNTED))).subquery()
        counts.append(select(func.count()).select_from(some).scalar_subquery())
    return select(*counts)


def _along(
    walked: _Range, others: Sequence[_Range], filters: Filters, before: int | None
) -> Select[tuple[int]]:
    """Give the query that walks along one range and looks each event up in the others."""
    query: Select[tuple[int]] = select(walked.idx.label("idx"))
    query = query.select_from(walked.rows).where(*walked.where)
    if walked.repeats:
        query = query.distinct()
    if before is not None:
        query = query.where(walked.idx < before)
    if not walked.by_time:
        query = query.where(*_within(filters, walked.at))
    return query.where(*(_found(other, walked).is_not(None) for other in others))


def _found(other: _Range, walked: _Range) -> ScalarSelect[int]:
    """Look the event of a walk up in another range.

    A scalar subquery, not a join and not EXISTS: no planner turns it round.
    """
    return (
        select(literal_column("1", Integer))
        .select_from(other.rows)
        .where(*other.where, other.idx == walked.idx)
        .limit(literal_column("1"))
        .scalar_subquery()
    )
