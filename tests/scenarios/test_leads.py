"""Another agency comes to lead a case file: nothing before it accepts, then all that was shown."""

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.app import open_house
from api.casework.leads import COMPARTMENTS
from api.casework.leads import accept as accept_lead
from api.casework.sharing import settle
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.store import leads
from api.store.tables import RIGHTS
from api.vocabulary import (
    Action,
    Caseworker,
    Decision,
    LegalBasis,
    Organisation,
    Outcome,
    Purpose,
    RecordKind,
    ReferralId,
)
from tests.inside import exchanged
from tests.scenarios import attaching, living, merging, recording, sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, first_defender, records
from tests.scenarios.consenting import REVIEW, TAKE_BACK, nobody_agreed, recorded
from tests.scenarios.hiding import NOTE
from tests.scenarios.leading import (
    TABLES,
    accept,
    lead_of,
    led,
    preview,
    propose,
    proposed,
    read,
)
from tests.scenarios.matching import house_of, known
from tests.scenarios.referring import (
    ACCEPT,
    END,
    HARTONO,
    HASAN,
    assign,
    codes,
    refer,
    referred,
    say,
)
from tests.scenarios.test_plan_steps import added, complete
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

FIND = """query ($text: String!) { findDefenders(by: NIK, value: $text, first: 5) {
  defender { id } } }"""
LISTED = """{ referrals { id lead state compartments fields } }"""
#: Tables whose rows are counted and who reads them, by the names of the answer.
SHOWN = {
    "adversary": "adversaries",
    "assessment": "riskAssessments",
    "attachment": "attachments",
    "consent": "consents",
    "defender": "defenders",
    "incident": "incidents",
    "note": "notes",
    "reason": "reasons",
}


def mine(world: World) -> Any:
    return world.records.open_to_sari


async def filled(world: World) -> bytes:
    """Let Sari write something of each kind into her case file; give what she attached."""
    file, content = mine(world), b"%PDF-1.7 keterangan saksi"
    await recording.recorded(world, file)
    await recording.accused(world, file, institution="Polres Contoh")
    assert codes(await recording.assess(world, file)) == []
    assert codes(await world.ask(SARI, NOTE, {"id": str(file)})) == []
    await attaching.added(world, SARI, file, content)
    return content


async def wraps(world: World) -> dict[str, int]:
    rows = await world.run(
        "select owner, count(*) from data_key where record = ? group by owner",
        [as_key(world, mine(world))],
    )
    return {str(owner): int(many) for owner, many in rows}


async def test_the_lead_goes_over_once_it_is_accepted_and_not_before(world: World) -> None:
    await filled(world)
    before = (await read(world, SARI)).data["caseFile"]
    start = await world.size()
    referral = await proposed(world)

    assert (await read(world, HASAN, "supervision")).codes == ["NOT_FOUND"]
    assert await counted(world, *TABLES, "key_share") == {
        **dict.fromkeys((*TABLES, "key_share"), 0),
        "lead_proposal": 1,
    }
    assert set(await wraps(world)) == {"komnas-ham"}
    assert_change(await world.events(start), Action.PROPOSE_LEAD, Outcome.DONE)
    [shown] = (await world.ask(HASAN, LISTED, purpose="referral")).data["referrals"]
    assert (shown["id"], shown["lead"], shown["state"]) == (referral, True, "PROPOSED")
    start = await world.size()

    assert codes(await accept(world, referral)) == []

    assert await lead_of(world) == "lpsk"
    assert set(await wraps(world)) == {"lpsk"}
    events = await world.events(start)
    done = [e.action for e in events if e.outcome is Outcome.DONE]
    assert done == [
        Action.ACCEPT_LEAD,
        Action.GIVE_KEYS,
        Action.TAKE_KEYS,
        Action.HAND_OVER_LEAD,
        Action.TAKE_LEAD,
        Action.END_REFERRAL,
    ]
    for event in events:
        assert event.agencies == ("komnas-ham", "lpsk")
        assert records(event, RecordKind.REFERRAL) != set()
        assert records(event, RecordKind.CASE_FILE) == {mine(world)}
    assert (await read(world, SARI)).codes == ["NOT_FOUND"]
    assert (await read(world, BUDI, "supervision")).codes == ["NOT_FOUND"]
    assert codes(await assign(world)) == []
    after = (await read(world, WAYAN)).data["caseFile"]
    assert after["leadAgency"] == "lpsk"
    assert after["revision"] == before["revision"] + 1
    # Its clocks and its standing go on.
    for name in ("reference", "status", "urgency", "respondBy"):
        assert after[name] == before[name]
    for name in ("account", "incidents", "riskAssessments", "notes"):
        assert after[name] == before[name], name
    assert after["defenders"][0]["fullName"] == before["defenders"][0]["fullName"]
    assert after["defenders"][0]["presentLocation"], "all compartments go over"
    [shown] = (await world.ask(BUDI, LISTED, purpose="referral")).data["referrals"]
    assert shown["state"] == "ENDED"


async def test_the_preview_says_exactly_what_goes_over(world: World) -> None:
    content = await filled(world)
    start = await world.size()
    shown = await preview(world)
    [event] = await world.events(start)
    assert (event.action, event.decision) == (Action.PREVIEW_LEAD, Decision.ALLOWED)
    assert shown["obstacles"] == []
    announced = {part["name"]: part["rows"] for part in shown["parts"]}

    referral = await proposed(world)
    announced["reason"] += 1  # Why nobody could be asked, which goes with it.
    [offered] = (await world.ask(HASAN, LISTED, purpose="referral")).data["referrals"]
    assert offered["fields"] == shown["fields"]
    assert offered["compartments"] == shown["compartments"]
    assert codes(await accept(world, referral)) == []

    house = house_of(world)
    for table, rows in announced.items():
        sealed = await sealed_by(world, house, table)
        assert sealed == {"lpsk": rows} if rows else sealed == {}, table
    assert codes(await assign(world)) == []
    got = (await read(world, WAYAN)).data["caseFile"]
    for table, name in SHOWN.items():
        if name == "consents" or not got[name]:
            continue
        assert len(got[name]) == announced[table], name
    [attachment] = got["attachments"]
    answer = await attaching.download(world, WAYAN, attachment["id"])
    assert (answer.status_code, answer.content) == (200, content)


async def sealed_by(world: World, house: Any, table: str) -> dict[str, int]:
    """Count the rows of *table* about the case file by the agency whose seal holds on them."""
    if table == "defender":
        rows = await world.run(
            "select agency, count(*) from defender where id in (select defender from"
            " case_file_defender where case_file = ?) group by agency",
            [as_key(world, mine(world))],
        )
        return {str(agency): int(many) for agency, many in rows}
    [part] = [part for part in leads.HANDED if part.table.name == table]
    found: dict[str, int] = {}
    async with house.records.look() as look:
        for row in await leads.read(look, part, mine(world)):
            values = [row[name] for name in RIGHTS[table]]
            for agency in ("komnas-ham", "lpsk"):
                if house.keyring.rights(agency).holds(table, values, row["seal"]):
                    found[agency] = found.get(agency, 0) + 1
    return found


@pytest.mark.long
async def test_who_leads_now_works_on_it_and_finds_its_people(world: World) -> None:
    await filled(world)
    person = first_defender(world, mine(world))
    await led(world)
    assert codes(await assign(world)) == []

    found = await world.ask(WAYAN, FIND, {"text": person.nik}, purpose="protection")

    assert [hit["defender"]["id"] for hit in found.data["findDefenders"]] == [str(person.id)]
    lost = await world.ask(SARI, FIND, {"text": person.nik}, purpose="protection")
    assert lost.data["findDefenders"] == []
    assert codes(await world.ask(WAYAN, NOTE, {"id": str(mine(world))})) == []
    assert codes(await living.advance(world, mine(world), "MONITORING", by=WAYAN)) == []
    assert codes(await recording.assess(world, mine(world), by=WAYAN)) == []
    # A tie to an institution that was reported keeps out of it there, too.
    tags = await world.run(
        "select agency, count(*) from adversary_tag where case_file = ? group by agency",
        [as_key(world, mine(world))],
    )
    assert [agency for agency, _ in tags] == ["lpsk"]
    # And the lead may go back, by the same way.
    back = await proposed(world, by=HASAN, to="komnas-ham")
    assert codes(await accept(world, back, by=BUDI)) == []
    assert await lead_of(world) == "komnas-ham"


@pytest.mark.long
async def test_the_work_of_the_old_lead_ends(world: World) -> None:
    await led(world)
    open_rows = await world.run(
        "select agency from assignment where case_file = ? and ended_at is null",
        [as_key(world, mine(world))],
    )
    assert open_rows == []
    asked = await world.run("select count(*) from defender_tag t join case_file_defender l"
        " on l.defender = t.defender where l.case_file = ? and t.agency = 'komnas-ham'",
        [as_key(world, mine(world))])  # fmt: skip
    assert asked == [(0,)]


async def test_a_stale_revision_is_told(world: World) -> None:
    seen = await living.revision(world, mine(world))
    assert codes(await living.advance(world, mine(world), "MONITORING")) == []
    assert codes(await propose(world, at=seen)) == ["STALE_REVISION"]
    assert (await counted(world, "referral"))["referral"] == 0


@pytest.mark.long
async def test_without_consent_to_all_of_it_nothing_is_proposed(world: World) -> None:
    await nobody_agreed(world)
    start = await world.size()
    assert codes(await propose(world, basis=None, override=None)) == ["CONSENT_MISSING"]
    assert_change(await world.events(start), Action.PROPOSE_LEAD, Outcome.NOTHING)
    assert await counted(world, "referral", "lead_proposal") == {"referral": 0, "lead_proposal": 0}


@pytest.mark.long
async def test_a_closed_case_file_changes_its_lead_no_more(world: World) -> None:
    referral = await proposed(world)
    await living.closed(world, mine(world))
    assert codes(await accept(world, referral)) == ["CASE_FILE_CLOSED"]
    assert codes(await say(world, TAKE_BACK, referral, by=BUDI)) == []
    assert codes(await propose(world)) == ["CASE_FILE_CLOSED"]
    assert await lead_of(world) == "komnas-ham"


async def test_a_referral_that_proposes_the_lead_is_accepted_as_such_only(world: World) -> None:
    referral = await proposed(world)
    assert codes(await say(world, ACCEPT, referral)) == ["LEAD_PROPOSED"]
    assert codes(await say(world, TAKE_BACK, referral, by=BUDI)) == []
    plain = await referred(world)
    assert codes(await accept(world, plain)) == ["REFERRAL_NOT_OPEN"]
    assert codes(await accept(world, NOBODY)) == ["NOT_FOUND"]
    assert codes(await say(world, ACCEPT, plain)) == []
    assert await lead_of(world) == "komnas-ham"
    # A referral that stands is to end before.
    assert codes(await propose(world, to="komnas-perempuan")) == ["LEAD_NOT_POSSIBLE"]
    assert (await preview(world))["obstacles"] == ["REFERRAL"]
    assert codes(await say(world, END, plain, by=BUDI)) == []
    assert codes(await propose(world, to="komnas-perempuan")) == []


@pytest.mark.long
async def test_what_comes_up_after_the_acceptance_is_awaited(world: World) -> None:
    """An agency that goes on while the other's process is down hands over the newest state."""
    referral = await proposed(world)
    key = as_key(world, mine(world))
    # As if nothing were settled yet: another defender comes in by a second case file.
    await world.run(
        "insert into legal_hold select id, 'case_file', case_file, giver, proposed_by, until,"
        " 'dispute', null, null, null, event, seal from referral"
    )
    assert codes(await accept(world, referral)) == []
    assert await lead_of(world) == "komnas-ham"
    assert (await preview(world))["obstacles"] == ["LEGAL_HOLD", "REFERRAL"]

    await world.run("delete from legal_hold where record = ?", [key])
    assert codes(await world.ask(SARI, NOTE, {"id": str(mine(world))})) == []
    async with exchanged(world) as inside:
        await settle(inside.house)

    assert await lead_of(world) == "lpsk"


@pytest.mark.long
async def test_a_proposal_is_over_by_its_date(world: World) -> None:
    referral = await proposed(world)
    world.clock.move(timedelta(days=30))
    assert codes(await accept(world, referral)) == ["REFERRAL_NOT_OPEN"]
    assert codes(await refer(world)) == []


async def test_each_process_does_its_part_with_the_keys_of_its_own_agency_alone(
    world: World,
) -> None:
    await filled(world)
    referral = await proposed(world)
    async with AsyncExitStack() as closing:
        houses = {
            slug: await closing.enter_async_context(
                open_house(world.settings.model_copy(update={"owners": (slug,)}), world.clock)
            )
            for slug in ("komnas-ham", "lpsk")
        }
        who = world.records.member(HASAN)
        purpose, basis = Purpose.REFERRAL, LegalBasis.PUBLIC_TASK
        caller = Caseworker(who.id, Organisation("lpsk"), who.role, purpose, basis, "here")
        await accept_lead(houses["lpsk"], caller, ReferralId(UUID(referral)))
        assert await lead_of(world) == "komnas-ham"
        for slug in ("komnas-ham", "lpsk", "komnas-ham", "lpsk"):
            await settle(houses[slug])
        assert await lead_of(world) == "lpsk"
        assert set(await wraps(world)) == {"lpsk"}
        await settle(houses["komnas-ham"])
    assert await world.run("select id from referral where renewed_event is null") == []
    assert codes(await assign(world)) == []
    assert (await read(world, WAYAN)).data["caseFile"]["account"]


async def test_without_consent_it_goes_over_once_a_second_person_saw_why(world: World) -> None:
    referral = await proposed(world, reviewed=False)
    assert codes(await accept(world, referral)) == []
    assert await lead_of(world) == "komnas-ham"
    assert (await counted(world, "lead_handover"))["lead_handover"] == 0
    # Written by hand it is no review.
    await world.run("update referral_basis set reviewed_at = decided_at, reviewed_by = decided_by")
    await settle(house_of(world))
    assert await lead_of(world) == "komnas-ham"
    await world.run("update referral_basis set reviewed_at = null, reviewed_by = null")

    answer = await say(world, REVIEW, referral, by=HARTONO, purpose="supervision")

    assert codes(answer) == []
    await settle(house_of(world))
    assert await lead_of(world) == "lpsk"


async def test_with_consents_to_all_of_it_it_goes_over(world: World) -> None:
    everything = [one.name for one in COMPARTMENTS]
    agreed = await recorded(world, compartments=everything)
    referral = await proposed(world, basis=None, override=None, reviewed=False)
    assert codes(await accept(world, referral)) == []
    assert await lead_of(world) == "lpsk"
    # What people agreed to goes with them.
    rows = await world.run("select agency from consent where id = ?", [as_key(world, UUID(agreed))])
    assert rows == [("lpsk",)]


async def test_a_merge_that_waits_or_stands_is_in_the_way(world: World) -> None:
    """What one agency merged says nothing to the next one, and would hold the record for good."""
    file, kept = await known(world, by=SARI, nik=merging.NIK)
    other, duplicate = await known(world, by=SARI, nik=merging.NIK)
    made = await merging.asked(world, kept, duplicate)
    assert (await preview(world, file=file))["obstacles"] == ["MERGE"]
    assert codes(await merging.approve(world, made, by=HARTONO)) == []
    assert (await preview(world, file=other))["obstacles"] == ["MERGE"]
    assert codes(await propose(world, file=UUID(other))) == ["LEAD_NOT_POSSIBLE"]
    assert codes(await merging.undo(world, made)) == []
    assert (await preview(world, file=other))["obstacles"] == []


async def test_a_step_of_the_plan_is_in_the_way_until_it_is_proven_to_be_done(world: World) -> None:
    step = await added(world, owner="komnas-ham")
    made = as_key(world, UUID(step))
    assert (await preview(world))["obstacles"] == ["PLAN_STEP"]
    forged_done = (
        "insert into plan_step_done select id, agency, added_by, added_at, event, signature, seal"
        " from plan_step where id = ?"
    )
    for forged, undone in (
        (forged_done, "delete from plan_step_done where plan_step = ?"),
        (
            "update plan_step set owner = 'lpsk' where id = ?",
            "update plan_step set owner = 'komnas-ham' where id = ?",
        ),
    ):
        await world.run(forged, [made])
        assert (await preview(world))["obstacles"] == ["PLAN_STEP"], forged
        assert codes(await propose(world)) == ["LEAD_NOT_POSSIBLE"], forged
        await world.run(undone, [made])

    assert await complete(world, step, by=SARI) == []
    assert (await preview(world))["obstacles"] == []
