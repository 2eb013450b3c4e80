"""That two records of an agency are of one person: rows as they stand, which casework proves."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, insert, or_, select, update

from api.database import Connection
from api.store.tables import RIGHTS, defender, defender_merge

Row = dict[str, Any]

#: What is read of one: the columns under the seal, then the seal.
COLUMNS = (*RIGHTS["defender_merge"], "seal")

#: Merges of one agency that are read at once, newest first.
READ = 1_000

_SELECT = select(*(defender_merge.c[name] for name in COLUMNS))
_ONE = _SELECT.where(
    defender_merge.c.id == bindparam("id"), defender_merge.c.agency == bindparam("agency")
)
_PEOPLE: BindParameter[Sequence[UUID]] = bindparam("people", expanding=True)
_OF_PEOPLE = _SELECT.where(
    defender_merge.c.agency == bindparam("agency"),
    or_(defender_merge.c.kept.in_(_PEOPLE), defender_merge.c.duplicate.in_(_PEOPLE)),
)
_NEWEST = (
    _SELECT.where(defender_merge.c.agency == bindparam("agency"))
    .order_by(defender_merge.c.requested_at.desc(), defender_merge.c.id.desc())
    .limit(READ)
)


class Locked(NamedTuple):
    """What a merge asks of a defender, whose row is locked."""

    agency: str
    revision: int


async def lock(change: Connection, people: Collection[UUID]) -> dict[UUID, Locked]:
    """Lock the rows of *people*, in one order whoever asks, and read them as they are then."""
    found = await change.execute(
        select(defender.c.id, defender.c.agency, defender.c.revision)
        .where(defender.c.id.in_(list(people)))
        .order_by(defender.c.id)
        .with_for_update()
    )
    return {row[0]: Locked(row[1], row[2]) for row in found.all()}


async def one(connection: Connection, agency: str, merge_id: UUID) -> Row | None:
    """Read one of *agency*; another one's gives no row, which takes as long as none."""
    found = await connection.execute(_ONE, {"id": merge_id, "agency": agency})
    row = found.one_or_none()
    return None if row is None else dict(zip(COLUMNS, row, strict=True))


async def of_people(connection: Connection, agency: str, people: Collection[UUID]) -> list[Row]:
    """Read every merge of *agency* in which any of *people* is, however it ended."""
    if not people:
        return []
    given = {"agency": agency, "people": sorted(people)}
    found = await connection.execute(_OF_PEOPLE, given)
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def among(connection: Connection, agency: str, ids: Collection[UUID]) -> list[Row]:
    """Read those of *agency* that *ids* name, however they ended."""
    found = await connection.execute(
        _SELECT.where(defender_merge.c.agency == agency, defender_merge.c.id.in_(list(ids)))
    )
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def newest(connection: Connection, agency: str) -> list[Row]:
    """Read the newest of *agency*, however they ended."""
    found = await connection.execute(_NEWEST, {"agency": agency})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def insert_row(change: Connection, row: Row) -> None:
    """Insert a sealed merge."""
    await change.execute(insert(defender_merge), [row])


#: What changes of one: it is approved, and undone.
_CHANGES = ("approved_by", "merged_at", "undo_until", "undone_by", "undone_at", "event", "seal")


async def renew(change: Connection, row: Row) -> None:
    """Write what changed of one: *row* is whole, with the seal that covers it."""
    values = {name: row[name] for name in _CHANGES}
    await change.execute(
        update(defender_merge).where(defender_merge.c.id == row["id"]).values(values)
    )
