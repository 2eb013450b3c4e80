"""Who of the own agency may be the same person: equal NIK, family card or telephone.

To be told that somebody is there is a disclosure, as in a search: only records count whose
identifier the caller may open, every candidate is in an event, and what is found spends the
caller's budget. A family card is of a household and a telephone of several people at times, so
this proposes, and a person compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from api.casework import openings
from api.casework.disclosure import Reading, disclose
from api.casework.house import House
from api.casework.merge_reach import merges_among
from api.casework.views import DefenderView
from api.errors import NotFound, PageSizeInvalid, PurposeMissing
from api.store.case_file_statements import Shape, Which
from api.store.sealed_fields import DEFENDER_FIELDS
from api.vocabulary import Action, Caller, DefenderId, RecordKind

#: The most that one question names, as of a search.
FOUND_MOST = 20

#: Field -> the word of its tags; what identifies most comes first.
_TAGGED = {"nik": "nik", "phones": "phone", "familyCard": "family_card"}


@dataclass(slots=True)
class PossibleDuplicate:
    """A defender with an identifier that another one has, too.

    Attributes:
        case_file_ids: in which the caller may open it.
        fields: what agrees: "nik", "phones", "familyCard".
    """

    defender_id: UUID
    case_file_ids: list[UUID] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


async def duplicates_of(
    house: House, caller: Caller, defender_id: DefenderId, first: int
) -> list[PossibleDuplicate]:
    """List whom the caller may open and who agrees, those with the same NIK first.

    What of the defender the caller may not open is not compared; nor is who was merged with it
    already, where the caller may know of that.

    Raises:
        PageSizeInvalid: *first* is not 1 to FOUND_MOST.
        NotFound: as of a defender who is read.
        OpeningsExhausted: fewer than *first* people may still be opened.
        As `disclose`.
    """
    if not 1 <= first <= FOUND_MOST:
        raise PageSizeInvalid
    if caller.purpose is None:
        raise PurposeMissing
    await openings.check_search(house, caller, first)
    sought = await _sought(house, caller, defender_id)
    found: dict[UUID, PossibleDuplicate] = {}
    for name, values in sought.items():
        for view, file in await _with_any(house, caller, name, values):
            if view.id == defender_id:
                continue
            one = found.setdefault(view.id, PossibleDuplicate(view.id))
            if name not in one.fields:
                one.fields.append(name)
            if file not in one.case_file_ids:
                one.case_file_ids.append(file)
    merges, _ = await merges_among(house, caller, [defender_id])
    for row in merges:
        found.pop(row["kept"], None)
        found.pop(row["duplicate"], None)
    best = sorted(found.values(), key=_rank)[:first]
    people = [one.defender_id for one in best]
    await openings.spend(house, caller, people, [openings.stopped_search(house, caller)])
    return best


def _rank(one: PossibleDuplicate) -> tuple[bool, int, UUID]:
    return "nik" not in one.fields, -len(one.fields), one.defender_id


async def _sought(
    house: House, caller: Caller, defender_id: DefenderId
) -> dict[str, Sequence[str]]:
    """Open the identifiers of the one who is asked for: field -> values, where there are any."""
    reading = Reading(
        Action.READ,
        Shape(Which.OF_DEFENDER, frozenset(), frozenset({*_TAGGED, "agency"})),
        {"id": defender_id},
        target=(RecordKind.DEFENDER, defender_id),
    )
    disclosed = await disclose(house, caller, reading)
    views = [d for file in disclosed.case_files for d in file.defenders]
    if not views:
        raise NotFound
    sought: dict[str, Sequence[str]] = {}
    for view in views:
        if view.agency != caller.organisation:
            continue  # What another agency shares is not looked for here by this way.
        for name in _TAGGED:
            values = _values(view, name)
            if values:
                sought[name] = values
    return sought


def _values(view: DefenderView, name: str) -> Sequence[str]:
    value: str | Sequence[str] | None = getattr(view, DEFENDER_FIELDS[name].column)
    return [value] if isinstance(value, str) else value or ()


async def _with_any(
    house: House, caller: Caller, name: str, values: Sequence[str]
) -> list[tuple[DefenderView, UUID]]:
    """Give who has any of *values* in the field *name*, and in which case file it opened."""
    sealed = DEFENDER_FIELDS[name]
    tags = await house.keyring.tags_to_find_any(caller.organisation, _TAGGED[name], values)
    reading = Reading(
        Action.SEARCH,
        Shape(Which.TAGGED, frozenset(), frozenset({name})),
        {"field": _TAGGED[name], "tags": tags},
        compartment=sealed.compartment,
    )
    disclosed = await disclose(house, caller, reading)
    # The tag says "equal"; what was opened proves it.
    return [
        (view, file.id)
        for file in disclosed.case_files
        for view in file.defenders
        if not set(values).isdisjoint(_values(view, name))
    ]
