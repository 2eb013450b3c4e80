"""Asking for erasures and holds over HTTP, and looking at what is left in the rows."""

import dataclasses
from typing import Any
from uuid import UUID, uuid4

from api.casework.provisioning import add_members
from api.demo.synthetic import BUDI
from api.vocabulary import MemberId, RecordKind, Role
from tests.inside import exchanged
from tests.scenarios.asking import as_key
from tests.world import Answer, World

#: The lead of Komnas HAM; BUDI is a supervisor there.
LEAD = "hartono"

REQUEST = """mutation ($input: RequestErasureInput!) {
  requestErasure(input: $input) { erasureId at errors { code } } }"""
APPROVE = """mutation ($input: EndErasureInput!) {
  approveErasure(input: $input) { erasureId at errors { code } } }"""
DECLINE = """mutation ($input: EndErasureInput!) {
  declineErasure(input: $input) { erasureId at errors { code } } }"""
PLACE = """mutation ($input: PlaceLegalHoldInput!) {
  placeLegalHold(input: $input) { holdId errors { code } } }"""
LIFT = """mutation ($input: LiftLegalHoldInput!) {
  liftLegalHold(input: $input) { holdId errors { code } } }"""
PREVIEW = """query ($kind: RecordKind!, $id: ID!) { erasurePreview(kind: $kind, recordId: $id) {
  parts { name rows } wraps { name rows } releases defendersRemaining holds erased } }"""
WAITING = """{ erasures { erasures { id kind record reason requestedBy }
  legalHolds { id kind record reason placedBy until } } }"""

DEFENDER, CASE_FILE = RecordKind.DEFENDER, RecordKind.CASE_FILE


async def add_lead(world: World, like: str, subject: str) -> None:
    """Give the agency of *like*, who leads it, a second lead."""
    first = world.records.member(like)
    second = dataclasses.replace(first, id=MemberId(uuid4()), subject=subject)
    row = {
        "id": second.id,
        "organisation": str(first.organisation),
        "subject": subject,
        "role": Role.AGENCY_LEAD.value,
        "clearance": 4,
        "trained": 0,
        "disabled_at": None,
    }
    async with exchanged(world) as inside:
        await add_members(inside.house, str(first.organisation), [row])
    members = (*world.records.members, second)
    world.records = dataclasses.replace(world.records, members=members)


def of(kind: RecordKind, record: object, **more: Any) -> dict[str, Any]:
    return {"input": {"kind": kind.name, "recordId": str(record), **more}}


async def request(
    world: World,
    kind: RecordKind,
    record: object,
    *,
    by: str = BUDI,
    purpose: str | None = "subject_request",
) -> Answer:
    given = of(kind, record, reason="SUBJECT_REQUEST")
    return await world.ask(by, REQUEST, given, purpose=purpose)


async def end(
    world: World,
    what: str,
    kind: RecordKind,
    record: object,
    erasure_id: str,
    *,
    by: str = LEAD,
    purpose: str | None = "subject_request",
) -> Answer:
    return await world.ask(by, what, of(kind, record, erasureId=erasure_id), purpose=purpose)


async def place(
    world: World, kind: RecordKind, record: object, *, by: str = LEAD, until: str | None = None
) -> Answer:
    given = of(kind, record, reason="COURT_PROCEEDING", until=until)
    return await world.ask(by, PLACE, given, purpose="subject_request")


async def lift(world: World, kind: RecordKind, record: object, hold_id: str, *, by: str) -> Answer:
    return await world.ask(by, LIFT, of(kind, record, holdId=hold_id), purpose="supervision")


async def preview(
    world: World, kind: RecordKind, record: object, *, by: str = BUDI
) -> dict[str, Any]:
    asked = {"kind": kind.name, "id": str(record)}
    answer = await world.ask(by, PREVIEW, asked, purpose="supervision")
    found: dict[str, Any] = answer.data["erasurePreview"]
    found["parts"] = {part["name"]: part["rows"] for part in found["parts"]}
    found["wraps"] = {part["name"]: part["rows"] for part in found["wraps"]}
    return found


def made(answer: Answer) -> str:
    """Give the id of what was made without an error."""
    [payload] = answer.data.values()
    assert payload["errors"] == []
    found: str = payload.get("erasureId") or payload["holdId"]
    return found


def codes(answer: Answer) -> list[str]:
    [payload] = answer.data.values()
    return [error["code"] for error in payload["errors"]]


async def erase(world: World, kind: RecordKind, record: object) -> None:
    """Erase *record* as two persons do."""
    asked = made(await request(world, kind, record))
    assert codes(await end(world, APPROVE, kind, record, asked)) == []


async def rows_of(world: World, record: UUID) -> dict[str, int]:
    """Count what opens or finds *record*, by table."""
    key = as_key(world, record)
    where = {"data_key": "record", "manifest": "record", "defender_tag": "defender"}
    return {
        table: (await world.run(f"select count(*) from {table} where {column} = ?", (key,)))[0][0]
        for table, column in where.items()
    }


async def sealed_of(world: World, kind: RecordKind, record: UUID) -> list[bytes]:
    """Give every sealed value of *record*, those of the notes of a case file too."""
    key = as_key(world, record)
    columns = {
        DEFENDER: "full_name, aliases, nik, family_card, date_of_birth, gender, nationality, "
        "sealed_categories, phones, emails, home_address, present_location",
        CASE_FILE: "account, adversary_institutions, sexual_violence_forms",
    }[kind]
    [row] = await world.run(f"select {columns} from {kind.value} where id = ?", (key,))
    notes = await world.run("select body from note where case_file = ?", (key,))
    return [bytes(value) for value in (*row, *(body for (body,) in notes))]


async def mark_of(world: World, kind: RecordKind, record: UUID) -> object:
    key = as_key(world, record)
    [[mark]] = await world.run(f"select erased_at from {kind.value} where id = ?", (key,))
    return mark
