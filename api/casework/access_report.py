"""Who reached one defender, when, what and why: for the defender, or for an inquiry.

Of each event only the groups are shown that name the defender: a list that named a
hundred people tells nothing of the others. The totals are counted from the leaves.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.accesslog.finding import Filters
from api.casework.case_files import Cursors, check_page_size
from api.casework.house import House
from api.casework.looking import Look, check_officer, looked, may_see
from api.vocabulary import Decision, Ground, RecordKind, Role, SecurityOfficer

#: Events that are read at once; between two readings other requests get their turn.
CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """One event, as far as it is about the defender.

    Attributes:
        groups: those that name the defender.
        case_file: the case file that it names beside, where that is exactly one.
    """

    index: int
    event: Event
    groups: tuple[Touched, ...]
    case_file: UUID | None


@dataclass(slots=True)
class ByActor:
    """What one member did in one role: how many events, how many that disclosed a field."""

    actor: UUID | None
    organisation: str | None
    role: Role | None
    last_at: datetime
    first_at: datetime
    events: int = 0
    disclosing: int = 0


@dataclass(slots=True)
class Report:
    """The report of one defender: a page of its accesses, newest first, and totals of all.

    Attributes:
        case_files: of all accesses, the case files that were named beside.
        grounds: ground -> number of events with it.
    """

    cursors: Cursors
    has_previous: bool
    items: list[Access] = field(default_factory=list)
    has_next: bool = False
    events: int = 0
    case_files: set[UUID] = field(default_factory=set)
    actors: dict[tuple[UUID | None, str | None, Role | None], ByActor] = field(default_factory=dict)
    grounds: dict[Ground, int] = field(default_factory=dict)


async def report(
    house: House, caller: SecurityOfficer, defender: UUID, *, first: int, after: str | None
) -> Report:
    """Report the accesses to *defender* that an officer of the caller's agency may see.

    Those are what the own members did, and what anybody did to a case file that the own
    agency leads. Of a defender who is not there, or of others, it is empty.
    """
    check_page_size(first)
    cursors = Cursors(house, caller, "accessReport", defender.hex)
    before = None if after is None else int(cursors.open(after)[0])
    await check_officer(house, caller)
    made = Report(cursors, after is not None)
    last: int | None = None
    more = True
    while more:
        found = await house.log.find(
            Filters(record=defender), agency=caller.organisation, first=CHUNK, after_idx=last
        )
        for index, event in found:
            if may_see(house, caller, event):
                access = _access(index, event, defender)
                _count(made, access)
                if before is None or index < before:
                    _show(made, access, first)
            last = index
        more = len(found) == CHUNK
    look = Look("accessReport", asked=(defender,))
    await looked(house, caller, look, len(made.items))
    return made


def _access(index: int, event: Event, defender: UUID) -> Access:
    groups = tuple(
        touched
        for touched in event.touched
        if any(record == defender for _kind, record, _revision in touched.records)
    )
    files = {
        record
        for touched in event.touched
        for kind, record, _revision in touched.records
        if kind is RecordKind.CASE_FILE
    }
    return Access(index, event, groups, files.pop() if len(files) == 1 else None)


def _count(made: Report, access: Access) -> None:
    event = access.event
    made.events += 1
    who = (event.actor, event.organisation, event.role)
    # Newest first: what comes later happened before.
    by = made.actors.setdefault(who, ByActor(*who, last_at=event.at, first_at=event.at))
    by.first_at = event.at
    by.events += 1
    by.disclosing += any(g.decision is Decision.DISCLOSED and g.fields for g in access.groups)
    for ground in {g.ground for g in access.groups if g.ground is not None}:
        made.grounds[ground] = made.grounds.get(ground, 0) + 1
    if access.case_file is not None:
        made.case_files.add(access.case_file)


def _show(made: Report, access: Access, first: int) -> None:
    if len(made.items) < first:
        made.items.append(access)
    else:
        made.has_next = True
