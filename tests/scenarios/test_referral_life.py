"""The life of a referral over HTTP: taken back, declined with a reason, over by its date."""

from datetime import timedelta
from typing import Any

import pytest

from api.casework.sharing import settle
from api.demo.synthetic import BUDI
from api.vocabulary import Action, Decision, Outcome, Reason
from tests.inside import exchanged
from tests.scenarios import living, sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, first_defender
from tests.scenarios.consenting import TAKE_BACK
from tests.scenarios.referring import (
    ACCEPT,
    ENDANG,
    HASAN,
    LIST,
    accepted,
    codes,
    read,
    refer,
    referred,
    say,
)
from tests.scenarios.referring import DECLINE as DECLINE_UNSAID
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

DECLINE = """mutation ($id: ID!, $reason: DeclineReason) {
  declineReferral(input: {referralId: $id}, reason: $reason) { referralId errors { code } } }"""


def person(world: World) -> Any:
    """Give the id of a defender who is referred, as the database holds it."""
    return as_key(world, first_defender(world, world.records.open_to_sari).id)


async def taken(world: World) -> list[tuple[object, ...]]:
    """Give what keys of that defender the recipient has."""
    query = "select compartment from data_key where owner = 'lpsk' and record = ?"
    return await world.run(query, [person(world)])


async def listed(world: World, by: str = HASAN) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.ask(by, LIST, purpose="referral")).data["referrals"]
    return found


async def states(world: World, by: str = HASAN) -> list[str]:
    return [referral["state"] for referral in await listed(world, by)]


async def test_the_giver_takes_it_back_before_the_answer(world: World) -> None:
    referral = await referred(world)
    start = await world.size()

    assert codes(await say(world, TAKE_BACK, referral, by=BUDI)) == []

    assert_change(await world.events(start), Action.END_REFERRAL, Outcome.DONE)
    assert await states(world, BUDI) == await states(world, HASAN) == ["WITHDRAWN"]
    assert codes(await say(world, ACCEPT, referral)) == ["REFERRAL_NOT_OPEN"]
    assert codes(await say(world, TAKE_BACK, referral, by=BUDI)) == ["REFERRAL_NOT_OPEN"]
    async with exchanged(world) as inside:
        await settle(inside.house)
    assert (await counted(world, "key_share"))["key_share"] == 0
    # It may be tried again.
    assert codes(await say(world, ACCEPT, await referred(world))) == []


async def test_what_was_accepted_is_ended_and_not_taken_back(world: World) -> None:
    referral = await accepted(world)
    assert codes(await say(world, TAKE_BACK, referral, by=BUDI)) == ["REFERRAL_NOT_OPEN"]
    assert (await read(world)).data["caseFile"]["defenders"][0]["fullName"]


async def test_nobody_but_the_giver_takes_it_back(world: World) -> None:
    referral = await referred(world)
    rows = await counted(world, "referral")
    for by in (HASAN, ENDANG):
        start = await world.size()
        assert codes(await say(world, TAKE_BACK, referral, by=by)) == ["NOT_FOUND"]
        assert codes(await say(world, TAKE_BACK, NOBODY, by=by)) == ["NOT_FOUND"]
        one, other = await world.events(start)
        assert (one.code, one.agencies) == (other.code, other.agencies)
    assert await counted(world, "referral") == rows
    assert await states(world) == ["PROPOSED"]


async def test_a_proposal_that_nobody_answered_is_over_by_its_date(world: World) -> None:
    referral = await referred(world, until=world.clock() + timedelta(days=3))
    world.clock.move(timedelta(days=3) - timedelta(microseconds=1))
    assert await states(world) == ["PROPOSED"]

    world.clock.move(timedelta(microseconds=1))

    assert await states(world, BUDI) == await states(world) == ["EXPIRED"]
    for what, by in ((ACCEPT, HASAN), (TAKE_BACK, BUDI)):
        assert codes(await say(world, what, referral, by=by)) == ["REFERRAL_NOT_OPEN"]
    # Told the same once its end is written.
    async with exchanged(world) as inside:
        await settle(inside.house)
    assert await world.run("select id from referral where ended_at is null") == []
    assert await states(world) == ["EXPIRED"]


async def test_what_is_over_keeps_nobody_from_referring_again(world: World) -> None:
    await referred(world, until=world.clock() + timedelta(days=3))
    assert codes(await refer(world)) == ["REFERRAL_INVALID"]
    world.clock.move(timedelta(days=3))
    assert codes(await refer(world)) == []
    assert sorted(await states(world)) == ["EXPIRED", "PROPOSED"]


async def test_what_was_accepted_has_ended_by_its_date(world: World) -> None:
    await accepted(world, until=world.clock() + timedelta(days=3))
    assert await states(world) == ["ACCEPTED"]
    world.clock.move(timedelta(days=3))
    assert await states(world, BUDI) == await states(world) == ["ENDED"]
    async with exchanged(world) as inside:
        await settle(inside.house)
        await settle(inside.house)
    assert await states(world) == ["ENDED"]


async def test_an_agency_that_declines_says_why(world: World) -> None:
    referral = await referred(world)

    answer = await world.ask(
        HASAN, DECLINE, {"id": referral, "reason": "NO_CAPACITY"}, purpose="referral"
    )

    assert codes(answer) == []
    for who in (BUDI, HASAN):
        [shown] = await listed(world, who)
        assert (shown["state"], shown["declineReason"]) == ("DECLINED", "NO_CAPACITY")
    assert (await read(world)).codes == ["NOT_FOUND"]
    # Written by hand it is nobody's reason.
    await world.run("update referral_decline set reason = 'outside_mandate'")
    for who in (BUDI, HASAN):
        [shown] = await listed(world, who)
        assert (shown["state"], shown["declineReason"]) == ("DECLINED", None)


async def test_a_reason_belongs_to_the_answer_with_which_it_was_given(world: World) -> None:
    first = await referred(world)
    given = {"id": first, "reason": "INFORMATION_MISSING"}
    assert codes(await world.ask(HASAN, DECLINE, given, purpose="referral")) == []
    second = await referred(world)
    given = {"id": second, "reason": None}
    assert codes(await world.ask(HASAN, DECLINE, given, purpose="referral")) == []
    await world.run(
        "update referral_decline set referral = (select id from referral where id not in"
        " (select referral from referral_decline))"
    )

    assert [r["declineReason"] for r in await listed(world, BUDI)] == [None, None]


async def test_who_refuses_a_decline_keeps_no_reason(world: World) -> None:
    referral = await referred(world)
    given = {"id": referral, "reason": "NO_CAPACITY"}
    answer = await world.ask("wayan", DECLINE, given, purpose="referral")
    assert codes(answer) == ["NOT_ALLOWED"]
    assert await counted(world, "referral_decline", "referral_right") == {
        "referral_decline": 0,
        "referral_right": 0,
    }


async def test_what_was_offered_before_the_case_file_was_closed_is_accepted_no_more(
    world: World,
) -> None:
    referral = await referred(world)
    file = world.records.open_to_sari
    await living.closed(world, file)
    start = await world.size()

    assert codes(await say(world, ACCEPT, referral)) == ["CASE_FILE_CLOSED"]

    [event] = await world.events(start)
    assert (event.action, event.decision) == (Action.ACCEPT_REFERRAL, Decision.REFUSED)
    assert (event.code, event.touched[0].reason) == ("CASE_FILE_CLOSED", Reason.CASE_FILE_CLOSED)
    assert await counted(world, "referral_right", "key_share") == {
        "referral_right": 0,
        "key_share": 0,
    }
    # Nor does another status that somebody writes by hand let it be.
    await living.stand(world, file, "active")
    assert codes(await say(world, ACCEPT, referral)) == ["CASE_FILE_CLOSED"]
    await living.reopen(world, file)
    assert codes(await say(world, ACCEPT, referral)) == []


async def test_an_offer_of_a_closed_case_file_may_be_declined(world: World) -> None:
    referral = await referred(world)
    await living.closed(world, world.records.open_to_sari)
    assert codes(await say(world, DECLINE_UNSAID, referral)) == []


async def test_what_was_accepted_before_the_closing_goes_on(world: World) -> None:
    await accepted(world)
    await living.closed(world, world.records.open_to_sari)
    await world.run("delete from data_key where owner = 'lpsk' and record = ?", [person(world)])
    async with exchanged(world) as inside:
        await settle(inside.house)
    assert (await read(world)).data["caseFile"]["defenders"][0]["fullName"]
    assert await taken(world) != []


async def test_a_giver_gives_no_key_for_what_was_accepted_after_the_closing(world: World) -> None:
    referral = await referred(world)
    await living.closed(world, world.records.open_to_sari)
    # Whoever writes the database lets the recipient see nothing of the closing.
    await world.run("update closing set closed_at = null")
    await living.stand(world, world.records.open_to_sari, "active")

    assert codes(await say(world, ACCEPT, referral)) == []

    assert (await counted(world, "key_share"))["key_share"] == 0
    assert await taken(world) == []
