"""Erasure over HTTP: two persons, everything gone at once, and nothing else with it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from api.casework.provisioning import disable_member
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI
from api.store.erasing import PARTS
from api.vocabulary import Action, Decision, Outcome, Phase, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    assigned_to,
    case_file,
    counted,
    fields,
    first_defender,
    put_into,
    reasons,
    records,
    without_request,
)
from tests.scenarios.attaching import added, download, pdf
from tests.scenarios.erasing import (
    APPROVE,
    CASE_FILE,
    DECLINE,
    DEFENDER,
    LEAD,
    PREVIEW,
    WAITING,
    codes,
    end,
    erase,
    made,
    mark_of,
    preview,
    request,
    rows_of,
    sealed_of,
)
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

READ = """query ($id: ID!) { caseFile(id: $id) { reference account sexualViolenceForms
  defenders { id fullName nik phones categories withheld { field reason howToAsk } }
  notes { body } withheld { field reason } } }"""
READ_DEFENDER = """query ($id: ID!) { defender(id: $id) {
  fullName nik phones presentLocation withheld { field reason } } }"""
FIND = """query ($by: SearchBy!, $value: String!) {
  findDefenders(by: $by, value: $value, first: 20) {
  defender { id fullName } } }"""
UPDATE = """mutation ($input: UpdateDefenderInput!) {
  updateDefender(input: $input) { revision errors { code } } }"""
NOTE = 'mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "x"}) { errors { code } } }'
PAGE = """{ caseFiles(first: 100) { edges { node { id account withheld { reason }
  defenders { id fullName nik withheld { reason } } } } } }"""


def mine(world: World) -> UUID:
    """The case file to which SARI is assigned; BUDI supervises it."""
    return world.records.open_to_sari


def person(world: World) -> Any:
    return first_defender(world, mine(world))


async def test_what_two_persons_erase_is_gone_at_once_and_named_in_the_log(world: World) -> None:
    who = person(world)
    assert min((await rows_of(world, who.id)).values()) > 0
    assert all(await sealed_of(world, DEFENDER, who.id))

    before = await world.size()
    asked = made(await request(world, DEFENDER, who.id))
    assert min((await rows_of(world, who.id)).values()) > 0, "nothing goes by asking"
    assert await mark_of(world, DEFENDER, who.id) is None
    done = await end(world, APPROVE, DEFENDER, who.id, asked)

    assert codes(done) == []
    assert set((await rows_of(world, who.id)).values()) == {0}
    assert not any(await sealed_of(world, DEFENDER, who.id))
    assert await mark_of(world, DEFENDER, who.id) is not None
    events = await world.events(before)
    assert_change(events[:2], Action.REQUEST_ERASURE, Outcome.DONE)
    assert_change(events[2:], Action.APPROVE_ERASURE, Outcome.DONE)
    assert len(events) == 4
    assert events[0].actor == world.records.member(BUDI).id
    assert events[2].actor == world.records.member(LEAD).id
    assert events[3].touched[0].records[0][:2] == (DEFENDER, who.id)
    assert records(events[3], RecordKind.ERASURE) == {UUID(asked)}

    read = (await world.ask(SARI, READ, {"id": str(mine(world))})).data["caseFile"]
    [gone] = [d for d in read["defenders"] if d["id"] == str(who.id)]
    assert (gone["fullName"], gone["nik"], gone["phones"]) == (None, None, None)
    assert gone["categories"] == []
    assert {w["reason"] for w in gone["withheld"]} == {"ERASED"}
    assert "erased" in gone["withheld"][0]["howToAsk"]
    # The case file itself, its notes and its other defenders are as they were.
    assert read["account"] is not None
    assert all(note["body"] for note in read["notes"])
    others = [d for d in read["defenders"] if d["id"] != str(who.id)]
    assert all(d["fullName"] for d in others)


async def test_an_erased_record_asks_for_no_key_and_its_event_says_why(world: World) -> None:
    who = person(world)
    await erase(world, DEFENDER, who.id)
    before = await world.size()
    async with exchanged(world) as inside:
        answer = await inside.world.ask(SARI, READ_DEFENDER, {"id": str(who.id)})
        opened = inside.keyring.opened

    assert opened == []
    assert answer.data["defender"]["fullName"] is None
    assert {w["reason"] for w in answer.data["defender"]["withheld"]} >= {"ERASED"}
    [event] = [e for e in await world.events(before) if e.action is Action.READ]
    assert "erased" in reasons(event)
    assert fields(event, Decision.DISCLOSED) == set()
    assert records(event, DEFENDER, Decision.WITHHELD) == {who.id}


async def test_what_the_policy_refuses_keeps_its_own_reason(world: World) -> None:
    who = person(world)
    await erase(world, DEFENDER, who.id)

    told = (await world.ask(SARI, READ_DEFENDER, {"id": str(who.id)})).data["defender"]

    reason = {w["field"]: w["reason"] for w in told["withheld"]}
    assert reason["presentLocation"] == "COMPARTMENT_NOT_HELD"
    assert reason["fullName"] == "ERASED"


async def test_no_search_and_no_list_shows_anything_of_it(world: World) -> None:
    who = person(world)
    searches = [("NIK", who.nik), ("PHONE", who.phones[0]), ("NAME", who.full_name)]
    for by, value in searches:
        found = await world.ask(SARI, FIND, {"by": by, "value": value})
        assert str(who.id) in str(found.data), by

    await erase(world, DEFENDER, who.id)

    with structlog.testing.capture_logs() as logs:
        for by, value in searches:
            found = await world.ask(SARI, FIND, {"by": by, "value": value})
            assert str(who.id) not in str(found.data), by
        page = (await world.ask(SARI, PAGE)).data["caseFiles"]["edges"]
    told = [d for e in page for d in e["node"]["defenders"] if d["id"] == str(who.id)]
    assert told
    assert all(d["fullName"] is None and d["nik"] is None for d in told)
    assert who.full_name not in str(page)
    assert {one["event"] for one in logs} == {"request"}, "an erased record is no broken seal"


async def test_a_case_file_goes_with_its_notes_after_its_last_defenders(world: World) -> None:
    file = mine(world)
    people = case_file(world, next(f for f in world.records.case_files if f.id == file).reference)
    asked = made(await request(world, CASE_FILE, file))
    refused = await end(world, APPROVE, CASE_FILE, file, asked)
    alone = (await preview(world, CASE_FILE, file))["defendersRemaining"]
    assert alone > 0
    assert codes(refused) == ["DEFENDERS_REMAIN"]
    assert all(await sealed_of(world, CASE_FILE, file))

    for who in people.defenders:
        await erase(world, DEFENDER, who)
    assert (await preview(world, CASE_FILE, file))["defendersRemaining"] == 0
    assert codes(await end(world, APPROVE, CASE_FILE, file, asked)) == []

    assert (await rows_of(world, file))["data_key"] == 0
    assert not any(await sealed_of(world, CASE_FILE, file))
    read = (await world.ask(SARI, READ, {"id": str(file)})).data["caseFile"]
    assert read["reference"] == people.reference
    assert (read["account"], read["sexualViolenceForms"]) == (None, None)
    reason = {w["field"]: w["reason"] for w in read["withheld"]}
    assert (reason["account"], reason["body"]) == ("ERASED", "ERASED")
    assert all(note["body"] is None for note in read["notes"])


async def test_the_attachments_of_a_case_file_go_with_it(world: World) -> None:
    file = mine(world)
    people = next(f for f in world.records.case_files if f.id == file).defenders
    other = next(f for f in assigned_to(world, SARI) if f.id != file)
    gone = [await added(world, SARI, file, pdf(3_000, seed)) for seed in (1, 2)]
    stays = await added(world, SARI, other.id, pdf(3_000, 3))
    taken = (await preview(world, CASE_FILE, file))["parts"]
    assert (taken["attachment"], taken["attachment_chunk"]) == (2, 2)

    for who in people:
        await erase(world, DEFENDER, who)
    await erase(world, CASE_FILE, file)

    assert await counted(world, "attachment", "attachment_chunk") == {
        "attachment": 1,
        "attachment_chunk": 1,
    }
    for each in gone:
        assert (await rows_of(world, each))["data_key"] == 0
        assert (await download(world, SARI, each)).status_code == 404
    assert (await download(world, SARI, stays)).status_code == 200


async def test_a_defender_of_two_case_files_keeps_neither_from_going(world: World) -> None:
    file = mine(world)
    other = next(f for f in assigned_to(world, SARI) if f.id != file)
    for who in case_file(
        world, next(f for f in world.records.case_files if f.id == file).reference
    ).defenders:
        await put_into(world, other.id, who)

    asked = made(await request(world, CASE_FILE, file))
    assert codes(await end(world, APPROVE, CASE_FILE, file, asked)) == []

    read = (await world.ask(SARI, READ, {"id": str(other.id)})).data["caseFile"]
    names = {d["id"]: d["fullName"] for d in read["defenders"]}
    assert names[str(person(world).id)] == person(world).full_name


async def test_an_erased_record_takes_no_change(world: World) -> None:
    file, who = mine(world), person(world)
    await erase(world, DEFENDER, who.id)
    before = await counted(world, "defender_tag", "data_key", "manifest", "erasure")
    size = await world.size()

    changed = await world.ask(
        SARI, UPDATE, {"input": {"id": str(who.id), "revision": 2, "nik": "3201015504900001"}}
    )
    again = await request(world, DEFENDER, who.id)

    assert codes(changed) == ["RECORD_ERASED"]
    assert codes(again) == ["RECORD_ERASED"]
    assert await counted(world, *before) == before
    events = await world.events(size)
    assert [e.decision for e in events] == [Decision.REFUSED, Decision.REFUSED]
    assert [reasons(e) for e in events] == [{"erased"}, {"erased"}]
    assert (await world.ask(SARI, NOTE, {"id": str(file)})).data["addNote"]["errors"] == []


async def test_a_case_file_that_is_erased_takes_no_note(world: World) -> None:
    file = mine(world)
    for who in next(f for f in world.records.case_files if f.id == file).defenders:
        await erase(world, DEFENDER, who)
    await erase(world, CASE_FILE, file)
    before = await counted(world, "note")

    assert codes(await world.ask(SARI, NOTE, {"id": str(file)})) == ["RECORD_ERASED"]
    assert await counted(world, "note") == before


async def test_nobody_approves_the_own_request(world: World) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id, by=LEAD))
    before, size = await rows_of(world, who.id), await world.size()

    assert codes(await end(world, APPROVE, DEFENDER, who.id, asked)) == ["SECOND_PERSON_NEEDED"]

    assert await rows_of(world, who.id) == before
    assert all(await sealed_of(world, DEFENDER, who.id))
    assert_change(await world.events(size), Action.APPROVE_ERASURE, Outcome.NOTHING)


async def test_who_asked_must_still_stand_when_it_is_approved(world: World) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id))
    async with exchanged(world) as inside:
        assert await disable_member(inside.house, "komnas-ham", BUDI)

    assert codes(await end(world, APPROVE, DEFENDER, who.id, asked)) == ["SECOND_PERSON_NEEDED"]
    assert all(await sealed_of(world, DEFENDER, who.id))


async def test_who_asked_must_be_whom_the_agency_sealed(world: World) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id))
    key = as_key(world, world.records.member(BUDI).id)
    await world.run("update member set clearance = 3 where id = ?", (key,))

    assert codes(await end(world, APPROVE, DEFENDER, who.id, asked)) == ["SECOND_PERSON_NEEDED"]
    assert all(await sealed_of(world, DEFENDER, who.id))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("requested_by", "sari"),
        ("record", "another"),
        ("reason", "unlawful"),
        ("event", 0),
        ("seal", b"x"),
    ],
)
async def test_a_request_that_the_agency_did_not_seal_erases_nothing(
    world: World, column: str, value: Any
) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id, by=LEAD))
    target = who.id
    if column == "record":
        target = first_defender(world, world.records.closed_to_sari).id
        value = as_key(world, target)
    elif column == "requested_by":
        value = as_key(world, world.records.member(BUDI).id)
    await world.run(
        f"update erasure set {column} = ? where id = ?", (value, as_key(world, UUID(asked)))
    )

    answer = await end(world, APPROVE, DEFENDER, target, asked)

    assert answer.codes == ["SEAL_BROKEN"]
    assert all(await sealed_of(world, DEFENDER, target))
    assert min((await rows_of(world, target)).values()) > 0


async def test_a_request_is_good_for_its_own_record_only(world: World) -> None:
    who, other = person(world), first_defender(world, world.records.closed_to_sari)
    asked = made(await request(world, DEFENDER, who.id))

    assert codes(await end(world, APPROVE, DEFENDER, other.id, asked)) == ["NOT_FOUND"]
    assert codes(await end(world, APPROVE, DEFENDER, who.id, NOBODY)) == ["NOT_FOUND"]
    assert all(await sealed_of(world, DEFENDER, other.id))


async def test_a_request_ends_once(world: World) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id))
    declined = await end(world, DECLINE, DEFENDER, who.id, asked, by=BUDI)
    assert codes(declined) == []

    assert codes(await end(world, APPROVE, DEFENDER, who.id, asked)) == ["NOT_FOUND"]
    assert codes(await end(world, DECLINE, DEFENDER, who.id, asked)) == ["NOT_FOUND"]
    assert all(await sealed_of(world, DEFENDER, who.id))


async def test_what_is_left_open_of_an_erased_record_can_be_declined(world: World) -> None:
    who = person(world)
    left = made(await request(world, DEFENDER, who.id))
    await erase(world, DEFENDER, who.id)

    assert codes(await end(world, APPROVE, DEFENDER, who.id, left)) == ["RECORD_ERASED"]
    assert codes(await end(world, DECLINE, DEFENDER, who.id, left)) == []


@pytest.mark.parametrize("by", [SARI, "maria", "wayan"])
async def test_who_has_no_duty_asks_for_no_erasure(still: World, by: str) -> None:
    before = await counted(still, "erasure")

    answer = await request(still, DEFENDER, person(still).id, by=by, purpose="protection")

    assert codes(answer) in (["NOT_ALLOWED"], ["NOT_FOUND"])
    assert await counted(still, "erasure") == before


async def test_a_supervisor_asks_and_does_not_approve(world: World) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id, by=LEAD))

    answer = await end(world, APPROVE, DEFENDER, who.id, asked, by=BUDI)

    assert codes(answer) == ["NOT_ALLOWED"]
    assert all(await sealed_of(world, DEFENDER, who.id))


@pytest.mark.parametrize("purpose", ["protection", "quality_review", "assessment"])
async def test_another_purpose_erases_nothing(still: World, purpose: str) -> None:
    answer = await request(still, DEFENDER, person(still).id, purpose=purpose)

    assert codes(answer) == ["NOT_ALLOWED"]


async def test_another_agencys_record_and_none_answer_alike(still: World) -> None:
    theirs = next(f for f in still.records.case_files if f.lead_agency != "komnas-ham")
    answers, events = [], []
    for record in (theirs.id, NOBODY):
        size = await still.size()
        answers.append(without_request(await request(still, CASE_FILE, record)))
        shown = await still.ask(
            BUDI, PREVIEW, {"kind": "CASE_FILE", "id": str(record)}, purpose="supervision"
        )
        answers.append(without_request(shown))
        events += await still.events(size)

    assert answers[0] == answers[2]
    assert answers[1] == answers[3]
    assert {e.decision for e in events} == {Decision.REFUSED}
    assert all(codes_of == "NOT_FOUND" for codes_of in {e.code for e in events})


async def test_what_another_agency_owns_is_not_erased_through_an_own_case_file(
    world: World,
) -> None:
    theirs = next(d for d in world.records.defenders if d.agency == "lpsk")
    await put_into(world, mine(world), theirs.id)
    before = await rows_of(world, theirs.id)

    assert codes(await request(world, DEFENDER, theirs.id)) == ["NOT_FOUND"]
    shown = await world.ask(
        BUDI, PREVIEW, {"kind": "DEFENDER", "id": str(theirs.id)}, purpose="supervision"
    )
    assert shown.codes == ["NOT_FOUND"]
    # Nor by a request that the agency itself sealed while the record was its own.
    await world.run(
        "update defender set agency = 'komnas-ham' where id = ?", (key := as_key(world, theirs.id),)
    )
    asked = made(await request(world, DEFENDER, theirs.id))
    await world.run("update defender set agency = 'lpsk' where id = ?", (key,))
    assert codes(await end(world, APPROVE, DEFENDER, theirs.id, asked)) == ["NOT_FOUND"]
    assert await rows_of(world, theirs.id) == before
    assert all(await sealed_of(world, DEFENDER, theirs.id))


async def test_only_a_defender_or_a_case_file_is_erased(still: World) -> None:
    for kind in set(RecordKind) - set(PARTS):
        assert codes(await request(still, kind, person(still).id)) == ["VALUE_INVALID"]


async def test_a_preview_says_exactly_what_then_goes(world: World) -> None:
    file, who = mine(world), person(world)
    size = await world.size()

    for kind, record in ((DEFENDER, who.id), (CASE_FILE, file)):
        told = await preview(world, kind, record)
        rows = await rows_of(world, record)
        assert told["parts"]["data_key"] == rows["data_key"] == sum(told["wraps"].values())
        assert told["parts"]["manifest"] == rows["manifest"]
        assert told["parts"].get("defender_tag", 0) == rows["defender_tag"]
        assert told["parts"][kind.value] == 1
        assert (told["erased"], told["holds"]) == (False, 0)
    notes = await world.run("select count(*) from note where case_file = ?", (as_key(world, file),))
    assert told["parts"]["note"] == notes[0][0]
    events = await world.events(size)
    assert [e.action for e in events] == [Action.PREVIEW_ERASURE] * 2
    assert [e.phase for e in events] == [Phase.WHOLE] * 2
    assert all(await sealed_of(world, DEFENDER, who.id)), "a preview changes nothing"

    await erase(world, DEFENDER, who.id)
    told = await preview(world, DEFENDER, who.id)
    assert told["erased"]
    assert set(told["parts"].values()) == {0}


async def test_a_preview_counts_the_keys_of_others_and_they_go_too(world: World) -> None:
    who = person(world)
    key = as_key(world, who.id)
    await world.run(
        "insert into data_key (record, compartment, version, owner, kek_version, wrapped, "
        "commitment) select record, compartment, version, 'lpsk', kek_version, wrapped, "
        "commitment from data_key where record = ? and compartment = 'identity'",
        (key,),
    )

    told = await preview(world, DEFENDER, who.id)
    assert told["wraps"]["lpsk"] == 1

    await erase(world, DEFENDER, who.id)
    assert (await rows_of(world, who.id))["data_key"] == 0


async def test_a_preview_counts_the_releases_that_live_on(world: World) -> None:
    rows = await world.run("select case_file from release_origin")
    led = {as_key(world, f.id): f for f in world.records.case_files}
    file = next(led[r[0]] for r in rows if led[r[0]].lead_agency == "komnas-ham")
    told = await preview(world, CASE_FILE, file.id)
    assert told["releases"] >= 0
    world.clock.move(timedelta(days=3650))
    assert (await preview(world, CASE_FILE, file.id))["releases"] == 0
    world.clock.move(timedelta(days=-3650))
    live = [
        r
        for r in world.records.releases
        if r.case_file == file.id and r.until > world.clock() and r.revoked_at is None
    ]
    assert told["releases"] == len(live)


async def test_the_list_of_what_waits_names_requests_and_is_for_who_decides(world: World) -> None:
    who = person(world)
    asked = made(await request(world, DEFENDER, who.id))
    size = await world.size()

    told = (await world.ask(LEAD, WAITING, purpose="supervision")).data["erasures"]
    assert told["erasures"] == [
        {
            "id": asked,
            "kind": "DEFENDER",
            "record": str(who.id),
            "reason": "SUBJECT_REQUEST",
            "requestedBy": str(world.records.member(BUDI).id),
        }
    ]
    [event] = await world.events(size)
    assert records(event, RecordKind.ERASURE) == {UUID(asked)}
    assert (await world.ask(SARI, WAITING, purpose="protection")).codes == ["NOT_ALLOWED"]
    await world.run("update erasure set reason = 'unlawful'")
    forged = (await world.ask(LEAD, WAITING, purpose="supervision")).data["erasures"]
    assert forged["erasures"] == []


async def test_two_who_approve_at_once_erase_once(world: World) -> None:

    who = person(world)
    asked = made(await request(world, DEFENDER, who.id))
    answers = await asyncio.gather(
        *(end(world, APPROVE, DEFENDER, who.id, asked) for _ in range(4))
    )

    ended = sorted(codes(a)[0] if codes(a) else "" for a in answers)
    assert ended.count("") == 1
    assert set(ended) <= {"", "NOT_FOUND", "RECORD_ERASED", "STALE_REVISION"}
    assert set((await rows_of(world, who.id)).values()) == {0}


async def test_officers_see_the_erasure_and_partners_have_no_word_for_it(world: World) -> None:
    who = person(world)
    await erase(world, DEFENDER, who.id)

    seen = await world.ask(
        TUTI,
        "{ accessEvents(first: 5) { edges { node { action outcome } } } }",
        face="oversight",
        purpose="quality_review",
    )
    assert "APPROVE_ERASURE" in str(seen.data)
    refused = await world.ask(RATNA, WAITING, face="partner", purpose="referral")
    assert refused.codes == ["DOCUMENT_NOT_TRUSTED"]
