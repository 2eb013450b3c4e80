"""The ledger's writer for SQLite: one thread, one connection, one hop a batch."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from api.accesslog.tree import HASH_SIZE, Head, cover, fold
from api.errors import LogUnavailable, RefusesToStart

#: Seconds that a batch waits for another process's transaction; below the callers'
#: patience, so that what fails, fails with its reason known.
LOCK_LIMIT: Final = 1.5
#: `pragma synchronous`: 2 is FULL, every commit is synced to the disk; 3 is EXTRA.
FULL: Final = 2
#: Leaf hashes in one answer.
MAX_HASHES: Final = 65_536

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class SqliteWriter:
    """Writes to the log in the file *path*, which the migrations have made."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        #: Device and inode of the open file.
        self._file = (0, 0)

    async def open(self) -> None:
        """Open the file and prove that a commit is on the disk before it returns."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        await self._in_thread(self._connect)

    async def state(self) -> Head:
        """Read the head and its peaks."""
        return await self._in_thread(self._state)

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        """Commit a batch at *expected*; if the head is elsewhere, give it and write nothing."""
        return await self._in_thread(self._append, expected, bodies, hashes, root)

    async def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read leaf hashes from *start* on, joined, at most 65,536."""
        return await self._in_thread(self._leaf_hashes, start, stop)

    async def put_checkpoint(self, size: int, note: str) -> None:
        """Store a signed checkpoint, unless one as new is there."""
        await self._in_thread(self._put_checkpoint, size, note)

    async def close(self) -> None:
        """Close the file and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
            thread.shutdown()

    async def _in_thread(
        self,
        work: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **_: _Arguments.kwargs,
    ) -> _Result:
        if self._thread is None:
            raise LogUnavailable
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work, *args)
        except sqlite3.Error:
            raise LogUnavailable from None

    # -- in the thread ------------------------------------------------------------

    def _connect(self) -> None:
        if not self._path.is_file():
            raise RefusesToStart(f"There is no access log at {self._path}. Run 'perisai migrate'.")
        # mode=rw: a log that vanished meanwhile is not made anew, empty.
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=LOCK_LIMIT,
        )
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma trusted_schema = off")
            journal = connection.execute("pragma journal_mode").fetchone()[0]
            synchronous = connection.execute("pragma synchronous").fetchone()[0]
            if journal != "wal" or synchronous < FULL:
                raise RefusesToStart(
                    f"The access log {self._path} does not sync its commits: "
                    f"journal_mode={journal}, synchronous={synchronous}."
                )
            self._file = self._standing()
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _standing(self) -> tuple[int, int]:
        """Say which file stands at the path now.

        A file that was moved away or replaced stays open and would take events that
        nobody will ever see.
        """
        try:
            found = self._path.stat()
        except OSError:
            raise LogUnavailable from None
        return found.st_dev, found.st_ino

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ready(self) -> sqlite3.Connection:
        if self._connection is None or self._standing() != self._file:
            raise LogUnavailable
        return self._connection

    def _state(self) -> Head:
        connection = self._ready()
        connection.execute("begin")
        try:
            return _head(connection)
        finally:
            connection.execute("rollback")

    def _append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        connection = self._ready()
        connection.execute("begin immediate")
        try:
            (size,) = connection.execute("select coalesce(max(size), 0) from head").fetchone()
            if size != expected:
                return _head(connection)
            connection.executemany(
                "insert into entry (idx, body, hashes) values (?, ?, ?)",
                zip(range(expected, expected + len(bodies)), bodies, hashes, strict=True),
            )
            connection.execute(
                "insert into head (size, start, root) values (?, ?, ?)",
                (expected + len(bodies), expected, root),
            )
            connection.execute("commit")
            return None
        finally:
            if connection.in_transaction:
                connection.execute("rollback")

    def _leaf_hashes(self, start: int, stop: int) -> bytes:
        rows = self._ready().execute(
            "select substr(hashes, 1, 32) from entry where idx >= ? and idx < ? order by idx",
            (start, min(stop, start + MAX_HASHES)),
        )
        return b"".join(row[0] for row in rows)

    def _put_checkpoint(self, size: int, note: str) -> None:
        self._ready().execute(
            "insert into checkpoint (size, note) select :size, :note "
            "where exists (select 1 from head where size = :size) "
            "and not exists (select 1 from checkpoint where size >= :size)",
            {"size": size, "note": note},
        )


def _head(connection: sqlite3.Connection) -> Head:
    newest = connection.execute("select size, root from head order by size desc limit 1").fetchone()
    size, root = newest or (0, fold([]))
    peaks = b""
    for node in cover(0, size):
        row = connection.execute(
            "select substr(hashes, ?, ?) from entry where idx = ?",
            (1 + HASH_SIZE * node.level, HASH_SIZE, node.row),
        ).fetchone()
        peaks += b"" if row is None else row[0]
    return Head(size, root, peaks)
