"""Give an attachment a new data key: read, checked and sealed anew with nothing locked.

Only what puts the result in the place of the old is a transaction, under the lock of
the case file: an attachment may be large.
"""

from collections.abc import Sequence
from uuid import UUID

from api.casework.attachment_resealing import replace, reseal
from api.casework.house import House
from api.casework.key_exchange import Exchanged, newest_of, shares_of, wraps_for_others
from api.casework.key_opening import open_keys
from api.casework.spool import Spool
from api.crypto.data_keys import WrappedKey
from api.errors import SealBroken, StaleRevision
from api.store import assignments, attachments
from api.store import key_exchange as store
from api.store.key_exchange import StoredWrap
from api.store.key_wraps import StoredKey

#: How often an attachment is begun again that somebody else changed meanwhile.
_TRIES = 3


async def exchange_attachment(
    house: House, owner: str, attachment_id: UUID, rotation: int
) -> Exchanged:
    """Exchange the data key of one attachment, unless *rotation* did it already.

    Raises:
        KeysUnavailable: *owner* is not served; nothing was written.
        StaleRevision: it is changed by somebody else, again and again.
    """
    for _ in range(_TRIES - 1):
        try:
            return await _once(house, owner, attachment_id, rotation)
        except StaleRevision:
            continue
    return await _once(house, owner, attachment_id, rotation)


async def _once(house: House, owner: str, attachment_id: UUID, rotation: int) -> Exchanged:
    out = Exchanged()
    async with house.records.snapshot() as snapshot:
        row = await attachments.by_id(snapshot, attachment_id)
        stored = await store.wraps(snapshot, [attachment_id])
    mine = [s.wrap for s in stored if s.wrap.owner == owner]
    theirs = [s.wrap for s in stored if s.wrap.owner != owner]
    done = all(s.rotation == rotation for s in stored if s.wrap.owner == owner)
    if row is None or done:  # Erased, or another run came first.
        return out
    house.explained.add(owner, len(mine))
    old = await open_keys(house, owner, [StoredKey(wrap) for wrap in mine])
    if len(old.keys) < len(mine):
        return Exchanged(broken={attachment_id})
    shares = await shares_of(house, mine, theirs, out)
    [key] = newest_of(old, [attachment_id])
    [(new, wrap)] = await house.keyring.successors(owner, [key])
    by_place = {(new.record, new.compartment): new}
    wraps = [wrap, *await wraps_for_others(house, by_place, shares, [attachment_id])]
    with Spool() as spool:
        try:
            values = await reseal(house, row, key, new, spool)
        except SealBroken:  # Reported where it was found.
            return Exchanged(broken={attachment_id})
        async with house.records.change() as change:
            await assignments.lock_case_file(change, row.case_file)
            if _keys(await store.wraps(change, [attachment_id])) != _keys(stored):
                raise StaleRevision
            await replace(change, row, values, spool)
            gone: list[WrappedKey] = [*mine, *theirs]
            await store.replace_wraps(change, gone, wraps, rotation)
    out.done.add(attachment_id)
    return out


def _keys(stored: Sequence[StoredWrap]) -> set[tuple[str, int, bytes]]:
    """Name the keys that are wrapped, and for whom; under which KEK does not matter."""
    return {(s.wrap.owner, s.wrap.version, s.wrap.commitment) for s in stored}
