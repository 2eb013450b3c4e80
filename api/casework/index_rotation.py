"""Rotate an index key: every defender's tags made anew under it, while the service runs.

A search asks under every version that its process knows. So no tag is replaced before
each running process has taken the new version over.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from api.casework import key_use
from api.casework.house import House
from api.casework.key_opening import open_keys
from api.casework.resealing import TAGGED, Value, tag_rows, tagged_values
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
from api.crypto.key_service import KeyKind
from api.errors import SealBroken
from api.store import key_exchange as store
from api.store import key_wraps, rotations
from api.store.sealed_fields import DEFENDER_FIELDS
from api.store.sealed_records import DEFENDERS
from api.vocabulary import Action, Reason

_log = structlog.get_logger("perisai.index_rotation")

_KIND = KeyKind.IDX
_FIELDS = [f for f in DEFENDER_FIELDS.values() if f.column in TAGGED]
_COMPARTMENTS = {f.compartment for f in _FIELDS}

#: Seconds between two looks at whether the processes have taken the new version over,
#: and how often to look: longer than a process may be silent.
_LOOK = 1.0
_LOOKS = 90


async def rotate_index(
    house: House,
    owner: str,
    pace: Pace,
    progress: Progress,
    silence: timedelta = key_use.SILENCE,
) -> Rotated:
    """Rotate the index key of *owner*, or go on with the rotation that was cut off.

    Raises:
        KeysUnavailable, LogUnavailable, StoreUnavailable: cut off; run it again.
    """
    changes = house.keyring.changes

    async def do() -> tuple[int, int]:
        await changes.refresh()
        least = await changes.newest(owner, _KIND) + 1
        number = await start(house, owner, _KIND.value, least)
        return number, await changes.advance(owner, _KIND, number)

    number, newest = await told(house, event_of(house, Action.ROTATE_INDEX_KEY, owner), do)
    for _ in range(_LOOKS):
        behind = await _behind(house, owner, newest, silence)
        if not behind:
            break
        await pace.pause(_LOOK)
    else:
        return Rotated(behind=behind)
    rotated = await retag(house, owner, newest, pace, progress)
    await finish(house, owner, _KIND.value, number)
    return rotated


async def _behind(house: House, owner: str, newest: int, silence: timedelta) -> int:
    uses = await key_use.live(house, owner, _KIND, silence)
    return sum(use.version < newest for use in uses)


async def retag(house: House, owner: str, newest: int, pace: Pace, progress: Progress) -> Rotated:
    """Make the tags of every defender who has one under a key older than *newest* anew.

    Opens what is tagged, so each transaction has its own intent and outcome in the log.

    Raises:
        KeysUnavailable, LogUnavailable, StoreUnavailable: cut off; what was done stays.
    """
    rotated = Rotated()
    async with house.records.look() as look:
        total = await store.count_tagged_below(look, owner, newest)
    progress(0, total)
    seen = 0
    after: UUID | None = None
    while records := await _next(house, owner, newest, after, pace.records):
        broken = await _retag(house, owner, records, pace)
        rotated.done += len(records) - len(broken)
        rotated.broken += broken
        seen += len(records)
        progress(seen, max(total, seen))
        after = records[-1]
    async with house.records.look() as look:
        rotated.rows_left = await rotations.rows_below(look, owner, _KIND.value, newest)
    return rotated


async def _next(house: House, owner: str, newest: int, after: UUID | None, most: int) -> list[UUID]:
    async with house.records.look() as look:
        return await store.tagged_below(look, owner, newest, after, most)


async def _retag(house: House, owner: str, records: Sequence[UUID], pace: Pace) -> list[UUID]:
    """Make the tags of *records* anew; give those that do not hold, whose tags stay."""

    async def once() -> list[UUID]:
        async with house.records.change() as change:
            rows = await store.lock(change, DEFENDERS, owner, records)
            stored = await key_wraps.of_records(change, owner, rows, _COMPARTMENTS)
            house.explained.add(owner, len(stored))
            keys = await open_keys(house, owner, stored)
            opened: dict[UUID, dict[str, Value]] = {}
            for record, values in rows.items():
                try:
                    opened[record] = tagged_values(keys, record, values)
                except SealBroken:
                    _log.error("seal_broken", table="defender")
            if opened:
                tags = await tag_rows(house, owner, opened)
                await store.replace_tags(change, owner, opened, tags)
        return sorted(set(records) - opened.keys())

    touched = touched_by(_FIELDS, DEFENDERS.kind, records)
    event = event_of(house, Action.ROTATE_INDEX_KEY, owner, [touched])
    broken = await told(house, event, lambda: pace.step(once))
    if broken:
        left = touched_by(_FIELDS, DEFENDERS.kind, broken, Reason.SEAL_BROKEN)
        await house.ledger.append(event_of(house, Action.ROTATE_INDEX_KEY, owner, [left]))
    return broken
