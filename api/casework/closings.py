"""Close a case file, which takes two persons, and reopen it.

Who works on it asks; a supervisor or the agency's lead who is somebody else approves or
declines. What a closed case file still lets do is the policy's (`goes_on` in base.polar).
Assignments, delegations and referrals that stand go on until their own end.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import closed, reasons, rights, tying
from api.casework.case_life import status_of, take
from api.casework.changing import Ask, Changing, Situation, change
from api.casework.house import House
from api.database import Connection
from api.errors import (
    NotFound,
    SealBroken,
    SecondPersonNeeded,
    StepNotAllowed,
    ValueInvalid,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import closings, members
from api.store.closings import Row
from api.vocabulary import (
    CASEWORK_ROLES,
    Action,
    Caller,
    CaseFileId,
    CaseStatus,
    ClosingId,
    MemberId,
    RecordKind,
)

#: The code list of reasons to close a case file.
REASONS = "closing_reasons"


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step led to: the new revision of the case file, and when."""

    revision: int
    at: datetime


async def request_closing(
    house: House, caller: Caller, case_file_id: CaseFileId, reason: str, words: str | None = None
) -> UUID:
    """Ask that the case file be closed; give the id of the request. It stays open.

    Args:
        reason: a code of REASONS.
        words: why, in the caller's words; see `reasons.given`.

    Raises:
        NotFound, NotAllowed, CaseFileClosed, RecordErased: see `change`.
        StepNotAllowed: a request waits already.
        ValueInvalid: such a code, or such words.
    """
    if not house.codes.has(REASONS, reason):
        raise ValueInvalid
    given = reasons.given(words)
    closing_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        agency = situation.row.lead_agency
        for one in await closings.of_case_file(transaction, case_file_id):
            # One that somebody wrote by hand keeps nobody from asking.
            if closed.waits(one) and closed.proven(house, agency, one):
                raise StepNotAllowed
        row: Row = {
            **dict.fromkeys(closings.COLUMNS),
            "id": closing_id,
            "case_file": case_file_id,
            "agency": agency,
            "requested_by": caller.member,
            "requested_at": situation.now,
            "reason": reason,
            "event": intent,
        }
        await closings.insert_row(transaction, rights.sealed_row(house, agency, "closing", row))
        return closing_id

    return await change(
        house,
        caller,
        _changing(Action.REQUEST_CLOSING, case_file_id, (RecordKind.CLOSING, closing_id), given),
        _ask(house, Action.REQUEST_CLOSING),
        write,
    )


async def approve_closing(
    house: House, caller: Caller, case_file_id: CaseFileId, closing_id: ClosingId, revision: int
) -> Stepped:
    """Approve what a colleague asked for: the case file is closed.

    Raises:
        NotFound: no such request that waits; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SecondPersonNeeded: the caller asked for it, or who asked is no caseworker any more.
        StaleRevision: *revision* of the case file is not the newest.
        StepNotAllowed: it is closed already.
        SealBroken: the request is not as its agency sealed it.
    """
    step_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stepped:
        row = await _waiting(house, transaction, situation, closing_id)
        await _check_asker(house, transaction, caller, situation, row["requested_by"])
        if situation.facts.closed or status_of(situation) is CaseStatus.CLOSED:
            raise StepNotAllowed
        ended = {"approved_by": caller.member, "closed_at": situation.now, "event": intent}
        await _renew(house, transaction, {**row, **ended})
        made = await take(
            house, transaction, caller, situation, intent, step_id, revision, CaseStatus.CLOSED
        )
        return Stepped(made, situation.now)

    return await change(
        house,
        caller,
        _changing(
            Action.APPROVE_CLOSING,
            case_file_id,
            (RecordKind.CLOSING, closing_id),
            more=((RecordKind.STEP, step_id),),
        ),
        _ask(house, Action.APPROVE_CLOSING),
        write,
    )


async def decline_closing(
    house: House,
    caller: Caller,
    case_file_id: CaseFileId,
    closing_id: ClosingId,
    words: str | None = None,
) -> datetime:
    """Decline what a colleague asked for, and leave the case file open; give the moment.

    Raises:
        NotFound: no such request that waits; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SecondPersonNeeded: the caller asked for it.
        SealBroken: the request is not as its agency sealed it.
        ValueInvalid: such words.
    """
    given = reasons.given(words)

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        row = await _waiting(house, transaction, situation, closing_id)
        if row["requested_by"] == caller.member:
            raise SecondPersonNeeded
        ended = {"declined_by": caller.member, "declined_at": situation.now, "event": intent}
        await _renew(house, transaction, {**row, **ended})
        return situation.now

    return await change(
        house,
        caller,
        _changing(Action.DECLINE_CLOSING, case_file_id, (RecordKind.CLOSING, closing_id), given),
        _ask(house, Action.DECLINE_CLOSING),
        write,
    )


async def reopen_case_file(
    house: House, caller: Caller, case_file_id: CaseFileId, revision: int, words: str
) -> Stepped:
    """Take a closed case file back to `active`.

    Args:
        words: why, in the caller's words; see `reasons.given`.

    Raises:
        NotFound, NotAllowed, RecordErased: see `change`.
        StaleRevision: *revision* is not the newest.
        StepNotAllowed: it is not closed.
        SealBroken: what closed it is not as its agency sealed it.
        ValueInvalid: such words.
    """
    given = reasons.given(words)
    step_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stepped:
        if not situation.facts.closed:
            raise StepNotAllowed
        agency = situation.row.lead_agency
        for row in await closings.of_case_files(transaction, [case_file_id]):
            if not closed.proven(house, agency, row):
                raise SealBroken
            if closed.stands(row):
                ended = {"reopened_by": caller.member, "reopened_at": situation.now}
                await _renew(house, transaction, {**row, **ended, "event": intent})
        made = await take(
            house, transaction, caller, situation, intent, step_id, revision, CaseStatus.ACTIVE
        )
        return Stepped(made, situation.now)

    return await change(
        house,
        caller,
        _changing(Action.REOPEN_CASE_FILE, case_file_id, (RecordKind.STEP, step_id), given),
        _ask(house, Action.REOPEN_CASE_FILE),
        write,
    )


def _changing(
    action: Action,
    case_file_id: CaseFileId,
    about: tuple[RecordKind, UUID],
    reason: reasons.Given | None = None,
    more: tuple[tuple[RecordKind, UUID], ...] = (),
) -> Changing:
    target = (RecordKind.CASE_FILE, case_file_id)
    return Changing(action, target, others=(about, *more), reason=reason)


def _ask(house: House, action: Action) -> Ask:
    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> list[Verdict]:
        return [house.gate.change(who, action, facts)]

    return ask


async def _waiting(
    house: House, change: Connection, situation: Situation, closing_id: ClosingId
) -> Row:
    """Read a request of the locked case file that nobody has answered."""
    row = await closings.one(change, closing_id, situation.row.id)
    if row is None:
        raise NotFound
    if not closed.proven(house, situation.row.lead_agency, row):
        raise SealBroken
    if not closed.waits(row):
        raise NotFound
    return row


async def _check_asker(
    house: House, change: Connection, caller: Caller, situation: Situation, asker: MemberId
) -> None:
    """Pass where somebody else asked, who still does casework in the agency."""
    person = await members.by_id(change, asker)
    if (
        asker == caller.member
        or person is None
        or not person.live
        or person.organisation != situation.row.lead_agency
        or person.role not in CASEWORK_ROLES
        or person.clearance < situation.row.sensitivity
        or await tying.member_tied(house, change, person.organisation, asker, situation.row.id)
        or not rights.holds(house, person.organisation, "member", person.seal_values, person.seal)
    ):
        raise SecondPersonNeeded


async def _renew(house: House, change: Connection, row: Row) -> None:
    await closings.renew(change, rights.sealed_row(house, row["agency"], "closing", row))
