"""A wall clock that jumps while the service runs is noticed, logged, and closes if put back.

The wall clock is compared with one that only counts, since the start or the last jump:
many small steps are one large one. Put forward, rights end too early, which closes by
itself; put back, what had ended would open again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from api.casework.house import House
from api.casework.recording import event_of_service
from api.errors import LogUnavailable
from api.vocabulary import Action

_log = structlog.get_logger("perisai.clock")

#: A jump is more than this. A time service slews by far less; a machine that was asleep,
#: or whose clock was set, is off by more.
STEP_LIMIT = timedelta(seconds=10)
#: Seconds between two looks: as long may a clock that was put back be believed.
LOOK_EVERY = 1.0

_MILLISECOND = timedelta(milliseconds=1)


class ClockWatch:
    """Compares the house's clock with one that is never set; one a process."""

    def __init__(
        self, house: House, monotonic: Callable[[], float], *, back: Callable[[], None]
    ) -> None:
        """Take the present moment of both as right; `perisai` compared it with the log.

        Args:
            monotonic: seconds by a clock that is never set.
            back: called when the clock was put back, whether or not that could be logged;
                let it shut the ledger.
        """
        self._house = house
        self._monotonic = monotonic
        self._back = back
        self._since = (house.now(), monotonic())

    async def look(self) -> bool:
        """Compare; after a jump append an event. Tell whether the clock may be gone on with."""
        now, counted = self._house.now(), self._monotonic()
        expected = self._expected(counted)
        step = now - expected
        if abs(step) <= STEP_LIMIT:
            return True
        _log.critical("clock_stepped", seconds=round(step.total_seconds()))
        back = step < timedelta(0)
        try:
            await self._append(expected, step)
        except LogUnavailable:
            if not back:
                return True  # Not taken over, so that the next look tells it.
        if back:
            self._back()
            return False
        self._since = (now, counted)
        return True

    async def look_forever(
        self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Look again and again, until cancelled or the clock was put back."""
        while await self.look():
            await pause(LOOK_EVERY)

    def _expected(self, counted: float) -> datetime:
        wall, began = self._since
        return wall + timedelta(seconds=counted - began)

    async def _append(self, expected: datetime, step: timedelta) -> None:
        house = self._house
        await house.ledger.append(
            # The moment that it should be: with the other, a start after a step back
            # would not see that the clock is behind the log.
            event_of_service(
                Action.CLOCK_STEP,
                expected,
                request="clock",
                policy=house.gate.policy_hash,
                agencies=sorted(house.keyring.owners),
                step=step // _MILLISECOND,
            )
        )
