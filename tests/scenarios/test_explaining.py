"""An explanation over HTTP: what it says, what it leaves in the log, and that it opens nothing."""

from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, SARI
from api.vocabulary import Action, Compartment, Decision, Ground, Phase, Reason, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import first_defender, records
from tests.scenarios.breaking_glass import broke
from tests.scenarios.erasing import DEFENDER, erase
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

EXPLAIN = """query ($kind: RecordKind!, $id: ID!, $compartment: Compartment, $field: String) {
  explain(kind: $kind, recordId: $id, compartment: $compartment, field: $field) {
    decision ground grounds reason sentence { indonesian english }
    rules { place name condition conditionPlace } remedies { indonesian english } caseFile } }"""


async def ask(
    world: World, who: str, kind: str, record: object, purpose: str = "protection", **more: Any
) -> Answer:
    given = {"kind": kind, "id": str(record), **more}
    return await world.ask(who, EXPLAIN, given, purpose=purpose)


async def explained(world: World, *words: Any, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(world, *words, **more)).data["explain"]
    return found


async def test_what_is_withheld_is_explained_with_rule_and_remedy_and_nothing_opens(
    world: World,
) -> None:
    person = first_defender(world, world.records.closed_to_sari)
    before = await world.size()
    async with exchanged(world) as inside:
        found = await explained(inside.world, SARI, "DEFENDER", person.id, field="fullName")
        opened = inside.keyring.opened

    assert opened == []
    assert (found["decision"], found["ground"], found["reason"]) == (
        "REFUSED", None, "NOT_ASSIGNED",
    )  # fmt: skip
    assert "penugasan" in found["sentence"]["indonesian"]
    assert [r["name"] for r in found["rules"]] == ["open", "opens", "ground", "ground"]
    assert found["rules"][2]["place"].startswith("komnas-ham.polar:")
    assert found["rules"][2]["condition"] == "file.assigned = true"
    assert [r["english"] for r in found["remedies"]] == [
        "Ask a supervisor, or your agency's lead, to assign you to this case file.",
        "Ask a colleague who is assigned to this case file to hand the work to you together "
        "with the identity.",
    ]
    assert found["caseFile"] == str(world.records.closed_to_sari)
    [event] = [e for e in await world.events(before) if e.action is not Action.START]
    assert (event.action, event.phase, event.decision) == (
        Action.EXPLAIN, Phase.WHOLE, Decision.ALLOWED,
    )  # fmt: skip
    [touched] = event.touched
    assert (touched.decision, touched.reason) == (Decision.REFUSED, Reason.NOT_ASSIGNED)
    assert (touched.compartments, touched.fields) == ((Compartment.IDENTITY,), ("fullName",))
    assert records(event, RecordKind.DEFENDER) == {person.id}
    assert records(event, RecordKind.CASE_FILE) == {world.records.closed_to_sari}


async def test_what_is_open_names_its_ground(still: World) -> None:
    file = still.records.open_to_sari
    found = await explained(still, SARI, "CASE_FILE", file, compartment="NARRATIVE")

    assert (found["decision"], found["grounds"], found["remedies"]) == (
        "ALLOWED", ["ASSIGNED"], [],
    )  # fmt: skip
    [event] = (await still.events())[-1:]
    assert event.touched[0].ground is Ground.ASSIGNED
    assert event.touched[0].decision is Decision.ALLOWED, "nothing was disclosed"


async def test_following_the_advice_opens_it(still: World) -> None:
    file = still.records.open_to_sari
    asked = {"compartment": "IDENTITY"}
    found = await explained(still, BUDI, "CASE_FILE", file, **asked)
    assert "supervision" in found["remedies"][0]["english"]

    then = await explained(still, BUDI, "CASE_FILE", file, purpose="supervision", **asked)

    assert then["decision"] == "ALLOWED"


async def test_a_purpose_that_is_not_the_roles_is_told_of_any_id(still: World) -> None:
    told = [
        await explained(still, SARI, "CASE_FILE", one, purpose="supervision")
        for one in (still.records.open_to_sari, UUID(int=7))
    ]

    assert told[0] == told[1]
    assert (told[0]["reason"], told[0]["caseFile"]) == ("PURPOSE_DOES_NOT_FIT", None)
    assert "protection" in told[0]["remedies"][0]["english"]


async def test_what_was_erased_has_no_remedy(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    await erase(world, DEFENDER, person.id)

    found = await explained(world, SARI, "DEFENDER", person.id, field="nik")

    assert (found["reason"], found["remedies"], found["grounds"]) == ("ERASED", [], [])


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("NOTE", {}),
        ("DEFENDER", {"field": "diary"}),
        ("DEFENDER", {"field": "nik", "compartment": "CONTACT"}),
    ],
)
async def test_what_cannot_be_meant_is_refused_without_an_event(
    still: World, kind: str, more: dict[str, Any]
) -> None:
    before = await still.size()

    answer = await ask(still, SARI, kind, still.records.open_to_sari, **more)

    assert answer.codes == ["VALUE_INVALID"]
    assert await still.size() == before


async def test_what_an_emergency_opens_is_explained_with_the_grant_in_the_event(
    world: World,
) -> None:
    person = first_defender(world, world.records.closed_to_sari)
    grant = await broke(world)
    before = await world.size()

    found = await explained(
        world, SARI, "DEFENDER", person.id, purpose="emergency", field="fullName"
    )

    assert (found["decision"], found["ground"]) == ("ALLOWED", "BREAK_GLASS")
    [event] = await world.events(before)
    assert records(event, RecordKind.BREAK_GLASS) == {UUID(grant)}
