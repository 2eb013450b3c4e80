"""Releases: redacted views, each made for one partner and sealed under that partner's key.

What a partner reads is not a filter over the record: it is a record of its own
in which no identity was ever written.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework import rights
from api.casework.case_files import Cursors, check_page_size
from api.casework.disclosure import open_one, stored_keys
from api.casework.house import House
from api.casework.key_opening import open_keys
from api.casework.recording import append_all, event_of
from api.casework.release_marks import mark_of
from api.errors import NotForThisFace, NotFound, PurposeMissing, SealBroken
from api.policies.facts import PartnerFacts, ReleaseFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import releases
from api.store.releases import ReleaseRow
from api.store.sealed_fields import RELEASE_BODY
from api.vocabulary import Action, Caller, Compartment, Decision, Partner, Reason, RecordKind

_log = structlog.get_logger("perisai.releases")


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """What a release says, each fact generalised before it was sealed."""

    province: str
    month: str
    categories: Sequence[str]
    incident_kinds: Sequence[str]
    adversary_kinds: Sequence[str]
    needs: Sequence[str]
    summary: str = field(repr=False)

    def dump(self) -> str:
        """Print it as it is sealed."""
        return json.dumps(
            {name: getattr(self, name) for name in self.__slots__},
            ensure_ascii=False,
            separators=(",", ":"),
            default=list,
        )

    @classmethod
    def load(cls, text: str) -> "ReleaseContent":
        """Read what `dump` printed."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """One release as its partner sees it.

    Attributes:
        content: None: it was not asked for, or could not be opened.
        mark: of this copy; None where there is no content.
        fetched_at: the moment in the event.
    """

    id: UUID
    agency: str
    profile: str
    purpose: str
    until: datetime
    content: ReleaseContent | None
    mark: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """One page of releases, first to end first; `end`: of its last row, shown or not."""

    items: list[ReleaseView]
    has_next: bool
    end: tuple[datetime, UUID] | None
    cursors: Cursors


async def page(
    house: House, caller: Partner, *, first: int, after: str | None, content: bool
) -> ReleasePage:
    """Disclose a page of the releases that were made for the caller's organisation.

    Args:
        content: open what they say.
    """
    check_page_size(first)
    if caller.purpose is None:
        raise PurposeMissing
    cursors = Cursors(house, caller, "releases")
    parameters: dict[str, Any] = {"first": first + 1}
    if after is not None:
        key, parameters["after_id"] = cursors.open(after)
        parameters["after_key"] = datetime.fromisoformat(key)
    read, views = await _disclose(house, caller, _Reading(parameters, None, content), first)
    shown = read[:first]
    end = (shown[-1].until, shown[-1].id) if shown else None
    return ReleasePage(views, len(read) > first, end, cursors)


async def one(house: House, caller: Partner, release_id: UUID, *, content: bool) -> ReleaseView:
    """Disclose one release; *content*: open what it says.

    Raises:
        NotFound: not there, over, revoked, or made for somebody else.
    """
    reading = _Reading({"id": release_id}, release_id, content)
    _, views = await _disclose(house, caller, reading, 1)
    if not views:
        raise NotFound
    return views[0]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is to be read; `target` is the one release that is asked for, if one is."""

    parameters: Mapping[str, Any]
    target: UUID | None
    content: bool


async def _disclose(
    house: House, caller: Partner, reading: _Reading, most: int
) -> tuple[list[ReleaseRow], list[ReleaseView]]:
    """Read, decide, append, open, return: as `disclosure.disclose`, for the other face.

    Gives all rows that were read, and the views of those that may be seen among the
    first *most*: what is read to know whether there is more is neither decided nor named.
    """
    if caller.purpose is None:
        raise PurposeMissing
    now = house.now()
    who = PartnerFacts(str(caller.purpose.value))
    given = {
        **reading.parameters,
        "partner": caller.organisation,
        "now": now,
        "purpose": who.purpose,
    }
    async with house.records.snapshot() as snapshot:
        member = await rights.member_of(house, snapshot, caller)
        if member.role != caller.role:
            raise NotForThisFace
        scope = house.gate.scope(who, "see", releases.SCOPE)
        if reading.target is None:
            read = await releases.page(snapshot, scope, given)
        else:
            found = await releases.one(snapshot, scope, given)
            read = [] if found is None else [found]
        made_by = {row.agency for row in read[:most]}
        if reading.target is not None and not read:
            made_by.update(await releases.made_by(snapshot, reading.target))
        rows = read[:most]
        verdicts = {row.id: _decide(house, caller, who, row, now) for row in rows}
        allowed = [row for row in rows if isinstance(verdicts[row.id], Allowed)]
        permitted = {(row.id, Compartment.RELEASE) for row in allowed if reading.content}
        stored = await stored_keys(snapshot, caller.organisation, permitted)
    permit = house.gate.permit({(row.id, Compartment.RELEASE): verdicts[row.id] for row in rows})
    event = _event(house, caller, rows, verdicts, reading, made_by)
    await append_all(house, [event])
    house.explained.add(caller.organisation, len(stored))
    permit.check(*permitted)
    keys = await open_keys(house, caller.organisation, stored)
    permit.check()  # The key service may have been slow.
    views = []
    for row in allowed:
        content = mark = None
        if reading.content:
            with suppress(SealBroken):  # `open_one` reports it.
                text = open_one(keys, RELEASE_BODY, row.id, row.id, row.body)
                content = ReleaseContent.load(text)
                mark = mark_of(house, caller.organisation, row.id, event)
        views.append(
            ReleaseView(
                row.id, row.agency, row.profile, row.purpose, row.until, content, mark, event.at
            )
        )
    return read, views


def _decide(
    house: House, caller: Partner, who: PartnerFacts, row: ReleaseRow, now: datetime
) -> Verdict:
    addressed = row.partner == caller.organisation
    if addressed and not rights.holds(house, row.partner, "release", row.seal_values, row.seal):
        return Refused(Reason.SEAL_BROKEN)
    live = row.until > now and row.revoked_at is None and not row.stopped
    fits = row.purpose == who.purpose
    verdict = house.gate.see(who, ReleaseFacts(addressed, live, fits, tied=row.tied))
    if isinstance(verdict, Refused):
        _log.error("scope_and_decision_differ", policy=house.gate.policy_hash)
        return Refused(Reason.NOT_IN_REACH)
    return house.gate.unless_stopped(Compartment.RELEASE, verdict)


def _event(
    house: House,
    caller: Caller,
    rows: Sequence[ReleaseRow],
    verdicts: Mapping[UUID, Verdict],
    reading: _Reading,
    made_by: Iterable[str],
) -> Event:
    target = reading.target
    touched: list[Touched] = []
    for verdict in dict.fromkeys(verdicts.values()):
        of = tuple((RecordKind.RELEASE, r.id, 0) for r in rows if verdicts[r.id] == verdict)
        if isinstance(verdict, Allowed):
            touched.append(
                Touched(
                    Decision.DISCLOSED,
                    verdict.ground,
                    None,
                    (Compartment.RELEASE,) if reading.content else (),
                    (RELEASE_BODY.name,) if reading.content else (),
                    of,
                )
            )
        elif target is None:
            touched.append(Touched(Decision.WITHHELD, None, verdict.reason, (), (), of))
    gone = target is not None and not touched
    if gone and target is not None:
        # Not there, over, or somebody else's: the same words for each.
        touched.append(
            Touched(
                Decision.WITHHELD,
                None,
                Reason.NOT_IN_REACH,
                (),
                (),
                ((RecordKind.RELEASE, target, 0),),
            )
        )
    return event_of(
        house,
        caller,
        Action.LIST if target is None else Action.READ,
        Decision.WITHHELD if gone else Decision.DISCLOSED,
        tuple(touched),
        agencies=tuple(sorted(made_by)),
        code=NotFound.code if gone else None,
    )
