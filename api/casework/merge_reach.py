"""Which merges of an agency are within a caller's reach, and what they fold together."""

from collections.abc import Collection
from uuid import UUID

from api.casework import merged, merges_seen, rights
from api.casework.house import House
from api.casework.match_reach import reached
from api.casework.merges_seen import Place
from api.store.merges import Row
from api.vocabulary import Caller, Compartment


async def merges_among(
    house: House, caller: Caller, people: Collection[UUID]
) -> tuple[list[Row], set[Place]]:
    """Give the merges of any of *people* that the caller may know of, and where those stand.

    The places are case files in which the caller may open the identity.
    """
    async with house.records.snapshot() as snapshot:
        rows = await merged.standing(house, snapshot, caller.organisation, people)
        if not rows:
            return [], set()
        who = await rights.caseworker(house, snapshot, caller)
        both = {row[side] for row in rows for side in ("kept", "duplicate")}
        places = await reached(
            house,
            snapshot,
            caller,
            who,
            both,
            lambda facts: house.gate.open(who, Compartment.IDENTITY, facts),
        )
    return merges_seen.with_both(rows, {person for _, person in places}), places
