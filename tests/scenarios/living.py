"""Taking case files through their life over HTTP."""

from typing import Any
from uuid import UUID

from api.demo.synthetic import BUDI, SARI
from tests.scenarios.asking import as_key
from tests.world import Answer, World

#: The lead of Komnas HAM; BUDI is a supervisor there, SARI works on a case file of it.
LEAD = "hartono"

ADVANCE = """mutation ($input: AdvanceCaseFileInput!) {
  advanceCaseFile(input: $input) { revision status errors { code } } }"""
REQUEST = """mutation ($input: RequestClosingInput!) {
  requestClosing(input: $input) { closingId revision at errors { code } } }"""
APPROVE = """mutation ($input: ApproveClosingInput!) {
  approveClosing(input: $input) { closingId revision at errors { code } } }"""
DECLINE = """mutation ($input: DeclineClosingInput!) {
  declineClosing(input: $input) { closingId revision at errors { code } } }"""
REOPEN = """mutation ($input: ReopenCaseFileInput!) {
  reopenCaseFile(input: $input) { revision status errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { revision status reasons { text } closings {
  id reason requestedBy requestedAt approvedBy closedAt declinedBy declinedAt
  reopenedBy reopenedAt } } }"""


def codes(answer: Answer) -> list[str]:
    [payload] = answer.data.values()
    return [error["code"] for error in payload["errors"]]


async def looked_at(world: World, file: object, by: str = SARI, **options: Any) -> dict[str, Any]:
    """Read the case file as *by*, who works on it."""
    answer = await world.ask(by, READ, {"id": str(file)}, **options)
    found: dict[str, Any] = answer.data["caseFile"]
    return found


async def revision(world: World, file: UUID) -> int:
    key = as_key(world, file)
    [[found]] = await world.run("select revision from case_file where id = ?", [key])
    return int(found)


async def stand(world: World, file: UUID, status: str) -> None:
    """Let a case file stand somewhere, by hand: the status is under no seal."""
    await world.run("update case_file set status = ? where id = ?", [status, as_key(world, file)])


async def advance(
    world: World, file: UUID, to: str, *, by: str = SARI, at: int | None = None, **options: Any
) -> Answer:
    given = {
        "caseFileId": str(file),
        "revision": await revision(world, file) if at is None else at,
        "to": to,
        "reasonText": options.pop("text", None),
    }
    return await world.ask(by, ADVANCE, {"input": given}, **options)


async def request(
    world: World, file: UUID, *, by: str = SARI, reason: str = "threat_ended", **options: Any
) -> Answer:
    given = {
        "caseFileId": str(file),
        "reason": reason,
        "reasonText": options.pop("text", None),
    }
    return await world.ask(by, REQUEST, {"input": given}, **options)


async def requested(world: World, file: UUID, by: str = SARI, **options: Any) -> str:
    answer = await request(world, file, by=by, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["requestClosing"]["closingId"]
    return made


async def approve(
    world: World, file: UUID, closing: str, *, by: str = BUDI, at: int | None = None, **options: Any
) -> Answer:
    given = {
        "caseFileId": str(file),
        "closingId": closing,
        "revision": await revision(world, file) if at is None else at,
    }
    return await world.ask(by, APPROVE, {"input": given}, **{"purpose": "supervision", **options})


async def decline(
    world: World, file: UUID, closing: str, *, by: str = BUDI, **options: Any
) -> Answer:
    given = {
        "caseFileId": str(file),
        "closingId": closing,
        "reasonText": options.pop("text", None),
    }
    return await world.ask(by, DECLINE, {"input": given}, **{"purpose": "supervision", **options})


async def reopen(
    world: World,
    file: UUID,
    *,
    by: str = BUDI,
    text: str = "Ancaman kembali.",
    at: int | None = None,
    **options: Any,
) -> Answer:
    given = {
        "caseFileId": str(file),
        "revision": await revision(world, file) if at is None else at,
        "reasonText": text,
    }
    return await world.ask(by, REOPEN, {"input": given}, **{"purpose": "supervision", **options})


async def closed(world: World, file: UUID) -> str:
    """Have it closed by two persons; give the id of the closing."""
    closing = await requested(world, file)
    assert codes(await approve(world, file, closing)) == []
    return closing
