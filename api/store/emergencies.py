"""Emergency protection, who signed it and its papers: rows, which casework proves."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, emergency_protection, emergency_signature, requirement

Row = dict[str, Any]

#: Emergency protections of one case file that are read at once, newest first.
EMERGENCIES_READ = 20

_EMERGENCY = (*RIGHTS["emergency_protection"], "words", "signature", "seal")
_SIGNATURE = (*RIGHTS["emergency_signature"], "seal")
_REQUIREMENT = (*RIGHTS["requirement"], "signature", "seal")


def _select(table: Table, columns: tuple[str, ...]) -> Any:
    return select(*(table.c[name] for name in columns))


_ONE = _select(emergency_protection, _EMERGENCY).where(
    emergency_protection.c.id == bindparam("id"),
    emergency_protection.c.agency == bindparam("agency"),
)
_OF_CASE_FILE = (
    _select(emergency_protection, _EMERGENCY)
    .where(emergency_protection.c.case_file == bindparam("case_file"))
    .order_by(emergency_protection.c.proposed_at.desc(), emergency_protection.c.id.desc())
    .limit(EMERGENCIES_READ)
)
_SIGNATURES = _select(emergency_signature, _SIGNATURE).where(
    emergency_signature.c.emergency == bindparam("emergency")
)
_REQUIREMENT_ONE = _select(requirement, _REQUIREMENT).where(
    requirement.c.id == bindparam("id"), requirement.c.agency == bindparam("agency")
)
_REQUIREMENTS = (
    _select(requirement, _REQUIREMENT)
    .where(requirement.c.emergency.in_(bindparam("emergencies", expanding=True)))
    .order_by(requirement.c.due_at, requirement.c.code)
)


async def of_agency(connection: Connection, emergency_id: UUID, agency: str) -> Row | None:
    """Read one that *agency* decides on, as of none otherwise."""
    found = await connection.execute(_ONE, {"id": emergency_id, "agency": agency})
    row = found.one_or_none()
    return None if row is None else dict(zip(_EMERGENCY, row, strict=True))


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> list[Row]:
    """Read the newest emergency protections of one case file, whoever decides on them."""
    found = await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [dict(zip(_EMERGENCY, row, strict=True)) for row in found.all()]


async def signatures(connection: Connection, emergency_id: UUID) -> list[Row]:
    """Read who signed one."""
    found = await connection.execute(_SIGNATURES, {"emergency": emergency_id})
    return [dict(zip(_SIGNATURE, row, strict=True)) for row in found.all()]


async def requirement_of(connection: Connection, requirement_id: UUID, agency: str) -> Row | None:
    """Read one paper that *agency* waits for, as of none otherwise."""
    found = await connection.execute(_REQUIREMENT_ONE, {"id": requirement_id, "agency": agency})
    row = found.one_or_none()
    return None if row is None else dict(zip(_REQUIREMENT, row, strict=True))


async def requirements(snapshot: Connection, emergencies: Collection[UUID]) -> list[Row]:
    """Read the papers of *emergencies*, those that are due first before the others."""
    found = await snapshot.execute(_REQUIREMENTS, {"emergencies": list(emergencies)})
    return [dict(zip(_REQUIREMENT, row, strict=True)) for row in found.all()]


async def insert_row(change: Connection, row: Row) -> None:
    """Insert a sealed emergency protection."""
    await change.execute(insert(emergency_protection), [row])


async def insert_signature(change: Connection, row: Row) -> None:
    """Insert a sealed signature of one."""
    await change.execute(insert(emergency_signature), [row])


async def insert_requirements(change: Connection, rows: Collection[Mapping[str, Any]]) -> None:
    """Insert sealed requirements."""
    if rows:
        await change.execute(insert(requirement), list(rows))


#: What changes of an emergency protection: it is granted, then the plenary decides.
_CHANGES = (
    "granted_at",
    "warn_from",
    "ratify_by",
    "decided_by",
    "decided_at",
    "decided_on",
    "votes_for",
    "votes_against",
    "event",
    "signature",
    "seal",
)


async def renew(change: Connection, row: Row) -> None:
    """Write what changed of one, with its new proofs; the case file is locked."""
    changed = {name: row[name] for name in _CHANGES}
    await change.execute(
        update(emergency_protection).where(emergency_protection.c.id == row["id"]).values(**changed)
    )


async def meet(change: Connection, row: Row) -> None:
    """Write that a requirement was met, with its new proofs; the case file is locked."""
    changed = {name: row[name] for name in ("met_by", "met_at", "event", "signature", "seal")}
    await change.execute(update(requirement).where(requirement.c.id == row["id"]).values(**changed))
