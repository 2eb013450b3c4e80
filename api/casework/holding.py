"""Does a legal hold stand on a record? What cannot be proven to be over is not over.

An erasure cannot be taken back, so this closes the other way round than a right: a
hold whose seal does not hold stands, and is reported.
"""

from datetime import datetime
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.database import Connection
from api.errors import KeysUnavailable, LegalHoldStands
from api.store import erasures
from api.store.erasures import Row
from api.vocabulary import RecordKind


def stands(house: House, row: Row, now: datetime) -> bool:
    """Tell whether the hold of *row* forbids an erasure now."""
    hold = row.values
    try:
        if not rights.holds(house, hold["agency"], "legal_hold", row.seal_values, row.seal):
            return True
    except KeysUnavailable:
        return True  # Of an agency whose seals this process cannot check.
    return hold["lifted_at"] is None and (hold["until"] is None or now < hold["until"])


async def standing(
    house: House, connection: Connection, kind: RecordKind, record: UUID, now: datetime
) -> int:
    """Count the holds that stand on *record*, or on what belongs with it."""
    rows = await erasures.holds_on(connection, kind, record)
    return sum(stands(house, row, now) for row in rows)


async def check_free(
    house: House, change: Connection, kind: RecordKind, record: UUID, now: datetime
) -> None:
    """Pass where no hold stands; the lock of erasures and holds must be held.

    Raises:
        LegalHoldStands: one does.
    """
    if await standing(house, change, kind, record, now):
        raise LegalHoldStands
