"""Followers are looked after by one task, which goes on whatever the database does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.casework.following import LOOK_EVERY, Following
from api.errors import StoreUnavailable
from api.store.case_file_marks import Mark, read


class Down:
    """A database that does not answer; counts who asks."""

    def __init__(self) -> None:
        self.asked = 0

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Any]:
        self.asked += 1
        raise StoreUnavailable
        yield


async def test_a_database_that_is_down_is_asked_again_and_wakes_nobody() -> None:
    following, records, waited, woken = Following(read), Down(), [], []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise asyncio.CancelledError

    end = following.follow(UUID(int=1), Mark(1, 1, 0, 0), lambda: woken.append(1))
    with pytest.raises(asyncio.CancelledError), capture_logs() as said:
        await following.look_forever(records, pause)  # type: ignore[arg-type]  # a part of it

    assert waited == [LOOK_EVERY] * 3
    assert (records.asked, woken) == (2, [])
    assert [line["event"] for line in said] == ["followed_not_looked_at"] * 2

    end()
    end()
    await following.look(records)  # type: ignore[arg-type]  # a part of it
    assert records.asked == 2
