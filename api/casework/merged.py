"""Which records of an agency were merged? Told by the rows that it sealed, and by no others.

A merge moves nothing: the duplicate stays where it is, under its own keys, for whom it opened
before. So it gives no right, and a row without a seal hides nobody.
"""

from collections.abc import Collection
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.database import Connection
from api.store import merges
from api.store.merges import Row


def proven(house: House, agency: str, merge: Row) -> bool:
    """Tell whether *merge* is as *agency* sealed it; report it where not."""
    *values, seal = (merge[name] for name in merges.COLUMNS)
    return merge["agency"] == agency and rights.holds(house, agency, "defender_merge", values, seal)


def waits(merge: Row) -> bool:
    """Tell whether nobody has approved it, or taken it back."""
    return merge["merged_at"] is None and not over(merge)


def over(merge: Row) -> bool:
    """Tell whether it was undone, or taken back before anybody approved it."""
    return merge["undone_at"] is not None


def stands(merge: Row) -> bool:
    """Tell whether it was approved, and not undone."""
    return merge["merged_at"] is not None and not over(merge)


async def standing(
    house: House, connection: Connection, agency: str, people: Collection[UUID]
) -> list[Row]:
    """Give the proven merges of *agency* that stand and have any of *people* on either side."""
    found = await merges.of_people(connection, agency, people)
    return [row for row in found if stands(row) and proven(house, agency, row)]


async def is_duplicate(
    house: House, connection: Connection, agency: str, defender_id: UUID
) -> bool:
    """Tell whether the defender was merged into another one."""
    found = await standing(house, connection, agency, [defender_id])
    return any(row["duplicate"] == defender_id for row in found)
