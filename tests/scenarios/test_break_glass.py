"""Break-glass over HTTP: who may, what it opens and for how long, and what the log says of it."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from api.accesslog.commitment import opens as committed
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Action, Compartment, Decision, Ground, Outcome, Reason, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, assert_change, assigned_to, counted, led_by, records
from tests.scenarios.breaking_glass import (
    LONG,
    LPSK_OFFICER,
    OWN_OFFICER,
    TEXT,
    approve,
    broke,
    broken,
    codes,
    end,
    opens,
    read,
    review,
    uses,
)
from tests.scenarios.referring import ACCEPT, HASAN, SURYA, referred, say
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

#: A moment, shorter than any limit.
MOMENT = timedelta(seconds=1)


async def refused(world: World, code: str, **options: object) -> None:
    """Assert that it is refused with one denial, no row, and nothing open."""
    size, before = await world.size(), await counted(world, "break_glass", "reason")
    answer = await broken(world, **options)  # type: ignore[arg-type]
    assert codes(answer) == [code]
    [event] = await world.events(size)
    assert (event.action, event.decision, event.code) == (
        Action.BREAK_GLASS,
        Decision.REFUSED,
        code,
    )
    assert await counted(world, "break_glass", "reason") == before


async def test_a_life_in_danger_opens_what_was_named_for_four_hours(world: World) -> None:
    assert not await opens(world)
    size = await world.size()

    answer = await broken(world)

    said = answer.data["breakGlass"]
    assert (said["errors"], said["waitsForSecondPerson"]) == ([], False)
    assert said["endsAt"] == (world.clock() + LONG).isoformat()
    events = await world.events(size)
    assert_change(events, Action.BREAK_GLASS, Outcome.DONE)
    assert events[0].touched[0].ground is Ground.OWN_AGENCY
    assert "reason:life_in_danger" in events[0].touched[0].fields
    world.clock.move(LONG - MOMENT)
    assert await opens(world)
    world.clock.move(MOMENT)
    assert not await opens(world)


async def test_compartments_that_were_not_named_stay_closed(world: World) -> None:
    await broke(world, compartments=["CONTACT"])

    found = (await read(world)).data["caseFile"]

    [who] = found["defenders"]
    assert who["phones"] is not None
    assert (who["fullName"], who["presentLocation"], found["account"]) == (None, None, None)
    reasons = {w["field"]: w["reason"] for w in (*who["withheld"], *found["withheld"])}
    assert reasons.keys() == {"fullName", "presentLocation", "account"}


async def test_a_role_unlocks_no_more_than_it_reads(world: World) -> None:
    """Whereabouts are for protection officers, in an emergency too."""
    await refused(world, "NOT_ALLOWED", compartments=["IDENTITY", "WHEREABOUTS"])
    assert codes(await broken(world, compartments=[])) == ["VALUE_INVALID"]
    assert codes(await broken(world, compartments=["RELEASE"])) == ["VALUE_INVALID"]


async def test_it_opens_for_an_emergency_only_and_on_that_one_case_file(world: World) -> None:
    await broke(world)
    assert await opens(world)
    assert not await opens(world, purpose="protection")
    assert not await opens(world, by="maria")
    own = {f.id for f in assigned_to(world, SARI)}
    other = next(
        f.id
        for f in led_by(world, "komnas-ham")
        if f.id not in own | {world.records.closed_to_sari} and int(f.sensitivity) < 4
    )
    assert not await opens(world, file=other)


async def test_every_event_that_follows_names_the_grant(world: World) -> None:
    made = await broke(world, compartments=["IDENTITY", "NARRATIVE"])
    size = await world.size()

    await read(world)

    [event] = await world.events(size)
    on_it = [t for t in event.touched if t.ground is Ground.BREAK_GLASS]
    assert {c for t in on_it for c in t.compartments} == {
        Compartment.IDENTITY,
        Compartment.NARRATIVE,
    }
    for touched in on_it:
        assert (RecordKind.BREAK_GLASS, UUID(made), 0) in touched.records
    assert records(event, RecordKind.BREAK_GLASS, Decision.WITHHELD) == set()
    query = (
        """{ accessEvents(first: 9, filter: {breakGlass: true}) { edges { node { index } } } }"""
    )
    answer = await world.ask(OWN_OFFICER, query, face="oversight", purpose="quality_review")
    found = [edge["node"]["index"] for edge in answer.data["accessEvents"]["edges"]]
    assert found == [size]


async def test_a_list_and_a_search_on_that_ground_name_it_too(world: World) -> None:
    made = await broke(world)
    who = next(d for d in world.records.defenders if d.full_name == "I Made Sukadana")
    for query in (
        "{ caseFiles(first: 100) { edges { node { id defenders { fullName } } } } }",
        """{ findDefenders(by: NAME, value: "I Made Sukadana", first: 20) {
          defender { id fullName } } }""",
    ):
        size = await world.size()
        answer = await world.ask(SARI, query, purpose="emergency")
        assert who.full_name in answer.text
        for event in await world.events(size):
            on_it = [t for t in event.touched if t.ground is Ground.BREAK_GLASS]
            assert on_it
            for touched in on_it:
                assert (RecordKind.BREAK_GLASS, UUID(made), 0) in touched.records


async def test_the_words_are_sealed_and_committed_to(world: World) -> None:
    size = await world.size()
    await broke(world)
    [intent, _] = await world.events(size)
    query = "query ($id: ID!) { caseFile(id: $id) { reasons { text opening event } } }"
    asked = {"id": str(world.records.closed_to_sari)}
    [one] = (await world.ask("rizal", query, asked)).data["caseFile"]["reasons"]
    assert (one["text"], one["event"]) == (TEXT, size)
    assert intent.commitment is not None
    assert committed(intent.commitment, bytes.fromhex(one["opening"]), TEXT)


async def test_without_words_nothing_is_unlocked(world: World) -> None:
    size = await world.size()
    assert codes(await broken(world, text=None)) == ["VALUE_INVALID"]
    assert_change(await world.events(size), Action.BREAK_GLASS, Outcome.NOTHING)
    assert await counted(world, "break_glass") == {"break_glass": 0}


@pytest.mark.parametrize("purpose", ["protection", "assessment"])
async def test_only_an_emergency_is_one(world: World, purpose: str) -> None:
    await refused(world, "NOT_ALLOWED", purpose=purpose)


async def test_who_does_intake_breaks_no_glass(world: World) -> None:
    await refused(world, "NOT_ALLOWED", by="dewi")


async def test_who_is_not_cleared_breaks_no_glass(world: World) -> None:
    extreme = next(f for f in led_by(world, "komnas-ham") if int(f.sensitivity) == 4)
    await refused(world, "NOT_ALLOWED", file=extreme.id)


async def test_a_foreign_record_that_was_not_referred_is_not_found(world: World) -> None:
    await refused(world, "NOT_FOUND", by=WAYAN)
    await refused(world, "NOT_FOUND", file=uuid4())


# -- the sign-in ----------------------------------------------------------------------


async def test_a_weak_or_old_sign_in_is_refused_with_what_to_ask_for(still: World) -> None:
    world, ago = still, timedelta(minutes=5, seconds=31)
    for token in (
        world.token(SARI),
        world.token(SARI, acr="phr"),
        world.token(SARI, auth_time=world.clock()),
        world.token(SARI, acr="pwd", auth_time=world.clock()),
        world.strong_token(SARI, ago=ago),
        world.strong_token(SARI, ago=-timedelta(seconds=31)),
    ):
        await refused(world, "SIGN_IN_NOT_STRONG", token=token)
        # What is there, or in reach, is not looked for.
        await refused(world, "SIGN_IN_NOT_STRONG", token=token, file=uuid4())
    answer = await broken(world, token=world.token(SARI))
    assert answer.data["breakGlass"]["signIn"] == {
        "error": "insufficient_user_authentication",
        "acrValues": ["phr"],
        "maxAge": 300,
    }
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_user_authentication", acr_values="phr", max_age="300"'
    )
    enough = await broken(world, token=world.strong_token(SARI))
    assert "www-authenticate" not in enough.headers


async def test_a_sign_in_within_the_leeway_is_fresh(world: World) -> None:
    token = world.strong_token(SARI, ago=timedelta(minutes=5, seconds=30))
    assert codes(await broken(world, token=token)) == []


async def test_without_a_setting_nobody_breaks_glass(world: World) -> None:
    world.settings = world.settings.model_copy(update={"strong_acr": ()})
    async with exchanged(world) as inside:
        await refused(inside.world, "SIGN_IN_NOT_STRONG")


# -- the witnesses --------------------------------------------------------------------


async def test_without_witnesses_nothing_is_unlocked_and_what_was_closes(world: World) -> None:
    there = [True]
    async with exchanged(world) as inside:
        inside.house.gate.witnessed = lambda: there[0]
        await broke(inside.world)
        assert await opens(inside.world)

        there[0] = False
        assert not await opens(inside.world)
        shown = (await read(inside.world)).data["caseFile"]["defenders"][0]["withheld"]
        reasons = {one["field"]: one["reason"] for one in shown}
        assert reasons["fullName"] == Reason.LOG_NOT_WITNESSED.name
        await refused(inside.world, "NOT_ALLOWED", by="maria")

        there[0] = True
        assert await opens(inside.world)


# -- a second person ------------------------------------------------------------------


async def test_after_a_use_that_nobody_reviewed_the_next_waits_for_a_second_person(
    world: World,
) -> None:
    await broke(world)
    world.clock.move(LONG)
    size = await world.size()

    answer = await broken(world)

    said = answer.data["breakGlass"]
    assert (said["waitsForSecondPerson"], said["endsAt"]) == (True, None)
    made = said["breakGlassId"]
    assert not await opens(world)
    assert len(await uses(world)) == 1
    assert codes(await approve(world, made, by=BUDI)) == []
    assert await opens(world)
    [intent, _, *_] = [
        e for e in await world.events(size) if e.action is Action.APPROVE_BREAK_GLASS
    ]
    assert records(intent, RecordKind.BREAK_GLASS) == {UUID(made)}
    latest = (await uses(world))[0]
    assert latest["approvedBy"] == str(world.records.member(BUDI).id)
    world.clock.move(LONG)
    assert not await opens(world)


async def test_a_use_that_was_ended_or_is_of_another_case_file_is_a_use(world: World) -> None:
    made = await broke(world)
    assert codes(await end(world, made)) == []
    own = assigned_to(world, SARI)[0].id
    answer = await broken(world, file=own)
    assert answer.data["breakGlass"]["waitsForSecondPerson"] is True


async def test_of_a_colleague_or_after_its_review_a_use_asks_for_nobody(world: World) -> None:
    made = await broke(world)
    assert (await broken(world, by="maria")).data["breakGlass"]["waitsForSecondPerson"] is False
    assert codes(await review(world, made)) == []
    assert (await broken(world)).data["breakGlass"]["waitsForSecondPerson"] is False


async def test_nobody_approves_for_themself(world: World) -> None:
    await broke(world, by=BUDI)
    world.clock.move(LONG)
    made = await broke(world, by=BUDI)

    assert codes(await approve(world, made, by=BUDI)) == ["SECOND_PERSON_NEEDED"]
    assert not await opens(world, by=BUDI)
    assert codes(await approve(world, made, by="hartono")) == []
    assert await opens(world, by=BUDI)


async def test_who_approves_supervises_and_signed_in_strongly(world: World) -> None:
    await broke(world)
    made = await broke(world)
    for who, token, code in (
        ("rizal", None, "NOT_ALLOWED"),
        (HASAN, None, "NOT_FOUND"),
        (BUDI, world.token(BUDI), "SIGN_IN_NOT_STRONG"),
    ):
        purpose = "emergency" if who == "rizal" else "supervision"
        answer = await approve(world, made, by=who, token=token, purpose=purpose)
        assert codes(answer) == [code]
    world.clock.move(LONG - MOMENT)
    assert codes(await approve(world, NOBODY, by=BUDI)) == ["NOT_FOUND"]
    assert codes(await approve(world, made, by=BUDI)) == []
    assert codes(await approve(world, made, by="hartono")) == ["NOT_FOUND"]


async def test_what_waited_for_four_hours_is_over(world: World) -> None:
    await broke(world)
    made = await broke(world)
    world.clock.move(LONG)
    assert codes(await approve(world, made, by=BUDI)) == ["NOT_FOUND"]
    assert not await opens(world)


# -- its end --------------------------------------------------------------------------


async def test_it_ends_before_its_time_by_oneself_or_a_supervisor(world: World) -> None:
    made = await broke(world)
    size = await world.size()
    for who in ("rizal", WAYAN):
        assert codes(await end(world, made, by=who)) == ["NOT_FOUND"]
    assert await opens(world)

    assert codes(await end(world, made)) == []

    assert not await opens(world)
    assert codes(await end(world, made)) == ["NOT_FOUND"]
    events = [e for e in await world.events(size) if e.action is Action.END_BREAK_GLASS]
    assert [e.outcome for e in events if e.outcome] == [
        Outcome.NOTHING,
        Outcome.DONE,
        Outcome.NOTHING,
    ]
    other = await broke(world, by="maria")
    assert codes(await end(world, other, by=BUDI)) == []
    assert not await opens(world, by="maria")
    assert {use["id"]: use["endedAt"] is not None for use in await uses(world)} == {
        made: True,
        other: True,
    }


# -- what was referred -------------------------------------------------------------------


async def test_of_a_referred_record_the_recipient_unlocks_what_was_shared(world: World) -> None:
    file = world.records.open_to_sari
    referral = await referred(world)
    assert codes(await say(world, ACCEPT, referral)) == []
    for compartments, text, code in (
        (["IDENTITY"], TEXT, "REASON_NOT_KEPT"),
        (["IDENTITY", "NARRATIVE"], None, "NOT_ALLOWED"),
    ):
        answer = await broken(world, by=SURYA, file=file, compartments=compartments, text=text)
        assert codes(answer) == [code]
    assert not await opens(world, by=SURYA, file=file)
    size = await world.size()

    with capture_logs() as lines:
        made = await broke(world, by=SURYA, file=file, compartments=["IDENTITY"], text=None)

    assert await opens(world, by=SURYA, file=file)
    # The lead agency is told at once: by an event of its own, and in what its officer asks.
    [intent, *_] = await world.events(size)
    assert intent.agencies == ("komnas-ham", "lpsk")
    [told] = [line for line in lines if line["event"] == "break_glass"]
    assert (told["agency"], told["lead_agency"], told["log_level"]) == (
        "lpsk",
        "komnas-ham",
        "warning",
    )
    [use] = await uses(world, OWN_OFFICER)
    assert (use["id"], use["caseFile"], use["yoursToReview"]) == (made, str(file), True)
    [use] = await uses(world, LPSK_OFFICER)
    assert (use["id"], use["yoursToReview"]) == (made, False)
