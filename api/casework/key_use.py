"""What each running process makes new wraps and tags under, told every few seconds.

A version of a key is retired only when no process uses an older one any more. That is
a courtesy to processes, so that none has its rows refused; that no row is lost does
not rest on it, nor on any clock (`store.key_use.raise_floor`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from api.casework.house import House
from api.crypto.key_service import KeyKind
from api.errors import PerisaiError
from api.store import key_use
from api.store.key_use import KeyUse

_log = structlog.get_logger("perisai.key_use")

#: How often a process tells, in seconds.
TELLING = 5.0

#: After which silence a process counts as ended.
SILENCE = timedelta(seconds=60)


async def tell(house: House, process: UUID, kinds: Sequence[KeyKind] = tuple(KeyKind)) -> None:
    """Take over what changed in the key service, and say which versions are used from now on.

    Args:
        kinds: of keys that this process uses.

    Raises:
        KeysUnavailable, StoreUnavailable: nothing was said.
    """
    changes = house.keyring.changes
    await changes.refresh()
    now = house.now()
    uses = [
        KeyUse(process, owner, kind.value, await changes.newest(owner, kind), now, now)
        for owner in sorted(house.keyring.owners)
        for kind in kinds
    ]
    async with house.records.change() as change:
        await key_use.tell(change, process, uses)


async def _wait() -> None:
    await asyncio.sleep(TELLING)


async def tell_forever(
    house: House,
    process: UUID,
    kinds: Sequence[KeyKind] = tuple(KeyKind),
    wait: Callable[[], Awaitable[None]] = _wait,
) -> None:
    """Tell after each *wait*; what fails is reported and tried again."""
    while True:
        await wait()
        try:
            await tell(house, process, kinds)
        except PerisaiError as error:
            _log.warning("key_use_not_told", code=error.code)


async def forget(house: House, process: UUID) -> None:
    """Take away what *process* said, when it ends."""
    try:
        async with house.records.change() as change:
            await key_use.forget(change, process)
    except PerisaiError as error:
        _log.warning("key_use_not_told", code=error.code)


async def live(
    house: House, owner: str, kind: KeyKind, silence: timedelta = SILENCE
) -> list[KeyUse]:
    """List what the processes say that were heard of within *silence*."""
    async with house.records.look() as look:
        uses = await key_use.of_key(look, owner, kind.value)
    return [use for use in uses if use.seen_at > house.now() - silence]
