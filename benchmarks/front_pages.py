"""What a page and a single case file cost through a real server, beside two that guard nothing.

12 fields, 6 of them sealed with us, over HTTP on loopback. The servers are asked in turns
by one process, whose own cost is the same for all of them.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Sequence

from benchmarks.front_served import Server, served
from benchmarks.page100 import PAGE
from benchmarks.values import Value
from benchmarks.wire import Wire

#: Rounds of which the median counts, and those before that only warm up.
PAGE_ROUNDS = 120
SINGLE_ROUNDS = 300
WARM_UP = 30

#: For the requests a second: turns, and seconds of each with one server.
TURNS = 4
SECONDS = 0.6
#: As many as one member may have under way.
CONNECTIONS = 8

#: At most so many times what strawberry takes with ORM entities and no security. Of the page
#: 1.0 is wanted; what is measured is 0.99 to 1.07.
PAGE_LIMIT = 1.2
SINGLE_LIMIT = 1.5


async def page() -> list[Value]:
    """Measure a page of 100 case files, asked for one after the other."""
    ratio = await _one_by_one("page100", PAGE, PAGE_ROUNDS)
    return [Value("front.page100", ratio, "x", PAGE_LIMIT)]


async def single() -> list[Value]:
    """Measure one case file, asked for one after the other."""
    ratio = await _one_by_one("single", 1, SINGLE_ROUNDS)
    return [Value("front.single", ratio, "x", SINGLE_LIMIT)]


async def requests_per_second() -> list[Value]:
    """Count answers with 8 requests under way; what the others give is printed beside."""
    values = []
    async with served() as servers:
        for what, first in (("single", 1), ("page100", PAGE)):
            taken = await _under_load(servers, first)
            for server, times in zip(servers, taken, strict=True):
                print(
                    f"# front.requests_per_second: {what}: {server.name} "
                    f"{_rate(times):.0f}/s, p99 {_p99(_flat(times)) * 1000:.1f} ms "
                    f"of {len(_flat(times))} requests"
                )
            values.append(Value(f"front.requests_per_second.{what}", _rate(taken[0]), "1/s"))
    return values


async def _one_by_one(name: str, first: int, rounds: int) -> float:
    """Give how many times as long as the plain server ours takes, within a round."""
    async with served() as servers:
        wires = [await server.wire(first) for server in servers]
        taken: list[list[float]] = [[] for _ in wires]
        gc.collect()
        gc.freeze()
        for round_ in range(WARM_UP + rounds):
            for turn in range(len(wires)):
                which = (turn + round_) % len(wires)
                start = time.perf_counter()
                await wires[which].ask()
                if round_ >= WARM_UP:
                    taken[which].append(time.perf_counter() - start)
        gc.unfreeze()
        for wire in wires:
            await wire.close()
    for server, times in zip(servers, taken, strict=True):
        print(
            f"# front.{name}: {server.name} {statistics.median(times) * 1000:.2f} ms, "
            f"p99 {_p99(times) * 1000:.2f} ms, {rounds} rounds"
        )
    return statistics.median(ours / plain for ours, plain in zip(taken[0], taken[1], strict=True))


async def _under_load(servers: Sequence[Server], first: int) -> list[list[list[float]]]:
    """Give, for each server and turn, how long each request took, in seconds."""
    taken: list[list[list[float]]] = [[] for _ in servers]
    wires = [[await server.wire(first) for _ in range(CONNECTIONS)] for server in servers]
    for turn in range(TURNS + 1):
        for which in range(len(servers)):
            times = await _load(wires[which])
            if turn:  # The first one warms up.
                taken[which].append(times)
    for wire in (wire for of_server in wires for wire in of_server):
        await wire.close()
    return taken


async def _load(wires: Sequence[Wire]) -> list[float]:
    taken: list[float] = []
    end = time.perf_counter() + SECONDS

    async def caller(wire: Wire) -> None:
        while (start := time.perf_counter()) < end:
            await wire.ask()
            taken.append(time.perf_counter() - start)

    await asyncio.gather(*map(caller, wires))
    return taken


def _rate(turns: Sequence[Sequence[float]]) -> float:
    """Give the requests of a second, in the median turn."""
    return statistics.median(len(times) / (sum(times) / CONNECTIONS) for times in turns)


def _flat(turns: Sequence[Sequence[float]]) -> list[float]:
    return [time for times in turns for time in times]


def _p99(taken: Sequence[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]
