"""The review of break-glass over HTTP: another agency closes a use; rows by hand close nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from api.casework import break_glass_watch
from api.demo.synthetic import SARI
from api.store.tables import RIGHTS
from api.vocabulary import Action, Decision, Ground, Outcome, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, records
from tests.scenarios.breaking_glass import (
    LPSK_OFFICER,
    OWN_OFFICER,
    TEXT,
    broke,
    broken,
    codes,
    opens,
    review,
    uses,
)
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh


async def waits(world: World) -> bool:
    """Break again; tell whether a second person is needed, which is until the review."""
    answer = await broken(world)
    assert codes(answer) == []
    waiting: bool = answer.data["breakGlass"]["waitsForSecondPerson"]
    return waiting


async def test_officers_see_who_did_what_and_when_and_no_identity(world: World) -> None:
    made = await broke(world)
    size = await world.size()

    [use] = await uses(world)

    now = world.clock()
    assert use == {
        "id": made,
        "agency": "komnas-ham",
        "leadAgency": "komnas-ham",
        "member": str(world.records.member(SARI).id),
        "caseFile": None,  # LPSK has nothing to do with it.
        "reason": "LIFE_IN_DANGER",
        "compartments": ["CONTACT", "IDENTITY"],
        "approvedBy": None,
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=4)).isoformat(),
        "endedAt": None,
        "reviewBy": (now + timedelta(hours=72)).isoformat(),
        "overdue": False,
        "yoursToReview": True,
    }
    [look] = await world.events(size)
    assert (look.action, look.touched[0].fields[:2]) == (
        Action.READ_LOG,
        ("query:breakGlassUses", "shown:1"),
    )
    [own] = await uses(world, OWN_OFFICER)
    assert (own["caseFile"], own["yoursToReview"]) == (str(world.records.closed_to_sari), False)
    world.clock.move(timedelta(hours=72))
    assert [use["overdue"] for use in await uses(world)] == [True]


async def test_another_agency_closes_a_use_and_every_officer_concerned_sees_it(
    world: World,
) -> None:
    made = await broke(world)
    size = await world.size()

    answer = await review(world, made, finding="NOT_JUSTIFIED")

    assert codes(answer) == []
    assert answer.data["reviewBreakGlass"]["reviewedAt"] == world.clock().isoformat()
    events = await world.events(size)
    assert_change(events, Action.REVIEW_BREAK_GLASS, Outcome.DONE)
    assert events[0].agencies == ("komnas-ham", "lpsk")
    assert events[0].touched[0].ground is Ground.OVERSIGHT
    assert events[0].touched[0].fields == ("finding:not_justified",)
    assert records(events[0], RecordKind.BREAK_GLASS) == {UUID(made)}
    assert await uses(world) == []
    assert codes(await review(world, made)) == ["NOT_FOUND"]
    assert not await waits(world)


async def test_the_own_agencys_officer_may_not_review(world: World) -> None:
    made = await broke(world)
    size = await world.size()

    assert codes(await review(world, made, by=OWN_OFFICER)) == ["NOT_ALLOWED"]

    [event] = await world.events(size)
    assert (event.action, event.decision, event.code) == (
        Action.REVIEW_BREAK_GLASS,
        Decision.REFUSED,
        "NOT_ALLOWED",
    )
    assert await counted(world, "break_glass_review") == {"break_glass_review": 0}
    assert await waits(world)


async def test_what_waits_for_a_second_person_is_not_there_to_be_reviewed(world: World) -> None:
    await broke(world)
    waiting = await broke(world)
    for nothing in (waiting, NOBODY):
        size = await world.size()
        assert codes(await review(world, nothing)) == ["NOT_FOUND"]
        [event] = await world.events(size)
        assert (event.decision, event.agencies) == (Decision.REFUSED, ("lpsk",))


async def test_overdue_reviews_are_told_to_the_operators_until_they_are_made(
    world: World,
) -> None:
    made = await broke(world)
    async with exchanged(world) as inside:
        for moved, told in ((timedelta(hours=71), 0), (timedelta(hours=1), 1)):
            world.clock.move(moved)
            with capture_logs() as lines:
                assert await break_glass_watch.tell(inside.house) == told
            assert [(x["event"], x["agency"], x["uses"], x["log_level"]) for x in lines] == [
                ("break_glass_unreviewed", "komnas-ham", 1, "warning")
            ] * told
        assert codes(await review(inside.world, made)) == []
        assert await break_glass_watch.tell(inside.house) == 0


# -- rows that were written or edited by hand ------------------------------------------


def by_hand(world: World, column: str) -> tuple[str, list[Any]]:
    """Give a forged value of *column* as SQL."""
    other = as_key(world, world.records.member("maria").id)
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2026-10-01 00:00:00.000000'"
    file = as_key(world, world.records.open_to_sari)
    return {
        "id": ("?", [as_key(world, uuid4())]),
        "case_file": ("?", [file]),
        "agency": ("'lpsk'", []),
        "lead_agency": ("'lpsk'", []),
        "member": ("?", [other]),
        "reason": ("'evacuation'", []),
        "compartments": ("'contact,identity,narrative'", []),
        "asked_at": (moment, []),
        "approved_by": ("?", [other]),
        "starts_at": (moment, []),
        "ends_at": (f"{kind}'2030-01-01 00:00:00.000000'", []),
        "ended_at": (moment, []),
        "review_by": (f"{kind}'2030-01-01 00:00:00.000000'", []),
        "event": ("event + 1", []),
        "signature": ("seal", []),
        "seal": ("signature", []),
    }[column]


@pytest.mark.parametrize("column", [*RIGHTS["break_glass"], "seal"])
async def test_a_grant_that_was_edited_by_hand_opens_nothing_and_is_owed(
    world: World, column: str
) -> None:
    await broke(world)
    assert await opens(world)
    said, values = by_hand(world, column)

    await world.run(f"update break_glass set {column} = {said}", values)

    for who in (SARI, "maria"):
        for file in (world.records.closed_to_sari, world.records.open_to_sari):
            mine = who == SARI and file == world.records.open_to_sari
            assert await opens(world, by=who, file=file) is mine
    if column != "member":
        assert await waits(world)


async def test_a_pending_grant_that_is_approved_by_hand_opens_nothing(world: World) -> None:
    made = await broke(world)
    assert codes(await review(world, made)) == []
    world.clock.move(timedelta(hours=4))
    await broke(world)  # a use that is reviewed no more
    world.clock.move(timedelta(hours=4))
    waiting = await broke(world)
    assert not await opens(world)
    await world.run(
        "update break_glass set approved_by = ?, starts_at = asked_at,"
        " ends_at = (select max(ends_at) from break_glass) , review_by = asked_at where id = ?",
        [as_key(world, world.records.member("budi").id), as_key(world, UUID(waiting))],
    )
    await world.run("update break_glass set ends_at = '2030-01-01 00:00:00.000000'")

    assert not await opens(world)


async def test_a_grant_that_was_inserted_by_hand_opens_nothing(world: World) -> None:
    made = await broke(world)
    names = ", ".join(n for n in (*RIGHTS["break_glass"], "signature") if n not in ("id", "member"))
    for seal in ("seal", "signature"):
        await world.run(
            f"insert into break_glass (id, member, seal, {names})"
            f" select ?, ?, {seal}, {names} from break_glass where id = ?",
            [
                as_key(world, uuid4()),
                as_key(world, world.records.member("maria").id),
                as_key(world, UUID(made)),
            ],
        )
    assert not await opens(world, by="maria")
    assert await opens(world)


async def test_a_grant_that_was_edited_shows_to_no_officer_and_is_not_closed(
    world: World,
) -> None:
    made = await broke(world)
    await world.run("update break_glass set compartments = 'contact'")

    for officer in (LPSK_OFFICER, OWN_OFFICER):
        assert await uses(world, officer) == []
    assert codes(await review(world, made)) == ["NOT_FOUND"]


@pytest.mark.parametrize("column", [*RIGHTS["break_glass_review"], "signature"])
async def test_a_review_that_was_edited_by_hand_closes_nothing(world: World, column: str) -> None:
    reviewed, other = await broke(world), await broke(world, by="maria")
    assert codes(await review(world, reviewed)) == []
    [before] = await uses(world)
    assert before["id"] == other
    kind = "timestamptz " if world.kind == "postgresql" else ""
    said: tuple[str, list[Any]] = {
        "id": ("?", [as_key(world, uuid4())]),
        "break_glass": ("?", [as_key(world, UUID(other))]),
        "agency": ("'komnas-perempuan'", []),
        "reviewer": ("?", [as_key(world, world.records.member("wulan").id)]),
        "finding": ("'too_broad'", []),
        "at": (f"{kind}'2026-10-01 00:00:00.000000'", []),
        "event": ("event + 1", []),
        "signature": ("seal", []),
    }[column]

    await world.run(f"update break_glass_review set {column} = {said[0]}", said[1])

    assert {use["id"] for use in await uses(world, OWN_OFFICER)} == {reviewed, other}
    assert await waits(world)


async def test_no_review_of_the_own_agency_counts_not_even_a_sealed_one(world: World) -> None:
    """Whoever holds the keys of the agency that broke glass closes nothing of it."""
    mine, theirs = await broke(world), await broke(world, by="wayan", file=_of_lpsk(world))
    assert codes(await review(world, theirs, by=OWN_OFFICER)) == []
    # What Komnas HAM signed about another's use, put under its own.
    await world.run("update break_glass_review set break_glass = ?", [as_key(world, UUID(mine))])

    assert {use["id"] for use in await uses(world)} == {mine, theirs}


def _of_lpsk(world: World) -> UUID:
    return next(
        f.id
        for f in world.records.case_files
        if f.lead_agency == "lpsk" and int(f.sensitivity) <= 4
    )


async def test_no_word_of_it_stands_in_the_log(world: World) -> None:
    size = await world.size()
    await broke(world)
    entries = await world.reader().entries(size, await world.size())
    telling = [word.encode() for word in TEXT.split() if len(word) > 5]
    assert all(word not in entry.body for entry in entries for word in telling)
