"""Assignments: who has the need to know which case file, until when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, insert, select, update
from sqlalchemy.sql import ColumnElement

from api.database import Connection
from api.store.tables import RIGHTS, assignment, case_file


def live(table: Table) -> ColumnElement[bool]:
    """Say in SQL that an assignment holds at the parameter `now`."""
    now = bindparam("now", type_=table.c.starts_at.type)
    return and_(table.c.starts_at <= now, now < table.c.ends_at, table.c.ended_at.is_(None))


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed assignments (column -> value)."""
    if rows:
        await change.execute(insert(assignment), list(rows))


async def locked_live(
    change: Connection, case_file_id: UUID, member_id: UUID, now: datetime
) -> list[tuple[Any, ...]]:
    """Read and lock the live assignments of one member to one case file."""
    columns = [assignment.c[name] for name in RIGHTS["assignment"]]
    result = await change.execute(
        select(*columns, assignment.c.seal)
        .where(
            assignment.c.case_file == case_file_id,
            assignment.c.member == member_id,
            live(assignment),
        )
        .with_for_update(),
        {"now": now},
    )
    return [tuple(row) for row in result.all()]


async def lock_case_file(change: Connection, case_file_id: UUID) -> None:
    """Take the lock under which the rights on one case file change."""
    await change.execute(
        select(case_file.c.id).where(case_file.c.id == case_file_id).with_for_update()
    )


async def end(
    change: Connection, assignment_id: UUID, ended_at: datetime, event: int, seal: bytes
) -> None:
    """End one assignment; the row gets the seal that covers its end."""
    await change.execute(
        update(assignment)
        .where(assignment.c.id == assignment_id)
        .values(ended_at=ended_at, event=event, seal=seal)
    )


async def open_of(change: Connection, case_file_id: UUID, agency: str) -> list[dict[str, Any]]:
    """Read and lock what *agency* has not ended of a case file: columns by name, and the seal."""
    names = (*RIGHTS["assignment"], "seal")
    result = await change.execute(
        select(*(assignment.c[name] for name in names))
        .where(
            assignment.c.case_file == case_file_id,
            assignment.c.agency == agency,
            assignment.c.ended_at.is_(None),
        )
        .order_by(assignment.c.id)
        .with_for_update()
    )
    return [dict(zip(names, row, strict=True)) for row in result.all()]
