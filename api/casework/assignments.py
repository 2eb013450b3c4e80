"""Assign a caseworker to a case file, and end it: the commonest way to a need-to-know."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import rights
from api.casework.changing import Ask, Changing, Situation, change
from api.casework.colleagues import check_colleague
from api.casework.house import House
from api.database import Connection
from api.errors import NotAssigned, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import assignments
from api.store.tables import RIGHTS
from api.vocabulary import Action, Caller, CaseFileId, MemberId, RecordKind

#: An assignment ends by itself; who still works on the case is assigned again.
ASSIGNMENT_MOST = timedelta(days=366)


async def assign_caseworker(
    house: House, caller: Caller, case_file_id: CaseFileId, assignee: MemberId, until: datetime
) -> UUID:
    """Give *assignee*, of the same agency, the need to know *case_file_id*; give the id.

    Raises:
        NotFound, NotAllowed: see `change`.
        AssigneeInvalid: see `check_colleague`.
        ValueInvalid: *until* is over, or further than ASSIGNMENT_MOST.
    """
    if not house.now() < until <= house.now() + ASSIGNMENT_MOST:
        raise ValueInvalid

    assignment_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        await check_colleague(
            house, transaction, caller, assignee, case_file_id, situation.facts.sensitivity
        )
        row = {
            "id": assignment_id,
            "case_file": case_file_id,
            "member": assignee,
            "agency": caller.organisation,
            "assigned_by": caller.member,
            "starts_at": situation.now,
            "ends_at": until,
            "ended_at": None,
            "event": intent,
        }
        # The agency that works on it, which leads it or to which it was referred.
        agency = caller.organisation
        await assignments.insert_rows(
            transaction, [rights.sealed_row(house, agency, "assignment", row)]
        )
        return assignment_id

    return await change(
        house,
        caller,
        Changing(
            Action.ASSIGN_CASEWORKER,
            (RecordKind.CASE_FILE, case_file_id),
            others=((RecordKind.MEMBER, assignee), (RecordKind.ASSIGNMENT, assignment_id)),
        ),
        _ask(house, Action.ASSIGN_CASEWORKER),
        write,
    )


async def unassign_caseworker(
    house: House, caller: Caller, case_file_id: CaseFileId, assignee: MemberId
) -> int:
    """End every live assignment of *assignee* to *case_file_id*; tell how many there were.

    Raises:
        NotFound, NotAllowed: see `change`.
        NotAssigned: there is none.
    """

    async def write(transaction: Connection, situation: Situation, intent: int) -> int:
        rows = await assignments.locked_live(transaction, case_file_id, assignee, situation.now)
        agency = caller.organisation
        # A row that somebody forged grants nothing; sealing its end would make it true.
        held = [r for r in rows if rights.holds(house, agency, "assignment", r[:-1], r[-1])]
        for row in held:
            ended: dict[str, Any] = dict(zip(RIGHTS["assignment"], row, strict=False))
            ended |= {"ended_at": situation.now, "event": intent}
            sealed = rights.sealed_row(house, agency, "assignment", ended)
            await assignments.end(transaction, ended["id"], situation.now, intent, sealed["seal"])
        if not held:
            raise NotAssigned
        return len(held)

    return await change(
        house,
        caller,
        Changing(
            Action.UNASSIGN_CASEWORKER,
            (RecordKind.CASE_FILE, case_file_id),
            others=((RecordKind.MEMBER, assignee),),
        ),
        _ask(house, Action.UNASSIGN_CASEWORKER),
        write,
    )


def _ask(house: House, action: Action) -> Ask:
    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    return ask
