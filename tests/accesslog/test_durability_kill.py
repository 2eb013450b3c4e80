"""Killed at random moments under load, the process or the server: nothing answered is missing.

20 rounds on each database; `make test-kill` does 200.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from api.accesslog.event import decode
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.verify import verify
from api.database import engine_of
from api.errors import RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.postgresql import PostgresServer, libpq_url

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("PERISAI_TEST_KILL_ROUNDS", "20"))
#: Answers that a round waits for at most before it kills; at 0 the process only starts.
MOST = 400
#: Numbers of events that a round may use.
STRIDE = 100_000


@pytest.mark.long
async def test_after_kill_9_at_random_moments_no_answered_event_is_missing(
    log: Log, request: pytest.FixtureRequest
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    kills = ["process"]
    if log.database is not None:
        # A backend that is killed makes the whole server recover, as a crash of it does.
        kills = ["process", "process", "backend", "server"]
    answered: dict[int, int] = {}
    for round_ in range(ROUNDS):
        lines = chance.randrange(1, MOST) if chance.random() < 0.9 else 0
        kill = kills[round_ % len(kills)] if lines else "process"
        process = await _start(log, round_ * STRIDE)
        output = [await _lines(process, lines)]
        if kill == "process":
            process.send_signal(signal.SIGKILL)
        else:
            assert log.database is not None
            server: PostgresServer = request.getfixturevalue("server")
            if kill == "server":
                await asyncio.to_thread(server.kill)
            else:
                await _kill_a_backend(log.database.superuser_url)
        assert process.stdout is not None
        output.append(await asyncio.wait_for(process.stdout.read(), 30))
        await process.wait()
        if kill == "server":
            await asyncio.to_thread(server.restart)
        for line in b"".join(output).splitlines(keepends=True):
            # The last line may be cut off; others are those of the service's own log.
            if line.startswith(b"answered ") and line.endswith(b"\n"):
                index, number = map(int, line.split()[1:])
                assert index not in answered, f"given twice, seed {seed}"
                answered[index] = number
        await _holds(log, answered, f"round {round_}, {kill} killed, seed {seed}")
    assert len(answered) > ROUNDS


async def _start(log: Log, first: int) -> asyncio.subprocess.Process:
    where = log.database.service_url if log.database is not None else str(log.path)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.accesslog.appending",
        log.name,
        where,
        str(first),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        # It says what failed when the server is killed.
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _lines(process: asyncio.subprocess.Process, count: int) -> bytes:
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(count)]
    assert all(lines), "the process ended before it was killed"
    return b"".join(lines)


async def _kill_a_backend(url: str) -> None:
    """Kill the process of the server that serves the ledger."""
    connection = await asyncpg.connect(libpq_url(url))
    process = await connection.fetchval(
        "select pid from pg_stat_activity where datname = current_database() "
        "and application_name = 'perisai-ledger'"
    )
    os.kill(process, signal.SIGKILL)
    connection.terminate()


async def _holds(log: Log, answered: dict[int, int], where: str) -> None:
    """Assert that a ledger starts, the log verifies, and each answered event is at its index."""
    ledger = await _started(log)
    await ledger.close()
    engine = engine_of(log.reader_url)
    reader = LogReader(engine)
    verified = await verify(reader, [])
    assert verified.size > max(answered, default=-1), where
    seen = 0
    for start in range(0, verified.size, 1_000):
        for entry in await reader.entries(start, min(start + 1_000, verified.size)):
            if entry.idx in answered:
                assert decode(entry.body) == read_of(answered[entry.idx]), where
                seen += 1
    assert seen == len(answered), where
    await engine.dispose()


async def _started(log: Log) -> Ledger:
    """Start a ledger; a server that recovers does not answer at once."""
    while True:
        ledger = log.ledger()
        try:
            await ledger.start()
        except RefusesToStart:
            raise
        except Exception:
            await ledger.close()
            await asyncio.sleep(0.02)  # the server has no way to call us back
        else:
            return ledger
