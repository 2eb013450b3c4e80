"""Wraps of data keys, and the secrets of each owner: read again for every opening."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
)

from api.crypto.data_keys import WrappedKey
from api.crypto.keyring import OwnerSecret
from api.database import Connection
from api.store.tables import data_key, owner_secret
from api.vocabulary import Compartment


def _wraps(*one_of: ColumnElement[bool]) -> Select[Any]:
    return select(
        data_key.c.record,
        data_key.c.compartment,
        data_key.c.version,
        data_key.c.owner,
        data_key.c.kek_version,
        data_key.c.wrapped,
        data_key.c.commitment,
    ).where(data_key.c.owner == bindparam("owner"), *one_of)


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
