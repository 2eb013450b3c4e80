"""How many events a second become durable, and how long one caller waits for its own.

Beside it, in turns, in the same database and on the same disk: bare inserts that commit
one event each and keep no tree and no order. On PostgreSQL each caller has a connection
for them; on SQLite, which has one writer, all share one, in a thread of its own. Their
leaves are encoded beforehand, the ledger's are not.
"""

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from api.accesslog.event import encode
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.migrations import upgrade
from benchmarks.turns import in_turns
from benchmarks.values import Value
from tests.accesslog.events import read_of
from tests.postgresql import PostgresServer, libpq_url

#: Callers at once, and rounds for each; a round gives every caller so many events.
ROUNDS = {1: (60, 40), 8: (25, 40), 32: (25, 40), 128: (15, 20)}
WARM_UP = 3
#: Rounds and events of a caller where processes are compared, and their callers.
PROCESS_ROUNDS = 15
PROCESS_EVENTS = 150
PROCESS_CALLERS = 8
PROCESSES = 4

#: The targets.
SQLITE_RATE = 3.0
SQLITE_LATENCY = 1.5
POSTGRESQL_RATE = 1.4
POSTGRESQL_LATENCY = 1.8
FOUR = 1.0

EVENT = read_of(1)
BODY = encode(EVENT, bytes(16))

#: The bare way to make one event durable, for the caller of a number.
Insert = Callable[[int], Awaitable[Any]]


async def sqlite_rate32() -> list[Value]:
    """Measure the rates on SQLite, at 32 callers and beside."""
    ratios = await _on_sqlite(tuple(ROUNDS))
    return [Value("log.sqlite.rate32", 1 / ratios[32], "x", at_least=SQLITE_RATE)]


async def sqlite_latency1() -> list[Value]:
    """Measure how long one caller waits on SQLite."""
    ratios = await _on_sqlite((1,))
    return [Value("log.sqlite.latency1", ratios[1], "x", limit=SQLITE_LATENCY)]


async def postgresql_rate32() -> list[Value]:
    """Measure the rates on PostgreSQL, at 32 callers and beside."""
    ratios = await _on_postgresql(tuple(ROUNDS))
    return [Value("log.postgresql.rate32", 1 / ratios[32], "x", at_least=POSTGRESQL_RATE)]


async def postgresql_latency1() -> list[Value]:
    """Measure how long one caller waits on PostgreSQL."""
    ratios = await _on_postgresql((1,))
    return [Value("log.postgresql.latency1", ratios[1], "x", limit=POSTGRESQL_LATENCY)]


async def _on_sqlite(callers: Sequence[int]) -> dict[int, float]:
    with _on_disk(), tempfile.TemporaryDirectory() as folder:
        _print_sync_time(Path(folder))
        path = Path(folder, "log.sqlite")
        await upgrade("log", f"sqlite+aiosqlite:///{path}")
        thread = ThreadPoolExecutor(1)
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(thread, _bare_sqlite, path)

        def insert(_caller: int) -> Awaitable[Any]:
            return loop.run_in_executor(
                thread, connection.execute, "insert into bare (body) values (?)", (BODY,)
            )

        try:
            return await _compared("log.sqlite", callers, SqliteWriter(path), insert)
        finally:
            await loop.run_in_executor(thread, connection.close)
            thread.shutdown()


def _bare_sqlite(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma synchronous = full")
    connection.execute("create table bare (id integer primary key, body blob not null)")
    return connection


async def _on_postgresql(callers: Sequence[int]) -> dict[int, float]:
    with _on_disk(), _server() as server:
        _print_sync_time(server.home)
        database = server.create_database()
        await upgrade("log", database.owner_url)
        async with AsyncExitStack() as closing:
            connections = []
            for _ in range(max(callers)):
                connection = await asyncpg.connect(libpq_url(database.owner_url))
                closing.push_async_callback(connection.close)
                connections.append(connection)
            await connections[0].execute(
                "create table bare "
                "(id bigint generated always as identity primary key, body bytea not null)"
            )
            await connections[0].execute("alter table bare alter column body set storage external")

            def insert(caller: int) -> Awaitable[Any]:
                return connections[caller].fetch("insert into bare (body) values ($1)", BODY)

            writer = PostgresqlWriter(database.service_url)
            return await _compared("log.postgresql", callers, writer, insert)


async def rate4proc() -> list[Value]:
    """Measure four processes on one log against one of them alone."""
    with _on_disk(), _server() as server:
        _print_sync_time(server.home)
        database = server.create_database()
        await upgrade("log", database.owner_url)
        async with AsyncExitStack() as closing:
            processes = [await _appender(database.service_url) for _ in range(PROCESSES)]
            for process in processes:
                closing.push_async_callback(_ended, process)
                await _told(process)
            rounds = await in_turns(
                lambda: _round_of(processes[:1]),
                lambda: _round_of(processes),
                warm_up=WARM_UP,
                rounds=PROCESS_ROUNDS,
            )
    events = PROCESS_CALLERS * PROCESS_EVENTS
    print(
        f"# log.postgresql.rate4proc: {PROCESSES * events / rounds.second:,.0f} events/s by "
        f"{PROCESSES} processes, {events / rounds.first:,.0f} by one, {PROCESS_CALLERS} callers "
        f"each, medians of {PROCESS_ROUNDS} rounds"
    )
    return [Value("log.postgresql.rate4proc", PROCESSES * rounds.ratio, "x", at_least=FOUR)]


async def _compared(
    name: str, numbers: Sequence[int], writer: Writer, insert: Insert
) -> dict[int, float]:
    """Print the rates for each number of callers; give our time as a multiple of the bare one."""
    ledger = Ledger(writer)
    await ledger.start()
    ratios = {}
    try:
        for callers in numbers:
            rounds, events = ROUNDS[callers]
            measured = await in_turns(
                _callers(callers, events, lambda _caller: ledger.append(EVENT)),
                _callers(callers, events, insert),
                warm_up=WARM_UP,
                rounds=rounds,
            )
            ratios[callers] = measured.ratio
            total = callers * events
            print(
                f"# {name}: {callers} callers: {total / measured.first:,.0f} events/s against "
                f"{total / measured.second:,.0f} bare inserts/s, {1 / measured.ratio:.2f} x"
                + (
                    f"; {measured.first / events * 1e3:.3f} ms against "
                    f"{measured.second / events * 1e3:.3f} ms"
                    if callers == 1
                    else ""
                )
            )
    finally:
        await ledger.close()
    return ratios


def _callers(callers: int, events: int, append: Insert) -> Callable[[], Awaitable[Any]]:
    """Make a step in which so many callers have so many events written, one after another."""

    async def caller(number: int) -> None:
        for _ in range(events):
            await append(number)

    async def step() -> None:
        await asyncio.gather(*map(caller, range(callers)))

    return step


# -- other processes ------------------------------------------------------------------


async def _appender(url: str) -> asyncio.subprocess.Process:
    """Start a process that has a ledger and appends a round whenever it is told to."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.log_rates",
        env={**os.environ, "PERISAI_BENCHMARK_LOG": url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _round_of(processes: Sequence[asyncio.subprocess.Process]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    await asyncio.gather(*map(_told, processes))


async def _told(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    if await process.stdout.readline() != b"done\n":
        raise SystemExit("log.postgresql.rate4proc: a process ended")


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _append_when_told(url: str) -> None:
    ledger = Ledger(PostgresqlWriter(url))
    await ledger.start()
    round_ = _callers(PROCESS_CALLERS, PROCESS_EVENTS, lambda _caller: ledger.append(EVENT))
    print("done", flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        await round_()
        print("done", flush=True)
    await ledger.close()


# -- the disk -------------------------------------------------------------------------


class _Mount(NamedTuple):
    device: str
    point: str
    kind: str


def _mount_of(path: Path) -> _Mount:
    """Say on what *path* lies."""
    mounts = [
        _Mount(*line.split()[:3]) for line in Path("/proc/mounts").read_text("ascii").splitlines()
    ]
    # The last one wins where two are at one place.
    return max(
        (m for m in mounts if path.resolve().is_relative_to(m.point)),
        key=lambda m: len(m.point),
    )


@contextmanager
def _on_disk() -> Iterator[None]:
    """Make temporary folders on a disk while the block runs: a sync to memory costs nothing."""
    before = tempfile.tempdir
    for folder in (Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()):  # noqa: S108  # a disk, if /tmp is none
        if _mount_of(folder).kind not in ("tmpfs", "ramfs"):
            tempfile.tempdir = str(folder)
            break
    else:
        raise SystemExit("log: there is no disk to measure on")
    try:
        yield
    finally:
        tempfile.tempdir = before


def _print_sync_time(folder: Path) -> None:
    """Print how long the disk takes to sync a page that was written at the end of a file."""
    taken = []
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file)
            taken.append(time.perf_counter() - start)
    path.unlink()
    mount = _mount_of(folder)
    print(
        f"# log: on {mount.device} ({mount.kind}) at {mount.point}, which syncs 4 KiB in "
        f"{statistics.median(taken) * 1e3:.2f} ms (median of {len(taken)})"
    )


@contextmanager
def _server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    asyncio.run(_append_when_told(os.environ["PERISAI_BENCHMARK_LOG"]))
