"""What a witness has seen: of each log the largest tree it cosigned, in a SQLite file.

Rows are only added, and the newest of a log counts. A witness whose state is lost or
put back could cosign two histories, so a file that is not there is never made anew by
opening it.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from api.accesslog.tree import EMPTY_ROOT
from api.errors import RefusesToStart, WitnessUnavailable

#: Seconds that a request waits for another process's transaction.
LOCK_LIMIT: Final = 5.0
#: `pragma synchronous`: 2 is FULL, every commit is synced to the disk; 3 is EXTRA.
FULL: Final = 2

_MAKE: Final = (
    """
    create table seen (
        origin text not null,
        size integer not null check (size > 0),
        root blob not null check (typeof(root) = 'blob' and length(root) = 32),
        primary key (origin, size)
    ) without rowid
    """,
    """
    create trigger seen_in_order before insert on seen
    when new.size <= (select coalesce(max(size), 0) from seen where origin = new.origin)
    begin select raise(abort, 'a witness only goes forward'); end
    """,
    """
    create trigger seen_no_update before update on seen
    begin select raise(abort, 'a witness only goes forward'); end
    """,
    """
    create trigger seen_no_delete before delete on seen
    begin select raise(abort, 'a witness only goes forward'); end
    """,
)


class Seen(NamedTuple):
    """The largest tree of a log that was cosigned."""

    size: int
    root: bytes


#: Of a log that was never cosigned.
NOTHING: Final = Seen(0, EMPTY_ROOT)


class WitnessState:
    """The state in the file *path*; several threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        """Open the file and prove that a commit is on the disk before it returns.

        Raises:
            RefusesToStart: it is not there, is no state of a witness, or would not sync.
        """
        if not path.is_file():
            raise RefusesToStart(
                f"There is no state of a witness at {path}. A witness that lost its state must "
                "not go on under its name: make another one with `perisai witness create-key`."
            )
        self._path = path
        # A connection does one thing at a time.
        self._one_at_a_time = threading.Lock()
        # mode=rw: a state that vanished meanwhile is not made anew, empty.
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=LOCK_LIMIT,
            check_same_thread=False,
        )
        try:
            self._prove()
        except sqlite3.Error:
            self._connection.close()
            raise RefusesToStart(f"The file {path} is not the state of a witness.") from None
        except BaseException:
            self._connection.close()
            raise

    @staticmethod
    def create(path: Path) -> None:
        """Make an empty state in a new file that only the owner may read.

        Raises:
            FileExistsError: a state is never overwritten.
        """
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("pragma journal_mode = wal")
            for statement in _MAKE:
                connection.execute(statement)
        finally:
            connection.close()

    def latest(self, origin: str) -> Seen:
        """Give the largest tree of the log *origin* that was cosigned.

        Raises:
            WitnessUnavailable: the file does not answer.
        """
        with self._turn():
            self._still_there()
            return self._latest(origin)

    def advance(self, origin: str, seen: Seen, to: Seen) -> Seen | None:
        """Go from *seen* to *to*, on the disk when this returns, and give None.

        If the state is not at *seen* any more, write nothing and give where it is: a
        check that was made against *seen* says nothing then. *to* may be *seen*.

        Raises:
            WitnessUnavailable: the file does not answer; it is not known what it holds.
        """
        with self._turn():
            return self._advance(origin, seen, to)

    def close(self) -> None:
        """Close the file."""
        with self._one_at_a_time:
            self._connection.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Use the connection alone, and translate what the file answers."""
        if not self._one_at_a_time.acquire(timeout=LOCK_LIMIT):
            raise WitnessUnavailable
        try:
            yield
        except sqlite3.Error:
            raise WitnessUnavailable from None
        finally:
            self._one_at_a_time.release()

    def _advance(self, origin: str, seen: Seen, to: Seen) -> Seen | None:
        self._still_there()
        connection = self._connection
        connection.execute("begin immediate")
        try:
            now = self._latest(origin)
            if now != seen:
                return now
            if to.size > seen.size:
                connection.execute(
                    "insert into seen (origin, size, root) values (?, ?, ?)",
                    (origin, to.size, to.root),
                )
            connection.execute("commit")
            return None
        finally:
            if connection.in_transaction:
                connection.execute("rollback")

    def _latest(self, origin: str) -> Seen:
        row = self._connection.execute(
            "select size, root from seen where origin = ? order by size desc limit 1", (origin,)
        ).fetchone()
        return NOTHING if row is None else Seen(*row)

    def _prove(self) -> None:
        connection = self._connection
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma trusted_schema = off")
        journal = connection.execute("pragma journal_mode").fetchone()[0]
        synchronous = connection.execute("pragma synchronous").fetchone()[0]
        if journal != "wal" or synchronous < FULL:
            raise RefusesToStart(
                f"The witness state {self._path} does not sync its commits: "
                f"journal_mode={journal}, synchronous={synchronous}."
            )
        guards = connection.execute(
            "select count(*) from sqlite_master where tbl_name = 'seen' and sql is not null"
        ).fetchone()[0]
        if guards != len(_MAKE):
            raise RefusesToStart(f"The file {self._path} is not the state of a witness.")
        self._file = self._standing()

    def _still_there(self) -> None:
        """Refuse a file that was moved away or replaced: what it takes nobody will ever see."""
        if self._standing() != self._file:
            raise WitnessUnavailable

    def _standing(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            raise WitnessUnavailable from None
        return found.st_dev, found.st_ino
