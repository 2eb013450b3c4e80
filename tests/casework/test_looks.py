"""When a look that is proven lets its requester look: every condition by itself, in memory."""

from datetime import timedelta
from typing import Any

import pytest

from api.casework.looks import check_ready
from api.errors import LookOver, NotFound, PerisaiError, SecondPersonNeeded
from tests.casework.built import COLLEAGUE, ME, NOON, caller

MOMENT = timedelta(microseconds=1)
AGREED = {
    "requested_by": ME,
    "approved_by": COLLEAGUE,
    "used_at": None,
    "expires_at": NOON + MOMENT,
}


def test_who_asked_looks_once_somebody_else_agreed() -> None:
    check_ready(AGREED, caller(), NOON)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"requested_by": COLLEAGUE, "approved_by": ME}, NotFound),
        ({"used_at": NOON}, LookOver),
        ({"expires_at": NOON}, LookOver),
        ({"approved_by": None}, SecondPersonNeeded),
        ({"approved_by": ME}, SecondPersonNeeded),
    ],
)
def test_nobody_else_looks_nor_twice_nor_later_nor_alone(
    changed: dict[str, Any], error: type[PerisaiError]
) -> None:
    with pytest.raises(error):
        check_ready({**AGREED, **changed}, caller(), NOON)
