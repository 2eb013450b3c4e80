"""Measures over HTTP: requested, approved by another person, started, ended; what shows of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.casework.data_rotation import rotate_data
from api.casework.rotating import Pace
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.store import erasing
from api.vocabulary import Action, Compartment, Decision, Outcome, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import as_key, assert_change, assigned_to, counted, records
from tests.scenarios.protecting import (
    HOUSE,
    codes,
    measure,
    read,
    request,
    requested,
    shared_with_lpsk,
    step,
)
from tests.scenarios.referring import HASAN, SURYA
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

SEALED = {"trueKind", "provider", "cost"}
LEGAL_AID: dict[str, Any] = {"kind": "legal_aid", "provider": "LBH Nusantara", "cost": None}


def statuses(found: dict[str, Any]) -> list[str]:
    return [one["status"] for one in found["measures"]]


async def test_a_measure_is_requested_approved_by_another_started_and_ended(world: World) -> None:
    before = await read(world)
    made = await requested(world, given=measure(world, **LEGAL_AID))
    assert statuses(await read(world)) == ["REQUESTED"]

    assert codes(await step(world, "approve", made, 1)) == []
    assert statuses(await read(world)) == ["APPROVED"]
    size = await world.size()
    assert codes(await step(world, "start", made, 2, by=SARI)) == []
    assert_change(await world.events(size), Action.START_MEASURE, Outcome.DONE)
    running = await read(world)
    assert statuses(running) == ["RUNNING"]
    assert "legal_aid" in running["measureKinds"]
    assert running["revision"] >= before["revision"]

    world.clock.move(timedelta(days=3))
    assert codes(await step(world, "end", made, 3, by=SARI)) == []
    [ended] = (await read(world))["measures"]
    assert (ended["status"], ended["revision"]) == ("ENDED", 4)
    assert ended["endedAt"] == world.clock().isoformat()
    assert "legal_aid" in (await read(world))["measureKinds"], "it says what was given"


async def test_what_was_typed_is_read_by_who_may_open_its_compartment(world: World) -> None:
    """A case officer reads who gives legal aid; where a safe house is, she does not."""
    await requested(world, given=measure(world, **LEGAL_AID))
    await requested(world, given=measure(world, kind="safe_house"))

    found = await read(world)

    shelter, aid = found["measures"]
    assert (aid["kind"], aid["trueKind"], aid["provider"]) == (
        "legal_aid",
        "legal_aid",
        "LBH Nusantara",
    )
    assert aid["cost"] is None
    assert (shelter["kind"], shelter["trueKind"]) == ("physical_protection", None)
    assert {
        w["field"]: (w["compartment"], w["reason"]) for w in found["withheld"]
    } == dict.fromkeys(SEALED, ("WHEREABOUTS", "COMPARTMENT_NOT_HELD"))


async def test_hiding_looks_like_any_physical_protection_to_who_may_not_know(world: World) -> None:
    """Same kind in clear, same compartment, same length of what is sealed."""
    ids = [
        await requested(world, given=measure(world, kind=kind))
        for kind in ("safe_house", "new_identity", "physical_protection")
    ]
    rows = await world.run(
        "select m.kind, k.compartment, length(m.true_kind), length(m.provider) "
        "from measure m join data_key k on k.record = m.id"
    )
    assert len(rows) == len(ids)
    assert len(set(rows)) == 1
    kinds = {one["kind"] for one in (await read(world))["measures"]}
    assert kinds == {"physical_protection"}


async def test_a_protection_officer_reads_where_the_house_is_and_the_log_says_so(
    world: World,
) -> None:
    file = assigned_to(world, WAYAN)[0].id
    made = await requested(world, by=WAYAN, file=file)
    size = await world.size()

    [shown] = (await read(world, WAYAN, file))["measures"]

    assert (shown["trueKind"], shown["provider"], shown["cost"]) == (
        "safe_house",
        HOUSE,
        "12500000",
    )
    [event] = await world.events(size)
    [touched] = [t for t in event.touched if (RecordKind.MEASURE, UUID(made), 0) in t.records]
    assert touched.decision is Decision.DISCLOSED
    assert touched.compartments == (Compartment.WHEREABOUTS,)
    assert set(touched.fields) == SEALED


async def test_no_event_and_no_column_holds_what_was_typed(world: World) -> None:
    size = await world.size()
    await requested(world)
    said = repr(await world.events(size))
    assert HOUSE not in said
    assert "safe_house" not in said
    [row] = await world.run("select * from measure")
    assert HOUSE.encode() not in repr(row).encode()
    assert "safe_house" not in repr(row)


async def test_nobody_approves_the_own_request(world: World) -> None:
    made = await requested(world, by=BUDI, purpose="supervision")
    size = await world.size()

    assert codes(await step(world, "approve", made, 1)) == ["SECOND_PERSON_NEEDED"]

    assert_change(await world.events(size), Action.APPROVE_MEASURE, Outcome.NOTHING)
    assert codes(await step(world, "approve", made, 1, by="hartono")) == []


@pytest.mark.parametrize("who", [SARI, "maria"])
async def test_who_works_on_it_does_not_approve(world: World, who: str) -> None:
    made = await requested(world)
    size, before = await world.size(), await counted(world, "measure")

    assert codes(await step(world, "approve", made, 1, by=who)) == ["NOT_ALLOWED"]

    [event] = await world.events(size)
    assert event.decision is Decision.REFUSED
    assert await counted(world, "measure") == before
    assert statuses(await read(world)) == ["REQUESTED"]


async def test_a_stale_revision_changes_nothing(world: World) -> None:
    made = await requested(world)
    assert codes(await step(world, "approve", made, 1)) == []
    assert codes(await step(world, "end", made, 1, by=SARI)) == ["STALE_REVISION"]
    assert statuses(await read(world)) == ["APPROVED"]


async def test_each_step_follows_the_one_before(world: World) -> None:
    later = (world.clock().date() + timedelta(days=2)).isoformat()
    made = await requested(world, given=measure(world, startsOn=later))
    assert codes(await step(world, "start", made, 1, by=SARI)) == ["STEP_NOT_POSSIBLE"]
    assert codes(await step(world, "approve", made, 1)) == []
    assert codes(await step(world, "approve", made, 2, by="hartono")) == ["STEP_NOT_POSSIBLE"]
    assert codes(await step(world, "start", made, 2, by=SARI)) == ["STEP_NOT_POSSIBLE"], "too early"
    world.clock.move(timedelta(days=2))
    assert codes(await step(world, "start", made, 2, by=SARI)) == []
    assert codes(await step(world, "start", made, 3, by=SARI)) == ["STEP_NOT_POSSIBLE"]


async def test_a_measure_is_over_by_itself_after_its_last_day(world: World) -> None:
    made = await requested(world, given=measure(world, endsOn=world.clock().date().isoformat()))
    assert codes(await step(world, "approve", made, 1)) == []
    assert codes(await step(world, "start", made, 2, by=SARI)) == []
    assert statuses(await read(world)) == ["RUNNING"]

    world.clock.move(timedelta(hours=12))

    [ended] = (await read(world))["measures"]
    assert (ended["status"], ended["endedAt"][:10]) == ("ENDED", "2026-11-03")
    assert codes(await step(world, "end", made, 3, by=SARI)) == ["STEP_NOT_POSSIBLE"]


async def test_a_day_a_kind_or_a_cost_that_is_none_is_refused_and_leaves_nothing(
    world: World,
) -> None:
    today = world.clock().date()
    size = await world.size()
    for changed in (
        {"kind": "bunker"},
        {"cost": "12,5 juta"},
        {"cost": ""},
        {"provider": ""},
        {"startsOn": (today - timedelta(days=1)).isoformat()},
        {"endsOn": (today - timedelta(days=1)).isoformat()},
        {"endsOn": (today + timedelta(days=400)).isoformat()},
        {"startsOn": (today + timedelta(days=400)).isoformat()},
    ):
        answer = await request(world, given=measure(world, **changed))
        assert codes(answer) == ["VALUE_INVALID"], changed
    assert await world.size() == size
    assert await counted(world, "measure") == {"measure": 0}


async def test_each_agency_runs_its_own_measures_on_what_was_referred(world: World) -> None:
    """LPSK reads where its own house is though no whereabouts were shared; Komnas HAM does not."""
    await shared_with_lpsk(world)
    size = await world.size()
    made = await requested(world, by=WAYAN)
    assert [event.agencies for event in await world.events(size)] == [("komnas-ham", "lpsk")] * 2

    assert codes(await step(world, "approve", made, 1, by=BUDI)) == ["NOT_FOUND"]
    assert codes(await step(world, "approve", made, 1, by=HASAN)) == []
    assert codes(await step(world, "start", made, 2, by=WAYAN)) == []
    [theirs] = (await read(world, WAYAN))["measures"]
    assert (theirs["provider"], theirs["trueKind"]) == (HOUSE, "safe_house")

    found = await read(world)
    [seen] = found["measures"]
    assert (seen["agency"], seen["kind"], seen["status"]) == (
        "lpsk",
        "physical_protection",
        "RUNNING",
    )
    assert [seen[name] for name in SEALED] == [None] * 3
    assert {w["reason"] for w in found["withheld"]} == {"COMPARTMENT_NOT_HELD"}
    assert "physical_protection" in found["measureKinds"]


async def test_what_a_lead_agency_keeps_is_closed_to_the_other_whatever_was_shared(
    world: World,
) -> None:
    await requested(world)
    await shared_with_lpsk(world, ("IDENTITY", "CONTACT", "NARRATIVE"))

    [seen] = (await read(world, WAYAN))["measures"]

    assert (seen["agency"], seen["kind"]) == ("komnas-ham", "physical_protection")
    assert [seen[name] for name in SEALED] == [None] * 3


async def test_who_is_tied_or_not_assigned_requests_nothing(world: World) -> None:
    assert codes(await request(world, by="maria")) == ["NOT_ALLOWED"]
    await declared(
        world, SARI, caseFileId=str(world.records.open_to_sari), memberId=id_of(world, SARI)
    )
    assert codes(await request(world)) == ["NOT_FOUND"]
    assert await counted(world, "measure") == {"measure": 0}


async def test_a_measure_that_was_written_by_hand_counts_for_nothing(world: World) -> None:
    made = await requested(world)
    await world.run("update measure set approved_at = requested_at, approved_by = requested_by")

    assert (await read(world))["measures"] == []
    assert codes(await step(world, "start", made, 1, by=SARI)) == ["SEAL_BROKEN"]


async def test_a_provider_that_was_moved_from_another_measure_does_not_open(world: World) -> None:
    one = await requested(world, given=measure(world, **LEGAL_AID))
    other = await requested(world, given=measure(world, **LEGAL_AID | {"provider": "LBH Lain"}))
    await world.run(
        "update measure set provider = (select provider from measure where id = ?) where id = ?",
        [as_key(world, UUID(other)), as_key(world, UUID(one))],
    )
    found = await read(world)
    shown = {one["id"]: one["provider"] for one in found["measures"]}
    assert shown == {one: None, other: "LBH Lain"}
    assert [(w["field"], w["reason"]) for w in found["withheld"]] == [("provider", "SEAL_BROKEN")]


async def test_what_is_sealed_of_measures_survives_a_rotation_of_data_keys(world: World) -> None:
    file = assigned_to(world, WAYAN)[0].id
    await requested(world, by=WAYAN, file=file)
    await requested(world, by=WAYAN, file=file, given=measure(world, **LEGAL_AID))
    before = (await read(world, WAYAN, file))["measures"]
    async with exchanged(world) as inside:
        rotated = await rotate_data(inside.house, "lpsk", Pace(), lambda *_: None)
    assert rotated.broken == []

    versions = await world.run("select k.version from data_key k join measure m on m.id = k.record")
    assert versions == [(2,), (2,)]
    assert (await read(world, WAYAN, file))["measures"] == before


async def test_an_erasure_takes_what_is_sealed_of_measures_and_their_keys(world: World) -> None:
    made = await requested(world)
    file = world.records.open_to_sari
    async with exchanged(world) as inside, inside.house.records.change() as change:
        await erasing.take(change, RecordKind.CASE_FILE, file, world.clock())
        left = await erasing.left_of(change, RecordKind.CASE_FILE, [file])
    assert left == {}
    [row] = await world.run("select length(true_kind), length(provider), length(cost) from measure")
    assert row == (0, 0, 0)
    key = as_key(world, UUID(made))
    assert await world.run("select version from data_key where record = ?", [key]) == []


async def test_a_request_names_the_measure_in_its_events(world: World) -> None:
    size = await world.size()
    made = await requested(world)
    events = await world.events(size)
    assert_change(events, Action.REQUEST_MEASURE, Outcome.DONE)
    assert records(events[0], RecordKind.MEASURE) == {UUID(made)}
    assert records(events[0], RecordKind.CASE_FILE) == {world.records.open_to_sari}


async def test_nobody_at_lpsk_who_is_not_assigned_requests_on_what_was_referred(
    world: World,
) -> None:
    await shared_with_lpsk(world)
    assert codes(await request(world, by=SURYA)) == ["NOT_ALLOWED"]
