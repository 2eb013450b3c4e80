"""What one sends at once waits in its own line, and nobody else in it."""

import asyncio
import gc

import pytest

from api.errors import CallerBusy
from api.turns import WAITING_MOST, Turns


async def test_one_waits_for_those_before_it_and_not_for_others() -> None:
    turns: Turns[str] = Turns()
    said: list[str] = []
    may_end = {"first": asyncio.Event(), "other": asyncio.Event()}

    async def take(who: str, name: str) -> None:
        async with turns.turn(who):
            said.append(name)
            if name in may_end:
                await may_end[name].wait()

    waiting = [
        asyncio.ensure_future(take(who, name))
        for who, name in (("sari", "first"), ("sari", "second"), ("wayan", "other"))
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    assert said == ["first", "other"]

    may_end["first"].set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert said == ["first", "other", "second"]

    may_end["other"].set()
    await asyncio.gather(*waiting)


async def test_a_line_that_fails_goes_on_and_an_empty_one_is_forgotten() -> None:
    turns: Turns[str] = Turns()
    for _ in range(2):
        try:
            async with turns.turn("sari"):
                raise ValueError
        except ValueError:
            pass
    gc.collect()

    assert not turns._lines


async def test_a_line_has_an_end() -> None:
    turns: Turns[str] = Turns()
    may_end = asyncio.Event()

    async def take(who: str) -> None:
        async with turns.turn(who):
            await may_end.wait()

    waiting = [asyncio.ensure_future(take("sari")) for _ in range(WAITING_MOST + 1)]
    await asyncio.sleep(0)
    with pytest.raises(CallerBusy):
        await take("sari")
    other = asyncio.ensure_future(take("wayan"))
    may_end.set()
    await asyncio.gather(*waiting, other)

    await take("sari")
