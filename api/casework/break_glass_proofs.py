"""What proves a break-glass grant, and a review of one, to the agency that reads it.

An agency knows its own rows by its seal. Another's it takes with a signature under the
key that it has pinned: one agency grants, another reviews, and neither has the other's keys.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.casework.trust import pinned
from api.crypto.rights import signed_message
from api.crypto.signatures import signature_holds
from api.database import Connection
from api.errors import PeerNotTrusted, ValueInvalid
from api.store import break_glass
from api.store.break_glass import Row
from api.store.tables import RIGHTS


def sealed(house: House, table: str, row: Row) -> Row:
    """Give a grant or a review with the seal and the signature of its agency."""
    values = [row[name] for name in RIGHTS[table]]
    signature = house.keyring.signing_key(row["agency"]).sign(signed_message(table, values))
    return {**rights.sealed_row(house, row["agency"], table, row), "signature": signature}


class Proofs:
    """What *owner* can prove of rows about break-glass; asks for each key once."""

    def __init__(self, house: House, connection: Connection, owner: str) -> None:
        """Take the keys that *owner*, one of the process's, pinned."""
        self._house = house
        self._connection = connection
        self._owner = owner
        self._keys: dict[str, bytes | None] = {}

    async def holds(self, table: str, row: Row) -> bool:
        """Tell whether the agency that the row names sealed it, or signed it, as it stands."""
        agency, values = row["agency"], [row[name] for name in RIGHTS[table]]
        if agency == self._owner:
            return rights.holds(self._house, agency, table, values, row["seal"])
        key = await self._key(agency)
        try:
            message = signed_message(table, values)
        except (OverflowError, TypeError, ValueInvalid):
            return False  # Of a kind that no sealed row has.
        return key is not None and signature_holds(key, row["signature"], message)

    async def unreviewed(self, grants: Sequence[Row]) -> list[Row]:
        """Give those of *grants* that no other agency closed, by reviews that hold."""
        reviews: dict[UUID, list[Row]] = {}
        for review in await break_glass.reviews_of(
            self._connection, [grant["id"] for grant in grants]
        ):
            reviews.setdefault(review["break_glass"], []).append(review)
        return [g for g in grants if not await self._closed(g, reviews.get(g["id"], ()))]

    async def _closed(self, grant: Row, reviews: Iterable[Row]) -> bool:
        for review in reviews:
            if review["agency"] == grant["agency"]:
                continue  # Nobody reviews what the own agency did.
            if await self.holds("break_glass_review", review):
                return True
        return False

    async def _key(self, agency: Any) -> bytes | None:
        if agency not in self._keys:
            self._keys[agency] = None
            try:
                peer = await pinned(self._house, self._connection, self._owner, agency)
                self._keys[agency] = peer.signing
            except PeerNotTrusted:
                pass
        return self._keys[agency]
