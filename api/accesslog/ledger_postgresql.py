"""The ledger's writer for PostgreSQL: one function call, one round trip a batch.

The role behind it may execute the functions of the log and nothing else, so that
even this process cannot change what is written.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from api.accesslog.tree import EMPTY_ROOT, Head
from api.errors import LogUnavailable, PerisaiError, RefusesToStart

#: Milliseconds; below the callers' patience. It counts the wait for other writers.
STATEMENT_LIMIT: Final = 1_800
#: Seconds that we wait for a server that does not answer at all.
ANSWER_LIMIT: Final = 2.5

_APPEND = "select done, size, root, peaks from accesslog.append($1, $2, $3, $4)"
_STATE = "select size, root, peaks from accesslog.state()"
_LEAF_HASHES = "select accesslog.leaf_hashes($1, $2)"
_PUT_CHECKPOINT = "select accesslog.put_checkpoint($1, $2)"
_SETTINGS = (
    "select current_setting('fsync') as fsync,"
    " current_setting('full_page_writes') as full_page_writes,"
    " current_setting('synchronous_commit') as synchronous_commit"
)


class PostgresqlWriter:
    """Writes to the log at *url* (with or without SQLAlchemy's driver name).

    It holds one connection, which it makes anew after any failure.
    """

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        # The driver alone says "sslmode" where SQLAlchemy's addresses say "ssl".
        self._url = re.sub(
            r"(?<=[?&])ssl=", "sslmode=", url.replace("postgresql+asyncpg://", "postgresql://", 1)
        )
        self._connection: asyncpg.Connection[Any] | None = None
        # A connection does one thing at a time.
        self._turn = asyncio.Lock()
        self._open = False

    def __repr__(self) -> str:
        """Show nothing: the address holds a password."""
        return "<writer of the access log>"

    async def open(self) -> None:
        """Connect and prove that a commit is on the disk before it returns."""
        self._open = True
        await self._ask(_STATE)

    async def state(self) -> Head:
        """Read the head and its peaks."""
        [row] = await self._ask(_STATE)
        return _head(row)

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        """Commit a batch at *expected*; if the head is elsewhere, give it and write nothing."""
        [row] = await self._ask(_APPEND, expected, bodies, hashes, root)
        return None if row["done"] is True else _head(row)

    async def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Read leaf hashes from *start* on, joined, at most 65,536."""
        [row] = await self._ask(_LEAF_HASHES, start, stop)
        hashes: bytes = row[0]
        return hashes

    async def put_checkpoint(self, size: int, note: str) -> None:
        """Store a signed checkpoint, unless there is one of this size."""
        await self._ask(_PUT_CHECKPOINT, size, note)

    async def close(self) -> None:
        """Disconnect."""
        self._open = False
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    await connection.close(timeout=ANSWER_LIMIT)
                except (asyncpg.PostgresError, OSError, TimeoutError):
                    connection.terminate()

    async def _ask(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement in a transaction of its own; return after its commit."""
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_LIMIT):
                    connection = self._connection
                    if connection is None or connection.is_closed():
                        connection = self._connection = await self._connect()
                    # `fetch` returns when the server is ready again: after the commit.
                    # The driver keeps the statement prepared.
                    return await connection.fetch(query, *args)
            except BaseException as error:
                # Whatever happened, this connection is in doubt.
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.terminate()
                if isinstance(error, PerisaiError) or not isinstance(error, Exception):
                    raise
                raise LogUnavailable from None

    async def _connect(self) -> "asyncpg.Connection[Any]":
        if not self._open:
            raise LogUnavailable
        connection = await asyncpg.connect(
            self._url,
            timeout=ANSWER_LIMIT,
            server_settings={
                "application_name": "perisai-ledger",
                "statement_timeout": str(STATEMENT_LIMIT),
                "idle_in_transaction_session_timeout": str(STATEMENT_LIMIT),
                "synchronous_commit": "on",
                "default_transaction_isolation": "read committed",
                "jit": "off",
            },
        )
        try:
            settings = await connection.fetchrow(_SETTINGS)
            weak = [
                f"{name}={value}"
                for name, value in (settings or {"settings": "unknown"}).items()
                if value != "on"
            ]
            if weak:
                raise RefusesToStart(
                    f"The access log's database does not sync its commits: {', '.join(weak)}."
                )
        except BaseException:
            connection.terminate()
            raise
        return connection


def _head(row: asyncpg.Record) -> Head:
    return Head(row["size"], EMPTY_ROOT if row["size"] == 0 else row["root"], row["peaks"])
