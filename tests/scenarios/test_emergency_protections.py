"""Protection first over HTTP: granted by a quorum, ratified afterwards, or it lapses by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.demo.synthetic import BUDI, SARI, WAYAN
from api.store.tables import RIGHTS
from api.vocabulary import Action, Decision, Outcome, RecordKind, Role
from tests.inside import exchanged
from tests.scenarios import consenting, sharing
from tests.scenarios.asking import as_key, assert_change, counted, led_by, records
from tests.scenarios.erasing import add_lead
from tests.scenarios.protecting import (
    HOUSE,
    MEET,
    RAKA,
    UTAMI,
    approve,
    codes,
    grant,
    measure,
    proposed,
    ratify,
    read,
    requested,
    shared_with_lpsk,
    step,
)
from tests.scenarios.referring import (
    ACCEPT,
    ASSIGN,
    HARTONO,
    HASAN,
    INDAH,
    SURYA,
    referred,
    say,
)
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

TABLES = ("emergency_protection", "emergency_signature", "measure", "requirement")
WEEK, MOMENT = timedelta(days=7), timedelta(seconds=1)


async def own_file(world: World) -> str:
    """Give a case file that LPSK leads itself, which has two leads."""
    await add_lead(world, INDAH, UTAMI)
    return str(led_by(world, "lpsk")[0].id)


async def granted(world: World, file: str, **options: Any) -> str:
    made = await proposed(world, file=file, **options)
    assert codes(await approve(world, made)) == []
    return made


async def standing(world: World, file: str, by: str = INDAH) -> tuple[str, list[str]]:
    """Say where the newest emergency protection stands, and its measures."""
    found = await read(world, by, file, "supervision")
    [newest, *_] = found["emergencyProtections"]
    mine = [m for m in found["measures"] if m["emergencyProtectionId"] == newest["id"]]
    return newest["state"], [m["status"] for m in mine]


async def meet(world: World, requirement: str, *, by: str = WAYAN) -> list[str]:
    given = {"input": {"requirementId": requirement}}
    return codes(await world.ask(by, MEET, given, purpose="protection"))


async def test_a_night_threat_in_papua_is_protected_within_the_hour_and_its_papers_follow(
    world: World,
) -> None:
    """Reported to Komnas HAM, referred to LPSK, protected, papers later, ratified."""
    opened = await world.ask(
        SARI,
        """mutation ($input: OpenCaseFileInput!) { openCaseFile(input: $input) {
          caseFileId caseFile { defenders { id } } errors { code } } }""",
        {
            "input": {
                "urgency": "IMMEDIATE",
                "sensitivity": 3,
                "province": "94",
                "defenders": [{"fullName": "Uji Malam", "phones": ["081234567890"]}],
                "account": "Dua orang bersenjata menunggu di depan rumah sejak pukul dua.",
            }
        },
        purpose="intake",
    )
    file = opened.data["openCaseFile"]["caseFileId"]
    [person] = opened.data["openCaseFile"]["caseFile"]["defenders"]
    await consenting.recorded(world, file=file, defender=person["id"])
    began = world.clock()
    await add_lead(world, INDAH, UTAMI)
    referral = await referred(world, by=BUDI, file=file)
    assert codes(await say(world, ACCEPT, referral)) == []
    until = (world.clock() + timedelta(days=60)).isoformat()
    given = {"caseFileId": file, "memberId": id_of(world, WAYAN), "until": until}
    assert codes(await world.ask(HASAN, ASSIGN, {"input": given}, purpose="supervision")) == []

    world.clock.move(timedelta(minutes=20))
    made = await proposed(
        world, file=file, measures=[measure(world), measure(world, kind="escort")]
    )
    assert await standing(world, file) == ("PROPOSED", ["REQUESTED", "REQUESTED"])
    world.clock.move(timedelta(minutes=20))
    answer = await approve(world, made)
    payload = answer.data["approveEmergencyProtection"]
    assert (payload["state"], payload["signaturesMissing"]) == ("RUNNING", 0)
    assert datetime.fromisoformat(payload["ratifyBy"]) == world.clock() + WEEK
    assert world.clock() - began < timedelta(hours=1)
    assert await standing(world, file) == ("RUNNING", ["RUNNING", "RUNNING"])

    here = await read(world, SARI, file)
    [seen] = here["emergencyProtections"]
    assert (seen["agency"], seen["state"], seen["words"]) == ("lpsk", "RUNNING", None)
    assert here["measureKinds"] == []  # Komnas HAM, which leads, gave none itself.
    assert HOUSE not in str(here)

    world.clock.move(timedelta(days=2))
    [theirs] = (await read(world, WAYAN, file))["emergencyProtections"]
    papers = ["chronology", "consent_to_protection", "written_application"]
    assert [p["code"] for p in theirs["requirements"]] == papers
    for paper in theirs["requirements"]:
        assert await meet(world, paper["id"]) == []
        assert await meet(world, paper["id"]) == ["STEP_NOT_POSSIBLE"]

    world.clock.move(timedelta(days=3, hours=1))
    assert (await standing(world, file))[0] == "ABOUT_TO_LAPSE"
    assert codes(await ratify(world, made)) == []
    world.clock.move(timedelta(days=5))
    assert await standing(world, file) == ("RATIFIED", ["RUNNING", "RUNNING"])


async def test_without_ratification_it_lapses_by_itself_and_says_so_before(world: World) -> None:
    file = await own_file(world)
    made = await granted(world, file)
    size = await world.size()
    world.clock.move(timedelta(days=5))
    assert await standing(world, file) == ("ABOUT_TO_LAPSE", ["RUNNING"])
    world.clock.move(timedelta(days=2) - MOMENT)
    assert await standing(world, file) == ("ABOUT_TO_LAPSE", ["RUNNING"])

    world.clock.move(MOMENT)

    assert await standing(world, file) == ("LAPSED", ["ENDED"])
    assert {e.action for e in await world.events(size)} == {Action.READ}, "nothing was written"
    assert codes(await ratify(world, made)) == ["STEP_NOT_POSSIBLE"]
    assert codes(await approve(world, made)) == ["STEP_NOT_POSSIBLE"]
    [lapsed] = (await read(world, INDAH, file, "supervision"))["measures"]
    assert datetime.fromisoformat(lapsed["endedAt"]) == world.clock()
    answer = await step(world, "end", lapsed["id"], lapsed["revision"], by=INDAH)
    assert codes(answer) == ["NOT_ALLOWED"], "she is not assigned"
    assert codes(await grant(world, file=file)) == [], "a new one may be proposed"


async def test_a_plenary_that_rejects_it_ends_its_measures_at_once(world: World) -> None:
    file = await own_file(world)
    made = await granted(world, file)

    answer = await ratify(world, made, votes=(3, 3))

    assert answer.data["ratifyEmergencyProtection"]["state"] == "REJECTED"
    assert await standing(world, file) == ("REJECTED", ["ENDED"])
    found = await read(world, INDAH, file, "supervision")
    [decided] = found["emergencyProtections"]
    assert (decided["votesFor"], decided["votesAgainst"]) == (3, 3)
    assert decided["decidedOn"] == world.clock().date().isoformat()
    paper = decided["requirements"][0]
    await assigned(world, file)
    assert await meet(world, paper["id"]) == ["STEP_NOT_POSSIBLE"]


async def assigned(world: World, file: str, who: str = WAYAN) -> None:
    until = (world.clock() + timedelta(days=60)).isoformat()
    given = {"caseFileId": file, "memberId": id_of(world, who), "until": until}
    assert codes(await world.ask(HASAN, ASSIGN, {"input": given}, purpose="supervision")) == []


async def test_a_suspect_is_routed_to_legal_aid_and_komnas_ham_and_nothing_is_kept(
    world: World,
) -> None:
    """Komnas HAM then sees to legal aid; that somebody is a suspect stands in no log."""
    await shared_with_lpsk(world)
    size, before = await world.size(), await counted(world, *TABLES)

    answer = await grant(world, suspect=True)

    [error] = answer.data["grantEmergencyProtection"]["errors"]
    assert error["code"] == "PROTECTION_NOT_FOR_SUSPECTS"
    assert "legal aid" in error["message"]
    assert "Komnas HAM" in error["message"]
    assert await world.size() == size
    assert await counted(world, *TABLES) == before
    # Who may not decide, or asks of what is not there, gets the same words.
    for who, file in ((SARI, None), (INDAH, uuid4())):
        other = await grant(world, suspect=True, by=who, file=file)
        assert other.data == answer.data
    made = await requested(world, given=measure(world, kind="legal_aid"))
    assert codes(await step(world, "approve", made, 1)) == []


async def test_one_lead_alone_grants_nothing_and_signs_once(world: World) -> None:
    file = await own_file(world)
    made = await proposed(world, file=file)
    size = await world.size()

    assert codes(await approve(world, made, by=INDAH)) == ["SECOND_PERSON_NEEDED"]

    assert_change(await world.events(size), Action.APPROVE_EMERGENCY_PROTECTION, Outcome.NOTHING)
    assert await standing(world, file) == ("PROPOSED", ["REQUESTED"])
    assert await counted(world, "emergency_signature") == {"emergency_signature": 1}
    [waiting] = (await read(world, INDAH, file, "supervision"))["measures"]
    answer = await step(world, "approve", waiting["id"], 1, by=HASAN)
    assert codes(answer) == ["STEP_NOT_POSSIBLE"], "it stands and falls with the quorum"


async def test_a_quorum_of_three_needs_three(world: World) -> None:
    file = await own_file(world)
    await add_lead(world, INDAH, RAKA)
    async with exchanged(world, lambda _: {"emergency_quorum": 3}) as inside:
        three = replace(world, client=inside.world.client)
        made = await proposed(three, file=file)
        first = (await approve(three, made)).data["approveEmergencyProtection"]
        assert (first["state"], first["signaturesMissing"]) == ("PROPOSED", 1)
    # What was proposed under a quorum of three is not granted by two.
    assert codes(await approve(world, made)) == ["SECOND_PERSON_NEEDED"]
    assert await standing(world, file) == ("PROPOSED", ["REQUESTED"])
    assert codes(await approve(world, made, by=RAKA)) == []
    assert await standing(world, file) == ("RUNNING", ["RUNNING"])


async def test_a_signature_of_somebody_who_may_not_sign_any_more_does_not_count(
    world: World,
) -> None:
    """Who declared a tie since: the second signature is then the first that counts."""
    file = await own_file(world)
    await add_lead(world, INDAH, RAKA)
    made = await proposed(world, file=file)
    await declared(world, INDAH, caseFileId=file, memberId=id_of(world, INDAH))

    answer = await approve(world, made)
    payload = answer.data["approveEmergencyProtection"]
    assert (payload["state"], payload["signaturesMissing"]) == ("PROPOSED", 1)
    assert await standing(world, file, UTAMI) == ("PROPOSED", ["REQUESTED"])

    assert codes(await approve(world, made, by=RAKA)) == []
    assert await standing(world, file, UTAMI) == ("RUNNING", ["RUNNING"])


async def test_what_the_quorum_did_not_sign_in_time_is_over(world: World) -> None:
    file = await own_file(world)
    made = await proposed(world, file=file)
    world.clock.move(timedelta(days=1))
    assert codes(await approve(world, made)) == ["STEP_NOT_POSSIBLE"]
    assert await standing(world, file) == ("LAPSED", ["ENDED"])


async def test_who_proposed_it_does_not_record_its_ratification(world: World) -> None:
    file = await own_file(world)
    made = await granted(world, file)
    assert codes(await ratify(world, made, by=INDAH)) == ["SECOND_PERSON_NEEDED"]
    assert codes(await ratify(world, made)) == []
    assert codes(await ratify(world, made)) == ["STEP_NOT_POSSIBLE"], "once"


async def test_no_votes_or_a_day_before_or_to_come_ratify_nothing(world: World) -> None:
    file = await own_file(world)
    made = await granted(world, file)
    today = world.clock().date()
    for options in (
        {"votes": (0, 0)},
        {"votes": (-1, 3)},
        {"votes": (100, 0)},
        {"decidedOn": (today + timedelta(days=1)).isoformat()},
        {"decidedOn": (today - timedelta(days=1)).isoformat()},
    ):
        assert codes(await ratify(world, made, **options)) == ["VALUE_INVALID"], options
    assert (await standing(world, file))[0] == "RUNNING"


async def test_a_second_one_is_not_proposed_while_one_waits(world: World) -> None:
    file = await own_file(world)
    made = await proposed(world, file=file)
    assert codes(await grant(world, file=file, by=UTAMI)) == ["STEP_NOT_POSSIBLE"]
    assert codes(await approve(world, made)) == []
    assert codes(await grant(world, file=file, by=UTAMI)) == ["STEP_NOT_POSSIBLE"]
    assert codes(await ratify(world, made)) == []
    assert codes(await grant(world, file=file, by=UTAMI)) == [], "the other one is ordinary now"


async def test_a_proposal_that_says_too_little_or_too_much_leaves_nothing(world: World) -> None:
    file = await own_file(world)
    size = await world.size()
    for options in (
        {"measures": []},
        {"measures": [measure(world)] * 11},
        {"measures": [measure(world, kind="bunker")]},
        {"requirements": ["passport"]},
        {"words": " "},
        {"words": "x" * 2_001},
    ):
        assert codes(await grant(world, file=file, **options)) == ["VALUE_INVALID"], options
    assert await world.size() == size
    assert sum((await counted(world, *TABLES)).values()) == 0


@pytest.mark.parametrize(
    ("who", "code"), [(HASAN, "NOT_ALLOWED"), (SURYA, "NOT_ALLOWED"), (HARTONO, "NOT_FOUND")]
)
async def test_leads_of_lpsk_alone_decide(world: World, who: str, code: str) -> None:
    file = await own_file(world)
    size = await world.size()

    assert codes(await grant(world, file=file, by=who)) == [code]

    [event] = await world.events(size)
    assert event.decision is Decision.REFUSED
    assert sum((await counted(world, *TABLES)).values()) == 0


async def test_a_lead_of_another_agency_has_no_mandate_on_the_own_case_file(world: World) -> None:
    assert codes(await grant(world, by=HARTONO)) == ["NOT_ALLOWED"]


async def test_the_words_open_to_who_may_read_the_narrative_at_the_deciding_agency(
    world: World,
) -> None:
    file = await own_file(world)
    made = await proposed(world, file=file, words="Rumahnya dikepung.")
    await assigned(world, file)
    [seen] = (await read(world, WAYAN, file))["emergencyProtections"]
    assert seen["words"] == "Rumahnya dikepung."
    found = await read(world, SURYA, file)
    assert found["emergencyProtections"][0]["words"] is None
    assert ("words", "NOT_ASSIGNED") in {(w["field"], w["reason"]) for w in found["withheld"]}
    [row] = await world.run(
        "select words from emergency_protection where id = ?", [as_key(world, UUID(made))]
    )
    assert b"dikepung" not in bytes(row[0])


async def test_rows_that_were_written_by_hand_grant_nothing(world: World) -> None:
    file = await own_file(world)
    made = await proposed(world, file=file)
    lead = world.records.member(UTAMI)
    assert lead.role is Role.AGENCY_LEAD
    names = RIGHTS["emergency_signature"]
    await world.run(
        f"insert into emergency_signature ({', '.join(names)}, seal) select emergency, ?, agency, "
        "signed_for, signed_at, event, seal from emergency_signature",
        [as_key(world, lead.id)],
    )
    await add_lead(world, INDAH, RAKA)
    assert codes(await approve(world, made, by=RAKA)) == ["SEAL_BROKEN"]
    assert await standing(world, file) == ("PROPOSED", ["REQUESTED"])

    await world.run(
        "update emergency_protection set granted_at = proposed_at, warn_from = approve_by, "
        "ratify_by = approve_by"
    )
    found = await read(world, INDAH, file, "supervision")
    assert found["emergencyProtections"] == []
    assert [m["status"] for m in found["measures"]] == ["ENDED"], "of what is not proven"
    assert codes(await approve(world, made)) == ["SEAL_BROKEN"]


async def test_every_step_names_it_in_its_events(world: World) -> None:
    file = await own_file(world)
    size = await world.size()
    made = await granted(world, file)
    assert codes(await ratify(world, made)) == []
    events = await world.events(size)
    assert [e.action for e in events[::2]] == [
        Action.GRANT_EMERGENCY_PROTECTION,
        Action.APPROVE_EMERGENCY_PROTECTION,
        Action.RATIFY_EMERGENCY_PROTECTION,
    ]
    for event in events:
        assert records(event, RecordKind.EMERGENCY_PROTECTION) == {UUID(made)}
        assert {t.ground.value for t in event.touched if t.ground} == {"mandated"}
