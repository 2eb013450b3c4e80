"""One person in two records of an agency: found, merged by two persons, undone, never moved."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.accesslog.event import Event
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.store.tables import RIGHTS
from api.vocabulary import Action, Compartment, Decision, Outcome, RecordKind
from tests.inside import exchanged
from tests.scenarios import erasing, sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, fields, records
from tests.scenarios.breaking_glass import codes
from tests.scenarios.erasing import DEFENDER, LEAD
from tests.scenarios.matching import OPEN, known, request
from tests.scenarios.merging import (
    DUPLICATES,
    FAMILY_CARD,
    NIK,
    PHONE,
    READ,
    WHY,
    approve,
    asked,
    listed,
    merge,
    merged,
    told,
    twice,
    undo,
)
from tests.scenarios.test_search import find, hits
from tests.scenarios.tying import declared, id_of
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

MOMENT = timedelta(seconds=1)
UNDO_FOR = timedelta(days=30)
UPDATE = """mutation ($id: ID!, $revision: Int!) {
  updateDefender(input: {id: $id, revision: $revision, gender: "perempuan"}) {
    revision errors { code } } }"""


async def only(world: World, since: int, action: Action) -> list[Event]:
    return [e for e in await world.events(since) if e.action is action]


async def duplicates(
    world: World, person: object, *, by: str = SARI, purpose: str = "protection", first: int = 20
) -> list[tuple[str, list[str]]]:
    given = {"id": str(person), "first": first}
    answer = await world.ask(by, DUPLICATES, given, purpose=purpose)
    return [(one["defenderId"], one["fields"]) for one in answer.data["duplicatesOf"]]


async def update(world: World, person: object, revision: int = 1) -> Answer:
    given = {"id": str(person), "revision": revision}
    return await world.ask(SARI, UPDATE, given, purpose="protection")


def ids_found(answer: Answer) -> list[str]:
    return [hit["defender"]["id"] for hit in hits(answer)]


# -- duplicates ------------------------------------------------------------------------


async def test_who_has_the_same_number_is_proposed_the_nik_first(world: World) -> None:
    _, person = await known(world, by=SARI, nik=NIK, phones=[PHONE], familyCard=FAMILY_CARD)
    _, household = await known(world, by=SARI, familyCard=FAMILY_CARD)
    _, phone_and_card = await known(world, by=SARI, phones=[PHONE], familyCard=FAMILY_CARD)
    file, same = await known(world, by=SARI, nik=NIK)
    await known(world, by=SARI, nik="3171011701900002", phones=["08129999999"])
    size = await world.size()

    found = await duplicates(world, person)

    assert found == [
        (same, ["nik"]),
        (phone_and_card, ["phones", "familyCard"]),
        (household, ["familyCard"]),
    ]
    read, *searched = await world.events(size)
    assert read.action is Action.READ
    assert [(e.action, fields(e, Decision.DISCLOSED)) for e in searched] == [
        (Action.SEARCH, {"nik"}),
        (Action.SEARCH, {"phones"}),
        (Action.SEARCH, {"familyCard"}),
    ]
    assert await duplicates(world, person, first=1) == found[:1]
    given = {"id": person}
    [one] = (await world.ask(SARI, DUPLICATES, {**given, "first": 1})).data["duplicatesOf"]
    assert one["caseFileIds"] == [file]


async def test_a_record_that_the_caller_may_not_open_is_no_duplicate(world: World) -> None:
    kept, duplicate = await twice(world)
    _, hers = await known(world, by="dewi", nik=NIK)
    await known(world, by=WAYAN, nik=NIK)

    assert await duplicates(world, kept) == [(duplicate, ["nik"])], "neither Dewi's nor LPSK's"
    assert [one for one, _ in await duplicates(world, kept, by=BUDI, purpose="supervision")] == [
        duplicate,
        hers,
    ]
    size = await world.size()
    for who, purpose in (("rizal", "protection"), (BUDI, "protection")):
        # The record exists for them, and nothing of it is compared.
        assert await duplicates(world, kept, by=who, purpose=purpose) == []
    assert {e.action for e in await world.events(size)} == {Action.READ}
    for person in (kept, NOBODY):
        answer = await world.ask(WAYAN, DUPLICATES, {"id": person})
        assert answer.codes == ["NOT_FOUND"]


async def test_as_many_are_proposed_as_a_search_gives(still: World) -> None:
    for first in (0, 21):
        answer = await still.ask(SARI, DUPLICATES, {"id": NOBODY, "first": first})
        assert answer.codes == ["PAGE_SIZE_INVALID"]


# -- the story -----------------------------------------------------------------------------


async def test_two_persons_merge_what_stays_where_it_is_and_undo_it(world: World) -> None:
    kept, duplicate = await twice(world, phones=[PHONE])
    size = await world.size()
    made = await asked(world, kept, duplicate)

    [waiting] = await listed(world, by=LEAD)
    assert (waiting["id"], waiting["state"], waiting["undoUntil"]) == (made, "WAITING", None)
    assert (waiting["keptId"], waiting["duplicateId"]) == (kept, duplicate)
    assert waiting["requestedBy"] == id_of(world, BUDI)
    assert await told(world, duplicate) == (None, []), "nobody approved it"
    assert codes(await update(world, duplicate)) == []
    assert codes(await approve(world, made)) == ["STALE_REVISION"], "it was changed since"

    answer = await approve(world, made, revisions=(1, 2))

    assert codes(answer) == []
    until = answer.data["approveMerge"]["undoUntil"]
    assert until.startswith((world.clock() + UNDO_FOR).isoformat()[:19])
    assert await told(world, duplicate) == (kept, [])
    assert await told(world, kept) == (None, [duplicate])
    assert await told(world, kept, by=SARI, purpose="protection") == (None, [duplicate])
    refused = await world.size()
    assert codes(await update(world, duplicate, 2)) == ["DEFENDER_MERGED"]
    [event] = await world.events(refused)
    assert (event.decision, event.code) == (Decision.REFUSED, "DEFENDER_MERGED")
    assert codes(await request(world, person=duplicate)) == ["DEFENDER_MERGED"]
    assert codes(await update(world, kept)) == []
    assert await duplicates(world, kept) == [], "they are one already"

    undone = await undo(world, made)

    assert codes(undone) == []
    assert undone.data["undoMerge"]["state"] == "UNDONE"
    assert await told(world, duplicate) == (None, [])
    assert codes(await update(world, duplicate, 2)) == []
    assert [one["state"] for one in await listed(world)] == ["UNDONE"]
    assert codes(await undo(world, made)) == ["MERGE_NOT_OPEN"]
    for action, outcomes in (
        (Action.MERGE_DEFENDERS, [Outcome.DONE]),
        (Action.APPROVE_MERGE, [Outcome.NOTHING, Outcome.DONE]),
        (Action.UNDO_MERGE, [Outcome.DONE, Outcome.NOTHING]),
    ):
        events = await only(world, size, action)
        assert len(events) == 2 * len(outcomes)
        for pair, outcome in zip((events[:2], events[2:]), outcomes, strict=False):
            assert_change(pair, action, outcome)
            assert records(pair[0], RecordKind.DEFENDER) == {UUID(kept), UUID(duplicate)}
            assert records(pair[0], RecordKind.MERGE) == {UUID(made)}
    [intent, _] = await only(world, size, Action.MERGE_DEFENDERS)
    assert intent.commitment is not None, "why, in words, is sealed"


async def test_a_search_gives_the_kept_record_once_and_by_what_only_the_duplicate_has(
    world: World,
) -> None:
    kept, duplicate = await twice(world, phones=[PHONE])
    both = await find(world, BUDI, "NIK", NIK, purpose="supervision")
    assert sorted(ids_found(both)) == sorted([kept, duplicate])
    made = await merged(world, kept, duplicate)

    for by, value in (("NIK", NIK), ("PHONE", PHONE), ("NAME", "Orang Yang Sama")):
        found = await find(world, BUDI, by, value, purpose="supervision")
        assert ids_found(found) == [kept], by
        assert len(hits(found)[0]["caseFiles"]) == 1
    await undo(world, made)
    found = await find(world, BUDI, "PHONE", PHONE, purpose="supervision")
    assert ids_found(found) == [duplicate]


# -- need-to-know ---------------------------------------------------------------------------


async def test_who_may_open_one_of_both_is_told_nothing_of_the_other(world: World) -> None:
    _, kept = await known(world, by="dewi", nik=NIK)
    _, duplicate = await known(world, by=SARI, nik=NIK, phones=[PHONE])
    await merged(world, kept, duplicate)
    async with exchanged(world) as inside:
        size = await world.size()
        for who, mine, other in ((SARI, duplicate, kept), ("dewi", kept, duplicate)):
            inside.keyring.opened.clear()
            purpose = "intake" if who == "dewi" else "protection"
            read = await inside.world.ask(who, READ, {"id": mine}, purpose=purpose)
            one = read.data["defender"]
            assert (one["mergedInto"], one["mergedFrom"]) == (None, [])
            assert one["fullName"] == "Orang Yang Sama"
            assert UUID(other) not in {record for record, _ in inside.keyring.opened}
            found = await find(inside.world, who, "NIK", NIK, purpose=purpose)
            assert ids_found(found) == [mine], "it stands for itself"
            assert other not in found.text
            read = await inside.world.ask(who, READ, {"id": other}, purpose=purpose)
            theirs = read.data["defender"]
            assert (theirs["fullName"], theirs["mergedInto"], theirs["mergedFrom"]) == (
                None,
                None,
                [],
            )
        for event in await world.events(size):
            assert records(event, RecordKind.MERGE) == set()


async def test_a_tie_to_one_of_both_hides_the_merge(world: World) -> None:
    file, kept = await known(world, by=SARI, nik=NIK)
    _, duplicate = await known(world, by=SARI, nik=NIK)
    made = await merged(world, kept, duplicate)
    await declared(world, by=LEAD, memberId=id_of(world, BUDI), caseFileId=file)

    assert await told(world, duplicate) == (None, [])
    assert await listed(world) == []
    assert codes(await undo(world, made)) == ["NOT_FOUND"]
    assert [one["id"] for one in await listed(world, by=LEAD)] == [made]


async def test_to_read_that_a_record_was_merged_is_in_the_event(world: World) -> None:
    kept, duplicate = await twice(world)
    made = await merged(world, kept, duplicate)
    size = await world.size()

    await told(world, duplicate)

    [event] = await world.events(size)
    assert records(event, RecordKind.MERGE) == {UUID(made)}
    assert records(event, RecordKind.DEFENDER) == {UUID(kept), UUID(duplicate)}
    size = await world.size()
    [one] = await listed(world)
    [event] = await world.events(size)
    assert (event.action, one["id"]) == (Action.LIST, made)
    assert records(event, RecordKind.MERGE) == {UUID(made)}


# -- who may --------------------------------------------------------------------------------


async def test_nobody_approves_what_they_asked_for_nor_what_nobody_may_ask_any_more(
    world: World,
) -> None:
    kept, duplicate = await twice(world)
    made = await asked(world, kept, duplicate)
    assert codes(await approve(world, made, by=BUDI)) == ["SECOND_PERSON_NEEDED"]

    budi = as_key(world, world.records.member(BUDI).id)
    moment = (
        "timestamptz '2026-01-01 00:00:00'"
        if world.kind == "postgresql"
        else ("'2026-01-01 00:00:00.000000'")
    )
    await world.run(f"update member set disabled_at = {moment} where id = ?", [budi])
    assert codes(await approve(world, made)) == ["SECOND_PERSON_NEEDED"]
    await world.run("update member set disabled_at = null where id = ?", [budi])

    assert codes(await approve(world, made)) == []
    assert codes(await approve(world, made)) == ["MERGE_NOT_OPEN"]


async def test_who_asked_or_a_colleague_takes_back_what_waits(world: World) -> None:
    kept, duplicate = await twice(world)
    for who in (BUDI, LEAD):
        made = await asked(world, kept, duplicate)
        assert codes(await undo(world, made, by=who)) == []
        assert codes(await approve(world, made)) == ["MERGE_NOT_OPEN"]
    assert await told(world, duplicate) == (None, [])


async def test_who_may_not_merge_leaves_one_event_and_no_row(world: World) -> None:
    kept, duplicate = await twice(world)
    _, foreign = await known(world, by=WAYAN, nik=NIK)
    _, unstaffed = await known(world, by=SARI, nik=NIK)
    person = as_key(world, UUID(unstaffed))
    [file] = await world.run(
        "select case_file from case_file_defender where defender = ?", [person]
    )
    await world.run("delete from assignment where case_file = ?", list(file))
    for options, code in (
        ({"by": SARI, "purpose": "protection"}, "NOT_ALLOWED"),
        ({"purpose": "quality_review"}, "NOT_ALLOWED"),
        ({"purpose": "assessment"}, "NOT_ALLOWED"),
        ({"by": "hasan"}, "NOT_FOUND"),
        ({"kept": foreign}, "NOT_FOUND"),
        ({"duplicate": foreign}, "NOT_FOUND"),
        ({"kept": NOBODY}, "NOT_FOUND"),
        ({"duplicate": NOBODY}, "NOT_FOUND"),
        # Nobody is assigned, so nobody oversees that, and the identity does not open.
        ({"kept": unstaffed}, "NOT_ALLOWED"),
        ({"duplicate": unstaffed}, "NOT_ALLOWED"),
    ):
        size = await world.size()
        given: dict[str, Any] = {"kept": kept, "duplicate": duplicate, **options}
        assert codes(await merge(world, **given)) == [code], options
        [event] = await world.events(size)
        assert (event.action, event.decision) == (Action.MERGE_DEFENDERS, Decision.REFUSED)
        assert event.code == code
    assert await counted(world, "defender_merge") == {"defender_merge": 0}
    size = await world.size()
    assert codes(await merge(world, kept, kept)) == ["VALUE_INVALID"]
    assert await world.size() == size


# -- what cannot be ---------------------------------------------------------------------------


async def test_there_are_no_chains_and_no_cycles(world: World) -> None:
    first, second = await twice(world)
    third, fourth = await twice(world)
    waiting = await asked(world, first, second)
    # What waits counts: else two would be approved that do not go together.
    for kept, duplicate in ((second, first), (second, third), (third, first), (third, second)):
        assert codes(await merge(world, kept, duplicate)) == ["MERGE_NOT_POSSIBLE"]
    assert codes(await approve(world, waiting)) == []
    for kept, duplicate in (
        (first, second),
        (second, first),
        (second, third),
        (third, first),
        (third, second),
    ):
        assert codes(await merge(world, kept, duplicate)) == ["MERGE_NOT_POSSIBLE"]
    # One record keeps as many as there are.
    await merged(world, first, third)
    await merged(world, first, fourth)
    into, merged_from = await told(world, first)
    assert (into, sorted(merged_from)) == (None, sorted([second, third, fourth]))


async def test_of_two_at_once_that_do_not_go_together_one_is_taken(world: World) -> None:
    first, second = await twice(world)

    answers = await asyncio.gather(
        merge(world, first, second), merge(world, second, first, by=LEAD)
    )

    assert sorted(map(codes, answers)) == [[], ["MERGE_NOT_POSSIBLE"]]
    assert await counted(world, "defender_merge") == {"defender_merge": 1}


async def test_what_was_changed_since_it_was_read_is_not_merged(world: World) -> None:
    kept, duplicate = await twice(world)
    for revisions in ((2, 1), (1, 2), (0, 1)):
        answer = await merge(world, kept, duplicate, revisions=revisions)
        assert codes(answer) == ["STALE_REVISION"]
    made = await asked(world, kept, duplicate)
    for revisions in ((2, 1), (1, 2)):
        assert codes(await approve(world, made, revisions=revisions)) == ["STALE_REVISION"]
    assert codes(await approve(world, made)) == []


async def test_a_merge_is_undone_for_thirty_days_and_no_longer(world: World) -> None:
    kept, duplicate = await twice(world)
    other, its_duplicate = await twice(world)
    made, late = await merged(world, kept, duplicate), await merged(world, other, its_duplicate)
    until = (await listed(world))[0]["undoUntil"]

    world.clock.move(UNDO_FOR - MOMENT)
    await staffed(world, kept, duplicate, other, its_duplicate)
    assert codes(await undo(world, made)) == []
    world.clock.move(MOMENT)

    assert codes(await undo(world, late)) == ["MERGE_FINAL"]
    assert until.startswith(world.clock().isoformat()[:19])
    assert await told(world, its_duplicate) == (other, [])


async def staffed(world: World, *people: str) -> None:
    """Assign Sari anew to where *people* stand."""
    for person in people:
        [[file]] = await world.run(
            "select case_file from case_file_defender where defender = ?",
            [as_key(world, UUID(person))],
        )
        given = {
            "caseFileId": str(UUID(str(file))),
            "memberId": id_of(world, SARI),
            "until": (world.clock() + timedelta(days=3)).isoformat(),
        }
        answer = await world.ask(
            BUDI,
            """mutation ($input: AssignCaseworkerInput!) {
              assignCaseworker(input: $input) { errors { code } } }""",
            {"input": given},
            purpose="supervision",
        )
        assert codes(answer) == [], answer.text


@pytest.mark.long
async def test_the_term_is_a_setting(world: World) -> None:
    async with exchanged(world, lambda _: {"merge_undo": timedelta(days=1)}) as inside:
        kept, duplicate = await twice(inside.world)
        made = await asked(inside.world, kept, duplicate)
        answer = await approve(inside.world, made)
        until = answer.data["approveMerge"]["undoUntil"]
        assert until.startswith((world.clock() + timedelta(days=1)).isoformat()[:19])


# -- erasure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, pytest.param(1, marks=pytest.mark.long)])
async def test_to_erase_one_of_both_takes_the_merge_along(world: World, which: int) -> None:
    pair = await twice(world)
    made = await merged(world, *pair)
    gone, stays = pair[which], pair[1 - which]

    preview = await erasing.preview(world, DEFENDER, gone)
    assert preview["parts"]["defender_merge"] == 1
    assert preview["parts"]["reason"] == 1
    await erasing.erase(world, DEFENDER, gone)

    assert await counted(world, "defender_merge") == {"defender_merge": 0}
    why_merged = await world.run(
        "select id from reason where record = ?", [as_key(world, UUID(made))]
    )
    assert why_merged == []
    assert await told(world, stays) == (None, [])
    assert codes(await update(world, stays)) == []
    assert codes(await undo(world, made)) == ["NOT_FOUND"]
    assert codes(await merge(world, stays, gone)) == ["RECORD_ERASED"]
    assert codes(await merge(world, gone, stays)) == ["RECORD_ERASED"]


# -- rows that were written by hand ---------------------------------------------------------


@pytest.mark.long
async def test_a_merge_counts_as_its_agency_sealed_it_and_no_other_way(world: World) -> None:
    kept, duplicate = await twice(world)
    third, fourth = await twice(world)
    await merged(world, kept, duplicate)
    names = (*RIGHTS["defender_merge"], "seal")
    [before] = await world.run(f"select {', '.join(names)} from defender_merge")
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2030-01-01 00:00:00.000000'"
    lead = as_key(world, world.records.member(LEAD).id)
    forged: dict[str, tuple[str, list[Any]]] = {
        "id": ("?", [as_key(world, uuid4())]),
        "agency": ("'lpsk'", []),
        "kept": ("?", [as_key(world, UUID(third))]),
        "duplicate": ("?", [as_key(world, UUID(fourth))]),
        "requested_by": ("?", [lead]),
        "requested_at": (moment, []),
        "approved_by": ("?", [as_key(world, uuid4())]),
        "merged_at": (moment, []),
        "undo_until": (moment, []),
        "undone_by": ("?", [lead]),
        "undone_at": (moment, []),
        "event": ("event + 1", []),
        "seal": ("?", [bytes(32)]),
    }
    assert forged.keys() == set(names)
    back = ", ".join(f"{name} = ?" for name in names)
    for column, (said, values) in forged.items():
        await world.run(f"update defender_merge set {column} = {said}", values)
        assert await listed(world) == [], column
        for person in (kept, duplicate, third, fourth):
            assert await told(world, person) == (None, []), column
        [[made]] = await world.run("select id from defender_merge")
        assert codes(await undo(world, UUID(str(made)))) == ["NOT_FOUND"], column
        await world.run(f"update defender_merge set {back}", list(before))
    assert await told(world, duplicate) == (kept, [])

    await world.run("update defender_merge set event = event + 1")
    assert codes(await update(world, duplicate)) == [], "nobody is kept from it by such a row"
    assert sorted(ids_found(await find(world, BUDI, "NIK", NIK, purpose="supervision"))) == sorted(
        [kept, duplicate, third, fourth]
    )
    # Nor from merging it.
    assert codes(await merge(world, kept, duplicate, revisions=(1, 2))) == []


async def test_a_merge_that_waits_is_approved_by_no_hand(world: World) -> None:
    kept, duplicate = await twice(world)
    made = await asked(world, kept, duplicate)
    lead = as_key(world, world.records.member(LEAD).id)
    await world.run("update defender_merge set merged_at = requested_at, approved_by = ?", [lead])
    assert await told(world, duplicate) == (None, [])
    assert codes(await approve(world, made)) == ["NOT_FOUND"]


@pytest.mark.long
async def test_nothing_is_opened_to_merge(world: World) -> None:
    kept, duplicate = await twice(world)
    async with exchanged(world) as inside:
        made = await asked(inside.world, kept, duplicate)
        assert codes(await approve(inside.world, made)) == []
        assert codes(await undo(inside.world, made)) == []
        # Only the key under which the reason is sealed.
        assert {c for _, c in inside.keyring.opened} <= {Compartment.NARRATIVE}


REASONS = """query ($id: ID!) { caseFile(id: $id) { reasons { text } } }"""


async def why(world: World, file: str, *, by: str, purpose: str) -> list[str]:
    answer = await world.ask(by, REASONS, {"id": file}, purpose=purpose)
    return [one["text"] for one in answer.data["caseFile"]["reasons"]]


async def test_why_records_were_merged_is_told_to_who_may_know_that_they_were(
    world: World,
) -> None:
    kept_file, kept = await known(world, by="dewi", nik=NIK)
    file, duplicate = await known(world, by=SARI, nik=NIK)
    made = await asked(world, kept, duplicate)

    async def seen() -> list[list[str]]:
        return [
            await why(world, file, by=SARI, purpose="protection"),
            await why(world, kept_file, by="dewi", purpose="intake"),
            await why(world, file, by=BUDI, purpose="supervision"),
        ]

    assert await seen() == [[], [], [WHY]]
    assert codes(await approve(world, made)) == []
    assert await seen() == [[], [], [WHY]]
    assert codes(await undo(world, made)) == []
    assert await seen() == [[], [], [WHY]]
    # A merge whose row was changed or taken away by hand keeps its reason back.
    [before] = await world.run("select event from defender_merge")
    await world.run("update defender_merge set event = event + 1")
    assert await seen() == [[], [], []]
    await world.run("update defender_merge set event = ?", list(before))
    await declared(world, by=LEAD, memberId=id_of(world, BUDI), caseFileId=kept_file)
    assert await seen() == [[], [], []]
    await world.run("delete from defender_merge")
    assert await seen() == [[], [], []]


async def test_a_merge_is_of_both_case_files_in_the_log_and_where_it_is_repeated(
    world: World,
) -> None:
    file, kept = await known(world, by=SARI, nik=NIK)
    other, duplicate = await known(world, by=SARI, nik=NIK)
    key = "merge-once"
    size = await world.size()
    first = await merge(world, kept, duplicate, key=key)
    assert codes(first) == []
    for event in await only(world, size, Action.MERGE_DEFENDERS):
        assert records(event, RecordKind.CASE_FILE) == {UUID(file), UUID(other)}
    assert (await merge(world, kept, duplicate, key=key)).data == first.data

    await declared(world, by=LEAD, memberId=id_of(world, BUDI), caseFileId=file)

    again = await merge(world, kept, duplicate, key=key)
    assert (again.status, again.codes) == (409, ["ALREADY_DONE"])
    assert first.data["mergeDefenders"]["mergeId"] not in again.text


async def test_both_records_of_one_case_file_name_it_once(world: World) -> None:
    given = {
        "urgency": "URGENT",
        "sensitivity": 2,
        "province": "33",
        "defenders": [{"fullName": "Orang Yang Sama"}, {"fullName": "Orang Yang Sama"}],
    }
    opened = (await world.ask(SARI, OPEN, {"input": given}, purpose="intake")).data
    kept, duplicate = (one["id"] for one in opened["openCaseFile"]["caseFile"]["defenders"])
    size = await world.size()

    await merged(world, kept, duplicate)

    for event in await world.events(size):
        files = [
            one
            for group in event.touched
            for one in group.records
            if one[0] is RecordKind.CASE_FILE
        ]
        assert len(files) == 1
