"""What of a text may not go to a partner: found, put under labels, and looked for once more.

Sealed values of the record are looked for in any spelling, and with them what identifies
whoever it is of. It is made for texts of a person who takes care and may slip, and for one
who means to get something past it; but it reads words and not their sense: who says "the
mayor's only daughter" names somebody, and a person must look at the text as well. Nothing here
is remembered, and no result holds a part of a text or a value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal
from unicodedata import category

from api.casework.redaction_dates import days
from api.casework.redaction_found import Known, words_found
from api.casework.redaction_kinds import LABELS, RANK, Found, Kind, Value
from api.casework.redaction_numbers import SoughtNumbers
from api.casework.redaction_patterns import ages_after, identifying
from api.casework.redaction_people import people
from api.casework.redaction_reading import BARRIER, Reading
from api.casework.redaction_sensitive import sensitive
from api.casework.redaction_sought import SoughtWords
from api.errors import IdentityInText

Language = Literal["id", "en"]

_LABEL = re.compile(
    "|".join(re.escape(text) for labels in LABELS.values() for text in (labels.id, labels.en))
)
#: Characters between two ranges of one kind that are one block.
_JOINED_MOST = 6
#: So often a text is read; an honest one takes two, and what is left then is refused.
_ROUNDS = 5
#: Control characters show nothing, and none may pass for a BARRIER.
_UNSEEN_ONE = "\u200b"
_UNSEEN = str.maketrans(dict.fromkeys((*range(9), *range(14, 28), 127), _UNSEEN_ONE))


class Sought:
    """Everything that is looked for, made ready once for any number of texts."""

    def __init__(self, values: Iterable[Value]) -> None:
        """Take the sealed values of all who are in the record."""
        values = tuple(values)
        self._words = SoughtWords(values)
        self._numbers = SoughtNumbers(values)
        self._births = tuple(value for value in values if isinstance(value.value, date))

    def __repr__(self) -> str:
        """Show nothing."""
        return "<sought>"

    def find(self, text: str) -> list[Found]:
        """Give the ranges of *text* that may not go out, in order, apart from each other.

        What a label of `redact` covers is not looked into.
        """
        text = text.translate(_UNSEEN)
        text = _LABEL.sub(lambda label: _hidden(text, label), text)
        found: list[Found] = []
        hidden = text
        known: Known = {}
        # Again, since what is left may read otherwise without its neighbours.
        for _ in range(_ROUNDS):
            again = self._read(hidden, known)
            if not again:
                break
            found = _merged(text, [*found, *again])
            hidden = "".join(
                BARRIER * len(part) if covered else part for part, covered in _parts(text, found)
            )
        return found

    def _read(self, text: str, known: Known) -> list[Found]:
        reading = Reading(text)
        births = {one.value for one in self._births if isinstance(one.value, date)}
        named = [*words_found(self._words, reading, known)]
        kinds = {start: kind for start, _, kind in named}
        named += [_as_known(one, kinds) for one in people(reading)]
        ranges = [
            *named,
            *ages_after(reading, (end for _, end, kind in named if kind is Kind.NAME)),
            *self._numbers.found(reading),
            *identifying(reading),
            *sensitive(reading),
            *(
                (start, end, Kind.BIRTH if born else Kind.DATE)
                for start, end, born in days(reading.low, births)
            ),
        ]
        return [
            Found(*reading.place(*reading.glued(start, end)), kind) for start, end, kind in ranges
        ]


def _as_known(one: tuple[int, int, Kind], kinds: Mapping[int, Kind]) -> tuple[int, int, Kind]:
    """Give a range the kind of the first sought word in it: Kapten X may be an adversary."""
    start, end, kind = one
    return start, end, next((kinds[place] for place in range(start, end) if place in kinds), kind)


def _hidden(text: str, label: re.Match[str]) -> str:
    """Give what is read in place of a label; in the midst of a word it is none, but a disguise."""
    around = text[max(0, label.start() - 1) : label.start()] + text[label.end() : label.end() + 1]
    return (_UNSEEN_ONE if any(map(str.isalnum, around)) else BARRIER) * len(label[0])


def find(text: str, values: Iterable[Value]) -> list[Found]:
    """Give the ranges of *text* in which one of *values* stands, or what identifies anybody.

    For several texts of one record make a `Sought`, once.
    """
    return Sought(values).find(text)


def redact(text: str, found: Iterable[Found], language: Language) -> str:
    """Put a label in the place of each range; neighbours of one kind become one label.

    The result holds nothing of what stood there, and neither its length nor how many words
    it had. Characters that show nothing go everywhere: they could carry a text of their own.
    """
    written = []
    for part, kind in _parts(text, _merged(text, found)):
        label = None if kind is None else LABELS[kind]
        written.append(part if label is None else label.id if language == "id" else label.en)
    shown = "".join(written)
    return shown if shown.isascii() else "".join(c for c in shown if category(c) != "Cf")


def refuse_if_any_left(text: str, values: Iterable[Value]) -> None:
    """Refuse a text in which something is found, however it came to be redacted.

    Raises:
        IdentityInText: without a word of what it was, or where.
    """
    if find(text, values):
        raise IdentityInText


def _parts(text: str, found: Iterable[Found]) -> Iterator[tuple[str, Kind | None]]:
    """Yield the text in parts, with the kind of those that were found."""
    at = 0
    for one in found:
        yield text[at : one.start], None
        yield text[one.start : one.end], one.kind
        at = one.end
    yield text[at:], None


def _merged(text: str, found: Iterable[Found]) -> list[Found]:
    """Join ranges that overlap, and those of one kind with only separators between."""
    ranges = sorted(one for one in found if one.start < one.end)
    # Twice, since some become of one kind by what they were joined with.
    return _joined(text, _joined(text, ranges))


def _joined(text: str, ranges: Sequence[Found]) -> list[Found]:
    joined: list[Found] = []
    for one in ranges:
        if joined and _one_block(text, joined[-1], one):
            kind = min((joined[-1].kind, one.kind), key=RANK.__getitem__)
            joined[-1] = Found(joined[-1].start, max(joined[-1].end, one.end), kind)
        else:
            joined.append(one)
    return joined


def _one_block(text: str, one: Found, other: Found) -> bool:
    if other.start <= one.end:
        return True
    between = text[one.end : min(other.start, one.end + _JOINED_MOST + 1)]
    said = len(between) > _JOINED_MOST or any(c.isalnum() or c in "()[]" for c in between)
    return one.kind is other.kind and not said
