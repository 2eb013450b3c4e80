"""Numbers over all case files of the mechanism: a fixed set, whole months, nothing to narrow.

Only counts are read, of columns that stand in clear; what may be shown of them is for
`publishing` to say. Calendar months and years alone can be asked for, so that no two answers
overlap but a year and its own months, which `publishing` weighs together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from api.accesslog.event import Touched
from api.casework import publishing, response_times, rights
from api.casework.counted_once import Cell, Linked, counted_twice
from api.casework.house import House
from api.casework.publishing import Published
from api.casework.recording import event_of
from api.code_lists import CodeLists
from api.code_lists.labels import Labels
from api.database import Connection
from api.errors import NotAllowed, ValueInvalid
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed, Verdict
from api.store import statistics, statistics_links
from api.vocabulary import Action, Caller, Decision, Sensitivity, Statistic, Urgency

#: No case file of the mechanism is older.
_FIRST_YEAR = 2000

#: Statistic -> the code list that its rows are, where they are one.
_LIST = {
    Statistic.DEFENDER_CATEGORY: "defender_categories",
    Statistic.INCIDENT_KIND: "incident_kinds",
    Statistic.PROVINCE: "provinces",
}


#: How fast was responded: each case file has a clock of its own, whoever else knows the person.
_RESPONSES = frozenset({Statistic.RESPONSE_BY_AGENCY, Statistic.RESPONSE_BY_URGENCY})

#: Those whose rows are the agencies.
_BY_AGENCY = frozenset({Statistic.LEAD_AGENCY, Statistic.RESPONSE_BY_AGENCY})


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar year, or one month of it."""

    year: int
    month: int | None = None

    @property
    def name(self) -> str:
        """As events name it."""
        return f"{self.year:04}" if self.month is None else f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of numbers.

    Attributes:
        labels: code -> what a person reads; every code has a row, whatever was counted.
        months: those that are over, each with its column in `published`.
    """

    labels: Mapping[str, Labels]
    months: tuple[int, ...]
    published: Published


async def read_statistics(house: House, caller: Caller, what: Statistic, period: Period) -> Table:
    """Count case files of all agencies by *what*.

    Raises:
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotAllowed: not a role or purpose that looks at numbers; one event.
        ValueInvalid: a month that is not over, or no such one; nothing was asked.
    """
    today = house.now().date()
    months = _over(period, today)
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
    # Numbers are of no record: as for a case file of the own agency that anybody may know of.
    facts = CaseFileFacts(caller.organisation, int(Sensitivity.LOW), False, False)
    verdict = house.gate.change(who, Action.READ_STATISTICS, facts)
    await _append(house, caller, verdict, what, period)
    if not isinstance(verdict, Allowed):
        raise NotAllowed
    start = date(period.year, period.month or 1, 1)
    end = _first_after(period.year, period.month or 12)
    async with house.records.snapshot() as snapshot:
        found = await _counted(snapshot, what, start, end, house.now())
        names = await statistics.agencies(snapshot) if what in _BY_AGENCY else {}
    labels = _labels(house.codes, what, names)
    whole_year = len(months) == _WHOLE_YEAR
    if what not in _RESPONSES:
        columns = [{code: found.get((code, month), 0) for code in labels} for month in months]
        return Table(labels, months, publishing.publish(columns, whole_year))
    groups = response_times.groups_of(labels)
    columns = [
        {code: found.get((code, month), 0) for group in groups for code in group}
        for month in months
    ]
    published = publishing.publish_groups(columns, groups, whole_year)
    return Table(response_times.rows_of(labels), months, published)


async def _counted(
    snapshot: Connection, what: Statistic, start: date, end: date, now: datetime
) -> Mapping[Cell, int]:
    """Count by *what*, the same only once where several case files tell of it."""
    if what in _RESPONSES:
        answered = await statistics.responses(snapshot, what, start, end, now)
        return {
            (response_times.code_of(code, how), month): count
            for (code, how, month), count in answered.items()
        }
    found = dict(await statistics.counts(snapshot, what, start, end))
    over = await _counted_twice(snapshot, what, start, end)
    return {cell: count - over.get(cell, 0) for cell, count in found.items()}


async def _counted_twice(
    snapshot: Connection, what: Statistic, start: date, end: date
) -> Mapping[Cell, int]:
    """Say what is too much, since two agencies, or one, have several records of one person."""
    # Each agency is told what it leads, though another one knows the person, too.
    across = what is not Statistic.LEAD_AGENCY
    pairs = await statistics_links.pairs(snapshot, across)
    if not pairs:
        return {}
    rows = await statistics_links.files_of_pairs(snapshot, what, across, start, end)
    people: dict[UUID, set[UUID]] = {}
    for row in rows:
        people.setdefault(row.id, set()).add(row.person)
    codes = {row.id: _codes(row.counted_by) for row in rows}
    if what is Statistic.DEFENDER_CATEGORY:
        codes = await statistics_links.categories_of(snapshot, people)
    opened = {row.id: row.opened_on for row in rows}
    files = [
        Linked(i, opened[i], frozenset(some), frozenset(codes.get(i, ())))
        for i, some in people.items()
    ]
    several = what in (Statistic.DEFENDER_CATEGORY, Statistic.INCIDENT_KIND)
    return counted_twice(files, pairs, several)


def _codes(counted_by: Any) -> set[str]:
    """Give the codes of a column: the words of a list, or the one word."""
    if isinstance(counted_by, list):  # Whatever else somebody wrote into it is no code.
        return {code for code in counted_by if isinstance(code, str)}
    return {str(counted_by)}


#: Months of a year.
_WHOLE_YEAR = 12


def _over(period: Period, today: date) -> tuple[int, ...]:
    """Give the months of *period* that are over on *today*.

    Raises:
        ValueInvalid: a year that has not begun, or a month that is not over.
    """
    if not _FIRST_YEAR <= period.year <= today.year:
        raise ValueInvalid
    over = tuple(m for m in range(1, _WHOLE_YEAR + 1) if _first_after(period.year, m) <= today)
    if period.month is None:
        return over
    if period.month not in over:
        raise ValueInvalid
    return (period.month,)


def _first_after(year: int, month: int) -> date:
    """Give the first day after a month."""
    return date(year + month // _WHOLE_YEAR, month % _WHOLE_YEAR + 1, 1)


def _labels(codes: CodeLists, what: Statistic, names: Mapping[str, str]) -> dict[str, Labels]:
    """Give the rows of a table: all codes, also retired ones, since old records have them."""
    if what in _BY_AGENCY:
        return {slug: Labels(name, name) for slug, name in names.items()}
    if what in (Statistic.RESPONSE_BY_URGENCY, Statistic.URGENCY):
        return {u.value: codes.clocks[f"first_response_{u.value}"].labels for u in Urgency}
    # What never stands in clear has no row: it could only be empty.
    entries = codes.lists[_LIST[what]].items()
    return {code: entry.labels for code, entry in entries if entry.clear_as == code}


async def _append(
    house: House, caller: Caller, verdict: Verdict, what: Statistic, period: Period
) -> None:
    allowed = isinstance(verdict, Allowed)
    decision = Decision.DISCLOSED if allowed else Decision.REFUSED
    asked = ("query:statistics", f"table:{what.value}", f"period:{period.name}")
    ground = verdict.ground if isinstance(verdict, Allowed) else None
    reason = None if isinstance(verdict, Allowed) else verdict.reason
    touched = Touched(decision, ground, reason, (), asked, ())
    await house.ledger.append(
        event_of(
            house,
            caller,
            Action.READ_STATISTICS,
            decision,
            (touched,),
            agencies=(caller.organisation,),
            code=None if allowed else NotAllowed.code,
        )
    )
