"""Case files with their defenders and the assignments that matter, in one statement.

A statement is built once per shape of question and kept: building costs more
than running. Values always travel as parameters. The rows carry what the policy
decides on, and of the rest only what was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    exists,
    insert,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.sql import ColumnElement

from api.database import Connection
from api.store.assignments import live
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.store.tables import (
    assignment,
    case_file,
    case_file_defender,
    defender,
    defender_tag,
    organisation,
)
from api.vocabulary import Urgency

#: GraphQL name -> column that stands in clear. `id` and `revision` are always read.
CASE_FILE_PLAIN = {
    "adversaryKinds": "adversary_kinds",
    "incidentKinds": "incident_kinds",
    "leadAgency": "lead_agency",
    "measureKinds": "measure_kinds",
    "openedOn": "opened_on",
    "province": "province",
    "reference": "reference",
    "respondBy": "respond_by",
    "sensitivity": "sensitivity",
    "status": "status",
    "urgency": "urgency",
}
DEFENDER_PLAIN = {"agency": "agency", "categories": "categories"}

_mine = exists().where(
    assignment.c.case_file == case_file.c.id,
    assignment.c.member == bindparam("me"),
    live(assignment),
)
_others = exists().where(
    assignment.c.case_file == case_file.c.id,
    assignment.c.member != bindparam("me"),
    live(assignment),
)

#: What the policy's facts about a case file are in SQL; `me` and `now` are parameters.
SCOPE: Mapping[str, ColumnElement[Any]] = {
    "lead_agency": case_file.c.lead_agency,
    "sensitivity": case_file.c.sensitivity,
    "assigned": _mine,
    "supervising": _others,
}


class Order(StrEnum):
    """The orders of a list; each ends with the id, so that it is total."""

    MOST_URGENT = "most_urgent"
    NEWEST = "newest"
    OLDEST = "oldest"
    REFERENCE = "reference"


#: Order -> column, descending.
_ORDERS: dict[Order, tuple[str, bool]] = {
    Order.MOST_URGENT: ("urgency", False),
    Order.NEWEST: ("opened_on", True),
    Order.OLDEST: ("opened_on", False),
    Order.REFERENCE: ("reference", False),
}


class Which(StrEnum):
    """Which case files a question is about."""

    PAGE = "page"
    ONE = "one"
    OF_DEFENDER = "of_defender"
    OF_DEFENDERS = "of_defenders"
    TAGGED = "tagged"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Shape:
    """All that decides the text of the statement, and no value.

    Attributes:
        case_file: GraphQL names asked of a case file, plain and sealed.
        defender: the same of its defenders; None: they are not joined.
        filters: which filters are present, of Filters' names.
        limit: how many case files at the most; in the text, since the planner must
            know it to walk the index and stop.
        oversees: read the assignments of others too, not only the caller's.
    """

    which: Which
    case_file: frozenset[str]
    defender: frozenset[str] | None
    filters: frozenset[str] = frozenset()
    order: Order = Order.NEWEST
    after: bool = False
    limit: int | None = None
    oversees: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A defender in a case file: the row that links them, and what was asked.

    Attributes:
        sealed: values to verify the seal of the link with, then the seal.
        plain, fields: values in the order of the shape's `defender` names.
    """

    defender: UUID
    seal_values: tuple[Any, ...]
    seal: bytes
    revision: int
    values: tuple[Any, ...]


@dataclass(slots=True)
class CaseFileRow:
    """One case file as read."""

    id: UUID
    lead_agency: str
    sensitivity: int
    event: int
    seal: bytes
    revision: int
    in_scope: bool
    sort_key: Any
    values: tuple[Any, ...]
    links: list[Link] = field(default_factory=list)
    assignments: list[tuple[Any, ...]] = field(default_factory=list)


#: Questions that name their record: answered from whatever is there, by the decision.
_ASKED_BY_ID = frozenset({Which.ONE, Which.OF_DEFENDER, Which.OF_DEFENDERS})

_CORE = 8
_LINK = ("defender", "position", "event", "seal")
_ASSIGNMENT = (
    "id",
    "case_file",
    "member",
    "assigned_by",
    "starts_at",
    "ends_at",
    "ended_at",
    "event",
    "seal",
)


@lru_cache(maxsize=64)
def case_file_names(asked: frozenset[str]) -> tuple[str, ...]:
    """Give the asked names that are columns, in the order in which values come."""
    return tuple(sorted(n for n in asked if n in CASE_FILE_PLAIN or n in CASE_FILE_FIELDS))


@lru_cache(maxsize=64)
def defender_names(asked: frozenset[str]) -> tuple[str, ...]:
    """Give the asked names that are columns, in the order in which values come."""
    return tuple(sorted(n for n in asked if n in DEFENDER_PLAIN or n in DEFENDER_FIELDS))


def _case_file_column(name: str) -> ColumnElement[Any]:
    column = CASE_FILE_PLAIN.get(name) or CASE_FILE_FIELDS[name].column
    return case_file.c[column]


def _defender_column(name: str) -> ColumnElement[Any]:
    column = DEFENDER_PLAIN.get(name) or DEFENDER_FIELDS[name].column
    return defender.c[column]


_FILTERS: dict[str, ColumnElement[bool]] = {
    "status": case_file.c.status.in_(bindparam("status", expanding=True)),
    "urgency": case_file.c.urgency.in_(bindparam("urgency", expanding=True)),
    "province": case_file.c.province == bindparam("province"),
    "lead_agency": case_file.c.lead_agency == bindparam("lead_agency"),
    "assigned_to_me": _mine,
    "reference": case_file.c.reference.like(bindparam("reference"), escape="\\"),
}


@lru_cache(maxsize=512)
def _statement(scope: ColumnElement[bool], shape: Shape) -> Select[Any]:
    """Build the statement: first the case files, then what hangs on each."""
    by, descending = _ORDERS[shape.order]
    key: ColumnElement[Any] = case_file.c[by]
    files = select(
        case_file.c.id,
        case_file.c.lead_agency,
        case_file.c.sensitivity,
        case_file.c.event,
        case_file.c.seal,
        case_file.c.revision,
        # One record is read whoever asks, so that "not there" and "not yours" cost
        # the same; the scope then stands beside the decision instead of before it.
        (scope if shape.which in _ASKED_BY_ID else true()).label("in_scope"),
        key.label("sort_key"),
        *(_case_file_column(n).label(f"f_{n}") for n in case_file_names(shape.case_file)),
    )
    named = _named(shape.which)
    if shape.which is Which.ONE:
        files = files.where(case_file.c.id == bindparam("id"))
    elif named is not None:
        files = files.where(case_file.c.id.in_(select(case_file_defender.c.case_file).where(named)))
    else:
        files = files.where(scope, *(_FILTERS[n] for n in sorted(shape.filters)))
    if shape.which is Which.PAGE:
        if shape.after:
            here = tuple_(key, case_file.c.id)
            there = tuple_(
                bindparam("after_key", type_=key.type),
                bindparam("after_id", type_=case_file.c.id.type),
            )
            files = files.where(here < there if descending else here > there)
        files = files.order_by(*_ordered(key, case_file.c.id, descending)).limit(
            None if shape.limit is None else literal_column(str(int(shape.limit)))
        )
    page = files.subquery("page")
    columns: list[ColumnElement[Any]] = list(page.c)
    source: Any = page
    order = list(_ordered(page.c.sort_key, page.c.id, descending))
    if shape.defender is not None:
        source = source.outerjoin(
            case_file_defender,
            and_(
                case_file_defender.c.case_file == page.c.id,
                *(() if named is None else (named,)),
            ),
        ).outerjoin(defender, defender.c.id == case_file_defender.c.defender)
        columns += [case_file_defender.c[n].label(f"l_{n}") for n in _LINK]
        columns.append(defender.c.revision.label("d_revision"))
        columns += [_defender_column(n).label(f"d_{n}") for n in defender_names(shape.defender)]
        order.append(case_file_defender.c.position)
    source = source.outerjoin(
        assignment,
        and_(
            assignment.c.case_file == page.c.id,
            *(() if shape.oversees else (assignment.c.member == bindparam("me"),)),
            live(assignment),
        ),
    )
    columns += [assignment.c[n].label(f"a_{n}") for n in _ASSIGNMENT]
    statement = select(*columns).select_from(source).order_by(*order)
    if shape.which is Which.TAGGED:
        statement = statement.where(
            exists().where(
                defender_tag.c.defender == defender.c.id,
                defender_tag.c.agency == page.c.lead_agency,
                defender_tag.c.field == bindparam("field"),
                defender_tag.c.tag == bindparam("tag"),
            )
        )
    return statement


def _named(which: Which) -> ColumnElement[bool] | None:
    """Say which defenders a question names, if it names some."""
    if which is Which.OF_DEFENDER:
        return case_file_defender.c.defender == bindparam("id")
    if which is Which.OF_DEFENDERS:
        return case_file_defender.c.defender.in_(bindparam("ids", expanding=True))
    return None


def _ordered(
    key: ColumnElement[Any], row_id: ColumnElement[Any], descending: bool
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return (key.desc(), row_id.desc()) if descending else (key.asc(), row_id.asc())


async def read(
    snapshot: Connection,
    scope: ColumnElement[bool],
    shape: Shape,
    parameters: Mapping[str, Any],
) -> list[CaseFileRow]:
    """Read the case files that *shape* asks for.

    Args:
        scope: what the policy lets the caller see, as SQL over SCOPE.
        parameters: `me`, `now`, and what the shape needs: `id`, `ids`, `field`, `tag`,
            `after_key`, `after_id`, filters.
    """
    result = await snapshot.execute(_statement(scope, shape), parameters)
    values_end = _CORE + len(case_file_names(shape.case_file))
    defenders = shape.defender is not None
    link_end = values_end + (5 if defenders else 0)
    defender_end = link_end + (len(defender_names(shape.defender)) if shape.defender else 0)
    files: list[CaseFileRow] = []
    current: CaseFileRow | None = None
    for row in result.all():
        cells = tuple(row)
        if current is None or current.id != cells[0]:
            current = CaseFileRow(*(*cells[:_CORE], cells[_CORE:values_end]))
            files.append(current)
        if defenders and cells[values_end] is not None:
            who = cells[values_end]
            if not current.links or current.links[-1].defender != who:
                current.links.append(
                    Link(
                        who,
                        (current.id, *cells[values_end : values_end + 3]),
                        cells[values_end + 3],
                        cells[values_end + 4],
                        cells[link_end:defender_end],
                    )
                )
        assigned = cells[defender_end:]
        if assigned[0] is not None and assigned not in current.assignments:
            current.assignments.append(assigned)
    return files


def reference_filter(text: str) -> str:
    """Make the LIKE pattern for *text* anywhere in the reference."""
    escaped = text.upper().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@dataclass(frozen=True, slots=True)
class NewCaseFile:
    """The columns of a case file that stand in clear, when it is opened."""

    id: UUID
    reference: str
    lead_agency: str
    status: str
    urgency: Urgency
    sensitivity: int
    province: str
    opened_on: date
    respond_by: datetime
    incident_kinds: Sequence[str]
    adversary_kinds: Sequence[str]
    measure_kinds: Sequence[str]


async def next_reference(change: Connection, agency: str, year: int) -> str:
    """Give the next case reference of *agency*; its row is locked until the commit."""
    row = (
        await change.execute(
            update(organisation)
            .where(organisation.c.slug == agency)
            .values(references_given=organisation.c.references_given + 1)
            .returning(organisation.c.reference_prefix, organisation.c.references_given)
        )
    ).one()
    return f"{row.reference_prefix}-{year}-{row.references_given:04d}"


async def insert_rows(change: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert *rows* (column -> value, all with the same columns) into *table* of this slice."""
    tables = {t.name: t for t in (case_file, case_file_defender)}
    if rows:
        await change.execute(insert(tables[table]), list(rows))


async def advance(change: Connection, case_file_id: UUID, revision: int) -> bool:
    """Count the revision up if it still is *revision*; tell whether it was."""
    result = await change.execute(
        update(case_file)
        .where(case_file.c.id == case_file_id, case_file.c.revision == revision)
        .values(revision=revision + 1)
    )
    return bool(result.rowcount == 1)
