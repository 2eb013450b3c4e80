"""Rotate a KEK: a new version, then every wrap of its owner under it, while the service runs.

Data keys and secrets pass through memory, wrapped before and after; no field is opened.
"""

from dataclasses import dataclass
from functools import partial

import structlog

from api.casework.house import House
from api.casework.rotating import Pace, Progress, Rotated, event_of, finish, start, told
from api.crypto.key_service import KeyKind
from api.store import key_wraps, rotations
from api.store.rotations import Place
from api.vocabulary import Action

_log = structlog.get_logger("perisai.kek_rotation")

_KIND = KeyKind.KEK

#: The most passes over the wraps, and the seconds before one more where another run, or
#: somebody who changes a record, held what was left.
_PASSES = 100
_HELD = 1.0


@dataclass(slots=True)
class _Pass:
    """One pass over the wraps: how many were read, replaced, and did not hold."""

    read: int = 0
    replaced: int = 0
    broken: int = 0


async def rotate_kek(house: House, owner: str, pace: Pace, progress: Progress) -> Rotated:
    """Rotate the KEK of *owner*, or go on with the rotation that was cut off.

    Raises:
        KeysUnavailable, LogUnavailable, StoreUnavailable: cut off; run it again.
    """

    async def do() -> Rotated:
        changes = house.keyring.changes
        await changes.refresh()
        least = await changes.newest(owner, _KIND) + 1
        number = await start(house, owner, _KIND.value, least)
        newest = await changes.advance(owner, _KIND, number)
        rotated = await rewrap(house, owner, newest, pace, progress)
        await finish(house, owner, _KIND.value, number)
        return rotated

    return await told(house, event_of(house, Action.ROTATE_KEK, owner), do)


async def rewrap(house: House, owner: str, newest: int, pace: Pace, progress: Progress) -> Rotated:
    """Wrap all that is wrapped for *owner* under a KEK older than *newest* anew.

    Raises:
        KeysUnavailable, StoreUnavailable: cut off; what was done stays.
    """
    rotated = Rotated()
    total = sum((await _left(house, owner, newest)).values())
    progress(0, total)
    rotated.done += await _rewrap_secrets(house, owner, newest)
    for _ in range(_PASSES):
        one = _Pass()
        after: Place | None = None
        while True:
            some = partial(_rewrap_some, house, owner, newest, after, pace.wraps)
            step, after = await pace.step(some)
            one.read += step.read
            one.replaced += step.replaced
            one.broken += step.broken
            rotated.done += step.replaced
            progress(rotated.done, max(total, rotated.done))
            if after is None:
                break
        if one.read == one.broken:  # One pass more takes along what was wrapped late.
            break
        if one.replaced == 0:
            await pace.pause(_HELD)
    rotated.rows_left = await _left(house, owner, newest)
    return rotated


async def _left(house: House, owner: str, newest: int) -> dict[str, int]:
    async with house.records.look() as look:
        return await rotations.rows_below(look, owner, _KIND.value, newest)


async def _rewrap_secrets(house: House, owner: str, newest: int) -> int:
    async with house.records.look() as look:
        secrets = await key_wraps.secrets_of(look, [owner])
    old = [secret for secret in secrets if secret.kek_version < newest]
    new = await house.keyring.changes.rewrap(owner, old)
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if b is not None]
    if len(pairs) < len(old):
        _log.error("seal_broken", table="owner_secret", owner=owner)
    async with house.records.change() as change:
        for a, b in pairs:
            await rotations.replace_secret(change, a, b)
    return len(pairs)


async def _rewrap_some(
    house: House, owner: str, newest: int, after: Place | None, most: int
) -> tuple[_Pass, Place | None]:
    """Rewrap the next wraps; give what became of them, and the place to go on from, if any."""
    async with house.records.look() as look:
        old = await rotations.wraps_below(look, owner, newest, after, most)
    if not old:
        return _Pass(), None
    new = await house.keyring.changes.rewrap(owner, old)
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if b is not None]
    broken = len(old) - len(pairs)
    if broken:
        _log.error("seal_broken", table="data_key", owner=owner, rows=broken)
    replaced = 0
    if pairs:
        async with house.records.change() as change:
            replaced = await rotations.replace_wraps(change, owner, pairs)
    last = old[-1]
    place = (last.record, last.compartment.value, last.version)
    return _Pass(len(old), replaced, broken), place
