"""The statement that reads case files, built once per shape of question and kept.

Building costs more than running, so a statement is kept by its shape and scope, and
values always travel as parameters. First come the case files, then what hangs on
each: defenders and the assignments that matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    CompoundSelect,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.sql import ColumnElement

from api.store import break_glass, delegations, referral_rights, ties
from api.store.assignments import live
from api.store.case_file_pages import ordered, page_of
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.store.tables import (
    assignment,
    attachment,
    case_file,
    case_file_defender,
    defender,
    defender_tag,
)
from api.vocabulary import CaseFileOrder, RecordKind

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
    # Of the caller's agency: another one to which the file was referred has its own.
    assignment.c.agency == bindparam("agency"),
    live(assignment),
)

#: What the policy's facts about a case file are in SQL; `me` (the caller), `agency` (the
#: caller's) and `now` are parameters.
SCOPE: Mapping[str, ColumnElement[Any]] = {
    "lead_agency": case_file.c.lead_agency,
    "sensitivity": case_file.c.sensitivity,
    "assigned": _mine,
    "supervising": _others,
    **referral_rights.SCOPE,
    **ties.SCOPE,
    # A second person is never there for a statement: two look at one case file, in one
    # reading, and that is decided on facts.
    "second_person": false(),
    # Nothing is read differently once it is closed; changes prove it by rows.
    "closed": false(),
    **delegations.SCOPE,
    **break_glass.SCOPE,
}

#: What an agency leads, whoever of it asks: `agency` is a parameter.
LED_HERE: ColumnElement[bool] = case_file.c.lead_agency == bindparam("agency")


#: The order of a list -> column, descending.
_ORDERS: dict[CaseFileOrder, tuple[str, bool]] = {
    CaseFileOrder.MOST_URGENT: ("urgency", False),
    CaseFileOrder.NEWEST: ("opened_on", True),
    CaseFileOrder.OLDEST: ("opened_on", False),
    CaseFileOrder.REFERENCE: ("reference", False),
}


#: The scope of whoever shows nothing of what is read.
EVERYWHERE: Final = true()


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
        filters: which filters are present, of Filters' names; or `among`: those in `ids`.
        limit: how many case files at the most; in the text, since the planner must
            know it to walk the index and stop.
        oversees: read the assignments of others too, not only the caller's.
    """

    which: Which
    case_file: frozenset[str]
    defender: frozenset[str] | None
    filters: frozenset[str] = frozenset()
    order: CaseFileOrder = CaseFileOrder.NEWEST
    after: bool = False
    limit: int | None = None
    oversees: bool = False


#: Columns of the case file before those that were asked for.
CORE = 8
_LINK = ("defender", "position", "event", "seal")
_ASSIGNMENT = (
    "id",
    "case_file",
    "member",
    "agency",
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
    "among": case_file.c.id.in_(bindparam("ids", expanding=True)),
    "status": case_file.c.status.in_(bindparam("status", expanding=True)),
    "urgency": case_file.c.urgency.in_(bindparam("urgency", expanding=True)),
    "province": case_file.c.province == bindparam("province"),
    "lead_agency": case_file.c.lead_agency == bindparam("lead_agency"),
    "assigned_to_me": _mine,
    "reference": case_file.c.reference.like(bindparam("reference"), escape="\\"),
}


#: Filters of which one value finds most case files and another a single one: PostgreSQL plans
#: for the value, where it else has one plan for any (api/database.py).
PLANNED_BY_VALUE: Final = frozenset({"province", "reference"})


@lru_cache(maxsize=512)
def statement_of(scope: ColumnElement[bool], shape: Shape) -> Select[Any]:
    """Build the statement: first the case files, then what hangs on each.

    What is not in scope gives no row, even where it is asked for by its id: then "not
    yours" leaves as little to do, and takes as long, as "not there".
    """
    by, descending = _ORDERS[shape.order]
    key: ColumnElement[Any] = case_file.c[by]
    files = select(
        case_file.c.id,
        case_file.c.lead_agency,
        case_file.c.sensitivity,
        case_file.c.event,
        case_file.c.seal,
        case_file.c.revision,
        case_file.c.erased_at.is_not(None).label("erased"),
        key.label("sort_key"),
        *(_case_file_column(n).label(f"f_{n}") for n in case_file_names(shape.case_file)),
    )
    named = _named(shape.which)
    if shape.which is Which.ONE:
        files = files.where(case_file.c.id == bindparam("id"))
    elif named is not None:
        files = files.where(case_file.c.id.in_(select(case_file_defender.c.case_file).where(named)))
    else:
        files = files.where(*(_FILTERS[n] for n in sorted(shape.filters)))
    if shape.which is Which.PAGE:
        if shape.after:
            here = tuple_(key, case_file.c.id)
            there = tuple_(
                bindparam("after_key", type_=key.type),
                bindparam("after_id", type_=case_file.c.id.type),
            )
            files = files.where(here < there if descending else here > there)
        page = page_of(files, key, case_file.c.id, scope, shape.limit, descending)
    else:
        page = files.where(scope).subquery("page")
    columns: list[ColumnElement[Any]] = list(page.c)
    source: Any = page
    order = list(ordered(page.c.sort_key, page.c.id, descending))
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
        columns.append(defender.c.erased_at.is_not(None).label("d_erased"))
        columns += [_defender_column(n).label(f"d_{n}") for n in defender_names(shape.defender)]
        order.append(case_file_defender.c.position)
    source = source.outerjoin(
        assignment,
        and_(
            assignment.c.case_file == page.c.id,
            assignment.c.agency == bindparam("agency"),
            *(() if shape.oversees else (assignment.c.member == bindparam("me"),)),
            live(assignment),
        ),
    )
    columns += [assignment.c[n].label(f"a_{n}") for n in _ASSIGNMENT]
    columns += [
        delegations.ANY.label("delegated"),
        ties.declared,
        break_glass.ANY.label("broke_glass"),
    ]
    statement = select(*columns).select_from(source).order_by(*order)
    if shape.which is Which.TAGGED:
        statement = statement.where(
            exists().where(
                defender_tag.c.defender == defender.c.id,
                defender_tag.c.agency == page.c.lead_agency,
                defender_tag.c.field == bindparam("field"),
                defender_tag.c.tag.in_(bindparam("tags", expanding=True)),
            )
        )
    return statement


#: A case file of another agency than the caller's, by two looks into an index that leads with
#: the agency: `<>` would walk all of the caller's own.
_ANOTHER: Final = func.coalesce(
    *(
        select(case_file.c.id)
        .where(there)
        .order_by(case_file.c.lead_agency, case_file.c.opened_on)
        .limit(1)
        .correlate(None)
        .scalar_subquery()
        for there in (
            case_file.c.lead_agency > bindparam("agency"),
            case_file.c.lead_agency < bindparam("agency"),
        )
    )
)


#: Kind of record -> where its case files stand, and by what they are found.
_OF_RECORD: Final[dict[RecordKind, tuple[ColumnElement[Any], ColumnElement[Any]]]] = {
    RecordKind.ATTACHMENT: (attachment.c.case_file, attachment.c.id),
    RecordKind.CASE_FILE: (case_file.c.id, case_file.c.id),
    RecordKind.DEFENDER: (case_file_defender.c.case_file, case_file_defender.c.defender),
}


@lru_cache(maxsize=64)
def led_by_of(kind: RecordKind, scope: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Say who leads the case files that have a record, in anybody's scope.

    One row for each: who leads it, whether a tie keeps the caller out, and whether it is that
    at all. Where nothing has the record, one row that says no: a case file of another agency,
    with the scope that `statement_of` did not come to asked of it. So that what is not there
    leaves the database as much to do as what is not the caller's.
    """
    file, of = _OF_RECORD[kind]
    record = select(file).where(of == bindparam("id")).correlate(None)
    # Every case file has somebody in it, and few an attachment.
    through = case_file_defender.c.case_file if kind is RecordKind.ATTACHMENT else file
    another = select(through).where(through == _ANOTHER, ~record.exists()).correlate(None)
    return union_all(
        select(case_file.c.lead_agency, ties.tied.label("tied"), true().label("there"))
        .where(case_file.c.id.in_(record))
        .distinct(),
        select(case_file.c.lead_agency, or_(scope, ties.tied), false())
        .where(case_file.c.id.in_(another))
        .distinct(),
    )


def _named(which: Which) -> ColumnElement[bool] | None:
    """Say which defenders a question names, if it names some."""
    if which is Which.OF_DEFENDER:
        return case_file_defender.c.defender == bindparam("id")
    if which is Which.OF_DEFENDERS:
        return case_file_defender.c.defender.in_(bindparam("ids", expanding=True))
    return None
