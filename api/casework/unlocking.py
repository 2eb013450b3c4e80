"""What the caller unlocked of a case file by breaking glass, from rows whose seals hold."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.chunks import Record
from api.casework.house import House
from api.policies.facts import CaseFileFacts
from api.store.case_files import CaseFileRow
from api.store.tables import RIGHTS
from api.vocabulary import Caller, Ground, RecordKind

_COLUMNS = RIGHTS["break_glass"]


@dataclass(frozen=True, slots=True)
class Unlocked:
    """One live grant, and the compartments that it names."""

    id: UUID
    compartments: tuple[str, ...]


def unlocked_in(house: House, caller: Caller, row: CaseFileRow) -> list[Unlocked]:
    """Give the grants that the caller's agency sealed for the caller and this case file."""
    found = []
    for cells in row.unlocked:
        if not rights.holds(house, caller.organisation, "break_glass", cells[:-1], cells[-1]):
            continue
        grant: dict[str, Any] = dict(zip(_COLUMNS, cells, strict=False))
        if (
            grant["case_file"] == row.id
            and grant["member"] == caller.member
            and grant["agency"] == caller.organisation
            and grant["lead_agency"] == row.lead_agency
        ):
            found.append(Unlocked(grant["id"], tuple(grant["compartments"].split(","))))
    return found


def with_unlocked(
    house: House, caller: Caller, row: CaseFileRow, facts: CaseFileFacts
) -> CaseFileFacts:
    """Add what the caller unlocked to the facts about *row*; nearly always nothing."""
    if not row.unlocked:
        return facts
    names = {c for grant in unlocked_in(house, caller, row) for c in grant.compartments}
    return unlocking(facts, names) if names else facts


def unlocking(facts: CaseFileFacts, names: set[str]) -> CaseFileFacts:
    """Give *facts* as they are with a grant that names these compartments."""
    flags: dict[str, Any] = {f"unlocks_{name}": True for name in names}
    return replace(facts, break_glass=True, **flags)


def grants_named(
    house: House, caller: Caller, row: CaseFileRow, ground: Ground | None
) -> tuple[Record, ...]:
    """Give what an event names beside its records, if it allows something on this ground."""
    if ground is not Ground.BREAK_GLASS:
        return ()
    found = unlocked_in(house, caller, row)
    return tuple((RecordKind.BREAK_GLASS, grant.id, 0) for grant in found)
