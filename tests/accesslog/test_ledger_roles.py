"""What the roles of the database may not do to the log, and what cannot be served."""

import asyncio
import os
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.reader import LogReader
from api.accesslog.verify import verify
from api.errors import LogUnavailable, RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.postgresql import PostgresServer, libpq_url


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "select * from accesslog.entry",
        "insert into accesslog.entry values (0, 'x', decode(repeat('00', 32), 'hex'))",
        "insert into accesslog.head values (1, 0, decode(repeat('00', 32), 'hex'))",
        "insert into accesslog.checkpoint values (1, 'note')",
        "insert into accesslog.event_agency values ('lpsk', 1)",
        "select accesslog.peaks(0)",
        "create table accesslog.mine (x int)",
        "create table public.mine (x int)",
        "create temporary table mine (x int)",
        "alter table accesslog.entry disable trigger user",
        "drop function accesslog.append",
    ],
)
async def test_the_services_role_may_do_nothing_but_append(log: Log, statement: str) -> None:
    assert log.database is not None
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "insert into accesslog.entry values (0, 'x', decode(repeat('00', 32), 'hex'))",
        "insert into accesslog.head values (1, 0, decode(repeat('00', 32), 'hex'))",
        "update accesslog.event set at = 0",
        "delete from accesslog.event_record",
        "select accesslog.state()",
        "select accesslog.append(0, array['x'::bytea], array['x'::bytea], 'x')",
        "select accesslog.put_checkpoint(1, 'note')",
    ],
)
async def test_the_readers_role_may_not_append(log: Log, statement: str) -> None:
    assert log.database is not None
    connection = await asyncpg.connect(libpq_url(log.database.log_reader_url))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_a_session_that_would_not_sync_cannot_append(log: Log, ledger: Ledger) -> None:
    assert log.database is not None
    await ledger.append(read_of())
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    try:
        await connection.execute("set synchronous_commit = off")
        with pytest.raises(asyncpg.PostgresError, match="durable"):
            await connection.fetch(
                "select * from accesslog.append(1, $1, $2, $3)", [b"x"], [bytes(32)], bytes(32)
            )
    finally:
        await connection.close()
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(1,)]


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_an_operator_slipped_into_the_search_path_is_not_called(
    log: Log, ledger: Ledger
) -> None:
    """A function with the owner's rights must not run what its caller put in its way."""
    assert log.database is not None
    await ledger.append(read_of())
    with log.raw() as raw:
        raw.execute("create schema evil")
        raw.execute("grant usage on schema evil to public")
        raw.execute(
            "create function evil.never(bigint, bigint) returns boolean "
            "language sql as 'select false'"
        )
        raw.execute(
            "create operator evil.<> (leftarg = bigint, rightarg = bigint, function = evil.never)"
        )
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    try:
        await connection.execute("set search_path = evil, pg_catalog")
        assert await connection.fetchval("select 5::bigint <> 1::bigint") is False
        row = await connection.fetchrow(
            "select * from accesslog.append(5, $1, $2, $3)", [b"x"], [bytes(32)], bytes(32)
        )
    finally:
        await connection.close()

    assert row is not None
    assert (row["done"], row["size"]) == (False, 1)
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(1,)]


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_a_crash_of_the_server_closes_the_log_and_loses_nothing(
    log: Log, reader: LogReader, server: PostgresServer
) -> None:
    ledger = log.ledger()
    await ledger.start()
    known = await asyncio.gather(*(ledger.append(read_of(number)) for number in range(50)))

    await asyncio.to_thread(server.kill)
    try:
        with pytest.raises(LogUnavailable):
            await ledger.append(read_of())
        with pytest.raises(LogUnavailable):
            await ledger.health()
    finally:
        await asyncio.to_thread(server.restart)

    await ledger.health()
    after = await ledger.append(read_of(99))
    await ledger.close()
    assert after >= len(known)
    assert await reader.event(after) == read_of(99)
    assert (await verify(reader, [])).size == after + 1


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_a_lost_connection_is_made_again(log: Log, ledger: Ledger) -> None:
    await ledger.append(read_of(0))
    with log.raw() as raw:
        raw.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'perisai-ledger' and datname = current_database()"
        )

    indices = []
    for number in range(3):
        try:
            indices.append(await ledger.append(read_of(number)))
        except LogUnavailable:
            continue

    assert indices == [1, 2] or indices == [1, 2, 3]


async def test_the_writer_of_postgresql_shows_no_password() -> None:
    writer = PostgresqlWriter("postgresql+asyncpg://service:hunter2@localhost/log")

    assert "hunter2" not in repr(writer)


async def test_a_log_that_is_not_there_refuses_to_start(tmp_path: Path) -> None:
    ledger = Ledger(SqliteWriter(tmp_path / "nowhere"))

    with pytest.raises(RefusesToStart, match="migrate"):
        await ledger.start()
    await ledger.close()
    assert os.listdir(tmp_path) == []


async def test_a_log_without_a_write_ahead_log_refuses_to_start() -> None:
    """A database that cannot be switched to WAL, for example on a network share."""

    class InMemory(SqliteWriter):
        def _connect(self) -> None:
            connect = sqlite3.connect
            sqlite3.connect = lambda *a, **k: connect(":memory:")  # type: ignore[assignment]  # a stub
            try:
                super()._connect()
            finally:
                sqlite3.connect = connect

    ledger = Ledger(InMemory(Path(__file__)))
    with pytest.raises(RefusesToStart, match="journal_mode=memory"):
        await ledger.start()
    await ledger.close()


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "insert or replace into entry select idx, x'00', hashes from entry",
        "insert into entry select idx + 2, body, hashes from entry",
        "insert or replace into head select size, start, zeroblob(32) from head",
        "insert into head select size + 2, size + 1, root from head",
        "insert into head select size + 1, size - 1, root from head",
    ],
)
async def test_sqlite_takes_entries_and_heads_only_at_the_end(
    log: Log, ledger: Ledger, statement: str
) -> None:
    await ledger.append(read_of())
    before = _content(log)

    with pytest.raises(sqlite3.IntegrityError):
        await log.as_owner(statement)

    assert _content(log) == before


def _content(log: Log) -> list[tuple[object, ...]]:
    with log.raw() as raw:
        return raw.rows("select * from entry") + raw.rows("select * from head")
