"""What is good once and was used, by its digest: DPoP proofs, sign-ins and sessions of browsers."""

from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, select, text

from api.database import Connection
from api.store.columns import Instant
from api.store.tables import used_proof

_USE = text(
    "insert into used_proof (digest, used_at) values (:digest, :used_at) on conflict do nothing"
).bindparams(bindparam("used_at", type_=Instant))


async def use(change: Connection, digest: bytes, used_at: datetime) -> bool:
    """Write down that it was used; False: it was before.

    Of two at once the second waits for the first.
    """
    result = await change.execute(_USE, {"digest": digest, "used_at": used_at})
    return result.rowcount == 1


async def forget_until(change: Connection, moment: datetime) -> None:
    """Take away what was used up to *moment*."""
    await change.execute(delete(used_proof).where(used_proof.c.used_at <= moment))


async def was_used(connection: Connection, digest: bytes) -> bool:
    """Tell whether it is written down."""
    found = await connection.execute(select(used_proof.c.digest).where(_is(digest)))
    return found.first() is not None


def _is(digest: bytes) -> ColumnElement[bool]:
    return used_proof.c.digest == digest
