"""What goes over with a case file when another agency comes to lead it, and what is in the way.

The digest covers every row by which the giver decides: whatever changes one of them after it
signed makes the handover void, and it signs anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import structlog

from api.casework import rights
from api.casework.closed import proven, waits
from api.casework.house import House
from api.casework.merged import over
from api.casework.protection_state import ended_at, lapsed_at
from api.crypto.data_keys import WrappedKey
from api.crypto.rights import Cell, signed_message
from api.database import Connection
from api.errors import KeysUnavailable, SealBroken, ValueInvalid
from api.store import key_wraps, leads
from api.store.leads import HANDED, STAYING, Part, Row
from api.store.tables import RIGHTS
from api.vocabulary import Compartment, LeadObstacle

_log = structlog.get_logger("perisai.lead_inventory")


@dataclass(frozen=True, slots=True)
class Inventory:
    """The rows about one case file, by table, as they stand.

    Attributes:
        attachments: the newest wraps of their keys for the agency that leads.
        elsewhere: a defender is in another case file, too.
    """

    case_file: UUID
    handed: Mapping[str, Sequence[Row]]
    staying: Mapping[str, Sequence[Row]]
    attachments: Sequence[WrappedKey]
    elsewhere: bool


async def taken_stock(connection: Connection, case_file: UUID, lead: str) -> Inventory:
    """Read what is there of *case_file*, which *lead* leads."""
    handed = await _rows(connection, HANDED, case_file)
    # Another agency may have declared some of the same case file.
    handed["tie"] = [row for row in handed["tie"] if row["agency"] == lead]
    files = [row["id"] for row in handed["attachment"]]
    stored = await key_wraps.of_records(connection, lead, files, [Compartment.DOCUMENTS])
    newest = {wrap.record: wrap for wrap, _ in sorted(stored, key=lambda key: key.wrap.version)}
    return Inventory(
        case_file,
        handed,
        await _rows(connection, STAYING, case_file),
        [newest[record] for record in sorted(newest)],
        await leads.are_elsewhere(connection, case_file),
    )


async def _rows(
    connection: Connection, parts: Sequence[Part], case_file: UUID
) -> dict[str, list[Row]]:
    return {part.table.name: await leads.read(connection, part, case_file) for part in parts}


def digest_of(inventory: Inventory) -> str:
    """Give the digest of all rows, in hexadecimal: what is signed of them.

    Raises:
        SealBroken: a row is of a kind that no sealed row has.
    """
    digest = sha256()
    try:
        for table, rows in (*inventory.handed.items(), *inventory.staying.items()):
            for row in rows:
                digest.update(signed_message(table, [row[name] for name in RIGHTS[table]]))
        for wrap in inventory.attachments:
            cells: list[Cell] = [wrap.record, wrap.version, wrap.commitment.hex()]
            digest.update(signed_message("data_key", cells))
    except (AttributeError, OverflowError, TypeError, ValueInvalid):
        pass  # Raised below, so that the error does not hold a value as its context.
    else:
        return digest.hexdigest()
    raise SealBroken


def check_handed(house: House, inventory: Inventory, lead: str) -> None:
    """Pass where *lead*, whose keys are here, sealed every row that it hands over.

    Raises:
        SealBroken: a row was written by hand; it is reported.
    """
    for part in HANDED:
        table = part.table.name
        for row in inventory.handed[table]:
            if part.agency is not None and row[part.agency] != lead:
                _log.error("seal_broken", table=table, owner=lead)
                raise SealBroken
            if not _holds(house, table, row, lead):
                raise SealBroken
    if len(inventory.attachments) < len(inventory.handed["attachment"]):
        raise SealBroken


def obstacles(
    house: House, inventory: Inventory, lead: str, referral: UUID | None, now: datetime
) -> list[LeadObstacle]:
    """Say what *lead* has to end before; what is not proven to be over stands.

    Args:
        referral: by which the lead changes, which is none.
    """
    return sorted(_obstacles(house, inventory, lead, referral, now))


def _obstacles(
    house: House, inventory: Inventory, lead: str, referral: UUID | None, now: datetime
) -> set[LeadObstacle]:
    found: set[LeadObstacle] = set()
    handed, staying = inventory.handed, inventory.staying

    def own(table: str, agency: str = "agency") -> list[Row]:
        return [row for row in staying[table] if row[agency] == lead]

    def unproven(table: str, row: Row) -> bool:
        return not _holds(house, table, row, lead)

    if any(waits(row) or not proven(house, lead, row) for row in handed["closing"]):
        found.add(LeadObstacle.CLOSING)
    if inventory.elsewhere:
        found.add(LeadObstacle.DEFENDER)
    emergencies = {row["id"]: row for row in staying["emergency_protection"]}
    standing = {id_ for id_, row in emergencies.items() if lapsed_at(row, now) is None}
    if any(
        unproven("emergency_protection", row) or row["id"] in standing
        for row in own("emergency_protection")
    ):
        found.add(LeadObstacle.EMERGENCY_PROTECTION)
    if any(
        unproven("erasure", row) or (row["done_at"] is None and row["withdrawn_at"] is None)
        for row in own("erasure")
    ):
        found.add(LeadObstacle.ERASURE)
    if any(
        not _holds(house, "legal_hold", row, row["agency"])
        or (row["lifted_at"] is None and (row["until"] is None or now < row["until"]))
        for row in handed["legal_hold"]
    ):
        found.add(LeadObstacle.LEGAL_HOLD)
    if any(
        unproven("measure", row) or ended_at(row, emergencies.get(row["emergency"]), now) is None
        for row in own("measure")
    ):
        found.add(LeadObstacle.MEASURE)
    done = {
        row["plan_step"] for row in own("plan_step_done") if not unproven("plan_step_done", row)
    }
    if any(
        (row["agency"] == lead and unproven("plan_step", row))
        or (row["owner"] == lead and row["id"] not in done)
        for row in staying["plan_step"]
    ):
        found.add(LeadObstacle.PLAN_STEP)
    if any(unproven("defender_merge", row) or not over(row) for row in own("defender_merge")):
        found.add(LeadObstacle.MERGE)
    if any(
        row["id"] != referral and (unproven("referral", row) or row["renewed_event"] is None)
        for row in own("referral", "giver")
    ):
        found.add(LeadObstacle.REFERRAL)
    if any(
        unproven("requirement", row) or (row["met_at"] is None and row["emergency"] in standing)
        for row in own("requirement")
    ):
        found.add(LeadObstacle.REQUIREMENT)
    return found


def _holds(house: House, table: str, row: Row, agency: str) -> bool:
    try:
        values = [row[name] for name in RIGHTS[table]]
        return rights.holds(house, agency, table, values, row["seal"])
    except KeysUnavailable:
        return False  # Of an agency whose seals this process cannot check.
