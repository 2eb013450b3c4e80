"""List case files, open one, read one defender: what a caseworker's screen asks first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from api.casework.disclosure import Reading, disclose
from api.casework.house import House
from api.casework.life_asked import LifeAsked
from api.casework.protections import Wanted as Wanted  # the schema names it
from api.casework.values import word
from api.casework.views import CaseFileView, DefenderView
from api.crypto.framing import frame
from api.errors import MalformedCursor, NotFound, PageSizeInvalid, PurposeMissing
from api.store.case_file_statements import Shape, Which
from api.store.case_files import reference_filter
from api.store.sealed_fields import NOTE_BODY
from api.vocabulary import Action, Caller, CaseFileOrder, CaseStatus, RecordKind, Urgency

#: The most that one page holds.
PAGE_MOST = 100

#: A cursor that is older than a working day starts again from the first page.
CURSOR_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list; None does not."""

    status: Sequence[CaseStatus] | None = None
    urgency: Sequence[Urgency] | None = None
    lead_agency: str | None = None
    province: str | None = None
    assigned_to_me: bool | None = None
    reference: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Give the filters that are present, as the store wants them.

        Raises:
            ValueInvalid: a text that nothing can match, such as one with a NUL.
        """
        found: dict[str, Any] = {}
        if self.status is not None:
            found["status"] = [s.value for s in self.status]
        if self.urgency is not None:
            found["urgency"] = list(self.urgency)
        if self.lead_agency is not None:
            found["lead_agency"] = word(self.lead_agency)
        if self.province is not None:
            found["province"] = word(self.province)
        if self.assigned_to_me:
            found["assigned_to_me"] = True
        if self.reference is not None:
            found["reference"] = reference_filter(word(self.reference))
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        end: sort key and id of the last row, which is no item if its seal does not hold.
        cursors: makes the cursor of any item, sealed to this caller and list.
    """

    items: list[CaseFileView]
    has_next: bool
    end: tuple[object, UUID] | None
    cursors: "Cursors"


class Cursors:
    """Seals positions in one list for one caller; nobody else's fit."""

    def __init__(self, house: House, caller: Caller, *of: str) -> None:
        """*of* says which list: its name, filters and order."""
        self._key = house.keyring.cursor_key(caller.organisation)
        self._context = frame(caller.member.bytes, *(part.encode() for part in of))
        self._now = house.now()

    def seal(self, key: object, row_id: UUID) -> str:
        """Seal the position just after the row with this sort key and id."""
        value = key.isoformat() if isinstance(key, date) else key
        until = int((self._now + CURSOR_LIFETIME).timestamp())
        return self._key.seal(self._context, json.dumps([value, row_id.hex, until]).encode())

    def open(self, cursor: str) -> tuple[Any, UUID]:
        """Give the sort key (as JSON holds it) and the id.

        Raises:
            MalformedCursor: made for another caller or list, changed, or too old.
        """
        value, row_id, until = json.loads(self._key.open(self._context, cursor))
        if until < self._now.timestamp():
            raise MalformedCursor
        return value, UUID(row_id)


def check_page_size(first: int) -> None:
    """Refuse a page that is empty or over PAGE_MOST."""
    if not 1 <= first <= PAGE_MOST:
        raise PageSizeInvalid


async def page(
    house: House,
    caller: Caller,
    *,
    first: int,
    after: str | None,
    filters: Filters,
    order: CaseFileOrder,
    case_file: frozenset[str],
    defender: frozenset[str] | None,
) -> Page:
    """Disclose one page of the case files in the caller's scope.

    Args:
        case_file, defender: names of the fields that are asked for; `defender` None:
            the defenders are not asked for.
    """
    check_page_size(first)
    if caller.purpose is None:
        raise PurposeMissing
    given = filters.parameters()
    cursors = Cursors(house, caller, "caseFiles", repr(sorted(given.items())), order.value)
    parameters: dict[str, Any] = {n: v for n, v in given.items() if n != "assigned_to_me"}
    if after is not None:
        key, parameters["after_id"] = cursors.open(after)
        parameters["after_key"] = _sort_key(order, key)
    shape = Shape(
        Which.PAGE,
        case_file,
        defender,
        frozenset(given),
        order,
        after=after is not None,
        limit=first + 1,
    )
    found = await disclose(house, caller, Reading(Action.LIST, shape, parameters))
    return Page(found.case_files, found.more, found.end, cursors)


def _sort_key(order: CaseFileOrder, value: Any) -> Any:
    match order:
        case CaseFileOrder.NEWEST | CaseFileOrder.OLDEST:
            return date.fromisoformat(value)
        case CaseFileOrder.MOST_URGENT:
            if value is None:  # The urgency of the row there was no urgency.
                raise MalformedCursor
            return Urgency(value)
        case CaseFileOrder.REFERENCE:
            return value


async def one(
    house: House,
    caller: Caller,
    case_file_id: UUID,
    *,
    case_file: frozenset[str],
    defender: frozenset[str] | None,
    notes: frozenset[str] | None,
    attachments: frozenset[str] | None,
    reasons: frozenset[str] | None = None,
    triage: frozenset[str] | None = None,
    delegations: bool = False,
    looks: bool = False,
    consents: bool = False,
    life: LifeAsked | None = None,
    protections: Wanted | None = None,
) -> CaseFileView:
    """Disclose one case file.

    Args:
        notes, attachments, reasons, triage: names of the fields asked of these; None: not
            asked for.
        delegations: they are asked for.
        looks: whether the looks that wait for the caller are asked for.
        consents: whether what its defenders agreed to is.
        life: what is asked of the life of it; None: nothing.
        protections: what is asked of what protects the people in it.

    Raises:
        NotFound: it is not there, or not in the caller's reach; the event says only that.
    """
    found = await disclose(
        house,
        caller,
        Reading(
            Action.READ,
            Shape(Which.ONE, case_file, defender),
            {"id": case_file_id},
            target=(RecordKind.CASE_FILE, case_file_id),
            notes=notes is not None,
            note_bodies=notes is not None and NOTE_BODY.name in notes,
            attachments=attachments,
            reasons=reasons,
            triage=triage,
            delegations=delegations,
            looks=looks,
            consents=consents,
            life=life,
            protections=protections,
        ),
    )
    if not found.case_files:
        raise NotFound
    return found.case_files[0]


async def defender(
    house: House, caller: Caller, defender_id: UUID, *, asked: frozenset[str]
) -> DefenderView:
    """Disclose one defender, through the case file that shows most of them.

    Raises:
        NotFound: as `one`.
    """
    disclosed = await disclose(
        house,
        caller,
        Reading(
            Action.READ,
            Shape(Which.OF_DEFENDER, frozenset(), asked),
            {"id": defender_id},
            target=(RecordKind.DEFENDER, defender_id),
        ),
    )
    found = [d for view in disclosed.case_files for d in view.defenders]
    if not found:
        raise NotFound
    return min(found, key=lambda d: len(d.withheld))
