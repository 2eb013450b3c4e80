"""A DPoP proof counts once, whichever process of the service it reaches (RFC 9449, 11.1).

What was used is kept in the records' database. In the memory of a process it would have
been good once more at each other one and after each restart, and memory that is bounded
must forget, or refuse everybody, when it is full.
"""

from datetime import datetime, timedelta

from api.casework.house import House
from api.errors import DpopProofInvalid
from api.store import used_proofs

#: Used proofs are kept for this long. A proof ends two minutes after its first use, at the
#: latest, and the clocks of two processes may be two minutes apart.
KEPT = timedelta(minutes=5)


class UsedProofs:
    """Takes proofs, each once, and forgets those that are over. One a process."""

    def __init__(self, house: House) -> None:
        """Begin; what others left in the database is taken away with what this one leaves."""
        self._house = house
        self._forgotten: datetime | None = None

    async def use(self, digest: bytes) -> None:
        """Use the proof of this *digest* up; it is committed before this returns.

        Raises:
            DpopProofInvalid: it was used before.
            StoreUnavailable: it is not known whether it was.
        """
        now = self._house.now()
        last = self._forgotten = self._forgotten or now
        async with self._house.records.change() as change:
            if now - last >= KEPT:
                await used_proofs.forget_until(change, now - KEPT)
                self._forgotten = now
            first = await used_proofs.use(change, digest, now)
        if not first:
            raise DpopProofInvalid
