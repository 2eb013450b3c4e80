"""Retire versions of a key: destroyed for good, once nothing stands under them any more.

From then on no backup opens that was taken while they were the newest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.casework import key_use
from api.casework.house import House
from api.casework.index_rotation import retag
from api.casework.kek_rotation import rewrap
from api.casework.rotating import Pace, event_of, told
from api.crypto.key_service import KeyKind, KeyStatus
from api.store import key_use as store
from api.store import rotations
from api.vocabulary import Action

#: How long after a process took a version over it may still have a change under way
#: with the one before: three statements at their limit (`database.STATEMENT_LIMIT`).
SETTLING = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Retired:
    """The versions below *floor* were destroyed."""

    floor: int


@dataclass(frozen=True, slots=True)
class NothingToRetire:
    """There is one version only, or every older one is kept.

    Attributes:
        newest_age: how old the version is that everything stands under.
    """

    newest_age: timedelta


@dataclass(frozen=True, slots=True)
class StillUsed:
    """Nothing was destroyed.

    Attributes:
        floor: below which something still stands.
        rows: how many of each table.
        processes: how many use an older version.
        settling: how many took a newer one over a moment ago.
    """

    floor: int
    rows: Mapping[str, int]
    processes: int = 0
    settling: int = 0


async def retire(
    house: House,
    owner: str,
    kind: KeyKind,
    older_than: timedelta | None,
    *,
    pace: Pace | None = None,
    silence: timedelta = key_use.SILENCE,
    settling: timedelta = SETTLING,
) -> Retired | NothingToRetire | StillUsed:
    """Destroy the versions of a key that are *older_than* that, or None: all but the newest.

    What processes that had not heard of the newest version made late is taken along first.

    Raises:
        KeysUnavailable, LogUnavailable, StoreUnavailable: cut off; run it again.
    """
    changes = house.keyring.changes
    await changes.refresh()
    await changes.newest(owner, kind)  # Of served owners only.
    versions = await changes.status(owner, kind)
    newest, now = versions[-1], house.now()
    floor = floor_of(versions, older_than, now)
    if floor == versions[0].version:
        return NothingToRetire(now - newest.made)

    async def do() -> Retired | StillUsed:
        take_along = rewrap if kind is KeyKind.KEK else retag
        await take_along(house, owner, newest.version, pace or Pace(), lambda _done, _of: None)
        blocked = await _blocked(house, owner, kind, floor, silence, settling)
        if blocked is not None:
            return blocked
        async with house.records.change() as change:
            await store.hold_off_writers(change, kind.value)
            rows = await rotations.rows_below(change, owner, kind.value, floor)
            if rows:
                return StillUsed(floor, rows)
            await store.raise_floor(change, owner, kind.value, floor)
            await store.forget_until(change, now - silence)
        # No row stands under them, and none can come: the database refuses it.
        await changes.destroy_below(owner, kind, floor)
        return Retired(floor)

    return await told(house, event_of(house, Action.RETIRE_KEYS, owner), do)


def floor_of(versions: Sequence[KeyStatus], older_than: timedelta | None, now: datetime) -> int:
    """Give the lowest version that stays: every one above it does, and the newest always."""
    kept = [v.version for v in versions if older_than is not None and now - v.made < older_than]
    return min([*kept, versions[-1].version])


async def _blocked(
    house: House,
    owner: str,
    kind: KeyKind,
    floor: int,
    silence: timedelta,
    settling: timedelta,
) -> StillUsed | None:
    async with house.records.look() as look:
        rows = await rotations.rows_below(look, owner, kind.value, floor)
    uses = await key_use.live(house, owner, kind, silence)
    older = sum(use.version < floor for use in uses)
    fresh = sum(use.version >= floor and house.now() - use.since < settling for use in uses)
    return StillUsed(floor, rows, older, fresh) if rows or older or fresh else None
