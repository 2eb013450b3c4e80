"""Steps in the life of case files, and what of their life stands in clear on them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, case_file, step

Row = dict[str, Any]

#: What is read of one: the columns under the seal, then the seal.
COLUMNS = (*RIGHTS["step"], "seal")

#: Steps of one case file that are read at once, newest first.
STEPS_READ = 100

_OF_CASE_FILE = (
    select(*(step.c[name] for name in COLUMNS))
    .where(step.c.case_file == bindparam("case_file"))
    .order_by(step.c.taken_at.desc(), step.c.id.desc())
    .limit(STEPS_READ)
)


async def of_case_file(connection: Connection, case_file_id: UUID) -> list[Row]:
    """Read the newest of one case file."""
    found = await connection.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def insert_row(change: Connection, row: Row) -> None:
    """Insert a sealed step."""
    await change.execute(insert(step), [row])


async def kinds_of(change: Connection, case_file_id: UUID, column: str) -> list[str]:
    """Read codes that stand in clear on a case file that is locked."""
    found = await change.execute(select(case_file.c[column]).where(case_file.c.id == case_file_id))
    codes: list[str] = found.scalar_one()
    return codes


async def change_case_file(
    change: Connection, case_file_id: UUID, revision: int, columns: Mapping[str, Any]
) -> bool:
    """Write *columns* in clear and the next revision; False: *revision* is not the newest."""
    result = await change.execute(
        update(case_file)
        .where(case_file.c.id == case_file_id, case_file.c.revision == revision)
        .values({**columns, "revision": revision + 1})
    )
    return result.rowcount == 1
