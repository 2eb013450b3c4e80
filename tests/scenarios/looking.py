"""Words of the scenarios about looks: Sari asks, Budi agrees, Sari looks."""

from typing import Any

from api.demo.synthetic import BUDI, SARI
from tests.scenarios.breaking_glass import codes
from tests.world import Answer, World

REQUEST = """mutation ($id: ID!) { requestLook(caseFileId: $id) {
  lookId expiresAt errors { code } } }"""
APPROVE = (
    """mutation ($id: ID!) { approveLook(lookId: $id) { lookId expiresAt errors { code } } }"""
)
LOOK = """mutation ($id: ID!) { lookAtWhereabouts(lookId: $id) { errors { code message }
  defenders { id fullName presentLocation withheld { field reason } } } }"""
WAITING = """query ($id: ID!) { caseFile(id: $id) {
  looksWaiting { id requestedBy requestedAt expiresAt } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) {
  defenders { id presentLocation withheld { field reason } } } }"""

#: Supervisors and the lead say that they supervise.
_PURPOSE = {BUDI: "supervision", "hartono": "supervision"}


async def ask(
    world: World, query: str, record: object, by: str, purpose: str | None = None
) -> Answer:
    given = {"id": str(record)}
    return await world.ask(by, query, given, purpose=purpose or _PURPOSE.get(by, "protection"))


async def request(
    world: World, *, by: str = SARI, file: object = None, purpose: str | None = None
) -> Answer:
    """Ask for a look at the case file that is open to Sari."""
    return await ask(world, REQUEST, file or world.records.open_to_sari, by, purpose)


async def requested(world: World, **options: Any) -> str:
    """Ask without an error; give the id."""
    answer = await request(world, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["requestLook"]["lookId"]
    return made


async def approve(
    world: World, made: object, *, by: str = BUDI, purpose: str | None = None
) -> Answer:
    return await ask(world, APPROVE, made, by, purpose)


async def agreed(world: World, *, by: str = BUDI) -> str:
    """Have a look of Sari's that *by* approved; give the id."""
    made = await requested(world)
    assert codes(await approve(world, made, by=by)) == []
    return made


async def look(world: World, made: object, *, by: str = SARI, purpose: str | None = None) -> Answer:
    return await ask(world, LOOK, made, by, purpose)


def shown(answer: Answer) -> list[str] | None:
    """Give the whereabouts that a look showed; None: it was refused."""
    defenders = answer.data["lookAtWhereabouts"]["defenders"]
    return None if defenders is None else [one["presentLocation"] for one in defenders]


async def waiting(world: World, by: str = BUDI, purpose: str | None = None) -> list[dict[str, Any]]:
    """Give the looks that wait for *by* at the case file that is open to Sari."""
    answer = await ask(world, WAITING, world.records.open_to_sari, by, purpose)
    found: list[dict[str, Any]] = answer.data["caseFile"]["looksWaiting"]
    return found
