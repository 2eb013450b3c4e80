"""A quiet process says that it lives: an event a minute, and so a checkpoint a minute.

Without it nobody could tell a log in which nothing happened from one whose newest part
was held back.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from api.casework.house import House
from api.casework.recording import event_of_service
from api.errors import LogUnavailable
from api.vocabulary import Action

_log = structlog.get_logger("perisai.heartbeat")

#: Seconds without an event of this process before it appends one.
BEAT_EVERY = 60.0


class Heartbeat:
    """Appends when the process has been quiet; one a process."""

    def __init__(
        self, house: House, last_append: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        """Take a clock that is never set, in seconds.

        Args:
            last_append: when, by that clock, the process last made an event durable.
        """
        self._house = house
        self._last = last_append
        self._monotonic = monotonic

    async def beat(self) -> float:
        """Append an event if one is due; give the seconds until the next may be.

        Raises:
            LogUnavailable: the event is not durable.
        """
        if self._quiet() >= BEAT_EVERY:
            house = self._house
            await house.ledger.append(
                event_of_service(
                    Action.HEARTBEAT,
                    house.now(),
                    request="heartbeat",
                    policy=house.gate.policy_hash,
                )
            )
        return max(1.0, BEAT_EVERY - self._quiet())

    async def beat_forever(
        self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Beat until cancelled; a log that takes no event is tried again soon."""
        wait = BEAT_EVERY
        while True:
            await pause(wait)
            try:
                wait = await self.beat()
            except LogUnavailable:
                _log.error("heartbeat_missed")
                wait = 1.0

    def _quiet(self) -> float:
        return self._monotonic() - self._last()
