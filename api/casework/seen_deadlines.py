"""What of deadlines, and of alerts about them, is for one caller: decided row by row.

A deadline is shown where its case file is. What says something of a colleague's work (whose
assignment ends, who broke glass) is for who may do something about it, and for that colleague.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from api.accesslog.event import Event
from api.casework.asked import asked_of
from api.casework.deciding import Deciding
from api.casework.disclosure import Reading, read_rows
from api.casework.facts import facts_of
from api.casework.house import House
from api.database import Connection
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed
from api.store.case_file_statements import Shape, Which
from api.store.deadlines import BY_CLOCK, SOURCES
from api.vocabulary import Action, Caller, Sensitivity

#: The case files by their ids, and no column of them.
_SHAPE = Shape(Which.ALL, frozenset(), None, frozenset({"among"}))
_ASKED = asked_of(_SHAPE, False, None)


class OfCaseFile(Protocol):
    """A deadline or an alert, as far as is decided on it."""

    @property
    def case_file(self) -> UUID:
        """Whose it is."""

    @property
    def clock(self) -> str:
        """Its code."""

    @property
    def member(self) -> UUID | None:
        """Who is told whatever the role."""


_T = TypeVar("_T", bound=OfCaseFile)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Of which clocks a caller may be shown anything.

    Attributes:
        all: every one of these.
        mine: those among them of which only what is the caller's own.
    """

    all: tuple[str, ...]
    mine: frozenset[str]


def clocks_for(house: House, who: CaseworkerFacts) -> Clocks:
    """Say which clocks may be for *who*; each row is decided again.

    It keeps pages full: what could be shown for no case file at all is not read.
    """
    facts = CaseFileFacts(who.agency, int(Sensitivity.LOW), True, True)
    mine = frozenset(
        source.clock
        for source in SOURCES
        if source.shown_to is not None and not _may(house, who, source.shown_to, facts)
    )
    shown = tuple(s.clock for s in SOURCES if s.clock not in mine or s.member is not None)
    return Clocks(shown, mine)


async def seen(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    rows: Sequence[_T],
    now: datetime,
) -> tuple[list[_T], list[Event]]:
    """Give those of *rows* that the caller sees, and the events that name their case files."""
    deciding = Deciding(house, caller, who, Action.LIST, _ASKED)
    of: dict[UUID, list[_T]] = {}
    for one in rows:
        of.setdefault(one.case_file, []).append(one)
    mine: set[_T] = set()
    if of:
        reading = Reading(Action.LIST, _SHAPE, {"ids": sorted(of)})
        for row in await read_rows(house, snapshot, caller, who, reading, now):
            facts = facts_of(house, caller, row)
            fitting = [one for one in of[row.id] if _fits(house, caller, who, one, facts)]
            # One whose seal is broken is fed, too: the event says so.
            if fitting or facts is None:
                deciding.feed(row)
                mine.update(fitting)
    files = {row.id for row, _, _ in deciding.seen}
    shown = [one for one in rows if one in mine and one.case_file in files]
    return shown, deciding.events(None)


def _fits(
    house: House,
    caller: Caller,
    who: CaseworkerFacts,
    one: OfCaseFile,
    facts: CaseFileFacts | None,
) -> bool:
    """Tell whether it is for the caller, if its case file is."""
    source = BY_CLOCK.get(one.clock)
    if facts is None or source is None:
        return False  # An alert of a clock that this version does not know is for nobody.
    if source.shown_to is None or one.member == caller.member:
        return True
    return _may(house, who, source.shown_to, facts)


def _may(house: House, who: CaseworkerFacts, action: Action, facts: CaseFileFacts) -> bool:
    return isinstance(house.gate.change(who, action, facts), Allowed)
