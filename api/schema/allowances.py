"""How much one member may ask for: points in an hour, and requests at once.

Points are counted in the memory of the process, or in a Redis that several processes
share. While that does not answer each process counts for itself: a counter that is down
opens nothing and closes nothing. It holds ids of members and numbers.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from math import floor
from typing import Any, cast
from uuid import UUID

import structlog
from limits import RateLimitItemPerHour
from limits.aio.storage import MemoryStorage, RedisStorage, SlidingWindowCounterSupport
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from api.errors import CallerBusy, PointsExhausted
from api.turns import Turns

_log = structlog.get_logger("perisai.schema")

#: Points per member and hour: ten a second, or a full page each ten seconds.
POINTS_PER_HOUR = 36_000
#: Requests of one member at once: as many as a browser opens to one host, and two.
REQUESTS_AT_ONCE = 8

#: Seconds that the shared counter may take, and for which it is left alone if it did not answer.
_PATIENCE = 0.25
_PAUSE = 10.0

#: A refusal is held back for twice as long as the one before it; so often it doubles.
_DOUBLINGS = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member has left.

    Attributes:
        reset: seconds until the hour ends in which it was spent; from then on it comes back.
    """

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Say it as the headers of an answer."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(self.reset),
        }


class Allowances:
    """The allowances of all members at one process; who makes it closes it."""

    def __init__(
        self,
        points: int = POINTS_PER_HOUR,
        at_once: int = REQUESTS_AT_ONCE,
        *,
        shared: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing spent.

        Args:
            shared: address of a Redis, `redis://`, `rediss://` or `unix://`; nothing is
                asked of it yet.
        """
        self._item = RateLimitItemPerHour(points, namespace="perisai")
        self._at_once = at_once
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool: Any = None
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if shared is not None:
            from redis.asyncio import ConnectionPool  # a tenth of a second at the start

            self._pool = ConnectionPool.from_url(
                shared, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
            )
            self._shared = SlidingWindowCounterRateLimiter(
                RedisStorage(
                    "async+redis://",
                    wrap_exceptions=True,
                    implementation="redispy",
                    key_prefix="perisai",
                    connection_pool=self._pool,
                )
            )
        self._monotonic = monotonic
        self._alone_until = float("-inf")
        self._under_way: Counter[UUID] = Counter()
        #: Refusals of each member that are held back beside those.
        self._held: Counter[UUID] = Counter()
        #: How many refusals each member got in a row; whoever gets none is not in it.
        self._in_a_row: Counter[UUID] = Counter()
        self._checks: Turns[UUID] = Turns()

    async def close(self) -> None:
        """Let the connections go."""
        if self._pool is not None:
            await self._pool.aclose()

    @contextmanager
    def one_more(self, member: UUID) -> Iterator[None]:
        """Count one request of *member* while the block lasts.

        Raises:
            CallerBusy: as many as may be are under way.
        """
        under_way = self._under_way
        if under_way[member] >= self._at_once:
            raise CallerBusy
        under_way[member] += 1
        try:
            yield
        finally:
            under_way[member] -= 1
            if not under_way[member]:
                del under_way[member]

    @contextmanager
    def held(self, member: UUID) -> Iterator[bool]:
        """Count one that is held back while the block lasts; False: too many are, answer it.

        Each takes a connection, of which a process has a bounded number for all members.
        """
        few = self._held[member] < self._at_once
        self._held[member] += 1
        try:
            yield few
        finally:
            self._held[member] -= 1
            if not self._held[member]:
                del self._held[member]

    @asynccontextmanager
    async def one_check(self, member: UUID, breath: float) -> AsyncIterator[None]:
        """Check one document of *member* at a time; after a refusal so many seconds apart.

        To find out that a document is too much may take all of the processor for some
        milliseconds: many at once, one after the other, would be a pause for everybody.
        """
        async with self._checks.turn(member):
            if member in self._in_a_row:
                await asyncio.sleep(breath)
            yield

    def refused(self, member: UUID) -> int:
        """Note a refusal of *member*; say for how many pauses it is held back."""
        self._in_a_row[member] += 1
        return int(2 ** min(self._in_a_row[member] - 1, _DOUBLINGS))

    def answered(self, member: UUID) -> None:
        """Note that *member* got an answer, so that the next refusal is a first one."""
        self._in_a_row.pop(member, None)

    async def spend(self, member: UUID, points: int) -> None:
        """Take *points* of *member*: all of them, or none.

        Raises:
            PointsExhausted: fewer are left.
        """
        if not await self._ask(lambda by: by.hit(self._item, str(member), cost=points)):
            raise PointsExhausted

    async def standing(self, member: UUID) -> Standing:
        """Say what *member* has left; nothing is spent."""
        key, hour = self._item.key_for(str(member)), self._item.get_expiry()
        before, before_ends, current, ends = await self._ask(
            lambda by: cast(SlidingWindowCounterSupport, by.storage).get_sliding_window(key, hour)
        )
        # Of the hour before counts the part that is still in the window.
        spent = floor(before * before_ends / hour + current)
        reset = round(ends % hour) if before or current else 0
        return Standing(self._item.amount, max(0, self._item.amount - spent), reset)

    async def _ask(self, question: Callable[[SlidingWindowCounterRateLimiter], Any]) -> Any:
        if self._shared is not None and self._monotonic() >= self._alone_until:
            try:
                return await question(self._shared)
            except (StorageError, OSError) as error:
                # The text may hold the address, and so a password.
                _log.warning("points_unshared", error=type(error).__name__)
                self._alone_until = self._monotonic() + _PAUSE
        return await question(self._own)

    def __repr__(self) -> str:
        """Show how many, not who."""
        return f"<allowances, {self._under_way.total()} requests under way>"
