"""Words of the scenarios about referrals: Budi of Komnas HAM refers to LPSK, Hasan answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from api.demo.synthetic import BUDI, WAYAN
from tests.world import Answer, World

#: Supervisor and agency lead of LPSK; another protection officer, who is never assigned.
HASAN, INDAH, SURYA = "hasan", "indah", "surya"
#: Agency lead of Komnas HAM, and supervisor of Komnas Perempuan.
HARTONO, ENDANG = "hartono", "endang"

REFER = """mutation ($input: ReferCaseFileInput!) {
  referCaseFile(input: $input) { referralId errors { code } } }"""
ACCEPT = """mutation ($id: ID!) {
  acceptReferral(input: {referralId: $id}) { referralId errors { code } } }"""
DECLINE = """mutation ($id: ID!) {
  declineReferral(input: {referralId: $id}) { referralId errors { code } } }"""
END = """mutation ($id: ID!) {
  endReferral(input: {referralId: $id}) { referralId errors { code } } }"""
LIST = """query ($state: ReferralState) { referrals(state: $state) {
  id caseFile giver recipient purpose compartments fields defenders sensitivity until state
  declineReason } }"""
ASSIGN = """mutation ($input: AssignCaseworkerInput!) {
  assignCaseworker(input: $input) { assignmentId errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { reference leadAgency account sexualViolenceForms
  notes { body } withheld { field reason }
  defenders { id fullName nik phones presentLocation withheld { field compartment reason } } } }"""


def codes(answer: Answer) -> list[str]:
    """Give the codes of the one payload."""
    [payload] = answer.data.values()
    return [error["code"] for error in payload["errors"]]


async def refer(
    world: World,
    *,
    by: str = BUDI,
    file: object = None,
    to: str = "lpsk",
    compartments: Sequence[str] = ("IDENTITY", "CONTACT"),
    until: datetime | None = None,
    purpose: str = "referral",
    basis: str | None = None,
    override: Mapping[str, str] | None = None,
) -> Answer:
    """Refer the case file that is open to Sari."""
    given = {
        "caseFileId": str(file or world.records.open_to_sari),
        "recipient": to,
        "purpose": "PROTECTION",
        "compartments": list(compartments),
        "until": (until or world.clock() + timedelta(days=30)).isoformat(),
        "override": override,
    }
    return await world.ask(by, REFER, {"input": given}, purpose=purpose, basis=basis)


async def referred(world: World, **options: Any) -> str:
    """Refer, and give the id."""
    answer = await refer(world, **options)
    assert codes(answer) == []
    made: str = answer.data["referCaseFile"]["referralId"]
    return made


async def say(
    world: World, what: str, referral: str, *, by: str = HASAN, purpose: str = "referral"
) -> Answer:
    """Accept, decline or end."""
    return await world.ask(by, what, {"id": referral}, purpose=purpose)


async def assign(world: World, who: str = WAYAN, *, by: str = HASAN) -> Answer:
    """Assign somebody of the recipient to the case file that was referred."""
    given = {
        "caseFileId": str(world.records.open_to_sari),
        "memberId": str(world.records.member(who).id),
        "until": (world.clock() + timedelta(days=300)).isoformat(),
    }
    return await world.ask(by, ASSIGN, {"input": given}, purpose="supervision")


async def accepted(world: World, **options: Any) -> str:
    """Refer, accept and assign Wayan; give the id."""
    referral = await referred(world, **options)
    assert codes(await say(world, ACCEPT, referral)) == []
    assert codes(await assign(world)) == []
    return referral


async def read(world: World, who: str = WAYAN, purpose: str = "protection") -> Answer:
    """Read the case file that is open to Sari."""
    return await world.ask(who, READ, {"id": str(world.records.open_to_sari)}, purpose=purpose)
