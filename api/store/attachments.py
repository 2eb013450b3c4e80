"""Attachments of a case file, and the chunks of their sealed streams."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.sql import ColumnElement

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import attachment, attachment_chunk, case_file

#: The most bytes of one chunk: a few thousand pages of a database at once, no more.
CHUNK_MOST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One attachment as read, without its bytes.

    Attributes:
        chunks: how many rows hold its sealed stream, from position 0.
    """

    id: UUID
    case_file: UUID
    author: UUID
    written_at: datetime
    chunks: int
    name: Sealed
    media_type: Sealed
    size: Sealed
    event: int
    seal: bytes

    @property
    def seal_values(self) -> tuple[Any, ...]:
        """The values that the seal covers, in its order."""
        return (self.id, self.case_file, self.author, self.written_at, self.chunks, self.event)


#: The attachments of one case file that are read at once, newest first.
ATTACHMENTS_READ = 100

_ROW = select(*(attachment.c[name] for name in AttachmentRow.__slots__))
_OF_CASE_FILE = (
    _ROW.where(attachment.c.case_file == bindparam("case_file"))
    .order_by(attachment.c.written_at.desc(), attachment.c.id.desc())
    .limit(ATTACHMENTS_READ)
)
_BY_ID = _ROW.where(attachment.c.id == bindparam("id"))
_CHUNK = select(attachment_chunk.c.data).where(
    attachment_chunk.c.attachment == bindparam("attachment"),
    attachment_chunk.c.position == bindparam("position"),
)


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> list[AttachmentRow]:
    """Read the newest attachments of one case file."""
    result = await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [AttachmentRow(*row) for row in result.all()]


async def by_id(snapshot: Connection, attachment_id: UUID) -> AttachmentRow | None:
    """Read one attachment."""
    row = (await snapshot.execute(_BY_ID, {"id": attachment_id})).one_or_none()
    return None if row is None else AttachmentRow(*row)


@lru_cache(maxsize=512)
def _in_scope(scope: ColumnElement[bool]) -> Select[Any]:
    return _ROW.join(case_file, case_file.c.id == attachment.c.case_file).where(
        attachment.c.id == bindparam("id"), scope
    )


async def in_scope(
    snapshot: Connection, scope: ColumnElement[bool], parameters: Mapping[str, Any]
) -> AttachmentRow | None:
    """Read one attachment of a case file in *scope*; *parameters*: `id` and the scope's."""
    row = (await snapshot.execute(_in_scope(scope), parameters)).one_or_none()
    return None if row is None else AttachmentRow(*row)


async def chunk(connection: Connection, attachment_id: UUID, position: int) -> Sealed | None:
    """Read one chunk."""
    found: Sealed | None = await connection.scalar(
        _CHUNK, {"attachment": attachment_id, "position": position}
    )
    return found


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert an attachment (column -> value)."""
    await change.execute(insert(attachment), [dict(row)])


async def insert_chunk(
    change: Connection, attachment_id: UUID, position: int, data: Sealed
) -> None:
    """Insert one chunk."""
    await change.execute(
        insert(attachment_chunk),
        {"attachment": attachment_id, "position": position, "data": data},
    )


async def replace_values(
    change: Connection, attachment_id: UUID, values: Mapping[str, Sealed]
) -> None:
    """Put newly sealed values (column -> value) in the place of the old ones."""
    await change.execute(
        update(attachment).where(attachment.c.id == attachment_id).values(dict(values))
    )


async def replace_chunk(
    change: Connection, attachment_id: UUID, position: int, data: Sealed
) -> None:
    """Put a newly sealed chunk in the place of the old one."""
    await change.execute(
        update(attachment_chunk)
        .where(
            attachment_chunk.c.attachment == attachment_id,
            attachment_chunk.c.position == position,
        )
        .values(data=data)
    )
