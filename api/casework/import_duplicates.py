"""Who of a file may be there already: equal NIK or telephone, in it or among the records.

To be told that somebody is there is a disclosure. So only records count whose identifier
the caller may open, each look is logged as a search, and hits spend the caller's budget:
an import must not be a way to try a list of numbers on the store.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from api.casework import openings
from api.casework.disclosure import Reading, disclose
from api.casework.house import House
from api.casework.import_rows import Row
from api.store.case_file_statements import Shape, Which
from api.store.sealed_fields import DEFENDER_FIELDS
from api.vocabulary import Action, Caller

#: Defenders that one preview names at the most.
EXISTING_MOST = 50

#: Identifiers that one search is made of; each has a tag for every version of the index key.
AT_ONCE = 1_000

#: Field -> the word of its tags.
_TAGGED = {"nik": "nik", "phones": "phone"}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of one row, in its normal form."""

    row: int
    kind: str
    normal: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row whose NIK or telephone an earlier row has, or a defender; one of both is None."""

    row: int
    kind: str
    of_row: int | None
    defender: UUID | None


def identifiers(row: Row) -> Iterator[Identifier]:
    """Give the identifiers of a sound row."""
    for person in row.people:
        nik, phones = person.values.get("nik"), person.values.get("phones")
        if isinstance(nik, str):
            yield Identifier(row.number, "nik", nik)
        if isinstance(phones, list):
            yield from (Identifier(row.number, "phones", phone) for phone in phones)


def within(found: Sequence[Identifier]) -> Iterator[Duplicate]:
    """Name the rows that have an identifier of an earlier one."""
    first: dict[tuple[str, str], int] = {}
    for one in found:
        row = first.setdefault((one.kind, one.normal), one.row)
        if row != one.row:
            yield Duplicate(one.row, one.kind, row, None)


async def existing(
    house: House, caller: Caller, found: Sequence[Identifier]
) -> tuple[list[Duplicate], bool]:
    """Name the defenders of these identifiers, at most EXISTING_MOST; tell whether there are more.

    Raises:
        OpeningsExhausted: fewer people may still be opened; nobody is named.
        As `disclose`.
    """
    await openings.check_search(house, caller, EXISTING_MOST)
    hits: list[Duplicate] = []
    for name, word in _TAGGED.items():
        wanted: dict[str, list[Identifier]] = {}
        for one in found:
            if one.kind == name:
                wanted.setdefault(one.normal, []).append(one)
        normals = list(wanted)
        for start in range(0, len(normals), AT_ONCE):
            some = normals[start : start + AT_ONCE]
            for normal, defender in await _search(house, caller, name, word, some):
                hits += [Duplicate(o.row, name, None, defender) for o in wanted.get(normal, ())]
    people = list(dict.fromkeys(hit.defender for hit in hits if hit.defender is not None))
    named = set(people[:EXISTING_MOST])
    await openings.spend(house, caller, named, [openings.stopped_search(house, caller)])
    return [hit for hit in hits if hit.defender in named], len(people) > len(named)


async def _search(
    house: House, caller: Caller, name: str, word: str, normals: Sequence[str]
) -> list[tuple[str, UUID]]:
    """Open the field *name* of whom a tag points at; give value and defender."""
    sealed = DEFENDER_FIELDS[name]
    tags = await house.keyring.tags_to_find_any(caller.organisation, word, normals)
    disclosed = await disclose(
        house,
        caller,
        Reading(
            Action.SEARCH,
            Shape(Which.TAGGED, frozenset(), frozenset({name})),
            {"field": word, "tags": tags},
            compartment=sealed.compartment,
        ),
    )
    opened: dict[tuple[str, UUID], None] = {}
    for defender in (d for view in disclosed.case_files for d in view.defenders):
        value: str | list[str] | None = getattr(defender, sealed.column)
        for one in [value] if isinstance(value, str) else value or ():
            opened[one, defender.id] = None
    return list(opened)
