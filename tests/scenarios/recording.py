"""Recording incidents, adversaries and risk over HTTP, and reading them back."""

from typing import Any
from uuid import UUID

from api.demo.synthetic import SARI
from tests.scenarios.living import revision
from tests.world import Answer, World

RECORD = """mutation ($input: RecordIncidentInput!) {
  recordIncident(input: $input) { incidentId version revision errors { code } } }"""
CORRECT = """mutation ($input: CorrectIncidentInput!) {
  correctIncident(input: $input) { incidentId version revision errors { code } } }"""
ADVERSARY = """mutation ($input: RecordAdversaryInput!) {
  recordAdversary(input: $input) { adversaryId revision errors { code } } }"""
ASSESS = """mutation ($input: AssessRiskInput!) {
  assessRisk(input: $input) { assessmentId revision errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { revision urgency incidentKinds adversaryKinds
  incidents { id incidentId version newest author writtenAt kind happenedFrom happenedTo province
    adversaries incidentAccount incidentForms }
  adversaries { id author writtenAt kind adversaryName adversaryInstitution adversaryUnit
    adversaryRelation }
  riskAssessments { id author writtenAt likelihood impact urgency riskAccount }
  withheld { field compartment reason } } }"""
TIMELINE = """query ($id: ID!, $first: Int!) { caseFile(id: $id) {
  timeline(first: $first) { at kind actor recordId status subject } } }"""

#: Nothing of it stands in clear anywhere.
ACCOUNT = "Rumah pelapor dilempari batu oleh empat orang bermotor."
NAME = "Bripka Sutarno"
GROUNDS = "Pelaku mengulangi ancaman di depan dua saksi."


async def read(world: World, file: object, by: str = SARI, **options: Any) -> dict[str, Any]:
    answer = await world.ask(by, READ, {"id": str(file)}, **options)
    found: dict[str, Any] = answer.data["caseFile"]
    return found


async def record(world: World, file: object, *, by: str = SARI, **given: Any) -> Answer:
    purpose = given.pop("purpose", "protection")
    incident = {"kind": "raid", "happenedFrom": "2026-10-20", "account": ACCOUNT, **given}
    return await world.ask(
        by, RECORD, {"input": {"caseFileId": str(file), **incident}}, purpose=purpose
    )


async def recorded(world: World, file: object, **given: Any) -> str:
    answer = await record(world, file, **given)
    payload = answer.data["recordIncident"]
    assert payload["errors"] == [], answer.text
    made: str = payload["incidentId"]
    return made


async def correct(
    world: World, file: object, incident: str, version: int, *, by: str = SARI, **given: Any
) -> Answer:
    purpose = given.pop("purpose", "protection")
    named = {"caseFileId": str(file), "incidentId": incident, "version": version}
    return await world.ask(by, CORRECT, {"input": {**named, **given}}, purpose=purpose)


async def accuse(world: World, file: object, *, by: str = SARI, **given: Any) -> Answer:
    purpose = given.pop("purpose", "protection")
    adversary = {"kind": "police", "name": NAME, **given}
    return await world.ask(
        by, ADVERSARY, {"input": {"caseFileId": str(file), **adversary}}, purpose=purpose
    )


async def accused(world: World, file: object, **given: Any) -> str:
    answer = await accuse(world, file, **given)
    payload = answer.data["recordAdversary"]
    assert payload["errors"] == [], answer.text
    made: str = payload["adversaryId"]
    return made


async def assess(
    world: World, file: UUID, *, by: str = SARI, at: int | None = None, **given: Any
) -> Answer:
    purpose = given.pop("purpose", "protection")
    risk = {"likelihood": 4, "impact": 4, "urgency": "IMMEDIATE", "account": GROUNDS, **given}
    seen = await revision(world, file) if at is None else at
    named = {"caseFileId": str(file), "revision": seen}
    return await world.ask(by, ASSESS, {"input": {**named, **risk}}, purpose=purpose)


async def timeline(
    world: World, file: object, by: str = SARI, first: int = 100, **options: Any
) -> list[dict[str, Any]]:
    given = {"id": str(file), "first": first}
    answer = await world.ask(by, TIMELINE, given, **options)
    found: list[dict[str, Any]] = answer.data["caseFile"]["timeline"]
    return found
