"""Does a tie keep somebody out? What cannot be proven to be withdrawn is not withdrawn.

A right closes when its seal does not hold; a tie closes others, so it stays. Of one that
was changed nobody can tell any more what it was about: it keeps its subject out of
everything until the agency's lead has looked at it.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.casework.institutions import normalise
from api.database import Connection
from api.errors import KeysUnavailable
from api.store import locks, ties
from api.store.case_files import CaseFileRow
from api.store.tables import RIGHTS

#: Hexadecimal digits of a tag: 16 bytes.
_TAG = 32


def tag_of(house: House, agency: str, institution: str) -> str:
    """Give the keyed tag of the name of an institution: equal for all its spellings.

    It is made with the key that seals rights, under a word of its own, and not with an
    index key: a tie keeps no name, so no rotation could make its tag anew, and a tag that
    matches nothing would let people in.

    Raises:
        KeysUnavailable: *agency* is not served.
        ValueInvalid: see `normalise`.
    """
    return house.keyring.rights(agency).seal("institution", [normalise(institution)]).hex()[:_TAG]


def read(cells: Sequence[Any]) -> dict[str, Any]:
    """Give the columns of a tie as read: all that its seal covers, then the seal."""
    return dict(zip(RIGHTS["tie"], cells, strict=False))


def proven(house: House, cells: Sequence[Any]) -> bool:
    """Tell whether the tie is as its agency sealed it; report it where not."""
    try:
        return rights.holds(house, read(cells)["agency"], "tie", cells[:-1], cells[-1])
    except KeysUnavailable:
        return False  # Of an agency whose seals this process cannot check.


def excludes(house: House, cells: Sequence[Any], row: CaseFileRow) -> bool:
    """Tell whether the tie keeps its subject out of the case file *row*."""
    return _excludes(house, cells, row.id, row.adversaries)


def _excludes(house: House, cells: Sequence[Any], file: UUID, tags: frozenset[str]) -> bool:
    if not proven(house, cells):
        return True
    tie = read(cells)
    return tie["withdrawn_at"] is None and (tie["case_file"] == file or tie["tag"] in tags)


async def member_tied(
    house: House, connection: Connection, agency: str, member: UUID, file: UUID
) -> bool:
    """Tell whether *member*, of *agency*, is kept out of the case file *file*."""
    return bool(await tied_files(house, connection, agency, member, [file]))


async def tied_files(
    house: House, connection: Connection, agency: str, member: UUID, files: Collection[UUID]
) -> set[UUID]:
    """Give those of *files* out of which *member*, of *agency*, is kept."""
    found = await ties.of_members(connection, [member])
    if not found:
        return set()
    tags = await ties.reported(connection, agency, found)
    return {
        file
        for file in files
        if any(_excludes(house, cells, file, tags.get(file, frozenset())) for cells in found)
    }


async def settle_releases(house: House, change: Connection, agency: str, partner: str) -> None:
    """Close what *agency* released to *partner* where a tie stands, and open what none closes.

    The partner's side holds no key of the agency and reads no origin, so it cannot judge.
    """
    # Before the ties are read: of two who declare or withdraw at once the later one reads both.
    await locks.alone(change, locks.RELEASES)
    found = await ties.of_partner(change, partner, agency)
    broken = [cells for cells in found if not proven(house, cells)]
    standing = [tie for tie in map(read, found) if tie["withdrawn_at"] is None]
    await ties.settle_releases(
        change,
        agency,
        partner,
        house.now(),
        everything=bool(broken),
        case_files={tie["case_file"] for tie in standing if tie["case_file"] is not None},
        tags={tie["tag"] for tie in standing if tie["tag"] is not None},
    )
