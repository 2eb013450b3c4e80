"""Alerts: that a deadline comes soon or has passed, once for each, and whether it was delivered."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, text, update

from api.database import Connection
from api.store import locks, referral_rights
from api.store.tables import alert, case_file
from api.vocabulary import AlertKind


class Alert(NamedTuple):
    """One alert, as read."""

    id: UUID
    number: int
    agency: str
    case_file: UUID
    record: UUID
    member: UUID | None
    clock: str
    kind: str
    due_at: datetime
    made_at: datetime


class Waiting(NamedTuple):
    """One alert that its agency's webhook did not take yet."""

    id: UUID
    case_file: UUID
    record: UUID
    clock: str
    kind: str
    due_at: datetime
    made_at: datetime
    attempts: int


_COLUMNS = [alert.c[name] for name in Alert._fields]
_WAITING = [alert.c[name] for name in Waiting._fields]

#: Its case file is the asker's, and of no matter to who is told.
_OF_A_MATCH = alert.c.kind == AlertKind.MATCH.value

_INSERT = text(
    "insert into alert (id, number, agency, case_file, record, member, clock, kind,"
    " counted_from, due_at, made_at, attempts, next_at) values (:id, :number, :agency,"
    " :case_file, :record, :member, :clock, :kind, :counted_from, :due_at, :made_at, 0, :next_at)"
    " on conflict do nothing"
).bindparams(
    *(
        bindparam(name, type_=alert.c[name].type)
        for name in ("id", "case_file", "record", "member", "counted_from", "due_at", "made_at")
    ),
    bindparam("next_at", type_=alert.c.next_at.type),
)


async def add(change: Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insert *rows*, all but `number`; give those that nobody had made before.

    Of two processes at once the second waits for the first.
    """
    await locks.alone(change, locks.ALERTS)
    number = (await change.scalar(select(func.max(alert.c.number)))) or 0
    made = []
    for row in rows:
        number += 1
        result = await change.execute(_INSERT, {**row, "number": number})
        if result.rowcount == 1:
            made.append(row)
    return made


async def newest_of(connection: Connection, agencies: Collection[str]) -> dict[str, int]:
    """Give the number of the newest alert of each of *agencies*; 0: it has none."""
    newest = (
        select(alert.c.number)
        .where(alert.c.agency == bindparam("agency"))
        .order_by(alert.c.number.desc())
        .limit(1)
    )
    return {
        agency: await connection.scalar(newest, {"agency": agency}) or 0
        for agency in sorted(agencies)
    }


async def number_of(
    connection: Connection,
    alert_id: UUID,
    scope: ColumnElement[bool],
    given: dict[str, Any],
    *,
    matches: bool,
) -> int | None:
    """Give the number of an alert of `agency` whose case file is in *scope*; None: of none.

    Args:
        matches: or that is about a match.
    """
    about = or_(scope, _OF_A_MATCH) if matches else scope
    number: int | None = await connection.scalar(
        select(alert.c.number)
        .join(case_file, case_file.c.id == alert.c.case_file)
        .where(alert.c.id == alert_id, alert.c.agency == bindparam("agency"), about),
        given,
    )
    return number


async def since(connection: Connection, agency: str, number: int, most: int) -> list[Alert]:
    """Read the alerts of *agency* behind *number*, in the order in which they were made."""
    found = await connection.execute(
        select(*_COLUMNS)
        .where(alert.c.agency == agency, alert.c.number > number)
        .order_by(alert.c.number)
        .limit(most)
    )
    return [Alert(*row) for row in found.all()]


async def waiting(
    connection: Connection, agency: str, now: datetime, oldest: datetime, most: int
) -> list[Waiting]:
    """Read what is to be delivered to *agency* now, of what was made after *oldest*."""
    found = await connection.execute(
        select(*_WAITING)
        .join(case_file, case_file.c.id == alert.c.case_file)
        .where(
            # As when it was made: what was erased or taken back meanwhile is not told.
            or_(and_(referral_rights.REACHED, case_file.c.erased_at.is_(None)), _OF_A_MATCH),
            alert.c.agency == agency,
            alert.c.delivered_at.is_(None),
            alert.c.next_at <= now,
            # It never is before it was made, and stands in the index.
            alert.c.next_at > oldest,
            alert.c.made_at > oldest,
        )
        .order_by(alert.c.next_at, alert.c.id)
        .limit(most),
        {"agency": agency, "now": now},
    )
    return [Waiting(*row) for row in found.all()]


async def claim(change: Connection, one: Waiting, until: datetime) -> bool:
    """Take *one* for an attempt, up to *until*; False: another process did."""
    result = await change.execute(
        update(alert)
        .where(
            alert.c.id == one.id,
            alert.c.attempts == one.attempts,
            alert.c.delivered_at.is_(None),
        )
        .values(attempts=one.attempts + 1, next_at=until)
    )
    return result.rowcount == 1


async def delivered(change: Connection, alert_id: UUID, at: datetime) -> None:
    """Write down that the agency's webhook took it."""
    await change.execute(update(alert).where(alert.c.id == alert_id).values(delivered_at=at))


async def try_again(change: Connection, alert_id: UUID, at: datetime) -> None:
    """Write down when the next attempt is."""
    await change.execute(update(alert).where(alert.c.id == alert_id).values(next_at=at))
