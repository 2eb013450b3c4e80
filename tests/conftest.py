"""An installation a test may do anything to, on each database: `world`.

It is what `perisai demo` makes, only smaller: real keys, tokens, policies, tables,
log and schemas. One is installed per session and kind of database and copied for
each test. The clock is injected and moves only when a test moves it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.crypto.key_file import Cost
from api.demo.install import Databases, install
from api.demo.synthetic import synthetic
from tests.openbao import OpenBaoServer
from tests.postgresql import PostgresServer
from tests.world import Clock, Template, World, databases_of, opened

#: A Monday morning; the records of the worlds are made for this day.
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)

#: Large enough for every role and list, small enough to be copied for each test.
CASE_FILES = 40


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """Run one PostgreSQL server for the session."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bao() -> Iterator[OpenBaoServer]:
    """Run one OpenBao server for the session; who ends or seals it starts an own one."""
    server = OpenBaoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Install once per session and kind of database."""
    folder = tmp_path_factory.mktemp("template") / "perisai"
    server: PostgresServer | None = None
    database = None
    databases = Databases.embedded(folder)
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
        database = server.create_database()
        databases = databases_of(database)
    records = synthetic(7, NOON.date(), CASE_FILES)
    asyncio.run(
        install(
            folder,
            databases,
            records,
            clock=lambda: NOON,
            progress=lambda _count: None,
            cost=Cost(8, 1, 1),
        )
    )
    return Template(request.param, folder, records, server, database)


@pytest.fixture
async def world(template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """Give a fresh copy of the installation, served in this process."""
    async with opened(template, tmp_path / "perisai", Clock(NOON)) as world:
        yield world
