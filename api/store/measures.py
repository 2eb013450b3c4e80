"""Measures of the agencies for the people of a case file: rows, which casework proves."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, case_file, measure

Row = dict[str, Any]

#: What is read of one: the columns under the seal, what is sealed, and the proofs.
COLUMNS = (*RIGHTS["measure"], "true_kind", "provider", "cost", "signature", "seal")

#: Measures of one case file that are read at once, newest first.
MEASURES_READ = 100

_SELECT = select(*(measure.c[name] for name in COLUMNS))
_OF_AGENCY = _SELECT.where(measure.c.id == bindparam("id"), measure.c.agency == bindparam("agency"))
_OF_CASE_FILE = (
    _SELECT.where(measure.c.case_file == bindparam("case_file"))
    .order_by(measure.c.requested_at.desc(), measure.c.id.desc())
    .limit(MEASURES_READ)
)
_OF_EMERGENCY = _SELECT.where(measure.c.emergency == bindparam("emergency")).order_by(measure.c.id)


async def of_agency(connection: Connection, measure_id: UUID, agency: str) -> Row | None:
    """Read one of *agency*, as of none otherwise."""
    found = await connection.execute(_OF_AGENCY, {"id": measure_id, "agency": agency})
    row = found.one_or_none()
    return None if row is None else dict(zip(COLUMNS, row, strict=True))


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> list[Row]:
    """Read the newest measures of one case file, whoever provides them."""
    found = await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def of_emergency(connection: Connection, emergency_id: UUID) -> list[Row]:
    """Read the measures that stand and fall with one emergency protection."""
    found = await connection.execute(_OF_EMERGENCY, {"emergency": emergency_id})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed measure (column -> value)."""
    await change.execute(insert(measure), [dict(row)])


#: What changes of one: what is sealed of it never does.
_CHANGES = (
    "approved_by",
    "approved_at",
    "started_at",
    "ended_by",
    "ended_at",
    "due_at",
    "revision",
    "event",
    "signature",
    "seal",
)


async def renew(change: Connection, row: Row) -> None:
    """Write what changed of one, with its new proofs; the case file is locked."""
    changed = {name: row[name] for name in _CHANGES}
    await change.execute(update(measure).where(measure.c.id == row["id"]).values(**changed))


async def count_kinds(change: Connection, case_file_id: UUID, kinds: set[str]) -> None:
    """Say on the case file, which is locked, that measures of *kinds* were given."""
    known = await change.scalar(
        select(case_file.c.measure_kinds).where(case_file.c.id == case_file_id)
    )
    given = sorted({*(known or ()), *kinds})
    if given != known:
        await change.execute(
            update(case_file)
            .where(case_file.c.id == case_file_id)
            .values(measure_kinds=given, revision=case_file.c.revision + 1)
        )
