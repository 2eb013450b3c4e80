"""One case file, one defender, notes: what is asked for is opened, and nothing else is."""

from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, SARI, WAYAN
from api.demo.synthetic_records import SyntheticDefender
from api.vocabulary import Action, Compartment, Decision, Ground, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    case_file,
    defender,
    fields,
    first_defender,
    put_into,
    reasons,
    records,
)
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, fresh = sharing.still, sharing.fresh

DEFENDER = """query ($id: ID!) { defender(id: $id) {
  id revision agency categories fullName aliases nik familyCard dateOfBirth gender nationality
  sealedCategories phones emails homeAddress presentLocation
  withheld { field compartment reason howToAsk } } }"""

CASE_FILE = """query ($id: ID!) { caseFile(id: $id) {
  id revision reference leadAgency status urgency sensitivity province openedOn respondBy
  incidentKinds adversaryKinds measureKinds account sexualViolenceForms assignedToMe
  defenders { id } withheld { field compartment reason } } }"""

NOTES = """query ($id: ID!) { caseFile(id: $id) {
  notes { id author writtenAt body } withheld { field reason } } }"""

IDENTITY = {
    "fullName",
    "aliases",
    "nik",
    "familyCard",
    "dateOfBirth",
    "gender",
    "nationality",
    "sealedCategories",
}
CONTACT = {"phones", "emails", "homeAddress"}


def as_told(person: SyntheticDefender) -> dict[str, Any]:
    """Give all that is sealed of *person* as an answer says it."""
    born = person.date_of_birth
    return {
        "fullName": person.full_name,
        "aliases": list(person.aliases),
        "nik": person.nik,
        "familyCard": person.family_card,
        "dateOfBirth": None if born is None else born.isoformat(),
        "gender": person.gender,
        "nationality": person.nationality,
        "sealedCategories": list(person.sealed_categories),
        "phones": list(person.phones),
        "emails": list(person.emails),
        "homeAddress": person.home_address,
        "presentLocation": person.present_location,
    }


async def test_an_assigned_caseworker_reads_all_of_a_defender_but_the_whereabouts(
    world: World,
) -> None:
    person = first_defender(world, world.records.open_to_sari)
    before = await world.size()

    answer = await world.ask(SARI, DEFENDER, {"id": str(person.id)})

    told = answer.data["defender"]
    [withheld] = told.pop("withheld")
    assert withheld["howToAsk"]
    assert (withheld["field"], withheld["compartment"], withheld["reason"]) == (
        "presentLocation",
        "WHEREABOUTS",
        "COMPARTMENT_NOT_HELD",
    )
    assert told == {
        "id": str(person.id),
        "revision": 1,
        "agency": "komnas-ham",
        "categories": list(person.categories),
        **as_told(person),
        "presentLocation": None,
    }
    [event] = await world.events(before)
    assert (event.action, event.decision, event.code) == (Action.READ, Decision.DISCLOSED, None)
    assert fields(event, Decision.DISCLOSED) == IDENTITY | CONTACT
    assert fields(event, Decision.WITHHELD) == {"presentLocation"}
    assert records(event, RecordKind.DEFENDER) == {person.id}
    assert records(event, RecordKind.CASE_FILE) == {world.records.open_to_sari}


async def test_a_protection_officer_reads_the_whereabouts_too(world: World) -> None:
    file = next(f for f in world.records.case_files if f.reference == "LP-2025-0006")
    person = first_defender(world, file.id)
    before = await world.size()

    answer = await world.ask(WAYAN, DEFENDER, {"id": str(person.id)})

    told = answer.data["defender"]
    assert told["withheld"] == []
    assert {name: told[name] for name in as_told(person)} == as_told(person)
    [event] = await world.events(before)
    assert {c for t in event.touched for c in t.compartments} == {
        Compartment.IDENTITY,
        Compartment.CONTACT,
        Compartment.WHEREABOUTS,
    }


async def test_who_is_not_assigned_reads_of_a_defender_what_stands_in_clear(world: World) -> None:
    person = first_defender(world, world.records.closed_to_sari)
    before = await world.size()

    answer = await world.ask(SARI, DEFENDER, {"id": str(person.id)})

    told = answer.data["defender"]
    assert told["categories"] == list(person.categories)
    assert {told[name] for name in as_told(person)} == {None}
    reason = {w["field"]: w["reason"] for w in told["withheld"]}
    assert reason == dict.fromkeys(as_told(person), "NOT_ASSIGNED")
    [event] = await world.events(before)
    assert fields(event, Decision.DISCLOSED) == set()
    assert fields(event, Decision.WITHHELD) == set(as_told(person))


async def test_of_several_case_files_the_one_that_opens_most_shows_the_defender(
    fresh: World,
) -> None:
    mine, other = fresh.records.open_to_sari, fresh.records.closed_to_sari
    person = first_defender(fresh, mine)
    await put_into(fresh, other, person.id)
    query = "query ($id: ID!) { defender(id: $id) { fullName phones withheld { field } } }"

    for who in (SARI, "rizal"):  # each through another file, to which the other is closed
        answer = await fresh.ask(who, query, {"id": str(person.id)})
        assert answer.data["defender"] == {
            "fullName": person.full_name,
            "phones": list(person.phones),
            "withheld": [],
        }
    nobody = await fresh.ask("agus", query, {"id": str(person.id)}, purpose="intake")
    assert nobody.data["defender"]["fullName"] is None


async def test_a_case_file_is_told_as_it_was_sealed(world: World) -> None:
    file = case_file(world, "KH-2025-0001")
    before = await world.size()

    answer = await world.ask(SARI, CASE_FILE, {"id": str(file.id)})

    assert answer.data["caseFile"] == {
        "id": str(file.id),
        "revision": 1,
        "reference": file.reference,
        "leadAgency": file.lead_agency,
        "status": file.status.name,
        "urgency": file.urgency.name,
        "sensitivity": int(file.sensitivity),
        "province": file.province,
        "openedOn": file.opened_on.isoformat(),
        "respondBy": file.respond_by.isoformat(),
        "incidentKinds": list(file.incident_kinds),
        "adversaryKinds": list(file.adversary_kinds),
        "measureKinds": list(file.measure_kinds),
        "account": file.account,
        "sexualViolenceForms": None,
        "assignedToMe": True,
        "defenders": [{"id": str(i)} for i in file.defenders],
        "withheld": [
            {
                "field": "sexualViolenceForms",
                "compartment": "GENDER_VIOLENCE",
                "reason": "COMPARTMENT_NOT_HELD",
            }
        ],
    }
    [event] = await world.events(before)
    assert fields(event, Decision.DISCLOSED) == {"account"}
    assert fields(event, Decision.WITHHELD) == {"sexualViolenceForms"}


async def test_forms_of_sexual_violence_open_only_to_who_has_the_training(world: World) -> None:
    file = case_file(world, "KH-2025-0004")  # assigned to Budi, who has no training
    assert file.sexual_violence_forms
    asked = {"id": str(file.id)}

    untrained = await world.ask(BUDI, CASE_FILE, asked, purpose="supervision")
    trained = await world.ask("hartono", CASE_FILE, asked, purpose="supervision")

    assert untrained.data["caseFile"]["account"] == file.account
    assert untrained.data["caseFile"]["sexualViolenceForms"] is None
    [withheld] = untrained.data["caseFile"]["withheld"]
    assert withheld["reason"] == "COMPARTMENT_NOT_HELD"
    assert trained.data["caseFile"]["sexualViolenceForms"] == list(file.sexual_violence_forms)
    assert "violence" in trained.data["caseFile"]["incidentKinds"]
    assert "sexual_violence" not in trained.data["caseFile"]["incidentKinds"]


async def test_a_supervisor_reads_what_her_people_work_on_and_only_for_supervision(
    world: World,
) -> None:
    file = world.records.open_to_sari
    person = first_defender(world, file)
    query = "query ($id: ID!) { caseFile(id: $id) { defenders { fullName withheld { reason } } } }"
    told = {}
    for purpose in ("supervision", "quality_review", "protection", "emergency"):
        before = await world.size()
        answer = await world.ask(BUDI, query, {"id": str(file)}, purpose=purpose)
        [told[purpose]] = answer.data["caseFile"]["defenders"]
        [event] = await world.events(before)
        opened = [t for t in event.touched if t.fields]
        [ground] = {t.ground for t in opened}
        reading = purpose in ("supervision", "quality_review")
        assert ground is (Ground.SUPERVISING if reading else None)
        assert event.purpose is not None
        assert event.purpose.value == purpose

    opened_one = {"fullName": person.full_name, "withheld": []}
    closed_one = {"fullName": None, "withheld": [{"reason": "NOT_ASSIGNED"}]}
    assert told == {
        "supervision": opened_one,
        "quality_review": opened_one,
        "protection": closed_one,
        "emergency": closed_one,
    }


async def test_what_nobody_works_on_any_more_is_closed_to_the_supervisor_too(world: World) -> None:
    file = case_file(world, "KH-2026-0008")  # closed, its assignment is over

    answer = await world.ask(BUDI, CASE_FILE, {"id": str(file.id)}, purpose="supervision")

    assert answer.data["caseFile"]["account"] is None
    assert {w["reason"] for w in answer.data["caseFile"]["withheld"]} == {"NOT_ASSIGNED"}


async def test_a_purpose_that_does_not_fit_the_role_hides_the_record(world: World) -> None:
    asked = {"id": str(world.records.open_to_sari)}
    before = await world.size()

    unfit = await world.ask(SARI, CASE_FILE, asked, purpose="supervision")
    nobody = await world.ask(SARI, CASE_FILE, {"id": NOBODY}, purpose="supervision")

    assert unfit.body["data"] == nobody.body["data"] == {"caseFile": None}
    assert unfit.codes == nobody.codes == ["NOT_FOUND"]
    events = await world.events(before)
    assert [e.code for e in events] == ["NOT_FOUND", "NOT_FOUND"]
    assert [reasons(e) for e in events] == [{"not_in_reach"}] * 2


async def test_notes_are_read_newest_first(world: World) -> None:
    file = case_file(world, "KH-2025-0003")
    written = sorted(
        (n for n in world.records.notes if n.case_file == file.id),
        key=lambda n: (n.written_at, n.id),
        reverse=True,
    )
    assert len(written) == 2
    before = await world.size()

    answer = await world.ask("maria", NOTES, {"id": str(file.id)})

    assert answer.data["caseFile"] == {
        "notes": [
            {
                "id": str(n.id),
                "author": str(n.author),
                "writtenAt": n.written_at.isoformat(),
                "body": n.body,
            }
            for n in written
        ],
        "withheld": [],
    }
    [event] = await world.events(before)
    assert fields(event, Decision.DISCLOSED) == {"body"}


async def test_to_who_is_not_assigned_notes_say_that_they_are_there(world: World) -> None:
    file = case_file(world, "KH-2025-0003")
    before = await world.size()

    answer = await world.ask(SARI, NOTES, {"id": str(file.id)})

    told = answer.data["caseFile"]
    assert [n["body"] for n in told["notes"]] == [None, None]
    assert told["withheld"] == [{"field": "body", "reason": "NOT_ASSIGNED"}]
    [event] = await world.events(before)
    assert fields(event, Decision.DISCLOSED) == set()
    assert fields(event, Decision.WITHHELD) == {"body"}


async def test_notes_without_their_text_are_listed_and_not_opened(world: World) -> None:
    file = case_file(world, "KH-2025-0003")
    query = "query ($id: ID!) { caseFile(id: $id) { notes { id } withheld { field } } }"
    for who in ("maria", SARI):
        before = await world.size()
        answer = await world.ask(who, query, {"id": str(file.id)})
        assert len(answer.data["caseFile"]["notes"]) == 2
        assert answer.data["caseFile"]["withheld"] == []
        [event] = await world.events(before)
        assert not [t for t in event.touched if t.fields or t.compartments]


VARIABLES = {"$id": "ID!", "$yes": "Boolean = true", "$no": "Boolean = false"}

#: Document -> for each root field in it, the fields that are opened.
ASKED: dict[str, list[set[str]]] = {
    "{ caseFile(id: $id) { reference status defenders { id categories } } }": [set()],
    "{ caseFile(id: $id) { id } }": [set()],
    "{ caseFile(id: $id) { __typename defenders { __typename } } }": [set()],
    "{ caseFile(id: $id) { other: account defenders { n: fullName m: fullName } } }": [
        {"account", "fullName"}
    ],
    "{ a: caseFile(id: $id) { account } b: caseFile(id: $id) { defenders { nik } } }": [
        {"account"},
        {"nik"},
    ],
    "{ caseFile(id: $id) { ...a defenders { ...b } } } "
    "fragment a on CaseFile { account defenders { ...b } } "
    "fragment b on Defender { aliases ...c } fragment c on Defender { gender }": [
        {"account", "aliases", "gender"}
    ],
    "{ caseFile(id: $id) { ... on CaseFile { defenders { ... { phones } } } } }": [{"phones"}],
    "{ caseFile(id: $id) { account @skip(if: true) defenders { nik @include(if: false) } } }": [
        set()
    ],
    "{ caseFile(id: $id) { account @skip(if: $yes) defenders { nik @include(if: $no) } } }": [
        set()
    ],
    "{ caseFile(id: $id) { account @skip(if: $no) defenders { nik @include(if: $yes) } } }": [
        {"account", "nik"}
    ],
    "{ caseFile(id: $id) { defenders { emails } defenders @skip(if: $yes) { fullName } } }": [
        {"emails"}
    ],
    "{ caseFile(id: $id) { ...a @include(if: $no) ... @include(if: $yes) { account } } } "
    "fragment a on CaseFile { defenders { fullName } }": [{"account"}],
    "{ caseFile(id: $id) { notes @include(if: $no) { body } account } }": [{"account"}],
    "{ caseFile(id: $id) { notes { id body @skip(if: $yes) } } }": [set()],
    "{ caseFile(id: $id) { defenders { withheld { field } } } }": [set()],
    "{ viewer { role } caseFile(id: $id) @skip(if: $yes) { account } }": [],
}

#: Fields that are opened -> compartments whose keys that takes.
OF = {
    "account": Compartment.NARRATIVE,
    "aliases": Compartment.IDENTITY,
    "emails": Compartment.CONTACT,
    "fullName": Compartment.IDENTITY,
    "gender": Compartment.IDENTITY,
    "nik": Compartment.IDENTITY,
    "phones": Compartment.CONTACT,
}


async def test_exactly_what_is_asked_for_is_opened_and_named(world: World) -> None:
    file = world.records.open_to_sari
    person = first_defender(world, file).id
    async with exchanged(world) as inside:
        for document, expected in ASKED.items():
            before = await world.size()
            inside.keyring.opened.clear()

            answer = await inside.world.ask(SARI, declared(document), {"id": str(file)})

            assert answer.codes == [], document
            events = await world.events(before)
            found = sorted(sorted(fields(e, Decision.DISCLOSED)) for e in events)
            assert found == sorted(map(sorted, expected)), document
            assert all(e.action is Action.READ for e in events)
            keys: set[tuple[UUID, Compartment]] = {
                (file if name == "account" else person, OF[name])
                for names in expected
                for name in names
            }
            assert set(inside.keyring.opened) == keys, document


def declared(document: str) -> str:
    """Declare the variables that *document* uses; one that is not used is an error."""
    used = [f"{name}: {kind}" for name, kind in VARIABLES.items() if name in document]
    return f"query ({', '.join(used)}) {document}"


async def test_each_aliased_root_field_is_a_reading_and_an_event_of_its_own(world: World) -> None:
    mine, other = str(world.records.open_to_sari), str(world.records.closed_to_sari)
    before = await world.size()

    answer = await world.ask(
        SARI,
        """query ($mine: ID!, $other: ID!, $nobody: ID!) {
          mine: caseFile(id: $mine) { account } other: caseFile(id: $other) { account }
          nobody: caseFile(id: $nobody) { account } }""",
        {"mine": mine, "other": other, "nobody": NOBODY},
    )

    data = answer.body["data"]
    assert data["mine"]["account"]
    assert (data["other"], data["nobody"]) == ({"account": None}, None)
    [error] = answer.body["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("NOT_FOUND", ["nobody"])
    events = await world.events(before)
    named = {str(i): e for e in events for i in records(e, RecordKind.CASE_FILE)}
    assert named.keys() == {mine, other, NOBODY}
    assert len(events) == 3
    assert named[NOBODY].code == "NOT_FOUND"
    assert len({e.request for e in events}) == 1
    assert {e.request for e in events} == {answer.headers["x-request-id"]}


@pytest.mark.parametrize("field", ["caseFile", "defender"])
async def test_a_record_of_another_agency_is_answered_as_one_that_is_not_there(
    world: World, field: str
) -> None:
    foreign = case_file(world, "LP-2025-0006")
    record = foreign.id if field == "caseFile" else defender(world, foreign.defenders[0]).id
    query = f"query ($id: ID!) {{ {field}(id: $id) {{ id revision }} }}"
    before = await world.size()

    theirs = await world.ask(SARI, query, {"id": str(record)})
    nobodys = await world.ask(SARI, query, {"id": NOBODY})

    for answer in (theirs, nobodys):
        assert (answer.status, answer.body["data"], answer.codes) == (
            200,
            {field: None},
            ["NOT_FOUND"],
        )
    events = await world.events(before)
    assert [(e.decision, e.code, reasons(e)) for e in events] == [
        (Decision.WITHHELD, "NOT_FOUND", {"not_in_reach"})
    ] * 2


async def test_the_viewer_is_told_who_she_is_without_any_event(world: World) -> None:
    before = await world.size()

    answer = await world.ask(
        SARI, "{ viewer { memberId organisation role purpose legalBasis } }", purpose="emergency"
    )

    assert answer.data["viewer"] == {
        "memberId": str(world.records.member(SARI).id),
        "organisation": "komnas-ham",
        "role": "CASE_OFFICER",
        "purpose": "EMERGENCY",
        "legalBasis": "VITAL_INTEREST",
    }
    assert await world.size() == before
