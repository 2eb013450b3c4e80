"""Requests to close case files: rows as they stand, which casework proves."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, case_file, closing
from api.vocabulary import CaseStatus

Row = dict[str, Any]

#: What is read of one: the columns under the seal, then the seal.
COLUMNS = (*RIGHTS["closing"], "seal")

#: Closings of one case file that are read at once, newest first.
CLOSINGS_READ = 100

_SELECT = select(*(closing.c[name] for name in COLUMNS))
_OF_CASE_FILE = (
    _SELECT.where(closing.c.case_file == bindparam("case_file"))
    .order_by(closing.c.requested_at.desc(), closing.c.id.desc())
    .limit(CLOSINGS_READ)
)
_OF_CASE_FILES = _SELECT.where(closing.c.case_file.in_(bindparam("case_files", expanding=True)))


async def of_case_files(connection: Connection, case_files: Collection[UUID]) -> list[Row]:
    """Read every closing of *case_files*, whatever its row says of how it ended."""
    found = await connection.execute(_OF_CASE_FILES, {"case_files": sorted(case_files)})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def of_case_file(connection: Connection, case_file: UUID) -> list[Row]:
    """Read the newest of one case file, however they ended."""
    found = await connection.execute(_OF_CASE_FILE, {"case_file": case_file})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def one(change: Connection, closing_id: UUID, case_file: UUID) -> Row | None:
    """Read one of *case_file*, whose row is locked."""
    found = await change.execute(
        _SELECT.where(closing.c.id == closing_id, closing.c.case_file == case_file)
    )
    row = found.one_or_none()
    return None if row is None else dict(zip(COLUMNS, row, strict=True))


async def status_closed(connection: Connection, case_file_id: UUID) -> bool:
    """Tell whether the status of one case file says that it is closed."""
    status = await connection.scalar(
        select(case_file.c.status).where(case_file.c.id == case_file_id)
    )
    return bool(status == CaseStatus.CLOSED.value)


async def insert_row(change: Connection, row: Row) -> None:
    """Insert a sealed request."""
    await change.execute(insert(closing), [row])


#: What changes of one: it is approved or declined, and what was closed is reopened.
_CHANGES = (
    "approved_by",
    "closed_at",
    "declined_by",
    "declined_at",
    "reopened_by",
    "reopened_at",
    "event",
    "seal",
)


async def renew(change: Connection, row: Row) -> None:
    """Write what changed of one: *row* is whole, with the seal that covers it."""
    values = {name: row[name] for name in _CHANGES}
    await change.execute(update(closing).where(closing.c.id == row["id"]).values(values))
