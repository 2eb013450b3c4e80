"""Words of the scenarios about merges: Sari takes one person in twice, Budi and Hartono oversee."""

from typing import Any

from api.demo.synthetic import BUDI, SARI
from tests.scenarios.breaking_glass import codes
from tests.scenarios.erasing import LEAD
from tests.scenarios.matching import known
from tests.world import Answer, World

DUPLICATES = """query ($id: ID!, $first: Int! = 20) { duplicatesOf(defenderId: $id, first: $first) {
  defenderId caseFileIds fields } }"""
MERGE = """mutation ($input: MergeDefendersInput!) { mergeDefenders(input: $input) {
  mergeId state undoUntil errors { code } } }"""
APPROVE = """mutation ($input: ApproveMergeInput!) { approveMerge(input: $input) {
  mergeId state undoUntil errors { code } } }"""
UNDO = """mutation ($id: ID!) { undoMerge(input: {mergeId: $id}) {
  mergeId state undoUntil errors { code } } }"""
MERGES = """query ($first: Int! = 20) { merges(first: $first) {
  id keptId duplicateId state requestedBy requestedAt approvedBy mergedAt undoUntil
  undoneBy undoneAt } }"""
READ = """query ($id: ID!) { defender(id: $id) {
  id fullName mergedInto mergedFrom withheld { field } } }"""

#: One whom nobody of the synthetic records is.
NIK = "3171011701900001"
PHONE = "08121231231"
FAMILY_CARD = "3374150101150042"
WHY = "Orang yang sama, dicatat dua kali."


async def twice(world: World, *, by: str = SARI, **more: Any) -> tuple[str, str]:
    """Take one person in twice; give the ids of the two defenders."""
    _, kept = await known(world, by=by, nik=NIK)
    _, duplicate = await known(world, by=by, nik=NIK, **more)
    return kept, duplicate


async def merge(
    world: World,
    kept: object,
    duplicate: object,
    *,
    by: str = BUDI,
    purpose: str = "supervision",
    revisions: tuple[int, int] = (1, 1),
    key: str | None = None,
) -> Answer:
    given = {
        "keep": str(kept),
        "duplicate": str(duplicate),
        "keepRevision": revisions[0],
        "duplicateRevision": revisions[1],
        "reasonText": WHY,
    }
    return await world.ask(by, MERGE, {"input": given}, purpose=purpose, key=key)


async def approve(
    world: World,
    made: object,
    *,
    by: str = LEAD,
    purpose: str = "supervision",
    revisions: tuple[int, int] = (1, 1),
) -> Answer:
    given = {
        "mergeId": str(made),
        "keepRevision": revisions[0],
        "duplicateRevision": revisions[1],
    }
    return await world.ask(by, APPROVE, {"input": given}, purpose=purpose)


async def undo(
    world: World, made: object, *, by: str = BUDI, purpose: str = "supervision"
) -> Answer:
    return await world.ask(by, UNDO, {"id": str(made)}, purpose=purpose)


async def asked(world: World, kept: object, duplicate: object, **options: Any) -> str:
    """Ask without an error; give the id."""
    answer = await merge(world, kept, duplicate, **options)
    assert codes(answer) == [], answer.text
    return str(answer.data["mergeDefenders"]["mergeId"])


async def merged(world: World, kept: object, duplicate: object) -> str:
    """Ask and approve without an error; give the id."""
    made = await asked(world, kept, duplicate)
    answer = await approve(world, made)
    assert codes(answer) == [], answer.text
    return made


async def told(
    world: World, person: object, *, by: str = BUDI, purpose: str = "supervision"
) -> tuple[Any, Any]:
    """Give what is said of merges where the defender is read."""
    answer = await world.ask(by, READ, {"id": str(person)}, purpose=purpose)
    one = answer.data["defender"]
    return one["mergedInto"], one["mergedFrom"]


async def listed(world: World, *, by: str = BUDI) -> list[dict[str, Any]]:
    answer = await world.ask(by, MERGES, purpose="supervision")
    found: list[dict[str, Any]] = answer.data["merges"]
    return found
