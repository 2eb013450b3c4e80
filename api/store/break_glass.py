"""Break-glass: emergency accesses with their reviews, and what of them a statement needs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, exists, insert, literal, select, update
from sqlalchemy.sql import ColumnElement

from api.database import Connection
from api.store.tables import RIGHTS, break_glass, break_glass_review, case_file, member
from api.vocabulary import Compartment

#: Grants of one member that are looked at, newest first.
READ_MOST = 1_000

Row = dict[str, Any]

_GRANT = (*RIGHTS["break_glass"], "signature", "seal")
_REVIEW = (*RIGHTS["break_glass_review"], "signature", "seal")


def live() -> ColumnElement[bool]:
    """Say in SQL that `me`, of the agency `agency`, unlocked something at the moment `now`."""
    # None is nobody: officers read case files, too, and have unlocked nothing.
    return and_(break_glass.c.member == bindparam("me", None), _lasting())


def _lasting() -> ColumnElement[bool]:
    now = bindparam("now", type_=break_glass.c.starts_at.type)
    return and_(
        break_glass.c.agency == bindparam("agency"),
        break_glass.c.starts_at <= now,
        now < break_glass.c.ends_at,
        break_glass.c.ended_at.is_(None),
    )


#: Whether there is anything of `me` to be read; asked once a statement, not once a row.
ANY = exists().where(live())


def _unlocks(compartment: Compartment) -> ColumnElement[bool]:
    among = literal(",") + break_glass.c.compartments + literal(",")
    return _among(among.contains(f",{compartment.value},", autoescape=True))


def _among(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    # IN, not EXISTS: SQLite then begins with the few grants and not with every case file.
    return case_file.c.id.in_(select(break_glass.c.case_file).where(live(), *more))


#: What the policy's facts about break-glass are in SQL; `me`, `agency`, `now` are parameters.
SCOPE: dict[str, ColumnElement[Any]] = {
    "break_glass": _among(),
    **{
        f"unlocks_{compartment.value}": _unlocks(compartment)
        for compartment in Compartment
        if compartment is not Compartment.RELEASE
    },
}

_SEALED = select(*(break_glass.c[name] for name in RIGHTS["break_glass"]), break_glass.c.seal)
# Whatever the case file: what lives is hardly ever more than one.
_OF_CALLER = _SEALED.where(live())
_OF_MEMBERS = _SEALED.where(_lasting())
_CASE_FILE = RIGHTS["break_glass"].index("case_file")


async def of_caller(
    snapshot: Connection, parameters: Mapping[str, Any]
) -> list[tuple[UUID, tuple[Any, ...]]]:
    """Read what `me` unlocked and may still open: case file, cells with the seal.

    Args:
        parameters: `me`, `agency` and `now`, among others.
    """
    given = {name: parameters[name] for name in ("me", "agency", "now")}
    found = await snapshot.execute(_OF_CALLER, given)
    return [(row[_CASE_FILE], tuple(row)) for row in found.all()]


async def of_members(
    snapshot: Connection, agency: str, now: datetime
) -> list[tuple[UUID, tuple[Any, ...]]]:
    """Read the same of all members of *agency*."""
    found = await snapshot.execute(_OF_MEMBERS, {"agency": agency, "now": now})
    return [(row[_CASE_FILE], tuple(row)) for row in found.all()]


async def of_agency(connection: Connection, break_glass_id: UUID, agency: str) -> Row | None:
    """Read one of *agency*, as of none otherwise."""
    return await _one(
        connection, break_glass.c.id == break_glass_id, break_glass.c.agency == agency
    )


async def begun(connection: Connection, break_glass_id: UUID) -> Row | None:
    """Read one that began; one that waits for a second person is not there to be reviewed."""
    return await _one(
        connection, break_glass.c.id == break_glass_id, break_glass.c.starts_at.is_not(None)
    )


async def _one(connection: Connection, *where: ColumnElement[bool]) -> Row | None:
    return next(iter(await _rows(connection, break_glass, _GRANT, where)), None)


async def uses(connection: Connection) -> list[Row]:
    """Read all that began, of all agencies, newest first: each is told until it is reviewed."""
    return await _rows(
        connection,
        break_glass,
        _GRANT,
        [break_glass.c.starts_at.is_not(None)],
        break_glass.c.starts_at.desc(),
        most=None,
    )


async def of_member(change: Connection, member_id: UUID) -> list[Row]:
    """Read all of one member, newest first; until the commit nobody adds one."""
    await change.execute(select(member.c.id).where(member.c.id == member_id).with_for_update())
    return await _rows(
        change,
        break_glass,
        _GRANT,
        [break_glass.c.member == member_id],
        break_glass.c.asked_at.desc(),
    )


async def reviews_of(connection: Connection, break_glass_ids: Collection[UUID]) -> list[Row]:
    """Read the reviews of these; nothing proves them yet."""
    where = [break_glass_review.c.break_glass.in_(list(break_glass_ids))]
    return await _rows(connection, break_glass_review, _REVIEW, where)


async def _rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    where: Sequence[ColumnElement[bool]],
    *order: ColumnElement[Any],
    most: int | None = READ_MOST,
) -> list[Row]:
    statement = select(*(table.c[name] for name in names)).where(*where).order_by(*order)
    found = await connection.execute(statement.limit(most))
    return [dict(zip(names, row, strict=True)) for row in found.all()]


async def lock(change: Connection, break_glass_id: UUID) -> None:
    """Let nobody else write about one until the commit."""
    await change.execute(
        select(break_glass.c.id).where(break_glass.c.id == break_glass_id).with_for_update()
    )


async def insert_row(change: Connection, row: Row) -> None:
    """Insert a sealed and signed grant."""
    await change.execute(insert(break_glass), [row])


async def insert_review(change: Connection, row: Row) -> None:
    """Insert a sealed and signed review."""
    await change.execute(insert(break_glass_review), [row])


#: What changes of one: a second person approves it, or it ends.
_CHANGES = ("approved_by", "starts_at", "ends_at", "ended_at", "review_by", "event")


async def renew(change: Connection, row: Row) -> None:
    """Write what changed of one, with its new seal and signature."""
    changed = {name: row[name] for name in (*_CHANGES, "signature", "seal")}
    await change.execute(update(break_glass).where(break_glass.c.id == row["id"]).values(**changed))
