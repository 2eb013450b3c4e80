"""The mark of one fetch of a release: whose copy it is, for whoever holds the partner's key.

It is made of what the event of the fetch says, so nothing is stored: of every event that names
the release the mark can be made again. Key: the one under which the service seals the partner's
rights; the partner does not hold it, and the process that serves partners needs no other.
"""

from typing import Final
from uuid import UUID

from api.accesslog.event import Event
from api.casework.house import House
from api.paper.marks import spell

#: Stands where a table stands in a right, so that no mark is the seal of a row (FORMAT.md).
_PURPOSE: Final = "mark of a copy"


def mark_of(house: House, partner: str, release: UUID, fetch: Event) -> str:
    """Give the mark of what somebody of *partner* was given of *release*.

    Args:
        fetch: its event.

    Raises:
        KeysUnavailable: the partner's keys are not here.
    """
    key = house.keyring.rights(partner)
    return spell(key.seal(_PURPOSE, (release, partner, fetch.actor, fetch.at, fetch.request)))
