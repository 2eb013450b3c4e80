"""What was answered at the door; sealed under the narrative key of the case file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import triage


@dataclass(frozen=True, slots=True)
class TriageRow:
    """One triage as read.

    Attributes:
        proposed: the urgency that the answers came to.
        lowered: why the case file was opened as less urgent; None: it was not.
    """

    id: UUID
    case_file: UUID
    author: UUID
    written_at: datetime
    proposed: str
    lowered: str | None
    answers: Sealed
    event: int
    seal: bytes

    @property
    def seal_values(self) -> tuple[Any, ...]:
        """The values that the seal covers, in its order."""
        return (
            self.id,
            self.case_file,
            self.author,
            self.written_at,
            self.proposed,
            self.lowered,
            self.event,
        )


_OF_CASE_FILE = select(
    triage.c.id,
    triage.c.case_file,
    triage.c.author,
    triage.c.written_at,
    triage.c.proposed,
    triage.c.lowered,
    triage.c.answers,
    triage.c.event,
    triage.c.seal,
).where(triage.c.case_file == bindparam("case_file"))


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> TriageRow | None:
    """Read the triage of one case file; None: it was opened without."""
    row = (await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})).one_or_none()
    return None if row is None else TriageRow(*row)


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed rows (column -> value)."""
    if rows:
        await change.execute(insert(triage), list(rows))
