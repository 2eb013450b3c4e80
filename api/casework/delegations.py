"""Delegate the own work on a case file to a colleague for a while, and end that.

Only who is assigned in person delegates, and only what they may open themselves, now. It
lasts until its end, until somebody ends it, or until the giver's assignment ends.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import rights
from api.casework.changing import Changing, Situation, change
from api.casework.colleagues import check_colleague
from api.casework.delegating import in_person, staffing
from api.casework.house import House
from api.database import Connection
from api.errors import NotAssigned, NotFound, TooManyStand, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import delegations
from api.store.tables import RIGHTS
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    Compartment,
    DelegationId,
    MemberId,
    RecordKind,
)

#: Long enough for leave or a mission; whose work it becomes for longer is assigned.
DELEGATION_MOST = timedelta(days=30)
#: Of one giver to one receiver for one case file: each is proven in every request of theirs.
STANDING_MOST = 5


async def delegate_case_file(
    house: House,
    caller: Caller,
    case_file_id: CaseFileId,
    receiver: MemberId,
    compartments: Collection[Compartment],
    until: datetime,
) -> UUID:
    """Hand *compartments* of the caller's work on a case file to *receiver*; give the id.

    Raises:
        NotFound, RecordErased: see `change`.
        NotAllowed: the caller is not assigned in person, or may not open one of them so.
        AssigneeInvalid: see `check_colleague`.
        TooManyStand: the receiver has STANDING_MOST of the caller for the case file.
        ValueInvalid: no compartment, one that no caseworker opens, or *until* is over, further
            than DELEGATION_MOST, or after the end of the caller's assignment.
    """
    names = tuple(sorted(set(compartments)))
    if not names or Compartment.RELEASE in names:
        raise ValueInvalid
    if not house.now() < until <= house.now() + DELEGATION_MOST:
        raise ValueInvalid
    made = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        mine = in_person(facts)
        return [
            house.gate.change(who, Action.DELEGATE_CASE_FILE, mine),
            *(house.gate.open(who, name, mine) for name in names),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        mine = _own_assignment(house, caller, situation)
        if until > mine["ends_at"]:
            raise ValueInvalid
        await check_colleague(
            house, transaction, caller, receiver, case_file_id, situation.facts.sensitivity
        )
        standing = await delegations.standing(transaction, mine, receiver, situation.now)
        if standing >= STANDING_MOST:
            raise TooManyStand
        row = {
            "id": made,
            "case_file": case_file_id,
            "agency": caller.organisation,
            "giver": caller.member,
            "assignment": mine["id"],
            "receiver": receiver,
            "compartments": ",".join(names),
            "starts_at": situation.now,
            "ends_at": until,
            "ended_by": None,
            "ended_at": None,
            "event": intent,
        }
        sealed = rights.sealed_row(house, caller.organisation, "delegation", row)
        await delegations.insert_row(transaction, sealed)
        return made

    changing = Changing(
        Action.DELEGATE_CASE_FILE,
        (RecordKind.CASE_FILE, case_file_id),
        compartments=names,
        others=((RecordKind.MEMBER, receiver), (RecordKind.DELEGATION, made)),
    )
    return await change(house, caller, changing, ask, write)


async def end_delegation(house: House, caller: Caller, delegation_id: DelegationId) -> datetime:
    """End one that the caller gave or, as who staffs, a colleague's; give the moment.

    Raises:
        NotFound: none of the caller's that lasts; or see `change`.
        NotAllowed: see `change`.
    """
    action = Action.END_DELEGATION
    async with house.records.snapshot() as snapshot:
        found = await delegations.of_agency(snapshot, delegation_id, caller.organisation)
    # What is not there names a case file that is not there either.
    file = delegation_id if found is None else found["case_file"]

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        agency, now = caller.organisation, situation.now
        row = await delegations.of_agency(transaction, delegation_id, agency)
        if row is None or row["case_file"] != situation.row.id:
            raise NotFound
        values = [row[name] for name in RIGHTS["delegation"]]
        # What somebody forged gives nothing; sealing its end would make it true.
        if not rights.holds(house, agency, "delegation", values, row["seal"]):
            raise NotFound
        who = await rights.caseworker(house, transaction, caller)
        others = row["giver"] != caller.member and not staffing(house, who, situation.facts)
        if row["ended_at"] is not None or row["ends_at"] <= now or others:
            raise NotFound
        row |= {"ended_by": caller.member, "ended_at": now, "event": intent}
        await delegations.end(transaction, rights.sealed_row(house, agency, "delegation", row))
        return now

    changing = Changing(
        action,
        (RecordKind.CASE_FILE, file),
        others=((RecordKind.DELEGATION, delegation_id),),
    )
    return await change(house, caller, changing, ask, write)


def _own_assignment(house: House, caller: Caller, situation: Situation) -> dict[str, Any]:
    """Give the live assignment of the caller that lasts longest.

    Raises:
        NotAssigned: there is none, though the gate was told of one.
    """
    own = [
        dict(zip(RIGHTS["assignment"], cells, strict=False))
        for cells in situation.row.assignments
        if rights.holds(house, caller.organisation, "assignment", cells[:-1], cells[-1])
    ]
    mine = [one for one in own if one["member"] == caller.member]
    if not mine:
        raise NotAssigned
    return max(mine, key=lambda one: one["ends_at"])
