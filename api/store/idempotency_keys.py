"""Changes that clients named by a key, by the digest of it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, text, update

from api.database import Connection
from api.store.columns import Instant
from api.store.tables import idempotency_key as keys

_CLAIM = text(
    "insert into idempotency_key (digest, fingerprint, claimed_at, sealed)"
    " values (:digest, :fingerprint, :claimed_at, :sealed) on conflict do nothing"
).bindparams(bindparam("claimed_at", type_=Instant))


class Row(NamedTuple):
    """One change that was claimed.

    Attributes:
        digest: of the key, for its member alone.
        fingerprint: of what was asked for with it.
        sealed: how it stands; nothing but a new claim has the same bytes.
    """

    digest: bytes
    fingerprint: bytes
    claimed_at: datetime
    sealed: bytes


async def claim(change: Connection, row: Row, over: datetime) -> bool:
    """Write *row*; False: its key is claimed already, after the moment *over*.

    Of two at once the second waits for the first.
    """
    await change.execute(delete(keys).where(keys.c.digest == row.digest, keys.c.claimed_at <= over))
    result = await change.execute(_CLAIM, row._asdict())
    return result.rowcount == 1


async def of_digest(connection: Connection, digest: bytes) -> Row | None:
    """Read the change that was claimed with a key."""
    found = await connection.execute(
        select(keys.c.digest, keys.c.fingerprint, keys.c.claimed_at, keys.c.sealed).where(
            keys.c.digest == digest
        )
    )
    row = found.first()
    return None if row is None else Row(*row)


async def end(change: Connection, row: Row, sealed: bytes) -> None:
    """Write how *row* ended, if it is still that claim."""
    await change.execute(update(keys).where(_this(row)).values(sealed=sealed))


async def release(change: Connection, row: Row) -> None:
    """Take *row* away, if it is still that claim: its key may be used anew."""
    await change.execute(delete(keys).where(_this(row)))


async def forget_until(change: Connection, moment: datetime) -> None:
    """Take away what was claimed up to *moment*."""
    await change.execute(delete(keys).where(keys.c.claimed_at <= moment))


def _this(row: Row) -> ColumnElement[bool]:
    return and_(keys.c.digest == row.digest, keys.c.sealed == row.sealed)
