"""Incidents of a case file, each in versions of which none ever changes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from api.database import Connection
from api.store.sealed_fields import INCIDENT_FIELDS
from api.store.tables import RIGHTS, incident

Row = dict[str, Any]

#: What is read of one: the columns under the seal, the seal, and what is sealed.
COLUMNS = (*RIGHTS["incident"], "seal", *(f.column for f in INCIDENT_FIELDS.values()))

#: Versions of the incidents of one case file that are read at once, newest first.
INCIDENTS_READ = 100

_SELECT = select(*(incident.c[name] for name in COLUMNS))
_OF_CASE_FILE = (
    _SELECT.where(incident.c.case_file == bindparam("case_file"))
    .order_by(incident.c.written_at.desc(), incident.c.id.desc())
    .limit(INCIDENTS_READ)
)
_NEWEST = (
    _SELECT.where(
        incident.c.incident == bindparam("incident"),
        incident.c.case_file == bindparam("case_file"),
    )
    .order_by(incident.c.version.desc())
    .limit(1)
)


async def of_case_file(connection: Connection, case_file: UUID) -> list[Row]:
    """Read the newest versions of the incidents of one case file, older versions among them."""
    found = await connection.execute(_OF_CASE_FILE, {"case_file": case_file})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def newest(change: Connection, incident_id: UUID, case_file: UUID) -> Row | None:
    """Read the newest version of one incident of *case_file*, whose row is locked."""
    found = await change.execute(_NEWEST, {"incident": incident_id, "case_file": case_file})
    row = found.one_or_none()
    return None if row is None else dict(zip(COLUMNS, row, strict=True))


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed version (column -> value)."""
    await change.execute(insert(incident), [dict(row)])
