"""What a caller is told of alerts: those of the case files they see, each time decided anew.

Of what another agency asks in an emergency, who may answer is told.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.casework import match_alerts, rights
from api.casework.asked import asked_of
from api.casework.case_files import check_page_size
from api.casework.deciding import Deciding
from api.casework.house import House
from api.casework.recording import append_all
from api.casework.seen_deadlines import seen
from api.errors import NotFound
from api.store import alerts
from api.store.alerts import Alert
from api.store.case_file_statements import SCOPE, Shape, Which
from api.vocabulary import Action, AlertKind, Caller, RecordKind

_ASKED = asked_of(Shape(Which.ONE, frozenset(), frozenset()), False, None)


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert for a person to read.

    Attributes:
        case_file: that the caller sees; of a match, one of the person who was asked for.
        match_id: which one, of an alert about that.
    """

    id: UUID
    kind: AlertKind
    clock: str
    label_id: str
    label_en: str
    case_file: UUID
    due_at: datetime
    made_at: datetime
    match_id: UUID | None


@dataclass(frozen=True, slots=True)
class Told:
    """What there was to tell.

    Attributes:
        number: up to which alerts were looked at, seen or not.
        more: there may be others behind it.
    """

    alerts: list[AlertView]
    number: int
    more: bool


async def start(house: House, caller: Caller, after: UUID | None, first: int) -> Told:
    """Begin to tell: what was made after the alert *after*, or from now on.

    Raises:
        PageSizeInvalid: nothing was read.
        NotFound: no such alert, or none of a case file that the caller sees; one event.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        LogUnavailable, StoreUnavailable, PolicyFailed: nothing is told.
    """
    check_page_size(first)
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        if after is None:
            newest = await alerts.newest_of(snapshot, [caller.organisation])
            number: int | None = newest.get(caller.organisation, 0)
        else:
            given = {"agency": caller.organisation, "me": caller.member, "now": house.now()}
            scope = house.gate.scope(who, "see", SCOPE)
            number = await alerts.number_of(
                snapshot, after, scope, given, matches=match_alerts.may_answer(house, who)
            )
    if number is None:
        target = (RecordKind.ALERT, after) if after is not None else None
        none = Deciding(house, caller, who, Action.LIST, _ASKED)
        await append_all(house, none.events(target))
        raise NotFound
    return await _told(house, caller, number, first, starts=True)


async def since(house: House, caller: Caller, number: int, first: int) -> Told:
    """Tell what is new behind *number*; no event where that is nothing for the caller.

    Raises:
        As `start`, but for the first two.
    """
    return await _told(house, caller, number, first, starts=False)


async def _told(house: House, caller: Caller, number: int, first: int, *, starts: bool) -> Told:
    now = house.now()
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        found = await alerts.since(snapshot, caller.organisation, number, first)
        dated = [one for one in found if one.kind != AlertKind.MATCH.value]
        asked = [one for one in found if one.kind == AlertKind.MATCH.value]
        shown, events = await seen(house, snapshot, caller, who, dated, now)
        matches, about = await match_alerts.seen(house, snapshot, caller, who, asked, now)
    told = [*about, *(events if shown or starts else ())]
    if told:
        await append_all(house, told)
    views = [
        *((one.number, _view(house, one, one.case_file, None)) for one in shown),
        *((one.number, _view(house, one, file, one.record)) for one, file in matches.values()),
    ]
    last = found[-1].number if found else number
    return Told([view for _, view in sorted(views, key=_number)], last, more=len(found) == first)


def _number(numbered: tuple[int, AlertView]) -> int:
    return numbered[0]


def _view(house: House, one: Alert, case_file: UUID, match_id: UUID | None) -> AlertView:
    labels = house.codes.clocks[one.clock].labels
    return AlertView(
        one.id,
        AlertKind(one.kind),
        one.clock,
        labels.id,
        labels.en,
        case_file,
        one.due_at,
        one.made_at,
        match_id,
    )
