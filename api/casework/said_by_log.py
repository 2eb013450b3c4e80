"""What the access log says was done to a record, whatever the rows say.

Rows that are put back to what they were before have seals that hold; the log cannot be put
back. It is asked before a right is relied upon, which is seldom.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from api.accesslog.finding import Filters
from api.casework.house import House
from api.vocabulary import Action, Outcome

#: Events that are read at once.
_READ: Final = 100

#: How a change ended that stands, or may.
_STANDS: Final = (Outcome.DONE, Outcome.UNKNOWN)


async def was_done(house: House, record: UUID, actions: Iterable[Action], agency: str) -> bool:
    """Tell whether the log says that one of *actions* was done to *record*.

    Every event of them is read: whoever tries in vain leaves some, and must hide none by it.

    Args:
        agency: whose officers may see the events.
    """
    for action in actions:
        asked, last, more = Filters(record=record, action=action), None, True
        while more:
            events = await house.log.find(asked, agency=agency, first=_READ, after_idx=last)
            if any(event.outcome in _STANDS for _, event in events):
                return True
            more = len(events) == _READ
            last = events[-1][0] if events else None
    return False
