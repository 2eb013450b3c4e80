"""Reads a text for what may be in it: its words and digits, each with its place in the text.

Nothing is decided here. Words are read as an eye does (`redaction_glyphs`), whatever marks
or invisible characters stand in them, and every place leads back to the text as it is.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from api.casework.redaction_glyphs import seen

#: Stands where a label stands: part of no word, and nothing is joined across it.
BARRIER = "\x00"

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")
_GLUED = re.compile(r"\w+")

_SIGNS_AMONG = re.compile(r"(?<![\w@$!|€])[^\W_@$!|€]*[0-9@$!|€][\w@$!|€]*(?<=[^\W_])")
_FOR_LETTERS = (
    str.maketrans("01345789@$!|€", "oieastbgasiie", "_"),
    str.maketrans("01345789@$!|€", "oleastbgaslle", "_"),
)
_CAMEL = re.compile(r"[A-Z][a-z]+(?=[A-Z])|(?<=[a-z])[A-Z][a-z]+")
#: More single letters than this in a row are a word.
_SPELLED = 2
#: Between parts of one word: a hyphen and the end of a line, dots, underscores.
_TIGHT = re.compile(r"|\s{0,2}(?:_|[^\w\s,;:\x00]){1,3}\s{0,4}|[^\S\n]?\r?\n\s{0,4}")
#: Between words of one value, on one line or two.
_NEAR = re.compile(r"(?:_|[^\w\x00]){0,6}")
#: Between digits of one number.
_OF_ONE_NUMBER = re.compile(r"[ \u00a0.\-/()]{1,3}|-\n")
_OF_NO_OTHER = re.compile(r"[^0-9a-z\x00()]{0,4}")

_DIGIT_WORDS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            ("nol", "kosong", "zero"),
            ("satu", "one"),
            ("dua", "two"),
            ("tiga", "three"),
            ("empat", "four"),
            ("lima", "five"),
            ("enam", "six"),
            ("tujuh", "seven"),
            ("delapan", "lapan", "eight"),
            ("sembilan", "nine"),
        )
    )
    for word in words
}
#: In a token that is of digits otherwise.
_AS_DIGITS = str.maketrans("oli", "011")
_NEARLY_DIGITS = re.compile(r"(?<![^\W_])[0-9oli]*[0-9][0-9oli]*(?![^\W_])")


@dataclass(frozen=True, slots=True, repr=False)
class Word:
    """A word, or a run of digits, at a place of `Reading.low`; `raw`: without apostrophes."""

    raw: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, repr=False)
class Digits:
    """Digits that may be one number, each with the place of what says it."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


class Reading:
    """One text, read once.

    Attributes:
        cased: the text as an eye reads it.
        low: the same in lower case, of the same length.
    """

    def __init__(self, text: str) -> None:
        """Read *text*; a BARRIER in it stays one."""
        self._length = len(text)
        self._places: list[int] | None = None
        if text.isascii():
            self.cased = text
        else:
            cased: list[str] = []
            places: list[int] = []
            for place, char in enumerate(text):
                shown = char if char.isascii() else seen(char)
                cased.append(shown)
                places += [place] * len(shown)
            self.cased = "".join(cased)
            self._places = places
        low = self.cased.lower()
        if len(low) != len(self.cased):
            low = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.cased)
        self.low = low

    def __repr__(self) -> str:
        """Show nothing."""
        return "<reading>"

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Give the range of the text that *start* to *end* was read from, marks included."""
        if self._places is None or start >= end:
            return start, end
        last = self._places[end - 1] + 1
        following = self._places[end] if end < len(self._places) else self._length
        return self._places[start], max(last, following)

    @cached_property
    def words(self) -> list[Word]:
        """The words and runs of digits, in order."""
        return [
            Word(found[0].replace("'", ""), found.start(), found.end())
            for found in _WORD.finditer(self.low)
        ]

    @cached_property
    def tight(self) -> list[bool]:
        """Of each word: whether it may be the same word as the one before."""
        return self._gaps(_TIGHT)

    @cached_property
    def near(self) -> list[bool]:
        """Of each word: whether it may belong to the same value as the one before."""
        return self._gaps(_NEAR)

    def _gaps(self, pattern: re.Pattern[str]) -> list[bool]:
        kept = [False]
        known: dict[str, bool] = {}
        words = self.words
        for before, word in pairwise(words):
            gap = self.low[before.end : min(word.start, before.end + 9)]
            if gap not in known:
                known[gap] = pattern.fullmatch(gap) is not None
            kept.append(known[gap])
        return kept[: len(words)]

    @cached_property
    def spelled_out(self) -> list[Word]:
        """Runs of three or more single letters (S u h a r t o), each as one word.

        Where the letters of several words are parted so, another gap parts the words; the run
        is given as a whole, too.
        """
        runs: list[list[Word]] = [[]]
        for word, near in zip(self.words, self.near, strict=True):
            single = len(word.raw) == 1 and not word.raw.isdigit()
            if not single or not near:
                runs.append([])
            if single:
                runs[-1].append(word)
        units = []
        for run in runs:
            if len(run) > _SPELLED:
                several = self._parted_otherwise(run)
                units += [_as_one(part) for part in several if len(part) > _SPELLED]
                if len(several) > 1:
                    units.append(_as_one(run))
        return units

    def _parted_otherwise(self, run: list[Word]) -> list[list[Word]]:
        usual = self.low[run[0].end : run[1].start]
        parts = [[run[0]]]
        for before, word in pairwise(run):
            if self.low[before.end : word.start] != usual:
                parts.append([])
            parts[-1].append(word)
        return parts

    def glued(self, start: int, end: int) -> tuple[int, int]:
        """Widen a range to the whole runs of letters, digits and underscores it lies in."""
        starts, ends = self._runs
        first = bisect_left(starts, start) - 1
        if first >= 0 and start <= ends[first]:
            start = starts[first]
        last = bisect_right(starts, end) - 1
        if last >= 0 and end < ends[last]:
            end = ends[last]
        return start, end

    @cached_property
    def _runs(self) -> tuple[list[int], list[int]]:
        spans = [run.span() for run in _GLUED.finditer(self.low)]
        return [start for start, _ in spans], [end for _, end in spans]

    @cached_property
    def numbers(self) -> list[Digits]:
        """What may be one number each, with what people put between digits."""
        return list(self._joined(_OF_ONE_NUMBER, spoken=False))

    @cached_property
    def digits(self) -> list[Digits]:
        """Digits, and words for digits, that only other characters part."""
        return list(self._joined(_OF_NO_OTHER, spoken=True))

    @cached_property
    def disguised(self) -> list[Word]:
        """Words with figures or signs for letters (Y0esoef, H@san), and parts of CamelCase."""
        found = []
        for token in _SIGNS_AMONG.finditer(self.low):
            if not token[0].isalpha() and any(map(str.isalpha, token[0])):
                for signs in _FOR_LETTERS:
                    read = token[0].translate(signs)
                    found.append(Word(read, token.start(), token.end()))
        for token in _CAMEL.finditer(self.cased):
            start, end = token.span()
            found.append(Word(self.low[start:end], start, end))
        return found

    def _joined(self, between: re.Pattern[str], *, spoken: bool) -> Iterator[Digits]:
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for token, start, end in self._tokens(spoken):
            if text and between.fullmatch(self.low, ends[-1], start) is None:
                yield Digits("".join(text), tuple(starts), tuple(ends))
                text, starts, ends = [], [], []
            text += token
            if len(token) == 1:
                starts.append(start)
                ends.append(end)
            else:
                starts += range(start, end)
                ends += range(start + 1, end + 1)
        if text:
            yield Digits("".join(text), tuple(starts), tuple(ends))

    def _tokens(self, spoken: bool) -> list[tuple[str, int, int]]:
        tokens = [(f[0], f.start(), f.end()) for f in re.finditer(r"[0-9]+", self.low)]
        if any(char in self.low for char in "oli"):
            nearly = [
                (f[0].translate(_AS_DIGITS), f.start(), f.end())
                for f in _NEARLY_DIGITS.finditer(self.low)
                if not f[0].isdigit() and sum(map(str.isdigit, f[0])) * 2 >= len(f[0])
            ]
            if nearly:
                covered = {place for _, start, end in nearly for place in range(start, end)}
                tokens = [token for token in tokens if token[1] not in covered] + nearly
        if spoken:
            tokens += [
                (_DIGIT_WORDS[word.raw], word.start, word.end)
                for word in self.words
                if word.raw in _DIGIT_WORDS
            ]
        return sorted(tokens, key=lambda token: token[1])


def _as_one(run: list[Word]) -> Word:
    return Word("".join(word.raw for word in run), run[0].start, run[-1].end)
