"""Defenders: sealed rows, and the keyed tags by which an exact search finds them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import defender, defender_tag


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed defenders (column -> value)."""
    if rows:
        await change.execute(insert(defender), list(rows))


async def insert_tags(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert tags: `agency`, `field`, `tag` (16 bytes), `defender`, `index_version`."""
    if rows:
        await change.execute(insert(defender_tag), list(rows))


async def lock(change: Connection, defender_id: UUID) -> None:
    """Take the lock under which what is sealed of one defender, or its keys, change."""
    await change.execute(
        select(defender.c.id).where(defender.c.id == defender_id).with_for_update()
    )


async def replace(
    change: Connection,
    defender_id: UUID,
    revision: int,
    values: Mapping[str, Sealed | Sequence[str]],
) -> bool:
    """Write *values* if the revision still is *revision*; tell whether it was."""
    result = await change.execute(
        update(defender)
        .where(defender.c.id == defender_id, defender.c.revision == revision)
        .values(**values, revision=defender.c.revision + 1)
    )
    return bool(result.rowcount == 1)


async def delete_tags(change: Connection, defender_id: UUID, fields: Collection[str]) -> None:
    """Delete the tags of *fields*, before those of the new values are inserted."""
    if fields:
        await change.execute(
            delete(defender_tag).where(
                defender_tag.c.defender == defender_id, defender_tag.c.field.in_(list(fields))
            )
        )
