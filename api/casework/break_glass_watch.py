"""Who broke glass and was not reviewed in time is told to the operators until it is done."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from api.casework.break_glass_proofs import Proofs
from api.casework.house import House
from api.store import break_glass as rows

_log = structlog.get_logger("perisai.break_glass")

#: Seconds between two looks; a review has days.
LOOK_EVERY = 3600.0


async def tell(house: House) -> int:
    """Report how many uses of this process's agencies, or of their records, are overdue.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    now, told = house.now(), 0
    async with house.records.snapshot() as snapshot:
        overdue = [
            row
            for row in await rows.uses(snapshot)
            if row["review_by"] is None or row["review_by"] <= now
        ]
        for owner in sorted(house.keyring.owners):
            mine = [row for row in overdue if owner in (row["agency"], row["lead_agency"])]
            late = await Proofs(house, snapshot, owner).unreviewed(mine)
            if late:
                _log.warning("break_glass_unreviewed", agency=owner, uses=len(late))
            told += len(late)
    return told


async def tell_forever(
    house: House, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Report at once and then again and again, until cancelled."""
    while True:
        try:
            await tell(house)
        except Exception as error:  # By its kind only: its text may hold what was read.
            _log.error("break_glass_not_looked_at", error=type(error).__name__)
        await pause(LOOK_EVERY)
