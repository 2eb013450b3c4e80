"""Which versions the running processes make new wraps and tags under, and the lowest left."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update

from api.database import Connection
from api.store.tables import key_floor, key_use


class KeyUse(NamedTuple):
    """One process and one key.

    Attributes:
        version: the newest one that the process knew when it was last seen.
        since: when it took that version over.
    """

    process: UUID
    owner: str
    kind: str
    version: int
    since: datetime
    seen_at: datetime


async def tell(change: Connection, process: UUID, uses: Sequence[KeyUse]) -> None:
    """Write what *process* uses now; `since` stays where the version is the same."""
    result = await change.execute(
        select(key_use.c.owner, key_use.c.kind, key_use.c.version).where(
            key_use.c.process == process
        )
    )
    known = {(owner, kind): version for owner, kind, version in result.all()}
    new = [use._asdict() for use in uses if (use.owner, use.kind) not in known]
    if new:
        await change.execute(insert(key_use), new)
    for use in uses:
        if known.get((use.owner, use.kind), use.version) != use.version:
            await change.execute(
                update(key_use)
                .where(
                    key_use.c.process == process,
                    key_use.c.owner == use.owner,
                    key_use.c.kind == use.kind,
                )
                .values(version=use.version, since=use.since)
            )
    if known:
        seen_at = max(use.seen_at for use in uses)
        await change.execute(
            update(key_use).where(key_use.c.process == process).values(seen_at=seen_at)
        )


async def forget(change: Connection, process: UUID) -> None:
    """Take away what *process* said, when it ends."""
    await change.execute(delete(key_use).where(key_use.c.process == process))


async def forget_until(change: Connection, moment: datetime) -> None:
    """Take away what was last said up to *moment*, by processes that were killed."""
    await change.execute(delete(key_use).where(key_use.c.seen_at <= moment))


async def of_key(connection: Connection, owner: str, kind: str) -> list[KeyUse]:
    """Read what every process says of one key."""
    result = await connection.execute(
        select(
            key_use.c.process,
            key_use.c.owner,
            key_use.c.kind,
            key_use.c.version,
            key_use.c.since,
            key_use.c.seen_at,
        ).where(key_use.c.owner == owner, key_use.c.kind == kind)
    )
    return [KeyUse(*row) for row in result.all()]


#: Kind of key -> the table into which rows under it come while the service runs. The
#: secrets of an owner come only with the owner.
_GROWING = {"kek": "data_key", "idx": "defender_tag"}


async def hold_off_writers(change: Connection, kind: str) -> None:
    """Wait for every change of the rows under a *kind* of key, and let none begin meanwhile.

    So that a count afterwards misses no row; SQLite has one writer anyway.
    """
    if change.dialect.name == "postgresql":
        await change.execute(text(f"lock table {_GROWING[kind]} in share row exclusive mode"))


async def raise_floor(change: Connection, owner: str, kind: str, version: int) -> None:
    """Say that *version* is the lowest that exists; triggers refuse rows under a lower one."""
    mine = (key_floor.c.owner == owner, key_floor.c.kind == kind)
    found = (await change.execute(select(key_floor.c.version).where(*mine))).scalar_one_or_none()
    if found is None:
        await change.execute(
            insert(key_floor), [{"owner": owner, "kind": kind, "version": version}]
        )
    elif found < version:
        await change.execute(update(key_floor).where(*mine).values(version=version))
