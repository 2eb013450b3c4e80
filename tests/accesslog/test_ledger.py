"""The ledger: every index is given once, after its commit, whatever happens around it."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from api.accesslog.ledger import MAX_WAITING, Ledger
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.reader import LogReader
from api.accesslog.tree import Head, Tree, leaf_hash
from api.accesslog.verify import verify
from api.errors import LeafMalformed, LogBroken, LogUnavailable, RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of, refusal
from tests.postgresql import PostgresServer, libpq_url

# -- on real databases --------------------------------------------------------------


async def test_indices_start_at_zero_and_have_no_gap(ledger: Ledger, reader: LogReader) -> None:
    given = [await ledger.append(read_of(number)) for number in range(5)]

    assert given == [0, 1, 2, 3, 4]
    for number in range(5):
        assert await reader.event(number) == read_of(number)
    assert await reader.event(5) is None


async def test_an_event_is_durable_when_its_index_is_known(ledger: Ledger, log: Log) -> None:
    await ledger.append(read_of())

    with log.raw() as raw:
        assert raw.rows("select size, start from head") == [(1, 0)]
        assert len(raw.rows("select idx from entry")) == 1


async def test_callers_at_once_share_commits_and_get_their_own_event(
    ledger: Ledger, reader: LogReader, log: Log
) -> None:
    indices = await asyncio.gather(*(ledger.append(read_of(number)) for number in range(300)))

    assert sorted(indices) == list(range(300))
    for number, index in enumerate(indices):
        if number % 50 == 0:
            assert await reader.event(index) == read_of(number)
    with log.raw() as raw:
        assert len(raw.rows("select size from head")) < 20
    assert (await verify(reader, [])).size == 300


async def test_two_ledgers_on_one_log_leave_no_gap(log: Log, reader: LogReader) -> None:
    ledgers = [log.ledger(), log.ledger()]
    for ledger in ledgers:
        await ledger.start()

    async def work(ledger: Ledger, caller: int) -> list[int]:
        return [await ledger.append(read_of(caller * 100 + number)) for number in range(10)]

    given = await asyncio.gather(
        *(work(ledger, caller) for ledger in ledgers for caller in range(16))
    )
    for ledger in ledgers:
        await ledger.close()

    assert sorted(index for indices in given for index in indices) == list(range(320))
    assert (await verify(reader, [])).size == 320


async def test_a_ledger_goes_on_where_another_ended(log: Log, reader: LogReader) -> None:
    for round_ in range(3):
        ledger = log.ledger()
        await ledger.start()
        for number in range(3):
            assert await ledger.append(read_of()) == round_ * 3 + number
        await ledger.close()

    assert (await verify(reader, [])).size == 9


async def test_a_cancelled_caller_takes_nobody_elses_event_along(
    ledger: Ledger, reader: LogReader
) -> None:
    first = asyncio.create_task(ledger.append(read_of(1)))
    others = [asyncio.create_task(ledger.append(read_of(number))) for number in range(2, 12)]
    await asyncio.sleep(0)
    first.cancel()

    indices = await asyncio.gather(*others)

    assert first.cancelled()
    assert len(set(indices)) == 10
    # The cancelled one's event is written too: the log may claim too much.
    assert (await verify(reader, [])).size == 11


async def test_closing_writes_what_waits_and_takes_no_more(log: Log, reader: LogReader) -> None:
    ledger = log.ledger()
    await ledger.start()
    waiting = [asyncio.create_task(ledger.append(read_of(number))) for number in range(20)]
    await asyncio.sleep(0)

    await ledger.close()

    assert sorted([await task for task in waiting]) == list(range(20))
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with pytest.raises(LogUnavailable):
        await ledger.health()
    assert (await reader.head()).size == 20


async def test_what_no_leaf_may_hold_never_reaches_the_database(
    ledger: Ledger, reader: LogReader
) -> None:
    with pytest.raises(LeafMalformed):
        await ledger.append(read_of(organisation="not a slug"))

    assert (await reader.head()).size == 0


async def test_two_equal_events_are_two_different_leaves(ledger: Ledger, reader: LogReader) -> None:
    await ledger.append(refusal())
    await ledger.append(refusal())

    first, second = await reader.entries(0, 2)
    assert first.body != second.body
    assert await reader.event(0) == await reader.event(1)


async def test_a_healthy_ledger_says_so(ledger: Ledger) -> None:
    await ledger.health()


async def test_a_shut_ledger_takes_no_event(ledger: Ledger, reader: LogReader) -> None:
    ledger.shut()

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with pytest.raises(LogUnavailable):
        await ledger.health()
    assert (await reader.head()).size == 0


async def test_a_log_that_went_back_takes_no_event(log: Log) -> None:
    ledger, other = log.ledger(), log.ledger()
    await ledger.start()
    for number in range(4):
        await ledger.append(read_of(number))
    with log.raw() as raw:  # an older copy of the log is put in place
        raw.execute("delete from entry where idx >= 2")
        raw.execute("delete from head where size > 2")

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(2,)]
    await ledger.close()
    await other.close()


async def test_a_head_that_does_not_fit_its_entries_takes_no_event(log: Log) -> None:
    ledger = log.ledger()
    await ledger.start()
    for number in range(3):
        await ledger.append(read_of(number))
    await ledger.close()
    with log.raw() as raw:
        raw.execute("update head set root = ? where size = 3", bytes(32))

    again = log.ledger()
    with pytest.raises(LogBroken, match="head 3"):
        await again.start()
    await again.close()


@pytest.mark.parametrize("table", ["entry", "head", "checkpoint"])
async def test_nobody_changes_or_removes_evidence(ledger: Ledger, log: Log, table: str) -> None:
    await ledger.append(read_of())
    key, value = ("idx", "body = body") if table == "entry" else ("size", "size = size + 1")
    if table == "checkpoint":
        writer = log.writer()
        await writer.open()
        await writer.put_checkpoint(1, "note\n")
        await writer.close()
    statements = [f"update {table} set {value}", f"delete from {table} where {key} >= 0"]
    if log.database is not None:
        statements.append(f"truncate {table}")

    for statement in statements:
        with pytest.raises((sqlite3.DatabaseError, asyncpg.PostgresError)):
            await log.as_owner(statement)

    with log.raw() as raw:
        assert raw.rows(f"select count(*) from {table}") == [(1,)]


# -- PostgreSQL: what the service's role may not ---------------------------------------


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
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("create schema evil")
        await connection.execute("set search_path = pg_temp, public")
        row = await connection.fetchrow("select * from accesslog.state()")
        assert row is not None
        assert row["size"] == 0
    finally:
        await connection.close()


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


# -- SQLite: what cannot be served ---------------------------------------------------


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


# -- a database that fails as we please ----------------------------------------------


class Fake:
    """A writer in memory whose next append can fail, hang, or lose its answer."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.bodies: list[bytes] = []
        self.batches: list[int] = []
        self.fail: Exception | None = None
        self.fail_after_commit = False
        self.go = asyncio.Event()
        self.go.set()
        self.elsewhere: list[bytes] = []
        self.reads = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def state(self) -> Head:
        self.reads += 1
        return self.tree.head()

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        await self.go.wait()
        while self.elsewhere:  # another process was faster
            self._put([self.elsewhere.pop()])
        if self.fail is not None and not self.fail_after_commit:
            raise self.fail
        if expected != self.tree.size:
            return self.tree.head()
        self._put(bodies)
        assert self.tree.root() == root
        self.batches.append(len(bodies))
        if self.fail is not None:
            raise self.fail
        return None

    def _put(self, bodies: Sequence[bytes]) -> None:
        for body in bodies:
            self.tree.append(leaf_hash(body))
            self.bodies.append(body)

    async def leaf_hashes(self, start: int, stop: int) -> bytes:
        raise NotImplementedError

    async def put_checkpoint(self, size: int, note: str) -> None:
        raise NotImplementedError


async def _started(fake: Fake, patience: float = 2.0) -> Ledger:
    ledger = Ledger(fake, patience=patience)
    await ledger.start()
    return ledger


@pytest.mark.parametrize("error", [LogUnavailable(), RuntimeError("secret"), OSError("secret")])
async def test_a_batch_that_fails_is_refused_and_the_next_one_goes_on(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake()
    ledger = await _started(fake)
    fake.fail = error
    with pytest.raises(LogUnavailable) as refused:
        await ledger.append(read_of())
    assert refused.value.__cause__ is refused.value.__context__ is None
    assert "secret" not in capsys.readouterr().out
    assert fake.bodies == []

    fake.fail = None
    assert await ledger.append(read_of()) == 0
    await ledger.close()


async def test_after_an_unknown_outcome_the_head_is_read_again() -> None:
    fake = Fake()
    ledger = await _started(fake)
    assert await ledger.append(read_of()) == 0
    reads = fake.reads
    fake.fail, fake.fail_after_commit = ConnectionResetError(), True
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())

    fake.fail = None
    assert await ledger.append(read_of()) == 2
    assert fake.reads == reads + 1
    await ledger.close()


async def test_a_batch_that_misses_the_head_is_written_after_it() -> None:
    fake = Fake()
    ledger = await _started(fake)
    fake.elsewhere = [b"theirs", b"theirs too"]

    indices = await asyncio.gather(*(ledger.append(read_of(number)) for number in range(3)))

    assert indices == [2, 3, 4]
    await ledger.close()


async def test_a_caller_waits_no_longer_than_its_patience() -> None:
    fake = Fake()
    ledger = await _started(fake, patience=0.01)
    fake.go.clear()

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())

    fake.go.set()
    await ledger.close()
    assert len(fake.bodies) == 1  # it became durable all the same


async def test_more_than_can_wait_are_turned_away_at_once() -> None:
    fake = Fake()
    ledger = await _started(fake)
    fake.go.clear()
    held = asyncio.create_task(ledger.append(read_of()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the batch of one is under way
    waiting = [asyncio.create_task(ledger.append(read_of())) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())

    fake.go.set()
    indices = await asyncio.gather(held, *waiting)
    assert sorted(indices) == list(range(MAX_WAITING + 1))
    assert max(fake.batches) <= 512
    await ledger.close()


async def test_a_ledger_that_was_not_started_takes_nothing() -> None:
    fake = Fake()
    with pytest.raises(LogUnavailable):
        await Ledger(fake).append(read_of())
    assert fake.bodies == []


# -- a process that is killed --------------------------------------------------------

_VICTIM = """
import asyncio, sys
from api.accesslog.ledger import Ledger
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from pathlib import Path
from tests.accesslog.events import read_of

async def main(kind, where):
    ledger = Ledger(SqliteWriter(Path(where)) if kind == "sqlite" else PostgresqlWriter(where))
    await ledger.start()
    async def caller(number):
        while True:
            print(await ledger.append(read_of(number)), number, flush=True)
    await asyncio.gather(*(caller(number) for number in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_after_kill_9_no_event_that_was_answered_is_missing(
    log: Log, reader: LogReader
) -> None:
    where = log.database.service_url if log.database is not None else str(log.path)
    root = Path(__file__).parents[2]
    answered: dict[int, int] = {}
    for _round in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _VICTIM,
            log.name,
            where,
            cwd=root,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        for _ in range(100 + 37 * _round):
            line = await process.stdout.readline()
            index, number = map(int, line.split())
            answered[index] = number
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
        for whole in rest.splitlines(keepends=True):
            if whole.endswith(b"\n"):
                index, number = map(int, whole.split())
                answered[index] = number

    verified = await verify(reader, [])

    assert verified.size > max(answered)
    for index, number in answered.items():
        if index % 10 == 0:
            assert await reader.event(index) == read_of(number)
