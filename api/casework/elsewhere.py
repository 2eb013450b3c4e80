"""Who leads what the caller does not find: the event names it for that agency's officers."""

from datetime import datetime
from uuid import UUID

from api.casework.house import House
from api.database import Connection
from api.policies.facts import CaseworkerFacts
from api.store import case_files
from api.store.case_file_statements import EVERYWHERE, SCOPE
from api.store.case_files import LedBy
from api.vocabulary import Caller, RecordKind


async def led_by(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    target: tuple[RecordKind, UUID],
    now: datetime,
    *,
    looked: bool = True,
) -> LedBy:
    """Name who leads the case files that have *target*, which is not in the caller's scope.

    It is asked of what is there and of what is not, and takes as long of either.

    Args:
        looked: it was looked for in that scope; False: nobody did.
    """
    return await case_files.led_by(
        snapshot,
        *target,
        house.gate.scope(who, "see", SCOPE) if looked else EVERYWHERE,
        {"me": caller.member, "agency": caller.organisation, "now": now},
    )
