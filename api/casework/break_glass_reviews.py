"""Review what another agency's member unlocked: nobody reviews for the own agency.

An officer sees who did it as a pseudonym, the reason as a code, and when; of the record
only its id, and this only where the own agency leads it or works on it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from api.accesslog.event import Event, Touched
from api.casework import rights
from api.casework.break_glass_proofs import Proofs, sealed
from api.casework.house import House
from api.casework.looking import Look, check_officer, looked
from api.casework.recording import event_of, recorded
from api.database import Connection
from api.errors import NotAllowed, NotFound, PerisaiError
from api.policies.facts import EventFacts, SecurityOfficerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import break_glass as rows
from api.store.break_glass import Row
from api.vocabulary import (
    Action,
    BreakGlassFinding,
    BreakGlassReason,
    Caller,
    Compartment,
    Decision,
    Reason,
    RecordKind,
    SecurityOfficer,
)

_log = structlog.get_logger("perisai.break_glass")


@dataclass(frozen=True, slots=True)
class Use:
    """One use that awaits its review.

    Attributes:
        case_file: None to the officers of an agency that neither leads it nor broke glass.
        ended_at: when it was ended before its time.
        mine: the officer's agency may close it.
    """

    id: UUID
    agency: str
    lead_agency: str
    member: UUID
    case_file: UUID | None
    reason: BreakGlassReason
    compartments: list[Compartment]
    approved_by: UUID | None
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    review_by: datetime
    overdue: bool
    mine: bool


async def uses(house: House, caller: SecurityOfficer) -> list[Use]:
    """Show what awaits a review, newest first: other agencies' to close, the own to know of.

    Raises:
        LogUnavailable: the look is not in the log, so nothing is shown.
    """
    await check_officer(house, caller)
    async with house.records.snapshot() as snapshot:
        proofs = Proofs(house, snapshot, caller.organisation)
        found = [
            row
            for row in await proofs.unreviewed(await rows.uses(snapshot))
            if await _holds(proofs, row)
        ]
    shown = [row for row in found if isinstance(_may(house, caller, row, see=True), Allowed)]
    await looked(house, caller, Look("breakGlassUses"), len(shown))
    return [_use(house, caller, row) for row in shown]


async def review_break_glass(
    house: House, caller: SecurityOfficer, break_glass_id: UUID, finding: BreakGlassFinding
) -> datetime:
    """Close one use of another agency with what was found; give the moment.

    Raises:
        NotFound: none that awaits a review, or one that nothing proves; one event.
        NotAllowed: it is the own agency's; one event.
        NotForThisFace: see `rights.member_of`.
    """
    async with house.records.snapshot() as snapshot:
        first = await _decide(house, snapshot, caller, break_glass_id)
    if isinstance(first, _No):
        await house.ledger.append(_event(house, caller, break_glass_id, finding, first))
        raise first.error

    async def do(intent: int) -> datetime:
        async with house.records.change() as change:
            await rows.lock(change, break_glass_id)
            again = await _decide(house, change, caller, break_glass_id)
            if isinstance(again, _No):
                raise again.error
            now = house.now()
            row: Row = {
                "id": uuid7(),
                "break_glass": break_glass_id,
                "agency": caller.organisation,
                "reviewer": caller.member,
                "finding": finding.value,
                "at": now,
                "event": intent,
            }
            await rows.insert_review(change, sealed(house, "break_glass_review", row))
            return now

    return await recorded(house, _event(house, caller, break_glass_id, finding, first), do)


@dataclass(frozen=True, slots=True)
class _Due:
    """It may be closed."""

    row: Row
    verdict: Allowed


@dataclass(frozen=True, slots=True)
class _No:
    """Why not; *row* where something was proven."""

    error: type[PerisaiError]
    reason: Reason
    row: Row | None = None


async def _decide(
    house: House, connection: Connection, caller: SecurityOfficer, break_glass_id: UUID
) -> _Due | _No:
    await rights.member_of(house, connection, caller)
    row = await rows.begun(connection, break_glass_id)
    proofs = Proofs(house, connection, caller.organisation)
    open_ones = await proofs.unreviewed([] if row is None else [row])
    if row is None or not open_ones:
        return _No(NotFound, Reason.NOT_IN_REACH)
    if not await _holds(proofs, row):
        return _No(NotFound, Reason.SEAL_BROKEN)
    verdict = _may(house, caller, row, see=False)
    if isinstance(verdict, Refused):
        seen = isinstance(_may(house, caller, row, see=True), Allowed)
        return _No(NotAllowed if seen else NotFound, verdict.reason, row)
    return _Due(row, verdict)


async def _holds(proofs: Proofs, row: Row) -> bool:
    if await proofs.holds("break_glass", row):
        return True
    # Changed by hand, or of an agency whose keys this one has not pinned.
    _log.error("break_glass_not_proven", agency=row["agency"])
    return False


def _may(house: House, caller: SecurityOfficer, row: Row, *, see: bool) -> Verdict:
    facts = EventFacts(
        own_actor=row["agency"] == caller.organisation,
        own_record=row["lead_agency"] == caller.organisation,
        break_glass=True,
    )
    who = SecurityOfficerFacts(caller.organisation)
    if see:
        return house.gate.see(who, facts)
    return house.gate.change(who, Action.REVIEW_BREAK_GLASS, facts)


def _use(house: House, caller: Caller, row: Row) -> Use:
    own = row["agency"] == caller.organisation
    return Use(
        id=row["id"],
        agency=row["agency"],
        lead_agency=row["lead_agency"],
        member=row["member"],
        case_file=row["case_file"] if own or row["lead_agency"] == caller.organisation else None,
        reason=BreakGlassReason(row["reason"]),
        compartments=[Compartment(name) for name in row["compartments"].split(",")],
        approved_by=row["approved_by"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        ended_at=row["ended_at"],
        review_by=row["review_by"],
        overdue=row["review_by"] <= house.now(),
        mine=not own,
    )


def _event(
    house: House,
    caller: SecurityOfficer,
    break_glass_id: UUID,
    finding: BreakGlassFinding,
    decided: _Due | _No,
) -> Event:
    """Make the event, which the officers of all agencies concerned see."""
    no = decided if isinstance(decided, _No) else None
    row = decided.row
    decision = Decision.ALLOWED if no is None else Decision.REFUSED
    touched = Touched(
        decision,
        decided.verdict.ground if isinstance(decided, _Due) else None,
        None if no is None else no.reason,
        (),
        (f"finding:{finding.value}",),
        ((RecordKind.BREAK_GLASS, break_glass_id, 0),),
    )
    agencies = {caller.organisation} | ({row["agency"], row["lead_agency"]} if row else set())
    return event_of(
        house,
        caller,
        Action.REVIEW_BREAK_GLASS,
        decision,
        (touched,),
        agencies=tuple(agencies),
        code=None if no is None else no.error.code,
    )
