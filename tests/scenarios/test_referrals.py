"""Referrals over HTTP: what was shared opens for who is assigned, while it lasts, and no more."""

from datetime import timedelta
from typing import Any

import pytest

from api.app import key_service, open_house
from api.casework.house import House
from api.casework.provisioning import set_up_owners
from api.casework.sharing import settle
from api.casework.trust import fingerprint_of, trust
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.errors import KeysUnavailable
from api.store import public_keys
from api.vocabulary import Action, Decision, Ground, Outcome, Phase, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    counted,
    first_defender,
    led_by,
    reasons,
    records,
    without_request,
)
from tests.scenarios.referring import (
    ACCEPT,
    DECLINE,
    END,
    ENDANG,
    HARTONO,
    HASAN,
    INDAH,
    LIST,
    SURYA,
    accepted,
    assign,
    codes,
    read,
    refer,
    referred,
    say,
)
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

TABLES = ("referral", "referral_right", "key_share", "data_key")


async def test_an_assigned_caseworker_of_the_recipient_reads_what_was_shared_and_no_more(
    world: World,
) -> None:
    await accepted(world)
    before = await world.size()

    answer = await read(world)

    file = answer.data["caseFile"]
    truth = first_defender(world, world.records.open_to_sari)
    [person] = file["defenders"]
    assert (file["leadAgency"], person["fullName"]) == ("komnas-ham", truth.full_name)
    assert person["nik"] == truth.nik
    assert person["phones"]
    assert person["presentLocation"] is file["account"] is None
    assert [(w["field"], w["reason"]) for w in person["withheld"]] == [
        ("presentLocation", "COMPARTMENT_NOT_HELD")
    ]
    assert {w["field"] for w in file["withheld"]} == {"account", "body", "sexualViolenceForms"}
    assert file["notes"] == []
    [event] = await world.events(before)
    assert event.agencies == ("komnas-ham",)
    assert {t.ground for t in event.touched if t.decision is Decision.DISCLOSED} == {
        Ground.REFERRAL_ACCEPTED,
        Ground.ASSIGNED,
    }


async def test_before_it_is_accepted_the_case_file_does_not_exist_there(world: World) -> None:
    never = without_request(await read(world))

    await referred(world)

    assert without_request(await read(world)) == never
    assert without_request(await read(world, HASAN, "supervision")) == never
    # Nothing is on its way either: no key leaves before the other agency accepts.
    async with exchanged(world) as inside:
        await settle(inside.house)
    assert (await counted(world, "key_share"))["key_share"] == 0
    for record in (file_key(world), person_key(world)):
        wraps = "select * from data_key where owner = 'lpsk' and record = ?"
        assert await world.run(wraps, [record]) == []


def file_key(world: World) -> Any:
    return as_key(world, world.records.open_to_sari)


def person_key(world: World) -> Any:
    return as_key(world, first_defender(world, world.records.open_to_sari).id)


async def test_who_is_not_assigned_there_sees_that_it_exists_and_opens_nothing(
    world: World,
) -> None:
    await accepted(world)

    for who, purpose in ((SURYA, "protection"), (HASAN, "referral")):
        answer = await read(world, who, purpose)
        [person] = answer.data["caseFile"]["defenders"]
        opened = who == HASAN  # He supervises Wayan, and says so.
        assert bool(person["fullName"]) is opened
        assert person["presentLocation"] is None


@pytest.mark.parametrize("who", [ENDANG, "ayu", "kartini"])
async def test_a_third_agency_learns_nothing(world: World, who: str) -> None:
    purpose = "protection" if who == "ayu" else "supervision"
    never = without_request(await read(world, who, purpose))
    referral = await accepted(world)

    assert without_request(await read(world, who, purpose)) == never
    if who != "ayu":
        listed = await world.ask(who, LIST, purpose="referral")
        assert listed.data["referrals"] == []
        for what in (ACCEPT, DECLINE, END):
            assert codes(await say(world, what, referral, by=who)) == ["NOT_FOUND"]


async def test_each_step_is_an_intent_and_an_outcome_and_the_keys_have_events_of_their_own(
    world: World,
) -> None:
    start = await world.size()
    referral = await accepted(world)

    events = await world.events(start)

    assert_change(events, Action.REFER_CASE_FILE, Outcome.DONE)
    assert [(e.action, e.phase) for e in events[2:-2]] == [
        (action, phase)
        for action in (Action.ACCEPT_REFERRAL, Action.GIVE_KEYS, Action.TAKE_KEYS)
        for phase in (Phase.INTENT, Phase.OUTCOME)
    ]
    assert all(e.outcome in (None, Outcome.DONE) for e in events)
    for event in events[:-2]:
        assert {str(i) for i in records(event, RecordKind.REFERRAL)} == {referral}
    assert events[2].agencies == ("komnas-ham", "lpsk")


async def test_the_end_closes_at_once_and_old_wraps_open_nothing_that_is_written_later(
    world: World,
) -> None:
    referral = await accepted(world)
    kept = await world.run(
        "select record, compartment, version, owner, kek_version, wrapped, commitment"
        " from data_key where owner = 'lpsk' and record = ?",
        [person_key(world)],
    )
    assert len(kept) == 2
    never = "NOT_FOUND"

    assert codes(await say(world, END, referral, by=BUDI)) == []

    assert (await read(world)).codes == [never]
    gone = "select record from data_key where owner = 'lpsk' and record = ?"
    assert await world.run(gone, [person_key(world)]) == []
    # The giver reads on, under new keys.
    answer = await read(world, SARI)
    truth = first_defender(world, world.records.open_to_sari)
    assert answer.data["caseFile"]["defenders"][0]["fullName"] == truth.full_name
    versions = await world.run(
        "select version from data_key where record = ? and owner = 'komnas-ham' order by 1",
        [person_key(world)],
    )
    assert [v for (v,) in versions] == [2, 2, 2]
    # Somebody puts the old rows and the right back: it opens nothing.
    marks = ", ".join("?" * 7)
    for row in kept:
        await world.run(
            "insert into data_key (record, compartment, version, owner, kek_version, wrapped,"
            f" commitment) values ({marks})",
            list(row),
        )
    await world.run("update referral_right set closed_at = null, ended_at = null")
    await world.run("update referral set ended_at = null")
    assert (await read(world)).codes == [never]


async def test_rows_that_are_put_back_to_before_the_end_get_no_key_again(world: World) -> None:
    """Their old seals and signatures hold; the log says that it is over."""
    referral = await accepted(world)
    tables = ("referral", "referral_basis", "referral_right")
    kept = {t: await world.run(f"select * from {t}") for t in tables}
    assert codes(await say(world, END, referral, by=BUDI)) == []
    for table in reversed(tables):
        await world.run(f"delete from {table}")
    for table, rows in kept.items():
        for row in rows:
            marks = ", ".join("?" * len(row))
            await world.run(f"insert into {table} values ({marks})", list(row))
    start = await world.size()

    async with exchanged(world) as inside:
        await settle(inside.house)
        await settle(inside.house)

    assert await world.run("select * from key_share") == []
    gone = "select record from data_key where owner = 'lpsk' and record = ?"
    assert await world.run(gone, [person_key(world)]) == []
    assert {e.action for e in await world.events(start)} == {Action.START}
    answer = await read(world)
    assert answer.data["caseFile"]["defenders"][0]["fullName"] is None
    # An answer that is given anew, on the old proposal, does not help either.
    await world.run("delete from referral_right")
    assert codes(await say(world, ACCEPT, referral)) == []
    assert await world.run("select * from key_share") == []


@pytest.mark.parametrize("by", [HASAN, INDAH])
async def test_the_recipient_may_end_it_too_and_the_giver_exchanges_its_keys(
    world: World, by: str
) -> None:
    referral = await accepted(world)
    start = await world.size()

    assert codes(await say(world, END, referral, by=by)) == []

    assert (await read(world)).codes == ["NOT_FOUND"]
    events = await world.events(start)
    assert [e.action for e in events if e.phase is Phase.INTENT] == [
        Action.END_REFERRAL,
        Action.END_REFERRAL,
        Action.RENEW_KEYS,
    ]
    assert codes(await say(world, END, referral, by=by)) == ["REFERRAL_NOT_OPEN"]
    assert codes(await say(world, ACCEPT, referral, by=by)) == ["REFERRAL_NOT_OPEN"]
    assert (await read(world, SARI)).data["caseFile"]["defenders"][0]["fullName"]


async def test_the_end_of_one_referral_leaves_another_one_of_the_same_people(
    world: World,
) -> None:
    """Its keys are exchanged too, and given again to who still has a right to them."""
    first = await accepted(world)
    second = await referred(world, to="komnas-perempuan", compartments=["CONTACT"])
    assert codes(await say(world, ACCEPT, second, by=ENDANG)) == []
    assert codes(await assign(world, "ayu", by=ENDANG)) == []
    assert (await read(world, "ayu")).data["caseFile"]["defenders"][0]["phones"]

    assert codes(await say(world, END, first, by=BUDI)) == []
    async with exchanged(world) as inside:
        await settle(inside.house)

    assert (await read(world)).codes == ["NOT_FOUND"]
    [person] = (await read(world, "ayu")).data["caseFile"]["defenders"]
    assert person["phones"]
    assert person["fullName"] is None
    wraps = await world.run(
        "select owner, compartment, version from data_key where record = ? order by 1, 2",
        [person_key(world)],
    )
    assert [w for w in wraps if w[0] != "komnas-ham"] == [("komnas-perempuan", "contact", 2)]


async def test_what_was_referred_is_listed_and_found_by_who_may_open_it(world: World) -> None:
    name = first_defender(world, world.records.open_to_sari).full_name
    find = """query ($name: String!) { findDefenders(by: NAME, value: $name, first: 20) {
      defender { fullName phones } } }"""
    page = '{ caseFiles(first: 9, filter: {leadAgency: "komnas-ham"}) { edges { node { id } } } }'
    assert (await world.ask(WAYAN, page)).data["caseFiles"]["edges"] == []
    assert (await world.ask(WAYAN, find, {"name": name})).data["findDefenders"] == []

    await accepted(world, compartments=["IDENTITY"])

    for who in (WAYAN, SURYA):  # It exists for both; Surya is not assigned.
        edges = (await world.ask(who, page)).data["caseFiles"]["edges"]
        assert [e["node"]["id"] for e in edges] == [str(world.records.open_to_sari)]
    [hit] = (await world.ask(WAYAN, find, {"name": name})).data["findDefenders"]
    assert hit["defender"] == {"fullName": name, "phones": None}
    assert (await world.ask(SURYA, find, {"name": name})).data["findDefenders"] == []


@pytest.mark.parametrize("order", ["NEWEST", "OLDEST", "MOST_URGENT"])
async def test_a_list_has_own_and_referred_files_in_one_order_each_once(
    world: World, order: str
) -> None:
    await accepted(world)
    page = """query ($after: String) { caseFiles(first: 4, after: $after, orderBy: %s) {
      pageInfo { hasNextPage endCursor } edges { node { id openedOn } } } }"""
    seen: list[tuple[str, str]] = []
    more, after = True, None
    while more:
        found = (await world.ask(WAYAN, page % order, {"after": after})).data["caseFiles"]
        seen += [(e["node"]["openedOn"], e["node"]["id"]) for e in found["edges"]]
        more, after = found["pageInfo"]["hasNextPage"], found["pageInfo"]["endCursor"]

    own = {str(f.id) for f in led_by(world, "lpsk")}
    assert len(own) > 4
    assert sorted(i for _, i in seen) == sorted(own | {str(world.records.open_to_sari)})
    if order != "MOST_URGENT":
        days = [day for day, _ in seen]
        assert days == sorted(days, reverse=order == "NEWEST")


async def test_its_date_ends_it_whether_anybody_looks_or_not(world: World) -> None:
    until = world.clock() + timedelta(days=3)
    await accepted(world, until=until)
    assert (await read(world)).data["caseFile"]["defenders"][0]["fullName"]
    world.clock.move(timedelta(days=3) - timedelta(microseconds=1))
    assert (await read(world)).data["caseFile"]["defenders"][0]["fullName"]

    world.clock.move(timedelta(microseconds=1))

    assert (await read(world)).codes == ["NOT_FOUND"]
    async with exchanged(world) as inside:
        await settle(inside.house)
        await settle(inside.house)
    events = [e.action for e in await world.events() if e.phase is Phase.INTENT]
    assert events.count(Action.RENEW_KEYS) == 1
    assert (
        await world.run("select * from referral where ended_at is null or renewed_event is null")
        == []
    )


async def test_a_declined_referral_gives_no_key_and_exchanges_none(world: World) -> None:
    referral = await referred(world)
    before = await world.run("select record, version, owner from data_key order by 1, 2, 3")

    assert codes(await say(world, DECLINE, referral)) == []

    assert (await read(world)).codes == ["NOT_FOUND"]
    assert await world.run("select record, version, owner from data_key order by 1, 2, 3") == before
    listed = await world.ask(BUDI, LIST, {"state": "DECLINED"}, purpose="referral")
    assert [r["id"] for r in listed.data["referrals"]] == [referral]
    assert codes(await say(world, ACCEPT, referral)) == ["REFERRAL_NOT_OPEN"]
    # It may be tried again.
    assert codes(await say(world, ACCEPT, await referred(world))) == []


async def test_the_list_shows_names_of_fields_and_where_each_referral_stands(world: World) -> None:
    referral = await referred(world, compartments=["CONTACT"])

    for who in (BUDI, HARTONO, HASAN, INDAH):
        answer = await world.ask(who, LIST, {"state": "PROPOSED"}, purpose="referral")
        [shown] = answer.data["referrals"]
        assert shown["id"] == referral
        assert shown["fields"] == ["emails", "homeAddress", "phones"]
        assert (shown["giver"], shown["recipient"]) == ("komnas-ham", "lpsk")
    for who in (SARI, WAYAN):
        start = await world.size()
        answer = await world.ask(who, LIST, purpose="referral")
        assert answer.codes == ["NOT_ALLOWED"]
        [event] = await world.events(start)
        assert (event.decision, event.code) == (Decision.REFUSED, "NOT_ALLOWED")


async def test_the_preview_names_what_is_then_shared_and_leaves_no_event(still: World) -> None:
    start = await still.size()

    answer = await still.ask(
        BUDI, "{ referralPreview(compartments: [CONTACT, NARRATIVE]) }", purpose="referral"
    )

    assert answer.data["referralPreview"] == ["account", "emails", "homeAddress", "phones"]
    assert await still.size() == start


async def test_an_older_installation_gets_the_keys_that_it_lacks(world: World) -> None:
    """It starts without them, says so where one is needed, and `organisations add` makes them."""
    await world.run("delete from trusted_key where peer = 'lpsk'")
    await world.run("delete from public_key where owner = 'lpsk'")
    await world.run(
        "delete from owner_secret where owner = 'lpsk' and kind in ('signing', 'sharing')"
    )
    async with open_house(world.settings, world.clock) as house:
        with pytest.raises(KeysUnavailable):
            house.keyring.sharing_key("lpsk")
        rights = house.keyring.rights("lpsk").seal("member", [])
        assert await fingerprint(house, "komnas-ham") is not None
        row = {"slug": "lpsk", "kind": "agency", "name": "x", "reference_prefix": "LP"}
        for _ in range(2):  # Once more changes nothing.
            await set_up_owners(
                house.records, key_service(world.settings), [{**row, "references_given": 0}]
            )

    async with open_house(world.settings, world.clock) as house:
        assert house.keyring.rights("lpsk").seal("member", []) == rights
        own = house.keyring.public_keys("lpsk")
        async with house.records.look() as connection:
            assert await public_keys.published(connection, "lpsk") == own
        told = await fingerprint(house, "lpsk")
        assert told is not None
        assert await trust(house, "komnas-ham", "lpsk", told)
    assert codes(await refer(world)) == []


async def fingerprint(house: House, owner: str) -> str | None:
    async with house.records.look() as connection:
        return await fingerprint_of(house, connection, owner)


# -- refusals: one event, no row ----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"by": SARI}, "NOT_ALLOWED"),
        ({"by": BUDI, "purpose": "supervision"}, "NOT_ALLOWED"),
        # Nobody hands out what they cannot open: no supervisor opens whereabouts, and
        # Budi has not the training on gender-based violence.
        ({"compartments": ["IDENTITY", "WHEREABOUTS"]}, "NOT_ALLOWED"),
        ({"compartments": ["GENDER_VIOLENCE"]}, "NOT_ALLOWED"),
        ({"by": HASAN, "to": "komnas-perempuan"}, "NOT_FOUND"),
        ({"file": NOBODY}, "NOT_FOUND"),
    ],
)
async def test_a_referral_that_is_refused_leaves_one_event_and_no_row(
    still: World, options: dict[str, object], code: str
) -> None:
    start, rows = await still.size(), await counted(still, *TABLES)

    answer = await refer(still, **options)  # type: ignore[arg-type]

    assert codes(answer) == [code]
    assert await counted(still, *TABLES) == rows
    [event] = await still.events(start)
    assert (event.action, event.decision, event.code) == (
        Action.REFER_CASE_FILE,
        Decision.REFUSED,
        code,
    )
    assert reasons(event)


@pytest.mark.parametrize(
    "options",
    [
        {"compartments": []},
        {"compartments": ["RELEASE"]},
        {"to": "komnas-ham"},
        {"until": timedelta(0)},
        {"until": timedelta(days=367)},
    ],
)
async def test_what_can_never_be_referred_is_said_before_anything_is_decided(
    still: World, options: dict[str, object]
) -> None:
    if isinstance(options.get("until"), timedelta):
        options = {"until": still.clock() + options["until"]}  # type: ignore[operator]
    start = await still.size()

    assert codes(await refer(still, **options)) == ["REFERRAL_INVALID"]  # type: ignore[arg-type]

    assert await still.size() == start


@pytest.mark.parametrize("to", ["lbh-nusantara", "nobody", "LPSK"])
async def test_a_case_file_is_referred_to_agencies_only(still: World, to: str) -> None:
    rows = await counted(still, *TABLES)
    start = await still.size()

    assert codes(await refer(still, to=to)) == ["REFERRAL_INVALID"]

    assert await counted(still, *TABLES) == rows
    assert_change(await still.events(start), Action.REFER_CASE_FILE, Outcome.NOTHING)


async def test_one_referral_at_a_time_to_one_agency(world: World) -> None:
    await referred(world)
    assert codes(await refer(world)) == ["REFERRAL_INVALID"]
    assert codes(await refer(world, to="komnas-perempuan")) == []


@pytest.mark.parametrize("what", [ACCEPT, DECLINE, END])
@pytest.mark.parametrize(
    ("by", "purpose", "code"),
    [
        (WAYAN, "referral", "NOT_ALLOWED"),
        (HASAN, "supervision", "NOT_ALLOWED"),
        (HASAN, "referral", "NOT_FOUND"),
    ],
)
async def test_who_may_not_answer_leaves_one_event_and_no_row(
    world: World, what: str, by: str, purpose: str, code: str
) -> None:
    referral = NOBODY if code == "NOT_FOUND" else await referred(world)
    start, rows = await world.size(), await counted(world, *TABLES)

    assert codes(await say(world, what, referral, by=by, purpose=purpose)) == [code]

    assert await counted(world, *TABLES) == rows
    [event] = await world.events(start)
    assert (event.decision, event.code) == (Decision.REFUSED, code)


async def test_what_was_referred_is_neither_written_to_nor_referred_on(world: World) -> None:
    await accepted(world, compartments=["IDENTITY", "CONTACT", "NARRATIVE"])
    truth = first_defender(world, world.records.open_to_sari)
    note = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
      noteId errors { code } } }"""
    update = """mutation ($id: ID!) { updateDefender(input: {id: $id, revision: 1,
      fullName: "X"}) { revision errors { code } } }"""
    rows = await counted(world, "note", *TABLES)

    for query, record in ((note, world.records.open_to_sari), (update, truth.id)):
        answer = await world.ask(WAYAN, query, {"id": str(record)})
        assert codes(answer) == ["NOT_ALLOWED"]
    assert codes(await refer(world, by=HASAN, to="komnas-perempuan")) == ["NOT_ALLOWED"]

    assert await counted(world, "note", *TABLES) == rows
    answer = await read(world)
    assert answer.data["caseFile"]["account"]
    assert answer.data["caseFile"]["notes"] == []
    assert {w["field"] for w in answer.data["caseFile"]["withheld"]} == {
        "body",
        "sexualViolenceForms",
    }


async def test_nobody_of_another_agency_is_assigned_to_what_was_referred(world: World) -> None:
    referral = await referred(world)
    assert codes(await assign(world)) == ["NOT_FOUND"]
    assert codes(await say(world, ACCEPT, referral)) == []
    assert codes(await assign(world, SARI)) == ["ASSIGNEE_INVALID"]
    assert codes(await assign(world, HASAN)) == ["ASSIGNEE_INVALID"]
    assert codes(await assign(world)) == []


async def test_an_assignment_of_the_recipient_is_no_ground_at_the_giver(world: World) -> None:
    """Budi supervises who is assigned at Komnas HAM, not who is at LPSK."""
    await accepted(world)
    await world.run(
        "update assignment set ended_at = starts_at where agency = 'komnas-ham' and case_file = ?",
        [file_key(world)],
    )

    answer = await read(world, BUDI, "supervision")

    assert answer.data["caseFile"]["defenders"][0]["fullName"] is None
