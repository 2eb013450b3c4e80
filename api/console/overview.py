"""One page for security officers: who did what, what awaits a review, and the log itself.

Each part of it is a look that casework decides on and logs, as at the face; no identity is in any.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.casework import break_glass_reviews, oversight
from api.casework.break_glass_reviews import Use
from api.casework.house import House
from api.casework.oversight import Event, Filters
from api.casework.receipts import Receipt
from api.errors import LogUnavailable
from api.vocabulary import SecurityOfficer

#: Events on the page; for more, and for others, there is the face.
EVENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows.

    Attributes:
        events: the newest, each with its index in the log.
        uses: of break-glass, which await a review.
        covered: how many events the newest signed checkpoint covers; None: there is none yet.
        holds: events can be taken and are signed for.
    """

    at: datetime
    events: list[tuple[int, Event]]
    uses: list[Use]
    covered: int | None
    holds: bool


async def overview(house: House, officer: SecurityOfficer) -> Overview:
    """Look at all of it as *officer*.

    Raises:
        LogUnavailable: a look is not in the log, so nothing is shown.
    """
    # With the gate of this one request: the policy in force when it is first asked.
    house = Receipt(house, officer).house
    page = await oversight.events(house, officer, first=EVENTS, after=None, filters=Filters())
    uses = await break_glass_reviews.uses(house, officer)
    note = await oversight.checkpoint(house, officer)
    try:
        await house.ledger.health()
        holds = True
    except LogUnavailable:
        holds = False
    # A checkpoint says the log's name, and then its size (C2SP tlog-checkpoint).
    covered = None if note is None else int(note.split("\n", 2)[1])
    return Overview(house.now(), page.items, uses, covered, holds)
