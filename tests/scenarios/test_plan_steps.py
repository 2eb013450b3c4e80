"""The joint plan over HTTP: written by one agency, done by another, read by all that work on it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import SARI, WAYAN
from api.vocabulary import Action, Decision, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import as_key, assert_change, counted, records
from tests.scenarios.protecting import ADD, COMPLETE, codes, read, shared_with_lpsk
from tests.scenarios.referring import HASAN, INDAH, SURYA
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

WORDS = "Jemput keluarga di pelabuhan sebelum subuh."


async def add(world: World, *, by: str = SARI, days: int = 2, **changed: Any) -> Answer:
    """Add a step to the case file that is open to Sari, for LPSK to do."""
    given = {
        "caseFileId": str(world.records.open_to_sari),
        "what": WORDS,
        "owner": "lpsk",
        "dueOn": (world.clock().date() + timedelta(days=days)).isoformat(),
        **changed,
    }
    return await world.ask(by, ADD, {"input": given}, purpose="protection")


async def added(world: World, **options: Any) -> str:
    answer = await add(world, **options)
    assert codes(answer) == [], answer.text
    made: str = answer.data["addPlanStep"]["planStepId"]
    return made


async def complete(world: World, made: str, *, by: str = WAYAN) -> list[str]:
    given = {"input": {"planStepId": made}}
    return codes(await world.ask(by, COMPLETE, given, purpose="protection"))


async def test_one_agency_plans_and_another_does_it(world: World) -> None:
    await shared_with_lpsk(world, ("IDENTITY", "NARRATIVE"))
    made = await added(world)

    [theirs] = (await read(world, WAYAN))["plan"]
    assert (theirs["agency"], theirs["owner"], theirs["what"]) == ("komnas-ham", "lpsk", WORDS)
    assert not theirs["overdue"]
    size = await world.size()
    assert await complete(world, made) == []

    events = await world.events(size)
    assert_change(events, Action.COMPLETE_PLAN_STEP, Outcome.DONE)
    assert records(events[0], RecordKind.PLAN_STEP) == {UUID(made)}
    [here] = (await read(world))["plan"]
    assert here["completedAt"] == world.clock().isoformat()
    assert await complete(world, made) == ["STEP_NOT_POSSIBLE"]


async def test_who_does_not_hold_the_narrative_sees_the_step_without_its_words(
    world: World,
) -> None:
    await shared_with_lpsk(world)
    await added(world)

    found = await read(world, WAYAN)

    [step] = found["plan"]
    assert (step["owner"], step["what"]) == ("lpsk", None)
    assert [(w["field"], w["compartment"]) for w in found["withheld"]] == [("what", "NARRATIVE")]
    assert codes(await add(world, by=WAYAN)) == ["NOT_ALLOWED"], "nor does he write one"


async def test_a_recipient_writes_under_the_key_that_was_shared(world: World) -> None:
    await shared_with_lpsk(world, ("IDENTITY", "NARRATIVE"))
    made = await added(world, by=WAYAN, owner="komnas-ham", what="Kirim surat ke Kapolda.")

    [here] = (await read(world))["plan"]

    assert (here["agency"], here["what"]) == ("lpsk", "Kirim surat ke Kapolda.")
    assert await complete(world, made, by=SARI) == []
    [theirs] = (await read(world, WAYAN))["plan"]
    assert theirs["completedAt"] is not None


async def test_the_owner_alone_says_that_it_was_done(world: World) -> None:
    await shared_with_lpsk(world, ("IDENTITY", "NARRATIVE"))
    made = await added(world)
    size, before = await world.size(), await counted(world, "plan_step_done")

    assert await complete(world, made, by=SARI) == ["NOT_FOUND"]
    assert await complete(world, made, by=SURYA) == ["NOT_ALLOWED"]
    assert await complete(world, made, by=HASAN) == ["NOT_ALLOWED"]

    assert [e.decision for e in await world.events(size)] == [Decision.REFUSED] * 3
    assert await counted(world, "plan_step_done") == before


async def test_a_step_is_overdue_after_its_last_day(world: World) -> None:
    await added(world, days=0)
    assert [s["overdue"] for s in (await read(world))["plan"]] == [False]
    world.clock.move(timedelta(hours=12))
    assert [s["overdue"] for s in (await read(world))["plan"]] == [True]


async def test_the_plan_stands_by_its_last_days(world: World) -> None:
    made = [await added(world, days=days) for days in (9, 1, 4)]
    assert [s["id"] for s in (await read(world))["plan"]] == [made[1], made[2], made[0]]


async def test_another_agency_is_named_whether_it_works_on_it_or_not(world: World) -> None:
    """The answer tells nobody to whom else a case file was referred."""
    for owner in ("komnas-ham", "komnas-perempuan", "lpsk"):
        assert codes(await add(world, owner=owner)) == []
    for owner in ("lbh-nusantara", "polda", ""):
        assert codes(await add(world, owner=owner)) == ["VALUE_INVALID"]


async def test_no_words_too_many_or_a_day_that_is_over_leave_nothing(world: World) -> None:
    size = await world.size()
    for changed in ({"what": " "}, {"what": "x" * 2_001}, {"days": -1}, {"days": 400}):
        assert codes(await add(world, **changed)) == ["VALUE_INVALID"]
    assert await world.size() == size
    assert await counted(world, "plan_step") == {"plan_step": 0}


async def test_the_words_are_sealed_and_in_no_event(world: World) -> None:
    size = await world.size()
    await added(world)
    [[what]] = await world.run("select what from plan_step")
    assert b"pelabuhan" not in bytes(what)
    assert "pelabuhan" not in repr(await world.events(size))


async def test_what_was_written_by_hand_is_no_step_and_was_not_done(world: World) -> None:
    await shared_with_lpsk(world, ("IDENTITY", "NARRATIVE"))
    made = await added(world)
    wayan = as_key(world, world.records.member(WAYAN).id)
    await world.run(
        "insert into plan_step_done select id, 'lpsk', ?, added_at, event, signature, seal "
        "from plan_step",
        [wayan],
    )
    assert [s["completedAt"] for s in (await read(world, WAYAN))["plan"]] == [None]
    assert [s["completedAt"] for s in (await read(world))["plan"]] == [None]
    await world.run("update plan_step set due_at = added_at")
    assert (await read(world))["plan"] == []
    assert await complete(world, made) == ["SEAL_BROKEN"]


async def test_once_the_referral_is_over_the_plan_is_not_theirs_to_see(world: World) -> None:
    await shared_with_lpsk(world, ("IDENTITY", "NARRATIVE"))
    made = await added(world)
    world.clock.move(timedelta(days=31))
    given = {"id": str(world.records.open_to_sari)}
    query = "query ($id: ID!) { caseFile(id: $id) { plan { id } } }"
    answer = await world.ask(INDAH, query, given, purpose="supervision")
    assert answer.codes == ["NOT_FOUND"]
    assert await complete(world, made) == ["NOT_FOUND"]
