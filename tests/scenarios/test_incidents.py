"""Incidents, adversaries, risk: versions beside versions, and in clear only what may be."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.casework.data_rotation import rotate_data
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Action, CaseStatus, Decision, Outcome, RecordKind
from tests.inside import exchanged
from tests.scenarios import erasing, sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    counted,
    fields,
    led_by,
    reasons,
    records,
)
from tests.scenarios.leaks import every_cell, found_in
from tests.scenarios.living import closed, codes, revision
from tests.scenarios.recording import (
    ACCOUNT,
    GROUNDS,
    NAME,
    accuse,
    accused,
    assess,
    correct,
    read,
    record,
    recorded,
)
from tests.scenarios.referring import ASSIGN, ENDANG, accepted
from tests.scenarios.rotating import PACE, unseen
from tests.scenarios.tying import declared
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

TABLES = ("incident", "adversary", "assessment", "adversary_tag")
#: Case officers who have the training: of Komnas Perempuan, and of Komnas HAM, where SARI has not.
AYU, TRAINED = "ayu", "rizal"


def mine(world: World) -> UUID:
    return world.records.open_to_sari


async def test_an_incident_is_read_by_the_team_and_its_kind_by_the_agency(world: World) -> None:
    file, before = mine(world), await world.size()
    first = await revision(world, file)

    answer = await record(world, file, province="33", happenedTo="2026-10-22")

    made = answer.data["recordIncident"]
    assert (made["version"], made["revision"], made["errors"]) == (1, first + 1, [])
    events = await world.events(before)
    assert_change(events, Action.RECORD_INCIDENT, Outcome.DONE)
    assert fields(events[0], Decision.ALLOWED) == {"incidentAccount", "incidentForms"}
    assert records(events[0], RecordKind.INCIDENT) == {UUID(made["incidentId"])}
    size = await world.size()
    found = await read(world, file)
    [reading] = await world.events(size)
    assert "incidentAccount" in fields(reading, Decision.DISCLOSED)
    [one] = found["incidents"]
    assert one == {
        "id": made["incidentId"],
        "incidentId": made["incidentId"],
        "version": 1,
        "newest": True,
        "author": str(world.records.member(SARI).id),
        "writtenAt": world.clock().isoformat(),
        "kind": "raid",
        "happenedFrom": "2026-10-20",
        "happenedTo": "2026-10-22",
        "province": "33",
        "adversaries": [],
        "incidentAccount": ACCOUNT,
        "incidentForms": one["incidentForms"],
    }
    assert "raid" in found["incidentKinds"]
    colleague = await read(world, file, "maria")
    assert [(i["kind"], i["incidentAccount"]) for i in colleague["incidents"]] == [("raid", None)]
    assert "incidentAccount" in {w["field"] for w in colleague["withheld"]}


ALONE = """query ($id: ID!) { caseFile(id: $id) {
  incidents { incidentAccount } adversaries { adversaryName } } }"""
WITH_OTHERS = """query ($id: ID!) { caseFile(id: $id) { account adversaryInstitutions
  incidents { incidentAccount } adversaries { adversaryName } } }"""


async def test_what_opens_is_named_whether_it_is_asked_for_alone_or_with_others(
    world: World,
) -> None:
    """The keys are those of the case file, which other fields may have opened already."""
    file = mine(world)
    await recorded(world, file)
    await accused(world, file)
    for query in (ALONE, WITH_OTHERS):
        size = await world.size()
        answer = await world.ask(SARI, query, {"id": str(file)})

        [incident], [adversary] = (answer.data["caseFile"][n] for n in ("incidents", "adversaries"))
        assert incident["incidentAccount"]
        assert adversary["adversaryName"]
        [reading] = await world.events(size)
        assert {"incidentAccount", "adversaryName"} <= fields(reading, Decision.DISCLOSED)


async def test_a_correction_stands_beside_what_it_corrects(world: World) -> None:
    file = mine(world)
    incident = await recorded(world, file)
    world.clock.move(timedelta(minutes=1))

    answer = await correct(world, file, incident, 1, kind="seizure", happenedFrom="2026-10-21")

    assert answer.data["correctIncident"]["version"] == 2
    newer, older = (await read(world, file))["incidents"]
    assert (newer["incidentId"], newer["version"], newer["newest"]) == (incident, 2, True)
    assert (newer["kind"], newer["happenedTo"]) == ("seizure", "2026-10-21")
    assert newer["incidentAccount"] == older["incidentAccount"] == ACCOUNT
    assert (older["id"], older["version"], older["newest"]) == (incident, 1, False)
    assert older["kind"] == "raid"
    assert {"raid", "seizure"} <= set((await read(world, file))["incidentKinds"])
    assert codes(await correct(world, file, incident, 1, kind="threat")) == ["STALE_REVISION"]
    assert codes(await correct(world, file, incident, 2, account=None)) == []
    assert (await read(world, file))["incidents"][0]["incidentAccount"] is None


async def given_to(world: World, who: str, by: str, file: UUID) -> None:
    """Let a supervisor assign somebody."""
    given = {
        "caseFileId": str(file),
        "memberId": str(world.records.member(who).id),
        "until": (world.clock() + timedelta(days=3)).isoformat(),
    }
    assert codes(await world.ask(by, ASSIGN, {"input": given}, purpose="supervision")) == []


def theirs(world: World) -> UUID:
    """Name an open case file of Komnas Perempuan, where everybody has the training."""
    return next(
        f.id
        for f in led_by(world, "komnas-perempuan")
        if f.sensitivity <= 2 and f.status is not CaseStatus.CLOSED
    )


async def test_of_sexual_violence_only_violence_stands_in_clear(world: World) -> None:
    file = theirs(world)
    await given_to(world, AYU, ENDANG, file)

    made = await recorded(
        world, file, by=AYU, kind="sexual_violence", forms=["sexual_harassment", "rape"]
    )

    found = await read(world, file, AYU)
    [one] = found["incidents"]
    assert one["kind"] == "violence"
    assert one["incidentForms"] == ["rape", "sexual_harassment", "sexual_violence"]
    assert "violence" in found["incidentKinds"]
    assert found_in(every_cell(world), {"sexual_harassment"}) == set()
    # What goes over into a new version goes sealed.
    assert codes(await correct(world, file, made, 1, by=AYU, province="33")) == []
    newer, _ = (await read(world, file, AYU))["incidents"]
    assert newer["incidentForms"] == one["incidentForms"]
    # A kind that is sealed is said together with the forms only.
    alone = await correct(world, file, made, 2, by=AYU, kind="sexual_violence")
    assert codes(alone) == ["VALUE_INVALID"]


async def test_who_has_no_training_writes_no_forms_and_keeps_what_is_there(world: World) -> None:
    file = mine(world)
    await given_to(world, TRAINED, BUDI, file)
    made = await recorded(world, file, by=TRAINED, forms=["rape"])
    there = await counted(world, *TABLES)

    for answer in (
        await record(world, file, forms=["rape"]),
        await record(world, file, kind="sexual_violence", forms=[]),
        await correct(world, file, made, 1, forms=None),
    ):
        assert codes(answer) == ["NOT_ALLOWED"]
    assert await counted(world, *TABLES) == there

    corrected = await correct(world, file, made, 1, account="Dua orang, bukan empat.")

    assert codes(corrected) == []
    newest = (await read(world, file, TRAINED))["incidents"][0]
    assert (newest["version"], newest["incidentForms"]) == (2, ["rape"])
    assert (await read(world, file))["incidents"][0]["incidentForms"] is None


BAD: list[dict[str, Any]] = [
    {"kind": "boredom"},
    {"kind": "sexual_harassment"},
    {"province": "99"},
    {"forms": ["raid"]},
    {"account": " "},
    {"account": "x" * 20_001},
    {"happenedFrom": "2030-01-01"},
    {"happenedFrom": "1899-12-31"},
    {"happenedTo": "2026-10-19"},
]


@pytest.mark.parametrize("given", BAD)
async def test_what_is_no_incident_is_refused_before_anything(
    still: World, given: dict[str, Any]
) -> None:
    there, before = await counted(still, *TABLES), await still.size()

    assert codes(await record(still, mine(still), **given)) == ["VALUE_INVALID"]
    assert await still.size() == before
    assert await counted(still, *TABLES) == there


async def test_who_threatens_is_sealed_but_the_kind(world: World) -> None:
    file = mine(world)
    made = await accused(
        world, file, unit="Unit Jatanras", relation="Tetangga", institution="Polres Batu"
    )

    incident = await recorded(world, file, adversaries=[made])

    found = await read(world, file)
    [one] = found["adversaries"]
    assert (one["kind"], one["adversaryName"], one["adversaryUnit"]) == (
        "police",
        NAME,
        "Unit Jatanras",
    )
    assert (one["adversaryInstitution"], one["adversaryRelation"]) == ("Polres Batu", "Tetangga")
    assert "police" in found["adversaryKinds"]
    assert found["incidents"][0]["adversaries"] == [made]
    colleague = await read(world, file, "maria")
    assert colleague["adversaries"][0]["adversaryName"] is None
    assert found_in(every_cell(world), {NAME, "Unit Jatanras", ACCOUNT, GROUNDS}) == set()
    other = next(
        f.id for f in world.records.case_files if f.lead_agency == "komnas-ham" and f.id != file
    )
    assert codes(await correct(world, file, incident, 1, adversaries=[NOBODY])) == ["NOT_FOUND"]
    assert codes(await record(world, file, adversaries=[str(other)])) == ["NOT_FOUND"]


async def test_who_is_tied_to_the_institution_is_kept_out_once_it_is_named(world: World) -> None:
    file = mine(world)
    await declared(world, SARI, institution="PT Sawit Makmur")
    assert (await read(world, file))["adversaries"] == []

    await accused(world, file, by=BUDI, institution="P.T. Sawit Makmur", purpose="supervision")

    answer = await record(world, file)
    assert codes(answer) == ["NOT_FOUND"]
    assert (
        codes(
            await accuse(world, file, by=BUDI, institution="PT Sawit Makmur", purpose="supervision")
        )
        == []
    )


async def test_the_urgency_follows_the_newest_assessment(world: World) -> None:
    file, before = mine(world), await world.size()

    answer = await assess(world, file)

    assert codes(answer) == []
    assert_change(await world.events(before), Action.ASSESS_RISK, Outcome.DONE)
    world.clock.move(timedelta(days=1))
    assert codes(await assess(world, file, likelihood=1, impact=2, urgency="ROUTINE")) == []
    found = await read(world, file)
    newer, older = found["riskAssessments"]
    assert (newer["likelihood"], newer["impact"], newer["urgency"]) == (1, 2, "ROUTINE")
    assert (older["urgency"], older["riskAccount"]) == ("IMMEDIATE", GROUNDS)
    assert found["urgency"] == "ROUTINE"
    stale = await assess(world, file, at=found["revision"] - 1)
    assert codes(stale) == ["STALE_REVISION"]
    assert len((await read(world, file))["riskAssessments"]) == 2


@pytest.mark.parametrize(
    "given", [{"likelihood": 0}, {"likelihood": 5}, {"impact": 5}, {"account": ""}]
)
async def test_a_level_that_is_none_is_refused_before_anything(
    still: World, given: dict[str, Any]
) -> None:
    before = await still.size()
    assert codes(await assess(still, mine(still), **given)) == ["VALUE_INVALID"]
    assert await still.size() == before


REFUSED = [
    ("rizal", "protection", "NOT_ALLOWED", "not_assigned"),
    (BUDI, "quality_review", "NOT_ALLOWED", "purpose_does_not_fit"),
    (WAYAN, "protection", "NOT_FOUND", "not_in_reach"),
]


@pytest.mark.parametrize(("who", "purpose", "code", "reason"), REFUSED)
async def test_who_may_not_leaves_one_event_and_no_row(
    still: World, who: str, purpose: str, code: str, reason: str
) -> None:
    file, there = mine(still), await counted(still, *TABLES)
    first = await revision(still, file)
    for ask in (
        lambda: record(still, file, by=who, purpose=purpose),
        lambda: correct(still, file, NOBODY, 1, by=who, purpose=purpose, kind="raid"),
        lambda: accuse(still, file, by=who, purpose=purpose),
        lambda: assess(still, file, by=who, purpose=purpose),
    ):
        before = await still.size()
        assert codes(await ask()) == [code]
        [event] = await still.events(before)
        assert (event.decision, reasons(event)) == (Decision.REFUSED, {reason})
    assert await counted(still, *TABLES) == there
    assert await revision(still, file) == first


async def test_an_intake_officer_names_no_adversary(world: World) -> None:
    """What a role does not read it does not write."""
    file = theirs(world)
    await given_to(world, "lestari", ENDANG, file)
    answer = await accuse(world, file, by="lestari", purpose="assessment")
    assert codes(answer) == ["NOT_ALLOWED"]
    assert codes(await record(world, file, by="lestari", purpose="assessment")) == []


async def test_on_a_closed_case_file_nothing_new_is_recorded_but_corrected(world: World) -> None:
    file = mine(world)
    incident = await recorded(world, file)
    await closed(world, file)
    there = await counted(world, *TABLES)

    for answer in (await record(world, file), await accuse(world, file), await assess(world, file)):
        assert codes(answer) == ["CASE_FILE_CLOSED"]
    assert await counted(world, *TABLES) == there
    assert codes(await correct(world, file, incident, 1, happenedFrom="2026-10-01")) == []


@pytest.mark.parametrize("column", ["kind", "happened_from", "author", "version"])
async def test_a_row_that_somebody_changed_by_hand_is_not_shown(
    world: World, column: str, reports: list[Any]
) -> None:
    file = mine(world)
    incident = await recorded(world, file)
    value = {
        "kind": "'killing'",
        "happened_from": "'2026-09-01'",
        "version": "7",
        "author": "(select id from member where subject = 'maria')",
    }[column]
    await world.run(f"update incident set {column} = {value}")

    found = await read(world, file)

    assert found["incidents"] == []
    assert ("incidentAccount", "seal_broken") in {
        (w["field"], w["reason"].lower()) for w in found["withheld"]
    }
    assert codes(await correct(world, file, incident, 1, kind="threat")) == ["SEAL_BROKEN"]
    assert "seal_broken" in {line["event"] for line in reports}


async def test_an_account_that_was_put_into_another_row_does_not_open(
    world: World, reports: list[Any]
) -> None:
    file = mine(world)
    await recorded(world, file)
    await recorded(world, file, account="Lain.")
    one = "(select incident_account from incident order by id limit 1)"
    await world.run(f"update incident set incident_account = {one}")

    shown = [i["incidentAccount"] for i in (await read(world, file))["incidents"]]

    assert shown == [None, ACCOUNT]
    assert "seal_broken" in {line["event"] for line in reports}


async def test_what_was_recorded_goes_with_the_case_file(world: World) -> None:
    file = mine(world)
    await recorded(world, file, adversaries=[await accused(world, file, institution="Polres Batu")])
    assert codes(await assess(world, file)) == []
    found = await erasing.preview(world, RecordKind.CASE_FILE, file)
    assert {t: found["parts"][t] for t in ("incident", "adversary", "assessment")} == {
        "incident": 1,
        "adversary": 1,
        "assessment": 1,
    }


async def test_of_what_was_referred_nothing_recorded_is_shown(world: World) -> None:
    file = mine(world)
    await recorded(world, file)
    await accepted(world, compartments=["NARRATIVE"])

    found = await read(world, file, WAYAN)

    assert (found["incidents"], found["adversaries"], found["riskAssessments"]) == ([], [], [])
    held = {w["field"]: w["reason"] for w in found["withheld"]}
    assert held["incidentAccount"] == "COMPARTMENT_NOT_HELD"


async def test_every_version_opens_after_the_keys_were_exchanged(world: World) -> None:
    file = mine(world)
    made = await recorded(world, file)
    assert codes(await correct(world, file, made, 1, account="Dua orang.")) == []
    assert codes(await assess(world, file)) == []
    await accused(world, file)

    async with exchanged(world) as inside:
        await rotate_data(inside.house, "komnas-ham", PACE, unseen)

    found = await read(world, file)
    assert [one["incidentAccount"] for one in found["incidents"]] == ["Dua orang.", ACCOUNT]
    assert found["adversaries"][0]["adversaryName"] == NAME
    assert found["riskAssessments"][0]["riskAccount"] == GROUNDS
    assert codes(await correct(world, file, made, 2, province="33")) == []
    assert (await read(world, file))["incidents"][0]["incidentAccount"] == "Dua orang."


async def test_what_was_released_to_a_partner_closes_once_its_institution_is_named(
    world: World,
) -> None:
    files = {f.id: f for f in led_by(world, "komnas-ham")}
    release = next(
        r
        for r in world.records.releases
        if r.case_file in files
        and files[r.case_file].sensitivity <= 3
        and files[r.case_file].status is not CaseStatus.CLOSED
    )
    await given_to(world, TRAINED, BUDI, release.case_file)
    await declared(world, partner=release.partner, institution="PT Sawit Makmur")
    tied = "select tied_at from release where id = ?"
    key = [as_key(world, release.id)]
    assert await world.run(tied, key) == [(None,)]

    await accused(world, release.case_file, by=TRAINED, institution="Sawit Makmur, PT.")

    assert await world.run(tied, key) != [(None,)]
