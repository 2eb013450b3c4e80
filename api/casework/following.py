"""What is followed: one look at the database for all who wait for a change.

A mark says that something changed, never what, and nobody is shown one: whoever is woken
reads again, is decided on again, and is told what that reading shows. So a mark may be of
a case file that its follower no longer sees, and a new alert is no news for anybody yet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from api.database import Connection, Records
from api.errors import StoreUnavailable

_log = structlog.get_logger("perisai.following")

#: Seconds between two looks: the longest that a change waits to be told.
LOOK_EVERY = 2.0

_Key = TypeVar("_Key")
_Mark = TypeVar("_Mark")

#: From what is followed to the mark of each; what has none is not there.
ReadMarks = Callable[[Connection, Collection[_Key]], Awaitable[Mapping[_Key, _Mark]]]


@dataclass(slots=True, eq=False)
class _Follower(Generic[_Key, _Mark]):
    key: _Key
    mark: _Mark | None
    wake: Callable[[], None]


class Following(Generic[_Key, _Mark]):
    """Everybody in this process who follows something of one kind; one a process and kind."""

    def __init__(self, read: ReadMarks[_Key, _Mark]) -> None:
        """Begin with nobody.

        Args:
            read: reads the marks of what is followed.
        """
        self._read = read
        self._followers: set[_Follower[_Key, _Mark]] = set()

    def follow(self, key: _Key, mark: _Mark, wake: Callable[[], None]) -> Callable[[], None]:
        """Call *wake* after each change of *key* since *mark*; give what ends that."""
        follower = _Follower[_Key, _Mark](key, mark, wake)
        self._followers.add(follower)
        return lambda: self._followers.discard(follower)

    async def look(self, records: Records) -> None:
        """Look once, for all, and wake whoever follows what changed; for nobody, do not look.

        Raises:
            StoreUnavailable: the database does not answer; what changed is found by the next.
        """
        asked = set(self._followers)
        if not asked:
            return
        async with records.look() as connection:
            found = await self._read(connection, {one.key for one in asked})
        for one in asked & self._followers:
            mark = found.get(one.key)
            if mark != one.mark:
                one.mark = mark
                one.wake()

    async def look_forever(
        self, records: Records, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Look again and again, until cancelled."""
        while True:
            await pause(LOOK_EVERY)
            try:
                await self.look(records)
            except StoreUnavailable:
                _log.error("followed_not_looked_at")

    def __repr__(self) -> str:
        """Show how many, not who follows what."""
        return f"<following, {len(self._followers)} followers>"
