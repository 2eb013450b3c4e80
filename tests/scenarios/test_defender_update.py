"""Changing a defender: on the newest revision, by who may open it, and the tags follow."""

import asyncio
from typing import Any

import pytest

from api.demo.synthetic import BUDI, SARI, WAYAN
from api.demo.synthetic_records import SyntheticDefender
from api.vocabulary import Action, Decision, Outcome, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    case_file,
    fields,
    first_defender,
    reasons,
    records,
)
from tests.world import Answer, Template, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # Who is refused changes nothing.

UPDATE = """mutation ($input: UpdateDefenderInput!) { updateDefender(input: $input) {
  errors { code } revision
  defender { revision fullName aliases nik dateOfBirth phones emails homeAddress
    withheld { field } } } }"""
ONLY_ERRORS = """mutation ($input: UpdateDefenderInput!) {
  updateDefender(input: $input) { errors { code } } }"""
READ = """query ($id: ID!) { defender(id: $id) { revision fullName aliases nik phones
  presentLocation withheld { field } } }"""
FIND = """query ($by: SearchBy!, $value: String!) {
  findDefenders(by: $by, value: $value, first: 20) { defender { id } } }"""

NEW_NIK = "3374155208900003"


async def update(
    world: World,
    subject: str,
    defender_id: object,
    revision: int = 1,
    *,
    purpose: str | None = "protection",
    query: str = UPDATE,
    **given: Any,
) -> Answer:
    variables = {"input": {"id": str(defender_id), "revision": revision, **given}}
    return await world.ask(subject, query, variables, purpose=purpose)


def codes(answer: Answer) -> list[str]:
    return [error["code"] for error in answer.data["updateDefender"]["errors"]]


async def found(world: World, by: str, value: str, subject: str = SARI) -> list[str]:
    answer = await world.ask(subject, FIND, {"by": by, "value": value})
    return [hit["defender"]["id"] for hit in answer.data["findDefenders"]]


async def stored(world: World, defender_id: Any) -> tuple[Any, ...]:
    """Give the row and the tags of one defender as they lie in the database."""
    key = (as_key(world, defender_id),)
    [row] = await world.run("select * from defender where id = ?", key)
    tags = await world.run(
        "select field, tag from defender_tag where defender = ? order by field, tag", key
    )
    return (tuple(row), tags)


@pytest.fixture
def person(template: Template) -> SyntheticDefender:
    return first_defender(template, template.records.open_to_sari)


async def test_what_is_given_is_written_and_the_rest_stays(
    world: World, person: SyntheticDefender
) -> None:
    before = await world.size()

    answer = await update(
        world, SARI, person.id, fullName="Mochammad  Yusuf", aliases=["Pak Yusuf"]
    )

    assert codes(answer) == []
    assert answer.data["updateDefender"]["revision"] == 2
    assert answer.data["updateDefender"]["defender"] == {
        "revision": 2,
        "fullName": "Mochammad Yusuf",
        "aliases": ["Pak Yusuf"],
        "nik": person.nik,
        "dateOfBirth": None if person.date_of_birth is None else person.date_of_birth.isoformat(),
        "phones": list(person.phones),
        "emails": list(person.emails),
        "homeAddress": person.home_address,
        "withheld": [],
    }
    intent, outcome, read = await world.events(before)
    assert_change([intent, outcome], Action.UPDATE_DEFENDER, Outcome.DONE)
    assert outcome.intent == before
    assert fields(intent, Decision.ALLOWED) == {"fullName", "aliases"}
    assert records(intent, RecordKind.DEFENDER) == {person.id}
    assert records(intent, RecordKind.CASE_FILE) == {world.records.open_to_sari}
    assert read.action is Action.READ
    assert (RecordKind.DEFENDER, person.id, 2) in {r for t in read.touched for r in t.records}


async def test_only_the_written_columns_are_sealed_anew(
    world: World, person: SyntheticDefender
) -> None:
    [names] = [tuple(await columns(world))]
    old, old_tags = await stored(world, person.id)

    assert codes(await update(world, SARI, person.id, homeAddress=person.home_address)) == []

    new, new_tags = await stored(world, person.id)
    changed = {name for name, a, b in zip(names, old, new, strict=True) if a != b}
    assert changed == {"home_address", "revision"}
    assert new_tags == old_tags


async def columns(world: World) -> list[str]:
    if world.kind == "sqlite":
        return [row[1] for row in await world.run("pragma table_info(defender)")]
    return [
        row[0]
        for row in await world.run(
            "select column_name from information_schema.columns"
            " where table_name = 'defender' order by ordinal_position"
        )
    ]


async def test_on_an_old_revision_nothing_is_written(
    world: World, person: SyntheticDefender
) -> None:
    assert codes(await update(world, SARI, person.id, gender="lain")) == []
    before, there = await world.size(), await stored(world, person.id)

    for revision in (1, 3, 0, -1, 2**31 - 1):
        answer = await update(world, SARI, person.id, revision, nik=NEW_NIK, phones=None)
        assert codes(answer) == ["STALE_REVISION"]
        assert answer.data["updateDefender"]["defender"] is None
        assert answer.data["updateDefender"]["revision"] is None

    events = await world.events(before)
    assert len(events) == 10
    for place in range(0, 10, 2):
        assert_change(events[place:], Action.UPDATE_DEFENDER, Outcome.NOTHING)
    assert await stored(world, person.id) == there
    assert await found(world, "NIK", person.nik or "") == [str(person.id)]
    assert await found(world, "NIK", NEW_NIK) == []


async def test_of_two_changes_of_one_revision_one_is_made(
    world: World, person: SyntheticDefender
) -> None:
    answers = await asyncio.gather(
        *(update(world, SARI, person.id, gender=f"pilihan {n}") for n in range(6))
    )

    assert sorted(map(codes, answers)) == [[], *[["STALE_REVISION"]] * 5]
    read = await world.ask(SARI, READ, {"id": str(person.id)})
    assert read.data["defender"]["revision"] == 2


async def test_null_empties_and_what_is_empty_is_not_withheld(
    world: World, person: SyntheticDefender
) -> None:
    answer = await update(
        world, SARI, person.id, nik=None, dateOfBirth=None, aliases=None, phones=[]
    )

    assert codes(answer) == []
    told = answer.data["updateDefender"]["defender"]
    assert (told["nik"], told["dateOfBirth"], told["withheld"]) == (None, None, [])
    assert not told["aliases"]
    assert not told["phones"]
    assert told["fullName"] == person.full_name
    assert await found(world, "NIK", person.nik or "") == []
    assert await found(world, "PHONE", person.phones[0]) == []
    _, tags = await stored(world, person.id)
    assert {field for field, _ in tags} <= {"family_card", "email"}


async def test_the_old_nik_is_no_longer_found_and_the_new_one_is(
    world: World, person: SyntheticDefender
) -> None:
    assert await found(world, "NIK", person.nik or "") == [str(person.id)]

    assert codes(await update(world, SARI, person.id, nik="337415 520890 0003")) == []

    assert await found(world, "NIK", person.nik or "") == []
    assert await found(world, "NIK", NEW_NIK) == [str(person.id)]
    assert await found(world, "PHONE", person.phones[0]) == [str(person.id)]


async def test_the_phones_that_are_left_are_found_and_the_others_are_not(world: World) -> None:
    person = first_defender(world, case_file(world, "KH-2025-0006").id)
    kept, gone = person.phones

    answer = await update(world, SARI, person.id, phones=[kept, "0840 777 8888"])

    assert codes(answer) == []
    assert await found(world, "PHONE", kept) == [str(person.id)]
    assert await found(world, "PHONE", "+628407778888") == [str(person.id)]
    assert await found(world, "PHONE", gone) == []


async def test_a_name_is_found_as_it_is_now(world: World, person: SyntheticDefender) -> None:
    assert codes(await update(world, SARI, person.id, fullName="Bambang Widjojo")) == []
    assert await found(world, "NAME", "Joesoef Hidayat") == []
    assert await found(world, "NAME", "Wijoyo") == [str(person.id)]


#: Who, purpose, what is written -> the code and the reason in the event.
REFUSED: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("maria", "protection", {"gender": "x"}, "NOT_ALLOWED", "not_assigned"),
    (BUDI, "protection", {"gender": "x"}, "NOT_ALLOWED", "not_assigned"),
    (BUDI, "quality_review", {"gender": "x"}, "NOT_ALLOWED", "purpose_does_not_fit"),
    (SARI, "protection", {"presentLocation": "x"}, "NOT_ALLOWED", "compartment_not_held"),
    (
        SARI,
        "protection",
        {"gender": "x", "presentLocation": "x"},
        "NOT_ALLOWED",
        "compartment_not_held",
    ),
    (SARI, "supervision", {"gender": "x"}, "NOT_FOUND", "not_in_reach"),
    (WAYAN, "protection", {"gender": "x"}, "NOT_FOUND", "not_in_reach"),
]


@pytest.mark.parametrize(("who", "purpose", "given", "code", "reason"), REFUSED)
async def test_who_may_not_open_it_may_not_write_it(
    still: World,
    person: SyntheticDefender,
    who: str,
    purpose: str,
    given: dict[str, Any],
    code: str,
    reason: str,
) -> None:
    before, there = await still.size(), await stored(still, person.id)

    answer = await update(still, who, person.id, purpose=purpose, **given)

    assert codes(answer) == [code]
    assert answer.data["updateDefender"]["defender"] is None
    [event] = await still.events(before)
    assert (event.action, event.decision) == (Action.UPDATE_DEFENDER, Decision.REFUSED)
    assert (event.code, reasons(event)) == (code, {reason})
    assert fields(event, Decision.REFUSED) == set(given)
    assert records(event, RecordKind.DEFENDER) == {person.id}
    assert await stored(still, person.id) == there


async def test_a_protection_officer_writes_the_whereabouts(world: World) -> None:
    person = first_defender(world, case_file(world, "LP-2025-0006").id)

    answer = await update(world, WAYAN, person.id, presentLocation="Kota lain")

    assert codes(answer) == []
    read = await world.ask(WAYAN, READ, {"id": str(person.id)})
    assert read.data["defender"]["presentLocation"] == "Kota lain"


async def test_a_supervisor_writes_for_supervision(world: World, person: SyntheticDefender) -> None:
    answer = await update(world, BUDI, person.id, gender="x", purpose="supervision")
    assert codes(answer) == []


async def test_a_change_of_nobody_is_refused_as_one_of_anothers(
    still: World, person: SyntheticDefender
) -> None:
    before = await still.size()

    theirs = await update(still, WAYAN, person.id, fullName="x")
    nobodys = await update(still, WAYAN, NOBODY, fullName="x")

    assert theirs.body == nobodys.body
    assert codes(nobodys) == ["NOT_FOUND"]
    assert [e.code for e in await still.events(before)] == ["NOT_FOUND", "NOT_FOUND"]


#: What is given -> the code.
INVALID: list[tuple[dict[str, Any], str]] = [
    ({}, "VALUE_INVALID"),
    ({"fullName": ""}, "VALUE_INVALID"),
    ({"fullName": "x" * 301}, "VALUE_INVALID"),
    ({"aliases": ["Siti", " "]}, "VALUE_INVALID"),
    ({"dateOfBirth": "1850-01-01"}, "VALUE_INVALID"),
    ({"dateOfBirth": "2026-11-03"}, "VALUE_INVALID"),
    ({"emails": ["@"]}, "VALUE_INVALID"),
    ({"nik": ""}, "NIK_INVALID"),
    ({"nik": "9974155208900003"}, "NIK_INVALID"),
    ({"familyCard": "1"}, "NIK_INVALID"),
    ({"phones": ["112"]}, "PHONE_INVALID"),
]


async def test_a_value_that_cannot_be_true_changes_and_logs_nothing(
    still: World, person: SyntheticDefender
) -> None:
    before, there = await still.size(), await stored(still, person.id)
    for given, code in INVALID:
        assert codes(await update(still, SARI, person.id, **given)) == [code], given
    assert await still.size() == before
    assert await stored(still, person.id) == there


async def test_without_a_purpose_nothing_is_changed(
    still: World, person: SyntheticDefender
) -> None:
    before, there = await still.size(), await stored(still, person.id)

    answer = await update(still, SARI, person.id, purpose=None, gender="x")

    assert (answer.codes, answer.body["data"]) == (["PURPOSE_MISSING"], None)
    assert await still.size() == before
    assert await stored(still, person.id) == there


async def test_what_is_not_asked_for_is_not_read_back(
    world: World, person: SyntheticDefender
) -> None:
    before = await world.size()

    answer = await update(world, SARI, person.id, query=ONLY_ERRORS, gender="x")

    assert answer.data == {"updateDefender": {"errors": []}}
    events = await world.events(before)
    assert len(events) == 2
    assert_change(events, Action.UPDATE_DEFENDER, Outcome.DONE)
