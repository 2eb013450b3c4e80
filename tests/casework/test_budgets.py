"""The budgets: who was opened counts once, for an hour, for one caller and for all."""

import sys
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from api.casework.budgets import WINDOW, Budgets
from api.errors import OpeningsExhausted
from tests.casework.parts import NOON
from tests.world import Clock

SARI, BUDI = UUID(int=1), UUID(int=2)


def several(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


@pytest.fixture
def now() -> Clock:
    return Clock(NOON)


def test_a_record_counts_once_however_often_it_is_opened(now: Clock) -> None:
    budgets, page = Budgets(10, 10), several(10)

    for _ in range(500):
        budgets.spend(SARI, page, now())

    with pytest.raises(OpeningsExhausted):
        budgets.spend(SARI, several(1), now())


def test_all_of_a_page_is_counted_or_none_of_it(now: Clock) -> None:
    budgets, there = Budgets(10, 100), several(8)
    budgets.spend(SARI, there, now())

    with pytest.raises(OpeningsExhausted):
        budgets.spend(SARI, several(3), now())

    budgets.spend(SARI, [*there, *several(2)], now())


def test_the_hour_slides_with_each_record_from_its_last_opening(now: Clock) -> None:
    budgets, first, second = Budgets(2, 100), uuid4(), uuid4()
    budgets.spend(SARI, [first], now())
    now.move(WINDOW / 2)
    budgets.spend(SARI, [second], now())
    now.move(WINDOW / 4)
    budgets.spend(SARI, [first], now())
    now.move(WINDOW / 4)

    with pytest.raises(OpeningsExhausted):  # The first left the count and came again.
        budgets.spend(SARI, several(1), now())

    now.move(WINDOW / 4 + timedelta(seconds=1))
    with pytest.raises(OpeningsExhausted):
        budgets.spend(SARI, several(1), now())
    now.move(WINDOW / 4)
    budgets.spend(SARI, several(1), now())


def test_a_clock_that_is_put_back_opens_nothing_more(now: Clock) -> None:
    budgets = Budgets(1, 100)
    budgets.spend(SARI, several(1), now())
    now.move(-2 * WINDOW)

    with pytest.raises(OpeningsExhausted):
        budgets.spend(SARI, several(1), now())


def test_one_caller_does_not_spend_the_budget_of_another(now: Clock) -> None:
    budgets = Budgets(3, 100)
    budgets.spend(SARI, several(3), now())

    budgets.spend(BUDI, several(3), now())

    with pytest.raises(OpeningsExhausted):
        budgets.spend(SARI, several(1), now())


def test_all_callers_together_spend_the_budget_of_the_process(now: Clock) -> None:
    budgets, seen = Budgets(3, 5), several(3)
    budgets.spend(SARI, seen, now())
    with pytest.raises(OpeningsExhausted):
        budgets.spend(BUDI, several(3), now())

    budgets.spend(BUDI, seen, now())  # Different people count, not different callers.
    budgets.spend(UUID(int=3), several(2), now())

    with pytest.raises(OpeningsExhausted):
        budgets.spend(UUID(int=4), several(1), now())


def test_to_ask_what_is_left_spends_nothing(now: Clock) -> None:
    budgets = Budgets(3, 100)
    for _ in range(5):
        budgets.check(SARI, 3, now())
    budgets.spend(SARI, several(1), now())

    budgets.check(SARI, 2, now())
    with pytest.raises(OpeningsExhausted):
        budgets.check(SARI, 3, now())


def test_each_alarm_is_told_once_an_hour_with_counts_only(now: Clock) -> None:
    budgets, page = Budgets(10, 1000), several(8)
    with capture_logs() as lines:
        budgets.spend(SARI, page[:7], now())
        assert lines == []
        for _ in range(5):
            budgets.spend(SARI, page, now())
            with pytest.raises(OpeningsExhausted):
                budgets.spend(SARI, several(3), now())

    counts = {"member": str(SARI), "opened": 8, "budget": 10}
    assert lines == [
        {"event": "openings_near_budget", "log_level": "warning", **counts},
        {"event": "openings_exhausted", "log_level": "error", **counts},
    ]

    now.move(WINDOW)
    with capture_logs() as lines:
        budgets.spend(SARI, several(8), now())
    assert [line["event"] for line in lines] == ["openings_near_budget"]


def test_the_process_has_alarms_of_its_own_and_names_no_member(now: Clock) -> None:
    budgets = Budgets(100, 10, alarm=0.5)
    with capture_logs() as lines:
        budgets.spend(SARI, several(5), now())
        with pytest.raises(OpeningsExhausted):
            budgets.spend(BUDI, several(6), now())

    assert lines == [
        {"event": event, "log_level": level, "of": "process", "opened": 5, "budget": 10}
        for event, level in (("openings_near_budget", "warning"), ("openings_exhausted", "error"))
    ]


def test_memory_stays_bounded(now: Clock) -> None:
    budgets = Budgets(5, 50)
    for _ in range(2_000):
        member = uuid4()
        budgets.spend(member, several(5), now())
        with pytest.raises(OpeningsExhausted):
            budgets.spend(member, several(500), now())
        now.move(WINDOW / 10 + timedelta(seconds=1))

    windows = [budgets._process, *budgets._callers.values()]
    assert len(windows) <= 12
    assert sum(len(window._opened) for window in windows) <= 100
    assert all(sys.getsizeof(window._opened) < 10_000 for window in windows)


def test_it_shows_nobody(now: Clock) -> None:
    budgets = Budgets()
    budgets.spend(SARI, several(3), now())

    assert repr(budgets) == "<budgets of 1 callers>"
