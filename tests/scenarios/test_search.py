"""Search: exact numbers in every spelling, names with tolerance, nothing that stays closed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Action, Compartment, Decision, RecordKind
from tests.scenarios import sharing
from tests.scenarios.asking import (
    assigned_to,
    case_file,
    fields,
    first_defender,
    ids,
    led_by,
    put_into,
    records,
)
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, fresh = sharing.still, sharing.fresh

FIND = """query ($by: SearchBy!, $value: String!, $first: Int! = 20) {
  findDefenders(by: $by, value: $value, first: $first) {
    score likeness defender { id fullName nik } caseFiles { id reference } } }"""

UNASSIGN = """mutation ($id: ID!, $who: ID!) {
  unassignCaseworker(input: {caseFileId: $id, memberId: $who}) { errors { code } } }"""


async def find(
    world: World,
    subject: str,
    by: str,
    value: str,
    *,
    first: int = 20,
    purpose: str | None = "protection",
) -> Answer:
    variables = {"by": by, "value": value, "first": first}
    return await world.ask(subject, FIND, variables, purpose=purpose)


def hits(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.data["findDefenders"]
    return found


def found_ids(answer: Answer) -> list[str]:
    return ids(hit["defender"] for hit in hits(answer))


def groups(digits: str, sizes: Sequence[int], mark: str) -> str:
    parts = []
    for size in sizes:
        parts.append(digits[:size])
        digits = digits[size:]
    return mark.join(parts)


async def test_a_nik_is_found_in_each_of_its_spellings(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    nik = person.nik or ""
    for value in (
        nik,
        f"  {nik}\t",
        groups(nik, (4, 4, 4, 4), " "),
        groups(nik, (6, 6, 4), "-"),
        groups(nik, (2, 2, 2, 6, 4), "."),
        groups(nik, (6, 6, 4), "\u00a0"),
    ):
        before = await world.size()
        [hit] = hits(await find(world, SARI, "NIK", value))
        assert hit == {
            "score": 100,
            "likeness": "exact",
            "defender": {"id": str(person.id), "fullName": person.full_name, "nik": nik},
            "caseFiles": [{"id": str(world.records.open_to_sari), "reference": "KH-2026-0010"}],
        }
        searched, read = await world.events(before)
        assert (searched.action, fields(searched, Decision.DISCLOSED)) == (Action.SEARCH, {"nik"})
        assert (read.action, fields(read, Decision.DISCLOSED)) == (Action.READ, {"fullName", "nik"})
        for event in (searched, read):
            assert records(event, RecordKind.DEFENDER) == {person.id}


async def test_a_phone_is_found_in_each_of_its_forms(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    [phone] = person.phones
    national = phone.removeprefix("+62")
    for value in (
        phone,
        f"0{national}",
        f"62{national}",
        f"0062{national}",
        f"+62 (0){national}",
        f"0{groups(national, (3, 4, 9), '-')}",
        f"(0{national[:3]}) {national[3:]}",
        f"+62 {groups(national, (3, 4, 9), '.')}",
    ):
        before = await world.size()
        [hit] = hits(await find(world, SARI, "PHONE", value))
        assert (hit["defender"]["id"], hit["score"]) == (str(person.id), 100)
        searched, _ = await world.events(before)
        assert fields(searched, Decision.DISCLOSED) == {"phones"}
        assert {c for t in searched.touched for c in t.compartments} == {Compartment.CONTACT}


async def test_each_of_several_phones_finds_its_owner(world: World) -> None:
    person = first_defender(world, case_file(world, "KH-2025-0006").id)
    assert len(person.phones) == 2
    for phone in person.phones:
        assert found_ids(await find(world, SARI, "PHONE", phone)) == [str(person.id)]


NAMES = {
    "Mochammad Joesoef Hidayat": "exact",
    "mochammad joesoef hidayat": "exact",
    "Drs. H. Mochammad Joesoef Hidayat, S.H.": "exact",
    "Muhammad Yusuf Hidayat": "spelling_variant",
    "Moh. Jusuf Hidajat": "spelling_variant",
    "M. Yusup Hidayat": "spelling_variant",
    "Hidayat Yusuf Muhammad": "spelling_variant",
    "Joesoef": "part_of_the_name",
    "hidayat": "part_of_the_name",
    "Yusuf Hidayatt": "part_of_the_name",
    "Muhammad Yusuf Hidayar": "similar",
}


@pytest.mark.parametrize("value", NAMES)
async def test_a_name_is_found_through_its_spellings(world: World, value: str) -> None:
    person = first_defender(world, world.records.open_to_sari)

    best, *others = hits(await find(world, SARI, "NAME", value))

    assert (best["defender"]["id"], best["likeness"]) == (str(person.id), NAMES[value])
    scores = [hit["score"] for hit in (best, *others)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 100 for score in scores)


async def test_an_alias_is_a_name(world: World) -> None:
    person = first_defender(world, case_file(world, "KH-2026-0003").id)
    assert person.aliases == ("Bung Vinsen",)
    assert found_ids(await find(world, SARI, "NAME", "Bung Vincen")) == [str(person.id)]


async def test_a_name_is_sought_among_all_that_the_searcher_may_open_and_the_event_says_so(
    world: World,
) -> None:
    before = await world.size()

    answer = await find(world, SARI, "NAME", "Hasta Saputra")

    mine = assigned_to(world, SARI)
    people = {d for f in mine for d in f.defenders}
    searched, read = await world.events(before)
    assert searched.action is Action.SEARCH
    assert records(searched, RecordKind.CASE_FILE) == {f.id for f in mine}
    assert records(searched, RecordKind.DEFENDER) == people
    assert fields(searched, Decision.DISCLOSED) == {"fullName", "aliases"}
    assert fields(searched, Decision.WITHHELD) == set()
    assert {str(i) for i in records(read, RecordKind.DEFENDER)} == set(found_ids(answer))
    assert {UUID(i) for i in found_ids(answer)} < people


async def test_who_is_not_assigned_finds_nothing_by_any_way(world: World) -> None:
    person = first_defender(world, world.records.closed_to_sari)  # rizal's
    ways = [("NIK", person.nik or ""), ("PHONE", person.phones[0]), ("NAME", person.full_name)]
    for by, value in ways:
        assert found_ids(await find(world, "rizal", by, value)) == [str(person.id)]
        for stranger in (SARI, "agus", "hartono", WAYAN, "ayu"):
            before = await world.size()

            answer = await find(world, stranger, by, value)

            assert str(person.id) not in found_ids(answer)
            searched, *_ = await world.events(before)
            assert searched.action is Action.SEARCH
            for event in await world.events(before):
                assert person.id not in records(event, RecordKind.DEFENDER)


async def test_a_number_that_nobody_has_is_answered_as_one_that_is_closed(world: World) -> None:
    closed = first_defender(world, world.records.closed_to_sari)
    for by, theirs, nobodys in (
        ("NIK", closed.nik or "", "3171011701900001"),
        ("PHONE", closed.phones[0], "+628409999999"),
    ):
        before = await world.size()
        one = await find(world, SARI, by, theirs)
        other = await find(world, SARI, by, nobodys)
        assert one.body == other.body == {"data": {"findDefenders": []}}
        first, second = await world.events(before)
        assert (first.action, first.touched, first.agencies) == (Action.SEARCH, (), ())
        assert (second.action, second.touched, second.agencies) == (Action.SEARCH, (), ())


async def test_a_supervisor_finds_for_supervision_what_her_people_work_on(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    nik = person.nik or ""

    assert found_ids(await find(world, BUDI, "NIK", nik, purpose="supervision")) == [str(person.id)]
    assert found_ids(await find(world, BUDI, "NIK", nik, purpose="protection")) == []

    over = first_defender(world, case_file(world, "KH-2026-0008").id)
    assert hits(await find(world, BUDI, "NIK", over.nik or "", purpose="supervision")) == []


async def test_who_is_unassigned_finds_no_more(fresh: World) -> None:
    file = fresh.records.open_to_sari
    person = first_defender(fresh, file)
    asked = {"id": str(file), "who": str(fresh.records.member(SARI).id)}

    ended = await fresh.ask(BUDI, UNASSIGN, asked, purpose="supervision")

    assert ended.data["unassignCaseworker"]["errors"] == []
    assert hits(await find(fresh, SARI, "NIK", person.nik or "")) == []
    assert str(person.id) not in found_ids(await find(fresh, SARI, "NAME", person.full_name))


async def test_a_hit_names_only_the_case_files_that_were_searched(fresh: World) -> None:
    mine, other = fresh.records.open_to_sari, fresh.records.closed_to_sari
    person = first_defender(fresh, mine)
    await put_into(fresh, other, person.id)

    for by, value in (("NIK", person.nik or ""), ("NAME", person.full_name)):
        [hit] = hits(await find(fresh, SARI, by, value))
        assert ids(hit["caseFiles"]) == [str(mine)]
        [hit] = [h for h in hits(await find(fresh, "rizal", by, value)) if h["score"] == 100]
        assert ids(hit["caseFiles"]) == [str(other)]


async def test_the_first_hits_are_the_best(world: World) -> None:
    all_of_them = hits(await find(world, "hartono", "NAME", "Hidayat", purpose="supervision"))
    assert len(all_of_them) > 0
    first = hits(await find(world, "hartono", "NAME", "Hidayat", purpose="supervision", first=1))
    assert first == all_of_them[:1]
    everyone = {d for f in led_by(world, "komnas-ham") for d in f.defenders}
    assert {UUID(hit["defender"]["id"]) for hit in all_of_them} <= everyone


async def test_who_share_a_phone_are_all_found_up_to_the_number_that_was_asked_for(
    fresh: World,
) -> None:
    opened = await fresh.ask(
        SARI,
        """mutation ($people: [DefenderInput!]!) { openCaseFile(input: {urgency: SOON,
          sensitivity: 2, province: "33", defenders: $people}) { errors { code } } }""",
        {"people": [{"aliases": [f"Bunga {n}"], "phones": ["08405551111"]} for n in "abc"]},
        purpose="intake",
    )
    assert opened.data["openCaseFile"]["errors"] == []

    assert len(hits(await find(fresh, SARI, "PHONE", "+628405551111"))) == 3
    assert len(hits(await find(fresh, SARI, "PHONE", "+628405551111", first=2))) == 2


async def test_a_family_card_finds_the_household_and_an_address_its_owner(fresh: World) -> None:
    household = "3374150101150042"
    people = [
        {"aliases": ["Bunga a"], "familyCard": household, "emails": ["Bunga.A@Contoh.example"]},
        {"aliases": ["Bunga b"], "familyCard": household, "emails": ["bunga.b@contoh.example"]},
        {"aliases": ["Bunga c"], "familyCard": "3374150101150043"},
    ]
    opened = await fresh.ask(
        SARI,
        """mutation ($people: [DefenderInput!]!) { openCaseFile(input: {urgency: SOON,
          sensitivity: 2, province: "33", defenders: $people}) {
          errors { code } caseFile { defenders { id aliases } } } }""",
        {"people": people},
        purpose="intake",
    )
    made = {
        d["aliases"][0][-1]: d["id"] for d in opened.data["openCaseFile"]["caseFile"]["defenders"]
    }
    before = await fresh.size()

    by_card = await find(fresh, SARI, "FAMILY_CARD", groups(household, (4, 4, 4, 4), " "))
    by_address = await find(fresh, SARI, "EMAIL", " BUNGA.a@contoh.EXAMPLE ")

    assert set(found_ids(by_card)) == {made["a"], made["b"]}
    assert found_ids(by_address) == [made["a"]]
    searched = [e for e in await fresh.events(before) if e.action is Action.SEARCH]
    assert [fields(e, Decision.DISCLOSED) for e in searched] == [{"familyCard"}, {"emails"}]
    for by, value in (("FAMILY_CARD", household), ("EMAIL", "bunga.b@contoh.example")):
        assert found_ids(await find(fresh, WAYAN, by, value)) == []


REFUSED = [
    ("EMAIL", "", "VALUE_INVALID"),
    ("EMAIL", "bunga", "VALUE_INVALID"),
    ("EMAIL", "bunga@@contoh.example", "VALUE_INVALID"),
    ("FAMILY_CARD", "", "NIK_INVALID"),
    ("FAMILY_CARD", "3374159901150042", "NIK_INVALID"),
    ("NAME", "", "VALUE_INVALID"),
    ("NAME", "ab", "VALUE_INVALID"),
    ("NAME", " a . b ", "VALUE_INVALID"),
    ("NAME", "%%%", "VALUE_INVALID"),
    ("NAME", "x" * 201, "VALUE_INVALID"),
    ("NIK", "", "NIK_INVALID"),
    ("NIK", "123", "NIK_INVALID"),
    ("NIK", "81289928065700440", "NIK_INVALID"),
    ("NIK", "9928992806570044", "NIK_INVALID"),
    ("NIK", "8128993202570044", "NIK_INVALID"),
    ("NIK", "８128992806570044", "NIK_INVALID"),
    ("PHONE", "", "PHONE_INVALID"),
    ("PHONE", "0812", "PHONE_INVALID"),
    ("PHONE", "08123456789012345", "PHONE_INVALID"),
    ("PHONE", "8123456789", "PHONE_INVALID"),
    ("PHONE", "nol delapan", "PHONE_INVALID"),
]


async def test_what_cannot_be_sought_is_refused_and_nothing_is_opened(world: World) -> None:
    for by, value, code in REFUSED:
        before = await world.size()

        answer = await find(world, SARI, by, value)

        assert (answer.codes, answer.body["data"]) == ([code], None), (by, value)
        assert len(value) < 5 or value not in answer.text
        assert await world.size() == before


@pytest.mark.parametrize("first", [-1, 0, 21])
async def test_a_search_gives_one_to_twenty_hits(world: World, first: int) -> None:
    before = await world.size()

    answer = await find(world, SARI, "NAME", "Hidayat", first=first)

    assert (answer.codes, answer.body["data"]) == (["PAGE_SIZE_INVALID"], None)
    assert await world.size() == before


async def test_a_search_without_a_purpose_is_refused(world: World) -> None:
    before = await world.size()

    answer = await find(world, SARI, "NAME", "Hidayat", purpose=None)

    assert (answer.codes, answer.body["data"]) == (["PURPOSE_MISSING"], None)
    assert await world.size() == before


async def test_for_a_purpose_that_does_not_fit_a_search_finds_nothing(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    before = await world.size()

    answer = await find(world, SARI, "NIK", person.nik or "", purpose="supervision")

    assert hits(answer) == []
    [event] = await world.events(before)
    assert (event.action, event.touched) == (Action.SEARCH, ())
