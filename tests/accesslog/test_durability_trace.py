"""What the system saw: the sync of the disk stands before the answer, on both databases.

The calls of the kernel are written down by strace while events are appended. Where the
machine has no strace, or does not let it look at the server, the reason is in the output;
on SQLite test_durability_disk.py shows the same from within.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from api.accesslog.ledger import Ledger
from api.accesslog.tree import Tree, leaf_hash
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.postgresql import libpq_url

ROOT = Path(__file__).parents[2]
CALLS = "trace=fsync,fdatasync,pwrite64,pwritev,write,sendto"
EVENTS = 10

#: `1234 fdatasync(7</data/log.sqlite-wal>) = 0`
_WHOLE = re.compile(r"(?P<process>\d+) +(?P<call>\w+)\((?P<rest>.*)\) += \d+")
_BEGUN = re.compile(r"(?P<process>\d+) +(?P<call>\w+)\((?P<rest>.*) <unfinished \.\.\.>")
_ENDED = re.compile(r"(?P<process>\d+) +<\.\.\. (?P<call>\w+) resumed>.*\) += \d+")


@pytest.fixture
def strace() -> str:
    """Give the program, if it may look at processes here."""
    program = shutil.which("strace")
    why = "strace is not installed"
    if program is not None:
        tried = subprocess.run(
            [program, "-f", "-qq", "-o", "/dev/null", "true"],
            capture_output=True,
            text=True,
            check=False,
        )
        if tried.returncode == 0:
            return program
        why = f"strace may not look at processes: {tried.stderr.strip()}"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def calls_in(trace: str) -> list[tuple[str, str, str]]:
    """Give process, call and arguments of each call that succeeded, in the order of their ends."""
    begun: dict[tuple[str, str], str] = {}
    calls = []
    for line in trace.splitlines():
        if found := _WHOLE.match(line):
            calls.append((found["process"], found["call"], found["rest"]))
        elif found := _BEGUN.match(line):
            begun[found["process"], found["call"]] = found["rest"]
        elif found := _ENDED.match(line):
            rest = begun.pop((found["process"], found["call"]), "")
            calls.append((found["process"], found["call"], rest))
    return calls


def unsynced(calls: Sequence[tuple[str, str, str]], log: str, answer: re.Pattern[str]) -> list[int]:
    """Say for each answer, a call that *answer* finds, whether its event was not synced.

    *log* is a part of the path that must have been written and synced since the answer before.
    """
    answers = []
    synced = False
    for process, call, rest in calls:
        if log in rest:
            if call in ("fsync", "fdatasync"):
                synced = True
            elif call.startswith("pwrite"):
                synced = False
        elif answer.search(f"{process} {call}({rest}"):
            answers.append(int(not synced))
            synced = False
    return answers


_ALONE = """
import asyncio, os, sys
from pathlib import Path
from api.accesslog.ledger import Ledger
from api.accesslog.ledger_sqlite import SqliteWriter
from tests.accesslog.events import read_of

async def main(path, synchronous):
    writer = SqliteWriter(Path(path))
    ledger = Ledger(writer)
    await ledger.start()
    await writer._in_thread(
        lambda: writer._ready().execute(f"pragma synchronous = {synchronous}").fetchall()
    )
    for number in range(10):
        await ledger.append(read_of(number))
        os.write(1, b"answered")
    await ledger.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def _traced_on_sqlite(strace: str, log: Log, folder: Path, synchronous: str) -> list[int]:
    trace = folder / "trace"
    process = await asyncio.create_subprocess_exec(
        *(strace, "-f", "-qq", "-y", "-e", CALLS, "-o", str(trace)),
        *(sys.executable, "-c", _ALONE, str(log.path), synchronous),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    calls = calls_in(await asyncio.to_thread(trace.read_text))
    return unsynced(calls, "log.sqlite3-wal>", re.compile(r'write\(1<.*"answered"'))


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_on_sqlite_the_disk_is_synced_before_each_answer(
    strace: str, log: Log, tmp_path: Path
) -> None:
    assert await _traced_on_sqlite(strace, log, tmp_path, "full") == [0] * EVENTS


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_on_sqlite_the_trace_shows_when_synchronous_is_lowered(
    strace: str, log: Log, tmp_path: Path
) -> None:
    assert sum(await _traced_on_sqlite(strace, log, tmp_path, "normal")) >= EVENTS - 1


@asynccontextmanager
async def _watching(strace: str, processes: Sequence[int], trace: Path) -> AsyncIterator[None]:
    """Write down the calls of the *processes* while the block runs."""
    watcher = await asyncio.create_subprocess_exec(
        *(strace, "-y", "-s", "2000", "-e", CALLS, "-o", str(trace)),
        *(f"--attach={process}" for process in processes),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert watcher.stderr is not None
        for _ in processes:  # It says that it is attached.
            line = await asyncio.wait_for(watcher.stderr.readline(), 10)
            if b"attached" not in line:
                why = f"strace may not look at the server: {line.decode().strip()}"
                pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
        yield
    finally:
        if watcher.returncode is None:
            watcher.send_signal(signal.SIGINT)
        await watcher.communicate()


async def _processes_that_sync(url: str) -> list[int]:
    """Give the processes of the server that sync its write-ahead log beside the backends."""
    connection = await asyncpg.connect(libpq_url(url))
    rows = await connection.fetch(
        "select pid from pg_stat_activity where backend_type in ('walwriter', 'checkpointer')"
        " or (application_name = 'perisai-ledger' and datname = current_database())"
    )
    await connection.close()
    return [row["pid"] for row in rows]


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_on_postgresql_the_disk_is_synced_before_each_answer(
    strace: str, log: Log, ledger: Ledger, tmp_path: Path
) -> None:
    assert log.database is not None
    await ledger.append(read_of())  # Its statement is prepared: each answer is one to an event.
    trace = tmp_path / "trace"
    processes = await _processes_that_sync(log.database.superuser_url)
    async with _watching(strace, processes, trace):
        # One more than is looked at: an answer is here before its call has ended there, and
        # the last one may not be written down any more.
        for number in range(EVENTS + 1):
            await ledger.append(read_of(number))

    calls = calls_in(await asyncio.to_thread(trace.read_text))

    # What the server says of a statement that is done and committed.
    answers = unsynced(calls, "/pg_wal/", re.compile(r" sendto\(.*SELECT 1"))
    assert answers[:EVENTS] == [0] * EVENTS


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_on_postgresql_the_trace_shows_when_the_commit_is_not_synced(
    strace: str, log: Log, tmp_path: Path
) -> None:
    """A session that lowers it between `append`, which looks, and its commit."""
    assert log.database is not None
    trace = tmp_path / "trace"
    connection = await asyncpg.connect(libpq_url(log.database.service_url))
    processes = await _processes_that_sync(log.database.superuser_url)
    tree = Tree()
    async with _watching(strace, [connection.get_server_pid(), *processes], trace):
        for number in range(EVENTS):
            body = f"event {number}".encode()
            hashes = [tree.append(leaf_hash(body))]
            await connection.execute("begin")
            await connection.fetch(
                "select accesslog.append($1, $2, $3, $4)", number, [body], hashes, tree.root()
            )
            await connection.execute("set local synchronous_commit = off")
            await connection.execute("commit")
        await connection.fetch("select 1")  # The last commit is written down by then.
    await connection.close()

    calls = calls_in(await asyncio.to_thread(trace.read_text))

    answers = unsynced(calls, "/pg_wal/", re.compile(r" sendto\(.*COMMIT"))
    assert len(answers) == EVENTS
    # The server syncs in the background, too, and may be as fast by chance.
    assert sum(answers) > 0
