"""Case files counted by what stands in clear, over all agencies: no id and no sealed column.

Each case file counts once in a cell, and an erased one nowhere. What several case files say of
one person is for `statistics_links`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    TableValuedAlias,
    and_,
    case,
    cast,
    extract,
    func,
    literal_column,
    select,
    true,
)

from api.database import Connection
from api.store.tables import case_file, case_file_defender, defender, organisation, step
from api.vocabulary import CaseStatus, Responded, Statistic

#: Cell -> how many: code and month, 1 to 12.
Counts = Mapping[tuple[str, int], int]

#: Where a case file can come several times.
_EACH_ONCE = func.count(case_file.c.id.distinct())
_MONTH = cast(extract("month", case_file.c.opened_on), Integer)

#: A join with the elements of an array: each with the row that it stands in.
_ALL = true()

#: What is counted by one column of the case file.
_BY_COLUMN: Mapping[Statistic, ColumnElement[Any]] = {
    Statistic.LEAD_AGENCY: case_file.c.lead_agency,
    Statistic.PROVINCE: case_file.c.province,
    Statistic.URGENCY: case_file.c.urgency,
}


async def counts(snapshot: Connection, what: Statistic, start: date, end: date) -> Counts:
    """Count the case files that were opened from *start* until before *end*."""
    found = await snapshot.execute(_statement(what, snapshot.dialect.name, start, end))
    return {(str(code), month): count for code, month, count in found}


#: When somebody took the case file out of intake, which is the first response to it.
_RESPONDED_AT = (
    select(func.min(step.c.taken_at))
    .where(step.c.case_file == case_file.c.id, step.c.was == CaseStatus.INTAKE.value)
    .scalar_subquery()
)


async def responses(
    snapshot: Connection, what: Statistic, start: date, end: date, now: datetime
) -> Mapping[tuple[str, Responded, int], int]:
    """Count the same case files by how the first response compares with its deadline, too.

    One that left intake without a step of it, as what was imported, has none and is left out.
    """
    # Each case file is looked at once, then counted.
    each = (
        select(
            _RESPONSES_BY[what].label("code"),
            _MONTH.label("month"),
            case_file.c.status,
            case_file.c.respond_by,
            _RESPONDED_AT.label("responded_at"),
        )
        .where(
            case_file.c.opened_on >= start,
            case_file.c.opened_on < end,
            case_file.c.erased_at.is_(None),
        )
        .subquery()
    )
    waits = each.c.status == CaseStatus.INTAKE.value
    how = case(
        (each.c.respond_by >= each.c.responded_at, _word(Responded.MET)),
        (each.c.respond_by < each.c.responded_at, _word(Responded.LATE)),
        (and_(waits, each.c.respond_by > now), _word(Responded.OPEN)),
        (waits, _word(Responded.LATE)),
    ).label("how")
    told = select(each.c.code, each.c.month, how).subquery()
    found = await snapshot.execute(
        select(told.c.code, told.c.how, told.c.month, func.count())
        .where(told.c.how.is_not(None))
        .group_by(told.c.code, told.c.how, told.c.month)
    )
    return {
        (str(code), Responded(answered), month): count
        for code, answered, month, count in found.all()
    }


#: What first responses are counted by.
_RESPONSES_BY: Mapping[Statistic, ColumnElement[Any]] = {
    Statistic.RESPONSE_BY_AGENCY: case_file.c.lead_agency,
    Statistic.RESPONSE_BY_URGENCY: case_file.c.urgency,
}


def _word(responded: Responded) -> ColumnElement[Any]:
    return literal_column(f"'{responded.value}'", String)


async def agencies(snapshot: Connection) -> dict[str, str]:
    """Give the name of each agency by its slug, in their order."""
    found = await snapshot.execute(
        select(organisation.c.slug, organisation.c.name)
        .where(organisation.c.kind == "agency")
        .order_by(organisation.c.slug)
    )
    return {str(slug): str(name) for slug, name in found}


def _statement(what: Statistic, dialect: str, start: date, end: date) -> Select[Any]:
    if what in _BY_COLUMN:
        # A plain count is answered from the index alone.
        return _counting(_BY_COLUMN[what], func.count(), case_file, start, end)
    if what is Statistic.INCIDENT_KIND:
        kinds = _each(case_file.c.incident_kinds, dialect)
        return _counting(kinds.c.value, _EACH_ONCE, case_file.join(kinds, _ALL), start, end)
    categories = _each(defender.c.categories, dialect)
    link = case_file_defender
    people = (
        case_file.join(link, link.c.case_file == case_file.c.id)
        .join(defender, defender.c.id == link.c.defender)
        .join(categories, _ALL)
    )
    counted = _counting(categories.c.value, _EACH_ONCE, people, start, end)
    return counted.where(defender.c.erased_at.is_(None))


def _each(column: ColumnElement[Any], dialect: str) -> TableValuedAlias:
    """Give the texts of a JSON array, a row for each, in a column `value`."""
    if dialect == "postgresql":
        return func.json_array_elements_text(column).table_valued("value")
    return func.json_each(column).table_valued("value")


def _counting(
    code: ColumnElement[Any],
    how_many: ColumnElement[int],
    source: FromClause,
    start: date,
    end: date,
) -> Select[Any]:
    return (
        select(code, _MONTH, how_many)
        .select_from(source)
        .where(
            case_file.c.opened_on >= start,
            case_file.c.opened_on < end,
            case_file.c.erased_at.is_(None),
        )
        .group_by(code, _MONTH)
    )
