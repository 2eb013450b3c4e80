"""Who is this caller, by rows whose seals hold? Facts for the gate come from here.

A row that somebody wrote into the database without the agency's key counts for
nothing: it is left out of the facts and reported by table, never by content.
"""

from collections.abc import Sequence
from typing import Any

import structlog

from api.casework.house import House
from api.database import Connection
from api.errors import NotForThisFace, PurposeMissing, ValueInvalid
from api.policies.facts import CaseworkerFacts
from api.store import members
from api.store.members import MemberRow
from api.store.tables import RIGHTS
from api.vocabulary import CASEWORK_ROLES, Caller

_log = structlog.get_logger("perisai.rights")


def holds(house: House, owner: str, table: str, values: Sequence[Any], seal: bytes) -> bool:
    """Tell whether *owner* sealed this row as it stands; report it where not."""
    try:
        if house.keyring.rights(owner).holds(table, values, seal):
            return True
    except (OverflowError, TypeError, ValueInvalid):
        pass  # Of a kind that no sealed row has: SQLite keeps such values in any column.
    _log.error("seal_broken", table=table, owner=owner)
    return False


def sealed_row(house: House, owner: str, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Give *row* with the seal of *owner* over the columns that RIGHTS names."""
    values = [row.get(column) for column in RIGHTS[table]]
    return {**row, "seal": house.keyring.rights(owner).seal(table, values)}


async def member_behind(
    house: House, connection: Connection, organisation: str, subject: str
) -> MemberRow | None:
    """Read the member behind a token; None: nobody of that name, or a row without a seal."""
    row = await members.by_subject(connection, organisation, subject)
    return row if row is not None and _proven(house, row) else None


def _proven(house: House, row: MemberRow) -> bool:
    return holds(house, row.organisation, "member", row.seal_values, row.seal)


async def member_of(house: House, snapshot: Connection, caller: Caller) -> MemberRow:
    """Read the caller's own row again, in the snapshot in which is decided.

    With it comes whether the policy is still the one in force: whatever the request decides
    from here on it decides under the one that the snapshot shows.

    Raises:
        NotForThisFace: it is gone, disabled, without a seal, or says something else now.
        PolicyChanged: the request decided something before, under another policy.
        LogUnavailable: a policy was adopted of which the log cannot be told.
    """
    held = 0 if house.policies is None else house.policies.number
    row = await members.by_id(snapshot, caller.member, held)
    if row is None or not row.live or not _proven(house, row):
        raise NotForThisFace
    if row.organisation != caller.organisation or row.role != caller.role:
        raise NotForThisFace
    if house.policies is not None:
        await house.policies.follow(house, snapshot, held, row.policy)
    house.gate.settle()
    return row


async def caseworker(house: House, snapshot: Connection, caller: Caller) -> CaseworkerFacts:
    """Build the facts about a caseworker who declared a purpose.

    Raises:
        PurposeMissing: none was declared.
        NotForThisFace: no casework role, or the member no longer stands.
    """
    if caller.purpose is None:
        raise PurposeMissing
    row = await member_of(house, snapshot, caller)
    if caller.role not in CASEWORK_ROLES:
        raise NotForThisFace
    return CaseworkerFacts(
        row.organisation, row.role, row.clearance, row.trained, str(caller.purpose.value)
    )
