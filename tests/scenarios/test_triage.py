"""One door: answers come to an urgency and to agencies, are sealed, and go with the case file."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.casework.data_rotation import rotate_data
from api.demo.synthetic import BUDI, WAYAN
from api.vocabulary import Action, Compartment, Decision, Outcome
from tests.scenarios import sharing
from tests.scenarios.asking import assert_change, counted, fields
from tests.scenarios.erasing import CASE_FILE, DEFENDER, erase
from tests.scenarios.leaks import database_files, every_cell, found_in
from tests.scenarios.rotating import OWNER, PACE, quietly, unseen
from tests.world import Answer, Template, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

DEWI = "dewi"  # intake officer of Komnas HAM

OPEN = """mutation ($input: OpenCaseFileInput!) { openCaseFile(input: $input) {
  errors { code } caseFileId urgency proposedUrgency proposedMeasures
  proposedAgencies { agency why { indonesian english } }
  barredAgencies { agency why { indonesian english } }
  caseFile { id urgency respondBy
    triage { author writtenAt proposed lowered answers { question answer } } } } }"""

READ = """query ($id: ID!) { caseFile(id: $id) { defenders { id }
  triage { author proposed lowered answers { question answer } } withheld { field reason } } }"""

QUESTIONS = """{ triage { code question { indonesian english } ifYes ifUnknown ifNo } }"""

CALLER: dict[str, Any] = {
    "sensitivity": 2,
    "province": "33",
    "defenders": [{"aliases": ["Bunga"], "phones": ["08405551111"]}],
}


def answers(*yes: str, no: tuple[str, ...] = ()) -> list[dict[str, str]]:
    said = [(code, "YES") for code in yes] + [(code, "NO") for code in no]
    return [{"question": code, "answer": answer} for code, answer in said]


async def open_one(world: World, who: str = DEWI, **changes: Any) -> Answer:
    return await world.ask(who, OPEN, {"input": {**CALLER, **changes}}, purpose="intake")


async def opened(world: World, **changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = (await open_one(world, **changes)).data["openCaseFile"]
    assert payload["errors"] == []
    return payload


async def test_the_questions_are_there_for_everybody_with_the_rule(still: World) -> None:
    before = await still.size()

    asked = (await still.ask(DEWI, QUESTIONS, purpose=None)).data["triage"]

    first = asked[0]
    assert (first["code"], first["ifYes"]) == ("threat_to_life", "IMMEDIATE")
    assert (first["ifUnknown"], first["ifNo"]) == ("URGENT", None)
    assert first["question"]["english"] == "Is somebody's life in danger?"
    assert await still.size() == before, "nothing of anybody is read"


async def test_an_alias_and_a_phone_and_one_answer_come_to_an_urgency_and_an_agency(
    world: World,
) -> None:
    payload = await opened(world, triage={"answers": answers("threat_to_life")})

    assert (payload["urgency"], payload["proposedUrgency"]) == ("IMMEDIATE", "IMMEDIATE")
    file = payload["caseFile"]
    assert file["urgency"] == "IMMEDIATE"
    assert file["respondBy"] == (world.clock() + timedelta(hours=3)).isoformat()
    [lpsk] = payload["proposedAgencies"]
    assert lpsk["agency"] == "lpsk"
    assert "darurat" in lpsk["why"]["indonesian"]
    assert "emergency" in lpsk["why"]["english"]
    assert (payload["barredAgencies"], payload["proposedMeasures"]) == ([], [])


async def test_a_suspect_is_told_why_not_lpsk_and_who_instead(world: World) -> None:
    payload = await opened(
        world,
        incidentKinds=["death_threat", "criminalisation"],
        triage={"answers": answers("suspect", "threat_to_life"), "needs": ["safe_house"]},
    )

    [komnas] = payload["proposedAgencies"]
    assert komnas["agency"] == "komnas-ham"
    assert "legal aid" in komnas["why"]["english"]
    [lpsk] = payload["barredAgencies"]
    assert (lpsk["agency"], lpsk["why"]["english"]) == (
        "lpsk",
        "LPSK cannot normally protect a suspect or a defendant.",
    )
    assert payload["proposedMeasures"] == ["legal_aid"]
    assert payload["urgency"] == "IMMEDIATE", "it is urgent whoever takes it"


async def test_forms_of_sexual_violence_call_komnas_perempuan_and_stand_in_no_answer(
    world: World,
) -> None:
    payload = await opened(
        world, sexualViolenceForms=["forced_marriage"], triage={"answers": answers("injured")}
    )

    assert [a["agency"] for a in payload["proposedAgencies"]] == ["lpsk", "komnas-perempuan"]
    said = payload["caseFile"]["triage"]["answers"]
    assert "sexual" not in str(said)


async def test_the_answers_are_read_back_with_all_that_was_not_asked(world: World) -> None:
    payload = await opened(world, triage={"answers": answers("ongoing", no=("injured",))})

    told = payload["caseFile"]["triage"]
    assert told["author"] == str(world.records.member(DEWI).id)
    assert (told["proposed"], told["lowered"]) == ("URGENT", None)
    said = {one["question"]: one["answer"] for one in told["answers"]}
    assert (said.pop("ongoing"), said.pop("injured")) == ("YES", "NO")
    assert set(said.values()) == {"UNKNOWN"}
    assert len(said) == len((await world.ask(DEWI, QUESTIONS)).data["triage"]) - 2


async def test_a_higher_urgency_stands_and_a_lower_one_needs_a_reason(world: World) -> None:
    low = {"answers": answers("ongoing", no=("threat_to_life",))}
    higher = await opened(world, urgency="IMMEDIATE", triage=low)
    assert (higher["urgency"], higher["proposedUrgency"]) == ("IMMEDIATE", "URGENT")

    before, there, size = await given_numbers(world), await rows(world), await world.size()
    refused = (await open_one(world, urgency="ROUTINE", triage=low)).data["openCaseFile"]
    assert refused["errors"] == [{"code": "URGENCY_TOO_LOW"}]
    assert (refused["caseFileId"], refused["urgency"], refused["proposedAgencies"]) == (
        None,
        None,
        [],
    )
    assert (await given_numbers(world), await rows(world)) == (before, there)
    assert await world.size() == size

    lowered = await opened(
        world, urgency="ROUTINE", triage={**low, "loweredBecause": "ALREADY_PROTECTED"}
    )
    assert (lowered["urgency"], lowered["proposedUrgency"]) == ("ROUTINE", "URGENT")
    told = lowered["caseFile"]["triage"]
    assert (told["proposed"], told["lowered"]) == ("URGENT", "ALREADY_PROTECTED")


async def given_numbers(world: World) -> list[tuple[Any, ...]]:
    return await world.run("select slug, references_given from organisation order by slug")


async def rows(world: World) -> dict[str, int]:
    return await counted(world, "case_file", "triage", "assignment", "data_key")


#: What is wrong -> what is sent.
INVALID: dict[str, dict[str, Any]] = {
    "neither urgency nor triage": {},
    "no such question": {"triage": {"answers": answers("rain")}},
    "twice": {"triage": {"answers": answers("injured", no=("injured",))}},
    "no such need": {"triage": {"answers": [], "needs": ["rain"]}},
    "a reason for nothing": {
        "urgency": "IMMEDIATE",
        "triage": {"answers": [], "loweredBecause": "DANGER_PASSED"},
    },
}


@pytest.mark.parametrize("name", INVALID)
async def test_what_cannot_be_is_refused_and_leaves_nothing(still: World, name: str) -> None:
    there, size = await rows(still), await still.size()

    payload = (await open_one(still, **INVALID[name])).data["openCaseFile"]

    assert payload["errors"] == [{"code": "VALUE_INVALID"}]
    assert (await rows(still), await still.size()) == (there, size)


async def test_without_triage_all_is_as_before(world: World) -> None:
    size = await world.size()

    payload = await opened(world, urgency="SOON")

    assert (payload["urgency"], payload["proposedUrgency"]) == ("SOON", None)
    assert (payload["proposedAgencies"], payload["caseFile"]["triage"]) == ([], None)
    assert (await counted(world, "triage")) == {"triage": 0}
    intent, outcome, _ = await world.events(size)
    assert_change([intent, outcome], Action.OPEN_CASE_FILE, Outcome.DONE)
    assert "answers" not in fields(intent, Decision.ALLOWED)


async def test_no_answer_stands_in_clear_anywhere_and_the_log_names_the_field(
    world: World,
) -> None:
    size = await world.size()
    payload = await opened(world, triage={"answers": answers("whereabouts_known", "ongoing")})

    intent, outcome, read = await world.events(size)
    assert_change([intent, outcome], Action.OPEN_CASE_FILE, Outcome.DONE)
    assert "answers" in fields(intent, Decision.ALLOWED)
    assert "answers" in fields(read, Decision.DISCLOSED)
    assert Compartment.NARRATIVE in {c for t in read.touched for c in t.compartments}
    [row] = await world.run("select event, proposed, lowered from triage")
    assert row == (size, "urgent", None)
    assert payload["caseFileId"]
    heap = database_files(world) + every_cell(world)
    assert not found_in(heap, ["whereabouts_known", "ongoing:yes"])


async def test_who_may_not_open_the_narrative_sees_that_somebody_asked_and_no_answer(
    world: World,
) -> None:
    made = (await opened(world, triage={"answers": answers("ongoing")}))["caseFileId"]

    colleague = (await world.ask("sari", READ, {"id": made})).data["caseFile"]
    stranger = await world.ask(WAYAN, READ, {"id": made})
    supervisor = await world.ask(BUDI, READ, {"id": made}, purpose="supervision")

    assert colleague["triage"]["answers"] is None
    assert {w["field"] for w in colleague["withheld"]} == {"answers"}
    assert stranger.codes == ["NOT_FOUND"]
    assert supervisor.data["caseFile"]["triage"]["answers"]


@pytest.mark.parametrize(
    ("column", "value"), [("proposed", "routine"), ("lowered", "danger_passed"), ("event", 0)]
)
async def test_a_triage_that_was_edited_by_hand_is_not_shown(
    world: World, column: str, value: Any
) -> None:
    made = (await opened(world, triage={"answers": answers("ongoing")}))["caseFileId"]
    await world.run(f"update triage set {column} = ?", (value,))

    shown = (await world.ask(DEWI, READ, {"id": made}, purpose="intake")).data["caseFile"]

    assert shown["triage"] is None
    assert shown["withheld"] == [{"field": "answers", "reason": "SEAL_BROKEN"}]


async def test_it_goes_with_its_case_file(world: World) -> None:
    made = (await opened(world, triage={"answers": answers("ongoing")}))["caseFileId"]
    shown = await world.ask(DEWI, READ, {"id": made}, purpose="intake")
    [person] = shown.data["caseFile"]["defenders"]

    await erase(world, DEFENDER, UUID(person["id"]))
    await erase(world, CASE_FILE, UUID(made))

    assert await counted(world, "triage") == {"triage": 0}


async def test_it_opens_after_the_data_keys_are_exchanged(
    template: Template, tmp_path: Path
) -> None:
    async with quietly(template, tmp_path / "rotated") as quiet:
        world = quiet.world
        made = (await opened(world, triage={"answers": answers("ongoing")}))["caseFileId"]
        before = (await world.ask(DEWI, READ, {"id": made}, purpose="intake")).data["caseFile"]
        [[old]] = await world.run("select answers from triage")

        await rotate_data(quiet.house, OWNER, PACE, unseen)

        after = (await world.ask(DEWI, READ, {"id": made}, purpose="intake")).data["caseFile"]
        assert after == before
        assert before["triage"]["answers"]
        assert await world.run("select answers from triage") != [(old,)]
