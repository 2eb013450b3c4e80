"""Wraps of data keys, and the secrets of each owner: read again for every opening."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select

from api.crypto.data_keys import WrappedKey
from api.crypto.keyring import OwnerSecret
from api.database import Connection
from api.store.tables import data_key, owner_secret
from api.vocabulary import Compartment

_WRAPS: Select[Any] = select(
    data_key.c.record,
    data_key.c.compartment,
    data_key.c.version,
    data_key.c.owner,
    data_key.c.kek_version,
    data_key.c.wrapped,
    data_key.c.commitment,
).where(
    data_key.c.owner == bindparam("owner"),
    data_key.c.record.in_(bindparam("records", expanding=True)),
    data_key.c.compartment.in_(bindparam("compartments", expanding=True)),
)

_COMPARTMENT = {str(c.value): c for c in Compartment}


async def of_records(
    snapshot: Connection,
    owner: str,
    records: Collection[UUID],
    compartments: Collection[Compartment],
) -> list[WrappedKey]:
    """Read the wraps of *records* for *owner*, of *compartments* only."""
    if not records or not compartments:
        return []
    result = await snapshot.execute(
        _WRAPS,
        {
            "owner": owner,
            "records": list(records),
            "compartments": [c.value for c in compartments],
        },
    )
    return [
        WrappedKey(record, _COMPARTMENT[compartment], version, wrap_owner, kek, wrapped, commitment)
        for record, compartment, version, wrap_owner, kek, wrapped, commitment in result.all()
    ]


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
