"""Engines and transactions: the only place, beside the ledger, where a commit happens.

A reading takes one snapshot, so that rights, wraps and sealed bytes belong to
one moment; it is closed before the log is written. A change takes its locks
explicitly. The naming convention makes every constraint have the same name on
both databases.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Dialect, MetaData, Uuid, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from api.errors import RefusesToStart, StoreUnavailable

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: A statement of a request that runs longer than this is stuck, not slow (seconds).
STATEMENT_LIMIT = 10

#: Milliseconds that SQLite waits for another writer, and for readers when its
#: write-ahead log is emptied: writers wait meanwhile.
_BUSY_WAIT = 5_000
_SWEEP_WAIT = 250

Connection = AsyncConnection

_log = structlog.get_logger("perisai.database")


def metadata() -> MetaData:
    """Give an empty metadata with the naming convention."""
    return MetaData(naming_convention=NAMING)


def engine_of(url: str) -> AsyncEngine:
    """Make the engine for *url* (`sqlite+aiosqlite:` or `postgresql+asyncpg:`)."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_async_engine(url, hide_parameters=True)
        _explicit_transactions(engine)
        dialect = engine.dialect
        dialect.colspecs = {**dialect.colspecs, Uuid: _Ids}
        return engine
    return create_async_engine(
        url,
        pool_size=16,
        max_overflow=16,
        hide_parameters=True,
        connect_args={
            "server_settings": {
                # One plan for all values of a prepared statement: the planner would
                # otherwise be asked again for each of the first executions.
                "plan_cache_mode": "force_generic_plan",
                "statement_timeout": f"{STATEMENT_LIMIT}s",
                "idle_in_transaction_session_timeout": f"{STATEMENT_LIMIT}s",
                "jit": "off",
            }
        },
    )


@lru_cache(maxsize=4_096)
def _id(text: str) -> UUID:
    return UUID(text)


class _Ids(Uuid[UUID]):
    """Ids as SQLite holds them: to parse one takes longer than to read a whole row.

    A page reads each id several times, in its own row and in those that name it.
    """

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], UUID | None]:
        return lambda value: None if value is None else _id(value)


def _explicit_transactions(engine: AsyncEngine) -> None:
    """Make SQLite begin where we begin: the driver begins only before a write."""

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=wal",
            "synchronous=full",
            # What is deleted, wraps above all, is overwritten, whatever the build's default.
            "secure_delete=on",
            "foreign_keys=on",
            f"busy_timeout={_BUSY_WAIT}",
        ):
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        how = connection.get_execution_options().get("perisai_begin", "begin")
        if how is not None:
            connection.exec_driver_sql(how)


#: Of how many of the tables the role may act as the owner: none, if the database is not its.
_OWNED = text(
    "select count(*) from pg_class where relname = any(:tables)"
    " and relnamespace = current_schema()::regnamespace and pg_has_role(relowner, 'USAGE')"
    " and (select pg_has_role(datdba, 'USAGE') from pg_database"
    " where datname = current_database())"
)


async def clean(url: str, tables: Sequence[str]) -> None:
    """Rewrite *tables*, and on SQLite the whole file, so that no page keeps what is gone.

    Both take exclusive locks and space for a copy. PostgreSQL's write-ahead log keeps
    older pages until its segments are used again.

    Args:
        url: on PostgreSQL with the role that owns the tables.

    Raises:
        RefusesToStart: it is another role, which PostgreSQL would only warn of.
    """
    engine = engine_of(url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT", perisai_begin=None)
            if engine.dialect.name == "sqlite":
                for statement in ("vacuum", "pragma wal_checkpoint(truncate)"):
                    await connection.exec_driver_sql(statement)
            else:
                owned = await connection.scalar(_OWNED, {"tables": list(tables)})
                if owned != len(tables):
                    raise RefusesToStart(
                        "Only the role that owns the records' database and its tables can "
                        "rewrite them: set PERISAI_RECORDS_OWNER_URL."
                    )
                await connection.exec_driver_sql("set statement_timeout = 0")
                for table in tables:
                    await connection.exec_driver_sql(f"vacuum (full, analyze) {table}")
                # ANALYZE keeps samples of every column there, of wraps and tags too.
                await connection.exec_driver_sql("vacuum (full) pg_statistic")
    finally:
        await engine.dispose()


class Records:
    """The records' database: snapshots to read, transactions to change."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take the engine over; `close` disposes of it."""
        self._engine = engine

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Read one moment: nothing that happens meanwhile is seen, nothing is written.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        async with self._connect(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection:
            yield connection
            await connection.rollback()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Connection]:
        """Read by one statement, which is a moment of its own and needs no transaction.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        async with self._connect(isolation_level="AUTOCOMMIT", perisai_begin=None) as connection:
            yield connection

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Connection]:
        """Write, and commit when the block ends without an exception.

        Raises:
            StoreUnavailable: the database does not answer; nothing was written,
                or it is not known whether the commit arrived.
        """
        async with self._connect(
            isolation_level="READ COMMITTED", perisai_begin="begin immediate"
        ) as connection:
            yield connection
            await connection.commit()

    @asynccontextmanager
    async def _connect(self, isolation_level: str, **options: Any) -> AsyncIterator[Connection]:
        if self._engine.dialect.name == "postgresql":
            options["isolation_level"] = isolation_level
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**options)
                yield connection
        except (IntegrityError, DataError):
            raise  # What was to be written is at fault, not the database.
        except (DBAPIError, OSError, PoolTimeoutError) as error:
            # Gone, locked, damaged, or a table or right that is missing; by its kind
            # only, since its text may hold what was asked.
            kind = type(getattr(error, "orig", None) or error).__name__
            _log.error("store_failed", error=kind)
            raise StoreUnavailable from None

    async def sweep(self) -> bool:
        """Empty SQLite's write-ahead log, which still holds the pages of before.

        Tells whether it is empty now; a reader in an older snapshot keeps it. On
        PostgreSQL there is nothing to do for this role.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        async with self.look() as connection:
            await connection.exec_driver_sql(f"pragma busy_timeout={_SWEEP_WAIT}")
            try:
                swept = await connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
                return bool(swept.one()[0] == 0)
            finally:
                await connection.exec_driver_sql(f"pragma busy_timeout={_BUSY_WAIT}")

    async def health(self) -> None:
        """Prove that the database answers.

        Raises:
            StoreUnavailable: it does not.
        """
        async with self.look() as connection:
            await connection.exec_driver_sql("select 1")

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
