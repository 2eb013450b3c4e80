"""What the roles of the database may not do to the log, and that nobody holds its head."""

import asyncio
import sqlite3
import time

import asyncpg
import pytest

from api.accesslog.event import encode
from api.accesslog.ledger import PATIENCE, Ledger
from api.accesslog.ledger_session import STATEMENT_LIMIT, PostgresqlSession
from api.accesslog.reader import LogReader
from api.accesslog.tree import Head, Tree, leaf_hash
from api.accesslog.verify import verify
from api.errors import LogUnavailable
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.postgresql import PostgresServer, libpq_url

only_postgresql = pytest.mark.parametrize("log", ["postgresql"], indirect=True)

_ENTRY = "(0, 'x', decode(repeat('00', 32), 'hex'))"
_HEAD = "(1, 0, decode(repeat('00', 32), 'hex'))"

#: What no role but the owner may say.
FOR_NOBODY = (
    f"insert into accesslog.entry values {_ENTRY}",
    f"insert into accesslog.head values {_HEAD}",
    "insert into accesslog.checkpoint values (1, 'note')",
    "update accesslog.event set at = 0",
    "delete from accesslog.event_record",
    "truncate accesslog.entry",
    "begin; lock table accesslog.turn in share update exclusive mode",
    "begin; lock table accesslog.turn in access share mode",
    "begin; lock table accesslog.entry in exclusive mode",
    "begin; lock table accesslog.head in share mode",
    "select accesslog.peaks(0)",
    "select accesslog.grow(0, '', array['x'::bytea])",
    "create table accesslog.mine (x int)",
    "create table public.mine (x int)",
    "create temporary table mine (x int)",
    "create schema mine",
    "create or replace function accesslog.append(bigint, bytea[], bytea[], bytea) "
    "returns boolean language sql as 'select true'",
    "alter table accesslog.entry disable trigger user",
    "alter table accesslog.entry owner to current_user",
    "drop trigger entry_only_grows on accesslog.entry",
    "drop schema accesslog cascade",
    "copy accesslog.entry from program 'true'",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/mine'",
    "copy accesslog.entry from stdin",
    "set role perisai_owner",
    "set session authorization perisai_owner",
    "set session_replication_role = replica",
    "set fsync = off",
    "alter system set fsync = off",
    "alter role perisai_owner password 'mine'",
    "update alembic_log set version_num = '9'",
)
SELECTS = (
    "select * from accesslog.entry",
    "select body from accesslog.entry",
    "select * from accesslog.head",
    "select * from accesslog.checkpoint",
    "select * from accesslog.cosignature",
    "select * from accesslog.event",
    "copy accesslog.entry to stdout",
    "select * from alembic_log",
    "insert into accesslog.event_agency values ('lpsk', 1)",
    "insert into accesslog.event_word values ('lpsk', 'field:nik', 1, 0)",
)
FOLLOWS = (
    "select accesslog.state()",
    "select accesslog.leaf_hashes(0, 1)",
    "select accesslog.put_checkpoint(1, 'note')",
    "select accesslog.put_cosignature(1, 'witness', 7, 'line')",
)
APPENDS = ("select accesslog.append(0, array['x'::bytea], array['x'::bytea], 'x')",)
REFUSED = {
    "perisai_service": (*FOR_NOBODY, *SELECTS, *FOLLOWS),
    "perisai_log_signer": (*FOR_NOBODY, *SELECTS, *APPENDS),
    "perisai_log_reader": (*FOR_NOBODY, *FOLLOWS, *APPENDS),
}


def _url(log: Log, role: str) -> str:
    assert log.database is not None
    return {
        "perisai_service": log.database.service_url,
        "perisai_log_signer": log.database.log_signer_url,
        "perisai_log_reader": log.database.log_reader_url,
    }[role]


@only_postgresql
@pytest.mark.parametrize("role", REFUSED)
async def test_a_role_may_say_nothing_that_is_not_its_part(log: Log, role: str) -> None:
    connection = await asyncpg.connect(libpq_url(_url(log, role)))
    before = _content(log)
    try:
        for statement in REFUSED[role]:
            with pytest.raises(
                (asyncpg.InsufficientPrivilegeError, asyncpg.CantChangeRuntimeParamError)
            ):
                await connection.execute(statement)
            await connection.execute("rollback")
    finally:
        await connection.close()
    assert _content(log) == before


@only_postgresql
@pytest.mark.parametrize(
    ("role", "functions", "tables"),
    [
        ("perisai_service", {"append"}, set()),
        (
            "perisai_log_signer",
            {"leaf_hashes", "put_checkpoint", "put_cosignature", "state"},
            set(),
        ),
        (
            "perisai_log_reader",
            set(),
            {
                *(
                    f"accesslog.{table} SELECT"
                    for table in ("checkpoint", "cosignature", "entry", "head")
                ),
                *(
                    f"accesslog.{table} {right}"
                    for table in ("event", "event_agency", "event_record", "event_word")
                    for right in ("INSERT", "SELECT")
                ),
                "public.alembic_log SELECT",
            },
        ),
    ],
)
async def test_a_role_holds_exactly_its_rights_over_everything_in_the_database(
    log: Log, role: str, functions: set[str], tables: set[str]
) -> None:
    """As the catalogue has it: whatever a later migration adds is in this sweep too."""
    ours = "n.nspname <> 'information_schema' and n.nspname !~ '^pg_'"
    with log.raw() as raw:
        assert {
            name
            for (name,) in raw.rows(
                "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
                f"where {ours} and has_function_privilege('{role}', p.oid, 'execute')"
            )
        } == functions
        assert {
            name
            for (name,) in raw.rows(
                "select n.nspname || '.' || c.relname || ' ' || r.what "
                "from pg_class c join pg_namespace n on n.oid = c.relnamespace, "
                "unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) as r (what) "
                f"where {ours} and c.relkind in ('r', 'v', 'm', 'p', 'f') "
                f"and has_any_column_privilege('{role}', c.oid, r.what)"
            )
        } == tables
        assert (
            raw.rows(
                "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                f"where {ours} and c.relkind in ('r', 'v', 'm', 'p', 'f') and "
                f"has_table_privilege('{role}', c.oid, 'DELETE, TRUNCATE, TRIGGER, MAINTAIN')"
            )
            == []
        )
        assert (
            raw.rows(
                "select c.relname from pg_class c where case when c.relkind = 'S' then "
                f"has_sequence_privilege('{role}', c.oid, 'USAGE, SELECT, UPDATE') end"
            )
            == []
        )
        assert (
            raw.rows(
                f"select n.nspname from pg_namespace n where {ours} "
                f"and has_schema_privilege('{role}', n.oid, 'CREATE')"
            )
            == []
        )
        assert raw.rows(
            f"select has_database_privilege('{role}', current_database(), 'CREATE'), "
            f"has_database_privilege('{role}', current_database(), 'TEMPORARY')"
        ) == [(False, False)]
        assert (
            raw.rows(
                "select roleid from pg_auth_members m join pg_roles r on r.oid = m.member "
                f"where r.rolname = '{role}'"
            )
            == []
        )


# -- what append takes ------------------------------------------------------------------

_LEAF = leaf_hash(b"x")
_APPEND = "select * from accesslog.append($1, $2, $3, $4)"


#: Offered to a log of two entries; what is wrong with each.
_BATCHES: dict[str, tuple[object, ...]] = {
    "not the hash of the leaf": (2, [b"x"], [bytes(32)], bytes(32)),
    "the hash of another leaf": (2, [b"y"], [_LEAF], bytes(32)),
    "a hash too many": (2, [b"x"], [_LEAF * 2], bytes(32)),
    "a node is missing": (2, [b"x", b"x"], [_LEAF, _LEAF], bytes(32)),
    "half a hash": (2, [b"x"], [_LEAF + b"x"], bytes(32)),
    "no hash": (2, [b"x"], [b""], bytes(32)),
    "a null hash": (2, [b"x"], [None], bytes(32)),
    "a null leaf": (2, [None], [_LEAF], bytes(32)),
    "an empty leaf": (2, [b""], [leaf_hash(b"")], bytes(32)),
    "a leaf too long": (2, [bytes(65_536)], [leaf_hash(bytes(65_536))], bytes(32)),
    "a short root": (2, [b"x"], [_LEAF], bytes(31)),
    "no root": (2, [b"x"], [_LEAF], None),
    "fewer hashes than leaves": (2, [b"x"], [], bytes(32)),
    "no hashes": (2, [b"x"], None, bytes(32)),
    "no leaves": (2, None, [_LEAF], bytes(32)),
    "no place": (None, [b"x"], [_LEAF], bytes(32)),
    "a place before the first": (-1, [b"x"], [_LEAF], bytes(32)),
    "too many": (2, [b"x"] * 1_025, [_LEAF] * 1_025, bytes(32)),
    "the hash of another leaf, where the head has moved on": (1, [b"y"], [_LEAF], bytes(32)),
    "a null hash, where the head has moved on": (0, [b"x"], [None], bytes(32)),
}


@only_postgresql
async def test_append_takes_nothing_but_leaves_with_their_hashes(log: Log, ledger: Ledger) -> None:
    await ledger.append(read_of(0))
    await ledger.append(read_of(1))
    before = _content(log)
    connection = await asyncpg.connect(libpq_url(_url(log, "perisai_service")))
    try:
        for wrong, batch in _BATCHES.items():
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.fetchrow(_APPEND, *batch)
            assert "no batch of leaves" in str(refused.value) or "null" in wrong, wrong
    finally:
        await connection.close()
    assert _content(log) == before


@only_postgresql
async def test_the_log_tells_its_head_for_a_batch_of_nothing_and_writes_nothing(
    log: Log, ledger: Ledger
) -> None:
    writer = log.writer()
    source = log.source()
    await writer.open()
    await source.open()
    for number in range(5):
        assert await writer.state() == await source.state()
        await ledger.append(read_of(number))
    before = _content(log)

    assert (await writer.state()).size == 5

    assert _content(log) == before
    await writer.close()
    await source.close()


async def test_a_batch_of_a_process_that_was_slower_is_grown_where_the_head_is(
    log: Log, reader: LogReader
) -> None:
    """Every size up to 40 as the place that the head has moved on to, and every batch size."""
    writer = log.writer()
    await writer.open()
    reference = Tree()
    number = 0
    for size in range(1, 10):
        for stale in (0, reference.size // 2):
            bodies = [encode(read_of(number + place), bytes(16)) for place in range(size)]
            number += size
            leaves = [leaf_hash(body) for body in bodies]
            believed = Tree()  # Whatever it believes: the right leaf hashes, wrong nodes.
            believed.size = stale
            believed.peaks = [bytes(32)] * stale.bit_count()
            hashes = [believed.append(leaf) for leaf in leaves]
            expected = stale if stale < reference.size else reference.size
            if expected == reference.size:
                believed = reference.copy()
                hashes = [believed.append(leaf) for leaf in leaves]

            moved = await writer.append(expected, bodies, hashes, believed.root())

            moved_from = reference.size
            for leaf in leaves:
                reference.append(leaf)
            assert moved == (None if expected == moved_from else reference.head())
    await writer.close()
    assert (await verify(reader, [])).size == number


# -- nobody holds the head --------------------------------------------------------------


@only_postgresql
@pytest.mark.parametrize("role", ["perisai_service", "perisai_log_signer"])
async def test_a_session_of_the_roles_has_time_outs_before_it_asks_for_any(
    log: Log, role: str
) -> None:
    connection = await asyncpg.connect(libpq_url(_url(log, role)))
    try:
        for name in (
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
        ):
            assert await connection.fetchval(f"show {name}") == "10s"
    finally:
        await connection.close()


@only_postgresql
async def test_a_session_of_ours_has_time_outs_below_the_callers_patience(log: Log) -> None:
    assert log.database is not None
    session = PostgresqlSession(log.database.service_url)
    await session.open("select 1")
    for name in (
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "transaction_timeout",
    ):
        row = await session.ask(f"show {name}")
        assert row[0] == f"{STATEMENT_LIMIT}ms"
    await session.close()
    assert STATEMENT_LIMIT / 1000 < PATIENCE == 2.0


@only_postgresql
async def test_no_lock_that_another_session_can_take_keeps_events_out(
    log: Log, ledger: Ledger
) -> None:
    """Advisory locks are open to everybody; reading and searching lock tables, too."""
    held = []
    for role in REFUSED:
        connection = await asyncpg.connect(libpq_url(_url(log, role)))
        await connection.execute("begin")
        await connection.execute("select pg_advisory_lock_shared(7221, 6962)")
        held.append(connection)
    await held[-1].execute("lock table accesslog.entry, accesslog.head in access share mode")
    await held[-1].execute("insert into accesslog.event_record values ('x', 1, 'case_file', 'yes')")

    assert await ledger.append(read_of()) == 0

    for connection in held:
        await connection.close()


@only_postgresql
async def test_a_session_that_keeps_the_head_open_is_ended_and_wrote_nothing(
    log: Log, ledger: Ledger
) -> None:
    assert log.database is not None
    await ledger.append(read_of(0))
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    tree = Tree.at(await log_state(log))
    # The role's own limit is the same, only longer than a test should take.
    await connection.execute("begin; set local idle_in_transaction_session_timeout = 300")
    row = await connection.fetchrow(_APPEND, 1, [b"x"], [tree.append(_LEAF)], tree.root())
    assert row is not None
    assert row["done"]

    assert await ledger.append(read_of(1)) == 1

    connection.terminate()
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(2,)]


@only_postgresql
async def test_who_waits_for_a_head_that_is_held_gets_an_answer_in_time(
    log: Log, ledger: Ledger
) -> None:
    """Only the owner can hold it without appending."""
    assert log.database is not None
    await ledger.append(read_of(0))
    owner = await asyncpg.connect(libpq_url(log.database.owner_url))
    await owner.execute("begin")
    await owner.execute("lock table accesslog.turn in share update exclusive mode")
    start = time.monotonic()

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of(1))

    assert time.monotonic() - start < PATIENCE + 0.5
    await owner.close()
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(1,)]
    assert await ledger.append(read_of(2)) == 1


async def log_state(log: Log) -> Head:
    """Read the head with a connection of its own."""
    source = log.source()
    await source.open()
    try:
        return await source.state()
    finally:
        await source.close()


@only_postgresql
async def test_a_session_that_would_not_sync_cannot_append(log: Log, ledger: Ledger) -> None:
    assert log.database is not None
    await ledger.append(read_of())
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    try:
        for lowered in ("synchronous_commit = off", "synchronous_commit = off; begin"):
            await connection.execute(f"set {lowered}")
            with pytest.raises(asyncpg.PostgresError, match="durable"):
                await connection.fetch(_APPEND, 1, [b"x"], [_LEAF], bytes(32))
    finally:
        await connection.close()
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(1,)]


@only_postgresql
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
        for sign in ("<>", "<", ">"):
            raw.execute(
                f"create operator evil.{sign} "
                "(leftarg = bigint, rightarg = bigint, function = evil.never)"
            )
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    try:
        await connection.execute("set search_path = evil, pg_catalog")
        assert await connection.fetchval("select 5::bigint <> 1::bigint") is False
        row = await connection.fetchrow(_APPEND, 5, [b"x"], [_LEAF + bytes(32)], bytes(32))
    finally:
        await connection.close()

    assert row is not None
    assert (row["done"], row["size"]) == (False, 1)
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(1,)]


@only_postgresql
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


@only_postgresql
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


async def test_a_session_shows_no_password() -> None:
    session = PostgresqlSession("postgresql+asyncpg://service:hunter2@localhost/log")

    assert "hunter2" not in repr(session)


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
