"""A session on the log's PostgreSQL: proven at each connection, in doubt after any failure."""

import asyncio
import re
from typing import Any, Final

import asyncpg

from api.errors import LogUnavailable, PerisaiError, RefusesToStart

#: Milliseconds; below the callers' patience. It counts the wait for other writers.
STATEMENT_LIMIT: Final = 1_800
#: Seconds that we wait for a server that does not answer at all.
ANSWER_LIMIT: Final = 2.5

_SETTINGS = (
    "select current_setting('fsync') as fsync,"
    " current_setting('full_page_writes') as full_page_writes,"
    " current_setting('synchronous_commit') as synchronous_commit"
)
#: A transaction as a whole, PostgreSQL 17 and later; before, the other limits must do.
_WHOLE_TRANSACTION = (
    "select set_config(name, $1, false) from pg_settings where name = 'transaction_timeout'"
)
#: SQLSTATEs of a database without a log, or with one that is not for this role, and why.
_NO_LOG: Final = {
    "28000": "does not let this role in",
    "28P01": "does not let this role in",
    "3D000": "is not there",
    "3F000": "has no access log yet, run 'perisai migrate'",
    "42501": "does not let this role use the log, see docs/operations.md",
    "42883": "has an access log of another version, run 'perisai migrate'",
    "P0001": "has an access log of another version, run 'perisai migrate'",
}


class PostgresqlSession:
    """One connection to *url* (with or without SQLAlchemy's driver name).

    It is made anew after any failure. Whoever uses it sees a commit that is on the
    disk, or LogUnavailable; after that it is not known whether there was one.
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
        return "<session on the access log>"

    async def open(self, first: str, *args: object) -> None:
        """Connect, and prove with a *first* statement that there is a log for this role.

        Raises:
            RefusesToStart: there is none, or a commit would not be durable.
            LogUnavailable: the database does not answer.
        """
        self._open = True
        try:
            await self._run(first, *args)
        except PerisaiError:
            raise
        except Exception as error:
            why = _NO_LOG.get(getattr(error, "sqlstate", None) or "")
            if why is None:
                raise LogUnavailable from None
            raise RefusesToStart(f"The access log's database {why}.") from None

    async def ask(self, query: str, *args: object) -> asyncpg.Record:
        """Run one statement in a transaction of its own; give its row after the commit."""
        try:
            return await self._run(query, *args)
        except PerisaiError:
            raise
        except Exception:
            raise LogUnavailable from None

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

    async def _run(self, query: str, *args: object) -> asyncpg.Record:
        row: asyncpg.Record
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_LIMIT):
                    connection = self._connection
                    if connection is None or connection.is_closed():
                        connection = self._connection = await self._connect()
                    # It returns when the server is ready again: after the commit. The
                    # driver keeps the statement prepared.
                    [row] = await connection.fetch(query, *args)
            except BaseException:
                # Whatever happened, this connection is in doubt.
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.terminate()
                raise
            return row

    async def _connect(self) -> "asyncpg.Connection[Any]":
        if not self._open:
            raise LogUnavailable
        connection = await asyncpg.connect(
            self._url,
            timeout=ANSWER_LIMIT,
            server_settings={
                "application_name": "perisai-ledger",
                "statement_timeout": str(STATEMENT_LIMIT),
                "lock_timeout": str(STATEMENT_LIMIT),
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
            await connection.fetch(_WHOLE_TRANSACTION, str(STATEMENT_LIMIT))
        except BaseException:
            connection.terminate()
            raise
        return connection
