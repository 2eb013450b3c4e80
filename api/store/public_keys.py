"""Public keys of organisations: as each publishes its own, and as others have pinned them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from api.database import Connection
from api.store.tables import RIGHTS, public_key, trusted_key


async def published(connection: Connection, owner: str) -> dict[str, bytes]:
    """Read the newest public keys that *owner* publishes: kind -> key. Nothing proves them."""
    found = await connection.execute(
        select(public_key.c.kind, public_key.c.key)
        .where(public_key.c.owner == owner)
        .order_by(public_key.c.version)
    )
    return {kind: bytes.fromhex(key) for kind, key in found.all()}


async def publish(change: Connection, owner: str, keys: Mapping[str, bytes]) -> None:
    """Publish the first public keys of *owner*: kind -> key."""
    if keys:
        await change.execute(
            insert(public_key),
            [
                {"owner": owner, "kind": kind, "version": 1, "key": key.hex()}
                for kind, key in keys.items()
            ],
        )


async def pinned(connection: Connection, owner: str, peer: str) -> list[dict[str, Any]]:
    """Read what *owner* has pinned of *peer*: columns by name, with the seal."""
    names = (*RIGHTS["trusted_key"], "seal")
    found = await connection.execute(
        select(*(trusted_key.c[name] for name in names)).where(
            trusted_key.c.owner == owner, trusted_key.c.peer == peer
        )
    )
    return [dict(zip(names, row, strict=True)) for row in found.all()]


async def pin(change: Connection, owner: str, peer: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Pin the keys of *peer* in place of those that *owner* had pinned before."""
    await change.execute(
        delete(trusted_key).where(trusted_key.c.owner == owner, trusted_key.c.peer == peer)
    )
    await change.execute(insert(trusted_key), [dict(row) for row in rows])
