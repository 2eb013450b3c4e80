"""How fast this machine is, for the few targets that are times and not ratios.

A virtual machine's speed changes within a second, by the work of its neighbours. So the
same small work is done between the rounds of what is measured, and a target is as much
longer as that work took than where the targets were set.
"""

import statistics
from collections.abc import Callable, Sequence
from hashlib import sha256
from time import process_time
from typing import Final

#: Seconds that `_work` took where the targets were set (two quiet cores, Python 3.11).
REFERENCE: Final = 0.00264


class Pace:
    """The speed of the machine while something is measured."""

    def __init__(
        self,
        work: Callable[[], float] | None = None,
        reference: float = REFERENCE,
        middle: Callable[[Sequence[float]], float] = statistics.median,
    ) -> None:
        """Begin; `turn` is called between the rounds.

        Args:
            work: gives how many seconds it took; None: some hashes and a dictionary.
            reference: what *work* takes where the targets were set.
            middle: of what is measured between its turns, and so of those.
        """
        self._work = work or _work
        self._reference = reference
        self._middle = middle
        self._taken: list[float] = []

    def turn(self, times: int = 1) -> None:
        """Do the same work again, so many *times*: more where the rounds are long."""
        self._taken += (self._work() for _ in range(times))

    @property
    def taken(self) -> float:
        """The seconds that the work took here."""
        return self._middle(self._taken)

    @property
    def slowness(self) -> float:
        """How many times as long as there the work took here; at least 1."""
        return max(1.0, self.taken / self._reference)


def _work() -> float:
    start = process_time()
    counted: dict[str, int] = {}
    for number in range(4_000):
        word = f"{number % 97}:{number % 89}"
        counted[word] = counted.get(word, 0) + len(sha256(word.encode()).digest())
    return process_time() - start
