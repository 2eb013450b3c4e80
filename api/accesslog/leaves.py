"""What every verification asks of the leaves, wherever they are stored.

Each leaf is an event, none is of long before those before it, and the tree over them
goes through every root that somebody kept.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from api.accesslog.event import Event
from api.accesslog.faults import Faults, places
from api.accesslog.scan import Rows, read_into
from api.accesslog.search import read_event
from api.accesslog.tree import EMPTY_ROOT, Growth
from api.errors import LogBroken

#: Called with each event whose entry holds, and its index.
Seen = Callable[[int, Event], None]

#: Microseconds that the clocks of two processes of one service may be apart.
CLOCK_LEEWAY: Final = 120 * 1_000_000
#: The action of an event that says that a clock was set: time may begin anew after it.
CLOCK_STEP: Final = "clock_step"

_NEVER: Final = -(2**63)


class Leaves:
    """The check of leaves one after another."""

    def __init__(
        self, faults: Faults, seen: Seen | None = None, of: Collection[str] | None = None
    ) -> None:
        """Tell *seen* of each event, or only of those whose action is one *of*."""
        self._faults = faults
        self._seen = seen
        self._of = of
        self._latest = _NEVER

    def read(self, leaves: Iterable[tuple[int, bytes]]) -> Rows:
        """Check leaves, given with their indices; give what the events say for searching."""
        found = Rows()
        events = found.events
        for idx, body in leaves:
            try:
                read_into(found, idx, body)
            except LogBroken as broken:
                self._faults.add("entry", idx, broken.what)
                continue
            _, at, _, _, _, action, *_ = events[-1]
            if at >= self._latest:
                self._latest = at
            elif at < self._latest - CLOCK_LEEWAY:
                self._faults.add("entry", idx, "it is of long before an entry before it")
            if action == CLOCK_STEP:
                self._latest = _NEVER
            if self._seen is not None and (self._of is None or action in self._of):
                self._seen(idx, read_event(idx, body))
        return found


class Continuity:
    """The comparison with heads that somebody kept: the log must go through each of them."""

    def __init__(self, faults: Faults, kept: Iterable[tuple[int, bytes]]) -> None:
        """Take the size and the root of each."""
        self._faults = faults
        self._kept = sorted(set(kept))
        #: The largest of them whose root the log has: the fault is after it.
        self._same = 0
        for size, root in self._kept:
            if size == 0 and root != EMPTY_ROOT:
                faults.add("head", 0, "no log without entries has the root that was seen")

    def look(self, growth: Growth) -> None:
        """Compare each kept head within *growth*."""
        for size, root in self._kept:
            if growth.start < size <= growth.stop:
                if growth.root(size) == root:
                    self._same = size
                else:
                    self._faults.add(
                        "entry",
                        places(range(self._same, size)),
                        "up to here it is not the log that was seen before",
                    )

    def end(self, size: int) -> None:
        """Compare the size of the whole log."""
        for kept, _ in self._kept:
            if kept > size:
                self._faults.add("head", size, f"the log was {kept} long before")
