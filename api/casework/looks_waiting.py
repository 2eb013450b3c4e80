"""The looks at one case file's whereabouts that wait for a colleague, from rows that hold."""

from datetime import datetime
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.casework.views import LookView
from api.database import Connection
from api.store import looks
from api.store.tables import RIGHTS
from api.vocabulary import Caller


async def looks_waiting(
    house: House, snapshot: Connection, caller: Caller, case_file: UUID, now: datetime
) -> list[LookView]:
    """Give what colleagues of the caller asked for and nobody approved yet, oldest first.

    The caller must be one who may approve them.
    """
    owner = caller.organisation
    return [
        LookView(row["id"], row["requested_by"], row["requested_at"], row["expires_at"])
        for row in await looks.waiting(snapshot, case_file, owner, caller.member, now)
        if rights.holds(house, owner, "look", [row[name] for name in RIGHTS["look"]], row["seal"])
    ]
