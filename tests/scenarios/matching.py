"""Words of the scenarios about matching: Sari of Komnas HAM asks, Hasan of LPSK answers."""

from typing import Any, cast

from starlette.routing import Route

from api.casework.house import House
from api.casework.match_settling import settle_matches
from api.demo.synthetic import SARI
from api.schema.attachments import ADD, Attachments
from tests.scenarios.asking import first_defender
from tests.scenarios.breaking_glass import codes
from tests.scenarios.referring import HASAN
from tests.world import Answer, World

REQUEST = """mutation ($input: RequestMatchInput!) {
  requestMatch(input: $input) { requestId state errors { code } } }"""
ANSWER = """mutation ($id: ID!, $answer: MatchAnswer!) {
  answerMatch(input: {matchId: $id, answer: $answer}) {
  matchId caseFileId asker errors { code } } }"""
WAITING = """query ($first: Int!) { matchesWaiting(first: $first) {
  id asker reason urgent lookedAt until defenderId caseFileIds fields } }"""
MINE = """query ($first: Int!) { matchRequests(first: $first) {
  id recipient reason askedAt until defenderId caseFileId state linkedAt } }"""
LINKED = """query ($id: ID!) { linkedRecords(defenderId: $id, first: 5) {
  matchId agency confirmedAt } }"""
OPEN = """mutation ($input: OpenCaseFileInput!) { openCaseFile(input: $input) {
  caseFile { id defenders { id } } errors { code } } }"""

#: The tables in which anything of a match stands.
TABLES = ("match_request", "match_hit", "linked_record")


async def request(
    world: World,
    *,
    by: str = SARI,
    person: object = None,
    to: str = "lpsk",
    purpose: str = "protection",
    **more: Any,
) -> Answer:
    """Ask LPSK for the first defender of the case file that is open to Sari."""
    person = person or first_defender(world, world.records.open_to_sari).id
    given = {"defenderId": str(person), "recipient": to, "reason": "JOINT_PROTECTION", **more}
    return await world.ask(by, REQUEST, {"input": given}, purpose=purpose)


async def requested(world: World, **options: Any) -> str:
    """Ask without an error; give the id."""
    answer = await request(world, **options)
    assert codes(answer) == [], answer.text
    made: dict[str, Any] = answer.data["requestMatch"]
    assert made["state"] == "SENT"
    return str(made["requestId"])


async def known(
    world: World, *, by: str = "wayan", sensitivity: int = 2, **person: Any
) -> tuple[str, str]:
    """Let LPSK take in a case file with *person*; give the ids of file and defender."""
    given = {
        "urgency": "URGENT",
        "sensitivity": sensitivity,
        "province": "33",
        "defenders": [{"fullName": "Orang Yang Sama", **person}],
    }
    answer = await world.ask(by, OPEN, {"input": given}, purpose="intake")
    assert codes(answer) == [], answer.text
    made = answer.data["openCaseFile"]["caseFile"]
    return made["id"], made["defenders"][0]["id"]


async def settled(world: World) -> None:
    """Let the processes of both agencies, which are one here, look what there is to do."""
    await settle_matches(house_of(world))


def house_of(world: World) -> House:
    """Give the house that serves *world*: to open another one takes longer than most tests."""
    [route] = [one for one in world.app.routes if getattr(one, "path", "") == ADD]
    door = cast("Route", route).endpoint
    return cast("Attachments", getattr(door, "face", door))._house


async def waiting(
    world: World, *, by: str = HASAN, purpose: str = "referral", first: int = 20
) -> list[dict[str, Any]]:
    answer = await world.ask(by, WAITING, {"first": first}, purpose=purpose)
    found: list[dict[str, Any]] = answer.data["matchesWaiting"]
    return found


async def answer(
    world: World, match: object, said: str, *, by: str = HASAN, purpose: str = "referral"
) -> Answer:
    given = {"id": str(match), "answer": said}
    return await world.ask(by, ANSWER, given, purpose=purpose)


async def mine(
    world: World, *, by: str = SARI, purpose: str = "protection"
) -> list[dict[str, Any]]:
    got = await world.ask(by, MINE, {"first": 20}, purpose=purpose)
    found: list[dict[str, Any]] = got.data["matchRequests"]
    return found


def person_of(world: World) -> Any:
    """Give the defender for whom `request` asks."""
    return first_defender(world, world.records.open_to_sari)


async def lengths(world: World) -> list[tuple[object, ...]]:
    """Give how long each sealed cell of a match is, row by row."""
    return [
        row
        for table, names in (
            ("match_request", ("sealed", "signature", "seal")),
            ("match_hit", ("result", "seal")),
        )
        for row in await world.run(
            f"select {', '.join(f'length({name})' for name in names)} from {table}"
        )
    ]
