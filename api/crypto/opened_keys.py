"""Keys that were just unwrapped, kept for a moment in front of a key service elsewhere.

A call over the network for every opening would make the key service the slowest part
of every page. What is kept is bound to its full context and lives for `seconds` from
the moment it was asked for; no use prolongs it. Every opening has read its wrap from
the database before it asks here, so a wrap that is gone opens nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from api.crypto.key_service import KeyKind, KeyService, KeyStatus
from api.errors import KeysUnavailable, SealBroken

#: Seconds: a person who leafs through a case file asks for the same keys again and
#: again within a minute; for longer a destroyed key would go on opening here.
SECONDS = 60.0

#: Keys: 50 pages of 100 case files with two compartments each; measured 4 MB.
MOST = 10_000

#: Owner, context, KEK version, wrapped key: everything that the answer depends on.
_Wrap = tuple[str, bytes, int, bytes]

#: From seconds and what is to be done then to a handle of it, as an event loop does.
Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


class _Flight(NamedTuple):
    """One call under way, and what it asks for."""

    task: "asyncio.Task[dict[_Wrap, bytes]]"
    wraps: frozenset[_Wrap]


class OpenedKeys:
    """A key service that remembers what it unwrapped; it shows nothing."""

    def __init__(
        self,
        service: KeyService,
        *,
        seconds: float = SECONDS,
        most: int = MOST,
        monotonic: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        """Stand in front of *service*, which is closed with this.

        Args:
            later: sets the clock's alarm; else the running loop does.
        """
        self._service = service
        self._seconds = seconds
        self._most = most
        self._monotonic = monotonic
        self._later = later
        #: When it ends, and the key; the oldest first.
        self._kept: dict[_Wrap, tuple[float, bytes]] = {}
        self._flights: dict[_Wrap, _Flight] = {}
        self._alarm: asyncio.TimerHandle | None = None
        #: Keys by owner: given to whoever asked here, and got from the service for that.
        self._given: Counter[str] = Counter()
        self._got: Counter[str] = Counter()

    async def unwrap_many(
        self, owner: str, items: Sequence[tuple[bytes, int, bytes]]
    ) -> list[bytes]:
        """Unwrap each (context, KEK version, wrapped key), asking once for what is not kept.

        Raises:
            KeysUnavailable, SealBroken: as the service says; nothing of it is kept.
        """
        if not items:
            return await self._service.unwrap_many(owner, items)
        wraps: list[_Wrap] = [(owner, *item) for item in items]
        keys = self._still_kept(wraps)
        missing = [wrap for wrap in dict.fromkeys(wraps) if wrap not in keys]
        joined = {wrap: self._flights[wrap] for wrap in missing if wrap in self._flights}
        alone = [wrap for wrap in missing if wrap not in joined]
        flights = {flight.task: flight for flight in joined.values()}
        if alone:
            flight = self._begin(owner, alone)
            flights[flight.task] = flight
        for flight in flights.values():
            mine = [wrap for wrap in missing if wrap in flight.wraps]
            keys |= await self._land(owner, flight, mine)
        self._given[owner] += len(wraps)
        return [keys[wrap] for wrap in wraps]

    def unwrapped(self) -> Mapping[str, int]:
        """Give how many keys of each owner were given out: kept ones, and past this cache.

        What the service counts and nobody asked for here was asked of it directly.
        """
        counted = self._service.unwrapped()
        return {
            owner: self._given[owner] + counted.get(owner, 0) - self._got[owner]
            for owner in {*self._given, *counted}
        }

    def _begin(self, owner: str, wraps: list[_Wrap]) -> _Flight:
        """Ask for *wraps* in a task of its own: whoever began it may go away."""
        task = asyncio.create_task(self._fly(owner, wraps), name="unwrap")
        task.add_done_callback(_looked_at)
        flight = _Flight(task, frozenset(wraps))
        self._flights |= dict.fromkeys(wraps, flight)
        return flight

    async def _fly(self, owner: str, wraps: list[_Wrap]) -> dict[_Wrap, bytes]:
        ends = self._monotonic() + self._seconds
        this = asyncio.current_task()
        own: list[_Wrap] = []
        try:
            keys = await self._ask(owner, wraps)
        finally:
            # What is no longer registered was forgotten meanwhile: its key may be destroyed.
            own = [w for w in wraps if w in self._flights and self._flights[w].task is this]
            for wrap in own:
                del self._flights[wrap]
        self._keep({wrap: keys[wrap] for wrap in own}, ends)
        return keys

    async def _land(self, owner: str, flight: _Flight, mine: list[_Wrap]) -> dict[_Wrap, bytes]:
        try:
            return await asyncio.shield(flight.task)
        except SealBroken:
            if flight.wraps <= set(mine):
                raise
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if flight.task.cancelled() and waiting is not None and not waiting.cancelling():
                raise KeysUnavailable from None  # Closed; whoever waits was not cancelled.
            raise
        # Another's wrap in the same call may be the broken one.
        return await self._ask(owner, mine)

    async def _ask(self, owner: str, wraps: list[_Wrap]) -> dict[_Wrap, bytes]:
        keys = await self._service.unwrap_many(owner, [wrap[1:] for wrap in wraps])
        self._got[owner] += len(wraps)
        return dict(zip(wraps, keys, strict=True))

    def _still_kept(self, wraps: list[_Wrap]) -> dict[_Wrap, bytes]:
        self._sweep()
        now = self._monotonic()
        kept = ((wrap, self._kept.get(wrap)) for wrap in wraps)
        return {wrap: found[1] for wrap, found in kept if found is not None and now < found[0]}

    def _keep(self, keys: dict[_Wrap, bytes], ends: float) -> None:
        self._kept |= {wrap: (ends, key) for wrap, key in keys.items()}
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        self._set_alarm()

    def _sweep(self) -> None:
        """Drop what has ended. (Of two calls that overtook each other the later one's first.)"""
        now = self._monotonic()
        while self._kept:
            oldest = next(iter(self._kept))
            if now < self._kept[oldest][0]:
                return
            del self._kept[oldest]

    def _set_alarm(self) -> None:
        if self._alarm is None and self._kept:
            later = self._later or asyncio.get_running_loop().call_later
            self._alarm = later(self._seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._sweep()
        self._set_alarm()

    def _forget(self, owner: str, versions: Sequence[int] = ()) -> None:
        """Forget all keys of *owner*, and those on their way, but of *versions*."""
        for wraps in (self._kept, self._flights):
            for wrap in [w for w in wraps if w[0] == owner and w[2] not in versions]:
                del wraps[wrap]

    async def rotate(self, owner: str, kind: KeyKind, unless: int | None = None) -> int:
        """Add a new version; nothing of *owner* is kept."""
        try:
            return await self._service.rotate(owner, kind, unless)
        finally:
            self._forget(owner)

    async def destroy_below(self, owner: str, kind: KeyKind, version: int) -> None:
        """Destroy every version below *version*; nothing of *owner* is kept, even if it fails."""
        try:
            await self._service.destroy_below(owner, kind, version)
        finally:
            self._forget(owner)

    async def refresh(self) -> None:
        """Take over what another process changed; forget what only a lost version opens."""
        await self._service.refresh()
        for owner in {wrap[0] for wrap in (*self._kept, *self._flights)}:
            self._forget(owner, await self._service.versions(owner, KeyKind.KEK))

    async def wrap_many(
        self, owner: str, items: Sequence[tuple[bytes, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Ask the service; nothing is kept."""
        return await self._service.wrap_many(owner, items)

    async def prf_many(
        self, owner: str, label: bytes, items: Sequence[bytes], version: int
    ) -> list[bytes]:
        """Ask the service; nothing is kept."""
        return await self._service.prf_many(owner, label, items, version)

    async def versions(self, owner: str, kind: KeyKind) -> list[int]:
        """Ask the service."""
        return await self._service.versions(owner, kind)

    async def health(self) -> None:
        """Ask the service itself: what is kept proves nothing of it."""
        await self._service.health()

    async def status(self) -> list[KeyStatus]:
        """Ask the service."""
        return await self._service.status()

    async def close(self) -> None:
        """Forget everything and close the service."""
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = {flight.task for flight in self._flights.values()}
        self._flights.clear()
        self._kept.clear()
        for task in tasks:
            task.cancel()
        await self._service.close()

    def __repr__(self) -> str:
        """Show nothing."""
        return "<opened keys>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")


def _looked_at(task: "asyncio.Task[dict[_Wrap, bytes]]") -> None:
    """Take note of a failure that nobody waits for any more; asyncio would print it."""
    if not task.cancelled():
        task.exception()
