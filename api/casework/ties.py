"""Declare that somebody is tied to a reported adversary, and take it back.

Whoever sees the case file may declare a tie of their own, of a colleague or of a
partner; only the agency's lead takes one back, and never one of their own. What is
declared of an institution rests on no case file: it holds for those that come, too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from uuid_utils.compat import uuid7

from api.accesslog.event import Event, Touched
from api.casework import rights, tying
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.casework.recording import event_of, recorded
from api.database import Connection
from api.errors import NotAllowed, NotFound, SecondPersonNeeded, ValueInvalid
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import members, organisations, ties
from api.vocabulary import (
    CASEWORK_ROLES,
    Action,
    Caller,
    CaseFileId,
    Decision,
    MemberId,
    RecordKind,
    Sensitivity,
    TieId,
    TieKind,
)


@dataclass(frozen=True, slots=True)
class NewTie:
    """Who is tied, how, and to the adversary of what.

    Attributes:
        member, partner: one of them.
        case_file, institution: one of them; the name of an institution is kept as a
            keyed tag only.
    """

    kind: TieKind
    member: MemberId | None = None
    partner: str | None = None
    case_file: CaseFileId | None = None
    institution: str | None = field(default=None, repr=False)


async def declare_tie(house: House, caller: Caller, new: NewTie) -> UUID:
    """Keep whom *new* names out of what it names, from the next request on; give its id.

    Raises:
        NotFound: no such case file for the caller, or no such caseworker of the agency.
        NotAllowed, RecordErased: see `change`.
        ValueInvalid: no such partner, no name of an institution, or not one of each.
    """
    if (new.member is None) == (new.partner is None):
        raise ValueInvalid
    if (new.case_file is None) == (new.institution is None):
        raise ValueInvalid
    agency, tie_id = caller.organisation, uuid7()
    tag = None if new.institution is None else tying.tag_of(house, agency, new.institution)

    async def write(transaction: Connection, intent: int) -> UUID:
        await _check_subject(house, transaction, caller, new)
        row = {
            "id": tie_id,
            "agency": agency,
            "member": new.member,
            "partner": new.partner,
            "kind": new.kind.value,
            "case_file": new.case_file,
            "tag": tag,
            "declared_by": caller.member,
            "declared_at": house.now(),
            "withdrawn_by": None,
            "withdrawn_at": None,
            "event": intent,
        }
        await ties.insert_row(transaction, rights.sealed_row(house, agency, "tie", row))
        if new.partner is not None:
            await tying.settle_releases(house, transaction, agency, new.partner)
        return tie_id

    others = [(RecordKind.TIE, tie_id)]
    if new.member is not None:
        others.append((RecordKind.MEMBER, new.member))
    if new.case_file is None:
        return await _of_agency(
            house, caller, Action.DECLARE_TIE, Sensitivity.LOW, tuple(others), write
        )

    async def written(transaction: Connection, _: Situation, intent: int) -> UUID:
        return await write(transaction, intent)

    return await change(
        house,
        caller,
        Changing(Action.DECLARE_TIE, (RecordKind.CASE_FILE, new.case_file), others=tuple(others)),
        lambda who, facts: [house.gate.change(who, Action.DECLARE_TIE, facts)],
        written,
    )


async def withdraw_tie(house: House, caller: Caller, tie_id: TieId) -> UUID:
    """End a tie of somebody else in the caller's agency; give its id.

    What it kept out of may be of any sensitivity, so it takes the clearance for all.

    Raises:
        NotFound: the agency has no such tie that stands.
        NotAllowed: see `change`.
        SecondPersonNeeded: it is the caller's own.
    """
    agency = caller.organisation

    async def write(transaction: Connection, intent: int) -> UUID:
        cells = await ties.locked(transaction, tie_id, agency)
        if cells is None:
            raise NotFound
        tie = tying.read(cells)
        if tying.proven(house, cells) and tie["withdrawn_at"] is not None:
            raise NotFound
        if tie["member"] == caller.member:
            raise SecondPersonNeeded
        ended = {"withdrawn_by": caller.member, "withdrawn_at": house.now(), "event": intent}
        await ties.withdraw(transaction, rights.sealed_row(house, agency, "tie", {**tie, **ended}))
        if tie["partner"] is not None:
            await tying.settle_releases(house, transaction, agency, tie["partner"])
        return tie_id

    return await _of_agency(
        house,
        caller,
        Action.WITHDRAW_TIE,
        Sensitivity.EXTREME,
        ((RecordKind.TIE, tie_id),),
        write,
    )


async def _check_subject(
    house: House, transaction: Connection, caller: Caller, new: NewTie
) -> None:
    if new.partner is not None:
        if await organisations.kind_of(transaction, new.partner) != "partner":
            raise ValueInvalid
        return
    person = await members.by_id(transaction, new.member) if new.member is not None else None
    if (
        person is None
        or not person.live
        or person.organisation != caller.organisation
        or person.role not in CASEWORK_ROLES
        or not rights.holds(house, person.organisation, "member", person.seal_values, person.seal)
    ):
        raise NotFound


async def _of_agency(
    house: House,
    caller: Caller,
    action: Action,
    sensitivity: Sensitivity,
    records: tuple[tuple[RecordKind, UUID], ...],
    write: Callable[[Connection, int], Awaitable[UUID]],
) -> UUID:
    """Do *write* if the gate allows *action* on a case file of the own agency, twice."""
    agency = caller.organisation
    facts = CaseFileFacts(agency, int(sensitivity), False, False)

    def event(decision: Decision, verdict: Verdict, code: str | None = None) -> Event:
        touched = Touched(
            decision,
            verdict.ground if isinstance(verdict, Allowed) else None,
            verdict.reason if isinstance(verdict, Refused) else None,
            (),
            (),
            tuple((*record, 0) for record in records),
        )
        return event_of(house, caller, action, decision, (touched,), agencies=(agency,), code=code)

    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
    verdict = house.gate.change(who, action, facts)
    if isinstance(verdict, Refused):
        await house.ledger.append(event(Decision.REFUSED, verdict, NotAllowed.code))
        raise NotAllowed

    async def do(intent: int) -> UUID:
        async with house.records.change() as transaction:
            again = await rights.caseworker(house, transaction, caller)
            if house.gate.change(again, action, facts) != verdict:
                raise NotAllowed
            return await write(transaction, intent)

    return await recorded(house, event(Decision.ALLOWED, verdict), do)
