"""Seal an attachment anew under a new data key, in constant memory; nobody sees it.

Two steps, so that a rotation takes the second in its own transaction: `reseal` reads,
checks and seals into a spool, with nothing locked; `replace` puts the result in the
place of the old. The key, its wraps and the events are the rotation's own.
"""

from api.casework import resealing
from api.casework.attachment_streams import check_stream, content_of
from api.casework.disclosure import open_one
from api.casework.house import House
from api.casework.key_opening import OpenKeys
from api.casework.spool import Spool
from api.crypto.data_keys import DataKey
from api.crypto.sealed import Sealed
from api.crypto.streams import StreamSealer
from api.database import Connection
from api.errors import StaleRevision
from api.store import attachments
from api.store.attachments import AttachmentRow
from api.store.sealed_fields import ATTACHMENT_FIELDS


async def reseal(
    house: House, row: AttachmentRow, old: DataKey, new: DataKey, spool: Spool
) -> dict[str, Sealed]:
    """Seal the bytes of *row* under *new* into the empty *spool*; give the sealed columns.

    Raises:
        SealBroken: what is there does not hold under *old*; nothing is lost.
    """
    keys = OpenKeys([old], {old.record: {old.compartment: (old, b"")}})
    values = {
        one: str(open_one(keys, one, row.id, row.id, getattr(row, one.column)))
        for one in ATTACHMENT_FIELDS.values()
    }
    checked = await check_stream(house, row, old, int(values[ATTACHMENT_FIELDS["size"]]))
    sealer = StreamSealer(new, row.case_file)
    async for piece in content_of(house, row, checked):
        await spool.add(sealer.update(piece))
    await spool.add(sealer.finish())
    await spool.flush()
    return resealing.seal_row(new, row.id, values)


async def replace(
    transaction: Connection, row: AttachmentRow, values: dict[str, Sealed], spool: Spool
) -> None:
    """Put what `reseal` made in the place of *row*, of which no other column changes.

    The transaction must hold the lock of the case file, and replace the wraps too.

    Raises:
        StaleRevision: another rotation, or an erasure, came first.
    """
    there = await attachments.by_id(transaction, row.id)
    if there != row:
        raise StaleRevision
    await attachments.replace_values(transaction, row.id, values)
    position = 0
    async for data in spool.read():
        await attachments.replace_chunk(transaction, row.id, position, data)
        position += 1
