"""What cannot be served: no log, one of another version, one that does not sync its commits."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_postgresql import PostgresqlSource, PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.database import engine_of
from api.errors import LogUnavailable, RefusesToStart
from api.migrations import check_log_revision, newest, upgrade
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.postgresql import PostgresServer, libpq_url

only_postgresql = pytest.mark.parametrize("log", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("log", ["sqlite"], indirect=True)


async def _refusal(ledger: Ledger) -> str:
    """Start a ledger that refuses, make sure that it takes nothing, and give its words."""
    with pytest.raises(RefusesToStart) as refused:
        await ledger.start()
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    await ledger.close()
    return str(refused.value)


# -- no log ---------------------------------------------------------------------------


async def test_a_log_that_is_not_there_refuses_to_start(tmp_path: Path) -> None:
    assert "migrate" in await _refusal(Ledger(SqliteWriter(tmp_path / "nowhere")))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
async def test_a_file_that_is_no_log_refuses_to_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)

    assert "migrate" in await _refusal(Ledger(SqliteWriter(path)))


async def test_a_database_without_the_logs_schema_refuses_to_start(server: PostgresServer) -> None:
    database = server.create_database()
    try:
        for writer in (
            PostgresqlWriter(database.service_url),
            PostgresqlSource(database.log_signer_url),
        ):
            with pytest.raises(RefusesToStart, match="migrate"):
                await writer.open()
            await writer.close()
    finally:
        server.drop_database(database)


@only_postgresql
@pytest.mark.parametrize(
    ("what", "words"),
    [("role", "let this role"), ("password", "let this role"), ("database", "not there")],
)
async def test_an_address_that_leads_to_no_log_refuses_to_start(
    log: Log, what: str, words: str
) -> None:
    assert log.database is not None
    url = {
        "role": log.database.log_reader_url,
        "password": log.database.service_url.replace("perisai_service:", "perisai_service:x"),
        "database": log.database.service_url + "_not",
    }[what]

    said = await _refusal(Ledger(PostgresqlWriter(url)))

    assert words in said
    assert "perisai_" not in said


# -- another version ------------------------------------------------------------------


@only_postgresql
async def test_a_ledger_on_a_log_of_an_older_version_refuses_to_start(
    log: Log, server: PostgresServer
) -> None:
    database = server.create_database()
    await upgrade("log", database.owner_url, "0001")
    try:
        assert "migrate" in await _refusal(Ledger(PostgresqlWriter(database.service_url)))
        engine = engine_of(database.log_reader_url)
        with pytest.raises(RefusesToStart, match="migrate"):
            await check_log_revision(engine)
        await engine.dispose()
    finally:
        server.drop_database(database)


@pytest.mark.parametrize("revision", ["0001", "9999"])
async def test_a_log_at_another_revision_refuses_to_start(log: Log, revision: str) -> None:
    engine = engine_of(log.reader_url)
    try:
        await check_log_revision(engine)
        owner = engine_of(log.database.owner_url if log.database else log.reader_url)
        async with owner.begin() as connection:
            await connection.execute(
                text("update alembic_log set version_num = :revision"), {"revision": revision}
            )
        await owner.dispose()

        with pytest.raises(RefusesToStart, match=f"at revision {revision}.*needs {newest('log')}"):
            await check_log_revision(engine)
    finally:
        await engine.dispose()


# -- commits that are not on the disk ----------------------------------------------------


def _connecting_with(monkeypatch: pytest.MonkeyPatch, kind: type[sqlite3.Connection]) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **options: connect(path, factory=kind, **options)
    )


@only_sqlite
@pytest.mark.parametrize(
    ("asked", "instead", "words"),
    [
        ("pragma synchronous = full", "pragma synchronous = normal", "synchronous=1"),
        ("pragma synchronous = full", "pragma synchronous = off", "synchronous=0"),
        # As on a network share, where there is no memory to share.
        ("pragma journal_mode = wal", "pragma journal_mode = delete", "journal_mode=delete"),
        ("pragma journal_mode = wal", "pragma journal_mode = off", "journal_mode=off"),
    ],
)
async def test_a_file_that_does_not_sync_its_commits_refuses_to_start(
    log: Log, monkeypatch: pytest.MonkeyPatch, asked: str, instead: str, words: str
) -> None:
    class Weak(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            return super().execute(instead if sql == asked else sql, *args)

    assert log.path is not None
    with sqlite3.connect(log.path) as lite:
        lite.execute("pragma journal_mode = delete")
    lite.close()
    _connecting_with(monkeypatch, Weak)

    assert words in await _refusal(log.ledger())


@asynccontextmanager
async def _set_on_the_server(server: PostgresServer, url: str, setting: str) -> AsyncIterator[None]:
    """Switch a setting of the whole server off while the block runs."""

    async def seen(value: str) -> bool:
        # A new session has what the server has read by now.
        connection = await asyncpg.connect(libpq_url(url))
        try:
            return bool(await connection.fetchval(f"select current_setting('{setting}')") == value)
        finally:
            await connection.close()

    connection = await asyncpg.connect(libpq_url(url))
    try:
        await connection.execute(f"alter system set {setting} = off")
        await connection.execute("select pg_reload_conf()")
        while not await seen("off"):
            pass
        yield
    finally:
        await connection.execute(f"alter system reset {setting}")
        await connection.execute("select pg_reload_conf()")
        while not await seen("on"):
            pass
        await connection.close()


@only_postgresql
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_does_not_sync_its_commits_is_refused_at_each_connection(
    log: Log, ledger: Ledger, server: PostgresServer, setting: str
) -> None:
    assert log.database is not None
    await ledger.append(read_of())
    url = log.database.superuser_url
    async with _set_on_the_server(server, url, setting):
        assert f"{setting}=off" in await _refusal(log.ledger())
        source = log.source()
        with pytest.raises(RefusesToStart, match=f"{setting}=off"):
            await source.open()
        await source.close()

        # A ledger that was admitted before is not, once it has to connect again.
        with log.raw() as raw:
            raw.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                "where application_name = 'perisai-ledger' and datname = current_database()"
            )
        for _ in range(3):
            with pytest.raises(LogUnavailable):
                await ledger.append(read_of())
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(1,)]
    assert await ledger.append(read_of()) == 1


@only_postgresql
async def test_a_session_whose_commits_are_not_synced_is_refused(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler between us and the server may drop what we ask for when we connect."""
    connect = asyncpg.connect

    async def through_a_pooler(url: str, *, server_settings: dict[str, str], **options: Any) -> Any:
        return await connect(
            url, server_settings={**server_settings, "synchronous_commit": "off"}, **options
        )

    monkeypatch.setattr(asyncpg, "connect", through_a_pooler)

    assert "synchronous_commit=off" in await _refusal(log.ledger())
