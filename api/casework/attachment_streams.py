"""The only place where the stream of an attachment is opened: first all is checked, then given.

Chunks never change while their key stands, so no transaction is held while a caller
takes its time. Where a rotation or an erasure comes between, nothing holds any more.
"""

from collections.abc import AsyncIterator

import structlog

from api.casework.house import House
from api.crypto.data_keys import DataKey
from api.crypto.streams import Checked, StreamCheck, StreamOpener
from api.errors import SealBroken
from api.store import attachments
from api.store.attachments import AttachmentRow

_log = structlog.get_logger("perisai.attachment_streams")


async def check_stream(house: House, row: AttachmentRow, key: DataKey, size: int) -> Checked:
    """Read the whole stream and prove that it is whole; show nothing of it.

    Raises:
        SealBroken: something of it was changed, moved, added or taken away; reported.
    """
    check = StreamCheck(key, row.case_file, size)
    try:
        async for sealed in _stream(house, row):
            check.update(sealed)
        return check.finish()
    except SealBroken:
        _log.error("seal_broken", table="attachment_chunk")
        raise


async def content_of(house: House, row: AttachmentRow, checked: Checked) -> AsyncIterator[bytes]:
    """Give the content of a stream that was checked, and verify it again meanwhile.

    Raises:
        SealBroken: it is not what was checked; what was given before was; reported.
    """
    opener = StreamOpener(checked)
    try:
        async for sealed in _stream(house, row):
            yield opener.update(sealed)
        yield opener.finish()
    except SealBroken:
        _log.error("seal_broken", table="attachment_chunk")
        raise


async def _stream(house: House, row: AttachmentRow) -> AsyncIterator[bytes]:
    """Give the sealed stream chunk by chunk; none may be missing, and none be left over."""
    for position in range(row.chunks + 1):
        async with house.records.look() as connection:
            chunk = await attachments.chunk(connection, row.id, position)
        if (chunk is None) is not (position == row.chunks):
            raise SealBroken
        if chunk is not None:
            yield chunk.data
