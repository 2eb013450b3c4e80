"""Of a flood of refused sign-ins the log holds every single one, in few events."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.casework.sign_in import REFUSALS_A_MINUTE, Known, Refusals
from api.errors import LogUnavailable, NotSignedIn, PerisaiError, SignInUnavailable
from api.vocabulary import Action, Decision
from tests.casework.parts import Parts

MINUTE = timedelta(minutes=1)


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def flood(
    refusals: Refusals, count: int, error: type[PerisaiError] = NotSignedIn, whose: Any = None
) -> None:
    for number in range(count):
        await refusals.append(error(), f"r{number}", whose)


def told(parts: Parts) -> Counter[tuple[str | None, str | None]]:
    """Count, by organisation and code, how many refusals the log tells of."""
    found: Counter[tuple[str | None, str | None]] = Counter()
    for event in parts.ledger.events:
        assert (event.action, event.decision) == (Action.SIGN_IN, Decision.REFUSED)
        found[event.organisation, event.code] += 1 if event.count is None else event.count
    return found


async def test_what_is_above_the_limit_is_one_event_with_its_number(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, REFUSALS_A_MINUTE + 1_940)
    await refusals.flush()
    assert len(parts.ledger.events) == REFUSALS_A_MINUTE

    parts.now.move(MINUTE)
    await refusals.flush()

    *single, counted = parts.ledger.events
    assert [event.count for event in single] == [None] * REFUSALS_A_MINUTE
    assert (counted.count, counted.code, counted.actor) == (1_940, "NOT_SIGNED_IN", None)
    assert counted.at == parts.now()
    await refusals.flush()
    assert len(parts.ledger.events) == REFUSALS_A_MINUTE + 1


async def test_each_organisation_and_each_code_is_counted_for_itself(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, 100)
    await flood(refusals, 7, SignInUnavailable)
    await flood(refusals, 90, whose=Known("lpsk"))
    parts.now.move(MINUTE)

    await refusals.flush()

    assert told(parts) == {
        (None, "NOT_SIGNED_IN"): 100,
        (None, "SIGN_IN_UNAVAILABLE"): 7,
        ("lpsk", "NOT_SIGNED_IN"): 90,
    }
    assert len(parts.ledger.events) == 2 * REFUSALS_A_MINUTE + 3


async def test_a_minute_that_is_over_is_told_by_the_next_refusal_too(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, REFUSALS_A_MINUTE + 5)
    parts.now.move(MINUTE)

    await flood(refusals, 1)

    assert [event.count for event in parts.ledger.events[-2:]] == [5, None]


async def test_the_end_of_the_process_tells_a_minute_that_is_not_over(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, REFUSALS_A_MINUTE + 5)

    await refusals.close()

    assert sum(told(parts).values()) == REFUSALS_A_MINUTE + 5


async def test_while_the_log_is_down_nothing_that_was_counted_is_lost(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, REFUSALS_A_MINUTE + 5)
    await flood(refusals, 3, SignInUnavailable)
    parts.now.move(MINUTE)
    parts.ledger.down = True
    with pytest.raises(LogUnavailable):
        await refusals.flush()
    with pytest.raises(LogUnavailable):
        await flood(refusals, 1)
    with capture_logs() as lines:
        await refusals.close()
    assert [(line["event"], line["not_in_the_log"]) for line in lines] == [("sign_ins_refused", 8)]

    parts.ledger.down = False
    await refusals.flush()

    assert sum(told(parts).values()) == REFUSALS_A_MINUTE + 8


async def test_the_task_flushes_by_itself_and_outlives_a_log_that_is_down(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, REFUSALS_A_MINUTE + 5)
    turns = 0

    async def pause(_seconds: float) -> None:
        nonlocal turns
        turns += 1
        parts.now.move(MINUTE)
        parts.ledger.down = turns == 1
        if turns == 3:
            raise asyncio.CancelledError

    with capture_logs(), pytest.raises(asyncio.CancelledError):
        await refusals.flush_forever(pause)

    assert sum(told(parts).values()) == REFUSALS_A_MINUTE + 5


async def test_a_flush_that_is_cancelled_in_the_middle_counts_nothing_twice(parts: Parts) -> None:
    refusals = Refusals(parts.house)
    await flood(refusals, REFUSALS_A_MINUTE)
    await flood(refusals, 4)
    await flood(refusals, 3, SignInUnavailable)
    append = parts.ledger.append

    async def cancelled(event: Any) -> int:
        # As the ledger does: the event is queued, whoever waits for it or not.
        await append(event)
        raise asyncio.CancelledError

    parts.ledger.append = cancelled  # type: ignore[method-assign]  # one call of it
    with pytest.raises(asyncio.CancelledError):
        await refusals.flush(ending=True)
    parts.ledger.append = append  # type: ignore[method-assign]  # as it was

    await refusals.close()

    assert sum(told(parts).values()) == REFUSALS_A_MINUTE + 7
