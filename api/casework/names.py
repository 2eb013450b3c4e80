"""Finds people by name the way Indonesian names are written. It stores nothing.

Names are opened only for the search that needs them and are forgotten with it, so
nothing here may be cached, and no result holds a text: a `Match` says which
candidate, how well, and why.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process

from api.casework.name_spelling import COMMON, bare, fold, names_in, plain
from api.errors import ValueInvalid

Key = TypeVar("Key", bound=Hashable)

SHORTEST_QUERY = 3  # letters; shorter ones would list half of an agency
LONGEST_QUERY = 200  # characters; the longest names on identity cards have about 60

# Scores are out of 100; an exact name has 100. Parts of a name and similar names mix below
# the variants: one wrong letter may be nearer than half a name.
_VARIANT = 95
_REORDERED = 92
_PART_LEAST, _PART_MOST = 70, 90
_SIMILAR_LEAST, _SIMILAR_MOST = 60, 89
_TOKEN_LEAST = 75  # likeness of two tokens below which they have nothing to do with each other
_INITIAL = 0.8  # likeness of an initial and a name that begins with it
_QUERY_LEAST = 0.75  # share of the query that must be found again
_JOINED_LEAST = 82  # for names written as one word or as two (Nur Aini, Nuraini)
_COMMON_WEIGHT = 0.3  # of a token that says little, against 1


class Likeness(StrEnum):
    """How a name fits a query, best first."""

    EXACT = "exact"
    SPELLING_VARIANT = "spelling_variant"
    PART_OF_THE_NAME = "part_of_the_name"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class Match(Generic[Key]):
    """One candidate that fits; `score` is 0 to 100."""

    key: Key
    score: int
    reason: Likeness


def normalise(name: str) -> str:
    """Return the form in which spellings of one name are equal.

    Lower case, without diacritics, titles, degrees, bin and binti; Muhammad and the
    Balinese order names in full; old spelling and letters that stand for each other
    folded together. Of "X alias Y" both stay. normalise(normalise(x)) == normalise(x).
    """
    text = name
    while True:
        before = text
        text = " ".join(" ".join(fold(part) for part in names_in(text)).split())
        if text == before:
            return text


def match(
    query: str, candidates: Iterable[tuple[Key, Sequence[str]]], limit: int = 20
) -> list[Match[Key]]:
    """Return the best matches, best first; equal ones in the order of *candidates*.

    Args:
        candidates: each with its names: the full name, then the aliases.

    Raises:
        ValueInvalid: fewer than 3 letters, or more than 200 characters.
    """
    if len(query) > LONGEST_QUERY or len(plain(query).replace(" ", "")) < SHORTEST_QUERY:
        raise ValueInvalid
    keys: list[Key] = []
    owners: list[int] = []  # of each name: its place in `keys`
    names: list[str] = []
    for place, (key, texts) in enumerate(candidates):
        keys.append(key)
        for text in texts:
            parts = names_in(text)
            names += parts
            owners += [place] * len(parts)
    folded = [fold(name) for name in names]
    best: dict[int, tuple[int, Likeness]] = {}
    for part in names_in(query):
        for place, (score, reason) in _match_one(part, names, folded).items():
            owner = owners[place]
            if owner not in best or score > best[owner][0]:
                best[owner] = (score, reason)
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    return [Match(keys[owner], *found) for owner, found in ranked[:limit]]


def _match_one(
    query: str, names: Sequence[str], folded: Sequence[str]
) -> dict[int, tuple[int, Likeness]]:
    """Return score and reason of each name, by its place, that fits *query*."""
    text = fold(query)
    wanted = tuple(dict.fromkeys(text.split()))
    if not wanted:
        return {}
    joined = text.replace(" ", "")
    name_tokens = [name.split() for name in folded]
    everyone = list(set().union(*name_tokens)) if name_tokens else []
    near = {token: _near(token, everyone) for token in wanted}
    known: set[str] = set().union(*near.values())
    found: dict[int, tuple[int, Likeness]] = {}
    for _, ratio, place in process.extract(
        joined,
        [name.replace(" ", "") for name in folded],
        scorer=fuzz.ratio,
        score_cutoff=_JOINED_LEAST,
        limit=None,
    ):
        found[place] = (
            (_VARIANT, Likeness.SPELLING_VARIANT)
            if ratio == 100
            else (min(_SIMILAR_MOST, round(ratio)), Likeness.SIMILAR)
        )
    untouched = bare(query)
    for place, tokens in enumerate(name_tokens):
        near_miss = found.get(place)
        if known.isdisjoint(tokens) or (near_miss and near_miss[0] == _VARIANT):
            continue
        scored = _score(text, wanted, near, folded[place], tokens)
        if scored is not None:
            # The better score with the reason from the tokens, which says more.
            found[place] = max(scored, ((near_miss or scored)[0], scored[1]))
    for place, (_, reason) in list(found.items()):
        if reason is Likeness.SPELLING_VARIANT and bare(names[place]) == untouched:
            found[place] = (100, Likeness.EXACT)
    return found


def _near(token: str, everyone: Sequence[str]) -> dict[str, float]:
    """Return the tokens that *token* may stand for, each with a likeness up to 1."""
    near = {
        found: score / 100
        for found, score, _ in process.extract(
            token, everyone, scorer=fuzz.ratio, score_cutoff=_TOKEN_LEAST, limit=None
        )
    }
    for other in everyone:
        if 1 in (len(token), len(other)) and token[0] == other[0]:
            near.setdefault(other, _INITIAL)
    return near


def _weight(token: str) -> float:
    return _COMMON_WEIGHT if token in COMMON else 1.0


def _score(
    text: str,
    wanted: Sequence[str],
    near: dict[str, dict[str, float]],
    name: str,
    tokens: Sequence[str],
) -> tuple[int, Likeness] | None:
    """Compare token by token; None where too little of the query is found again."""
    if name == text:
        return _VARIANT, Likeness.SPELLING_VARIANT
    if sorted(tokens) == sorted(wanted):
        return _REORDERED, Likeness.SPELLING_VARIANT
    of_query = [max(near[token].get(other, 0.0) for other in tokens) for token in wanted]
    of_name = [max(near[token].get(other, 0.0) for token in wanted) for other in tokens]
    query_share = _share(wanted, of_query)
    name_share = _share(tokens, of_name)
    if min(of_query) == 1:
        return _between(_PART_LEAST, _PART_MOST, name_share), Likeness.PART_OF_THE_NAME
    if min(of_name) == 1 and any(token not in COMMON for token in tokens):
        return _between(_PART_LEAST, _PART_MOST, query_share), Likeness.PART_OF_THE_NAME
    score = round(_between(_PART_LEAST, _PART_MOST, name_share) * query_share)
    if query_share < _QUERY_LEAST or score < _SIMILAR_LEAST:
        return None
    return min(_SIMILAR_MOST, score), Likeness.SIMILAR


def _share(tokens: Sequence[str], likeness: Sequence[float]) -> float:
    weights = [_weight(token) for token in tokens]
    return sum(map(float.__mul__, weights, likeness)) / sum(weights)


def _between(least: int, most: int, share: float) -> int:
    return least + round((most - least) * share)
