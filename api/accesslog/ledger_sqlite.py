"""The ledger's writer for SQLite: one thread, one connection, one hop a batch."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from api.accesslog.ledger_thread import OneThread
from api.accesslog.tree import HASH_SIZE, Head, Tree, cover, fold
from api.errors import LogBroken, LogUnavailable, RefusesToStart

#: Seconds that a batch waits for another process's transaction; below the callers'
#: patience, so that what fails, fails with its reason known.
LOCK_LIMIT: Final = 1.5
#: Seconds until SQLite's waiting begins anew: it asks after 1, 2, 5, 10 ms, and so on to
#: 100 ms, at which a process that appends all the time would always be faster.
ASK_AGAIN: Final = 0.02
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
        self._thread: OneThread | None = None
        self._connection: sqlite3.Connection | None = None
        #: Device and inode of the open file.
        self._file = (0, 0)

    async def open(self) -> None:
        """Open the file and prove that a commit is on the disk before it returns."""
        self._thread = OneThread("ledger")
        await self._in_thread(self._connect)

    async def state(self) -> Head:
        """Read the head and its peaks."""
        return await self._in_thread(self._state)

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        """Commit a batch at the head; give the head after it if that was not at *expected*."""
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
            await thread.run(self._disconnect)
            thread.end()

    async def _in_thread(
        self,
        work: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **_: _Arguments.kwargs,
    ) -> _Result:
        if self._thread is None:
            raise LogUnavailable
        try:
            return await self._thread.run(work, *args)
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
            timeout=ASK_AGAIN,
        )
        try:
            _patiently(connection, "pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma trusted_schema = off")
            journal = connection.execute("pragma journal_mode").fetchone()[0]
            synchronous = connection.execute("pragma synchronous").fetchone()[0]
            if journal != "wal" or synchronous < FULL:
                raise RefusesToStart(
                    f"The access log {self._path} does not sync its commits: "
                    f"journal_mode={journal}, synchronous={synchronous}."
                )
            connection.execute("select max(size) from head")
            self._file = self._standing()
        except sqlite3.DatabaseError as error:
            connection.close()
            # The kind alone: no table, or no database at all; else it may be for a while.
            if error.sqlite_errorcode in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB):
                raise RefusesToStart(
                    f"What is at {self._path} is no access log. Run 'perisai migrate'."
                ) from None
            raise
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
        _patiently(connection, "begin immediate")
        try:
            (size,) = connection.execute("select coalesce(max(size), 0) from head").fetchone()
            if size < expected:
                raise LogBroken(f"head {size}", f"the log was {expected} long before")
            moved: Head | None = None
            if size > expected:  # Another process was faster.
                tree = Tree.at(_head(connection))
                hashes = [tree.append(grown[:HASH_SIZE]) for grown in hashes]
                moved = tree.head()
                root = moved.root
            connection.executemany(
                "insert into entry (idx, body, hashes) values (?, ?, ?)",
                zip(range(size, size + len(bodies)), bodies, hashes, strict=True),
            )
            connection.execute(
                "insert into head (size, start, root) values (?, ?, ?)",
                (size + len(bodies), size, root),
            )
            connection.execute("commit")
            return moved
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
        _patiently(
            self._ready(),
            "insert into checkpoint (size, note) select :size, :note "
            "where exists (select 1 from head where size = :size) "
            "and not exists (select 1 from checkpoint where size >= :size)",
            {"size": size, "note": note},
        )


def _patiently(
    connection: sqlite3.Connection, statement: str, parameters: dict[str, object] | None = None
) -> None:
    """Run what needs the one lock of a writer; wait for it, in turns with other processes."""
    until = time.monotonic() + LOCK_LIMIT
    while True:
        try:
            connection.execute(statement, parameters or {})
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= until:
                raise
        else:
            return


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
