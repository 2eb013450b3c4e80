"""Requests to erase a record, and legal holds that forbid it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Table,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from api.database import Connection
from api.store.tables import (
    RIGHTS,
    case_file,
    case_file_defender,
    defender,
    erasure,
    legal_hold,
    release,
    release_origin,
)
from api.vocabulary import RecordKind

#: The advisory lock of PostgreSQL under which erasures and legal holds follow one
#: another: they rest on rows of several records, which no row's lock covers.
_LOCK = int.from_bytes(b"erasure")

#: Open requests, or holds that stand, that are read at once, newest first.
READ_MOST = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One erasure or legal hold as read: its columns, of which the seal covers all."""

    values: Mapping[str, Any]
    seal_values: tuple[Any, ...]
    seal: bytes


def _rows(table: Table, result: Any) -> list[Row]:
    names = RIGHTS[table.name]
    return [
        Row(dict(zip(names, cells, strict=False)), tuple(cells[:-1]), cells[-1])
        for cells in map(tuple, result.all())
    ]


def _columns(table: Table) -> list[ColumnElement[Any]]:
    return [*(table.c[name] for name in RIGHTS[table.name]), table.c.seal]


async def lock(change: Connection) -> None:
    """Let no other erasure or hold be written until the commit; SQLite has one writer anyhow."""
    if change.dialect.name == "postgresql":
        await change.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def erasure_of(change: Connection, erasure_id: UUID, record: UUID) -> Row | None:
    """Read one request to erase *record*."""
    result = await change.execute(
        select(*_columns(erasure)).where(erasure.c.id == erasure_id, erasure.c.record == record)
    )
    return next(iter(_rows(erasure, result)), None)


async def insert_erasure(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed request."""
    await change.execute(insert(erasure), [dict(row)])


async def insert_hold(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed hold."""
    await change.execute(insert(legal_hold), [dict(row)])


async def end(change: Connection, table: str, row: Mapping[str, Any]) -> None:
    """Write how a request or a hold ended: *row* is whole, with the seal that covers its end."""
    one, names = {
        "erasure": (erasure, ("approved_by", "done_at", "withdrawn_by", "withdrawn_at")),
        "legal_hold": (legal_hold, ("lifted_by", "lifted_at")),
    }[table]
    values = {name: row[name] for name in (*names, "event", "seal")}
    await change.execute(update(one).where(one.c.id == row["id"]).values(values))


def _belonging(kind: RecordKind, record: UUID) -> ColumnElement[bool]:
    """Say which holds touch *record*: its own, and those of what belongs with it.

    To erase a defender of a case file that must be kept, or a case file about a defender
    who must be kept, would take away what the hold is for.
    """
    link = case_file_defender.c
    mine, other = (
        (link.defender, link.case_file)
        if kind is RecordKind.DEFENDER
        else (link.case_file, link.defender)
    )
    return or_(
        legal_hold.c.record == record, legal_hold.c.record.in_(select(other).where(mine == record))
    )


async def holds_on(change: Connection, kind: RecordKind, record: UUID) -> list[Row]:
    """Read every hold that ever touched *record*, over or not: the caller judges by the seals."""
    result = await change.execute(
        select(*_columns(legal_hold)).where(_belonging(kind, record)).order_by(legal_hold.c.id)
    )
    return _rows(legal_hold, result)


async def defenders_only_in(change: Connection, case_file_id: UUID) -> int:
    """Count the defenders of a case file that are in no other one and are not erased."""
    link, other = case_file_defender, case_file_defender.alias()
    counted = await change.scalar(
        select(func.count())
        .select_from(link.join(defender, defender.c.id == link.c.defender))
        .where(
            link.c.case_file == case_file_id,
            defender.c.erased_at.is_(None),
            ~select(other.c.case_file)
            .join(case_file, case_file.c.id == other.c.case_file)
            .where(
                other.c.defender == link.c.defender,
                other.c.case_file != case_file_id,
                case_file.c.erased_at.is_(None),
            )
            .exists(),
        )
    )
    return counted or 0


async def live_releases(snapshot: Connection, kind: RecordKind, record: UUID, now: datetime) -> int:
    """Count the releases that live on under partners' keys, made from the record's case files."""
    files = (
        release_origin.c.case_file == record
        if kind is RecordKind.CASE_FILE
        else release_origin.c.case_file.in_(
            select(case_file_defender.c.case_file).where(case_file_defender.c.defender == record)
        )
    )
    counted = await snapshot.scalar(
        select(func.count())
        .select_from(release.join(release_origin, release_origin.c.release == release.c.id))
        .where(
            files,
            release.c.revoked_at.is_(None),
            release.c.stopped_at.is_(None),
            release.c.until > now,
        )
    )
    return counted or 0


async def open_of(snapshot: Connection, agency: str, now: datetime) -> tuple[list[Row], list[Row]]:
    """Read the newest requests that are open, and holds that stand, of *agency*."""
    asked = await snapshot.execute(
        select(*_columns(erasure))
        .where(
            erasure.c.agency == agency,
            erasure.c.done_at.is_(None),
            erasure.c.withdrawn_at.is_(None),
        )
        .order_by(erasure.c.requested_at.desc(), erasure.c.id.desc())
        .limit(READ_MOST)
    )
    requests = _rows(erasure, asked)
    standing = await snapshot.execute(
        select(*_columns(legal_hold))
        .where(
            legal_hold.c.agency == agency,
            legal_hold.c.lifted_at.is_(None),
            or_(legal_hold.c.until.is_(None), legal_hold.c.until > now),
        )
        .order_by(legal_hold.c.placed_at.desc(), legal_hold.c.id.desc())
        .limit(READ_MOST)
    )
    return requests, _rows(legal_hold, standing)
