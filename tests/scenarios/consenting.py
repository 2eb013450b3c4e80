"""Words of the scenarios about consents: Sari of Komnas HAM records and withdraws them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from api.demo.synthetic import BUDI, SARI
from tests.scenarios.asking import as_key, first_defender
from tests.world import Answer, World

#: A case officer of Komnas HAM who is not assigned to the case file that is open to Sari.
RIZAL = "rizal"

RECORD = """mutation ($input: RecordConsentInput!) {
  recordConsent(input: $input) { consentId errors { code } } }"""
WITHDRAW = """mutation ($id: ID!, $text: String) {
  withdrawConsent(input: {consentId: $id}, reasonText: $text) { stopBy errors { code } } }"""
CONSENTS = """query ($id: ID!) { caseFile(id: $id) { consents {
    id defender recipient compartments purpose until form recordedBy recordedAt event
    withdrawnAt stopBy stands }
  reasons { record event text } } }"""
TAKE_BACK = """mutation ($id: ID!) {
  withdrawReferral(input: {referralId: $id}) { referralId errors { code } } }"""
REVIEW = """mutation ($id: ID!) {
  reviewOverride(input: {referralId: $id}) { reviewedAt errors { code } } }"""
TO_REVIEW = """query ($first: Int!) { overridesToReview(first: $first) {
  referral caseFile recipient reason decidedBy decidedAt event state } }"""

#: Somebody is in danger and cannot be asked.
OVERRIDE = {"reason": "CANNOT_BE_ASKED", "text": "Ia ditahan dan tidak dapat dihubungi."}
VITAL: dict[str, Any] = {"basis": "vital_interest", "override": OVERRIDE}


async def record(
    world: World,
    *,
    by: str = SARI,
    file: object = None,
    defender: object = None,
    to: str | None = "lpsk",
    compartments: Sequence[str] = ("IDENTITY", "CONTACT"),
    until: datetime | None = None,
    asked_for: str = "PROTECTION",
    conditions: str | None = None,
    purpose: str = "protection",
) -> Answer:
    """Record what the first defender of the case file that is open to Sari agreed to."""
    person = first_defender(world, world.records.open_to_sari).id
    given = {
        "caseFileId": str(file or world.records.open_to_sari),
        "defenderId": str(defender or person),
        "recipient": to,
        "compartments": list(compartments),
        "purpose": asked_for,
        "until": (until or world.clock() + timedelta(days=60)).isoformat(),
        "form": "WRITTEN",
        "conditions": conditions,
    }
    return await world.ask(by, RECORD, {"input": given}, purpose=purpose)


async def recorded(world: World, **options: Any) -> str:
    """Record, and give the id."""
    answer = await record(world, **options)
    made: str | None = answer.data["recordConsent"]["consentId"]
    assert made is not None, answer.text
    return made


async def withdraw(
    world: World,
    consent: str,
    *,
    by: str = SARI,
    purpose: str = "protection",
    words: str | None = None,
) -> Answer:
    return await world.ask(by, WITHDRAW, {"id": consent, "text": words}, purpose=purpose)


async def consents(
    world: World, by: str = SARI, purpose: str = "protection", file: object = None
) -> list[dict[str, Any]]:
    """Read the consents for the case file that is open to Sari, newest first."""
    given = {"id": str(file or world.records.open_to_sari)}
    answer = await world.ask(by, CONSENTS, given, purpose=purpose)
    found: list[dict[str, Any]] = answer.data["caseFile"]["consents"]
    return found


async def nobody_agreed(world: World) -> None:
    """Take away what the defenders of the demo agreed to."""
    await world.run("delete from consent")


def file_key(world: World) -> Any:
    return as_key(world, world.records.open_to_sari)


async def to_review(world: World, by: str = BUDI, purpose: str = "supervision") -> Answer:
    return await world.ask(by, TO_REVIEW, {"first": 10}, purpose=purpose)
