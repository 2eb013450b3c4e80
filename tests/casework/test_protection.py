"""Where measures and emergency protections stand, by their rows and the moment alone."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework.facts import as_own
from api.casework.measures import NewMeasure, check
from api.casework.protection_state import (
    OVER,
    begin_of,
    end_of,
    ended_at,
    lapsed_at,
    state_of,
    status_of,
)
from api.code_lists import load
from api.errors import ValueInvalid
from api.policies.facts import CaseFileFacts
from api.vocabulary import Compartment, EmergencyState, MeasureStatus

NOON = datetime.fromisoformat("2026-11-02T12:00:00+00:00")
TODAY = NOON.date()
DAY = timedelta(days=1)
S = EmergencyState


def emergency(**changed: Any) -> dict[str, Any]:
    """Give one that was granted at noon and awaits the plenary for seven days."""
    return {
        "granted_at": NOON,
        "approve_by": NOON + DAY,
        "warn_from": NOON + 5 * DAY,
        "ratify_by": NOON + 7 * DAY,
        "decided_at": None,
        "votes_for": None,
        "votes_against": None,
        **changed,
    }


def measure(**changed: Any) -> dict[str, Any]:
    """Give one that runs since noon, for thirty days."""
    return {
        "emergency": None,
        "requested_at": NOON,
        "approved_at": NOON,
        "started_at": NOON,
        "ended_at": None,
        "ends_on": TODAY + 30 * DAY,
        **changed,
    }


NOT_GRANTED = {"granted_at": None, "warn_from": None, "ratify_by": None}
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("row", "after", "state"),
    [
        (emergency(**NOT_GRANTED), timedelta(0), S.PROPOSED),
        (emergency(**NOT_GRANTED), DAY - MOMENT, S.PROPOSED),
        (emergency(**NOT_GRANTED), DAY, S.LAPSED),
        (emergency(), timedelta(0), S.RUNNING),
        (emergency(), 5 * DAY - MOMENT, S.RUNNING),
        (emergency(), 5 * DAY, S.ABOUT_TO_LAPSE),
        (emergency(), 7 * DAY - MOMENT, S.ABOUT_TO_LAPSE),
        (emergency(), 7 * DAY, S.LAPSED),
        (emergency(decided_at=NOON, votes_for=4, votes_against=3), 90 * DAY, S.RATIFIED),
        (emergency(decided_at=NOON, votes_for=3, votes_against=3), DAY, S.REJECTED),
        (emergency(decided_at=NOON, votes_for=0, votes_against=7), DAY, S.REJECTED),
    ],
)
def test_an_emergency_protection_stands_by_its_moments(
    row: dict[str, Any], after: timedelta, state: EmergencyState
) -> None:
    assert state_of(row, NOON + after) is state
    assert (lapsed_at(row, NOON + after) is not None) == (state in OVER)


@given(hours=st.integers(0, 24 * 60), later=st.integers(0, 24 * 60))
def test_what_lapsed_stays_lapsed(hours: int, later: int) -> None:
    now = NOON + timedelta(hours=hours)
    if state_of(emergency(), now) in OVER:
        assert state_of(emergency(), now + timedelta(hours=later)) in OVER


@pytest.mark.parametrize(
    ("row", "of", "after", "status"),
    [
        (measure(), None, timedelta(0), MeasureStatus.RUNNING),
        (measure(started_at=None), None, timedelta(0), MeasureStatus.APPROVED),
        (measure(started_at=None, approved_at=None), None, timedelta(0), MeasureStatus.REQUESTED),
        (measure(ended_at=NOON), None, timedelta(0), MeasureStatus.ENDED),
        (measure(ends_on=TODAY), None, timedelta(hours=12) - MOMENT, MeasureStatus.RUNNING),
        (measure(ends_on=TODAY), None, timedelta(hours=12), MeasureStatus.ENDED),
        (measure(emergency=1), emergency(), 6 * DAY, MeasureStatus.RUNNING),
        (measure(emergency=1), emergency(), 7 * DAY, MeasureStatus.ENDED),
        (measure(emergency=1), None, timedelta(0), MeasureStatus.ENDED),
    ],
)
def test_a_measure_stands_by_its_moments_and_falls_with_its_emergency(
    row: dict[str, Any], of: dict[str, Any] | None, after: timedelta, status: MeasureStatus
) -> None:
    assert status_of(row, of, NOON + after) is status


def test_a_measure_that_lapsed_ended_when_it_lapsed() -> None:
    late = NOON + 20 * DAY
    assert ended_at(measure(emergency=1), emergency(), late) == NOON + 7 * DAY
    first = measure(emergency=1, ended_at=NOON + DAY)
    assert ended_at(first, emergency(), late) == NOON + DAY
    assert ended_at(measure(), None, late) is None


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_day_ends_where_the_next_begins(day: date) -> None:
    assert end_of(day) == begin_of(day + DAY)
    assert end_of(day) - begin_of(day) == DAY


@pytest.mark.parametrize("kind", load().codes("measure_kinds"))
def test_the_compartment_of_a_measure_follows_from_what_stands_in_clear(kind: str) -> None:
    """Which keys a record has stands in clear: a key of its own would tell a safe house."""
    checked = check(load(), NewMeasure(kind, None, None, TODAY, TODAY), TODAY)
    alike = check(load(), NewMeasure(checked.clear, None, None, TODAY, TODAY), TODAY)
    assert checked.compartment is alike.compartment
    place = kind in {
        "physical_protection",
        "safe_house",
        "new_identity",
        "new_residence",
        "temporary_relocation",
        "transport",
    }
    assert (checked.compartment is Compartment.WHEREABOUTS) == place


@given(starts=st.integers(-400, 800), lasts=st.integers(-400, 800))
def test_a_measure_begins_within_a_year_and_lasts_a_year_at_the_most(
    starts: int, lasts: int
) -> None:
    first = TODAY + starts * DAY
    typed = NewMeasure("escort", None, "1000", first, first + lasts * DAY)
    if 0 <= starts <= 366 and 0 <= lasts <= 366:
        assert check(load(), typed, TODAY).cost == "1000"
    else:
        with pytest.raises(ValueInvalid):
            check(load(), typed, TODAY)


def test_what_an_agency_keeps_itself_is_not_bounded_by_what_was_referred() -> None:
    shared = CaseFileFacts.as_referred("komnas-ham", 3, True, False, ("identity",))
    shared = replace(shared, tied=True, delegated=True, delegates_contact=True)

    assert as_own(shared, "lpsk") == CaseFileFacts(
        "lpsk", 3, True, False, tied=True, delegated=True, delegates_contact=True
    )
