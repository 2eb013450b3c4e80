"""Words of the scenarios about conflict of interest."""

from typing import Any
from uuid import UUID

from api.demo.synthetic import SARI
from tests.scenarios.referring import HARTONO, codes
from tests.world import Answer, World

DECLARE = """mutation ($input: DeclareTieInput!) {
  declareTie(input: $input) { tieId errors { code } } }"""
WITHDRAW = """mutation ($id: ID!) {
  withdrawTie(input: {tieId: $id}) { tieId errors { code } } }"""


async def declare(
    world: World, by: str = SARI, *, purpose: str = "protection", **given: Any
) -> Answer:
    """Declare a tie of *by*, or of whom *given* names, to the case file that is open to Sari."""
    if "institution" not in given:
        given.setdefault("caseFileId", str(world.records.open_to_sari))
    given.setdefault("kind", "FAMILY")
    return await world.ask(by, DECLARE, {"input": given}, purpose=purpose)


async def declared(world: World, by: str = SARI, **given: Any) -> UUID:
    """Declare, and give the id."""
    answer = await declare(world, by, **given)
    assert codes(answer) == []
    return UUID(answer.data["declareTie"]["tieId"])


async def withdraw(world: World, tie: object, by: str = HARTONO) -> Answer:
    return await world.ask(by, WITHDRAW, {"id": str(tie)}, purpose="supervision")


def id_of(world: World, subject: str) -> str:
    return str(world.records.member(subject).id)
