"""How many people one caller, and one process, may open in an hour.

What counts is who, not how often: a record that is opened again is counted once, and
leaves the count an hour after its last opening. Everything is in the memory of one
process and is gone with it. This file counts; `openings` asks it and writes the event.
"""

from collections.abc import Iterable, Set
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api.errors import OpeningsExhausted

_log = structlog.get_logger("perisai.openings")

#: The time over which is counted; it slides.
WINDOW = timedelta(hours=1)

#: People per caller and hour: three full pages, more than anybody can work on in one.
PER_CALLER = 300
#: People per process and hour, whoever asks.
PER_PROCESS = 3_000
#: The share of a budget at which it is told.
ALARM = 0.8


class Budgets:
    """The budgets of one process. It holds ids of records and members, and no value.

    Memory: at most `per_process` ids for all, and `per_caller` for each member who opened
    something within the hour.
    """

    def __init__(
        self, per_caller: int = PER_CALLER, per_process: int = PER_PROCESS, alarm: float = ALARM
    ) -> None:
        """Begin with nothing opened.

        Args:
            per_caller, per_process: different records in an hour.
            alarm: share of a budget, over 0 up to 1, at which `openings_near_budget` is told.
        """
        self._per_caller = per_caller
        self._alarm = alarm
        self._process = _Window(per_process, alarm, None)
        #: By member; who asked last is the last.
        self._callers: dict[UUID, _Window] = {}

    def spend(self, member: UUID, records: Iterable[UUID], now: datetime) -> None:
        """Count *records* as opened by *member* now: all of them, or none.

        Raises:
            OpeningsExhausted: they would be more than a budget allows.
        """
        at = now.timestamp()
        # A UUID is hashed by Python code, its number is not.
        wanted = {record.int for record in records}
        windows = self._windows(member, at)
        for window in windows:
            window.check(window.lacking(wanted), at)
        for window in windows:
            window.take(wanted, at)

    def check(self, member: UUID, count: int, now: datetime) -> None:
        """Prove that *member* may open *count* more people; nothing is counted.

        Raises:
            OpeningsExhausted: a budget has fewer left.
        """
        at = now.timestamp()
        for window in self._windows(member, at):
            window.check(count, at)

    def _windows(self, member: UUID, at: float) -> tuple["_Window", "_Window"]:
        """Give the windows to ask, without what has left them."""
        before = at - WINDOW.total_seconds()
        own = self._callers.pop(member, None) or _Window(self._per_caller, self._alarm, member)
        while self._callers:
            first = next(iter(self._callers))
            if not self._callers[first].is_over(before):
                break
            del self._callers[first]
        self._callers[member] = own
        own.slide(before)
        self._process.slide(before)
        return own, self._process

    def __repr__(self) -> str:
        """Show how many, not who."""
        return f"<budgets of {len(self._callers)} callers>"


class _Window:
    """What was opened within the hour, by one caller or by all."""

    def __init__(self, budget: int, alarm: float, member: UUID | None) -> None:
        self._budget = budget
        self._near = alarm * budget
        self._member = member
        #: The number of each record, and when it was last opened; the oldest first.
        self._opened: dict[int, float] = {}
        #: When each of the two alarms was last told.
        self._told: dict[str, float] = {}

    def is_over(self, before: float) -> bool:
        return not self._opened or next(reversed(self._opened.values())) <= before

    def slide(self, before: float) -> None:
        """Forget what was last opened at *before* or earlier."""
        gone = []
        for record, at in self._opened.items():
            if at > before:
                break
            gone.append(record)
        for record in gone:
            del self._opened[record]
        self._told = {alarm: at for alarm, at in self._told.items() if at > before}

    def lacking(self, wanted: Set[int]) -> int:
        # `wanted - self._opened.keys()` would walk along all that was opened.
        return sum(record not in self._opened for record in wanted)

    def check(self, count: int, at: float) -> None:
        if count and len(self._opened) + count > self._budget:
            if self._first("openings_exhausted", at):
                _log.error("openings_exhausted", **self._counts())
            raise OpeningsExhausted

    def take(self, wanted: Set[int], at: float) -> None:
        opened = self._opened
        for record in wanted:
            opened.pop(record, None)
            opened[record] = at
        if len(opened) >= self._near and self._first("openings_near_budget", at):
            _log.warning("openings_near_budget", **self._counts())

    def _first(self, alarm: str, at: float) -> bool:
        """Tell whether *alarm* was not told within the hour, and note that it is now."""
        first = alarm not in self._told
        if first:
            self._told[alarm] = at
        return first

    def _counts(self) -> dict[str, str | int]:
        whose = {"of": "process"} if self._member is None else {"member": str(self._member)}
        return {**whose, "opened": len(self._opened), "budget": self._budget}
