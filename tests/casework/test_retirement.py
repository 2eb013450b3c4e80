"""Which versions of a key are old enough to be destroyed."""

from datetime import UTC, datetime, timedelta

import pytest

from api.casework.retirement import floor_of
from api.crypto.key_service import KeyStatus

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)

#: Days since each version was made, oldest first, and the lowest that stays at 90 days.
AGES = [
    ([100, 50, 10], 2),
    ([100, 91, 10], 3),
    ([100, 90, 89], 3),
    ([89, 50, 10], 1),
    ([100], 1),
    ([200, 100], 2),
    # A clock that went back is no reason to destroy what a younger one rests on.
    ([50, 100, 10], 1),
]


def made(ages: list[int]) -> list[KeyStatus]:
    return [
        KeyStatus("komnas-ham", "kek", version, NOW - timedelta(days=age))
        for version, age in enumerate(ages, start=1)
    ]


@pytest.mark.parametrize(("ages", "floor"), AGES)
def test_versions_are_kept_by_their_age_and_the_newest_always(ages: list[int], floor: int) -> None:
    assert floor_of(made(ages), timedelta(days=90), NOW) == floor


def test_without_a_limit_only_the_newest_stays() -> None:
    assert floor_of(made([3, 2, 1]), None, NOW) == 3
