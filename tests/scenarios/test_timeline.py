"""The timeline: what happened to a case file, for each reader as far as they may know of it."""

from datetime import timedelta
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, SARI, WAYAN
from tests.scenarios import sharing
from tests.scenarios.hiding import NOTE
from tests.scenarios.living import advance, codes, decline, requested
from tests.scenarios.recording import (
    ACCOUNT,
    TIMELINE,
    accused,
    assess,
    correct,
    recorded,
    timeline,
)
from tests.scenarios.referring import accepted, referred
from tests.scenarios.test_statements import counted
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still


def mine(world: World) -> UUID:
    return world.records.open_to_sari


async def lived(world: World) -> dict[str, str]:
    """Let much happen to the case file, an hour each; give the ids."""
    file, made = mine(world), {}
    world.clock.move(timedelta(hours=1))
    made["incident"] = await recorded(world, file, adversaries=[await accused(world, file)])
    world.clock.move(timedelta(hours=1))
    assert codes(await correct(world, file, made["incident"], 1, account="Tiga orang.")) == []
    world.clock.move(timedelta(hours=1))
    answer = await assess(world, file)
    made["assessment"] = answer.data["assessRisk"]["assessmentId"]
    world.clock.move(timedelta(hours=1))
    assert codes(await advance(world, file, "MONITORING")) == []
    world.clock.move(timedelta(hours=1))
    made["note"] = (await world.ask(SARI, NOTE, {"id": str(file)})).data["addNote"]["noteId"]
    world.clock.move(timedelta(hours=1))
    made["closing"] = await requested(world, file)
    world.clock.move(timedelta(hours=1))
    assert codes(await decline(world, file, made["closing"])) == []
    return made


async def test_it_tells_what_happened_newest_first_and_who_did_it(world: World) -> None:
    since = world.clock().isoformat()
    made = await lived(world)

    told = await timeline(world, mine(world))

    assert [one["at"] for one in told] == sorted((one["at"] for one in told), reverse=True)
    new = [one for one in told if one["at"] > since]
    assert [one["kind"] for one in new] == [
        "CLOSING_DECLINED",
        "CLOSING_REQUESTED",
        "NOTE_ADDED",
        "STATUS_CHANGED",
        "RISK_ASSESSED",
        "INCIDENT_CORRECTED",
        "INCIDENT_RECORDED",
    ]
    sari, budi = (str(world.records.member(who).id) for who in (SARI, BUDI))
    assert [one["actor"] for one in new] == [budi, *[sari] * 6]
    by_kind = {one["kind"]: one for one in told}
    assert by_kind["STATUS_CHANGED"]["status"] == "MONITORING"
    assert by_kind["CLOSING_REQUESTED"]["recordId"] == made["closing"]
    assert by_kind["RISK_ASSESSED"]["recordId"] == made["assessment"]
    assert by_kind["INCIDENT_RECORDED"]["recordId"] == made["incident"]
    assert by_kind["NOTE_ADDED"]["recordId"]
    assert by_kind["OPENED"]["recordId"] == str(mine(world))
    assert by_kind["ASSIGNED"]["subject"]


async def test_it_shows_as_many_as_are_asked_for(world: World) -> None:
    await lived(world)
    assert len(await timeline(world, mine(world), first=3)) == 3
    for first in (0, 101):
        given = {"id": str(mine(world)), "first": first}
        assert (await world.ask(SARI, TIMELINE, given)).codes == ["PAGE_SIZE_INVALID"]


async def test_nothing_that_is_sealed_stands_in_it(world: World) -> None:
    await lived(world)
    answer = await world.ask(SARI, TIMELINE, {"id": str(mine(world)), "first": 100})
    assert ACCOUNT not in answer.text
    assert "Bripka" not in answer.text


async def test_who_only_knows_that_it_exists_is_not_told_who_works_on_it(world: World) -> None:
    await referred(world)

    kinds = {one["kind"] for one in await timeline(world, mine(world), "maria")}
    hers = {one["kind"] for one in await timeline(world, mine(world))}
    overseen = await timeline(world, mine(world), BUDI, purpose="supervision")

    assert {"ASSIGNED", "REFERRED"} <= hers
    assert {"ASSIGNED", "REFERRED"} <= {one["kind"] for one in overseen}
    assert kinds.isdisjoint({"ASSIGNED", "REFERRED"})
    assert "OPENED" in kinds


async def test_another_agency_is_told_of_its_own_part_only(world: World) -> None:
    await lived(world)
    referral = await accepted(world)

    told = await timeline(world, mine(world), WAYAN)

    assert {one["kind"] for one in told} == {"ASSIGNED", "REFERRED"}
    assert {one["recordId"] for one in told if one["kind"] == "REFERRED"} == {referral}
    own = {str(m.id) for m in world.records.members if m.organisation == "lpsk"}
    assert {one["actor"] for one in told} | {one["subject"] for one in told} <= {*own, None}


async def test_a_row_that_somebody_changed_by_hand_is_not_told(world: World) -> None:
    await lived(world)
    there = len(await timeline(world, mine(world)))

    await world.run("update step set became = 'closed'")
    await world.run("update assessment set impact = 1")
    await world.run("update incident set happened_to = happened_from, version = version + 5")

    assert len(await timeline(world, mine(world))) == there - 4


async def test_to_a_stranger_there_is_none(still: World) -> None:
    given = {"id": str(mine(still)), "first": 5}
    assert (await still.ask(WAYAN, TIMELINE, given)).codes == ["NOT_FOUND"]


async def test_it_takes_one_statement_for_each_kind(still: World) -> None:
    with counted() as plain:
        await still.ask(
            SARI, "query ($id: ID!) { caseFile(id: $id) { id } }", {"id": str(mine(still))}
        )
    with counted() as seen:
        await timeline(still, mine(still))

    # Assignments, referrals, closings, incidents, assessments, steps, notes; the day.
    assert len(seen) <= len(plain) + 8, seen
