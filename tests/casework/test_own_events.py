"""What a process says by itself: that it lives, that its clock jumped, that its policy changed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from api.accesslog.checkpoint_watch import CheckpointWatch
from api.accesslog.event import Event
from api.accesslog.log_keys import LogKeys
from api.accesslog.reader import LogReader
from api.accesslog.watched_ledger import WatchedLedger
from api.casework.clock_watch import STEP_LIMIT, ClockWatch
from api.casework.heartbeat import BEAT_EVERY, Heartbeat
from api.casework.policy_change import Adopted, Change, adopted, tell, tell_at_start
from api.database import Records, engine_of
from api.vocabulary import Action, Outcome, Phase
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.casework.parts import NOON, Gate, Parts


@pytest.fixture
def parts() -> Parts:
    return Parts()


# -- heartbeat --------------------------------------------------------------------


async def test_a_quiet_process_beats_once_a_minute(parts: Parts) -> None:
    last = parts.counted
    heartbeat = Heartbeat(parts.house, lambda: last, parts.monotonic)
    assert await heartbeat.beat() == BEAT_EVERY
    parts.pass_time(BEAT_EVERY - 0.5)
    assert await heartbeat.beat() == 1.0
    assert parts.ledger.events == []
    parts.pass_time(0.5)

    await heartbeat.beat()

    [event] = parts.ledger.events
    assert (event.action, event.at, event.policy) == (Action.HEARTBEAT, parts.now(), "ab" * 32)
    assert event.actor is event.organisation is event.role is None


async def test_a_process_that_appends_does_not_beat(parts: Parts) -> None:
    last = parts.counted
    heartbeat = Heartbeat(parts.house, lambda: last, parts.monotonic)
    for _ in range(100):
        parts.pass_time(BEAT_EVERY / 2)
        last = parts.counted

        assert await heartbeat.beat() == BEAT_EVERY

    assert parts.ledger.events == []


async def test_a_beat_that_the_log_did_not_take_is_tried_again_each_second(parts: Parts) -> None:
    heartbeat = Heartbeat(parts.house, lambda: 0.0, parts.monotonic)
    parts.ledger.down = True
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        parts.pass_time(seconds)
        parts.ledger.down = len(waited) < 3
        if len(waited) == 4:
            raise asyncio.CancelledError

    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await heartbeat.beat_forever(pause)

    assert waited[:3] == [BEAT_EVERY, 1.0, 1.0]
    assert [line["event"] for line in lines] == ["heartbeat_missed"] * 2
    assert [event.action for event in parts.ledger.events] == [Action.HEARTBEAT]


async def test_the_ledger_knows_when_it_last_took_an_event(log: Log, reader: LogReader) -> None:
    times = iter([5.0, 9.0])
    watch = CheckpointWatch(reader, LogKeys(()), alarm=1, limit=2)
    ledger = WatchedLedger(log.writer(), watch, monotonic=lambda: next(times))
    await ledger.start()
    assert ledger.last == 5.0

    assert await ledger.append(read_of()) == 0

    assert ledger.last == 9.0
    await ledger.close()


# -- clock ------------------------------------------------------------------------


def watch(parts: Parts) -> ClockWatch:
    return ClockWatch(parts.house, parts.monotonic, back=parts.ledger.shut)


@pytest.mark.parametrize("seconds", [-10, -1, 0, 1, 10])
async def test_a_clock_that_is_led_gently_is_right(parts: Parts, seconds: int) -> None:
    watching = watch(parts)
    parts.pass_time(3_600)
    parts.now.move(timedelta(seconds=seconds))

    assert await watching.look()

    assert parts.ledger.events == []


async def test_a_clock_put_forward_is_an_event_and_the_new_time_is_gone_on_with(
    parts: Parts,
) -> None:
    watching = watch(parts)
    parts.pass_time(60)
    right = parts.now()
    parts.now.move(timedelta(hours=2, microseconds=1_500))
    with capture_logs() as lines:
        assert await watching.look()
        assert await watching.look()

    [event] = parts.ledger.events
    assert (event.action, event.step, event.at) == (Action.CLOCK_STEP, 7_200_001, right)
    assert event.agencies == ("komnas-ham", "lpsk")
    assert [(line["event"], line["seconds"]) for line in lines] == [("clock_stepped", 7_200)]
    assert not parts.ledger.closed


async def test_a_clock_put_back_is_an_event_and_closes(parts: Parts) -> None:
    watching = watch(parts)
    parts.pass_time(60)
    right = parts.now()
    parts.now.move(-timedelta(hours=3))

    with capture_logs():
        assert not await watching.look()

    [event] = parts.ledger.events
    # Of the moment that it should be: a start sees that the clock is behind the log.
    assert (event.action, event.step, event.at) == (Action.CLOCK_STEP, -10_800_000, right)
    assert parts.ledger.closed


async def test_many_small_steps_back_are_one_large_one(parts: Parts) -> None:
    watching = watch(parts)
    with capture_logs():
        for _ in range(2):
            parts.pass_time(60)
            parts.now.move(-STEP_LIMIT * 0.6)
            looked = await watching.look()

    assert not looked
    [event] = parts.ledger.events
    assert event.step == -12_000


async def test_a_clock_put_back_closes_even_if_that_cannot_be_logged(parts: Parts) -> None:
    watching = watch(parts)
    parts.ledger.down = True
    parts.now.move(-timedelta(hours=3))

    with capture_logs():
        assert not await watching.look()

    assert parts.ledger.closed


async def test_a_step_forward_that_could_not_be_logged_is_told_later(parts: Parts) -> None:
    watching = watch(parts)
    parts.ledger.down = True
    parts.now.move(timedelta(hours=2))
    with capture_logs():
        assert await watching.look()
        parts.ledger.down = False
        parts.pass_time(1)

        assert await watching.look()

    assert [event.step for event in parts.ledger.events] == [7_200_000]


# -- policy -----------------------------------------------------------------------


def started(policy: str) -> Event:
    return replace(read_of(), action=Action.START, policy=policy, touched=())


@pytest.fixture
async def told(log: Log, reader: LogReader, parts: Parts) -> AsyncIterator[Parts]:
    """Give parts with a real log, and records that have nothing but a lock."""
    ledger = log.ledger()
    await ledger.start()
    records = Records(engine_of("sqlite+aiosqlite://"))
    parts.ledger, parts.log, parts.records = ledger, reader, records  # type: ignore[assignment, attr-defined]
    yield parts
    await records.close()
    await ledger.close()


async def test_a_new_policy_is_an_event_with_both_hashes_once(
    reader: LogReader, told: Parts
) -> None:
    assert not await tell_at_start(told.house)  # The first start has none before it.
    await told.ledger.append(started("ab" * 32))
    await told.ledger.append(replace(read_of(), policy="99" * 32))
    assert not await tell_at_start(told.house)
    told.gate = Gate("cd" * 32)

    assert await tell_at_start(told.house)
    assert not await tell_at_start(told.house)

    event = await reader.event(2)
    assert event is not None
    assert (event.action, event.previous, event.policy) == (
        Action.POLICY_CHANGE,
        "ab" * 32,
        "cd" * 32,
    )
    assert event.agencies == ("komnas-ham", "lpsk")
    assert event.at == NOON
    await told.ledger.append(started("cd" * 32))
    told.gate = Gate("ab" * 32)
    assert await tell_at_start(told.house)


async def test_what_a_command_says_of_a_policy_counts_only_if_it_was_adopted(
    reader: LogReader, told: Parts
) -> None:
    await told.ledger.append(started("ab" * 32))
    words = ("approver:01020304", "author:05060708", "number:1")
    change = Change("ab" * 32, "cd" * 32, words)
    event = replace(
        read_of(),
        action=Action.POLICY_CHANGE,
        phase=Phase.INTENT,
        policy=change.policy,
        previous=change.previous,
        touched=change.touched,
    )
    told.gate = Gate("cd" * 32)
    for outcome, so in ((Outcome.NOTHING, False), (Outcome.FAILED, False), (Outcome.DONE, True)):
        intent = await told.ledger.append(event)
        # While it is under way it is said already, and not yet so.
        async with told.house.records.change() as connection:
            assert not await tell(told.house, connection, change, request="policy")
        assert await adopted(reader) is None
        ended = replace(event, phase=Phase.OUTCOME, intent=intent, outcome=outcome)
        await told.ledger.append(ended)
        assert (await adopted(reader) == Adopted(1, "cd" * 32)) is so
    assert not await tell_at_start(told.house, words)

    told.gate = Gate("ef" * 32)
    assert await tell_at_start(told.house, (*words[:2], "number:2"))
    assert await adopted(reader) == Adopted(2, "ef" * 32)
