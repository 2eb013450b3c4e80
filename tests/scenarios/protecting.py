"""Words of the scenarios about protection: measures, emergency protection and the plan."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from api.demo.synthetic import BUDI, SARI
from tests.scenarios.erasing import add_lead
from tests.scenarios.referring import ACCEPT, INDAH, assign, referred, say
from tests.world import Answer, World

#: A second lead of LPSK, and a third.
UTAMI, RAKA = "utami", "raka"

_MEASURE = "{ measureId revision status errors { code } }"
_EMERGENCY = "{ emergencyProtectionId state signaturesMissing ratifyBy errors { code message } }"

REQUEST = (
    "mutation ($input: RequestMeasureInput!) { requestMeasure(input: $input) " + _MEASURE + "}"
)
STEP = "mutation ($input: MeasureStepInput!) { %sMeasure(input: $input) " + _MEASURE + "}"
GRANT = (
    "mutation ($input: GrantEmergencyProtectionInput!) { grantEmergencyProtection(input: $input) "
    + _EMERGENCY
    + "}"
)
APPROVE = (
    "mutation ($input: ApproveEmergencyProtectionInput!) { "
    "approveEmergencyProtection(input: $input) " + _EMERGENCY + "}"
)
RATIFY = (
    "mutation ($input: RatifyEmergencyProtectionInput!) { "
    "ratifyEmergencyProtection(input: $input) " + _EMERGENCY + "}"
)
MEET = """mutation ($input: MeetRequirementInput!) { meetRequirement(input: $input) {
  metAt errors { code } } }"""
ADD = """mutation ($input: AddPlanStepInput!) { addPlanStep(input: $input) {
  planStepId errors { code } } }"""
COMPLETE = """mutation ($input: CompletePlanStepInput!) { completePlanStep(input: $input) {
  completedAt errors { code } } }"""

READ = """query ($id: ID!) { caseFile(id: $id) { revision measureKinds
  measures { id agency kind status emergencyProtectionId startsOn endsOn endedAt revision
    trueKind provider cost }
  emergencyProtections { id agency ground state quorum grantedAt warnFrom ratifyBy decidedOn
    votesFor votesAgainst words requirements { id code dueAt metAt overdue } }
  plan { id agency owner dueOn completedAt overdue what }
  withheld { field compartment reason } } }"""

HOUSE = "Rumah Aman Kenanga, Jalan Melati 4"


def measure(world: World, **changed: Any) -> dict[str, Any]:
    """Write a measure as it is typed: a safe house from today on, for two weeks."""
    today = world.clock().date()
    return {
        "kind": "safe_house",
        "startsOn": today.isoformat(),
        "endsOn": (today + timedelta(days=14)).isoformat(),
        "provider": HOUSE,
        "cost": "12500000",
        **changed,
    }


async def request(
    world: World,
    *,
    by: str = SARI,
    file: object = None,
    given: Mapping[str, Any] | None = None,
    purpose: str = "protection",
) -> Answer:
    """Request a measure for the case file that is open to Sari."""
    wanted = {
        "caseFileId": str(file or world.records.open_to_sari),
        "measure": given or measure(world),
    }
    return await world.ask(by, REQUEST, {"input": wanted}, purpose=purpose)


async def requested(world: World, **options: Any) -> str:
    """Request without an error; give the id."""
    answer = await request(world, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["requestMeasure"]["measureId"]
    return made


async def step(
    world: World,
    what: str,
    made: object,
    revision: int,
    *,
    by: str = BUDI,
    purpose: str = "protection",
) -> Answer:
    """Approve, start or end a measure."""
    given = {"measureId": str(made), "revision": revision}
    return await world.ask(by, STEP % what, {"input": given}, purpose=purpose)


async def grant(
    world: World,
    *,
    by: str = INDAH,
    file: object = None,
    measures: Sequence[Mapping[str, Any]] | None = None,
    suspect: bool = False,
    requirements: Sequence[str] = ("written_application", "chronology"),
    words: str = "Dua orang bersenjata menunggu di depan rumah.",
    purpose: str = "emergency",
) -> Answer:
    """Propose emergency protection, as Indah of LPSK, for the case file that is open to Sari."""
    given = {
        "caseFileId": str(file or world.records.open_to_sari),
        "ground": "THREAT_TO_LIFE",
        "measures": [measure(world)] if measures is None else list(measures),
        "requirements": list(requirements),
        "suspect": suspect,
        "words": words,
    }
    return await world.ask(by, GRANT, {"input": given}, purpose=purpose)


async def proposed(world: World, **options: Any) -> str:
    answer = await grant(world, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["grantEmergencyProtection"]["emergencyProtectionId"]
    return made


async def approve(
    world: World, made: object, *, by: str = UTAMI, purpose: str = "emergency"
) -> Answer:
    given = {"emergencyProtectionId": str(made)}
    return await world.ask(by, APPROVE, {"input": given}, purpose=purpose)


async def ratify(
    world: World, made: object, *, by: str = UTAMI, votes: tuple[int, int] = (6, 1), **more: Any
) -> Answer:
    given = {
        "emergencyProtectionId": str(made),
        "votesFor": votes[0],
        "votesAgainst": votes[1],
        "decidedOn": world.clock().date().isoformat(),
        **more,
    }
    return await world.ask(by, RATIFY, {"input": given}, purpose="supervision")


async def shared_with_lpsk(
    world: World, compartments: Sequence[str] = ("IDENTITY", "CONTACT"), assigned: str = "wayan"
) -> None:
    """Refer the case file that is open to Sari to LPSK, which has two leads and accepts."""
    await add_lead(world, INDAH, UTAMI)
    made = await referred(world, compartments=compartments)
    assert codes(await say(world, ACCEPT, made)) == []
    assert codes(await assign(world, assigned)) == []


async def read(
    world: World, by: str = SARI, file: object = None, purpose: str = "protection"
) -> dict[str, Any]:
    """Read what protects the people in the case file that is open to Sari."""
    given = {"id": str(file or world.records.open_to_sari)}
    answer = await world.ask(by, READ, given, purpose=purpose)
    found: dict[str, Any] = answer.data["caseFile"]
    return found


def codes(answer: Answer) -> list[str]:
    """Give the codes of the one payload."""
    [payload] = answer.data.values()
    return [error["code"] for error in payload["errors"]]
