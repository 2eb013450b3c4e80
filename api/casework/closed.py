"""Which case files are closed? Told by the status in clear and, where that was changed, by rows.

A closing takes rights away, so it stands unless it is proven to have ended: one whose seal
does not hold keeps the case file closed, and nobody reopens it before it was looked at.
"""

from collections.abc import Sequence
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.database import Connection
from api.store import closings
from api.store.case_files import CaseFileRow
from api.store.closings import Row
from api.vocabulary import CaseStatus


async def closed_files(
    house: House, connection: Connection, agency: str, rows: Sequence[CaseFileRow]
) -> set[UUID]:
    """Give those of *rows*, read with their status, that *agency* leads and that are closed.

    Of another agency's nothing is said: that its work has ended ends no referral.
    """
    own = {row.id: row for row in rows if row.lead_agency == agency}
    if not own:
        return set()
    found = {row.id for row in own.values() if row.values == (CaseStatus.CLOSED.value,)}
    for closing in await closings.of_case_files(connection, own):
        if not proven(house, agency, closing) or stands(closing):
            found.add(closing["case_file"])
    return found


def proven(house: House, agency: str, closing: Row) -> bool:
    """Tell whether *closing* is as *agency* sealed it; report it where not."""
    *values, seal = (closing[name] for name in closings.COLUMNS)
    return closing["agency"] == agency and rights.holds(house, agency, "closing", values, seal)


def stands(closing: Row) -> bool:
    """Tell whether it closed the case file, which nobody has reopened since."""
    return closing["closed_at"] is not None and closing["reopened_at"] is None


def waits(closing: Row) -> bool:
    """Tell whether nobody has answered it yet."""
    return closing["closed_at"] is None and closing["declined_at"] is None


async def offered_closed(connection: Connection, case_file_id: UUID) -> bool:
    """Tell, as an agency that does not lead it, whether a case file is closed.

    Nothing of it can be proven there. It can only refuse.
    """
    found = await closings.of_case_files(connection, [case_file_id])
    return any(map(stands, found)) or await closings.status_closed(connection, case_file_id)


async def closed_since(
    house: House, connection: Connection, agency: str, case_file_id: UUID
) -> int | None:
    """Give the event by which *agency* closed its case file; None: it is not closed.

    0, before everything, where it is closed and no seal says by which.
    """
    since = [
        closing["event"] if proven(house, agency, closing) else 0
        for closing in await closings.of_case_files(connection, [case_file_id])
        if stands(closing) or not proven(house, agency, closing)
    ]
    if not since and await closings.status_closed(connection, case_file_id):
        return 0
    return min(since, default=None)
