"""Rotate the data keys of an owner: each record of its own sealed anew, while the service runs.

Which records are done stands in their own rows: the number of the rotation that made
each key. So a run goes on where another was cut off, and two runs share the work.
"""

from collections.abc import Sequence
from uuid import UUID

from api.casework.attachment_rotation import exchange_attachment
from api.casework.house import House
from api.casework.key_exchange import Exchanged, exchange
from api.casework.rotating import (
    Pace,
    Progress,
    Rotated,
    event_of,
    finish,
    start,
    told,
    touched_by,
)
from api.casework.sharing import settle
from api.crypto.key_service import KeyKind
from api.store import key_exchange as store
from api.store.sealed_fields import ATTACHMENT_CONTENT, SealedField
from api.store.sealed_records import SEALED_RECORDS, SealedRecord
from api.vocabulary import Action, Reason

_KIND = "data"


async def rotate_data(house: House, owner: str, pace: Pace, progress: Progress) -> Rotated:
    """Rotate the data keys of the records of *owner*, or go on with what was cut off.

    Each transaction has its own intent and outcome in the log, which name the records
    before they are opened; a record that was left is named in an event of its own.

    Raises:
        KeysUnavailable, LogUnavailable, StoreUnavailable: cut off; run it again.
    """
    await house.keyring.changes.newest(owner, KeyKind.KEK)  # Of served owners only.
    number = await start(house, owner, _KIND)
    async with house.records.look() as look:
        total = sum([await store.count_due(look, of, owner, number) for of in SEALED_RECORDS])
    rotated = Rotated()
    progress(0, total)
    seen = 0
    for of in SEALED_RECORDS:
        after: UUID | None = None
        # An attachment may be large: each is a step of its own.
        most = pace.records if of.chunks is None else 1
        while records := await _due(house, of, owner, number, after, most):
            exchanged = await _exchange(house, of, owner, records, number, pace)
            rotated.done += len(exchanged.done)
            rotated.broken += sorted(exchanged.broken)
            rotated.given_again += sorted(exchanged.given_again)
            if exchanged.given_again:
                await settle(house)  # At once: until then they open for their giver only.
            seen += len(records)
            progress(seen, max(total, seen))
            after = records[-1]
    await finish(house, owner, _KIND, number)
    return rotated


async def _due(
    house: House, of: SealedRecord, owner: str, number: int, after: UUID | None, most: int
) -> list[UUID]:
    async with house.records.look() as look:
        return await store.due(look, of, owner, number, after, most)


async def _exchange(
    house: House,
    of: SealedRecord,
    owner: str,
    records: Sequence[UUID],
    number: int,
    pace: Pace,
) -> Exchanged:
    fields: list[SealedField] = [*of.fields, *(f for part in of.parts for f in part.fields)]

    async def once() -> Exchanged:
        if of.chunks is not None:
            [attachment_id] = records
            return await exchange_attachment(house, owner, attachment_id, number)
        async with house.records.change() as change:
            return await exchange(house, change, of, owner, records, number)

    content = () if of.chunks is None else (ATTACHMENT_CONTENT,)
    touched = touched_by(fields, of.kind, records, content=content)
    event = event_of(house, Action.ROTATE_DATA_KEYS, owner, [touched])
    exchanged = await told(house, event, lambda: pace.step(once))
    if exchanged.broken:
        broken = sorted(exchanged.broken)
        left = touched_by(fields, of.kind, broken, Reason.SEAL_BROKEN, content)
        await house.ledger.append(event_of(house, Action.ROTATE_DATA_KEYS, owner, [left]))
    return exchanged
