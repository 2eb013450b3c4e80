"""The watch: whoever holds no signing key notices all the same that nobody signs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.checkpoint_watch import INTERVAL, CheckpointWatch
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.log_keys import LogKeys
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.tree import leaf_hash
from api.accesslog.watched_ledger import WatchedLedger
from api.crypto.signatures import SigningKey
from api.errors import LogNotContinued, LogUnavailable, RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of

KEY = SigningKey.from_seed(bytes(range(32)))
STRANGER = SigningKey.from_seed(bytes(range(1, 33)))
ORIGIN = "perisai.example/log"
NOON = read_of(0).at


class Seconds:
    """A clock that moves when it is told to, and when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def source(log: Log) -> AsyncIterator[Writer]:
    """Give the connection of whoever signs."""
    source = log.source()
    await source.open()
    yield source
    await source.close()


@pytest.fixture
async def signer(source: Writer, tmp_path: Path) -> AsyncIterator[Signer]:
    """Give a signer that has accepted the empty log."""
    signer = Signer(tmp_path / "signer.json", KEY, ORIGIN)
    await signer.start(source)
    yield signer
    signer.close()


@pytest.fixture
def watch(reader: LogReader, seconds: Seconds) -> CheckpointWatch:
    keys = [Signer(Path("unused"), KEY, ORIGIN).verifier_key]
    return CheckpointWatch(reader, LogKeys(keys), alarm=60, limit=600, clock=seconds)


async def test_events_that_are_signed_for_in_time_are_all_there_is_to_it(
    watch: CheckpointWatch, seconds: Seconds, ledger: Ledger, signer: Signer, source: Writer
) -> None:
    with capture_logs() as lines:
        for number in range(3):
            await ledger.append(read_of(number))
            await watch.look()
            await signer.sign(source)
            seconds.now += 59
            await watch.look()

            watch.check()
            watch.health()
            assert watch.lag == 0

    assert lines == []
    assert watch.newest == Checkpoint(ORIGIN, 3, (await source.state()).root)


async def test_a_log_at_rest_is_never_late(
    watch: CheckpointWatch, seconds: Seconds, ledger: Ledger, signer: Signer, source: Writer
) -> None:
    await watch.look()
    seconds.now += 10_000
    await watch.look()
    watch.health()
    await ledger.append(read_of())
    await signer.sign(source)
    await watch.look()
    seconds.now += 10_000
    await watch.look()

    watch.health()


async def test_when_nobody_signs_it_alarms_then_closes_and_opens_again(
    log: Log,
    watch: CheckpointWatch,
    seconds: Seconds,
    signer: Signer,
    source: Writer,
) -> None:
    ledger = WatchedLedger(log.writer(), watch)
    await ledger.start()
    await ledger.append(read_of(0))
    with capture_logs() as lines:
        await watch.look()
        seconds.now = 30
        await ledger.append(read_of(1))
        await watch.look()
        await ledger.health()

        seconds.now = 61
        await watch.look()
        await watch.look()
        await ledger.append(read_of(2))  # late is an alarm, not the end
        with pytest.raises(LogUnavailable):
            await ledger.health()

        seconds.now = 601
        with pytest.raises(LogUnavailable):
            await ledger.append(read_of(3))
        await watch.look()
        assert (await source.state()).size == 3

        await signer.sign(source)
        await watch.look()
        assert await ledger.append(read_of(3)) == 3
        await ledger.health()
    await ledger.close()

    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("checkpoints_late", "error"),
        ("checkpoints_stopped", "critical"),
        ("checkpoints_again", "info"),
    ]


async def test_a_checkpoint_that_covers_a_part_leaves_the_rest_late(
    watch: CheckpointWatch, seconds: Seconds, ledger: Ledger, signer: Signer, source: Writer
) -> None:
    await ledger.append(read_of(0))
    await watch.look()
    await signer.sign(source)
    seconds.now = 50
    await ledger.append(read_of(1))
    await watch.look()
    seconds.now = 100
    await watch.look()

    assert watch.lag == 50


async def test_the_notes_of_strangers_count_for_nothing(
    log: Log, watch: CheckpointWatch, seconds: Seconds, ledger: Ledger, source: Writer
) -> None:
    await ledger.append(read_of())
    root = (await source.state()).root
    await source.put_checkpoint(1, Checkpoint(ORIGIN, 1, root).sign(STRANGER))
    await watch.look()
    seconds.now = 61
    await watch.look()

    assert watch.newest is None
    with pytest.raises(LogUnavailable):
        watch.health()


async def test_a_checkpoint_of_another_log_ends_it_for_good(
    log: Log,
    watch: CheckpointWatch,
    ledger: Ledger,
    signer: Signer,
    source: Writer,
) -> None:
    await ledger.append(read_of())
    with log.raw() as raw:
        note = Checkpoint(ORIGIN, 1, leaf_hash(b"another")).sign(KEY)
        raw.execute("insert into checkpoint (size, note, number) values (1, ?, 0)", note)
    with capture_logs() as lines:
        await watch.look()
        await watch.look()

    assert [line["event"] for line in lines] == ["log_broken"]
    with pytest.raises(LogUnavailable):
        watch.check()
    with pytest.raises(LogNotContinued, match="does not continue its newest checkpoint"):
        await watch.start(lambda: NOON)


async def test_a_log_that_is_shorter_than_its_checkpoint_is_not_served(
    log: Log,
    watch: CheckpointWatch,
    reader: LogReader,
    ledger: Ledger,
    signer: Signer,
    source: Writer,
) -> None:
    for number in range(3):
        await ledger.append(read_of(number))
    await signer.sign(source)
    await watch.start(lambda: NOON)
    with log.raw() as raw:
        raw.execute("delete from entry where idx = 2")
        raw.execute("delete from head where size = 3")

    await watch.look()
    with pytest.raises(LogUnavailable):
        watch.check()
    fresh = CheckpointWatch(reader, LogKeys([signer.verifier_key]), alarm=60, limit=600)
    with pytest.raises(LogNotContinued, match="3 entries were signed for"):
        await fresh.start(lambda: NOON)


async def test_old_events_that_nobody_signed_for_are_not_served(
    watch: CheckpointWatch, ledger: Ledger, signer: Signer, source: Writer
) -> None:
    await watch.start(lambda: NOON)  # there is nothing to sign for yet
    await ledger.append(read_of(0))
    await watch.start(lambda: NOON + timedelta(seconds=600))
    later = NOON + timedelta(seconds=601)
    with pytest.raises(RefusesToStart, match="no checkpoint for those from 0 on"):
        await watch.start(lambda: later)

    await signer.sign(source)
    await watch.start(lambda: later)
    await ledger.append(read_of(1))  # one second after the first
    await watch.start(lambda: later)
    with pytest.raises(RefusesToStart, match="from 1 on"):
        await watch.start(lambda: later + timedelta(seconds=2))


async def test_who_waits_for_a_checkpoint_gets_it_or_a_clear_refusal(
    watch: CheckpointWatch, seconds: Seconds, ledger: Ledger, signer: Signer, source: Writer
) -> None:
    await ledger.append(read_of())
    with pytest.raises(RefusesToStart, match="Nobody signed"):
        await watch.covered(1, seconds.pause)
    assert 10 < seconds.now < 11

    async def pause(_seconds: float) -> None:
        await signer.sign(source)

    await watch.covered(1, pause)
    assert watch.newest is not None


async def test_it_looks_at_a_fixed_pace(watch: CheckpointWatch, ledger: Ledger) -> None:
    await ledger.append(read_of())
    waited: list[float] = []

    class Enough(Exception):
        pass

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise Enough

    with pytest.raises(Enough):
        await watch.look_forever(pause)

    assert waited == [INTERVAL] * 3


async def test_a_look_that_has_begun_is_ended_when_the_watch_is_called_off(
    reader: LogReader,
) -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), []

    class Slow(CheckpointWatch):
        async def look(self) -> None:
            begun.set()
            await go_on.wait()
            ended.append(True)

    async def at_once(_seconds: float) -> None:
        pass

    slow = Slow(reader, LogKeys([]), alarm=60, limit=600)
    task = asyncio.create_task(slow.look_forever(at_once))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait([task])

    assert ended == [True]
    assert task.cancelled()
