"""Wraps of data keys, manifests, and the secrets of each owner: read again for every opening."""

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from api.crypto.data_keys import WrappedKey
from api.crypto.manifest import Manifest
from api.crypto.owner_secrets import OwnerSecret
from api.database import Connection
from api.store.tables import data_key, manifest, owner_secret
from api.vocabulary import Compartment


class StoredKey(NamedTuple):
    """A data key as read: its wrap, and the manifest of its record and compartment, if any."""

    wrap: WrappedKey
    manifest: Manifest | None = None


_WITH_MANIFEST = data_key.outerjoin(
    manifest,
    and_(
        manifest.c.record == data_key.c.record,
        manifest.c.compartment == data_key.c.compartment,
    ),
)


def _wraps(*one_of: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            data_key.c.record,
            data_key.c.compartment,
            data_key.c.version,
            data_key.c.owner,
            data_key.c.kek_version,
            data_key.c.wrapped,
            data_key.c.commitment,
            manifest.c.revision,
            manifest.c.data,
        )
        .select_from(_WITH_MANIFEST)
        .where(data_key.c.owner == bindparam("owner"), *one_of)
    )


# The ids travel as one parameter, so that there is one statement whatever their
# number: PostgreSQL keeps its plan, and SQLAlchemy renders nothing anew.
_POSTGRESQL = _wraps(
    data_key.c.record == any_(bindparam("records", type_=ARRAY(Uuid))),
    data_key.c.compartment == any_(bindparam("compartments", type_=ARRAY(String))),
)
_SQLITE = _wraps(
    *(
        column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))
        for column, name in (
            (data_key.c.record, "records"),
            (data_key.c.compartment, "compartments"),
        )
    )
)

#: Records that one statement names at most; SQLite takes 32,766 parameters.
_AT_ONCE = 1_000

_COMPARTMENT = {str(c.value): c for c in Compartment}


async def of_records(
    snapshot: Connection,
    owner: str,
    records: Collection[UUID],
    compartments: Collection[Compartment],
) -> list[StoredKey]:
    """Read the wraps of *records* for *owner*, of *compartments* only, and their manifests."""
    if not records or not compartments:
        return []
    wanted = [c.value for c in compartments]
    if snapshot.dialect.name == "postgresql":
        statement, given = _POSTGRESQL, {"records": list(records), "compartments": wanted}
    else:
        statement, given = (
            _SQLITE,
            {
                "records": json.dumps([record.hex for record in records]),
                "compartments": json.dumps(wanted),
            },
        )
    result = await snapshot.execute(statement, {"owner": owner, **given})
    stored = []
    for record, word, version, of, kek, wrapped, commits, revision, data in result.all():
        compartment = _COMPARTMENT[word]
        proof = None if revision is None else Manifest(record, compartment, revision, data)
        wrap = WrappedKey(record, compartment, version, of, kek, wrapped, commits)
        stored.append(StoredKey(wrap, proof))
    return stored


async def insert_wraps(change: Connection, wraps: Sequence[WrappedKey]) -> None:
    """Insert new wraps."""
    if wraps:
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
                }
                for w in wraps
            ],
        )


async def secrets_of(snapshot: Connection, owners: Collection[str]) -> list[OwnerSecret]:
    """Read the sealed secrets of *owners*."""
    result = await snapshot.execute(
        select(
            owner_secret.c.owner,
            owner_secret.c.kind,
            owner_secret.c.version,
            owner_secret.c.kek_version,
            owner_secret.c.wrapped,
        ).where(owner_secret.c.owner.in_(list(owners)))
    )
    return [OwnerSecret(*row) for row in result.all()]


async def insert_secrets(change: Connection, secrets: Sequence[OwnerSecret]) -> None:
    """Insert the sealed secrets of a new owner."""
    if secrets:
        await change.execute(
            insert(owner_secret),
            [
                {
                    "owner": s.owner,
                    "kind": s.kind,
                    "version": s.version,
                    "kek_version": s.kek_version,
                    "wrapped": s.wrapped,
                }
                for s in secrets
            ],
        )


async def insert_manifests(change: Connection, manifests: Sequence[Manifest]) -> None:
    """Insert the manifests of new records."""
    if manifests:
        await change.execute(
            insert(manifest),
            [
                {
                    "record": m.record,
                    "compartment": m.compartment.value,
                    "revision": m.revision,
                    "data": m.data,
                }
                for m in manifests
            ],
        )


async def replace_manifests(change: Connection, manifests: Sequence[Manifest]) -> None:
    """Replace the manifests of records that changed, whose rows are locked."""
    for m in manifests:
        await change.execute(
            update(manifest)
            .where(manifest.c.record == m.record, manifest.c.compartment == m.compartment.value)
            .values(revision=m.revision, data=m.data)
        )


async def delete_wraps(
    change: Connection, record: UUID, compartment: Compartment, owner: str
) -> None:
    """Delete the wraps that *owner* has of one record and compartment."""
    await change.execute(
        delete(data_key).where(
            data_key.c.record == record,
            data_key.c.compartment == compartment.value,
            data_key.c.owner == owner,
        )
    )


async def delete_of_others(change: Connection, owner: str, records: Collection[UUID]) -> None:
    """Delete the wraps of *records* that anybody but *owner* has."""
    await change.execute(
        delete(data_key).where(data_key.c.record.in_(list(records)), data_key.c.owner != owner)
    )


async def revisions(
    snapshot: Connection, record: UUID | None = None
) -> dict[tuple[UUID, Compartment], int]:
    """Read the revision of every manifest, or of those of one *record*: they stand in clear."""
    query = select(manifest.c.record, manifest.c.compartment, manifest.c.revision)
    if record is not None:
        query = query.where(manifest.c.record == record)
    result = await snapshot.execute(query)
    return {
        (record, _COMPARTMENT[compartment]): revision
        for record, compartment, revision in result.all()
        if compartment in _COMPARTMENT
    }


async def newest_versions(
    snapshot: Connection, records: Collection[UUID]
) -> dict[tuple[UUID, str, str], int]:
    """Read the newest version that each owner has a wrap of: record, compartment, owner."""
    found: dict[tuple[UUID, str, str], int] = {}
    wanted = sorted(records)
    for start in range(0, len(wanted), _AT_ONCE):
        result = await snapshot.execute(
            select(
                data_key.c.record,
                data_key.c.compartment,
                data_key.c.owner,
                func.max(data_key.c.version),
            )
            .where(data_key.c.record.in_(wanted[start : start + _AT_ONCE]))
            .group_by(data_key.c.record, data_key.c.compartment, data_key.c.owner)
        )
        found |= {
            (record, compartment, owner): version
            for record, compartment, owner, version in result.all()
        }
    return found
