"""The rows that an exchange of keys reads and writes, each record locked meanwhile."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, distinct, exists, func, insert, select, update

from api.crypto.data_keys import WrappedKey
from api.crypto.manifest import Manifest
from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.sealed_records import Part, SealedRecord
from api.store.tables import data_key, defender_tag, manifest
from api.vocabulary import Compartment

#: Row id -> column -> value.
Rows = dict[UUID, dict[str, Sealed]]


class PartRow(NamedTuple):
    """One row that is sealed under the keys of *record*."""

    id: UUID
    record: UUID
    values: dict[str, Sealed]


class StoredWrap(NamedTuple):
    """A wrap, and the rotation that made its key."""

    wrap: WrappedKey
    rotation: int


def _due(of: SealedRecord) -> Any:
    return (
        of.owner == bindparam("owner"),
        exists().where(
            data_key.c.record == of.table.c.id,
            data_key.c.owner == bindparam("owner"),
            # Not "less": who writes a large number gains nothing by it.
            data_key.c.rotation != bindparam("number"),
        ),
    )


async def count_due(look: Connection, of: SealedRecord, owner: str, number: int) -> int:
    """Count the records of *owner* with a data key that rotation *number* did not make."""
    result = await look.execute(
        select(func.count()).select_from(of.table).where(*_due(of)),
        {"owner": owner, "number": number},
    )
    return int(result.scalar_one())


async def due(
    look: Connection, of: SealedRecord, owner: str, number: int, after: UUID | None, most: int
) -> list[UUID]:
    """Read the next records of *owner* with a data key that rotation *number* did not make."""
    statement = select(of.table.c.id).where(*_due(of)).order_by(of.table.c.id).limit(most)
    if after is not None:
        statement = statement.where(of.table.c.id > after)
    result = await look.execute(statement, {"owner": owner, "number": number})
    return list(result.scalars())


async def lock(change: Connection, of: SealedRecord, owner: str, records: Collection[UUID]) -> Rows:
    """Lock the records of *owner* among *records*, in the order of their ids, and read them.

    The lock lets rows be inserted that only name the record.
    """
    columns = [of.table.c[field.column] for field in of.fields]
    result = await change.execute(
        select(of.table.c.id, *columns)
        .where(of.table.c.id.in_(list(records)), of.owner == owner)
        .order_by(of.table.c.id)
        .with_for_update(key_share=True, of=of.table)
    )
    names = [field.column for field in of.fields]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in result.all()}


async def parts(change: Connection, part: Part, records: Collection[UUID]) -> list[PartRow]:
    """Read the rows that belong to locked *records*."""
    names = [field.column for field in part.fields]
    result = await change.execute(
        select(part.table.c.id, part.record, *(part.table.c[name] for name in names)).where(
            part.record.in_(list(records))
        )
    )
    return [PartRow(row[0], row[1], dict(zip(names, row[2:], strict=True))) for row in result.all()]


async def wraps(change: Connection, records: Collection[UUID]) -> list[StoredWrap]:
    """Read the wraps of locked *records*, whoever they are for."""
    result = await change.execute(
        select(
            data_key.c.record,
            data_key.c.compartment,
            data_key.c.version,
            data_key.c.owner,
            data_key.c.kek_version,
            data_key.c.wrapped,
            data_key.c.commitment,
            data_key.c.rotation,
        ).where(
            data_key.c.record.in_(list(records)),
            data_key.c.compartment.in_([c.value for c in Compartment]),
        )
    )
    return [
        StoredWrap(WrappedKey(record, Compartment(word), *cells), rotation)
        for record, word, *cells, rotation in result.all()
    ]


async def manifests(
    change: Connection, records: Collection[UUID]
) -> dict[tuple[UUID, Compartment], Manifest]:
    """Read the manifests of locked *records*, by record and compartment."""
    result = await change.execute(
        select(
            manifest.c.record, manifest.c.compartment, manifest.c.revision, manifest.c.data
        ).where(
            manifest.c.record.in_(list(records)),
            manifest.c.compartment.in_([c.value for c in Compartment]),
        )
    )
    return {
        (record, Compartment(word)): Manifest(record, Compartment(word), *cells)
        for record, word, *cells in result.all()
    }


async def replace_rows(
    change: Connection, table: Any, rows: Mapping[UUID, Mapping[str, Sealed]]
) -> None:
    """Write sealed columns of locked rows; their revision stays."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row, values in rows.items():
        given = {f"b_{column}": value for column, value in values.items()}
        by_columns.setdefault(tuple(sorted(values)), []).append({"b_id": row, **given})
    for columns, given_rows in by_columns.items():
        if columns:
            await change.execute(
                update(table)
                .where(table.c.id == bindparam("b_id"))
                .values({c: bindparam(f"b_{c}", type_=table.c[c].type) for c in columns}),
                given_rows,
            )


async def replace_wraps(
    change: Connection, old: Sequence[WrappedKey], new: Sequence[WrappedKey], rotation: int
) -> None:
    """Put *new* wraps, made by *rotation*, into the place of all *old* ones."""
    await change.execute(
        delete(data_key).where(
            data_key.c.record == bindparam("b_record"),
            data_key.c.compartment == bindparam("b_compartment"),
            data_key.c.version == bindparam("b_version"),
            data_key.c.owner == bindparam("b_owner"),
        ),
        [
            {
                "b_record": w.record,
                "b_compartment": w.compartment.value,
                "b_version": w.version,
                "b_owner": w.owner,
            }
            for w in old
        ],
    )
    await change.execute(
        insert(data_key),
        [
            {
                "record": w.record,
                "compartment": w.compartment.value,
                "version": w.version,
                "owner": w.owner,
                "kek_version": w.kek_version,
                "wrapped": w.wrapped,
                "commitment": w.commitment,
                "rotation": rotation,
            }
            for w in new
        ],
    )


async def replace_manifests(change: Connection, new: Sequence[Manifest]) -> None:
    """Replace the manifests of locked records, all at once."""
    if new:
        await change.execute(
            update(manifest)
            .where(
                manifest.c.record == bindparam("b_record"),
                manifest.c.compartment == bindparam("b_compartment"),
            )
            .values(revision=bindparam("b_revision"), data=bindparam("b_data")),
            [
                {
                    "b_record": m.record,
                    "b_compartment": m.compartment.value,
                    "b_revision": m.revision,
                    "b_data": m.data,
                }
                for m in new
            ],
        )


async def count_tagged_below(look: Connection, owner: str, newest: int) -> int:
    """Count the defenders that are found by tags under an index key older than *newest*."""
    result = await look.execute(
        select(func.count(distinct(defender_tag.c.defender))).where(
            defender_tag.c.agency == owner, defender_tag.c.index_version < newest
        )
    )
    return int(result.scalar_one())


async def tagged_below(
    look: Connection, owner: str, newest: int, after: UUID | None, most: int
) -> list[UUID]:
    """Read the next defenders that have tags under an index key older than *newest*."""
    statement = (
        select(defender_tag.c.defender)
        .where(defender_tag.c.agency == owner, defender_tag.c.index_version < newest)
        .distinct()
        .order_by(defender_tag.c.defender)
        .limit(most)
    )
    if after is not None:
        statement = statement.where(defender_tag.c.defender > after)
    return list((await look.execute(statement)).scalars())


async def replace_tags(
    change: Connection, owner: str, records: Collection[UUID], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Put *rows* into the place of all tags of locked *records*."""
    await change.execute(
        delete(defender_tag).where(
            defender_tag.c.agency == owner, defender_tag.c.defender.in_(list(records))
        )
    )
    if rows:
        await change.execute(insert(defender_tag), list(rows))
