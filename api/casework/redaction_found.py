"""Finds sought words in a text: by themselves, in a row, parted by blanks, beside each other."""

from collections.abc import Iterator

from api.casework.name_spelling import fold_letters
from api.casework.redaction_kinds import Kind
from api.casework.redaction_reading import Reading
from api.casework.redaction_sought import ACROSS, ALONE, BEFORE, SoughtWords, folded_word
from api.casework.redaction_words import COMMON, SHORT, TITLES

#: Two letters that fold into others where they meet.
_MEETING = frozenset(
    ("oe", "tj", "dj", "ch", "kh", "sh", "sy", "th", "dh", "bh", "dz", "ph", "ae", "ie")
)
#: Pieces into which a word may be parted; single letters are read apart from this.
_PIECES = 12
#: Letters that fold otherwise at the end of a word.
_OTHERWISE_AT_END = "ypj"
_NO_NAME = COMMON | SHORT
_AFTER_A_NAME = frozenset(("bin", "binti", "binte", "alias", "als", "aka"))


#: What a word folds to, and its kind, if it has one by itself.
Known = dict[str, tuple[str, Kind | None]]


def words_found(
    sought: SoughtWords, reading: Reading, known: Known
) -> Iterator[tuple[int, int, Kind]]:
    """Yield where words of the values stand, as places of `reading.low`.

    Args:
        known: words that were looked at before, for who reads what is left of a text again.
    """
    words = reading.words
    for raw in {word.raw for word in words} - known.keys():
        folded_raw = folded_word(raw)
        known[raw] = folded_raw, sought.kind_of(raw, folded_raw)
    folded = [known[word.raw][0] for word in words]
    marks = [known[word.raw][1] for word in words]
    _mark_capitalised(sought, reading, folded, marks)
    _mark_addressed(sought, reading, folded, marks)
    _mark_rows(sought, reading, folded, marks)
    _mark_parted(sought, reading, folded, marks)
    _mark_beside(sought, reading, folded, marks)
    for word, kind in zip(words, marks, strict=True):
        if kind is not None:
            yield *reading.glued(word.start, word.end), kind
    for unit in (*reading.spelled_out, *reading.disguised):
        kind = sought.kind_of(unit.raw, folded_word(unit.raw), several=True)
        if kind is not None:
            yield *reading.glued(unit.start, unit.end), kind


_Marks = list[Kind | None]


def _mark_capitalised(
    sought: SoughtWords, reading: Reading, folded: list[str], marks: _Marks
) -> None:
    if not sought.capitalised and not sought.capitals:
        return
    for place, (word, known) in enumerate(zip(reading.words, folded, strict=True)):
        if marks[place] is None and reading.cased[word.start].isupper():
            marks[place] = sought.capitalised.get(known) or sought.capitalised.get(word.raw)
            if marks[place] is None and reading.cased[word.start : word.end].isupper():
                marks[place] = sought.capitals.get(word.raw)


def _mark_addressed(
    sought: SoughtWords, reading: Reading, folded: list[str], marks: _Marks
) -> None:
    """Mark the beginning of a name, or a name of three letters, after a form of address."""
    for place in range(1, len(folded)):
        word, known = reading.words[place], folded[place]
        if (
            marks[place] is None
            and reading.words[place - 1].raw in BEFORE
            and reading.near[place]
            and len(word.raw) >= ALONE - 1
            and word.raw not in _NO_NAME
            and (known in sought.beginnings or known in sought.capitalised)
        ):
            marks[place] = Kind.NAME  # mas yus, bu ika


def _mark_rows(sought: SoughtWords, reading: Reading, folded: list[str], marks: _Marks) -> None:
    """Mark whole values that have no word of their own, and quotations."""
    near = reading.near
    for place, first in enumerate(folded):
        for tokens, kind in sought.whole.get(first, ()):
            end = place + len(tokens)
            if tuple(folded[place:end]) != tokens or not all(near[place + 1 : end]):
                continue
            capital = reading.cased[reading.words[place].start].isupper()
            if capital or sum(len(word.raw) for word in reading.words[place:end]) >= ALONE - 1:
                marks[place:end] = [kind] * len(tokens)
    if not sought.quoted:
        return
    for place, three in enumerate(zip(folded, folded[1:], folded[2:], strict=False)):
        quoted = sought.quoted.get(three)
        if quoted is not None and near[place + 1] and near[place + 2]:
            for which in range(place, place + 3):
                marks[which] = marks[which] or quoted


def _mark_parted(sought: SoughtWords, reading: Reading, folded: list[str], marks: _Marks) -> None:
    """Mark words that are one with blanks, hyphens or ends of lines in it."""
    words, near, tight = reading.words, reading.near, reading.tight
    folds: dict[str, str] = {}
    for place, joined in enumerate(folded):
        raw, all_tight = words[place].raw, True
        for following in range(place + 1, min(place + _PIECES, len(words))):
            other = words[following].raw
            meets = _meet(raw, other)
            if not near[following] or not (meets or joined in sought.beginnings):
                break
            raw += other
            all_tight = all_tight and tight[following]
            if not meets:
                joined += folded[following]
            else:
                joined = folds.get(raw) or folds.setdefault(raw, fold_letters(raw))
            kind = sought.alone.get(joined)
            if kind is not None and len(joined) >= (ALONE if all_tight else ACROSS):
                marks[place : following + 1] = [kind] * (following + 1 - place)


def _meet(one: str, other: str) -> bool:
    """Tell whether letters fold otherwise where two pieces are one word."""
    return one[-1] == other[0] or one[-1] in _OTHERWISE_AT_END or one[-1] + other[0] in _MEETING


def _mark_beside(sought: SoughtWords, reading: Reading, folded: list[str], marks: _Marks) -> None:
    """Mark what belongs to a marked neighbour: short words, titles, initials, house numbers."""
    words, near = reading.words, reading.near

    def belongs(place: int, kind: Kind, of_names: frozenset[str]) -> bool:
        word = words[place]
        if folded[place] in sought.beside[kind]:
            return True
        initial = word.end - word.start == 1 and reading.cased[word.start].isupper()
        return kind is Kind.NAME and (initial or word.raw in of_names)

    for place in range(len(words) - 2, -1, -1):
        kind = marks[place + 1]
        if kind is not None and marks[place] is None and near[place + 1]:
            marks[place] = kind if belongs(place, kind, TITLES) else None
    for place in range(1, len(words)):
        kind = marks[place - 1]
        if kind is not None and marks[place] is None and near[place]:
            marks[place] = kind if belongs(place, kind, _AFTER_A_NAME) else None
