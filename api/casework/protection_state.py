"""Where a measure and an emergency protection stand: worked out from rows and the moment.

Nothing is written when something lapses or ends by its date, so nothing can be late in
doing so. The rows must be proven.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from api.vocabulary import EmergencyState, MeasureStatus

Row = dict[str, Any]

#: In these a measure that was granted in an emergency is over, whatever its own row says.
OVER = frozenset({EmergencyState.LAPSED, EmergencyState.REJECTED})
#: In these the plenary is still to decide.
AWAITS_PLENARY = frozenset({EmergencyState.ABOUT_TO_LAPSE, EmergencyState.RUNNING})


def begin_of(day: date) -> datetime:
    """Give the moment with which *day* begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def end_of(day: date) -> datetime:
    """Give the moment with which *day*, of UTC, is over."""
    return begin_of(day + timedelta(days=1))


def state_of(emergency: Row, now: datetime) -> EmergencyState:
    """Say where an emergency protection stands."""
    if emergency["granted_at"] is None:
        over = emergency["approve_by"] <= now
        return EmergencyState.LAPSED if over else EmergencyState.PROPOSED
    if emergency["decided_at"] is not None:
        ratified = emergency["votes_for"] > emergency["votes_against"]
        return EmergencyState.RATIFIED if ratified else EmergencyState.REJECTED
    if emergency["ratify_by"] <= now:
        return EmergencyState.LAPSED
    warned = emergency["warn_from"] <= now
    return EmergencyState.ABOUT_TO_LAPSE if warned else EmergencyState.RUNNING


def lapsed_at(emergency: Row, now: datetime) -> datetime | None:
    """Give the moment since which it protects no more; None: it still does, or may."""
    state = state_of(emergency, now)
    if state is EmergencyState.REJECTED:
        moment: datetime = emergency["decided_at"]
    elif state is EmergencyState.LAPSED:
        granted = emergency["granted_at"] is not None
        moment = emergency["ratify_by"] if granted else emergency["approve_by"]
    else:
        return None
    return moment


def ended_at(measure: Row, emergency: Row | None, now: datetime) -> datetime | None:
    """Give the moment since which a measure is over; None: it is not.

    Args:
        emergency: with which it stands and falls, if it names one; of one that is not proven
            nothing stands.
    """
    ends = [measure["ended_at"], end_of(measure["ends_on"])]
    if measure["emergency"] is not None:
        if emergency is None:
            ends.append(measure["requested_at"])
        else:
            ends.append(lapsed_at(emergency, now))
    first: datetime = min(end for end in ends if end is not None)
    return first if first <= now else None


def status_of(measure: Row, emergency: Row | None, now: datetime) -> MeasureStatus:
    """Say where a measure stands; *emergency* as in `ended_at`."""
    if ended_at(measure, emergency, now) is not None:
        return MeasureStatus.ENDED
    if measure["started_at"] is not None:
        return MeasureStatus.RUNNING
    approved = measure["approved_at"] is not None
    return MeasureStatus.APPROVED if approved else MeasureStatus.REQUESTED
