"""Finds sealed numbers in a text: whole or in part, however they are grouped or spelled."""

import re
from collections.abc import Iterable, Iterator

from api.casework.redaction_kinds import RANK, Kind, Value
from api.casework.redaction_reading import Reading

#: Figures in a row that tell of a number where nothing parts them, and where something does.
_TOGETHER = 4
_PARTED = 6
_RUN = re.compile(rf"[0-9]{{{_TOGETHER},}}")
#: How a telephone number begins, which says nothing: +62, 62, 0.
_DIALLED = re.compile(r"(?:\+?62|0062|0)0?(?=[0-9])")
_DIALLED_MOST = 5


class SoughtNumbers:
    """The numbers that are looked for, made ready once for any number of texts."""

    def __init__(self, values: Iterable[Value]) -> None:
        """Take the values that are numbers: national, family card, telephone."""
        self._together: dict[str, Kind] = {}
        self._parted: dict[str, Kind] = {}
        for value in values:
            if value.kind in (Kind.NUMBER, Kind.PHONE):
                self._take(value.kind, str(value.value))

    def __repr__(self) -> str:
        """Show nothing."""
        return "<sought numbers>"

    def _take(self, kind: Kind, text: str) -> None:
        figures = "".join(char for char in Reading(text).low if char in "+0123456789")
        if kind is Kind.PHONE:
            figures = _DIALLED.sub("", figures, count=1)
        figures = figures.replace("+", "")
        for kept, length in ((self._together, _TOGETHER), (self._parted, _PARTED)):
            for start in range(len(figures) - length + 1):
                part = figures[start : start + length]
                if part not in kept or RANK[kind] < RANK[kept[part]]:
                    kept[part] = kind

    def found(self, reading: Reading) -> Iterator[tuple[int, int, Kind]]:
        """Yield where parts of the numbers stand, as places of `reading.low`."""
        if not self._together:
            return
        for run in _RUN.finditer(reading.low):
            kinds = [
                self._together[part]
                for start in range(len(run[0]) - _TOGETHER + 1)
                if (part := run[0][start : start + _TOGETHER]) in self._together
            ]
            if kinds:
                yield *reading.glued(*run.span()), min(kinds, key=RANK.__getitem__)
        for digits in (*reading.numbers, *reading.digits):
            hits = [
                (start, self._parted[part])
                for start in range(len(digits.text) - _PARTED + 1)
                if (part := digits.text[start : start + _PARTED]) in self._parted
            ]
            if hits:
                # With what is dialled before it, and what may go on after it.
                first = max(0, hits[0][0] - _DIALLED_MOST)
                last = min(len(digits.text), hits[-1][0] + _PARTED + _DIALLED_MOST) - 1
                start, end = digits.starts[first], digits.ends[last]
                before = reading.low[max(0, start - 1) : start]
                if before == "+" or (before == "(" and ")" in reading.low[start:end]):
                    start -= 1
                kind = min((kind for _, kind in hits), key=RANK.__getitem__)
                yield *reading.glued(start, end), kind
