"""Changes that began and never ended: a process died between its intent and its outcome.

What became of them only the records can tell. The log gets what can be said for sure:
an outcome, `unknown`, once, so that a change that is under way and one that was cut off
are not alike for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.accesslog.event import Event
from api.accesslog.reader import LogReader
from api.casework.house import House
from api.database import Connection
from api.store import locks
from api.vocabulary import Action, Outcome, Phase

#: An intent as old as this is not under way any more. A request ends within seconds and a
#: step of a rotation within minutes; an upload is sealed within its own time-out.
UNDER_WAY = timedelta(minutes=15)
#: Outcomes that are appended while the lock is held; what is left is done in the next turn.
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One intent without an outcome; names nobody.

    Attributes:
        index: of the intent in the log.
        agencies: whose officers see it.
    """

    index: int
    at: datetime
    action: Action
    agencies: tuple[str, ...]


async def listed(log: LogReader, now: datetime) -> list[Unfinished]:
    """List the intents that are not under way any more and have no outcome, oldest first."""
    return [
        Unfinished(index, event.at, event.action, _agencies(event))
        async for index, event in log.unfinished(now - UNDER_WAY)
    ]


async def finish(house: House) -> int:
    """Append, once, that it is unknown how the intents of this process's owners ended.

    Gives how many. Two processes that start at once wait for each other.

    Raises:
        LogUnavailable, StoreUnavailable: cut off; the next start goes on.
    """
    finished = 0
    # Looked for without the lock first: there is mostly nothing to do.
    while await _some(house):
        async with house.records.change() as change:
            finished += await _finish(house, change)
    return finished


async def _finish(house: House, change: Connection) -> int:
    await locks.alone(change, locks.FINISHING)
    # Read again: who held the lock before may have done it all.
    some = await _some(house)
    for index, event in some:
        ended = replace(
            event,
            at=house.now(),
            phase=Phase.OUTCOME,
            intent=index,
            outcome=Outcome.UNKNOWN,
        )
        await house.ledger.append(ended)
    return len(some)


async def _some(house: House) -> Sequence[tuple[int, Event]]:
    """Give the oldest of those of this process's owners."""
    found: list[tuple[int, Event]] = []
    async for index, event in house.log.unfinished(house.now() - UNDER_WAY):
        agencies = _agencies(event)
        if not agencies or house.keyring.owners.intersection(agencies):
            found.append((index, event))
            if len(found) == AT_ONCE:
                break
    return found


def _agencies(event: Event) -> tuple[str, ...]:
    """Give who must finish it: the organisation that acted, else those of the records."""
    return event.agencies if event.organisation is None else (event.organisation,)
