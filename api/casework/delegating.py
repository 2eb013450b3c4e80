"""What was delegated of a case file, from rows whose seals hold, as far as the giver may open it.

A delegation is never wider than what its giver may open in person at this moment, for the
purpose of who asks: the gate is asked for the giver as for a request of theirs. So what the
giver loses (a clearance, the training, the role, the assignment) is lost to the receiver, too.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from api.casework import rights, tying
from api.casework.house import House
from api.casework.views import DelegationView
from api.database import Connection
from api.policies.facts import FIELD_TYPES, CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed
from api.store import delegations
from api.store.case_files import CaseFileRow
from api.store.delegations import Delegation
from api.store.tables import RIGHTS
from api.vocabulary import CASEWORK_ROLES, Action, Caller, Compartment

_TIED: Final = RIGHTS["tie"].index("member")

#: What somebody has of a case file beside the own assignment: nobody hands it on.
_BESIDE: Final = {
    name: False
    for name in FIELD_TYPES[CaseFileFacts.polar_name]
    if name == "second_person" or name.startswith(("delegate", "break_glass", "unlocks_"))
}


@dataclass(frozen=True, slots=True)
class Handed:
    """One delegation that holds, and who gave it."""

    id: UUID
    receiver: UUID
    compartments: tuple[Compartment, ...]
    ends_at: datetime
    delegation: Delegation


def in_person(facts: CaseFileFacts) -> CaseFileFacts:
    """Give *facts* as they are by the own assignment alone."""
    return replace(in_office(facts), supervising=False)


def in_office(facts: CaseFileFacts) -> CaseFileFacts:
    """Give *facts* as they are by assignment and supervision: what may be given to others."""
    beside: dict[str, Any] = _BESIDE
    return replace(facts, **beside)


def with_delegated(
    house: House, caller: Caller, row: CaseFileRow, facts: CaseFileFacts
) -> CaseFileFacts:
    """Add what was handed to the caller to the facts about *row*; nearly always nothing."""
    flags = _flags(house, caller, row, facts) if row.delegated else {}
    return replace(facts, **flags) if flags else facts


def _flags(house: House, caller: Caller, row: CaseFileRow, facts: CaseFileFacts) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    if caller.purpose is None:
        return flags  # What the givers may open depends on it.
    for handed in handed_in(house, caller, row):
        flags["delegated"] = True
        for compartment in handed.compartments:
            if _giver_opens(house, caller.purpose.value, row, facts, handed, compartment):
                flags[f"delegates_{compartment.value}"] = True
    return flags


def handed_in(
    house: House, caller: Caller, row: CaseFileRow, *, to_all: bool = False
) -> list[Handed]:
    """Give the delegations of *row* that hold: to the caller or, *to_all*, within the agency."""
    found = []
    for one in row.delegated:
        if not to_all and one.receiver != caller.member:
            continue
        given = dict(zip(RIGHTS["delegation"], one.cells, strict=False))
        if _holds(house, caller.organisation, row, one, given):
            compartments = tuple(map(Compartment, given["compartments"].split(",")))
            found.append(Handed(given["id"], one.receiver, compartments, given["ends_at"], one))
    return found


def _holds(
    house: House, agency: str, row: CaseFileRow, one: Delegation, given: dict[str, Any]
) -> bool:
    """Tell whether the agency sealed it, its giver, and the assignment on which it rests."""
    if not rights.holds(house, agency, "delegation", one.cells[:-1], one.cells[-1]):
        return False
    if not rights.holds(house, agency, "assignment", one.assignment[:-1], one.assignment[-1]):
        return False
    giver = one.giver
    if not rights.holds(house, agency, "member", giver.seal_values, giver.seal):
        return False
    rests = dict(zip(RIGHTS["assignment"], one.assignment, strict=False))
    return bool(
        given["case_file"] == rests["case_file"] == row.id
        and given["giver"] == rests["member"] == giver.id
        and given["assignment"] == rests["id"]
        and giver.live
        and giver.organisation == agency
        and giver.role in CASEWORK_ROLES
    )


def _giver_opens(
    house: House,
    purpose: str,
    row: CaseFileRow,
    facts: CaseFileFacts,
    handed: Handed,
    compartment: Compartment,
) -> bool:
    giver = handed.delegation.giver
    who = CaseworkerFacts(giver.organisation, giver.role, giver.clearance, giver.trained, purpose)
    own = [cells for cells in row.ties if cells[_TIED] == giver.id]
    tied = any(tying.excludes(house, cells, row) for cells in own)
    as_giver = replace(in_person(facts), assigned=True, tied=tied)
    return isinstance(house.gate.open(who, compartment, as_giver), Allowed)


async def shown(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    row: CaseFileRow,
    facts: CaseFileFacts,
    now: datetime,
) -> list[DelegationView]:
    """Read what is handed over of *row* now, for who gave it, has it, or may end it as who staffs.

    Everybody else is shown none: who works with whom is need-to-know, too.
    """
    found = await delegations.of_case_file(snapshot, caller.organisation, now, row.id)
    all_of_it = replace(row, delegated=found)
    staffs = staffing(house, who, facts)
    return [
        DelegationView(
            each.id,
            each.delegation.giver.id,
            each.receiver,
            list(each.compartments),
            each.ends_at,
        )
        for each in handed_in(house, caller, all_of_it, to_all=True)
        if staffs or caller.member in (each.delegation.giver.id, each.receiver)
    ]


def staffing(house: House, who: CaseworkerFacts, facts: CaseFileFacts) -> bool:
    """Tell whether *who* may end anybody's delegation, not only as who is assigned."""
    unassigned = replace(facts, assigned=False)
    return isinstance(house.gate.change(who, Action.END_DELEGATION, unassigned), Allowed)
