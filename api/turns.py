"""Turns: what one member sends at once waits in a line of its own, not before the others'."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from api.errors import CallerBusy

#: How many may wait in one line: each keeps one of the requests that the server has under way.
WAITING_MOST = 64

K = TypeVar("K")


class _Line:
    """Who has the turn, and how many are here, who has it included."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.here = 0


class Turns(Generic[K]):
    """One turn at a time for each key; a key that nobody waits with is forgotten."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._lines: WeakValueDictionary[K, _Line] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: K) -> AsyncIterator[None]:
        """Wait until all who came before with *key* are done, and hold the line meanwhile.

        Raises:
            CallerBusy: too many are waiting.
        """
        line = self._lines.get(key)
        if line is None:
            self._lines[key] = line = _Line()
        if line.here > WAITING_MOST:
            raise CallerBusy
        line.here += 1
        try:
            async with line.lock:
                yield
        finally:
            line.here -= 1
