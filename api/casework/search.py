"""Find defenders: by keyed tag (NIK, KK, phone, e-mail) or by name, matched in memory.

A search is an opening like every other: only records whose searched compartment
the caller may open are candidates, every candidate is in the event, and what is
then shown of the hits is a reading of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from api.casework import names, openings
from api.casework.disclosure import Reading, disclose
from api.casework.house import House
from api.casework.identifiers import Nik, parse_email, parse_kk, parse_phone
from api.casework.merge_reach import merges_among
from api.casework.merges_seen import Place
from api.casework.views import CaseFileView, DefenderView
from api.errors import PageSizeInvalid, PurposeMissing
from api.store.case_file_statements import Shape, Which
from api.store.sealed_fields import DEFENDER_FIELDS, SealedField
from api.vocabulary import Action, Caller, Compartment

#: The most hits of one search.
HITS_MOST = 20

_NAMES = frozenset({"fullName", "aliases"})

#: Score and likeness of each defender that fits, and the case files that were searched:
#: in no other may a hit be shown.
_Found = tuple[dict[UUID, tuple[int, str]], set[UUID]]


class By(StrEnum):
    """What a search is by; all but a name have keyed tags, under the same word."""

    EMAIL = "email"
    FAMILY_CARD = "family_card"
    NAME = "name"
    NIK = "nik"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class _Tagged:
    """How an exact search is made: what gives the normal form, and which field proves a hit."""

    normal: Callable[[str], str]
    field: SealedField


_TAGGED = {
    By.EMAIL: _Tagged(parse_email, DEFENDER_FIELDS["emails"]),
    By.FAMILY_CARD: _Tagged(parse_kk, DEFENDER_FIELDS["familyCard"]),
    By.NIK: _Tagged(lambda text: Nik.parse(text).digits, DEFENDER_FIELDS["nik"]),
    By.PHONE: _Tagged(parse_phone, DEFENDER_FIELDS["phones"]),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A defender that was found, and why.

    Attributes:
        score: 0 to 100.
        likeness: how the value fits: "exact", or the kind of likeness of a name.
    """

    defender: DefenderView
    case_files: list[CaseFileView]
    score: int
    likeness: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for; the value shows nowhere."""

    by: By
    value: str = field(repr=False)


async def find_defenders(
    house: House, caller: Caller, query: Query, *, first: int, asked: frozenset[str]
) -> list[Hit]:
    """Find defenders, best first, among those the caller may open.

    Args:
        asked: names of the defenders' fields that are to be shown.

    Raises:
        NikInvalid, PhoneInvalid, ValueInvalid: nothing was searched, nothing logged.
        OpeningsExhausted: fewer than *first* people may still be opened.
    """
    if not 1 <= first <= HITS_MOST:
        raise PageSizeInvalid
    if caller.purpose is None:
        raise PurposeMissing
    found, through = (
        await _by_name(house, caller, query.value, first)
        if query.by is By.NAME
        else await _by_tag(house, caller, query, first)
    )
    if not found:
        return []
    found, besides = await _folded(house, caller, found)
    # That somebody is found tells a name, also where no field of the hit is asked for.
    await openings.spend(house, caller, list(found), [openings.stopped_search(house, caller)])
    shown = await disclose(
        house,
        caller,
        Reading(
            Action.READ,
            Shape(Which.OF_DEFENDERS, frozenset({"reference"}), asked),
            {"ids": list(found)},
        ),
    )
    hits = []
    for defender_id, (score, likeness) in found.items():
        files = [
            v
            for v in shown.case_files
            if (v.id in through or (v.id, defender_id) in besides)
            and any(d.id == defender_id for d in v.defenders)
        ]
        same = [d for v in files for d in v.defenders if d.id == defender_id]
        if same:
            best = min(same, key=lambda d: len(d.withheld))
            hits.append(Hit(best, files, score, likeness))
    return hits[:first]


async def _by_tag(house: House, caller: Caller, query: Query, limit: int) -> _Found:
    """Find by the keyed tag of a normal form; the tag itself opens nothing."""
    how = _TAGGED[query.by]
    normal = how.normal(query.value)
    await openings.check_search(house, caller, limit)
    tags = await house.keyring.tags_to_find(caller.organisation, query.by.value, normal)
    views = await _candidates(
        house,
        caller,
        Which.TAGGED,
        {"field": query.by.value, "tags": tags},
        how.field.compartment,
        {how.field.name},
    )
    found: dict[UUID, tuple[int, str]] = {}
    for defender in (d for view in views for d in view.defenders):
        # The tag says "equal"; what was opened proves it.
        value: str | list[str] | None = getattr(defender, how.field.column)
        if normal in ([value] if isinstance(value, str) else value or ()):
            found[defender.id] = (100, names.Likeness.EXACT.value)
    return found, {view.id for view in views}


async def _by_name(house: House, caller: Caller, value: str, limit: int) -> _Found:
    """Open the names of every candidate and match them in memory."""
    names.match(value, ())  # Too short a name is refused before anything is opened.
    await openings.check_search(house, caller, limit)
    views = await _candidates(house, caller, Which.ALL, {}, Compartment.IDENTITY, _NAMES)
    people = {
        d.id: [d.full_name or "", *(d.aliases or ())] for view in views for d in view.defenders
    }
    matches = names.match(value, people.items(), limit)
    return {m.key: (m.score, m.reason.value) for m in matches}, {view.id for view in views}


async def _folded(
    house: House, caller: Caller, found: Mapping[UUID, tuple[int, str]]
) -> tuple[dict[UUID, tuple[int, str]], set[Place]]:
    """Give the kept record once, in the place of what was merged into it and was found.

    Only where the caller may open the identity in both; the records stay apart for all others.
    With it go the case files in which the kept one may be shown, whatever was searched.
    """
    merges, places = await merges_among(house, caller, list(found))
    into = {row["duplicate"]: row["kept"] for row in merges if row["duplicate"] in found}
    folded: dict[UUID, tuple[int, str]] = {}
    for person, fits in found.items():
        shown = into.get(person, person)
        folded[shown] = max(folded.get(shown, fits), fits)
    kept = set(into.values())
    return folded, {place for place in places if place[1] in kept}


async def _candidates(
    house: House,
    caller: Caller,
    which: Which,
    parameters: dict[str, Any],
    compartment: Compartment,
    fields: frozenset[str] | set[str],
) -> list[CaseFileView]:
    found = await disclose(
        house,
        caller,
        Reading(
            Action.SEARCH,
            Shape(which, frozenset(), frozenset(fields)),
            parameters,
            compartment=compartment,
        ),
    )
    return found.case_files
