"""Add an attachment to a case file: sealed as it comes in, kept as a whole or not at all.

The bytes come while nothing is locked; sealed, they wait in a spool. Then one short
transaction decides again and writes the row, its key and its chunks. Whatever goes
wrong before its commit leaves no row, and an outcome that says so.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, rights, values
from api.casework.changing import Changing, Situation, change
from api.casework.content_kinds import EXTENSIONS, HEAD, file_name_for, kind_of
from api.casework.house import House
from api.casework.spool import Spool
from api.crypto.data_keys import WrappedKey
from api.crypto.sealed import Sealed
from api.database import Connection
from api.errors import AttachmentTooLarge
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import attachments, key_wraps
from api.store.sealed_fields import ATTACHMENT_CONTENT, ATTACHMENT_FIELDS
from api.vocabulary import Action, Caller, CaseFileId, Compartment, RecordKind

#: The most bytes that an attachment has.
CONTENT_MOST = 100 * 1024 * 1024


async def add_attachment(
    house: House, caller: Caller, case_file_id: CaseFileId, name: str, content: AsyncIterator[bytes]
) -> UUID:
    """Keep *content* under *name*; give the id of the attachment.

    Raises:
        NotFound, NotAllowed: see `change`; *content* is not touched.
        ValueInvalid: a name that no file has; nothing logged.
        AttachmentRefused, AttachmentTooLarge: nothing kept.
        Whatever *content* raises: nothing kept.
    """
    named = values.file_name(name)
    attachment_id = uuid7()
    sealed: dict[str, Sealed] = {}
    wraps: list[WrappedKey] = []

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, Action.ADD_ATTACHMENT, facts),
            house.gate.open(who, Compartment.DOCUMENTS, facts),
        ]

    with Spool() as spool:

        async def receive(situation: Situation) -> None:
            head, rest = await _headed(content)
            kind = kind_of(head[:HEAD])
            key, wrap, sealer = await resealing.new_attachment(
                house, situation.row.lead_agency, attachment_id, case_file_id
            )
            await spool.add(sealer.update(head))
            async for piece in rest:
                if sealer.size + len(piece) > CONTENT_MOST:
                    raise AttachmentTooLarge
                await spool.add(sealer.update(piece))
            await spool.add(sealer.finish())
            await spool.flush()
            fields = ATTACHMENT_FIELDS
            wraps.append(wrap)
            sealed.update(
                resealing.seal_row(
                    key,
                    attachment_id,
                    {
                        fields["name"]: file_name_for(named, kind),
                        fields["mediaType"]: EXTENSIONS[kind][0],
                        fields["size"]: str(sealer.size),
                    },
                )
            )

        async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
            row = {
                "id": attachment_id,
                "case_file": case_file_id,
                "author": caller.member,
                "written_at": situation.now,
                "chunks": spool.chunks,
                "event": intent,
                **sealed,
            }
            lead = situation.row.lead_agency
            await attachments.insert_row(
                transaction, rights.sealed_row(house, lead, "attachment", row)
            )
            await key_wraps.insert_wraps(transaction, wraps)
            position = 0
            async for data in spool.read():
                await attachments.insert_chunk(transaction, attachment_id, position, data)
                position += 1
            return attachment_id

        return await change(
            house,
            caller,
            Changing(
                Action.ADD_ATTACHMENT,
                (RecordKind.CASE_FILE, case_file_id),
                (Compartment.DOCUMENTS,),
                tuple(sorted([ATTACHMENT_CONTENT, *ATTACHMENT_FIELDS])),
                ((RecordKind.ATTACHMENT, attachment_id),),
            ),
            ask,
            write,
            receive,
        )


async def _headed(content: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """Wait for the first HEAD bytes of *content*, or all of it; give them and the rest."""
    head = bytearray()
    async for piece in content:
        head += piece
        if len(head) > CONTENT_MOST:
            raise AttachmentTooLarge
        if len(head) >= HEAD:
            break
    return bytes(head), content
