"""Opening a case file: sealed at once, assigned to who took it in, found by its numbers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.vocabulary import Action, Compartment, Decision, Outcome, Phase, RecordKind, Role
from tests.scenarios import sharing
from tests.scenarios.asking import assert_change, counted, fields, led_by, reasons, records
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # Who is refused changes nothing.

DEWI = "dewi"  # intake officer of Komnas HAM, clearance 3, without the training

OPEN = """mutation ($input: OpenCaseFileInput!) { openCaseFile(input: $input) {
  errors { code message }
  caseFileId
  caseFile {
    id revision reference leadAgency status urgency sensitivity province openedOn respondBy
    incidentKinds adversaryKinds measureKinds account sexualViolenceForms assignedToMe
    notes { id }
    defenders { id revision agency categories sealedCategories fullName aliases nik familyCard
      dateOfBirth gender nationality phones emails homeAddress presentLocation
      withheld { field } }
    withheld { field reason } } } }"""

ONLY_ERRORS = """mutation ($input: OpenCaseFileInput!) {
  openCaseFile(input: $input) { errors { code } } }"""

READ = """query ($id: ID!) { caseFile(id: $id) { account assignedToMe
  defenders { id fullName } withheld { reason } } }"""

FIND = """query ($by: SearchBy!, $value: String!) {
  findDefenders(by: $by, value: $value, first: 20) { defender { id } } }"""

PERSON = {
    "fullName": "  Siti   Noerhaliza ",
    "aliases": ["Mbak Siti", "Mbak Siti"],
    "nik": "3374 1552 0890 0003",
    "familyCard": "33741501.0101.0007",
    "dateOfBirth": "1990-08-12",
    "gender": "perempuan",
    "nationality": "Indonesia",
    "phones": ["0840-5555-1234", "+62 840 5555 1234", "62840555599"],
    "emails": ["Siti.N@Surel.Example.ORG"],
    "homeAddress": "Jl. Contoh No. 1, Semarang",
    "presentLocation": "Rumah kerabat",
    "categories": ["environment", "lgbtiq"],
}

INPUT: dict[str, Any] = {
    "urgency": "IMMEDIATE",
    "sensitivity": 3,
    "province": "33",
    "defenders": [PERSON, {"aliases": ["Anak Siti"], "phones": ["08405551111"]}],
    "incidentKinds": ["death_threat", "sexual_violence"],
    "adversaryKinds": ["police", "company"],
    "sexualViolenceForms": ["forced_marriage"],
    "account": "Siti menerima ancaman pembunuhan lewat telepon.",
}

TABLES = (
    "case_file",
    "defender",
    "case_file_defender",
    "assignment",
    "data_key",
    "defender_tag",
    "note",
)


async def open_one(
    world: World,
    subject: str = DEWI,
    *,
    purpose: str | None = "intake",
    query: str = OPEN,
    **changes: Any,
) -> Answer:
    given = {k: v for k, v in {**INPUT, **changes}.items() if v is not ...}
    return await world.ask(subject, query, {"input": given}, purpose=purpose)


async def given_references(world: World) -> list[tuple[Any, ...]]:
    return await world.run("select slug, references_given from organisation order by slug")


async def test_what_is_taken_in_comes_back_in_normal_form_as_far_as_the_officer_holds_it(
    world: World,
) -> None:
    answer = await open_one(world)

    payload = answer.data["openCaseFile"]
    assert payload["errors"] == []
    told = payload["caseFile"]
    first, second = told.pop("defenders")
    assert told.pop("id") == payload["caseFileId"]
    assert told.pop("reference").startswith("KH-2026-")
    assert told == {
        "revision": 1,
        "leadAgency": "komnas-ham",
        "status": "INTAKE",
        "urgency": "IMMEDIATE",
        "sensitivity": 3,
        "province": "33",
        "openedOn": world.clock().date().isoformat(),
        "respondBy": (world.clock() + timedelta(hours=3)).isoformat(),
        "incidentKinds": ["death_threat", "violence"],
        "adversaryKinds": ["company", "police"],
        "measureKinds": [],
        "account": INPUT["account"],
        "sexualViolenceForms": None,
        "assignedToMe": True,
        "notes": [],
        "withheld": [{"field": "sexualViolenceForms", "reason": "COMPARTMENT_NOT_HELD"}],
    }
    first.pop("id")
    assert first == {
        "revision": 1,
        "agency": "komnas-ham",
        "categories": ["environment"],
        "sealedCategories": ["lgbtiq"],
        "fullName": "Siti Noerhaliza",
        "aliases": ["Mbak Siti"],
        "nik": "3374155208900003",
        "familyCard": "3374150101010007",
        "dateOfBirth": "1990-08-12",
        "gender": "perempuan",
        "nationality": "Indonesia",
        "phones": ["+6284055551234", "+62840555599"],
        "emails": ["siti.n@surel.example.org"],
        "homeAddress": "Jl. Contoh No. 1, Semarang",
        "presentLocation": None,
        "withheld": [{"field": "presentLocation"}],
    }
    assert (second["fullName"], second["nik"]) == (None, None)
    assert (second["aliases"], second["phones"]) == (["Anak Siti"], ["+628405551111"])
    assert second["withheld"] == [{"field": "presentLocation"}]


async def test_the_intent_the_outcome_and_the_reading_back_are_logged(world: World) -> None:
    before = await world.size()

    answer = await open_one(world)

    told = answer.data["openCaseFile"]["caseFile"]
    intent, outcome, read = await world.events(before)
    assert_change([intent, outcome], Action.OPEN_CASE_FILE, Outcome.DONE)
    assert outcome.intent == before
    assert (intent.actor, intent.role) == (world.records.member(DEWI).id, Role.INTAKE_OFFICER)
    assert {str(i) for i in records(intent, RecordKind.CASE_FILE)} == {told["id"]}
    people = {d["id"] for d in told["defenders"]}
    assert {str(i) for i in records(intent, RecordKind.DEFENDER)} == people
    assert {c for t in intent.touched for c in t.compartments} >= {
        Compartment.IDENTITY,
        Compartment.NARRATIVE,
        Compartment.GENDER_VIOLENCE,
    }
    assert (read.action, read.phase) == (Action.READ, Phase.WHOLE)
    assert "fullName" in fields(read, Decision.DISCLOSED)
    assert fields(read, Decision.WITHHELD) == {"presentLocation", "sexualViolenceForms"}


async def test_what_is_not_asked_for_is_not_read_back(world: World) -> None:
    before = await world.size()

    answer = await open_one(world, query=ONLY_ERRORS)

    assert answer.data == {"openCaseFile": {"errors": []}}
    events = await world.events(before)
    assert [e.phase for e in events] == [Phase.INTENT, Phase.OUTCOME]


async def test_every_row_that_grants_carries_the_index_of_the_intent(world: World) -> None:
    before = await world.size()

    await open_one(world)

    for table, rows in (("case_file", 1), ("case_file_defender", 2), ("assignment", 1)):
        found = await world.run(f"select count(*) from {table} where event = ?", (before,))
        assert found == [(rows,)]


async def test_a_new_defender_is_found_by_each_number_at_once_and_by_no_other_agency(
    world: World,
) -> None:
    told = (await open_one(world)).data["openCaseFile"]["caseFile"]
    first, second = (d["id"] for d in told["defenders"])
    ways = [
        ("NIK", "3374155208900003", first),
        ("PHONE", "084055551234", first),
        ("PHONE", "0840555599", first),
        ("PHONE", "+62 840 555 1111", second),
        ("NAME", "Nurhaliza", first),
        ("NAME", "anak siti", second),
    ]
    for by, value, expected in ways:
        asked = {"by": by, "value": value}
        found = await world.ask(DEWI, FIND, asked, purpose="intake")
        assert expected in [hit["defender"]["id"] for hit in found.data["findDefenders"]]
        for stranger in (SARI, WAYAN):
            other = await world.ask(stranger, FIND, asked)
            seen = [hit["defender"]["id"] for hit in other.data["findDefenders"]]
            assert expected not in seen


async def test_who_took_it_in_may_work_on_it_for_seven_days(world: World) -> None:
    told = (await open_one(world)).data["openCaseFile"]["caseFile"]
    asked = {"id": told["id"]}

    world.clock.move(timedelta(days=7, seconds=-1))
    still = await world.ask(DEWI, READ, asked, purpose="intake")
    world.clock.move(timedelta(seconds=1))
    no_more = await world.ask(DEWI, READ, asked, purpose="intake")

    assert still.data["caseFile"]["account"] == INPUT["account"]
    assert still.data["caseFile"]["assignedToMe"] is True
    assert no_more.data["caseFile"]["account"] is None
    assert no_more.data["caseFile"]["assignedToMe"] is False
    assert no_more.data["caseFile"]["withheld"] == [{"reason": "NOT_ASSIGNED"}]


async def test_a_colleague_sees_that_it_exists_a_supervisor_reads_it_and_others_do_not(
    world: World,
) -> None:
    told = (await open_one(world)).data["openCaseFile"]["caseFile"]
    asked = {"id": told["id"]}

    colleague = await world.ask(SARI, READ, asked)
    supervisor = await world.ask(BUDI, READ, asked, purpose="supervision")
    stranger = await world.ask(WAYAN, READ, asked)

    assert colleague.data["caseFile"]["account"] is None
    assert [d["fullName"] for d in colleague.data["caseFile"]["defenders"]] == [None, None]
    assert supervisor.data["caseFile"]["account"] == INPUT["account"]
    assert stranger.codes == ["NOT_FOUND"]


async def test_who_is_not_cleared_for_it_may_take_it_in_and_not_read_it_back(world: World) -> None:
    answer = await open_one(world, sensitivity=4)

    told = answer.data["openCaseFile"]["caseFile"]
    assert told["assignedToMe"] is True
    assert told["account"] is None
    assert {w["reason"] for w in told["withheld"]} == {"CLEARANCE_TOO_LOW"}
    assert {d["fullName"] for d in told["defenders"]} == {None}
    supervisor = await world.ask(BUDI, READ, {"id": told["id"]}, purpose="supervision")
    assert supervisor.data["caseFile"]["account"] == INPUT["account"]


async def test_an_alias_and_a_phone_are_enough(world: World) -> None:
    answer = await open_one(
        world,
        defenders=[{"aliases": ["Bunga"], "phones": ["08405551111"]}],
        incidentKinds=...,
        adversaryKinds=...,
        sexualViolenceForms=...,
        account=...,
    )

    told = answer.data["openCaseFile"]["caseFile"]
    assert (told["account"], told["incidentKinds"]) == (None, [])
    assert [w["field"] for w in told["withheld"]] == ["sexualViolenceForms"]
    [person] = told["defenders"]
    assert person["aliases"] == ["Bunga"]


async def test_references_go_on_one_by_one_however_many_are_opened_at_once(world: World) -> None:
    there = [f.reference for f in led_by(world, "komnas-ham")]

    answers = await asyncio.gather(*(open_one(world) for _ in range(8)))

    new = sorted(a.data["openCaseFile"]["caseFile"]["reference"] for a in answers)
    numbers = [int(reference.removeprefix("KH-2026-")) for reference in new]
    assert numbers == list(range(len(there) + 1, len(there) + 9))
    assert not set(new) & set(there)
    other = await open_one(world, "fitri")
    assert other.data["openCaseFile"]["caseFile"]["reference"].startswith("LP-2026-")


#: Who, purpose -> the reason in the event.
NOT_ALLOWED = {
    (SARI, "protection"): "purpose_does_not_fit",
    (SARI, "referral"): "purpose_does_not_fit",
    (BUDI, "supervision"): "purpose_does_not_fit",
    (BUDI, "quality_review"): "purpose_does_not_fit",
    (DEWI, "protection"): "purpose_does_not_fit",
    (DEWI, "supervision"): "purpose_does_not_fit",
}


@pytest.mark.parametrize(("who", "purpose"), NOT_ALLOWED)
async def test_for_a_purpose_that_takes_nothing_in_nothing_is_opened(
    still: World, who: str, purpose: str
) -> None:
    before, there = await still.size(), await counted(still, *TABLES)
    references = await given_references(still)

    answer = await open_one(still, who, purpose=purpose)

    payload = answer.data["openCaseFile"]
    assert (payload["caseFileId"], payload["caseFile"]) == (None, None)
    assert [e["code"] for e in payload["errors"]] == ["NOT_ALLOWED"]
    [event] = await still.events(before)
    assert (event.action, event.phase) == (Action.OPEN_CASE_FILE, Phase.WHOLE)
    assert (event.decision, event.code) == (Decision.REFUSED, "NOT_ALLOWED")
    assert reasons(event) == {NOT_ALLOWED[who, purpose]}
    assert await counted(still, *TABLES) == there
    assert await given_references(still) == references


@pytest.mark.parametrize("purpose", ["intake", "assessment", "emergency"])
async def test_case_officers_take_in_too(world: World, purpose: str) -> None:
    answer = await open_one(world, SARI, purpose=purpose, query=ONLY_ERRORS)
    assert answer.data["openCaseFile"]["errors"] == []


def person(**changes: Any) -> list[dict[str, Any]]:
    return [{**PERSON, **changes}]


#: What is wrong -> the changed input, and the code.
INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({"defenders": []}, "VALUE_INVALID"),
    "too many": ({"defenders": [{"aliases": ["Bunga"]}] * 21}, "VALUE_INVALID"),
    "sensitivity 0": ({"sensitivity": 0}, "VALUE_INVALID"),
    "sensitivity 5": ({"sensitivity": 5}, "VALUE_INVALID"),
    "no such province": ({"province": "99"}, "VALUE_INVALID"),
    "name of a province": ({"province": "Jawa Tengah"}, "VALUE_INVALID"),
    "incident kind": ({"incidentKinds": ["rain"]}, "VALUE_INVALID"),
    "adversary kind": ({"adversaryKinds": ["police", "rain"]}, "VALUE_INVALID"),
    "form": ({"sexualViolenceForms": ["rain"]}, "VALUE_INVALID"),
    "empty account": ({"account": " \n "}, "VALUE_INVALID"),
    "account with a NUL": ({"account": "a\x00b"}, "VALUE_INVALID"),
    "long account": ({"account": "x" * 20_001}, "VALUE_INVALID"),
    "empty name": ({"defenders": person(fullName="  ")}, "VALUE_INVALID"),
    "long name": ({"defenders": person(fullName="x" * 301)}, "VALUE_INVALID"),
    "name with a NUL": ({"defenders": person(fullName="Si\x00ti")}, "VALUE_INVALID"),
    "empty alias": ({"defenders": person(aliases=["Siti", ""])}, "VALUE_INVALID"),
    "many aliases": ({"defenders": person(aliases=["Siti"] * 21)}, "VALUE_INVALID"),
    "born long ago": ({"defenders": person(dateOfBirth="1899-12-31")}, "VALUE_INVALID"),
    "born tomorrow": ({"defenders": person(dateOfBirth="2026-11-03")}, "VALUE_INVALID"),
    "e-mail": ({"defenders": person(emails=["siti"])}, "VALUE_INVALID"),
    "category": ({"defenders": person(categories=["rain"])}, "VALUE_INVALID"),
    "nik": ({"defenders": person(nik="3374155208900")}, "NIK_INVALID"),
    "date in nik": ({"defenders": person(nik="3374153213900003")}, "NIK_INVALID"),
    "family card": ({"defenders": person(familyCard="12")}, "NIK_INVALID"),
    "phone": ({"defenders": person(phones=["0840"])}, "PHONE_INVALID"),
    "one of two phones": ({"defenders": person(phones=["08405551111", "x"])}, "PHONE_INVALID"),
}


async def test_what_cannot_be_true_is_refused_before_anything_is_logged_or_written(
    still: World,
) -> None:
    there, references = await counted(still, *TABLES), await given_references(still)
    before = await still.size()
    for name, (changes, code) in INVALID.items():
        answer = await open_one(still, **changes)
        payload = answer.data["openCaseFile"]
        assert payload["caseFile"] is None, name
        assert [e["code"] for e in payload["errors"]] == [code], name
    assert await still.size() == before
    assert await counted(still, *TABLES) == there
    assert await given_references(still) == references


async def test_without_a_purpose_or_at_the_wrong_door_nothing_is_opened(still: World) -> None:
    there = await counted(still, *TABLES)

    without = await open_one(still, purpose=None)
    officer = await open_one(still, TUTI)

    assert (without.codes, without.body["data"]) == (["PURPOSE_MISSING"], None)
    assert (officer.status, officer.codes) == (403, ["NOT_FOR_THIS_FACE"])
    assert await counted(still, *TABLES) == there
