"""Notes on a case file; their text is sealed under its narrative key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import note


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One note as read."""

    id: UUID
    case_file: UUID
    author: UUID
    written_at: datetime
    body: Sealed
    event: int
    seal: bytes

    @property
    def seal_values(self) -> tuple[Any, ...]:
        """The values that the seal covers, in its order."""
        return (self.id, self.case_file, self.author, self.written_at, self.event)


#: The notes of one case file that are read at once, newest first.
NOTES_READ = 100

_OF_CASE_FILE = (
    select(
        note.c.id,
        note.c.case_file,
        note.c.author,
        note.c.written_at,
        note.c.body,
        note.c.event,
        note.c.seal,
    )
    .where(note.c.case_file == bindparam("case_file"))
    .order_by(note.c.written_at.desc(), note.c.id.desc())
    .limit(NOTES_READ)
)


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> list[NoteRow]:
    """Read the newest notes of one case file."""
    result = await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [NoteRow(*row) for row in result.all()]


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed notes (column -> value)."""
    if rows:
        await change.execute(insert(note), list(rows))
