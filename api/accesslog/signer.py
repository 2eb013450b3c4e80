"""The signer: vouches for heads that it has followed itself, leaf by leaf.

Its last size, root and peaks stand in a file outside the database. It reads only
leaf hashes since then, adds them to its own peaks, and signs if and only if that
gives the head's root: a head that is shorter, or that leaves out or changes what
was signed for, never gets a signature. A lock on a file makes one process of a
host the signer of a log; another takes over when it ends.
"""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import structlog

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.signer_state import SignerState, load_state, write_state
from api.accesslog.tree import HASH_SIZE, Head, Tree
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, LogNotContinued, LogUnavailable, RefusesToStart

#: Seconds between two looks at the head: a checkpoint is at most 1 s old under load.
INTERVAL: Final = 0.9
#: Leaf hashes that are followed at once; about 3 ms, then others have their turn.
STRIDE: Final = 2_048

_log = structlog.get_logger()


class Source(Protocol):
    """What the signer reads and writes of a log; every ledger's Writer is one."""

    async def state(self) -> Head:
        """Read the head and its peaks."""

    async def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read leaf hashes from *start* on, joined: those up to *stop*, or fewer."""

    async def put_checkpoint(self, size: int, note: str) -> None:
        """Store a signed checkpoint of a head that exists; twice is once."""


class Signer:
    """Signs checkpoints of the log *origin* with *key*, and keeps its state at *path*."""

    def __init__(self, path: Path, key: SigningKey, origin: str) -> None:
        """Touch nothing yet; `start` does."""
        self._path = path
        self._key = key
        self._origin = origin
        self._lock: int | None = None
        #: Followed and saved by this process, while it holds the lock.
        self._head: Head | None = None
        self._signed = 0
        #: The command that is under way, and is named in the state until it is done.
        self._unfinished: str | None = None
        #: What this log's signer said of keys so far.
        self._notes: tuple[str, ...] = ()

    @property
    def verifier_key(self) -> VerifierKey:
        """What others need to check the signatures."""
        return VerifierKey(self._origin, ED25519, self._key.public)

    async def start(
        self,
        source: Source,
        *,
        adopt: bool = False,
        alone: bool = False,
        command: str | None = None,
    ) -> None:
        """Compare the log with the state; events may be taken only after this.

        Args:
            adopt: vouch for a log that is not empty though there is no state yet.
            alone: refuse where another process of this host is the signer.
            command: what changes the key or the name of the log. It stands in the state,
                so that nothing else signs, until `done`; only it goes on where it was cut off.

        Raises:
            LogNotContinued: the log is shorter than or different from what was signed for.
            RefusesToStart: it is not empty and there is no state; the key is not the one
                that signed before; another process signs; or a command was cut off.
        """
        mine = self._take_lock()
        if alone and not mine:
            raise self._not_alone()
        state = self._state(command)
        if state is None:
            head = await source.state()
            if head.size > 0 and not adopt:
                raise RefusesToStart(
                    f"The access log has {head.size} entries, but there is no signer state at "
                    f"{self._path}. Restore that file; without it nobody can tell whether "
                    "entries were removed."
                )
            state = Tree().head()
        try:
            head = await self._follow(source, state)
        except LogBroken as broken:
            raise LogNotContinued(
                f"The access log does not continue what was signed for in {self._path} "
                f"({broken}). Do not serve: keep the database as it is and investigate."
            ) from None
        if mine:
            self._unfinished = command
            await asyncio.to_thread(self._save, head)

    async def sign(
        self, source: Source, extensions: tuple[str, ...] = (), *also: SigningKey
    ) -> Checkpoint | None:
        """Sign for the head, if it is new and this process is the signer.

        The state is on the disk before the note is given to anybody.

        Args:
            extensions: lines that the checkpoint has besides.
            also: keys that sign it besides.

        Raises:
            LogBroken: the head does not continue what was signed for.
            LogUnavailable: the database does not answer.
            OSError: the state cannot be saved.
        """
        if not self._take_lock():
            return None
        if self._head is None:
            self._head = self._state(self._unfinished)
        if self._head is None:
            raise LogBroken(str(self._path), "the signer's state is gone")
        head = await self._follow(source, self._head)
        if head.size == self._signed:
            return None
        checkpoint = Checkpoint(self._origin, head.size, head.root, extensions)
        note = checkpoint.sign(self._key, *also)
        if extensions:
            self._notes += (note,)
        if head != self._head or extensions:
            await asyncio.to_thread(self._save, head)
        await source.put_checkpoint(head.size, note)
        self._signed = head.size
        return checkpoint

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other signer of this host away while the block runs.

        Raises:
            RefusesToStart: another process signs.
        """
        if not self._take_lock():
            raise self._not_alone()
        try:
            yield
        finally:
            self.close()

    def done(self, key: SigningKey) -> None:
        """End the command that was given to `start`: from now on *key* signs."""
        if self._head is None:
            raise LogBroken(str(self._path), "the signer's state is gone")
        self._key, self._unfinished = key, None
        self._save(self._head)

    def close(self) -> None:
        """Let another process be the signer."""
        lock, self._lock, self._head = self._lock, None, None
        if lock is not None:
            os.close(lock)

    def _not_alone(self) -> RefusesToStart:
        return RefusesToStart(
            f"Another process of this host signs with the state {self._path}. Stop it first."
        )

    def _state(self, command: str | None) -> Head | None:
        """Read the state, if it is that of this key and nothing was cut off in between."""
        state = load_state(self._path, self._origin)
        if state is None:
            return None
        if state.unfinished not in (None, command):
            raise RefusesToStart(
                f"`perisai log {state.unfinished}` was cut off. Run it again before anything else."
            )
        if state.unfinished is None and state.key not in (None, str(self.verifier_key)):
            raise RefusesToStart(
                f"The signing key is not the one that signed before, {state.key}. "
                "Restore that one; `perisai log change-key` makes another follow it."
            )
        self._notes = state.notes
        return state.head

    def _take_lock(self) -> bool:
        if self._lock is not None:
            return True
        # A file of its own: the state file is replaced, and a lock would go with it.
        path = self._path.with_name(f"{self._path.name}.lock")
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            raise RefusesToStart(f"The lock {path} of the signer cannot be made.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    @staticmethod
    async def _follow(source: Source, state: Head) -> Head:
        """Add what came since *state* to it; give the head if that leads there."""
        tree = Tree.at(state)
        head = await source.state()
        if head.size < tree.size:
            raise LogBroken(f"head {head.size}", f"{tree.size} entries were signed for")
        while tree.size < head.size:
            hashes = await source.leaf_hashes(tree.size, min(head.size, tree.size + STRIDE))
            if not hashes or len(hashes) % HASH_SIZE:
                raise LogBroken(f"entry {tree.size}", "is missing")
            for at in range(0, len(hashes), HASH_SIZE):
                tree.append(hashes[at : at + HASH_SIZE])
            await asyncio.sleep(0)
        if tree.size != head.size or tree.root() != head.root:
            raise LogBroken(f"head {head.size}", "it does not continue what was signed for")
        return tree.head()

    def _save(self, head: Head) -> None:
        key = str(self.verifier_key)
        state = SignerState(self._origin, head, key, self._unfinished, self._notes)
        write_state(self._path, state)
        self._head = head


async def sign_forever(
    signer: Signer,
    source: Source,
    *,
    broken: Callable[[LogBroken], None],
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Sign for every new head until cancelled.

    Args:
        broken: called once, before this returns, if the log no longer continues
            what was signed for; let it shut the ledger.
    """
    while True:
        try:
            await signer.sign(source)
        except LogBroken as error:
            _log.critical("log_broken", place=error.place, what=error.what)
            broken(error)
            return
        except (LogUnavailable, OSError, RefusesToStart) as error:
            _log.error("checkpoint_not_signed", error=type(error).__name__)
        await pause(INTERVAL)
