"""Who could open what of a defender: for supervisors and officers, with what it leaves."""

from typing import Any

import pytest

from api.casework import access_review
from api.demo.synthetic import BUDI, SARI, TUTI
from api.vocabulary import Action, Decision, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import first_defender, records
from tests.scenarios.breaking_glass import broke
from tests.scenarios.referring import HASAN, accepted
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

WHO = """query ($id: ID!, $first: Int! = 100, $after: String, $compartment: Compartment) {
  whoCanSee(defenderId: $id, first: $first, after: $after, compartment: $compartment) {
    members { member role openings { compartment ground purposes } }
    agencies { agency compartments until } endCursor } }"""


async def ask(world: World, who: str = BUDI, purpose: str = "supervision", **more: Any) -> Answer:
    person = first_defender(world, world.records.open_to_sari)
    face = "oversight" if who == TUTI else "agency"
    return await world.ask(who, WHO, {"id": str(person.id), **more}, purpose=purpose, face=face)


async def review(world: World, *words: Any, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(world, *words, **more)).data["whoCanSee"]
    return found


def by_member(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        one["member"]: {o["compartment"]: o for o in one["openings"]} for one in found["members"]
    }


async def test_a_supervisor_sees_who_could_open_what_on_which_ground(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    before = await world.size()
    async with exchanged(world) as inside:
        found = await review(inside.world)
        assert inside.keyring.opened == []

    members = by_member(found)
    sari, budi = (str(world.records.member(who).id) for who in (SARI, BUDI))
    assert members[sari]["IDENTITY"]["ground"] == "ASSIGNED"
    assert "PROTECTION" in members[sari]["IDENTITY"]["purposes"]
    assert "SUPERVISION" not in members[sari]["IDENTITY"]["purposes"]
    assert "WHEREABOUTS" not in members[sari]
    assert members[budi]["IDENTITY"] == {
        "compartment": "IDENTITY",
        "ground": "SUPERVISING",
        "purposes": ["QUALITY_REVIEW", "REFERRAL", "SUPERVISION"],
    }
    own = {str(m.id) for m in world.records.members if m.organisation == "komnas-ham"}
    assert set(members) < own, "who can open nothing is left out"
    [event] = [e for e in await world.events(before) if e.action is not Action.START]
    assert (event.action, event.decision) == (Action.REVIEW_ACCESS, Decision.ALLOWED)
    assert records(event, RecordKind.DEFENDER) == {person.id}


async def test_who_broke_glass_is_among_those_who_could_see(world: World) -> None:
    person = first_defender(world, world.records.closed_to_sari)
    sari = str(world.records.member(SARI).id)

    async def hers(who: str, **options: Any) -> dict[str, Any]:
        answer = await world.ask(who, WHO, {"id": str(person.id)}, **options)
        return by_member(answer.data["whoCanSee"]).get(sari, {})

    assert await hers(BUDI, purpose="supervision") == {}
    await broke(world)

    for found in (
        await hers(BUDI, purpose="supervision"),
        await hers(TUTI, purpose="quality_review", face="oversight"),
    ):
        assert {name: one["ground"] for name, one in found.items()} == {
            "IDENTITY": "BREAK_GLASS",
            "CONTACT": "BREAK_GLASS",
        }
        assert found["IDENTITY"]["purposes"] == ["EMERGENCY"]


async def test_it_is_what_a_reading_would_open(still: World) -> None:
    read = """query ($id: ID!) { defender(id: $id) { fullName } }"""
    person = first_defender(still, still.records.open_to_sari)
    could = by_member(await review(still, compartment="IDENTITY"))
    for member in still.records.members:
        if member.organisation != "komnas-ham" or member.role in ("operator", "security_officer"):
            continue
        answer = await still.ask(member.subject, read, {"id": str(person.id)})
        seen = answer.body["data"]["defender"]  # None: the purpose is not this role's.
        opened = seen is not None and seen["fullName"] is not None
        openings = could.get(str(member.id), {})
        assert opened == ("PROTECTION" in openings.get("IDENTITY", {}).get("purposes", []))


async def test_who_answers_for_nobody_may_not_ask(still: World) -> None:
    before = await still.size()

    refused = [await ask(still, SARI, "protection"), await ask(still, BUDI, "protection")]

    assert [answer.codes for answer in refused] == [["NOT_ALLOWED"]] * 2
    events = await still.events(before)
    assert [(e.action, e.decision) for e in events] == [
        (Action.REVIEW_ACCESS, Decision.REFUSED)
    ] * 2


async def test_an_officer_sees_the_same_and_leaves_the_id(still: World) -> None:
    person = first_defender(still, still.records.open_to_sari)
    supervisors = await review(still)
    before = await still.size()

    officers = await review(still, TUTI, "quality_review")

    assert officers == supervisors
    [event] = await still.events(before)
    assert event.action is Action.REVIEW_ACCESS
    assert f"asked:{person.id.hex}" in event.touched[0].fields


async def test_pages_hold_everybody_once(still: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (await review(still))["members"]
    assert len(whole) > 1
    monkeypatch.setattr(access_review, "MEMBERS_MOST", 2)
    found: list[Any] = []
    after = None
    while True:
        page = await review(still, first=1, after=after)
        found += page["members"]
        after = page["endCursor"]
        if after is None:
            break

    assert found == whole


async def test_a_referral_tells_the_other_agency_and_none_of_its_members(world: World) -> None:
    assert (await review(world))["agencies"] == []
    await accepted(world)

    own = await review(world)
    theirs = await review(world, HASAN)

    assert [(a["agency"], a["compartments"]) for a in own["agencies"]] == [
        ("lpsk", ["CONTACT", "IDENTITY"])
    ]
    lpsk = {str(m.id) for m in world.records.members if m.organisation == "lpsk"}
    assert set(by_member(own)).isdisjoint(lpsk)
    assert set(by_member(theirs)) <= lpsk
    assert {c for openings in by_member(theirs).values() for c in openings} == {
        "CONTACT", "IDENTITY",
    }  # fmt: skip
    assert theirs["agencies"] == []


async def test_a_forged_member_or_assignment_counts_for_nobody(world: World) -> None:
    await world.run("update assignment set event = 0")

    assert (await review(world))["members"] == []


async def test_a_member_whose_seal_does_not_hold_is_not_named(world: World) -> None:
    sari = world.records.member(SARI).id
    assert str(sari) in by_member(await review(world))
    await world.run("update member set clearance = 4 where subject = ?", (SARI,))

    assert str(sari) not in by_member(await review(world))
