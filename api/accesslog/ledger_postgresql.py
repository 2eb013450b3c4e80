"""The ledger's writer for PostgreSQL: one function call, one round trip a batch.

The role behind it may execute `append` and nothing else, so that even this process
cannot change what is written. What the signer reads and writes is behind another role.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg

from api.accesslog.ledger_session import PostgresqlSession
from api.accesslog.tree import EMPTY_ROOT, Head
from api.errors import LogBroken

_APPEND = "select done, size, root, peaks from accesslog.append($1, $2, $3, $4)"
_STATE = "select size, root, peaks from accesslog.state()"
_LEAF_HASHES = "select accesslog.leaf_hashes($1, $2)"
_PUT_CHECKPOINT = "select accesslog.put_checkpoint($1, $2)"
#: A batch of nothing: the answer is the head.
_NOTHING: Final[tuple[object, ...]] = (0, (), (), b"")


class PostgresqlWriter:
    """Writes to the log at *url*, with the role of the service."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._session = PostgresqlSession(url)

    async def open(self) -> None:
        """Connect, and prove that a commit is on the disk before it returns."""
        await self._session.open(_APPEND, *_NOTHING)

    async def state(self) -> Head:
        """Read the head and its peaks."""
        return _head(await self._session.ask(_APPEND, *_NOTHING))

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        """Commit a batch at the head; give the head after it if that was not at *expected*."""
        row = await self._session.ask(_APPEND, expected, bodies, hashes, root)
        if not row["done"]:
            raise LogBroken(f"head {row['size']}", f"the log was {expected} long before")
        return None if row["size"] is None else _head(row)

    async def close(self) -> None:
        """Disconnect."""
        await self._session.close()


class PostgresqlSource:
    """What the signer reads and writes of the log at *url*, with the signer's role."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._session = PostgresqlSession(url)

    async def open(self) -> None:
        """Connect, and prove that a commit is on the disk before it returns."""
        await self._session.open(_STATE)

    async def state(self) -> Head:
        """Read the head and its peaks."""
        return _head(await self._session.ask(_STATE))

    async def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read leaf hashes from *start* on, joined, at most 65,536."""
        row = await self._session.ask(_LEAF_HASHES, start, stop)
        hashes: bytes = row[0]
        return hashes

    async def put_checkpoint(self, size: int, note: str) -> None:
        """Store a signed checkpoint, unless there is one of this size."""
        await self._session.ask(_PUT_CHECKPOINT, size, note)

    async def close(self) -> None:
        """Disconnect."""
        await self._session.close()


def _head(row: asyncpg.Record) -> Head:
    return Head(row["size"], EMPTY_ROOT if row["size"] == 0 else row["root"], row["peaks"])
