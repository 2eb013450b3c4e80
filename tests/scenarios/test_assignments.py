"""Assignments over HTTP: given on the next request, gone with their time, never to oneself."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.casework.provisioning import disable_member
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.vocabulary import Action, Decision, Outcome, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    assert_change,
    case_file,
    counted,
    first_defender,
    reasons,
    records,
)
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # Who is refused changes nothing.

ASSIGN = """mutation ($input: AssignCaseworkerInput!) {
  assignCaseworker(input: $input) { assignmentId errors { code } } }"""
UNASSIGN = """mutation ($input: UnassignCaseworkerInput!) {
  unassignCaseworker(input: $input) { assignmentId errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { assignedToMe account
  defenders { fullName withheld { reason } } } }"""


async def assign(
    world: World,
    who: str,
    *,
    by: str = BUDI,
    to: object = None,
    until: datetime | str | None = None,
    purpose: str | None = "supervision",
) -> Answer:
    """Assign the member *who*, a subject or an id, to the file that is closed to Sari."""
    end = until or world.clock() + timedelta(days=30)
    given = {
        "caseFileId": str(to or world.records.closed_to_sari),
        "memberId": member_id(world, who),
        "until": end if isinstance(end, str) else end.isoformat(),
    }
    return await world.ask(by, ASSIGN, {"input": given}, purpose=purpose)


async def unassign(
    world: World,
    who: str,
    *,
    by: str = BUDI,
    to: object = None,
    purpose: str | None = "supervision",
) -> Answer:
    given = {
        "caseFileId": str(to or world.records.closed_to_sari),
        "memberId": member_id(world, who),
    }
    return await world.ask(by, UNASSIGN, {"input": given}, purpose=purpose)


def member_id(world: World, who: str) -> str:
    return who if "-" in who else str(world.records.member(who).id)


def codes(answer: Answer) -> list[str]:
    [payload] = answer.data.values()
    return [error["code"] for error in payload["errors"]]


async def reads(world: World, who: str, file: object = None) -> bool:
    """Tell whether *who* reads the identity; every field must say the same."""
    asked = {"id": str(file or world.records.closed_to_sari)}
    told = (await world.ask(who, READ, asked)).data["caseFile"]
    names = [d["fullName"] for d in told["defenders"]]
    answers = {told["assignedToMe"], told["account"] is not None, None not in names}
    assert len(answers) == 1
    return answers.pop()


async def test_an_assignment_opens_on_the_very_next_request(world: World) -> None:
    closed = world.records.closed_to_sari
    assert not await reads(world, SARI)
    before = await world.size()

    answer = await assign(world, SARI)

    assert codes(answer) == []
    events = await world.events(before)
    assert len(events) == 2
    assert_change(events, Action.ASSIGN_CASEWORKER, Outcome.DONE)
    assert events[1].intent == before
    assert events[0].actor == world.records.member(BUDI).id
    assert records(events[0], RecordKind.CASE_FILE) == {closed}
    made = answer.data["assignCaseworker"]["assignmentId"]
    rows = await world.run("select id from assignment where event = ?", (before,))
    assert [str(row[0]).replace("-", "") for row in rows] == [made.replace("-", "")]

    assert await reads(world, SARI)
    person = first_defender(world, closed)
    read = await world.ask(SARI, READ, {"id": str(closed)})
    assert read.data["caseFile"]["defenders"][0]["fullName"] == person.full_name
    assert not await reads(world, "maria")


async def test_an_assignment_ends_with_its_time(world: World) -> None:
    until = world.clock() + timedelta(hours=2)
    assert codes(await assign(world, SARI, until=until)) == []

    world.clock.move(timedelta(hours=2, microseconds=-1))
    assert await reads(world, SARI)
    world.clock.move(timedelta(microseconds=1))
    assert not await reads(world, SARI)


async def test_the_zone_of_the_end_counts(world: World) -> None:
    jakarta = (world.clock() + timedelta(hours=7, minutes=30)).replace(tzinfo=None)
    assert codes(await assign(world, SARI, until=f"{jakarta.isoformat()}+07:00")) == []

    world.clock.move(timedelta(minutes=29))
    assert await reads(world, SARI)
    world.clock.move(timedelta(minutes=1))
    assert not await reads(world, SARI)


async def test_who_is_unassigned_is_shut_out_on_the_very_next_request(world: World) -> None:
    mine = world.records.open_to_sari
    assert await reads(world, SARI, mine)
    before = await world.size()

    answer = await unassign(world, SARI, to=mine)

    assert (codes(answer), answer.data["unassignCaseworker"]["assignmentId"]) == ([], None)
    events = await world.events(before)
    assert len(events) == 2
    assert_change(events, Action.UNASSIGN_CASEWORKER, Outcome.DONE)
    assert not await reads(world, SARI, mine)
    assert await world.run("select count(*) from assignment where event = ?", (before,)) == [(1,)]


async def test_every_assignment_of_a_person_ends_at_once_and_nobody_elses(world: World) -> None:
    assert codes(await assign(world, SARI)) == []
    assert codes(await assign(world, SARI, until=world.clock() + timedelta(days=90))) == []

    assert codes(await unassign(world, SARI)) == []

    assert not await reads(world, SARI)
    assert await reads(world, "rizal")
    again = await assign(world, SARI)
    assert codes(again) == []
    assert await reads(world, SARI)


async def test_nothing_ends_where_nothing_is_live(still: World) -> None:
    over = case_file(still, "KH-2026-0008")  # Maria's assignment ended by itself
    for who, to in (("maria", over.id), (SARI, None), (WAYAN, None), (NOBODY, None)):
        before = await still.size()

        answer = await unassign(still, who, to=to)

        assert codes(answer) == ["NOT_ASSIGNED"], who
        events = await still.events(before)
        assert len(events) == 2
        assert_change(events, Action.UNASSIGN_CASEWORKER, Outcome.NOTHING)


async def test_it_ends_once(world: World) -> None:
    mine = world.records.open_to_sari

    answers = await asyncio.gather(*(unassign(world, SARI, to=mine) for _ in range(4)))

    assert sorted(map(codes, answers)) == [[], *[["NOT_ASSIGNED"]] * 3]


@pytest.mark.parametrize("supervisor", [BUDI, "hartono"])
async def test_nobody_assigns_themself(still: World, supervisor: str) -> None:
    before, there = await still.size(), await counted(still, "assignment")

    answer = await assign(still, supervisor, by=supervisor)

    assert codes(answer) == ["ASSIGNEE_INVALID"]
    events = await still.events(before)
    assert len(events) == 2
    assert_change(events, Action.ASSIGN_CASEWORKER, Outcome.NOTHING)
    assert await counted(still, "assignment") == there
    told = await still.ask(
        supervisor, READ, {"id": str(still.records.closed_to_sari)}, purpose="protection"
    )
    assert told.data["caseFile"]["account"] is None


#: Who cannot be assigned -> why.
UNFIT = {
    WAYAN: "another agency's protection officer",
    "hasan": "another agency's supervisor",
    TUTI: "a security officer",
    "eko": "an operator",
    RATNA: "a partner",
    NOBODY: "nobody",
}


async def test_only_a_caseworker_of_the_lead_agency_is_assigned(still: World) -> None:
    low = case_file(still, "KH-2026-0007").id  # nobody's clearance is too low for it
    there = await counted(still, "assignment")
    for who, why in UNFIT.items():
        before = await still.size()

        answer = await assign(still, who, to=low)

        assert codes(answer) == ["ASSIGNEE_INVALID"], why
        events = await still.events(before)
        assert len(events) == 2
        assert_change(events, Action.ASSIGN_CASEWORKER, Outcome.NOTHING)
    assert await counted(still, "assignment") == there


async def test_who_is_not_cleared_for_the_case_file_is_not_assigned(world: World) -> None:
    extreme = case_file(world, "KH-2025-0004")
    before, there = await world.size(), await counted(world, "assignment")

    answer = await assign(world, "maria", to=extreme.id)

    assert codes(answer) == ["ASSIGNEE_INVALID"]
    assert_change(await world.events(before), Action.ASSIGN_CASEWORKER, Outcome.NOTHING)
    assert await counted(world, "assignment") == there
    assert not await reads(world, "maria", extreme.id)
    assert codes(await assign(world, "hartono", to=extreme.id)) == []


async def test_who_is_disabled_is_not_assigned(world: World) -> None:
    async with exchanged(world) as inside:
        assert await disable_member(inside.house, "komnas-ham", "maria")
    before, there = await world.size(), await counted(world, "assignment")

    answer = await assign(world, "maria")

    assert codes(answer) == ["ASSIGNEE_INVALID"]
    assert_change(await world.events(before), Action.ASSIGN_CASEWORKER, Outcome.NOTHING)
    assert await counted(world, "assignment") == there


#: Who, purpose, to which file -> the code, and the reason in the event.
NOT_ALLOWED: list[tuple[str, str, str, str, str]] = [
    (SARI, "protection", "KH-2026-0012", "NOT_ALLOWED", "role_does_not_fit"),
    (SARI, "protection", "KH-2026-0010", "NOT_ALLOWED", "role_does_not_fit"),
    ("dewi", "intake", "KH-2026-0012", "NOT_ALLOWED", "role_does_not_fit"),
    (SARI, "supervision", "KH-2026-0012", "NOT_FOUND", "not_in_reach"),
    ("hasan", "supervision", "KH-2026-0012", "NOT_FOUND", "not_in_reach"),
    (BUDI, "supervision", "LP-2025-0006", "NOT_FOUND", "not_in_reach"),
]


@pytest.mark.parametrize("mutation", [assign, unassign])
@pytest.mark.parametrize(("who", "purpose", "reference", "code", "reason"), NOT_ALLOWED)
async def test_who_has_no_such_duty_changes_nothing(
    still: World, mutation: Any, who: str, purpose: str, reference: str, code: str, reason: str
) -> None:
    file = case_file(still, reference)
    before = await still.size()
    there = await still.run("select * from assignment order by id")

    answer = await mutation(still, "rizal", by=who, to=file.id, purpose=purpose)

    assert codes(answer) == [code]
    [event] = await still.events(before)
    assert (event.decision, event.code, reasons(event)) == (Decision.REFUSED, code, {reason})
    assert event.action.value == mutation.__name__ + "_caseworker"
    assert records(event, RecordKind.CASE_FILE) == {file.id}
    assert await still.run("select * from assignment order by id") == there


async def test_a_case_officer_does_not_assign_herself_and_the_log_says_that_she_tried(
    still: World,
) -> None:
    before, there = await still.size(), await counted(still, "assignment")

    answer = await assign(still, SARI, by=SARI, purpose="protection")

    assert codes(answer) == ["NOT_ALLOWED"]
    [event] = await still.events(before)
    assert (event.actor, event.decision) == (still.records.member(SARI).id, Decision.REFUSED)
    assert await counted(still, "assignment") == there


@pytest.mark.parametrize("mutation", [assign, unassign])
async def test_a_record_of_another_agency_is_answered_as_one_that_is_not_there(
    still: World, mutation: Any
) -> None:
    before = await still.size()

    theirs = await mutation(still, "rizal", to=case_file(still, "LP-2025-0006").id)
    nobodys = await mutation(still, "rizal", to=NOBODY)

    assert theirs.body == nobodys.body
    assert codes(nobodys) == ["NOT_FOUND"]
    events = await still.events(before)
    assert [(e.code, reasons(e)) for e in events] == [("NOT_FOUND", {"not_in_reach"})] * 2


async def test_an_end_is_ahead_and_within_a_year(world: World) -> None:
    before, there = await world.size(), await counted(world, "assignment")
    now = world.clock()
    for until in (
        now,
        now - timedelta(days=1),
        now + timedelta(days=366, microseconds=1),
        "2026-12-01T00:00:00",
        "9999-12-31T23:59:59+00:00",
    ):
        assert codes(await assign(world, SARI, until=until)) == ["VALUE_INVALID"], until
    assert await world.size() == before
    assert await counted(world, "assignment") == there
    assert codes(await assign(world, SARI, until=now + timedelta(days=366))) == []


@pytest.mark.parametrize("mutation", [assign, unassign])
async def test_without_a_purpose_nothing_is_assigned_or_ended(still: World, mutation: Any) -> None:
    before = await still.size()
    there = await still.run("select * from assignment order by id")

    answer = await mutation(still, "rizal", purpose=None)

    assert (answer.codes, answer.body["data"]) == (["PURPOSE_MISSING"], None)
    assert await still.size() == before
    assert await still.run("select * from assignment order by id") == there


async def test_assigning_hands_out_nothing_to_the_supervisor(world: World) -> None:
    before = await world.size()

    await assign(world, SARI, purpose="protection")

    told = await world.ask(
        BUDI, READ, {"id": str(world.records.closed_to_sari)}, purpose="protection"
    )
    assert told.data["caseFile"]["account"] is None
    *_, read = await world.events(before)
    assert not [t for t in read.touched if t.fields and t.decision is Decision.DISCLOSED]
