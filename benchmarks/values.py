"""What a benchmark gives: a named value, and the bound that it must keep."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Value:
    """One result.

    Attributes:
        limit: what it must not exceed, where less is better.
        above: what it must be larger than, where more is better.
        at_least: what it must reach, where more is better.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    above: float | None = None
    at_least: float | None = None

    @property
    def fault(self) -> str | None:
        """Say how the bound is broken; None: it is kept, or there is none."""
        if self.limit is not None and self.value > self.limit:
            return f"OVER THE LIMIT of {self.limit}"
        if self.above is not None and self.value <= self.above:
            return f"NOT ABOVE {self.above}"
        if self.at_least is not None and self.value < self.at_least:
            return f"BELOW {self.at_least}"
        return None


Run: TypeAlias = Callable[[], Awaitable[Sequence[Value]]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark by its name, of which ONLY takes the whole or the part before a dot."""

    name: str
    run: Run

    def answers_to(self, only: str | None) -> bool:
        """Say whether *only* means this benchmark; None means every one."""
        return only is None or f"{self.name}.".startswith(f"{only}.")
