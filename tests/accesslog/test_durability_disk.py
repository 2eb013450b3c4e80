"""A disk that fails at each of its operations, and what is on it when a caller gets its index."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.accesslog.ledger import Ledger
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.reader import LogReader
from api.accesslog.verify import verify
from api.database import engine_of
from api.errors import LogUnavailable, RefusesToStart
from api.migrations import upgrade
from tests.accesslog.events import read_of
from tests.accesslog.watched_disk import WatchedDisk, watched


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    """Give a log of three entries whose write-ahead log was emptied."""
    path = tmp_path / "log.sqlite"
    await upgrade("log", f"sqlite+aiosqlite:///{path}")
    ledger = Ledger(SqliteWriter(path))
    await ledger.start()
    for number in range(3):
        await ledger.append(read_of(number))
    await ledger.close()
    assert not path.with_name("log.sqlite-wal").exists()
    return path


@asynccontextmanager
async def _reader(path: Path) -> AsyncIterator[LogReader]:
    engine = engine_of(f"sqlite+aiosqlite:///{path}")
    yield LogReader(engine)
    await engine.dispose()


async def _answered(
    path: Path, numbers: Sequence[int], crashed: Path | None = None
) -> dict[int, int]:
    """Append as a process does, batch after batch; give index and number of what was answered.

    Args:
        crashed: where the files are copied to, as a kill before the closing would leave them.
    """
    answered = {}
    ledger = Ledger(SqliteWriter(path))
    try:
        await ledger.start()
    except (LogUnavailable, RefusesToStart):
        await ledger.close()
        return {}
    for at in range(0, len(numbers), 2):
        batch = numbers[at : at + 2]
        indices = await asyncio.gather(
            *(ledger.append(read_of(number)) for number in batch), return_exceptions=True
        )
        for number, index in zip(batch, indices, strict=True):
            if isinstance(index, int):
                answered[index] = number
            else:
                assert isinstance(index, LogUnavailable)
    if crashed is not None:
        for file in (path, path.with_name(f"{path.name}-wal")):
            shutil.copy(file, crashed / file.name)
    await ledger.close()
    return answered


async def _holds(path: Path, answered: dict[int, int]) -> None:
    """Assert that the log verifies and holds each answered event at its index."""
    async with _reader(path) as reader:
        assert (await verify(reader, [])).size > max(answered)
        for index, number in answered.items():
            assert await reader.event(index) == read_of(number)


@pytest.mark.parametrize("once", [True, False], ids=["once", "from then on"])
async def test_after_a_failure_at_each_operation_of_the_disk_no_answered_event_is_missing(
    log: Path, tmp_path: Path, once: bool
) -> None:
    """Each write (torn in its half), each truncation, each sync, to the last of the closing."""
    numbers = range(10, 16)
    tried = refused = 0
    failed = True
    while failed:
        closed, crashed = tmp_path / f"{tried}-closed", tmp_path / f"{tried}-crashed"
        closed.mkdir()
        crashed.mkdir()
        shutil.copy(log, closed)
        disk = WatchedDisk(fail_at=tried, once=once)
        with watched(disk):
            answered = await _answered(closed / log.name, numbers, crashed)
        refused += len(numbers) - len(answered)
        for folder in (closed, crashed):
            if not any(folder.iterdir()):
                continue  # It never came to the copy: the ledger did not start.
            # Another process, on a disk that works again, goes on where this one ended.
            more = await _answered(folder / log.name, [99])
            assert list(more.values()) == [99]
            await _holds(folder / log.name, {0: 0, 1: 1, 2: 2} | answered | more)
            shutil.rmtree(folder)
        failed = disk.failed > 0
        tried += failed
    assert tried > 20  # Three batches, and the emptying of the write-ahead log at the end.
    assert refused > 0


async def _watched_answers(path: Path, *, synchronous: str = "full") -> list[str]:
    """Give what happened on the disk, with `answered` where a caller got its index."""

    class Lowered(SqliteWriter):
        def _connect(self) -> None:
            super()._connect()
            self._ready().execute(f"pragma synchronous = {synchronous}")

    disk = WatchedDisk()
    with watched(disk):
        ledger = Ledger(Lowered(path))
        await ledger.start()
        for number in range(10):
            await ledger.append(read_of(number))
            disk.happened.append("answered")
        await ledger.close()
    return disk.happened


def unsynced(happened: Sequence[str]) -> int:
    """Count the answers before which something was written and not synced, or nothing was."""
    count = 0
    synced = False
    for what in happened:
        if what.startswith("write"):
            synced = False
        elif what.startswith("sync"):
            synced = True
        elif what == "answered":
            count += not synced
            synced = False
    return count


async def test_what_an_event_wrote_is_synced_before_its_caller_is_answered(log: Path) -> None:
    happened = await _watched_answers(log)

    assert happened.count("answered") == 10
    assert happened.count("write log.sqlite-wal") >= 20
    assert unsynced(happened) == 0


@pytest.mark.parametrize("synchronous", ["normal", "off"])
async def test_the_trace_shows_when_synchronous_is_lowered(log: Path, synchronous: str) -> None:
    happened = await _watched_answers(log, synchronous=synchronous)

    assert happened.count("answered") == 10
    assert unsynced(happened) >= 9


async def test_a_disk_that_fails_is_refused_with_nothing_of_the_failure(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = WatchedDisk()
    with watched(disk):
        ledger = Ledger(SqliteWriter(log))
        await ledger.start()
        disk.fail_at, disk.once = disk.operations, False
        with pytest.raises(LogUnavailable) as refused:
            await ledger.append(read_of(7))
        disk.fail_at = None
        assert await ledger.append(read_of(8)) == 3
        await ledger.close()

    assert refused.value.__cause__ is refused.value.__context__ is None
    assert "log.sqlite" not in capsys.readouterr().out
    with sqlite3.connect(log) as lite:
        assert lite.execute("select count(*) from entry").fetchone() == (4,)
    lite.close()
