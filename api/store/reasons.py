"""Reasons in words that were given for changes; sealed under the narrative key of a case file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import defender, reason


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason as read.

    Attributes:
        record: what was changed, the case file itself or a defender in it; or a merge.
        event: index of the intent, whose leaf holds the commitment.
    """

    id: UUID
    case_file: UUID
    record: UUID
    author: UUID
    written_at: datetime
    text: Sealed
    opening: Sealed
    event: int
    seal: bytes

    @property
    def seal_values(self) -> tuple[Any, ...]:
        """The values that the seal covers, in its order."""
        return (self.id, self.case_file, self.record, self.author, self.written_at, self.event)


#: The reasons of one case file that are read at once, newest first.
REASONS_READ = 100

_OF_CASE_FILE = (
    select(
        reason.c.id,
        reason.c.case_file,
        reason.c.record,
        reason.c.author,
        reason.c.written_at,
        reason.c.text,
        reason.c.opening,
        reason.c.event,
        reason.c.seal,
    )
    .where(reason.c.case_file == bindparam("case_file"))
    .order_by(reason.c.written_at.desc(), reason.c.id.desc())
    .limit(REASONS_READ)
)


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> list[ReasonRow]:
    """Read the newest reasons of one case file."""
    result = await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [ReasonRow(*row) for row in result.all()]


async def of_no_person(snapshot: Connection, records: Collection[UUID]) -> set[UUID]:
    """Give those of *records* that are no defenders."""
    if not records:
        return set()
    people = await snapshot.execute(select(defender.c.id).where(defender.c.id.in_(list(records))))
    return set(records) - set(people.scalars())


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed reason (column -> value)."""
    await change.execute(insert(reason), [row])
