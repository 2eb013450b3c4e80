"""What was opened a moment ago: bounded in time and number, one call for one wrap."""

import asyncio
import copy
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from api.crypto.file_key_service import FileKeyService
from api.crypto.key_service import KeyKind, KeyService
from api.crypto.opened_keys import OpenedKeys
from api.errors import KeysUnavailable, PerisaiError, SealBroken
from tests.crypto.conftest import CHEAP, PASSPHRASE

Item = tuple[bytes, int, bytes]


class Service:
    """Unwraps by reversing, counts the calls, and waits or fails where it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Item]]] = []
        self.gate: asyncio.Event | None = None
        self.error: PerisaiError | None = None
        self.broken = b""
        self.kept = [1, 2]
        self.closed = False

    async def unwrap_many(self, owner: str, items: Sequence[Item]) -> list[bytes]:
        self.calls.append((owner, list(items)))
        error = self.error
        if self.gate is not None:
            await self.gate.wait()
        if error is not None:
            raise error
        if any(wrapped == self.broken for _, _, wrapped in items):
            raise SealBroken
        return [owner.encode() + context + wrapped[::-1] for context, _, wrapped in items]

    async def rotate(self, owner: str, kind: KeyKind, unless: int | None = None) -> int:
        return 2

    async def destroy_below(self, owner: str, kind: KeyKind, version: int) -> None:
        if self.error is not None:
            raise self.error

    async def refresh(self) -> None:
        pass

    async def versions(self, owner: str, kind: KeyKind) -> list[int]:
        return self.kept

    async def close(self) -> None:
        self.closed = True


class Alarm:
    """Stands for the loop's `call_later`: rings when a test says so."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = False

    def __call__(self, seconds: float, ring: Callable[[], None]) -> asyncio.TimerHandle:
        self.set.append((seconds, ring))
        return cast("asyncio.TimerHandle", self)

    def cancel(self) -> None:
        self.cancelled = True


class Setting:
    """A service behind a cache of 60 seconds and 3 keys, with a clock that is moved."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.service = Service()
        self.alarm = Alarm()
        self.keys = OpenedKeys(
            cast("KeyService", self.service),
            seconds=60,
            most=3,
            monotonic=lambda: self.now,
            later=self.alarm,
        )

    async def ask(self, *wrapped: bytes, owner: str = "lpsk", context: bytes = b"c") -> list[bytes]:
        return await self.keys.unwrap_many(owner, [(context, 1, w) for w in wrapped])

    @property
    def asked(self) -> list[list[bytes]]:
        """What the service was asked for, call by call."""
        return [[wrapped for _, _, wrapped in items] for _, items in self.service.calls]

    @property
    def held(self) -> list[bytes]:
        return [wrap[3] for wrap in self.keys._kept]


@pytest.fixture
async def at() -> Setting:
    return Setting()


async def started(*tasks: "asyncio.Task[Any]") -> None:
    """Let tasks run until they wait."""
    for _ in range(10 * len(tasks)):
        await asyncio.sleep(0)


async def test_a_key_is_asked_for_once_in_its_time(at: Setting) -> None:
    first = await at.ask(b"ab")
    at.now += 59.9

    assert await at.ask(b"ab") == first == [b"lpskcba"]
    assert at.asked == [[b"ab"]]


async def test_nothing_is_served_past_its_time_which_no_use_prolongs(at: Setting) -> None:
    await at.ask(b"ab")
    at.now += 30
    await at.ask(b"ab")
    at.now += 30
    at.service.error = KeysUnavailable()

    with pytest.raises(KeysUnavailable):
        await at.ask(b"ab")


async def test_the_time_begins_with_the_question_not_with_the_answer(at: Setting) -> None:
    at.service.gate = asyncio.Event()
    asking = asyncio.create_task(at.ask(b"ab"))
    await started(asking)
    at.now += 50
    at.service.gate.set()
    await asking
    at.now += 10

    await at.ask(b"ab")

    assert at.asked == [[b"ab"], [b"ab"]]


async def test_of_two_calls_that_overtook_each_other_each_ends_in_its_time(at: Setting) -> None:
    at.service.gate = asyncio.Event()
    slow = asyncio.create_task(at.ask(b"slow"))
    await started(slow)
    at.now += 1
    gate, at.service.gate = at.service.gate, None
    await at.ask(b"fast")
    gate.set()
    await slow
    at.now += 59

    await at.ask(b"slow", b"fast")

    assert at.asked[2:] == [[b"slow"]]


async def test_a_key_is_dropped_at_its_end_though_nobody_asks(at: Setting) -> None:
    await at.ask(b"a")
    at.now += 30
    await at.ask(b"b")
    [(seconds, ring)] = at.alarm.set
    assert seconds == 60
    at.now += 30

    ring()

    assert at.held == [b"b"]
    at.now += 60
    at.alarm.set[-1][1]()
    assert at.held == []
    assert len(at.alarm.set) == 2


async def test_the_oldest_makes_room(at: Setting) -> None:
    for one in (b"a", b"b", b"c", b"d"):
        await at.ask(one)

    assert at.held == [b"b", b"c", b"d"]
    assert await at.ask(b"1", b"2", b"3", b"4") == [b"lpskc" + d for d in (b"1", b"2", b"3", b"4")]
    assert at.held == [b"2", b"3", b"4"]


async def test_a_key_is_given_only_for_its_whole_context(at: Setting) -> None:
    await at.ask(b"ab")

    await at.ask(b"ab", owner="komnas-ham")
    await at.ask(b"ab", context=b"d")
    await at.keys.unwrap_many("lpsk", [(b"c", 2, b"ab")])
    await at.ask(b"ba")

    assert len(at.service.calls) == 5


async def test_only_what_is_missing_is_asked_for_and_the_order_is_kept(at: Setting) -> None:
    await at.ask(b"b")

    assert await at.ask(b"a", b"b", b"a") == [b"lpskca", b"lpskcb", b"lpskca"]
    assert at.asked == [[b"b"], [b"a"]]


async def test_many_who_ask_for_one_key_at_once_make_one_call(at: Setting) -> None:
    at.service.gate = asyncio.Event()
    asking = [asyncio.create_task(at.ask(b"a", b"b")) for _ in range(20)]
    await started(*asking)
    at.service.gate.set()

    assert {tuple(keys) for keys in await asyncio.gather(*asking)} == {(b"lpskca", b"lpskcb")}
    assert at.asked == [[b"a", b"b"]]


async def test_a_failed_call_fails_all_who_wait_and_is_not_kept(at: Setting) -> None:
    at.service.gate = asyncio.Event()
    at.service.error = KeysUnavailable()
    asking = [asyncio.create_task(at.ask(b"a")) for _ in range(5)]
    await started(*asking)
    at.service.gate.set()

    errors = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(error) for error in errors] == [KeysUnavailable] * 5
    assert at.asked == [[b"a"]]
    at.service.error = None
    assert await at.ask(b"a") == [b"lpskca"]


async def test_a_broken_wrap_fails_all_who_wait_for_it(at: Setting) -> None:
    at.service.gate, at.service.broken = asyncio.Event(), b"a"
    asking = [asyncio.create_task(at.ask(b"a")) for _ in range(5)]
    await started(*asking)
    at.service.gate.set()

    errors = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(error) for error in errors] == [SealBroken] * 5
    assert at.asked == [[b"a"]]
    assert at.held == []


async def test_a_wrap_that_another_broke_does_not_break_ones_own(at: Setting) -> None:
    at.service.gate, at.service.broken = asyncio.Event(), b"bad"
    other = asyncio.create_task(at.ask(b"bad", b"good"))
    await started(other)
    mine = asyncio.create_task(at.ask(b"good"))
    await started(mine)
    at.service.gate.set()

    with pytest.raises(SealBroken):
        await other
    assert await mine == [b"lpskcdoog"]


async def test_who_began_a_call_may_go_away_and_the_others_get_their_keys(at: Setting) -> None:
    at.service.gate = asyncio.Event()
    first = asyncio.create_task(at.ask(b"a"))
    await started(first)
    others = [asyncio.create_task(at.ask(b"a")) for _ in range(3)]
    await started(*others)

    first.cancel()
    others[0].cancel()
    await started(first)
    at.service.gate.set()

    assert await asyncio.gather(*others[1:]) == [[b"lpskca"]] * 2
    assert first.cancelled()
    assert at.asked == [[b"a"]]


async def test_a_failure_nobody_waits_for_is_silent(at: Setting) -> None:
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    at.service.gate, at.service.error = asyncio.Event(), KeysUnavailable()
    asking = asyncio.create_task(at.ask(b"a"))
    await started(asking)
    asking.cancel()
    await started(asking)
    at.service.gate.set()
    await started(asking)

    assert at.keys._flights == {}
    assert said == []


@pytest.mark.parametrize("change", ["rotate", "destroy", "failed destroy"])
async def test_a_change_forgets_the_keys_of_its_owner(at: Setting, change: str) -> None:
    await at.ask(b"a")
    await at.ask(b"a", owner="komnas-ham")

    if change == "rotate":
        assert await at.keys.rotate("lpsk", KeyKind.KEK) == 2
    elif change == "destroy":
        await at.keys.destroy_below("lpsk", KeyKind.KEK, 2)
    else:
        at.service.error = KeysUnavailable()
        with pytest.raises(KeysUnavailable):
            await at.keys.destroy_below("lpsk", KeyKind.KEK, 2)
        at.service.error = None

    await at.ask(b"a", owner="komnas-ham")
    assert len(at.service.calls) == 2
    await at.ask(b"a")
    assert len(at.service.calls) == 3


async def test_a_key_on_its_way_while_its_version_is_destroyed_is_not_kept(at: Setting) -> None:
    gate = at.service.gate = asyncio.Event()
    asking = asyncio.create_task(at.ask(b"a"))
    await started(asking)

    await at.keys.destroy_below("lpsk", KeyKind.KEK, 2)
    at.service.gate = None
    await at.ask(b"a")  # Asks anew: it does not join what began before.
    gate.set()
    await asking

    assert at.asked == [[b"a"], [b"a"]]
    assert at.held == [b"a"]


async def test_a_refresh_forgets_what_a_lost_version_opened(at: Setting) -> None:
    await at.ask(b"a")
    await at.keys.unwrap_many("lpsk", [(b"c", 2, b"b")])
    at.service.kept = [2]

    await at.keys.refresh()

    assert at.held == [b"b"]


async def test_nothing_is_kept_after_the_end(at: Setting) -> None:
    await at.ask(b"a")
    at.service.gate = asyncio.Event()
    asking = asyncio.create_task(at.ask(b"b"))
    await started(asking)

    await at.keys.close()

    with pytest.raises(KeysUnavailable):
        await asking
    assert at.held == []
    assert (at.service.closed, at.alarm.cancelled) == (True, True)


async def test_a_cache_of_no_time_keeps_nothing() -> None:
    service = Service()
    keys = OpenedKeys(cast("KeyService", service), seconds=0)

    for _ in range(2):
        await keys.unwrap_many("lpsk", [(b"c", 1, b"a")])

    assert len(service.calls) == 2


async def test_a_cache_shows_nothing_and_is_not_copied(at: Setting) -> None:
    await at.ask(b"secret")

    assert repr(at.keys) == str(at.keys) == "<opened keys>"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(at.keys)


async def test_what_is_asked_of_the_service_past_the_cache_is_counted_too(tmp_path: Path) -> None:
    inner = FileKeyService.create(tmp_path / "keys", lambda: PASSPHRASE, ["lpsk"], cost=CHEAP)
    cache = OpenedKeys(inner)
    [(version, wrapped)] = await inner.wrap_many("lpsk", [(b"here", b"k" * 32)])
    item = (b"here", version, wrapped)
    for _ in range(3):
        await cache.unwrap_many("lpsk", [item])
    assert cache.unwrapped() == {"lpsk": 3}
    assert inner.unwrapped() == {"lpsk": 1}

    await inner.unwrap_many("lpsk", [item])

    assert cache.unwrapped() == {"lpsk": 4}
    await cache.close()
