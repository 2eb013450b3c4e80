"""What an erasure would take, counted and never opened; and what waits to be approved.

Both are readings: decided, and in the log before they are answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.accesslog.event import Touched
from api.casework import holding, rights, tying
from api.casework.changing import Changing, No, allowed, decide, refused
from api.casework.chunks import chunks
from api.casework.erasable import Target, asking, erasable
from api.casework.house import House
from api.casework.recording import append_all, event_of
from api.errors import NotAllowed, NotFound
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed
from api.store import erasing, erasures
from api.store.erasing import Counted
from api.store.erasures import Row
from api.vocabulary import Action, Caller, Decision, Reason, RecordKind, Sensitivity


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go, and what stands against it.

    Attributes:
        parts: rows by table, of every organisation.
        wraps: the keys among them, by the organisation that holds them.
        releases: redacted views made from the record's case files that live on, since
            they are sealed under keys of partners and hold no identity.
        defenders_remaining: who must be erased before this case file.
        holds: legal holds that stand.
        erased: nothing is left to do.
    """

    parts: list[Counted]
    wraps: list[Counted]
    releases: int
    defenders_remaining: int
    holds: int
    erased: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open requests and the standing holds of one agency: column -> value."""

    erasures: list[Mapping[str, Any]]
    holds: list[Mapping[str, Any]]


async def preview(house: House, caller: Caller, target: Target) -> Preview:
    """Count what the erasure of *target* would take now. Nothing is changed.

    Raises:
        NotFound, NotAllowed: one event.
        ValueInvalid: of a kind that is not erased by itself.
    """
    kind, record = erasable(target)
    changing = Changing(Action.PREVIEW_ERASURE, target)
    async with house.records.snapshot() as snapshot:
        ask = asking(house, Action.PREVIEW_ERASURE)
        decided = await decide(house, snapshot, caller, changing, ask)
        if not isinstance(decided, No):
            owner = await erasing.agency_of(snapshot, kind, record)
            if owner != decided.row.lead_agency:
                decided = No(NotFound, Reason.NOT_IN_REACH, (decided.row.lead_agency,))
        if not isinstance(decided, No):
            found = Preview(
                await erasing.count(snapshot, kind, record),
                await erasing.wraps_by_owner(snapshot, kind, record),
                await erasures.live_releases(snapshot, kind, record, decided.now),
                await erasures.defenders_only_in(snapshot, record)
                if kind is RecordKind.CASE_FILE
                else 0,
                await holding.standing(house, snapshot, kind, record, decided.now),
                record in await erasing.marked(snapshot, kind, [record]),
            )
    if isinstance(decided, No):
        await house.ledger.append(refused(house, caller, changing, decided))
        raise decided.error
    await house.ledger.append(allowed(house, caller, changing, decided))
    return found


async def waiting(house: House, caller: Caller) -> Waiting:
    """List what waits in the caller's agency, newest first, 100 of each at most.

    Raises:
        NotAllowed: not a role or purpose that asks for erasures; one event.
    """
    agency = caller.organisation
    now = house.now()
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        # As for a case file of the agency that anybody there may know of.
        facts = CaseFileFacts(agency, int(Sensitivity.LOW), False, False)
        verdict = house.gate.change(who, Action.PREVIEW_ERASURE, facts)
        requests, standing = (
            await erasures.open_of(snapshot, agency, now)
            if isinstance(verdict, Allowed)
            else ([], [])
        )
        # To who is tied to the adversary a case file does not exist.
        files = {row.values["record"] for row in (*requests, *standing)}
        tied = await tying.tied_files(house, snapshot, agency, caller.member, files)
    if not isinstance(verdict, Allowed):
        no = Touched(Decision.REFUSED, None, verdict.reason, (), (), ())
        await _append(house, caller, Decision.REFUSED, no, NotAllowed.code)
        raise NotAllowed
    proven = _proven(house, agency, "erasure", requests, tied)
    holds = _proven(house, agency, "legal_hold", standing, tied)
    records = [(RecordKind.ERASURE, row["id"], 0) for row in proven]
    records += [(RecordKind.LEGAL_HOLD, row["id"], 0) for row in holds]
    touched = Touched(Decision.DISCLOSED, verdict.ground, None, (), (), tuple(records))
    await _append(house, caller, Decision.DISCLOSED, touched, None)
    return Waiting(proven, holds)


def _proven(
    house: House, agency: str, table: str, rows: Sequence[Row], tied: set[UUID]
) -> list[Mapping[str, Any]]:
    return [
        r.values
        for r in rows
        if r.values["record"] not in tied
        and rights.holds(house, agency, table, r.seal_values, r.seal)
    ]


async def _append(
    house: House, caller: Caller, decision: Decision, touched: Touched, code: str | None
) -> None:
    events = [
        event_of(
            house,
            caller,
            Action.LIST,
            decision,
            chunk,
            agencies=(caller.organisation,),
            code=code,
        )
        for chunk in chunks([touched])
    ]
    await append_all(house, events)
