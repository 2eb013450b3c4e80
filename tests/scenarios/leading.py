"""Words of the scenarios about who leads: Budi of Komnas HAM proposes to LPSK, Hasan accepts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.demo.synthetic import BUDI
from tests.scenarios.consenting import OVERRIDE, REVIEW
from tests.scenarios.living import revision
from tests.scenarios.referring import HARTONO, HASAN, INDAH, codes, say
from tests.world import Answer, World

PREVIEW = """query ($id: ID!) { leadPreview(caseFileId: $id) {
  revision compartments fields parts { name rows } obstacles } }"""
PROPOSE = """mutation ($input: ProposeLeadInput!) {
  proposeLead(input: $input) { referralId errors { code } } }"""
ACCEPT_LEAD = """mutation ($id: ID!) {
  acceptLead(input: {referralId: $id}) { referralId errors { code } } }"""
#: All that a person who works on a case file reads of it.
ALL = """query ($id: ID!) { caseFile(id: $id) { reference leadAgency status urgency revision
  respondBy account sexualViolenceForms adversaryInstitutions notes { body }
  attachments { id name } reasons { text } incidents { incidentAccount }
  adversaries { adversaryName adversaryInstitution } riskAssessments { riskAccount }
  closings { id } consents { id } withheld { field reason }
  defenders { id fullName nik phones presentLocation withheld { field reason } } } }"""

#: The tables in which anything of it stands.
TABLES = ("lead_proposal", "lead_acceptance", "lead_handover", "lead_share")


async def preview(world: World, *, by: str = BUDI, file: object = None) -> dict[str, Any]:
    answer = await world.ask(
        by, PREVIEW, {"id": str(file or world.records.open_to_sari)}, purpose="referral"
    )
    found: dict[str, Any] = answer.data["leadPreview"]
    return found


async def propose(
    world: World,
    *,
    by: str = BUDI,
    file: Any = None,
    to: str = "lpsk",
    at: int | None = None,
    basis: str | None = "vital_interest",
    override: Mapping[str, str] | None = OVERRIDE,
    purpose: str = "referral",
) -> Answer:
    """Propose that another agency leads the case file that is open to Sari."""
    file = file or world.records.open_to_sari
    given = {
        "caseFileId": str(file),
        "revision": await revision(world, file) if at is None else at,
        "recipient": to,
        "purpose": "PROTECTION",
        "until": (world.clock() + timedelta(days=30)).isoformat(),
        "override": override,
    }
    return await world.ask(by, PROPOSE, {"input": given}, purpose=purpose, basis=basis)


async def proposed(world: World, *, reviewed: bool = True, **options: Any) -> str:
    """Propose, have a second person review that it is without consent, and give the id."""
    answer = await propose(world, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["proposeLead"]["referralId"]
    if reviewed:
        second = {BUDI: HARTONO, HASAN: INDAH}[options.get("by", BUDI)]
        assert codes(await say(world, REVIEW, made, by=second, purpose="supervision")) == []
    return made


async def accept(world: World, referral: str, *, by: str = HASAN) -> Answer:
    return await say(world, ACCEPT_LEAD, referral, by=by)


async def led(world: World, **options: Any) -> str:
    """Let LPSK lead it; give the id of the referral."""
    referral = await proposed(world, **options)
    answer = await accept(world, referral)
    assert codes(answer) == [], answer.text
    return referral


async def lead_of(world: World, file: object = None) -> str:
    """Say whose the row of the case file says that it is."""
    [[slug]] = await world.run(
        "select lead_agency from case_file where reference ="
        " (select reference from case_file where id = ?)",
        [_key(world, file)],
    )
    return str(slug)


def _key(world: World, file: Any) -> Any:
    record = file or world.records.open_to_sari
    return record if world.kind == "postgresql" else record.hex


async def read(world: World, who: str, purpose: str = "protection", file: object = None) -> Answer:
    given = {"id": str(file or world.records.open_to_sari)}
    return await world.ask(who, ALL, given, purpose=purpose)
