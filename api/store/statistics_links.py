"""Who is the same person in two records, and in which case files they stand, for counting once.

Rows as they stand: a process holds the keys of its own agencies only, and a number must be the
same whoever asks. What nobody sealed can so change a count, as any column in clear can.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, select, union

from api.database import Connection
from api.store.tables import (
    case_file,
    case_file_defender,
    defender,
    defender_merge,
    linked_record,
)
from api.vocabulary import Statistic

_theirs = linked_record.alias("theirs")

#: Both sides of what one agency confirmed to another.
_LINKS = select(
    linked_record.c.defender.label("one"), _theirs.c.defender.label("other")
).select_from(
    linked_record.join(
        _theirs,
        and_(
            _theirs.c.request == linked_record.c.request,
            _theirs.c.agency == linked_record.c.peer,
            _theirs.c.agency > linked_record.c.agency,
        ),
    )
)

#: What stands of the merges within an agency.
_MERGES = select(
    defender_merge.c.kept.label("one"), defender_merge.c.duplicate.label("other")
).where(defender_merge.c.merged_at.is_not(None), defender_merge.c.undone_at.is_(None))


class FileOfPair(NamedTuple):
    """A case file in which one of a pair stands, with what it is counted by."""

    id: UUID
    opened_on: date
    person: UUID
    counted_by: Any


async def pairs(snapshot: Connection, across_agencies: bool) -> list[tuple[UUID, UUID]]:
    """Read who is one person: within each agency and, if asked, across agencies."""
    found = await snapshot.execute(_pairs(across_agencies))
    return [(row[0], row[1]) for row in found.all()]


def _pairs(across_agencies: bool) -> Any:
    return union(_LINKS, _MERGES) if across_agencies else _MERGES


#: What stands for what a case file is counted by, where that is not one of its own columns.
_COUNTED_BY: Mapping[Statistic, Any] = {
    Statistic.DEFENDER_CATEGORY: case_file.c.id,
    Statistic.INCIDENT_KIND: case_file.c.incident_kinds,
    Statistic.LEAD_AGENCY: case_file.c.lead_agency,
    Statistic.PROVINCE: case_file.c.province,
    Statistic.URGENCY: case_file.c.urgency,
}


async def files_of_pairs(
    snapshot: Connection, what: Statistic, across_agencies: bool, start: date, end: date
) -> list[FileOfPair]:
    """Read the case files of all who are in a pair, opened from *start* until before *end*."""
    both = _pairs(across_agencies).subquery()
    people = union(select(both.c.one), select(both.c.other))
    link = case_file_defender
    found = await snapshot.execute(
        select(case_file.c.id, case_file.c.opened_on, link.c.defender, _COUNTED_BY[what])
        .select_from(link.join(case_file, case_file.c.id == link.c.case_file))
        .where(
            link.c.defender.in_(people),
            case_file.c.opened_on >= start,
            case_file.c.opened_on < end,
            case_file.c.erased_at.is_(None),
        )
    )
    return [FileOfPair(*row) for row in found.all()]


async def categories_of(snapshot: Connection, case_files: Collection[UUID]) -> dict[UUID, set[str]]:
    """Read the categories of all defenders of *case_files* who are not erased, by case file."""
    link = case_file_defender
    found: dict[UUID, set[str]] = {}
    for some in _batches(sorted(case_files)):
        rows = await snapshot.execute(_categories().where(link.c.case_file.in_(some)))
        for file, categories in rows.all():
            words = categories if isinstance(categories, list) else ()
            found.setdefault(file, set()).update(w for w in words if isinstance(w, str))
    return found


def _categories() -> Select[Any]:
    link = case_file_defender
    return (
        select(link.c.case_file, defender.c.categories)
        .select_from(link.join(defender, defender.c.id == link.c.defender))
        .where(defender.c.erased_at.is_(None))
    )


#: Case files that one statement names at most; SQLite takes 32,766 parameters.
_AT_ONCE = 1_000


def _batches(records: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [records[i : i + _AT_ONCE] for i in range(0, len(records), _AT_ONCE)]
