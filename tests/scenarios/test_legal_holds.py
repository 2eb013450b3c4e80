"""Legal holds over HTTP: they forbid an erasure, whoever approves it, until another lifts them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from api.demo.synthetic import BUDI, SARI
from api.vocabulary import Action, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    counted,
    first_defender,
    records,
)
from tests.scenarios.erasing import (
    APPROVE,
    CASE_FILE,
    DEFENDER,
    LEAD,
    WAITING,
    add_lead,
    codes,
    end,
    lift,
    made,
    place,
    preview,
    request,
    sealed_of,
)
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: A second lead of Komnas HAM, whom a test adds.
SECOND = "utami"


@pytest_asyncio.fixture(loop_scope="module")
async def world(fresh: World) -> AsyncIterator[World]:
    """Give a world whose agency has two leads."""
    await add_lead(fresh, LEAD, SECOND)
    yield fresh


fresh = sharing.fresh


def mine(world: World) -> UUID:
    return world.records.open_to_sari


async def refused(world: World, kind: RecordKind, record: UUID) -> bool:
    """Tell whether a hold stops the request for an erasure, and nothing else does."""
    answer = await request(world, kind, record)
    assert codes(answer) in ([], ["LEGAL_HOLD"])
    return codes(answer) != []


async def test_a_hold_forbids_to_ask_and_to_approve(world: World) -> None:
    who = first_defender(world, mine(world))
    asked = made(await request(world, DEFENDER, who.id))
    size = await world.size()
    hold = made(await place(world, DEFENDER, who.id))

    assert_change(await world.events(size), Action.PLACE_LEGAL_HOLD, Outcome.DONE)
    assert await refused(world, DEFENDER, who.id)
    size = await world.size()
    assert codes(await end(world, APPROVE, DEFENDER, who.id, asked)) == ["LEGAL_HOLD"]
    assert_change(await world.events(size), Action.APPROVE_ERASURE, Outcome.NOTHING)
    assert all(await sealed_of(world, DEFENDER, who.id))
    assert (await preview(world, DEFENDER, who.id))["holds"] == 1

    size = await world.size()
    assert codes(await lift(world, DEFENDER, who.id, hold, by=SECOND)) == []
    lifted = await world.events(size)
    assert_change(lifted, Action.LIFT_LEGAL_HOLD, Outcome.DONE)
    assert records(lifted[1], RecordKind.LEGAL_HOLD) == {UUID(hold)}
    assert codes(await end(world, APPROVE, DEFENDER, who.id, asked)) == []
    assert not any(await sealed_of(world, DEFENDER, who.id))


async def test_a_hold_keeps_what_belongs_with_the_record(world: World) -> None:
    file = mine(world)
    who = first_defender(world, file)
    other = first_defender(world, world.records.closed_to_sari)

    hold = made(await place(world, CASE_FILE, file))
    assert await refused(world, DEFENDER, who.id)
    assert not await refused(world, DEFENDER, other.id)
    assert codes(await lift(world, CASE_FILE, file, hold, by=SECOND)) == []
    assert not await refused(world, DEFENDER, who.id)

    made(await place(world, DEFENDER, who.id))
    assert await refused(world, CASE_FILE, file)
    assert not await refused(world, CASE_FILE, world.records.closed_to_sari)


async def test_who_placed_a_hold_does_not_lift_it(world: World) -> None:
    file = mine(world)
    hold = made(await place(world, CASE_FILE, file))

    assert codes(await lift(world, CASE_FILE, file, hold, by=LEAD)) == ["SECOND_PERSON_NEEDED"]
    assert codes(await lift(world, CASE_FILE, file, hold, by=BUDI)) == ["NOT_ALLOWED"]
    assert await refused(world, CASE_FILE, file)


async def test_a_hold_is_lifted_once_and_on_its_own_record_only(world: World) -> None:
    file = mine(world)
    hold = made(await place(world, CASE_FILE, file))
    who = first_defender(world, file)

    assert codes(await lift(world, CASE_FILE, file, NOBODY, by=SECOND)) == ["NOT_FOUND"]
    # It touches the defender, too, and is not the defender's own.
    assert codes(await lift(world, DEFENDER, who.id, hold, by=SECOND)) == ["NOT_FOUND"]
    assert codes(await lift(world, CASE_FILE, file, hold, by=SECOND)) == []
    assert codes(await lift(world, CASE_FILE, file, hold, by=SECOND)) == ["NOT_FOUND"]


async def test_a_hold_ends_with_its_time(world: World) -> None:
    file = mine(world)
    until = (world.clock() + timedelta(days=30)).isoformat()
    made(await place(world, CASE_FILE, file, until=until))

    world.clock.move(timedelta(days=30, microseconds=-1))
    assert await refused(world, CASE_FILE, file)
    world.clock.move(timedelta(microseconds=1))
    assert not await refused(world, CASE_FILE, file)


@pytest.mark.parametrize("until", ["2026-11-02T12:00:00+00:00", "2027-01-01T00:00:00"])
async def test_a_hold_that_is_over_or_has_no_zone_is_not_placed(world: World, until: str) -> None:
    before = await counted(world, "legal_hold")

    assert codes(await place(world, CASE_FILE, mine(world), until=until)) == ["VALUE_INVALID"]
    assert await counted(world, "legal_hold") == before


@pytest.mark.parametrize("by", [SARI, BUDI])
async def test_only_a_lead_places_a_hold(world: World, by: str) -> None:
    before = await counted(world, "legal_hold")

    assert codes(await place(world, CASE_FILE, mine(world), by=by)) == ["NOT_ALLOWED"]
    assert await counted(world, "legal_hold") == before


@pytest.mark.parametrize("column", ["lifted_at", "until", "seal", "placed_by"])
async def test_a_hold_that_somebody_changed_by_hand_stands(world: World, column: str) -> None:
    file = mine(world)
    hold = made(await place(world, CASE_FILE, file))
    if column in ("lifted_at", "until"):
        await world.run(f"update legal_hold set {column} = placed_at")
    else:
        key = as_key(world, world.records.member(SECOND).id)
        value = b"x" * 32 if column == "seal" else key
        await world.run(f"update legal_hold set {column} = ?", (value,))

    assert await refused(world, CASE_FILE, file)
    for by in (LEAD, SECOND):
        assert (await lift(world, CASE_FILE, file, hold, by=by)).codes == ["SEAL_BROKEN"]
    assert await refused(world, CASE_FILE, file)


async def test_the_list_of_what_waits_names_the_holds_that_stand(world: World) -> None:
    file = mine(world)
    hold = made(await place(world, CASE_FILE, file))

    told = (await world.ask(LEAD, WAITING, purpose="supervision")).data["erasures"]
    [one] = told["legalHolds"]
    assert (one["id"], one["kind"], one["record"]) == (hold, "CASE_FILE", str(file))
    assert one["placedBy"] == str(world.records.member(LEAD).id)

    assert codes(await lift(world, CASE_FILE, file, hold, by=SECOND)) == []
    told = (await world.ask(LEAD, WAITING, purpose="supervision")).data["erasures"]
    assert told["legalHolds"] == []
