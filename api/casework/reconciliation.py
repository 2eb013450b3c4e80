"""Compare the keys that the key service gave out with those that events of this process named.

Both are counts, by owner. More keys than events explain means that something here opens
past `disclosure`. It finds a fault, and a key that is asked for behind its back; whoever
has taken the whole process over can change both counts.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from api.casework.house import House

#: Seconds between two looks; far longer than from an event to its opening (a permit: 3).
INTERVAL = 60.0

_log = structlog.get_logger("perisai.openings")


class Reconciliation:
    """Compares again and again; one a process."""

    def __init__(self, house: House) -> None:
        """Begin at zero: what the start opened is to be explained like everything."""
        self._house = house
        self._unwrapped: dict[str, int] = {}
        self._explained: dict[str, int] = {}
        #: Keys that were explained and not unwrapped yet.
        self._open: dict[str, int] = {}

    def look(self) -> dict[str, int]:
        """Compare once; give, and report, the keys of each owner that nothing explains."""
        unexplained = {}
        given, named = self._house.keyring.unwrapped(), self._house.explained.keys()
        for owner in sorted({*given, *named}):
            unwrapped, explained = given.get(owner, 0), named.get(owner, 0)
            more = explained - self._explained.get(owner, 0)
            left = self._open.get(owner, 0) + more - (unwrapped - self._unwrapped.get(owner, 0))
            self._unwrapped[owner], self._explained[owner] = unwrapped, explained
            # What did not open within a look (a broken wrap, a permit that ended) may not
            # explain something later: only what was explained since may be under way.
            self._open[owner] = max(0, min(left, more))
            if left < 0:
                unexplained[owner] = -left
                _log.critical(
                    "openings_unexplained",
                    owner=owner,
                    unexplained=-left,
                    unwrapped=unwrapped,
                    explained=explained,
                )
        return unexplained

    async def look_forever(
        self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Look until cancelled."""
        while True:
            await pause(INTERVAL)
            self.look()
