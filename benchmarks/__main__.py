"""`python -m benchmarks [NAME]`: run the benchmarks and print name, value, unit.

Exit status 1 when a value is beyond the limit that its benchmark states.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks import page100


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: what runs it, by the name that ONLY takes."""

    name: str
    run: Callable[[], Awaitable[Sequence[page100.Value]]]


BENCHMARKS = (Benchmark("page100", page100.run),)


def main(only: str | None) -> int:
    """Run all, or the one called *only*."""
    chosen = [b for b in BENCHMARKS if only in (None, b.name)]
    if not chosen:
        print("There is no such benchmark; there are: " + ", ".join(b.name for b in BENCHMARKS))
        return 2
    failed = False
    for benchmark in chosen:
        for value in asyncio.run(benchmark.run()):
            beyond = value.limit is not None and value.value > value.limit
            failed |= beyond
            note = "" if not beyond else f"  OVER THE LIMIT of {value.limit}"
            print(f"{value.name} {value.value:.2f} {value.unit}{note}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
