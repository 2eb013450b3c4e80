"""Break glass: open for four hours what is closed to oneself, because a danger cannot wait.

Everybody who should know is told at once, and another agency reviews it. Who has a use
that was not reviewed needs a second person for the next. It stays within the records of
the own agency and those that were referred to it, and within the compartments named.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from api.casework import reasons
from api.casework.break_glass_proofs import Proofs, sealed
from api.casework.changing import Changing, No, Situation, change, refused
from api.casework.house import House
from api.casework.unlocking import unlocking
from api.database import Connection
from api.errors import (
    NotFound,
    ReasonNotKept,
    SealBroken,
    SecondPersonNeeded,
    SignInNotStrong,
    ValueInvalid,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import break_glass as rows
from api.store.break_glass import Row
from api.vocabulary import (
    Action,
    BreakGlassReason,
    Caller,
    CaseFileId,
    Compartment,
    Reason,
    RecordKind,
    Role,
)

_log = structlog.get_logger("perisai.break_glass")

#: Long enough for a night call-out; who needs it longer is assigned.
LIFETIME = timedelta(hours=4)
#: The clock of how long another agency has to review a use.
REVIEW_CLOCK = "break_glass_review"

#: Who may end what a colleague unlocked.
_MAY_END = frozenset({Role.SUPERVISOR, Role.AGENCY_LEAD})


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody says to break glass.

    Attributes:
        text: why, in words; see `reasons.given`. Only the lead agency can keep it.
    """

    reason: BreakGlassReason
    text: str | None = field(repr=False)
    compartments: Sequence[Compartment]


@dataclass(frozen=True, slots=True)
class Broken:
    """What was unlocked.

    Attributes:
        ends_at: None: it waits for a second person, and nothing is open yet.
    """

    id: UUID
    ends_at: datetime | None


async def break_glass(house: House, caller: Caller, case_file_id: CaseFileId, need: Need) -> Broken:
    """Unlock compartments of a case file for the caller, for LIFETIME from now.

    Raises:
        ValueInvalid: no compartment, one that no caseworker opens, or no text where the
            caller's agency leads.
        ReasonNotKept: a text where another one does.
        SignInNotStrong: see `StrongSignIn`; one event, and nothing was looked for.
        NotFound, NotAllowed, RecordErased: see `change`; also while the log has no witnesses.
    """
    names = tuple(sorted(set(need.compartments)))
    if not names or Compartment.RELEASE in names:
        raise ValueInvalid
    made, given = uuid7(), reasons.given(need.text)
    changing = Changing(
        Action.BREAK_GLASS,
        (RecordKind.CASE_FILE, case_file_id),
        compartments=names,
        fields=(f"reason:{need.reason.value}",),
        others=((RecordKind.BREAK_GLASS, made),),
        reason=given,
    )
    await _check_sign_in(house, caller, changing)

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        as_it_would_be = unlocking(facts, {name.value for name in names})
        return [
            _witnessed(house, house.gate.change(who, Action.BREAK_GLASS, facts)),
            *(house.gate.open(who, name, as_it_would_be) for name in names),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> Row:
        _check_text(caller, situation, given)
        row: Row = {
            "id": made,
            "case_file": situation.row.id,
            "agency": caller.organisation,
            "lead_agency": situation.row.lead_agency,
            "member": caller.member,
            "reason": need.reason.value,
            "compartments": ",".join(names),
            "asked_at": situation.now,
            "approved_by": None,
            "starts_at": None,
            "ends_at": None,
            "ended_at": None,
            "review_by": None,
            "event": intent,
        }
        if not await _owes_a_review(house, transaction, caller):
            row |= _begun(house, situation.now)
        await rows.insert_row(transaction, sealed(house, "break_glass", row))
        return row

    row = await change(house, caller, changing, ask, write)
    _alert(row)
    return Broken(made, row["ends_at"])


async def approve_break_glass(house: House, caller: Caller, break_glass_id: UUID) -> datetime:
    """Let begin what a colleague asked for, who needs a second person; give its end.

    Raises:
        NotFound: none of the caller's agency that waits; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SignInNotStrong: as `break_glass`.
        SecondPersonNeeded: the caller asked for it.
        SealBroken: it is not as its agency sealed it.
    """
    action = Action.APPROVE_BREAK_GLASS
    changing = await _about(house, caller, action, break_glass_id)
    await _check_sign_in(house, caller, changing)

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [_witnessed(house, house.gate.change(who, action, facts))]

    async def write(transaction: Connection, situation: Situation, intent: int) -> Row:
        row = await _proven(house, transaction, caller, situation, break_glass_id)
        late = row["asked_at"] + LIFETIME <= situation.now
        if row["starts_at"] is not None or row["ended_at"] is not None or late:
            raise NotFound
        if row["member"] == caller.member:
            raise SecondPersonNeeded
        row |= {"approved_by": caller.member, **_begun(house, situation.now), "event": intent}
        await rows.renew(transaction, sealed(house, "break_glass", row))
        return row

    row = await change(house, caller, changing, ask, write)
    _alert(row)
    ends: datetime = row["ends_at"]
    return ends


async def end_break_glass(house: House, caller: Caller, break_glass_id: UUID) -> datetime:
    """End one's own before its time, or, as a supervisor, a colleague's; give the moment.

    The review is still to come.

    Raises:
        NotFound: none of the caller's that is open; or see `change`.
        NotAllowed: see `change`.
        SealBroken: it is not as its agency sealed it.
    """
    action = Action.END_BREAK_GLASS
    changing = await _about(house, caller, action, break_glass_id)

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        row = await _proven(house, transaction, caller, situation, break_glass_id)
        over = row["ends_at"] is not None and row["ends_at"] <= situation.now
        others = row["member"] != caller.member and caller.role not in _MAY_END
        if row["ended_at"] is not None or over or others:
            raise NotFound
        row |= {"ended_at": situation.now, "event": intent}
        await rows.renew(transaction, sealed(house, "break_glass", row))
        return situation.now

    return await change(house, caller, changing, ask, write)


def _check_text(caller: Caller, situation: Situation, given: reasons.Given | None) -> None:
    """Ask for words where they can be sealed: only the lead agency has a key for them."""
    if situation.row.lead_agency == caller.organisation:
        if given is None:
            raise ValueInvalid
    elif given is not None:
        raise ReasonNotKept


def _begun(house: House, now: datetime) -> Row:
    review_by = now + house.codes.clocks[REVIEW_CLOCK].length
    return {"starts_at": now, "ends_at": now + LIFETIME, "review_by": review_by}


def _witnessed(house: House, verdict: Verdict) -> Verdict:
    """Refuse what goes beyond the policy while nobody outside follows the log."""
    if isinstance(verdict, Allowed) and not house.gate.witnessed():
        return Refused(Reason.LOG_NOT_WITNESSED)
    return verdict


async def _check_sign_in(house: House, caller: Caller, changing: Changing) -> None:
    """Pass who signed in strongly a moment ago; of the record nothing was read yet.

    Raises:
        SignInNotStrong: one event.
    """
    if house.strong.is_of(caller, house.now()):
        return
    no = No(SignInNotStrong, None, (caller.organisation,))
    await house.ledger.append(refused(house, caller, changing, no))
    raise SignInNotStrong


async def _about(house: House, caller: Caller, action: Action, break_glass_id: UUID) -> Changing:
    """Say which case file is meant. What is not there names one that is not there either."""
    async with house.records.snapshot() as snapshot:
        row = await rows.of_agency(snapshot, break_glass_id, caller.organisation)
    file = break_glass_id if row is None else row["case_file"]
    return Changing(
        action,
        (RecordKind.CASE_FILE, file),
        others=((RecordKind.BREAK_GLASS, break_glass_id),),
    )


async def _proven(
    house: House,
    transaction: Connection,
    caller: Caller,
    situation: Situation,
    break_glass_id: UUID,
) -> Row:
    """Read one of the caller's agency and of this case file, as it was sealed."""
    await rows.lock(transaction, break_glass_id)
    row = await rows.of_agency(transaction, break_glass_id, caller.organisation)
    if row is None or row["case_file"] != situation.row.id:
        raise NotFound
    if not await Proofs(house, transaction, caller.organisation).holds("break_glass", row):
        raise SealBroken
    return row


async def _owes_a_review(house: House, transaction: Connection, caller: Caller) -> bool:
    """Tell whether the caller has a use that no other agency closed.

    A row that does not hold counts as one: whoever changed it may have hidden it.
    """
    proofs = Proofs(house, transaction, caller.organisation)
    used = [
        row
        for row in await rows.of_member(transaction, caller.member)
        if row["starts_at"] is not None or not await proofs.holds("break_glass", row)
    ]
    return bool(await proofs.unreviewed(used))


def _alert(row: Row) -> None:
    _log.warning(
        "break_glass",
        id=str(row["id"]),
        agency=row["agency"],
        lead_agency=row["lead_agency"],
        begun=row["starts_at"] is not None,
    )
