"""Consents of defenders: rows as they stand, which casework proves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, consent, organisation

Row = dict[str, Any]

#: What is read of one: the columns under the seal, then the seal.
COLUMNS = (*RIGHTS["consent"], "seal")

#: The most that are shown of one case file, newest first.
LISTED = 100

_SELECT = select(*(consent.c[name] for name in COLUMNS))
_OF_AGENCY = _SELECT.where(consent.c.id == bindparam("id"), consent.c.agency == bindparam("agency"))
_OF_CASE_FILE = _SELECT.where(
    consent.c.case_file == bindparam("case_file"), consent.c.agency == bindparam("agency")
)
_NEWEST = _OF_CASE_FILE.order_by(consent.c.recorded_at.desc(), consent.c.id.desc()).limit(LISTED)
_LIVE = _OF_CASE_FILE.where(
    consent.c.withdrawn_at.is_(None),
    consent.c.until > bindparam("now", type_=consent.c.until.type),
)


async def of_agency(connection: Connection, consent_id: UUID, agency: str) -> Row | None:
    """Read one that *agency* recorded, as of none otherwise."""
    found = await connection.execute(_OF_AGENCY, {"id": consent_id, "agency": agency})
    row = found.one_or_none()
    return None if row is None else dict(zip(COLUMNS, row, strict=True))


async def of_case_file(snapshot: Connection, case_file: UUID, agency: str) -> list[Row]:
    """Read the newest that *agency* recorded for a case file, over or not."""
    found = await snapshot.execute(_NEWEST, {"case_file": case_file, "agency": agency})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def live(connection: Connection, case_file: UUID, agency: str, now: datetime) -> list[Row]:
    """Read those for a case file that were not withdrawn and are not over."""
    given = {"case_file": case_file, "agency": agency, "now": now}
    found = await connection.execute(_LIVE, given)
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def is_organisation(connection: Connection, slug: str) -> bool:
    """Tell whether *slug* is an agency or a partner here."""
    found = await connection.execute(select(organisation.c.slug).where(organisation.c.slug == slug))
    return found.first() is not None


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed consents (column -> value)."""
    if rows:
        await change.execute(insert(consent), list(rows))


#: What changes of one: that it was withdrawn.
_CHANGES = ("withdrawn_by", "withdrawn_at", "withdrawn_event", "stop_by", "seal")


async def withdraw(change: Connection, row: Row) -> None:
    """Write that one was withdrawn, with its new seal."""
    changed = {name: row[name] for name in _CHANGES}
    await change.execute(update(consent).where(consent.c.id == row["id"]).values(**changed))
