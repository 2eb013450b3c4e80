"""Assessments of the risk in a case file, of which the newest holds."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from api.database import Connection
from api.store.sealed_fields import ASSESSMENT_FIELDS
from api.store.tables import RIGHTS, assessment

Row = dict[str, Any]

#: What is read of one: the columns under the seal, the seal, and what is sealed.
COLUMNS = (*RIGHTS["assessment"], "seal", *(f.column for f in ASSESSMENT_FIELDS.values()))

#: Assessments of one case file that are read at once, newest first.
ASSESSMENTS_READ = 100

_OF_CASE_FILE = (
    select(*(assessment.c[name] for name in COLUMNS))
    .where(assessment.c.case_file == bindparam("case_file"))
    .order_by(assessment.c.written_at.desc(), assessment.c.id.desc())
    .limit(ASSESSMENTS_READ)
)


async def of_case_file(connection: Connection, case_file: UUID) -> list[Row]:
    """Read the newest of one case file."""
    found = await connection.execute(_OF_CASE_FILE, {"case_file": case_file})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed one (column -> value)."""
    await change.execute(insert(assessment), [dict(row)])
