"""A key service is looked after while nobody asks it, and a failure does not end that."""

from typing import cast

import pytest
import structlog

from api.crypto.key_service import KeyService
from api.crypto.refreshing import INTERVAL, refresh_forever
from api.errors import KeysUnavailable, PerisaiError, RefusesToStart


class Service:
    """Fails in the turns that it is told of."""

    def __init__(self, *errors: PerisaiError | None) -> None:
        self.errors = list(errors)

    async def refresh(self) -> None:
        error = self.errors.pop(0)
        if error is not None:
            raise error


class EndedError(Exception):
    """The test's end of a loop without one."""


async def test_a_failure_is_logged_and_the_next_look_comes() -> None:
    service = Service(None, KeysUnavailable(), RefusesToStart("no keys of lpsk"), None)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if not service.errors:
            raise EndedError

    with structlog.testing.capture_logs() as lines, pytest.raises(EndedError):
        await refresh_forever(cast("KeyService", service), pause)

    assert pauses == [INTERVAL] * 5
    assert [(line["event"], line["code"]) for line in lines] == [
        ("keys_not_refreshed", "KEYS_UNAVAILABLE"),
        ("keys_not_refreshed", "REFUSES_TO_START"),
    ]
