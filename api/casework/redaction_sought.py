"""The words of sealed values that are looked for in a text, in any of their spellings.

A word of a value counts by itself where it has four letters or more and is no word of
everybody's (`redaction_words`); a shorter or common one counts beside another word of a
value, or where the whole value is found. It would rather find one word too many.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from rapidfuzz.distance import OSA

from api.casework.name_spelling import bare, fold, fold_letters, written_for
from api.casework.redaction_kinds import RANK, Kind, Value
from api.casework.redaction_reading import Reading
from api.casework.redaction_words import (
    COMMON,
    GENERIC,
    PREFIXES,
    SHORT,
    SHORT_FORMS,
    SUFFIXES,
    TITLES,
)

#: Letters of a folded word from which on it counts by itself, is read across blanks, is looked
#: for inside longer words, and may have one letter wrong.
ALONE = 4
ACROSS = 5
_INSIDE = 6
_ONE_WRONG = 6
#: Figures of a postal code; four may be a year.
_FIGURES = 5
#: Three words in a row of a sealed sentence are a quotation from these many letters on.
_QUOTED = 12

#: Letters of what an institution is called for short, and words that give none of them.
_SHORT_LEAST, _SHORT_MOST = 3, 8
_NO_PART_OF_SHORT = frozenset(
    ("pt", "cv", "ud", "tbk", "dan", "di", "untuk", "and", "of", "the", "for")
)

_PERSONS = (Kind.NAME, Kind.HANDLE, Kind.EMAIL)
_PLACES = (Kind.ADDRESS, Kind.WHEREABOUTS, Kind.WORKPLACE, Kind.ADVERSARY)


def folded_word(word: str) -> str:
    """Fold the letters of a word; figures are not folded, where two of a kind are two."""
    return word if word.isdigit() else fold_letters(word)


#: Before a name.
BEFORE = PREFIXES | TITLES
_BEFORE_MOST = max(map(len, BEFORE))
_COMMON = frozenset(map(folded_word, COMMON)) | COMMON


class SoughtWords:
    """The words that are looked for, made ready once for any number of texts.

    Attributes:
        alone: folded word that counts by itself -> kind.
        beginnings: of those words.
        capitalised: three letters, or initials, that count where they begin with a capital.
        capitals: two initials, and what an institution is called for short; all in capitals.
        beside: kind -> words that count beside another of that kind.
        whole: first word -> values that count where all their words are found.
        quoted: three words in a row of one value -> kind.
    """

    def __init__(self, values: Iterable[Value]) -> None:
        """Take the values that are texts; numbers and dates are looked for elsewhere."""
        self.alone: dict[str, Kind] = {}
        self.capitalised: dict[str, Kind] = {}
        self.capitals: dict[str, Kind] = {}
        self.beside: defaultdict[Kind, set[str]] = defaultdict(set)
        self.whole: defaultdict[str, list[tuple[tuple[str, ...], Kind]]] = defaultdict(list)
        self.quoted: dict[tuple[str, str, str], Kind] = {}
        # Names first: of a word that is in a name and in an address of mail, too, it is a name.
        for value in sorted(values, key=lambda one: (one.kind is not Kind.NAME, RANK[one.kind])):
            if isinstance(value.value, str) and value.kind not in (Kind.NUMBER, Kind.PHONE):
                self._take(value.kind, _text_of(value))
        self._make_ready()

    def __repr__(self) -> str:
        """Show nothing."""
        return "<sought words>"

    def _take(self, kind: Kind, text: str) -> None:
        reading = Reading(text)
        words = [word.raw for word in reading.words]
        folded = [folded_word(word) for word in words]
        mixed = any(c.isupper() for c in reading.cased) and any(c.islower() for c in reading.cased)
        counts = False
        for place, known in zip(reading.words, folded, strict=True):
            small = mixed and reading.cased[place.start].islower()
            counts |= self._take_word(kind, place.raw, known, small=small)
        if kind is Kind.NAME:
            self._take_names([word for word in words if word not in TITLES], reading.cased)
        elif kind in _PLACES:
            self._take_places(kind, words)
        for three in zip(folded, folded[1:], folded[2:], strict=False):
            if sum(map(len, three)) >= _QUOTED:
                self.quoted.setdefault(three, kind)
        if folded and not counts:
            self.whole[folded[0]].append((tuple(folded), kind))

    def _take_word(self, kind: Kind, word: str, folded: str, *, small: bool = False) -> bool:
        """Keep one word of a value; tell whether it counts by itself."""
        self.beside[kind].update((folded, word))
        if word in TITLES:
            return False
        common = word in COMMON and (small or kind in (Kind.HANDLE, Kind.EMAIL, Kind.OTHER))
        if kind is not Kind.NAME and (word in GENERIC or common):
            return False
        if word.isdigit():
            if len(word) >= _FIGURES:
                self.alone.setdefault(word, kind)
            return len(word) >= _FIGURES
        if max(len(word), len(folded)) >= ALONE:
            self.alone.setdefault(folded, kind)
            return True
        if kind in _PERSONS and len(word) == ALONE - 1 and word not in SHORT:
            self.capitalised.setdefault(folded, kind)
        return False

    def _take_names(self, names: list[str], text: str) -> None:
        """Keep what else a name is written as: short, in one word, by its initials."""
        for token in fold(text).split():
            for written in {token, *written_for(token)}:
                self._take_word(Kind.NAME, written, folded_word(written))
        for one, other in pairwise(names):
            joined = fold_letters(one + other)  # Who writes Nur Aini may write Nuraini.
            if len(joined) >= ACROSS:
                self.alone.setdefault(joined, Kind.NAME)
        for written in (bare(text), fold(text)):  # Joesoef is a J and a Y.
            initials = "".join(word[0] for word in written.split())
            if len(initials) >= ALONE - 1:
                self.capitalised.setdefault(initials, Kind.NAME)
            elif len(initials) > 1 and initials not in SHORT_FORMS:
                self.capitals.setdefault(initials, Kind.NAME)

    def _take_places(self, kind: Kind, words: list[str]) -> None:
        """Keep what else a place or an institution is written as: in one word, for short."""
        for one, other in pairwise(words):
            joined = fold_letters(one + other)  # Who writes Labuan Bajo may write Labuanbajo.
            if len(joined) >= _INSIDE and not {one, other} <= GENERIC and joined.isalpha():
                self.alone.setdefault(joined, kind)
        if kind in (Kind.WORKPLACE, Kind.ADVERSARY):
            short = "".join(word[0] for word in words if word not in _NO_PART_OF_SHORT)
            if _SHORT_LEAST <= len(short) <= _SHORT_MOST and short not in SHORT:
                self.capitals.setdefault(short, kind)

    def _make_ready(self) -> None:
        self.beginnings = {word[:end] for word in self.alone for end in range(1, len(word) + 1)}
        self._heads: defaultdict[str, list[str]] = defaultdict(list)
        self._short: dict[str, Kind] = {}
        self._fragments: dict[str, Kind] = {}
        self._less_one: defaultdict[str, list[str]] = defaultdict(list)
        self._longest = max(map(len, self.alone), default=0)
        self._joined_to = {word for word in self.beside[Kind.NAME] if len(word) >= ALONE - 1}
        self._foreign = {word: kind for word, kind in self.alone.items() if not word.isascii()}
        for whole in self.whole.values():
            for tokens, kind in whole:
                if len(tokens) == 1 and not tokens[0].isascii():
                    self._foreign[tokens[0]] = kind
        for word, kind in self.alone.items():
            if len(word) >= _INSIDE:
                self._heads[word[:_INSIDE]].append(word)
            named = kind in (*_PERSONS, Kind.ADVERSARY)
            if not word.isdigit() and len(word) >= (_ONE_WRONG if named else _ONE_WRONG + 1):
                for shorter in _less_one(word):
                    self._less_one[shorter].append(word)
            if kind not in _PERSONS:
                continue
            if len(word) < _INSIDE:
                self._short[word] = kind
            for length in range(ALONE, len(word)):
                self._fragments.setdefault(word[:length], kind)
                self._fragments.setdefault(word[-length:], kind)

    def kind_of(self, raw: str, folded: str, *, several: bool = False) -> Kind | None:
        """Say of what kind a word is by itself.

        Args:
            several: it may be several words, written as one.
        """
        kind = self.alone.get(folded)
        if kind is not None or raw.isdigit():
            return kind
        for foreign in self._foreign:
            if foreign in folded:
                return self._foreign[foreign]
        if len(raw) < ALONE:
            return None
        for suffix in SUFFIXES:
            if raw.endswith(suffix) and len(raw) - len(suffix) >= ALONE:
                kind = self.alone.get(fold_letters(raw[: -len(suffix)]))
                if kind is not None:
                    return kind
        kind = self._inside(folded, several=several)
        if kind is None and folded not in _COMMON and raw not in _COMMON:
            kind = self._fragments.get(folded)
            if kind is None and len(folded) >= _ONE_WRONG:
                kind = self._one_wrong(folded)
        return kind

    def _inside(self, folded: str, *, several: bool) -> Kind | None:
        """Find a long word anywhere in a longer one, a short one with what is written to it."""
        for start in range(len(folded) - _INSIDE + 1):
            for word in self._heads.get(folded[start : start + _INSIDE], ()):
                kind = self.alone[word]
                named = several or kind in (*_PERSONS, Kind.ADVERSARY)
                if named and folded.startswith(word, start):
                    return kind
        for length in (_INSIDE - 1, ALONE):
            last = len(folded) - length
            for start in {*range(min(last, _BEFORE_MOST) + 1), last}:
                short = self._short.get(folded[start : start + length]) if start >= 0 else None
                if short is None:
                    continue
                before, after = folded[:start], folded[start + length :]
                at_an_end = length > ALONE and not (before and after)
                if at_an_end or (
                    self._goes_with(before, BEFORE) and self._goes_with(after, SUFFIXES)
                ):
                    return short
        return None

    def _goes_with(self, rest: str, affixes: Iterable[str]) -> bool:
        return not rest or rest in affixes or rest in self._joined_to

    def _one_wrong(self, folded: str) -> Kind | None:
        if len(folded) > self._longest + 1:
            return None
        near = {word for less in _less_one(folded) for word in self._less_one.get(less, ())}
        for word in near:
            if OSA.distance(folded, word, score_cutoff=1) <= 1:
                return self.alone[word]
        return None


def _text_of(value: Value) -> str:
    """Give what of a value has words: of an address of mail what stands before the @."""
    text = str(value.value)
    return text.rpartition("@")[0] or text if value.kind is Kind.EMAIL else text


def _less_one(word: str) -> Iterator[str]:
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
