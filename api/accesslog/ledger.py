"""The one way into the log: events in, indices out, each after a durable commit.

Callers queue their events; one task of the process takes what has gathered, writes
it as one batch and wakes them. Several processes append to one log optimistically:
a batch says where it believes the head to be and brings the hashes for that place;
if another process was faster, the database grows the tree anew where the head is, in
the same call, and tells where that was. So no batch is ever tried again, and they
come in the order in which they asked for the head. What is believed about the head is
forgotten before a write and remembered after its commit, so that no doubt survives
into the next batch.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from api.accesslog.event import NONCE_SIZE, Event, encode
from api.accesslog.tree import Head, Tree, leaf_hash
from api.errors import LogBroken, LogUnavailable

#: Events. A batch of 512 takes a few milliseconds; more only adds waiting.
MAX_BATCH: Final = 512
#: Events that wait, over all callers, before new ones are turned away.
MAX_WAITING: Final = 1024
#: Seconds that a caller waits for the durable commit, before it gets a 503.
PATIENCE: Final = 2.0
#: Seconds for the batches under way when the process ends.
CLOSING_LIMIT: Final = 5.0

_log = structlog.get_logger()


class Writer(Protocol):
    """What the ledger needs of a database; SQLite and PostgreSQL are the two.

    Every method raises LogUnavailable when the database does not answer; after
    that it is not known whether an `append` was committed.
    """

    async def open(self) -> None:
        """Connect.

        Raises:
            RefusesToStart: there is no log, or a commit would not be durable.
        """

    async def state(self) -> Head:
        """Read the head and its peaks."""

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        """Commit the entries at the head with the head after them.

        *hashes* and *root* are right for a head at *expected*, and None says that it
        was there. If it was further on, they are made anew from the *bodies*' leaf
        hashes, and the head after the entries is given.

        Raises:
            LogBroken: the log is shorter than *expected*; nothing is written.
        """

    async def close(self) -> None:
        """Disconnect."""


class _Waiting(NamedTuple):
    body: bytes
    done: asyncio.Future[int]


def fresh_nonce() -> bytes:
    """Give the randomness of one leaf."""
    return os.urandom(NONCE_SIZE)


class Ledger:
    """Appends events through *writer*; one per process and log.

    `start` before and `close` after; both once.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        nonces: Callable[[], bytes] = fresh_nonce,
        patience: float = PATIENCE,
    ) -> None:
        """Take the writer over: `start` opens and `close` closes it."""
        self._writer = writer
        self._nonces = nonces
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._tree: Tree | None = None
        #: The largest size that this process has seen committed.
        self._seen = 0
        self._open = False

    async def start(self) -> None:
        """Connect and begin to take events.

        Raises:
            RefusesToStart: there is no log, or a commit would not be durable.
            LogUnavailable: the database does not answer.
            LogBroken: its head does not fit its entries.
        """
        await self._writer.open()
        self._tree = self._believe(await self._writer.state())
        self._open = True
        self._task = asyncio.create_task(self._drain(), name="ledger")

    async def append(self, event: Event) -> int:
        """Make *event* durable and give its index; the first one is 0.

        Raises:
            LogUnavailable: not within the limit. The event may become durable all
                the same: the log may claim too much, never too little.
            LeafMalformed: the event holds something that no leaf may hold.
        """
        body = encode(event, self._nonces())
        if not self._open or len(self._waiting) >= MAX_WAITING:
            raise LogUnavailable
        loop = asyncio.get_running_loop()
        index: asyncio.Future[int] = loop.create_future()
        # A caller that is cancelled leaves its event in the queue: it is written anyway.
        self._waiting.append(_Waiting(body, index))
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        timer = loop.call_later(self._patience, _give_up, index)
        try:
            return await index
        finally:
            timer.cancel()

    async def health(self) -> None:
        """Prove that events can be taken.

        Raises:
            LogUnavailable: they cannot.
        """
        if not self._open or self._task is None or self._task.done():
            raise LogUnavailable
        try:
            async with asyncio.timeout(self._patience):
                head = await self._writer.state()
        except TimeoutError:
            raise LogUnavailable from None
        if head.size < self._seen:
            raise LogUnavailable

    def shut(self) -> None:
        """Take no further event: the log was found not to hold."""
        self._open = False

    async def close(self) -> None:
        """Write what waits, within a limit, and disconnect."""
        self._open = False
        task, self._task = self._task, None
        if task is not None:
            if self._wake is not None and not self._wake.done():
                self._wake.set_result(None)
            await asyncio.wait([task], timeout=CLOSING_LIMIT)
            task.cancel()
            await asyncio.wait([task])
        self._turn_away(self._waiting)
        self._waiting.clear()
        await self._writer.close()

    # -- the task -------------------------------------------------------------------

    async def _drain(self) -> None:
        """Write batch after batch until the ledger is closed and nothing waits."""
        while True:
            while not self._waiting:
                if not self._open:
                    return
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
            count = min(len(self._waiting), MAX_BATCH)
            batch = [self._waiting.popleft() for _ in range(count)]
            try:
                first = await self._write([waiting.body for waiting in batch])
            except LogBroken as broken:
                _log.critical("log_broken", place=broken.place, what=broken.what)
                self._open = False
                self._turn_away(batch)
            except Exception as error:
                # By its name only: a driver's message may carry the parameters.
                _log.error("log_batch_failed", error=type(error).__name__, events=len(batch))
                self._turn_away(batch)
            except BaseException:
                self._turn_away(batch)
                raise
            else:
                for index, waiting in enumerate(batch, first):
                    if not waiting.done.done():
                        waiting.done.set_result(index)

    async def _write(self, bodies: list[bytes]) -> int:
        """Commit one batch and give the index of its first entry."""
        leaves = [leaf_hash(body) for body in bodies]
        # Forgotten here, known again after the commit: an exception in between
        # leaves it open whether the commit happened, so that the head is read again.
        base, self._tree = self._tree, None
        if base is None:
            base = self._believe(await self._writer.state())
        grown = base.copy()
        hashes = [grown.append(leaf) for leaf in leaves]
        moved = await self._writer.append(base.size, bodies, hashes, grown.root())
        if moved is not None:
            grown = self._believe(moved, base.size + len(bodies))
        self._tree = grown
        self._seen = grown.size
        return grown.size - len(bodies)

    def _believe(self, head: Head, least: int = 0) -> Tree:
        """Take a head from the database over, unless it cannot be."""
        tree = Tree.at(head)
        least = max(least, self._seen)
        if tree.size < least:
            raise LogBroken(f"head {tree.size}", f"the log was {least} long before")
        self._seen = tree.size
        return tree

    @staticmethod
    def _turn_away(batch: Sequence[_Waiting] | deque[_Waiting]) -> None:
        for waiting in batch:
            _give_up(waiting.done)


def _give_up(index: asyncio.Future[int]) -> None:
    if not index.done():
        index.set_exception(LogUnavailable())
