"""Deadlines over HTTP: whose they are, who sees which, their order, and pages of them."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.casework.house import House
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Action, Decision, RecordKind
from tests.inside import exchanged
from tests.scenarios import erasing, protecting, sharing
from tests.scenarios.alerting import HOURS, clocks, due, listed, nodes, respond_by, taken_in
from tests.scenarios.asking import NOBODY, assigned_to, led_by, records
from tests.scenarios.breaking_glass import broke, review
from tests.scenarios.protecting import UTAMI
from tests.scenarios.referring import ACCEPT, HARTONO, INDAH, codes, referred, say
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
still, fresh = sharing.still, sharing.fresh

OPEN = """mutation { openCaseFile(input: {urgency: IMMEDIATE, sensitivity: 2, province: "33",
  defenders: [{aliases: ["Bunga"]}]}) { caseFile { id } errors { code } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(still: World) -> World:
    """Give the world of the module: in two agencies case files wait for a first response."""
    for agency in ("komnas-ham", "lpsk"):
        await taken_in(still, agency)
    return still


async def test_a_first_response_is_due_until_the_case_file_leaves_intake(world: World) -> None:
    before = await world.size()

    answer = await listed(world, SARI, purpose="protection")

    expected = {
        file: world.clock() + timedelta(hours=hours)
        for file, hours in zip(led_by(world, "komnas-ham"), HOURS, strict=False)
    }
    found = {n["caseFile"]: n for n in nodes(answer) if n["clock"].startswith("first_response")}
    assert found.keys() == {str(file.id) for file in expected}
    for file, moment in expected.items():
        node = found[str(file.id)]
        assert node == {
            "clock": f"first_response_{file.urgency.value}",
            "labelId": node["labelId"],
            "labelEn": f"First response: {file.urgency.value}",
            "legalSource": "proposed for the mechanism",
            "caseFile": str(file.id),
            "dueAt": moment.isoformat(),
            "overdue": moment <= world.clock(),
        }
        assert node["labelId"].startswith("Respons pertama")
    [event] = await world.events(before)
    assert (event.action, event.decision) == (Action.LIST, Decision.DISCLOSED)
    assert {file.id for file in expected} <= records(event, RecordKind.CASE_FILE)
    assert not [t for t in event.touched if t.fields or t.compartments]


async def test_what_is_due_first_comes_first_and_pages_walk_all_of_it(world: World) -> None:
    whole = nodes(await listed(world, BUDI, purpose="supervision"))
    assert len({node["clock"] for node in whole}) > 2
    assert [due(node) for node in whole] == sorted(due(node) for node in whole)
    for size in (1, 3, len(whole)):
        walked: list[dict[str, Any]] = []
        after, more = None, True
        while more:
            page = await listed(world, BUDI, first=size, after=after, purpose="supervision")
            info = page.data["deadlines"]["pageInfo"]
            after, more = info["endCursor"], info["hasNextPage"]
            assert len(nodes(page)) == min(size, len(whole) - len(walked))
            walked += nodes(page)
        assert walked == whole


async def test_the_cursor_of_any_edge_continues_behind_it_and_fits_nobody_else(
    world: World,
) -> None:
    edges = (await listed(world, BUDI, purpose="supervision")).data["deadlines"]["edges"]
    after = edges[2]["cursor"]

    rest = await listed(world, BUDI, after=after, purpose="supervision")

    assert nodes(rest) == [edge["node"] for edge in edges[3:]]
    for other in ({"overdue": True}, {"clock": "assignment_end"}):
        answer = await listed(world, BUDI, after=after, purpose="supervision", **other)
        assert answer.codes == ["MALFORMED_CURSOR"]
    assert (await listed(world, SARI, after=after)).codes == ["MALFORMED_CURSOR"]


@pytest.mark.parametrize("size", [0, 101])
async def test_a_page_has_one_to_a_hundred_items(world: World, size: int) -> None:
    assert (await listed(world, SARI, first=size)).codes == ["PAGE_SIZE_INVALID"]


async def test_filters_part_what_has_passed_from_what_comes(world: World) -> None:
    whole = nodes(await listed(world, BUDI, purpose="supervision"))
    past = nodes(await listed(world, BUDI, purpose="supervision", overdue=True))
    coming = nodes(await listed(world, BUDI, purpose="supervision", overdue=False))

    assert past
    assert all(node["overdue"] for node in past)
    assert coming
    assert not any(node["overdue"] for node in coming)
    assert past + coming == whole
    some = whole[0]
    one = await listed(world, BUDI, purpose="supervision", caseFileId=some["caseFile"])
    assert nodes(one) == [node for node in whole if node["caseFile"] == some["caseFile"]]
    of = await listed(world, BUDI, purpose="supervision", clock="assignment_end")
    assert nodes(of) == [node for node in whole if node["clock"] == "assignment_end"]
    assert nodes(await listed(world, BUDI, purpose="supervision", clock="no_such")) == []


@pytest.mark.parametrize("which", ["lpsk", None])
async def test_a_case_file_that_is_not_in_reach_has_no_deadlines(
    world: World, which: str | None
) -> None:
    asked = NOBODY if which is None else str(led_by(world, which)[0].id)
    before = await world.size()

    answer = await listed(world, SARI, caseFileId=asked)

    assert answer.data["deadlines"] == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }
    [event] = await world.events(before)
    assert (event.action, event.touched, event.agencies) == (Action.LIST, (), ())


async def test_an_end_of_an_assignment_is_for_who_has_it_and_who_may_assign(world: World) -> None:
    mine = [f.id for f in assigned_to(world, SARI)]

    found = nodes(await listed(world, SARI, clock="assignment_end"))
    assert {node["caseFile"] for node in found} <= {str(one) for one in mine}
    assert found
    size = await world.size()
    assert nodes(await listed(world, SARI, clock="assignment_end")) == found
    [event] = await world.events(size)
    assert {str(one) for one in records(event, RecordKind.CASE_FILE)} == {
        node["caseFile"] for node in found
    }
    all_of_them = await listed(world, BUDI, purpose="supervision", clock="assignment_end")
    assert {node["caseFile"] for node in found} < {node["caseFile"] for node in nodes(all_of_them)}


async def test_a_new_case_file_is_due_by_its_clock_and_passes(fresh: World) -> None:
    opened = await fresh.ask("dewi", OPEN, purpose="intake")
    file = opened.data["openCaseFile"]["caseFile"]["id"]

    [node] = [n for n in nodes(await listed(fresh, SARI)) if n["caseFile"] == file]
    assert (node["clock"], node["overdue"]) == ("first_response_immediate", False)
    assert due(node) == fresh.clock() + timedelta(hours=3)

    fresh.clock.move(timedelta(hours=3))
    [node] = [n for n in nodes(await listed(fresh, SARI)) if n["caseFile"] == file]
    assert node["overdue"]


async def test_clocks_run_as_long_as_the_settings_say(fresh: World) -> None:
    hours = {"first_response_immediate": 1, "break_glass_review": 24, "erasure_decision": 48}

    def shorter(house: House) -> dict[str, Any]:
        return {"codes": house.codes.with_hours(hours)}

    async with exchanged(fresh, shorter) as inside:
        world = inside.world
        opened = await world.ask("dewi", OPEN, purpose="intake")
        assert codes(opened) == []
        await broke(world)
        person = led_by(world, "komnas-ham")[0].defenders[0]
        erasing.made(await erasing.request(world, erasing.DEFENDER, person))
        found = nodes(await listed(world, BUDI, purpose="supervision"))
        for clock, length in hours.items():
            moments = [due(node) for node in found if node["clock"] == clock]
            assert world.clock() + timedelta(hours=length) in moments, clock


async def test_an_erasure_that_waits_is_due_for_who_may_ask_for_one(fresh: World) -> None:
    person = led_by(fresh, "komnas-ham")[0].defenders[0]
    made = erasing.made(await erasing.request(fresh, erasing.DEFENDER, person))

    [node] = nodes(await listed(fresh, BUDI, purpose="supervision", clock="erasure_decision"))
    assert due(node) == fresh.clock() + timedelta(hours=72)
    assert "erasure_decision" not in clocks(await listed(fresh, SARI))
    [of_lead] = nodes(await listed(fresh, HARTONO, purpose="supervision", clock="erasure_decision"))
    assert of_lead == node
    assert "erasure_decision" not in clocks(await listed(fresh, HARTONO, purpose="referral"))

    ended = await erasing.end(fresh, erasing.DECLINE, erasing.DEFENDER, person, made)
    assert codes(ended) == []
    assert "erasure_decision" not in clocks(await listed(fresh, BUDI, purpose="supervision"))


async def test_a_review_of_broken_glass_is_due_until_another_agency_reviewed(fresh: World) -> None:
    made = await broke(fresh)

    for who, purpose in ((SARI, "protection"), (BUDI, "supervision")):
        [node] = nodes(await listed(fresh, who, purpose=purpose, clock="break_glass_review"))
        assert due(node) == fresh.clock() + timedelta(hours=72), who
    assert "break_glass_review" not in clocks(await listed(fresh, "maria"))

    assert codes(await review(fresh, made)) == []
    assert "break_glass_review" not in clocks(await listed(fresh, SARI))


async def test_a_referral_waits_for_its_answer_at_who_gave_it(fresh: World) -> None:
    until = fresh.clock() + timedelta(days=3)
    made = await referred(fresh, until=until)

    [node] = nodes(await listed(fresh, BUDI, purpose="referral", clock="referral_answer"))
    assert (due(node), node["caseFile"]) == (until, str(fresh.records.open_to_sari))
    for who in (SARI, WAYAN):
        assert "referral_answer" not in clocks(await listed(fresh, who)), who

    assert codes(await say(fresh, ACCEPT, made)) == []
    assert "referral_answer" not in clocks(await listed(fresh, BUDI, purpose="referral"))
    # It is in reach of the other agency now; what the first must do about it is not.
    assert str(fresh.records.open_to_sari) not in {
        node["caseFile"] for node in nodes(await listed(fresh, WAYAN))
    }


async def test_emergency_protection_is_to_be_signed_then_ratified_and_its_papers_brought(
    fresh: World,
) -> None:
    await erasing.add_lead(fresh, INDAH, UTAMI)
    file = assigned_to(fresh, WAYAN)[1].id

    async def named(who: str = UTAMI, purpose: str = "emergency") -> set[str]:
        asked = {"caseFileId": str(file)}
        found = clocks(await listed(fresh, who, purpose=purpose, **asked))
        return {clock for clock in found if clock.startswith("emergency_")}

    emergency = await protecting.proposed(fresh, file=file)
    assert await named() == {"emergency_approval"}

    assert codes(await protecting.approve(fresh, emergency)) == []
    # To decide is the leads' affair, to bring the papers that of who works on it.
    assert await named() == {"emergency_ratification"}
    assert await named(WAYAN, "protection") == {"emergency_requirements"}

    fresh.clock.move(timedelta(days=31))
    # It has lapsed, and asks for nothing more.
    assert await named() == await named(WAYAN, "protection") == set()


async def test_a_step_of_the_plan_is_due_for_the_agency_that_owns_it(fresh: World) -> None:
    file = assigned_to(fresh, WAYAN)[1].id
    due_on = (fresh.clock() + timedelta(days=2)).date().isoformat()
    step = {"caseFileId": str(file), "what": "Antar.", "owner": "lpsk", "dueOn": due_on}
    made = await fresh.ask(WAYAN, protecting.ADD, {"input": step})
    assert codes(made) == []

    asked = {"caseFileId": str(file), "clock": "plan_step"}
    [node] = nodes(await listed(fresh, WAYAN, **asked))
    assert not node["overdue"]
    fresh.clock.move(timedelta(days=4))
    [node] = nodes(await listed(fresh, WAYAN, **asked))
    assert node["overdue"]
    done = {"input": {"planStepId": made.data["addPlanStep"]["planStepId"]}}
    assert codes(await fresh.ask(WAYAN, protecting.COMPLETE, done)) == []
    assert nodes(await listed(fresh, WAYAN, **asked)) == []


async def test_to_who_is_tied_there_is_no_deadline(fresh: World) -> None:
    file = (await taken_in(fresh, "komnas-ham"))[0].id
    asked = {"caseFileId": str(file)}
    assert nodes(await listed(fresh, SARI, **asked))

    await declared(fresh, caseFileId=str(file), memberId=id_of(fresh, SARI))

    assert nodes(await listed(fresh, SARI, **asked)) == []
    assert nodes(await listed(fresh, "maria", **asked))


async def test_a_case_file_whose_seal_is_broken_has_no_deadline(fresh: World) -> None:
    file = (await taken_in(fresh, "komnas-ham"))[0].id
    await fresh.run("update case_file set event = 0")

    assert nodes(await listed(fresh, SARI, caseFileId=str(file))) == []


async def test_what_is_due_at_one_moment_is_walked_in_one_order(fresh: World) -> None:
    files = led_by(fresh, "komnas-ham")[:6]
    for file in files:
        await respond_by(fresh, file.id, fresh.clock())
    whole = nodes(await listed(fresh, SARI))
    walked: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        page = await listed(fresh, SARI, first=1, after=after)
        info = page.data["deadlines"]["pageInfo"]
        after, more = info["endCursor"], info["hasNextPage"]
        walked += nodes(page)
    assert walked == whole
    assert len([node for node in whole if due(node) == fresh.clock()]) >= len(files)
