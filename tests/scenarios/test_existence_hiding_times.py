"""A stranger cannot tell "not there" from "not yours" by how long the answer takes.

Each question of `hiding` is asked in pairs, with the id of what is there but out of
reach and with one that nothing has, in random order. If both take alike, the foreign
one is the slower in half of the pairs. That is counted by two clocks: the wall's, which
a stranger has, and the processor's, which shows what a busy machine drowns.

Of 300 fair pairs 40 to 60% are 3.5 standard deviations, and there are 140 such counts;
so what lies outside is counted on to 1,500 pairs, of which the same bounds are 7.7. A
fair question then never fails, one that is slower in 65% always does, and a busy machine
only moves both clocks towards the half: it can hide a difference and never make one.
"""

import gc
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx
import pytest

from tests.scenarios.hiding import Question, nothing_like, questions, send
from tests.scenarios.telling import Tell
from tests.world import World

pytestmark = [pytest.mark.long, pytest.mark.alone]

#: Pairs before they are counted: prepared statements, caches and memos are then filled.
WARM_UP = 15
PAIRS = 300
#: Pairs after which what lay outside the bounds is judged.
PAIRS_MOST = 1_500
LEAST, MOST = 0.4, 0.6

CLOCKS = (time.perf_counter, time.process_time)


class Share(NamedTuple):
    """Of how many pairs the foreign one was the slower, by the wall's clock and by the processor's.

    Attributes:
        pairs: how many were counted.
    """

    wall: float
    processor: float
    pairs: int

    def even(self) -> bool:
        return all(LEAST <= share <= MOST for share in (self.wall, self.processor))


async def shares(world: World, name: str, question: Question) -> AsyncIterator[Share]:
    """Ask pairs, on and on; give the shares after every PAIRS."""
    token = world.token(question.who)
    slower = [0, 0]
    pairs = 0
    for _ in range(WARM_UP):
        await send(world, question, question.foreign, token)
        await send(world, question, nothing_like(name, question), token)
    while True:
        with collecting_nothing():
            for _ in range(PAIRS):
                values = [(0, question.foreign), (1, nothing_like(name, question))]
                random.shuffle(values)
                taken = [(0.0, 0.0), (0.0, 0.0)]
                for which, value in values:
                    start = [clock() for clock in CLOCKS]
                    answer = await send(world, question, value, token)
                    wall, processor = (c() - s for c, s in zip(CLOCKS, start, strict=True))
                    assert answer.status != httpx.codes.TOO_MANY_REQUESTS, "refused unread"
                    taken[which] = (wall, processor)
                for clock in (0, 1):
                    slower[clock] += taken[0][clock] > taken[1][clock]
        pairs += PAIRS
        yield Share(slower[0] / pairs, slower[1] / pairs, pairs)


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """Keep the collector of garbage from falling upon one of a pair."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_what_is_not_yours_takes_as_long_as_what_is_not_there(
    world: World, tell: Tell
) -> None:
    uneven = {}
    told = {}
    for name, question in (await questions(world)).items():
        async for share in shares(world, name, question):
            told[name] = share
            if share.even() or share.pairs >= PAIRS_MOST:
                break
        if not told[name].even():
            uneven[name] = told[name]
    pairs = sum(share.pairs for share in told.values())
    wall, processor = (sorted(share[n] for share in told.values()) for n in (0, 1))
    tell(
        f"{len(told)} questions in {pairs} pairs of foreign and random ids on {world.kind}: "
        f"the foreign one slower in {wall[0]:.0%} to {wall[-1]:.0%} by the wall's clock, "
        f"{processor[0]:.0%} to {processor[-1]:.0%} by the processor's"
    )
    assert uneven == {}
