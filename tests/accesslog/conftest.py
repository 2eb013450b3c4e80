"""A migrated log on each database, and the ledgers and readers on it."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from api.accesslog.ledger import Ledger, Writer
from api.accesslog.ledger_postgresql import PostgresqlSource, PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.reader import LogReader
from api.database import engine_of
from api.migrations import upgrade
from tests.postgresql import Database, PostgresServer, libpq_url

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "tlog"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Give the folder of the published vectors."""
    if not VECTORS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"The test vectors are missing: {VECTORS}")
        pytest.skip(f"the test vectors are not at {VECTORS}")
    return VECTORS


@dataclass
class Log:
    """One log: how to write to it, to read it, and to tamper with it."""

    name: str
    reader_url: str = field(repr=False)
    path: Path | None
    database: Database | None

    def writer(self) -> Writer:
        """Give a writer with the service's role."""
        if self.database is not None:
            return PostgresqlWriter(self.database.service_url)
        assert self.path is not None
        return SqliteWriter(self.path)

    def source(self) -> PostgresqlSource | SqliteWriter:
        """Give what a signer reads and writes, with the signer's role."""
        if self.database is not None:
            return PostgresqlSource(self.database.log_signer_url)
        assert self.path is not None
        return SqliteWriter(self.path)

    def ledger(self) -> Ledger:
        """Give a ledger that is not started."""
        return Ledger(self.writer())

    async def as_owner(self, statement: str) -> None:
        """Run a statement as whoever owns the tables, with all triggers in place."""
        if self.database is not None:
            connection = await asyncpg.connect(libpq_url(self.database.owner_url))
            try:
                await connection.execute("set search_path = accesslog")
                await connection.execute(statement)
            finally:
                await connection.close()
            return
        assert self.path is not None
        with closing(sqlite3.connect(self.path, isolation_level=None)) as lite:
            lite.execute(statement)

    @contextmanager
    def raw(self) -> Iterator["Raw"]:
        """Give the raw database as its administrator has it: no trigger stands in the way."""
        if self.database is not None:
            with psycopg.connect(
                libpq_url(self.database.superuser_url), autocommit=True
            ) as connection:
                connection.execute("set search_path = accesslog")
                for table in ("entry", "head", "checkpoint", "cosignature"):
                    connection.execute(f"alter table {table} disable trigger user".encode())
                yield Raw(lambda sql, args: connection.execute(sql.encode(), args), "%s")
                for table in ("entry", "head", "checkpoint", "cosignature"):
                    connection.execute(f"alter table {table} enable trigger user".encode())
            return
        assert self.path is not None
        with closing(sqlite3.connect(self.path, isolation_level=None)) as lite:
            triggers = lite.execute(
                "select name, sql from sqlite_master where type = 'trigger'"
            ).fetchall()
            for name, _ in triggers:
                lite.execute(f"drop trigger {name}")
            yield Raw(lite.execute, "?")
            for _, sql in triggers:
                lite.execute(sql)


@dataclass
class Raw:
    """Statements on the raw database; parameters are written as `?`."""

    run: Callable[[str, Sequence[object]], Any]
    mark: str

    def execute(self, sql: str, *args: object) -> None:
        """Run one statement."""
        self.run(sql.replace("?", self.mark), args)

    def rows(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        """Run one query."""
        return list(self.run(sql.replace("?", self.mark), args).fetchall())


@pytest.fixture(params=["sqlite", "postgresql"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    """Make an empty log, migrated by its owner, on both databases."""
    if request.param == "sqlite":
        path = tmp_path / "log.sqlite3"
        await upgrade("log", f"sqlite+aiosqlite:///{path}")
        yield Log("sqlite", f"sqlite+aiosqlite:///{path}", path, None)
        return
    server: PostgresServer = request.getfixturevalue("server")
    database = server.create_database()
    await upgrade("log", database.owner_url)
    yield Log("postgresql", database.log_reader_url, None, database)
    await asyncio.to_thread(server.drop_database, database)


@pytest.fixture
async def ledger(log: Log) -> AsyncIterator[Ledger]:
    """Give a started ledger on the log."""
    ledger = log.ledger()
    await ledger.start()
    yield ledger
    await ledger.close()


@pytest.fixture
async def reader(log: Log) -> AsyncIterator[LogReader]:
    """Give a reader with the reader's role."""
    engine = engine_of(log.reader_url)
    yield LogReader(engine)
    await engine.dispose()
