"""Words of the scenarios about break-glass: Sari of Komnas HAM breaks it, LPSK reviews."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from api.demo.synthetic import SARI
from tests.world import Answer, World

#: The security officer of LPSK, and that of Komnas HAM; BUDI is a supervisor there.
LPSK_OFFICER, OWN_OFFICER = "ketut", "tuti"

TEXT = "Telepon terakhir pukul dua, rumahnya dikepung dan penanggung jawab tidak menjawab."

BREAK = """mutation ($input: BreakGlassInput!) { breakGlass(input: $input) {
  breakGlassId endsAt waitsForSecondPerson signIn { error acrValues maxAge } errors { code } } }"""
APPROVE = """mutation ($id: ID!) { approveBreakGlass(id: $id) {
  breakGlassId endsAt signIn { error } errors { code } } }"""
END = """mutation ($id: ID!) { endBreakGlass(id: $id) { breakGlassId errors { code } } }"""
USES = """{ breakGlassUses { id agency leadAgency member caseFile reason compartments approvedBy
  startsAt endsAt endedAt reviewBy overdue yoursToReview } }"""
REVIEW = """mutation ($input: ReviewBreakGlassInput!) { reviewBreakGlass(input: $input) {
  reviewedAt errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { account withheld { field reason }
  defenders { id fullName phones presentLocation withheld { field reason } } } }"""


async def broken(
    world: World,
    *,
    by: str = SARI,
    file: object = None,
    compartments: Sequence[str] = ("IDENTITY", "CONTACT"),
    text: str | None = TEXT,
    token: str | None = None,
    purpose: str = "emergency",
) -> Answer:
    """Break glass for the case file to which Sari is not assigned."""
    given = {
        "caseFileId": str(file or world.records.closed_to_sari),
        "reason": "LIFE_IN_DANGER",
        "compartments": list(compartments),
        "text": text,
    }
    token = token or world.strong_token(by)
    return await world.ask(by, BREAK, {"input": given}, purpose=purpose, token=token)


async def broke(world: World, **options: Any) -> str:
    """Break glass without an error; give the id."""
    answer = await broken(world, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["breakGlass"]["breakGlassId"]
    return made


async def approve(
    world: World, made: str, *, by: str, token: str | None = None, purpose: str = "supervision"
) -> Answer:
    token = token or world.strong_token(by)
    return await world.ask(by, APPROVE, {"id": made}, purpose=purpose, token=token)


async def end(world: World, made: str, *, by: str = SARI) -> Answer:
    return await world.ask(by, END, {"id": made}, purpose="emergency")


async def uses(world: World, officer: str = LPSK_OFFICER) -> list[dict[str, Any]]:
    answer = await world.ask(officer, USES, face="oversight", purpose="quality_review")
    found: list[dict[str, Any]] = answer.data["breakGlassUses"]
    return found


async def review(
    world: World, made: str, *, by: str = LPSK_OFFICER, finding: str = "JUSTIFIED"
) -> Answer:
    given = {"input": {"id": made, "finding": finding}}
    return await world.ask(by, REVIEW, given, face="oversight", purpose="quality_review")


async def read(
    world: World, *, by: str = SARI, file: object = None, purpose: str = "emergency"
) -> Answer:
    asked = {"id": str(file or world.records.closed_to_sari)}
    return await world.ask(by, READ, asked, purpose=purpose)


async def opens(world: World, **options: Any) -> bool:
    """Tell whether the name of the first defender opens; nothing else may differ."""
    shown = (await read(world, **options)).data["caseFile"]["defenders"][0]
    return shown["fullName"] is not None


def codes(answer: Answer) -> list[str]:
    """Give the codes of the one payload."""
    [payload] = answer.data.values()
    return [error["code"] for error in payload["errors"]]


LONG = timedelta(hours=4)
