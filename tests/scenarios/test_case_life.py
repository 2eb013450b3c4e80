"""The life of a case file: steps, a closing by two persons, and what a closed one still lets do."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.vocabulary import Action, Decision, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, reasons, records
from tests.scenarios.delegating import delegate
from tests.scenarios.hiding import NOTE
from tests.scenarios.living import (
    LEAD,
    advance,
    approve,
    closed,
    codes,
    decline,
    looked_at,
    reopen,
    request,
    requested,
    revision,
    stand,
)
from tests.scenarios.referring import ASSIGN, refer
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

TEXT = "Pelapor sudah pindah dan merasa aman, menurut pendamping."
TABLES = ("step", "closing", "reason")


def mine(world: World) -> UUID:
    return world.records.open_to_sari


def member(world: World, who: str) -> str:
    return str(world.records.member(who).id)


async def test_a_case_file_goes_from_intake_to_monitoring_and_back(world: World) -> None:
    file = mine(world)
    await stand(world, file, "intake")
    first = await revision(world, file)

    for step, to in enumerate(("TRIAGE", "ACTIVE", "MONITORING", "ACTIVE"), 1):
        before = await world.size()
        answer = await advance(world, file, to, text=TEXT if to == "MONITORING" else None)

        assert answer.data["advanceCaseFile"] == {
            "revision": first + step,
            "status": to,
            "errors": [],
        }
        events = await world.events(before)
        assert_change(events, Action.ADVANCE_CASE_FILE, Outcome.DONE)
        assert records(events[0], RecordKind.CASE_FILE) == {file}
        assert len(records(events[0], RecordKind.STEP)) == 1
    found = await looked_at(world, file)
    assert (found["revision"], found["status"]) == (first + 4, "ACTIVE")
    assert [one["text"] for one in found["reasons"]] == [TEXT]
    assert await world.run("select was, became from step order by id") == [
        ("intake", "triage"),
        ("triage", "active"),
        ("active", "monitoring"),
        ("monitoring", "active"),
    ]


async def test_no_other_step_is_taken(world: World) -> None:
    file = mine(world)
    there = await counted(world, *TABLES)
    for was, to in (
        ("intake", "ACTIVE"),
        ("triage", "INTAKE"),
        ("active", "ACTIVE"),
        ("active", "CLOSED"),
        ("monitoring", "TRIAGE"),
    ):
        await stand(world, file, was)
        before = await world.size()
        assert codes(await advance(world, file, to)) == ["STEP_NOT_ALLOWED"]
        assert_change(await world.events(before), Action.ADVANCE_CASE_FILE, Outcome.NOTHING)
    assert await counted(world, *TABLES) == there


async def test_of_two_who_take_a_step_at_once_one_takes_it(world: World) -> None:
    file = mine(world)
    seen = await revision(world, file)
    assert codes(await advance(world, file, "MONITORING", at=seen)) == []

    stale = await advance(world, file, "ACTIVE", at=seen)

    assert codes(stale) == ["STALE_REVISION"]
    assert (await looked_at(world, file))["status"] == "MONITORING"


async def test_a_closing_takes_two_persons(world: World) -> None:
    file = mine(world)
    first = await revision(world, file)
    closing = await requested(world, file, text=TEXT)
    assert (await looked_at(world, file))["status"] == "ACTIVE"
    world.clock.move(timedelta(hours=1))
    before = await world.size()

    answer = await approve(world, file, closing)

    at = world.clock().isoformat()
    assert answer.data["approveClosing"] == {
        "closingId": closing,
        "revision": first + 1,
        "at": at,
        "errors": [],
    }
    events = await world.events(before)
    assert_change(events, Action.APPROVE_CLOSING, Outcome.DONE)
    assert records(events[0], RecordKind.CLOSING) == {UUID(closing)}
    found = await looked_at(world, file)
    assert (found["status"], found["revision"]) == ("CLOSED", first + 1)
    [shown] = found["closings"]
    assert (shown["reason"], shown["requestedBy"]) == ("threat_ended", member(world, SARI))
    assert (shown["approvedBy"], shown["closedAt"]) == (member(world, BUDI), at)
    assert [one["text"] for one in found["reasons"]] == [TEXT]


async def test_nobody_approves_or_declines_what_they_asked_for(world: World) -> None:
    file = mine(world)
    closing = await requested(world, file, by=BUDI, purpose="supervision")

    for answer in (await approve(world, file, closing), await decline(world, file, closing)):
        assert codes(answer) == ["SECOND_PERSON_NEEDED"]
    assert (await looked_at(world, file))["status"] == "ACTIVE"
    assert codes(await approve(world, file, closing, by=LEAD)) == []


async def test_what_somebody_asked_for_who_is_no_member_any_more_is_not_approved(
    world: World,
) -> None:
    file = mine(world)
    closing = await requested(world, file)
    key = as_key(world, UUID(member(world, SARI)))
    await world.run("update member set disabled_at = '2026-11-01' where id = ?", [key])

    assert codes(await approve(world, file, closing)) == ["SECOND_PERSON_NEEDED"]


async def test_a_declined_request_is_over_and_another_one_may_come(world: World) -> None:
    file = mine(world)
    closing = await requested(world, file)
    assert codes(await request(world, file)) == ["STEP_NOT_ALLOWED"]

    declined = await decline(world, file, closing, text=TEXT)

    assert codes(declined) == []
    assert declined.data["declineClosing"]["at"] == world.clock().isoformat()
    assert codes(await approve(world, file, closing)) == ["NOT_FOUND"]
    assert codes(await decline(world, file, closing)) == ["NOT_FOUND"]
    assert (await looked_at(world, file))["status"] == "ACTIVE"
    await closed(world, file)


async def test_an_approval_of_an_older_revision_closes_nothing(world: World) -> None:
    file = mine(world)
    seen = await revision(world, file)
    closing = await requested(world, file)
    assert codes(await advance(world, file, "MONITORING")) == []
    there = await counted(world, *TABLES)

    assert codes(await approve(world, file, closing, at=seen)) == ["STALE_REVISION"]
    assert await counted(world, *TABLES) == there
    assert (await looked_at(world, file))["closings"][0]["closedAt"] is None


async def test_a_closed_case_file_comes_back_as_active(world: World) -> None:
    file = mine(world)
    await closed(world, file)
    first = await revision(world, file)

    answer = await reopen(world, file, text=TEXT)

    assert answer.data["reopenCaseFile"] == {
        "revision": first + 1,
        "status": "ACTIVE",
        "errors": [],
    }
    found = await looked_at(world, file)
    assert found["status"] == "ACTIVE"
    assert found["closings"][0]["reopenedBy"] == member(world, BUDI)
    assert [one["text"] for one in found["reasons"]] == [TEXT]
    assert codes(await reopen(world, file)) == ["STEP_NOT_ALLOWED"]
    assert codes(await advance(world, file, "MONITORING")) == []
    await closed(world, file)


async def assign(world: World, file: UUID) -> Answer:
    until = (world.clock() + timedelta(days=3)).isoformat()
    given = {"caseFileId": str(file), "memberId": member(world, "maria"), "until": until}
    return await world.ask(BUDI, ASSIGN, {"input": given}, purpose="supervision")


async def test_to_a_closed_case_file_nobody_and_nothing_new_comes(world: World) -> None:
    file = mine(world)
    await closed(world, file)
    tables = ("assignment", "referral", "delegation", "step", "closing")
    there, before = await counted(world, *tables), await world.size()

    tried = [
        await assign(world, file),
        await refer(world, file=file),
        await delegate(world, file=file),
        await advance(world, file, "MONITORING"),
        await request(world, file),
    ]

    assert [codes(answer) for answer in tried] == [["CASE_FILE_CLOSED"]] * 5
    events = await world.events(before)
    assert [(e.decision, reasons(e)) for e in events] == [
        (Decision.REFUSED, {"case_file_closed"})
    ] * 5
    assert await counted(world, *tables) == there


async def test_who_works_on_a_closed_case_file_reads_it_and_keeps_it_right(world: World) -> None:
    file = mine(world)
    await closed(world, file)

    answer = await world.ask(SARI, NOTE, {"id": str(file)})

    assert answer.data["addNote"]["errors"] == []
    account = "query ($id: ID!) { caseFile(id: $id) { account withheld { field } } }"
    read = (await world.ask(SARI, account, {"id": str(file)})).data["caseFile"]
    assert read["account"]
    assert read["withheld"] == []


async def test_who_writes_another_status_by_hand_opens_no_closed_case_file(world: World) -> None:
    file = mine(world)
    await closed(world, file)
    await stand(world, file, "active")

    assert codes(await assign(world, file)) == ["CASE_FILE_CLOSED"]
    assert codes(await advance(world, file, "MONITORING")) == ["CASE_FILE_CLOSED"]


@pytest.mark.parametrize(
    "change", ["reopened_at = closed_at", "closed_at = null", "seal = requested_by"]
)
async def test_a_closing_that_somebody_changed_by_hand_stands(
    world: World, change: str, reports: list[Any]
) -> None:
    file = mine(world)
    await closed(world, file)
    await stand(world, file, "active" if "reopened" in change else "closed")
    if "seal" in change:
        await world.run("update closing set seal = ?", [b"x" * 32])
    else:
        await world.run(f"update closing set {change}")

    assert codes(await assign(world, file)) == ["CASE_FILE_CLOSED"]
    if "null" not in change:
        assert codes(await reopen(world, file)) == ["SEAL_BROKEN"]
    assert {line["event"] for line in reports} >= {"seal_broken"} or "null" in change


async def test_a_request_that_somebody_wrote_by_hand_closes_nothing(world: World) -> None:
    file = mine(world)
    closing = await requested(world, file)
    await world.run(
        "update closing set requested_by = ?", [as_key(world, UUID(member(world, LEAD)))]
    )

    assert codes(await approve(world, file, closing)) == ["SEAL_BROKEN"]
    assert (await looked_at(world, file))["status"] == "ACTIVE"
    assert (await looked_at(world, file))["closings"] == []


REFUSED = [
    # Who, purpose, code, reason in the event.
    ("rizal", "protection", "NOT_ALLOWED", "not_assigned"),
    (BUDI, "quality_review", "NOT_ALLOWED", "purpose_does_not_fit"),
    (WAYAN, "protection", "NOT_FOUND", "not_in_reach"),
    (SARI, "supervision", "NOT_FOUND", "not_in_reach"),
]


@pytest.mark.parametrize(("who", "purpose", "code", "reason"), REFUSED)
async def test_who_may_not_leaves_one_event_and_no_row(
    still: World, who: str, purpose: str, code: str, reason: str
) -> None:
    file = mine(still)
    there = await counted(still, *TABLES)
    for ask in (
        lambda: advance(still, file, "MONITORING", by=who, purpose=purpose),
        lambda: request(still, file, by=who, purpose=purpose),
    ):
        before = await still.size()
        assert codes(await ask()) == [code]
        [event] = await still.events(before)
        assert (event.decision, event.code, reasons(event)) == (Decision.REFUSED, code, {reason})
    assert await counted(still, *TABLES) == there
    assert (await looked_at(still, file))["status"] == "ACTIVE"


@pytest.mark.parametrize("who", [SARI, "maria"])
async def test_only_who_oversees_closes_and_reopens(still: World, who: str) -> None:
    file = mine(still)
    for answer in (
        await approve(still, file, NOBODY, by=who, purpose="assessment"),
        await decline(still, file, NOBODY, by=who, purpose="assessment"),
        await reopen(still, file, by=who, purpose="assessment"),
    ):
        assert codes(answer) == ["NOT_ALLOWED"]


async def test_another_agencys_case_file_is_as_one_that_is_not_there(still: World) -> None:
    for name, ask in {
        "approve": lambda file: approve(still, file, NOBODY, by="hasan", at=1),
        "decline": lambda file: decline(still, file, NOBODY, by="hasan"),
        "reopen": lambda file: reopen(still, file, by="hasan", at=1),
    }.items():
        theirs, nobodys = await ask(mine(still)), await ask(UUID(NOBODY))
        assert theirs.body == nobodys.body, name
        assert codes(theirs) == ["NOT_FOUND"], name


async def test_the_request_of_another_case_file_is_not_there(world: World) -> None:
    file = mine(world)
    closing = await requested(world, file)
    other = next(
        f.id for f in world.records.case_files if f.lead_agency == "komnas-ham" and f.id != file
    )

    assert codes(await approve(world, other, closing, by=LEAD)) == ["NOT_FOUND"]


@pytest.mark.parametrize("given", [{"reason": "boredom"}, {"text": " "}, {"text": "x" * 2_001}])
async def test_a_reason_that_is_none_is_refused_before_anything(
    still: World, given: dict[str, str]
) -> None:
    there, before = await counted(still, *TABLES), await still.size()

    assert codes(await request(still, mine(still), **given)) == ["VALUE_INVALID"]
    assert await still.size() == before
    assert await counted(still, *TABLES) == there


async def test_who_reviews_the_log_takes_no_step(still: World) -> None:
    answer = await advance(still, mine(still), "MONITORING", by=TUTI)
    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])
