"""Words of the scenarios about delegation: Sari of Komnas HAM hands her case file to Maria."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.demo.synthetic import SARI
from api.store.tables import RIGHTS
from tests.scenarios.asking import as_key
from tests.scenarios.referring import codes
from tests.world import Answer, World

#: A case officer of Komnas HAM who is assigned to neither of the two case files; one who is
#: assigned to what is closed to Sari; one who does intake.
MARIA, RIZAL, DEWI = "maria", "rizal", "dewi"

DELEGATE = """mutation ($input: DelegateCaseFileInput!) {
  delegateCaseFile(input: $input) { delegationId errors { code } } }"""
END = """mutation ($id: ID!) {
  endDelegation(input: {delegationId: $id}) { delegationId errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { account sexualViolenceForms assignedToMe
  withheld { field reason }
  delegations { id giver receiver compartments until }
  defenders { id fullName phones presentLocation withheld { field reason } } } }"""

WEEK = timedelta(days=7)


def id_of(world: World, subject: str) -> str:
    return str(world.records.member(subject).id)


async def delegate(
    world: World,
    *,
    by: str = SARI,
    to: str = MARIA,
    file: object = None,
    compartments: Sequence[str] = ("IDENTITY", "CONTACT"),
    lasting: timedelta = WEEK,
    purpose: str = "protection",
    **given: Any,
) -> Answer:
    """Delegate the case file that is open to Sari, for a week."""
    whole = {
        "caseFileId": str(file or world.records.open_to_sari),
        "memberId": to if "-" in to else id_of(world, to),
        "compartments": list(compartments),
        "until": (world.clock() + lasting).isoformat(),
        **given,
    }
    return await world.ask(by, DELEGATE, {"input": whole}, purpose=purpose)


async def delegated(world: World, **options: Any) -> UUID:
    """Delegate, and give the id."""
    answer = await delegate(world, **options)
    assert codes(answer) == [], answer.text
    return UUID(answer.data["delegateCaseFile"]["delegationId"])


async def end(world: World, made: object, *, by: str = SARI, purpose: str = "protection") -> Answer:
    return await world.ask(by, END, {"id": str(made)}, purpose=purpose)


async def opened(
    world: World, who: str = MARIA, *, file: object = None, purpose: str = "protection"
) -> set[str]:
    """Name the compartments of which *who* is shown something."""
    asked = {"id": str(file or world.records.open_to_sari)}
    told = (await world.ask(who, READ, asked, purpose=purpose)).data["caseFile"]
    [person, *_] = told["defenders"]
    shown = {
        "IDENTITY": person["fullName"],
        "CONTACT": person["phones"],
        "WHEREABOUTS": person["presentLocation"],
        "NARRATIVE": told["account"],
        "GENDER_VIOLENCE": told["sexualViolenceForms"],
    }
    return {name for name, value in shown.items() if value is not None}


async def as_sealed(house: House, world: World, subject: str, **changed: Any) -> None:
    """Change a member as the agency itself would: with a new seal."""
    names = RIGHTS["member"]
    key = as_key(world, world.records.member(subject).id)
    async with house.records.snapshot() as snapshot:
        found = await rights.member_behind(house, snapshot, "komnas-ham", subject)
    assert found is not None
    row = {**dict(zip(names, found.seal_values, strict=True)), **changed}
    seal = rights.sealed_row(house, "komnas-ham", "member", row)["seal"]
    words = ", ".join(f"{name} = ?" for name in changed)
    await world.run(
        f"update member set {words}, seal = ? where id = ?", [*changed.values(), seal, key]
    )
