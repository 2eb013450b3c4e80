"""List the deadlines of the case files that a caller sees, first those that are due first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from api.casework import elsewhere, rights
from api.casework.case_files import PAGE_MOST, Cursors, check_page_size
from api.casework.disclosure import Reading, read_rows
from api.casework.house import House
from api.casework.recording import append_all
from api.casework.seen_deadlines import clocks_for, seen
from api.database import Connection
from api.policies.facts import CaseworkerFacts
from api.store import deadlines
from api.store.case_file_statements import SCOPE, Shape, Which
from api.store.deadlines import Asked, Deadline, Position
from api.vocabulary import Action, Caller, RecordKind

#: The case file whose deadlines are asked for, of which nothing is.
_ONE = Shape(Which.ONE, frozenset(), None)


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows the list; None does not."""

    overdue: bool | None = None
    clock: str | None = None
    case_file: UUID | None = None


@dataclass(frozen=True, slots=True)
class DeadlineView:
    """One deadline for a person to read."""

    clock: str
    label_id: str
    label_en: str
    legal_source: str
    case_file: UUID
    due_at: datetime
    overdue: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list.

    Attributes:
        end: the place of the last deadline that was decided on, shown or not.
        cursors: see `case_files.Cursors`.
    """

    items: list[DeadlineView]
    has_next: bool
    end: Position | None
    cursors: Cursors

    def cursor(self, position: Position) -> str:
        """Seal the place just behind *position*."""
        return self.cursors.seal([position.due_at.isoformat(), position.clock], position.record)


async def page(
    house: House, caller: Caller, *, first: int, after: str | None, filters: Filters
) -> Page:
    """Disclose one page of the deadlines of the caller's agency in the caller's scope.

    Raises:
        PageSizeInvalid, MalformedCursor: nothing was read.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        LogUnavailable, StoreUnavailable, PolicyFailed: nothing is shown.
    """
    check_page_size(first)
    now = house.now()
    of_one = filters.case_file is not None
    cursors = Cursors(house, caller, "deadlines", repr(filters))
    place = deadlines.START if after is None else _opened(cursors, after)
    if filters.overdue is False:
        place = max(place, deadlines.after_all_at(now))
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        clocks = clocks_for(house, who)
        asked = Asked(
            tuple(c for c in clocks.all if filters.clock in (None, c)),
            clocks.mine,
            house.gate.scope(who, "see", SCOPE),
            of_case_file=of_one,
            # Of one case file all are read: where its page ends must not tell of what is hidden.
            limit=PAGE_MOST + 1 if of_one else first + 1,
        )
        given: dict[str, Any] = {
            "agency": caller.organisation,
            "me": caller.member,
            "now": now,
        }
        if filters.case_file is not None:
            given["case_file"] = filters.case_file
        until = dict.fromkeys(asked.clocks, now) if filters.overdue else {}
        rows = []
        if filters.case_file is None or await _seen(
            house, snapshot, caller, who, filters.case_file, now
        ):
            rows = await deadlines.read(snapshot, house.codes, asked, place, until, given)
        more = len(rows) > first
        rows = rows if of_one else rows[:first]
        shown, events = await seen(house, snapshot, caller, who, rows, now)
    await append_all(house, events)
    if of_one:
        more, shown = len(shown) > first, shown[:first]
        rows = shown
    return Page(
        [_view(house, one, now) for one in shown],
        more,
        rows[-1].position if rows else None,
        cursors,
    )


async def _seen(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    case_file: UUID,
    now: datetime,
) -> bool:
    """Tell whether *case_file* is in the caller's scope; else no deadline is looked for.

    What another agency has to do about its own takes the database longer to pass over than
    what is not there.
    """
    reading = Reading(Action.LIST, _ONE, {"id": case_file})
    if await read_rows(house, snapshot, caller, who, reading, now):
        return True
    # As where one is read by its id: for what it takes, and for nobody to be told.
    await elsewhere.led_by(house, snapshot, caller, who, (RecordKind.CASE_FILE, case_file), now)
    return False


def _view(house: House, one: Deadline, now: datetime) -> DeadlineView:
    clock = house.codes.clocks[one.clock]
    return DeadlineView(
        one.clock,
        clock.labels.id,
        clock.labels.en,
        clock.legal_source,
        one.case_file,
        one.due_at,
        one.due_at <= now,
        one.position,
    )


def _opened(cursors: Cursors, after: str) -> Position:
    (due_at, clock), record = cursors.open(after)
    return Position(datetime.fromisoformat(due_at), clock, record)
