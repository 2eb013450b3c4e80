"""Reasons in words: sealed with the case file, committed to in the log, erased with the record."""

from typing import Any
from uuid import UUID

import pytest

from api.accesslog.commitment import opens
from api.accesslog.event import Event
from api.accesslog.verify import verify
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Action, Compartment, Decision, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import assert_change, counted, fields, first_defender, records
from tests.scenarios.erasing import (
    APPROVE,
    CASE_FILE,
    DEFENDER,
    LEAD,
    PLACE,
    REQUEST,
    codes,
    end,
    erase,
    made,
    of,
)
from tests.scenarios.leaks import database_files, every_cell, found_in
from tests.scenarios.referring import ACCEPT, HASAN, referred, say
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

TEXT = "Keluarga menyampaikan surat kuasa, tertanggal 3 Oktober."
READ = """query ($id: ID!) { caseFile(id: $id) {
  reasons { id record author writtenAt event text opening } withheld { field reason } } }"""
END = """mutation ($id: ID!, $text: String) {
  endReferral(input: {referralId: $id}, reasonText: $text) { referralId errors { code } } }"""


async def ask_erasure(
    world: World, kind: RecordKind, record: object, text: str | None = TEXT
) -> Answer:
    given = of(kind, record, reason="SUBJECT_REQUEST", reasonText=text)
    return await world.ask(BUDI, REQUEST, given, purpose="subject_request")


async def shown(world: World, who: str = SARI) -> dict[str, Any]:
    answer = await world.ask(who, READ, {"id": str(world.records.open_to_sari)})
    found: dict[str, Any] = answer.data["caseFile"]
    return found


async def commitment_of(world: World, since: int) -> str:
    """Give what both events of the change since then commit to."""
    intent, outcome = await world.events(since)
    assert intent.commitment is not None
    assert intent.commitment == outcome.commitment
    return intent.commitment


async def test_who_reads_a_reason_can_prove_it_against_the_leaf(world: World) -> None:
    file, size = world.records.open_to_sari, await world.size()

    made(await ask_erasure(world, CASE_FILE, file, f"  {TEXT}\n"))

    events: list[Event] = await world.events(size)
    assert_change(events, Action.REQUEST_ERASURE, Outcome.DONE)
    committed = await commitment_of(world, size)
    assert fields(events[0], Decision.ALLOWED) == {"opening", "text"}
    before = await world.size()
    [one] = (await shown(world))["reasons"]
    assert records(events[0], RecordKind.REASON) == {UUID(one["id"])}
    assert (one["text"], one["record"], one["event"]) == (TEXT, str(file), size)
    assert one["author"] == str(world.records.member(BUDI).id)
    assert opens(committed, bytes.fromhex(one["opening"]), one["text"])
    assert not opens(committed, bytes.fromhex(one["opening"]), one["text"] + " ")
    [reading] = await world.events(before)
    assert {"opening", "text"} <= fields(reading, Decision.DISCLOSED)
    assert {c for t in reading.touched for c in t.compartments} == {Compartment.NARRATIVE}


async def test_who_may_not_open_the_narrative_sees_that_there_is_a_reason_and_no_word(
    world: World,
) -> None:
    made(await ask_erasure(world, CASE_FILE, world.records.open_to_sari))

    found = await shown(world, "maria")

    [one] = found["reasons"]
    assert (one["text"], one["opening"]) == (None, None)
    assert {w["field"] for w in found["withheld"]} == {"text", "opening"}
    answer = await world.ask(WAYAN, READ, {"id": str(world.records.open_to_sari)})
    assert answer.codes == ["NOT_FOUND"]


async def test_a_hold_and_the_end_of_a_referral_take_a_reason(world: World) -> None:
    file = world.records.open_to_sari
    given = of(CASE_FILE, file, reason="COURT_PROCEEDING", reasonText=TEXT)
    made(await world.ask(LEAD, PLACE, given, purpose="subject_request"))
    referral = await referred(world)
    answer = await world.ask(BUDI, END, {"id": referral, "text": TEXT + "!"}, purpose="referral")

    assert codes(answer) == []
    found = (await shown(world))["reasons"]
    assert {one["text"] for one in found} == {TEXT, TEXT + "!"}
    events = await world.events()
    for one in found:
        committed = events[one["event"]].commitment
        assert committed is not None
        assert opens(committed, bytes.fromhex(one["opening"]), one["text"])


async def test_the_recipient_of_a_referral_ends_it_without_a_reason_only(world: World) -> None:
    referral = await referred(world)
    assert codes(await say(world, ACCEPT, referral)) == []
    before = await counted(world, "reason")

    answer = await world.ask(HASAN, END, {"id": referral, "text": TEXT}, purpose="referral")
    assert codes(answer) == ["REASON_NOT_KEPT"]
    assert await counted(world, "reason") == before
    answer = await world.ask(HASAN, END, {"id": referral}, purpose="referral")
    assert codes(answer) == []


@pytest.mark.parametrize("text", ["", " \n", "x" * 2_001, "a\x00b"])
async def test_a_reason_that_is_none_or_too_long_changes_nothing(still: World, text: str) -> None:
    before, there = await still.size(), await counted(still, "reason", "erasure")

    answer = await ask_erasure(still, CASE_FILE, still.records.open_to_sari, text)

    assert codes(answer) == ["VALUE_INVALID"]
    assert await still.size() == before
    assert await counted(still, "reason", "erasure") == there


async def test_a_change_without_a_reason_commits_to_nothing(world: World) -> None:
    size = await world.size()
    made(await ask_erasure(world, CASE_FILE, world.records.open_to_sari, None))
    assert [e.commitment for e in await world.events(size)] == [None, None]
    assert (await shown(world))["reasons"] == []


async def test_a_change_that_is_refused_keeps_no_reason(world: World) -> None:
    size = await world.size()
    given = of(CASE_FILE, world.records.open_to_sari, reason="DISPUTE", reasonText=TEXT)
    answer = await world.ask(SARI, PLACE, given, purpose="protection")
    assert codes(answer) == ["NOT_ALLOWED"]
    assert [e.commitment for e in await world.events(size)] == [None]
    assert await counted(world, "reason") == {"reason": 0}


async def test_no_word_of_a_reason_stands_in_the_log_or_the_database(world: World) -> None:
    size = await world.size()
    made(await ask_erasure(world, CASE_FILE, world.records.open_to_sari))
    [one] = (await shown(world))["reasons"]
    secrets = {TEXT, one["opening"]}

    entries = await world.reader().entries(size, await world.size())
    assert found_in(b"\x00".join(entry.body for entry in entries), secrets) == set()
    if world.kind == "sqlite":
        assert found_in(every_cell(world), secrets) == set()
        assert found_in(database_files(world), secrets) == set()


async def test_an_erasure_of_a_defender_takes_the_reason_with_it_and_the_log_stays_whole(
    world: World,
) -> None:
    file, size = world.records.open_to_sari, await world.size()
    who = first_defender(world, file).id
    asked = made(await ask_erasure(world, DEFENDER, who))
    committed = await commitment_of(world, size)
    [one] = (await shown(world))["reasons"]
    assert opens(committed, bytes.fromhex(one["opening"]), one["text"])

    assert codes(await end(world, APPROVE, DEFENDER, who, asked)) == []

    assert await counted(world, "reason") == {"reason": 0}
    found = await shown(world)
    assert (found["reasons"], found["withheld"]) == ([], [])
    [again, _] = (await world.events(size))[:2]
    assert again.commitment == committed
    verified = await verify(world.reader(), [world.log_key])
    assert verified.size > size + 1


async def test_an_erasure_of_a_case_file_takes_its_reasons(world: World) -> None:
    file = world.records.open_to_sari
    people = next(f for f in world.records.case_files if f.id == file).defenders
    for who in people:
        await erase(world, DEFENDER, who)
    asked = made(await ask_erasure(world, CASE_FILE, file))
    assert await counted(world, "reason") == {"reason": 1}
    assert codes(await end(world, APPROVE, CASE_FILE, file, asked)) == []
    assert await counted(world, "reason") == {"reason": 0}


@pytest.mark.parametrize("column", ["author", "event", "record", "seal"])
async def test_a_reason_that_was_changed_by_hand_is_left_out(world: World, column: str) -> None:
    made(await ask_erasure(world, CASE_FILE, world.records.open_to_sari))
    value = {
        "author": f"(select id from member where subject = '{SARI}')",
        "event": "event + 1",
        "record": "id",
        "seal": "text",
    }[column]
    await world.run(f"update reason set {column} = {value}")

    found = await shown(world)

    assert found["reasons"] == []
    assert {(w["field"], w["reason"]) for w in found["withheld"]} == {
        ("opening", "SEAL_BROKEN"),
        ("text", "SEAL_BROKEN"),
    }


async def test_a_rotation_of_the_data_keys_seals_reasons_anew(world: World) -> None:
    made(await ask_erasure(world, CASE_FILE, world.records.open_to_sari))
    before, sealed = await shown(world), await world.run("select text, opening from reason")

    referral = await referred(world)
    assert codes(await say(world, ACCEPT, referral)) == []
    assert codes(await world.ask(BUDI, END, {"id": referral}, purpose="referral")) == []

    assert not set(sealed[0]) & set((await world.run("select text, opening from reason"))[0])
    assert await shown(world) == before
