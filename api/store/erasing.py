"""What goes when a record is erased: one list for each kind of record, table by table.

A new table that holds keys, tags or sealed values of a record gets its parts here;
the preview, the erasure, its repetition and the check after a restored backup all walk
these lists and know no table of their own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    or_,
    select,
    true,
    update,
)

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.columns import SealedColumn
from api.store.tables import (
    adversary,
    adversary_tag,
    assessment,
    attachment,
    attachment_chunk,
    case_file,
    data_key,
    defender,
    defender_merge,
    defender_tag,
    emergency_protection,
    incident,
    key_share,
    lead_share,
    linked_record,
    manifest,
    match_request,
    measure,
    note,
    plan_step,
    reason,
    triage,
)
from api.vocabulary import RecordKind

#: The ids of the records that are erased, as a parameter of every part.
RECORDS = bindparam("records", type_=Uuid(), expanding=True)

#: What a sealed column holds afterwards. No seal is that short, so nothing opens it.
NOTHING = Sealed(b"")

#: Records that one statement names at most; SQLite takes 32,766 parameters.
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Part:
    """Rows of one table that belong to records, and what becomes of them.

    Attributes:
        record: to which record a row belongs, as an expression over the table.
        gone: the rows are deleted. Otherwise they stay, their sealed columns empty.
        clear: columns in clear that are emptied besides, with their empty value.
        through: which rows, over RECORDS, where *record* is not a column with an index.
    """

    table: Table
    record: ColumnElement[UUID]
    gone: bool
    clear: dict[str, Any] = field(default_factory=dict)
    through: ColumnElement[bool] | None = None

    @property
    def of(self) -> ColumnElement[bool]:
        """Which rows, over RECORDS."""
        return self.record.in_(RECORDS) if self.through is None else self.through

    @property
    def sealed(self) -> list[str]:
        """The sealed columns of the table."""
        return [c.name for c in self.table.c if isinstance(c.type, SealedColumn)]

    @property
    def left(self) -> ColumnElement[bool]:
        """Which of the rows still hold something."""
        if self.gone:
            return true()
        return or_(*(func.length(self.table.c[name]) > 0 for name in self.sealed))


#: The attachments of case files; each has a data key of its own.
_ATTACHMENTS = select(attachment.c.id).where(attachment.c.case_file.in_(RECORDS))


def _file_of(attachment_id: ColumnElement[UUID]) -> ColumnElement[UUID]:
    return select(attachment.c.case_file).where(attachment.c.id == attachment_id).scalar_subquery()


def _own_keys(table: Table) -> Part:
    """Give the data keys of the rows of *table*, which belong to case files, too."""
    file = select(table.c.case_file).where(table.c.id == data_key.c.record).scalar_subquery()
    rows = select(table.c.id).where(table.c.case_file.in_(RECORDS))
    return Part(data_key, file, gone=True, through=data_key.c.record.in_(rows))


def _why_merged(side: Column[UUID]) -> Part:
    """Give why a record was merged that is on this *side*; before the merge itself goes."""
    person = select(side).where(defender_merge.c.id == reason.c.record).scalar_subquery()
    merges = select(defender_merge.c.id).where(side.in_(RECORDS))
    return Part(reason, person, gone=True, through=reason.c.record.in_(merges))


#: Kind of record -> its parts, in the order in which they go.
PARTS: dict[RecordKind, tuple[Part, ...]] = {
    RecordKind.CASE_FILE: (
        # Of every owner: those with whom it was shared have wraps too.
        Part(data_key, data_key.c.record, gone=True),
        Part(key_share, key_share.c.record, gone=True),
        Part(manifest, manifest.c.record, gone=True),
        Part(
            data_key,
            _file_of(data_key.c.record),
            gone=True,
            through=data_key.c.record.in_(_ATTACHMENTS),
        ),
        Part(
            lead_share,
            _file_of(lead_share.c.record),
            gone=True,
            through=lead_share.c.record.in_(_ATTACHMENTS),
        ),
        Part(
            attachment_chunk,
            _file_of(attachment_chunk.c.attachment),
            gone=True,
            through=attachment_chunk.c.attachment.in_(_ATTACHMENTS),
        ),
        _own_keys(emergency_protection),
        _own_keys(measure),
        Part(attachment, attachment.c.case_file, gone=True),
        Part(adversary_tag, adversary_tag.c.case_file, gone=True),
        # What was done when, and by which agency, stays; what it was and where does not.
        Part(emergency_protection, emergency_protection.c.case_file, gone=False),
        Part(measure, measure.c.case_file, gone=False),
        Part(plan_step, plan_step.c.case_file, gone=False),
        Part(match_request, match_request.c.case_file, gone=True),
        Part(note, note.c.case_file, gone=False),
        Part(reason, reason.c.case_file, gone=True),
        Part(incident, incident.c.case_file, gone=True),
        Part(adversary, adversary.c.case_file, gone=True),
        Part(assessment, assessment.c.case_file, gone=True),
        Part(triage, triage.c.case_file, gone=True),
        Part(case_file, case_file.c.id, gone=False),
    ),
    RecordKind.DEFENDER: (
        Part(data_key, data_key.c.record, gone=True),
        Part(key_share, key_share.c.record, gone=True),
        Part(manifest, manifest.c.record, gone=True),
        Part(defender_tag, defender_tag.c.defender, gone=True),
        Part(match_request, match_request.c.defender, gone=True),
        Part(linked_record, linked_record.c.defender, gone=True),
        _why_merged(defender_merge.c.kept),
        _why_merged(defender_merge.c.duplicate),
        # Of whichever of both is erased: the other one stands alone then.
        Part(defender_merge, defender_merge.c.kept, gone=True),
        Part(defender_merge, defender_merge.c.duplicate, gone=True),
        # Given for a change of the defender, under the key of a case file that stays.
        Part(reason, reason.c.record, gone=True),
        Part(defender, defender.c.id, gone=False, clear={"categories": []}),
    ),
}

#: Kind of record -> the table of the record itself, which carries the mark `erased_at`.
ITSELF = {RecordKind.CASE_FILE: case_file, RecordKind.DEFENDER: defender}

#: Every table from which an erasure takes something; what PostgreSQL must rewrite.
TABLES = tuple(sorted({part.table.name for parts in PARTS.values() for part in parts}))


class Counted(NamedTuple):
    """So many rows of a table."""

    table: str
    rows: int


async def lock(change: Connection, kind: RecordKind, record: UUID) -> None:
    """Take the lock under which what is sealed of one record, or its keys, change."""
    table = ITSELF[kind]
    await change.execute(select(table.c.id).where(table.c.id == record).with_for_update())


async def agency_of(snapshot: Connection, kind: RecordKind, record: UUID) -> str | None:
    """Give the agency whose record it is; None: it is not there."""
    table = ITSELF[kind]
    column = table.c.agency if kind is RecordKind.DEFENDER else table.c.lead_agency
    agency: str | None = await snapshot.scalar(select(column).where(table.c.id == record))
    return agency


async def count(snapshot: Connection, kind: RecordKind, record: UUID) -> list[Counted]:
    """Count what an erasure of *record* would take, table by table."""
    found = dict.fromkeys((part.table.name for part in PARTS[kind]), 0)
    for part in PARTS[kind]:
        rows = await snapshot.scalar(
            select(func.count()).select_from(part.table).where(part.of, part.left),
            {"records": [record]},
        )
        found[part.table.name] += rows or 0
    return [Counted(*one) for one in found.items()]


async def wraps_by_owner(snapshot: Connection, kind: RecordKind, record: UUID) -> list[Counted]:
    """Count the wraps that would go, by the organisation that holds them."""
    parts = [part.of for part in PARTS[kind] if part.table is data_key]
    rows = await snapshot.execute(
        select(data_key.c.owner, func.count())
        .where(or_(*parts))
        .group_by(data_key.c.owner)
        .order_by(data_key.c.owner),
        {"records": [record]},
    )
    return [Counted(*row) for row in rows]


async def take(change: Connection, kind: RecordKind, record: UUID, at: datetime) -> None:
    """Take everything away that *record* has, and mark it as erased; its row is locked.

    Who does it twice does it once: the mark keeps its first moment.
    """
    given = {"records": [record]}
    for part in PARTS[kind]:
        if part.gone:
            await change.execute(delete(part.table).where(part.of), given)
        else:
            values = {**dict.fromkeys(part.sealed, NOTHING), **part.clear}
            await change.execute(update(part.table).where(part.of).values(values), given)
    table = ITSELF[kind]
    await change.execute(
        update(table)
        .where(table.c.id == record, table.c.erased_at.is_(None))
        .values(erased_at=at, revision=table.c.revision + 1)
    )


async def left_of(
    snapshot: Connection, kind: RecordKind, records: Collection[UUID]
) -> dict[UUID, set[str]]:
    """Say which of *records* still have what an erasure takes, and in which tables.

    A record without its mark counts as one that has something in its own table; one that
    is not there at all has nothing.
    """
    itself = ITSELF[kind]
    wanted = [(part.table.name, part.record, part.of, part.left) for part in PARTS[kind]]
    unmarked = itself.c.erased_at.is_(None)
    wanted.append((itself.name, itself.c.id, itself.c.id.in_(RECORDS), unmarked))
    found: dict[UUID, set[str]] = {}
    for some in _batches(list(records)):
        for name, record, of, left in wanted:
            rows = await snapshot.scalars(
                select(record).where(of, left).distinct(), {"records": some}
            )
            for one in rows:
                found.setdefault(one, set()).add(name)
    return found


async def marked(
    snapshot: Connection, kind: RecordKind, records: Collection[UUID] | None = None
) -> set[UUID]:
    """Give the records that are marked as erased, of *records* if any are given."""
    table = ITSELF[kind]
    query = select(table.c.id).where(table.c.erased_at.is_not(None))
    if records is not None:
        query = query.where(table.c.id.in_(list(records)))
    return set(await snapshot.scalars(query))


def _batches(records: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [records[i : i + _AT_ONCE] for i in range(0, len(records), _AT_ONCE)]
