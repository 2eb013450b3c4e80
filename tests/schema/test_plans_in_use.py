"""A real page is answered by one plan on both databases: no value makes it fall back."""

from typing import Any

import pytest

from api.demo.synthetic import SARI
from api.schema.plans import PlannedExecutor
from tests.world import World

EVERYTHING = """{ caseFiles(first: 20) { edges { node {
  id revision reference leadAgency status urgency sensitivity province openedOn respondBy
  incidentKinds adversaryKinds measureKinds account sexualViolenceForms assignedToMe
  withheld { field compartment reason howToAsk }
  defenders { id revision agency categories fullName aliases nik familyCard dateOfBirth gender
    nationality sealedCategories phones emails homeAddress presentLocation
    withheld { field compartment reason howToAsk } }
} } pageInfo { hasNextPage endCursor } } }"""


async def test_a_page_with_every_field_is_one_plan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects: list[str] = []
    walk = PlannedExecutor.collect_and_execute_subfields

    def counting(self: PlannedExecutor, return_type: Any, *rest: Any) -> Any:
        objects.append(return_type.name)
        return walk(self, return_type, *rest)

    monkeypatch.setattr(PlannedExecutor, "collect_and_execute_subfields", counting)

    answer = await world.ask(SARI, EVERYTHING)

    assert len(answer.data["caseFiles"]["edges"]) > 5
    # graphql-core asks for the connection alone; below it the plan answers everything.
    assert objects == ["CaseFileConnection"]
