"""Two ways to do one thing, measured in turns, so that what slows the machine slows both."""

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

Step: TypeAlias = Callable[[], Awaitable[Any]]


class Measured(NamedTuple):
    """Medians over all rounds.

    Attributes:
        ratio: of the first step's time to the second's, within a round.
        first, second: seconds.
    """

    ratio: float
    first: float
    second: float


async def in_turns(
    first: Step,
    second: Step,
    *,
    warm_up: int,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """Take *first* and *second* in turns; which one begins a round alternates.

    Args:
        clock: `time.process_time` for what only computes: it does not count the time
            in which the machine gave the processor to somebody else.
    """
    times: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.freeze()
    try:
        for round_ in range(warm_up + rounds):
            taken = [0.0, 0.0]
            for which in (0, 1) if round_ % 2 else (1, 0):
                start = clock()
                await (first, second)[which]()
                taken[which] = clock() - start
            if round_ >= warm_up:
                times[0].append(taken[0])
                times[1].append(taken[1])
    finally:
        gc.unfreeze()
    ratios = [a / b for a, b in zip(*times, strict=True)]
    return Measured(*map(statistics.median, (ratios, *times)))


def repeated(times: int, call: Callable[[], Any]) -> Step:
    """Make a step of so many equal *call*s, for what is shorter than the clock is fine."""
    turns: Sequence[None] = [None] * times

    async def step() -> None:
        for _ in turns:
            call()

    return step
