"""The watch over checkpoints, by a process that need not hold the key that signs them.

It compares the newest checkpoint with the log, counts how long events have been
without one, and says when that is too long. The signer can only stop signing: this is
how everybody else notices, and closes.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.log_keys import LogKeys
from api.accesslog.proofs import check_consistency
from api.accesslog.reader import LogReader
from api.errors import (
    LogBroken,
    LogNotContinued,
    LogUnavailable,
    NoteInvalid,
    ProofInvalid,
    RefusesToStart,
)

#: Seconds between two looks; far below any limit that makes sense.
INTERVAL: Final = 5.0
#: Seconds between two looks while somebody waits for a checkpoint.
WAITING_INTERVAL: Final = 0.1
#: Seconds in which a living signer has signed for a new event, also right after its start.
SIGNED_WITHIN: Final = 10.0
#: How many of the newest notes are looked at for one that a known key signed.
NOTES: Final = 64

_log = structlog.get_logger("perisai.log")


class CheckpointWatch:
    """Tells whether checkpoints by a key of *keys* that counts still follow *log*."""

    def __init__(
        self,
        log: LogReader,
        keys: LogKeys,
        *,
        alarm: float,
        limit: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at nothing yet.

        Args:
            alarm: seconds that an event may be without a checkpoint; then `health` says so.
            limit: the same; then `check` refuses, until there is a checkpoint again.
        """
        self._reader = log
        self._keys = keys
        self._alarm = alarm
        self._limit = limit
        self._clock = clock
        #: Sizes of the log that no checkpoint covered yet, and when each was first seen.
        self._unsigned: deque[tuple[int, float]] = deque()
        self._said: str | None = None
        self._broken = False
        #: The newest checkpoint that holds; None before the first.
        self.newest: Checkpoint | None = None

    @property
    def lag(self) -> float:
        """Seconds for which the oldest event without a checkpoint is known to this process."""
        return self._clock() - self._unsigned[0][1] if self._unsigned else 0.0

    def check(self) -> None:
        """Let an event be taken.

        Raises:
            LogUnavailable: the log is broken, or too long without a checkpoint.
        """
        if self._broken or self.lag > self._limit:
            raise LogUnavailable

    def health(self) -> None:
        """Prove that checkpoints follow.

        Raises:
            LogUnavailable: they are later than they may be.
        """
        if self._broken or self.lag > self._alarm:
            raise LogUnavailable

    def broken(self, _error: LogBroken) -> None:
        """Take no event ever again: the log was found not to hold."""
        self._broken = True

    async def start(self, now: Callable[[], datetime]) -> None:
        """Compare the log with its newest checkpoint; events may be taken only after this.

        Raises:
            LogNotContinued: the log is shorter than what was signed for, or another one.
            RefusesToStart: there are events that nobody signed for in a long time.
        """
        try:
            size = await self._compare()
        except LogBroken as broken:
            raise LogNotContinued(
                f"The access log does not continue its newest checkpoint ({broken}). "
                "Do not serve: keep the database as it is and investigate."
            ) from None
        signed = 0 if self.newest is None else self.newest.size
        oldest = await self._reader.event(signed) if size > signed else None
        if oldest is not None and now() - oldest.at > timedelta(seconds=self._limit):
            raise RefusesToStart(
                f"The access log has {size} entries, and no checkpoint for those from {signed} on. "
                "Start `perisai log sign` first, and see that `log_keys` names its key."
            )

    async def covered(
        self,
        size: int,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Wait for a checkpoint of at least *size*: whoever signs lives and accepts this log.

        Raises:
            RefusesToStart: none came within 10 seconds, or before it is time to alarm.
            LogNotContinued: one came, and it is not of this log.
        """
        within = min(SIGNED_WITHIN, self._alarm)
        end = self._clock() + within
        while self.newest is None or self.newest.size < size:
            if self._clock() > end:
                raise RefusesToStart(
                    f"Nobody signed a checkpoint of the access log within {within:g} s. "
                    "See that `perisai log sign` runs, and what it says."
                )
            await pause(WAITING_INTERVAL)
            await self.look()
            if self._broken:
                raise LogNotContinued("The access log is not the one that is signed for.")

    async def look(self) -> None:
        """Compare once, and tell in the service's log what is wrong since when."""
        try:
            size = await self._compare()
        except LogBroken as error:
            if not self._broken:
                _log.critical("log_broken", place=error.place, what=error.what)
            self._broken = True
            return
        except LogUnavailable:
            # What is known gets older; whether events can be taken is the ledger's to say.
            size = 0
        signed = 0 if self.newest is None else self.newest.size
        while self._unsigned and self._unsigned[0][0] <= signed:
            self._unsigned.popleft()
        if size > (self._unsigned[-1][0] if self._unsigned else signed):
            self._unsigned.append((size, self._clock()))
        self._tell(signed)

    async def look_forever(
        self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Look again and again until cancelled; a look that has begun is ended."""
        while True:
            await pause(INTERVAL)
            looking = asyncio.create_task(self.look())
            try:
                await asyncio.shield(looking)
            except asyncio.CancelledError:
                # A query that is cut off would leave its connection behind.
                await looking
                raise

    def _tell(self, signed: int) -> None:
        """Say a change of state once."""
        lag = self.lag
        state = "stopped" if lag > self._limit else "late" if lag > self._alarm else None
        if state == self._said:
            return
        self._said = state
        if state == "stopped":
            _log.critical("checkpoints_stopped", signed=signed, seconds=round(lag))
        elif state == "late":
            _log.error("checkpoints_late", signed=signed, seconds=round(lag))
        else:
            _log.info("checkpoints_again", signed=signed)

    async def _compare(self) -> int:
        """Read the newest checkpoint and the head, and prove that the one leads to the other.

        Returns:
            The size of the log.

        Raises:
            LogBroken: the log is shorter than the checkpoint, or not its continuation.
        """
        newest = await self._newest_signed()
        head = await self._reader.head()
        if newest is not None and newest != self.newest:
            if newest.size > head.size:
                raise LogBroken(f"head {head.size}", f"{newest.size} entries were signed for")
            path = await self._reader.consistency(newest.size, head.size)
            try:
                check_consistency(newest.size, head.size, newest.root, head.root, path)
            except ProofInvalid:
                raise LogBroken(
                    f"head {head.size}", f"it does not continue checkpoint {newest.size}"
                ) from None
        elif self.newest is not None and head.size < self.newest.size:
            raise LogBroken(f"head {head.size}", f"{self.newest.size} entries were signed for")
        if newest is not None and (self.newest is None or newest.size >= self.newest.size):
            self.newest = newest
        return head.size

    async def _newest_signed(self) -> Checkpoint | None:
        """Give the newest checkpoint that a known key signed; others count for nothing."""
        stored = self._reader.tables.checkpoint
        async with self._reader.snapshot() as connection:
            notes = await connection.scalars(
                select(stored.c.note).order_by(stored.c.size.desc()).limit(NOTES)
            )
        newest = list(notes)
        # A change of keys is followed while it happens; who starts later is given the new key.
        self._keys.learn(reversed(newest))
        for note in newest:
            try:
                return self._keys.open(note)
            except NoteInvalid:
                continue
        return None
