"""Looks of two persons at whereabouts: rows as they stand, which casework proves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, look

Row = dict[str, Any]

#: What is read of one: the columns under the seal, then the seal.
COLUMNS = (*RIGHTS["look"], "seal")

#: Looks of one case file that are read at once, oldest first: they wait for minutes only.
WAITING_READ = 100

_SELECT = select(*(look.c[name] for name in COLUMNS))
_OF_AGENCY = _SELECT.where(look.c.id == bindparam("id"), look.c.agency == bindparam("agency"))
_WAITING = (
    _SELECT.where(
        look.c.case_file == bindparam("case_file"),
        look.c.agency == bindparam("agency"),
        look.c.requested_by != bindparam("me"),
        look.c.approved_by.is_(None),
        look.c.expires_at > bindparam("now", type_=look.c.expires_at.type),
    )
    .order_by(look.c.requested_at, look.c.id)
    .limit(WAITING_READ)
)


async def of_agency(connection: Connection, look_id: UUID, agency: str) -> Row | None:
    """Read one of *agency*, as of none otherwise."""
    found = await connection.execute(_OF_AGENCY, {"id": look_id, "agency": agency})
    row = found.one_or_none()
    return None if row is None else dict(zip(COLUMNS, row, strict=True))


async def waiting(
    snapshot: Connection, case_file: UUID, agency: str, me: UUID, now: datetime
) -> list[Row]:
    """Read what colleagues of *me* in *agency* asked for and nobody approved yet."""
    given = {"case_file": case_file, "agency": agency, "me": me, "now": now}
    found = await snapshot.execute(_WAITING, given)
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def standing(connection: Connection, case_file: UUID, member: UUID, now: datetime) -> int:
    """Count what *member* asked for at the case file and is neither used nor over."""
    asked = (
        select(func.count())
        .select_from(look)
        .where(
            look.c.case_file == case_file,
            look.c.requested_by == member,
            look.c.used_at.is_(None),
            look.c.expires_at > now,
        )
    )
    return int((await connection.execute(asked)).scalar_one())


async def lock(change: Connection, look_id: UUID) -> None:
    """Let nobody else write about one until the commit."""
    await change.execute(select(look.c.id).where(look.c.id == look_id).with_for_update())


async def insert_row(change: Connection, row: Row) -> None:
    """Insert a sealed look."""
    await change.execute(insert(look), [row])


#: What changes of one: a colleague approves it, or it is used.
_CHANGES = ("approved_by", "approved_for", "approved_at", "used_at", "expires_at", "event", "seal")


async def renew(change: Connection, row: Row) -> None:
    """Write what changed of one, with its new seal."""
    changed = {name: row[name] for name in _CHANGES}
    await change.execute(update(look).where(look.c.id == row["id"]).values(**changed))
