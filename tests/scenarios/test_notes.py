"""Notes: who may open the narrative may write to it, and what is written is sealed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.vocabulary import Action, Compartment, Decision, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, assert_change, counted, fields, reasons, records
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # Who is refused changes nothing.

ADD = """mutation ($id: ID!, $body: String!) { addNote(input: {caseFileId: $id, body: $body}) {
  noteId errors { code message } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) {
  notes { id author writtenAt body } withheld { field } } }"""
TEXT = "Ibu korban meminta ditelepon lewat pengacara, bukan langsung."


async def add(
    world: World, subject: str, case_file: object, body: str = TEXT, **options: Any
) -> Answer:
    return await world.ask(subject, ADD, {"id": str(case_file), "body": body}, **options)


def codes(answer: Answer) -> list[str]:
    payload = answer.data["addNote"]
    assert (payload["noteId"] is None) is bool(payload["errors"])
    return [error["code"] for error in payload["errors"]]


async def test_a_note_is_read_by_the_team_and_by_nobody_else(world: World) -> None:
    mine = world.records.open_to_sari
    world.clock.move(timedelta(minutes=5))
    before = await world.size()

    answer = await add(world, SARI, mine, f"  {TEXT}\n")

    assert codes(answer) == []
    events = await world.events(before)
    assert len(events) == 2
    assert_change(events, Action.ADD_NOTE, Outcome.DONE)
    assert fields(events[0], Decision.ALLOWED) == {"body"}
    assert {c for t in events[0].touched for c in t.compartments} == {Compartment.NARRATIVE}
    assert records(events[0], RecordKind.CASE_FILE) == {mine}
    assert events[1].intent == before
    read = await world.ask(SARI, READ, {"id": str(mine)})
    note, *older = read.data["caseFile"]["notes"]
    assert note == {
        "id": answer.data["addNote"]["noteId"],
        "author": str(world.records.member(SARI).id),
        "writtenAt": world.clock().isoformat(),
        "body": TEXT,
    }
    assert len(older) == 1
    colleague = await world.ask("maria", READ, {"id": str(mine)})
    assert [n["body"] for n in colleague.data["caseFile"]["notes"]] == [None, None]
    assert (await world.ask(WAYAN, READ, {"id": str(mine)})).codes == ["NOT_FOUND"]


@pytest.mark.parametrize("body", ["", "   \n\t", "x" * 20_001, "a\x00b"])
async def test_a_text_that_is_none_or_too_long_is_refused(still: World, body: str) -> None:
    before, there = await still.size(), await counted(still, "note")

    answer = await add(still, SARI, still.records.open_to_sari, body)

    assert codes(answer) == ["VALUE_INVALID"]
    assert await still.size() == before
    assert await counted(still, "note") == there


async def test_a_text_may_be_as_long_as_the_limit_and_comes_back_whole(world: World) -> None:
    body = "Catatan " * 2_499 + "terakhir"
    assert len(body) == 20_000

    assert codes(await add(world, SARI, world.records.open_to_sari, body)) == []

    read = await world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})
    assert read.data["caseFile"]["notes"][0]["body"] == body


REFUSED = [
    # Who, purpose, code, reason in the event.
    ("rizal", "protection", "NOT_ALLOWED", "not_assigned"),
    (BUDI, "protection", "NOT_ALLOWED", "not_assigned"),
    (BUDI, "quality_review", "NOT_ALLOWED", "purpose_does_not_fit"),
    (SARI, "supervision", "NOT_FOUND", "not_in_reach"),
    (WAYAN, "protection", "NOT_FOUND", "not_in_reach"),
]


@pytest.mark.parametrize(("who", "purpose", "code", "reason"), REFUSED)
async def test_who_may_not_write_leaves_one_event_and_no_note(
    still: World, who: str, purpose: str, code: str, reason: str
) -> None:
    mine = still.records.open_to_sari
    before, there = await still.size(), await counted(still, "note")

    answer = await add(still, who, mine, purpose=purpose)

    assert codes(answer) == [code]
    [event] = await still.events(before)
    assert (event.action, event.decision, event.code) == (Action.ADD_NOTE, Decision.REFUSED, code)
    assert reasons(event) == {reason}
    assert event.actor == still.records.member(who).id
    assert records(event, RecordKind.CASE_FILE) == {mine}
    assert await counted(still, "note") == there


async def test_a_supervisor_writes_for_supervision(world: World) -> None:
    mine = world.records.open_to_sari
    assert codes(await add(world, BUDI, mine, purpose="supervision")) == []
    read = await world.ask(SARI, READ, {"id": str(mine)})
    assert read.data["caseFile"]["notes"][0]["author"] == str(world.records.member(BUDI).id)


async def test_a_note_on_a_record_that_is_not_there_is_refused_as_on_anothers(
    still: World,
) -> None:
    before = await still.size()

    nobodys = await add(still, WAYAN, NOBODY)
    theirs = await add(still, WAYAN, still.records.open_to_sari)

    assert nobodys.body == theirs.body
    assert codes(nobodys) == ["NOT_FOUND"]
    events = await still.events(before)
    assert [(e.code, reasons(e)) for e in events] == [("NOT_FOUND", {"not_in_reach"})] * 2


async def test_a_note_without_a_purpose_is_not_written(still: World) -> None:
    before, there = await still.size(), await counted(still, "note")

    answer = await add(still, SARI, still.records.open_to_sari, purpose=None)

    assert (answer.codes, answer.body["data"]) == (["PURPOSE_MISSING"], None)
    assert await still.size() == before
    assert await counted(still, "note") == there


async def test_a_security_officer_writes_no_note(still: World) -> None:
    there = await counted(still, "note")

    answer = await add(still, TUTI, still.records.open_to_sari)

    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])
    assert await counted(still, "note") == there


async def test_the_newest_hundred_notes_are_read(world: World) -> None:
    mine = world.records.open_to_sari
    for batch in range(3):
        world.clock.move(timedelta(minutes=1))
        bodies = [f"Catatan {batch} {number}" for number in range(35)]
        answers = await asyncio.gather(*(add(world, SARI, mine, body) for body in bodies))
        assert [codes(answer) for answer in answers] == [[]] * 35

    read = await world.ask(SARI, READ, {"id": str(mine)})

    shown = [note["body"] for note in read.data["caseFile"]["notes"]]
    assert len(shown) == 100
    assert len(set(shown)) == 100
    assert {body.split()[1] for body in shown[:70]} == {"1", "2"}
