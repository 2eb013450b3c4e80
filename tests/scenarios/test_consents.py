"""Consents over HTTP: what rests on one ends with it, and nothing rests on what is not there."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.casework import said_by_log
from api.casework.sharing import settle
from api.demo.synthetic import BUDI, RATNA, SARI, WAYAN
from api.vocabulary import Action, Decision, LegalBasis, Outcome, Phase, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    assigned_to,
    counted,
    first_defender,
    led_by,
    records,
)
from tests.scenarios.consenting import (
    CONSENTS,
    RIZAL,
    VITAL,
    consents,
    file_key,
    nobody_agreed,
    record,
    recorded,
    withdraw,
)
from tests.scenarios.referring import (
    ACCEPT,
    ENDANG,
    HASAN,
    LIST,
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

CONDITIONS = "Hanya melalui adiknya, dan tidak pernah pada malam hari."
TABLES = ("consent", "referral", "referral_basis", "key_share")
RELEASE = "query ($id: ID!) { release(id: $id) { content { summary } } }"


# -- what a person agreed to is recorded and read ------------------------------------------


async def test_what_a_person_agreed_to_is_kept_with_the_conditions_that_they_set(
    world: World,
) -> None:
    await nobody_agreed(world)
    start = await world.size()
    person = first_defender(world, world.records.open_to_sari).id

    made = await recorded(world, conditions=CONDITIONS)

    events = await world.events(start)
    assert_change(events, Action.RECORD_CONSENT, Outcome.DONE)
    assert len(events) == 2
    assert records(events[0], RecordKind.CONSENT) == {UUID(made)}
    assert records(events[0], RecordKind.DEFENDER) == {person}
    answer = await world.ask(SARI, CONSENTS, {"id": str(world.records.open_to_sari)})
    [shown] = answer.data["caseFile"]["consents"]
    [why] = answer.data["caseFile"]["reasons"]
    assert (shown["id"], shown["defender"], shown["recipient"]) == (made, str(person), "lpsk")
    assert (shown["compartments"], shown["purpose"]) == (["CONTACT", "IDENTITY"], "PROTECTION")
    assert shown["recordedBy"] == str(world.records.member(SARI).id)
    assert (shown["stands"], shown["withdrawnAt"], shown["stopBy"]) == (True, None, None)
    assert why == {"record": str(person), "event": shown["event"], "text": CONDITIONS}
    assert shown["event"] == start


async def test_it_is_read_by_who_works_on_the_case_file_and_not_by_everybody(
    world: World,
) -> None:
    """What people agreed to share shows what there is."""
    assert len(await consents(world)) == 1
    assert len(await consents(world, BUDI, "supervision")) == 1
    assert await consents(world, RIZAL) == []
    await accepted(world)

    assert await consents(world, WAYAN) == []
    assert await consents(world, HASAN, "referral") == []


async def test_it_can_be_as_long_as_the_law_of_the_mechanism_lets(world: World) -> None:
    most = world.clock() + timedelta(days=731)
    assert codes(await record(world, until=most)) == []
    assert codes(await record(world, until=most + timedelta(microseconds=1))) == ["CONSENT_INVALID"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"by": RIZAL}, "NOT_ALLOWED"),
        ({"by": WAYAN, "to": "komnas-ham"}, "NOT_FOUND"),
        ({"by": BUDI, "purpose": "quality_review"}, "NOT_ALLOWED"),
        ({"file": NOBODY}, "NOT_FOUND"),
        ({"by": HASAN, "purpose": "supervision", "to": None}, "NOT_FOUND"),
    ],
)
async def test_who_may_not_record_leaves_one_event_and_no_row(
    still: World, options: dict[str, Any], code: str
) -> None:
    start, rows = await still.size(), await counted(still, *TABLES, "reason")

    assert codes(await record(still, conditions=CONDITIONS, **options)) == [code]

    assert await counted(still, *TABLES, "reason") == rows
    [event] = await still.events(start)
    assert (event.action, event.decision, event.code) == (
        Action.RECORD_CONSENT,
        Decision.REFUSED,
        code,
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"compartments": []}, "CONSENT_INVALID"),
        ({"compartments": ["RELEASE"]}, "CONSENT_INVALID"),
        ({"to": "komnas-ham"}, "CONSENT_INVALID"),
        ({"to": "nobody"}, "CONSENT_INVALID"),
        ({"to": "a\x00b"}, "VALUE_INVALID"),
        ({"conditions": " "}, "VALUE_INVALID"),
        ({"defender": NOBODY}, "NOT_FOUND"),
    ],
)
async def test_what_nobody_can_have_agreed_to_leaves_no_row(
    still: World, options: dict[str, Any], code: str
) -> None:
    rows = await counted(still, *TABLES, "reason")

    assert codes(await record(still, **options)) == [code]

    assert await counted(still, *TABLES, "reason") == rows


async def test_a_defender_of_another_case_file_is_not_there(still: World) -> None:
    other = first_defender(still, still.records.closed_to_sari).id
    assert codes(await record(still, defender=other)) == ["NOT_FOUND"]


# -- a referral rests on it -----------------------------------------------------------------


async def test_nobody_is_referred_beyond_what_they_agreed_to(world: World) -> None:
    end = world.clock() + timedelta(days=30)
    narrower: list[dict[str, Any]] = [
        {"to": "komnas-perempuan"},
        {"compartments": ["IDENTITY"]},
        {"compartments": ["CONTACT", "NARRATIVE", "WHEREABOUTS"]},
        {"asked_for": "ASSESSMENT"},
        {"until": end - timedelta(microseconds=1)},
    ]
    await nobody_agreed(world)
    for agreed in narrower:
        await recorded(world, **agreed)
        start, rows = await world.size(), await counted(world, *TABLES)

        assert codes(await refer(world, until=end)) == ["CONSENT_MISSING"], agreed

        assert await counted(world, *TABLES) == rows
        events = await world.events(start)
        assert_change(events, Action.REFER_CASE_FILE, Outcome.NOTHING)
        assert len(events) == 2
    # What was lacking is asked for, and then it is enough.
    await recorded(world, until=end)
    assert codes(await refer(world, until=end)) == []


async def test_two_consents_do_not_add_up(world: World) -> None:
    await nobody_agreed(world)
    await recorded(world, compartments=["IDENTITY"])
    await recorded(world, compartments=["CONTACT"])

    assert codes(await refer(world)) == ["CONSENT_MISSING"]
    assert codes(await refer(world, compartments=["CONTACT"])) == []


async def test_a_consent_to_every_agency_is_one_to_each(world: World) -> None:
    await nobody_agreed(world)
    await recorded(world, to=None)

    for agency in ("lpsk", "komnas-perempuan"):
        assert codes(await refer(world, to=agency)) == []
    assert codes(await refer(world, to="lbh-nusantara")) == ["REFERRAL_INVALID"]


async def test_a_consent_to_a_partner_is_none_to_an_agency(world: World) -> None:
    await nobody_agreed(world)
    await recorded(world, to="lbh-nusantara")
    assert codes(await refer(world)) == ["CONSENT_MISSING"]


async def test_each_person_in_the_case_file_must_have_agreed(world: World) -> None:
    file = next(
        f
        for f in led_by(world, "komnas-ham")
        if len(f.defenders) > 1 and f.sensitivity <= 3 and _staffed(world, f.id)
    )
    one, *others = file.defenders
    await nobody_agreed(world)
    by = {"file": file.id, "by": BUDI, "purpose": "supervision"}
    for person in others:
        await recorded(world, defender=person, **by)
    assert codes(await refer(world, file=file.id)) == ["CONSENT_MISSING"]

    await recorded(world, defender=one, **by)

    assert codes(await refer(world, file=file.id)) == []


def _staffed(world: World, file: UUID) -> bool:
    staff = [m.subject for m in world.records.members if m.organisation == "komnas-ham"]
    return any(file in {f.id for f in assigned_to(world, who)} for who in staff if who != BUDI)


async def test_what_was_agreed_to_for_one_case_file_is_nothing_for_another(world: World) -> None:
    await nobody_agreed(world)
    await recorded(world)
    assert codes(await refer(world, file=world.records.closed_to_sari)) == ["CONSENT_MISSING"]


async def test_a_consent_ends_by_its_date(world: World) -> None:
    await nobody_agreed(world)
    await recorded(world, until=world.clock() + timedelta(days=3))
    world.clock.move(timedelta(days=3) - timedelta(minutes=1))
    soon = {"until": world.clock() + timedelta(seconds=59)}
    assert codes(await refer(world, **soon, to="komnas-perempuan")) == ["CONSENT_MISSING"]
    assert codes(await refer(world, **soon)) == []
    [shown] = await consents(world)
    assert shown["stands"]

    world.clock.move(timedelta(minutes=1))

    [shown] = await consents(world)
    assert not shown["stands"]
    assert codes(await refer(world, until=world.clock() + timedelta(seconds=1))) == [
        "CONSENT_MISSING"
    ]


async def test_no_basis_by_itself_stands_for_a_consent(world: World) -> None:
    await nobody_agreed(world)
    for basis in LegalBasis:
        assert codes(await refer(world, basis=basis.value)) == ["CONSENT_MISSING"]


# -- it is withdrawn ----------------------------------------------------------------------


async def test_withdrawn_mid_way_the_next_request_of_the_recipient_opens_nothing(
    world: World,
) -> None:
    [agreed] = await consents(world)
    referral = await accepted(world)
    assert (await read(world)).data["caseFile"]["defenders"][0]["fullName"]
    start = await world.size()

    answer = await withdraw(world, agreed["id"], words="Ia takut.")

    assert codes(answer) == []
    by = world.clock() + timedelta(hours=72)
    assert answer.data["withdrawConsent"]["stopBy"] == by.isoformat()
    assert (await read(world)).codes == ["NOT_FOUND"]
    events = await world.events(start)
    assert_change(events, Action.WITHDRAW_CONSENT, Outcome.DONE)
    assert records(events[0], RecordKind.REFERRAL) == {UUID(referral)}
    assert records(events[0], RecordKind.CONSENT) == {UUID(agreed["id"])}
    [again] = await consents(world)
    assert (again["stands"], again["stopBy"]) == (False, by.isoformat())
    assert again["withdrawnAt"] == world.clock().isoformat()
    # The recipient's wraps are gone, and the giver reads on under new keys.
    person = as_key(world, first_defender(world, world.records.open_to_sari).id)
    wraps = await world.run(
        "select distinct owner, version from data_key where record = ?", [person]
    )
    assert wraps == [("komnas-ham", 2)]
    assert (await read(world, SARI)).data["caseFile"]["defenders"][0]["fullName"]
    listed = (await world.ask(HASAN, LIST, purpose="referral")).data["referrals"]
    assert [(r["id"], r["state"]) for r in listed] == [(referral, "ENDED")]
    assert codes(await refer(world)) == ["CONSENT_MISSING"]
    assert codes(await withdraw(world, agreed["id"])) == ["CONSENT_OVER"]


async def test_withdrawn_before_the_answer_there_is_nothing_to_accept(world: World) -> None:
    [agreed] = await consents(world)
    referral = await referred(world)

    assert codes(await withdraw(world, agreed["id"])) == []

    assert codes(await say(world, ACCEPT, referral)) == ["REFERRAL_NOT_OPEN"]
    for who in (BUDI, HASAN):
        [listed] = (await world.ask(who, LIST, purpose="referral")).data["referrals"]
        assert (listed["id"], listed["state"]) == (referral, "WITHDRAWN")


async def test_rows_that_are_put_back_to_before_the_withdrawal_get_no_key_again(
    world: World,
) -> None:
    [agreed] = await consents(world)
    referral = await accepted(world)
    tables = ("consent", "referral", "referral_basis", "referral_right")
    kept = {t: await world.run(f"select * from {t}") for t in tables}
    assert codes(await withdraw(world, agreed["id"])) == []
    for table in reversed(tables):
        await world.run(f"delete from {table}")
    for table, rows in kept.items():
        for row in rows:
            marks = ", ".join("?" * len(row))
            await world.run(f"insert into {table} values ({marks})", list(row))

    async with exchanged(world) as inside:
        await settle(inside.house)
        await settle(inside.house)

    assert await world.run("select * from key_share") == []
    answer = await read(world)
    assert answer.data["caseFile"]["defenders"][0]["fullName"] is None
    # Nor does anything new rest on the consent that was put back.
    await world.run("update referral set ended_at = until where id = ?", [as_key(world, UUID(
        referral))])  # fmt: skip
    assert [c["stands"] for c in await consents(world)] == [True]
    assert codes(await refer(world)) == ["CONSENT_MISSING"]


async def test_whoever_tries_in_vain_hides_no_withdrawal_from_who_asks_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said_by_log, "_READ", 2)
    [agreed] = await consents(world)
    key = as_key(world, UUID(agreed["id"]))
    kept = await world.run("select * from consent where id = ?", [key])
    assert codes(await withdraw(world, agreed["id"])) == []
    for _ in range(3):
        assert codes(await withdraw(world, agreed["id"])) == ["CONSENT_OVER"]
    await world.run("delete from consent where id = ?", [key])
    for row in kept:
        await world.run(f"insert into consent values ({', '.join('?' * len(row))})", list(row))

    assert [c["stands"] for c in await consents(world)] == [True]
    assert codes(await refer(world)) == ["CONSENT_MISSING"]


async def test_what_rests_on_another_consent_goes_on(world: World) -> None:
    await nobody_agreed(world)
    mine = await recorded(world, to="lpsk")
    other = await recorded(world, to="komnas-perempuan")
    await accepted(world)
    second = await referred(world, to="komnas-perempuan")
    assert codes(await say(world, ACCEPT, second, by=ENDANG)) == []
    assert codes(await assign(world, "ayu", by=ENDANG)) == []

    assert codes(await withdraw(world, mine)) == []
    async with exchanged(world) as inside:
        await settle(inside.house)

    assert (await read(world)).codes == ["NOT_FOUND"]
    assert (await read(world, "ayu")).data["caseFile"]["defenders"][0]["fullName"]
    assert codes(await withdraw(world, other)) == []
    assert (await read(world, "ayu")).codes == ["NOT_FOUND"]


async def test_what_was_referred_in_a_vital_interest_rests_on_no_consent(world: World) -> None:
    [agreed] = await consents(world)
    await accepted(world, **VITAL)

    assert codes(await withdraw(world, agreed["id"])) == []

    assert (await read(world)).data["caseFile"]["defenders"][0]["fullName"]


@pytest.mark.parametrize(
    "forgery",
    [
        "delete from referral_basis",
        "update referral_basis set consents = ''",
        "update referral_basis set basis = 'vital_interest'",
        "update referral_basis set seal = (select seal from consent limit 1)",
    ],
)
async def test_a_basis_that_was_changed_by_hand_saves_no_referral(
    world: World, forgery: str
) -> None:
    [agreed] = await consents(world)
    await accepted(world)
    await world.run(forgery)

    assert codes(await withdraw(world, agreed["id"])) == []

    assert (await read(world)).codes == ["NOT_FOUND"]


async def test_a_referral_that_was_changed_by_hand_closes_all_the_same(world: World) -> None:
    [agreed] = await consents(world)
    await accepted(world)
    await world.run("update referral set until = ?", [_as_instant(world, timedelta(days=29))])

    assert codes(await withdraw(world, agreed["id"])) == []

    assert (await read(world)).codes == ["NOT_FOUND"]


def _as_instant(world: World, ahead: timedelta) -> Any:
    moment = world.clock() + ahead
    return moment if world.kind == "postgresql" else moment.isoformat(" ")


async def test_what_partners_were_given_of_it_closes_and_stays_closed(world: World) -> None:
    release = next(r for r in world.records.releases if r.case_file == world.records.open_to_sari)
    asked: dict[str, Any] = {"face": "partner", "purpose": "referral"}
    given = {"id": str(release.id)}
    before = await world.ask(RATNA, RELEASE, given, **asked)
    assert before.data["release"]["content"]["summary"]
    [agreed] = await consents(world)
    start = await world.size()

    assert codes(await withdraw(world, agreed["id"])) == []

    assert (await world.ask(RATNA, RELEASE, given, **asked)).codes == ["NOT_FOUND"]
    [intent, *_] = await world.events(start)
    assert records(intent, RecordKind.RELEASE) == {release.id}
    # Its key is gone: to take the mark away opens nothing.
    await world.run("update release set stopped_at = null")
    assert (await world.ask(RATNA, RELEASE, given, **asked)).data["release"]["content"] is None


async def test_what_one_partner_was_given_stays_where_another_was_meant(world: World) -> None:
    release = next(r for r in world.records.releases if r.case_file == world.records.open_to_sari)
    made = await recorded(world, to="jaringan" if release.partner != "lbh-nusantara" else "lpsk")

    assert codes(await withdraw(world, made)) == []

    assert await world.run("select id from release where stopped_at is not null") == []
    made = await recorded(world, to=release.partner)
    assert codes(await withdraw(world, made)) == []
    [(stopped,)] = await world.run("select id from release where stopped_at is not null")
    assert stopped == as_key(world, release.id)


async def test_at_once_with_a_referral_nothing_is_left_open(world: World) -> None:
    """Whichever comes first: no open referral rests on what was withdrawn."""
    [agreed] = await consents(world)

    one, other = await asyncio.gather(withdraw(world, agreed["id"]), refer(world))

    assert codes(one) in ([], ["STALE_REVISION"])
    if codes(one) == []:
        assert codes(other) in ([], ["CONSENT_MISSING"], ["STALE_REVISION"])
        assert await world.run("select id from referral where ended_at is null") == []
    else:
        assert codes(other) == []


async def test_who_withdraws_twice_at_once_does_it_once(world: World) -> None:
    [agreed] = await consents(world)

    both = await asyncio.gather(*(withdraw(world, agreed["id"]) for _ in range(2)))

    assert sorted(map(codes, both)) in ([[], ["CONSENT_OVER"]], [[], ["STALE_REVISION"]])


@pytest.mark.parametrize(
    ("by", "purpose", "code"),
    [
        (RIZAL, "protection", "NOT_ALLOWED"),
        (BUDI, "quality_review", "NOT_ALLOWED"),
        (WAYAN, "protection", "NOT_FOUND"),
        (HASAN, "supervision", "NOT_FOUND"),
    ],
)
async def test_who_may_not_withdraw_leaves_one_event_and_changes_no_row(
    still: World, by: str, purpose: str, code: str
) -> None:
    [agreed] = await consents(still)
    start = await still.size()

    assert codes(await withdraw(still, agreed["id"], by=by, purpose=purpose)) == [code]

    [event] = await still.events(start)
    assert (event.action, event.decision, event.code) == (
        Action.WITHDRAW_CONSENT,
        Decision.REFUSED,
        code,
    )
    assert await still.run("select id from consent where withdrawn_at is not null") == []


# -- rows that somebody wrote by hand --------------------------------------------------------


FORGED = (
    "recipient = null",
    "recipient = 'komnas-perempuan'",
    "compartments = 'contact,identity,narrative'",
    "form = 'oral_witnessed'",
    "until = '2030-01-01 00:00:00+00:00'",
    "event = event + 1",
    "recorded_by = defender",
    "case_file = ?",
)


async def test_a_consent_that_was_changed_by_hand_is_none(world: World) -> None:
    other = world.records.closed_to_sari
    await nobody_agreed(world)
    for forgery in FORGED:
        await recorded(world)
        key = [as_key(world, other)] if "?" in forgery else []
        await world.run(f"update consent set {forgery}", key)

        for to, file in (("lpsk", None), ("komnas-perempuan", None), ("lpsk", other)):
            assert codes(await refer(world, to=to, file=file)) == ["CONSENT_MISSING"], forgery
        assert await consents(world) == []
        await nobody_agreed(world)


async def test_the_withdrawal_of_a_forged_consent_does_not_make_it_true(world: World) -> None:
    [agreed] = await consents(world)
    await world.run("update consent set recipient = 'lpsk'")

    assert codes(await withdraw(world, agreed["id"])) == ["NOT_FOUND"]


async def test_a_withdrawal_that_is_taken_out_of_the_row_is_still_one(world: World) -> None:
    [agreed] = await consents(world)
    assert codes(await withdraw(world, agreed["id"])) == []
    await world.run(
        "update consent set withdrawn_at = null, withdrawn_by = null, withdrawn_event = null,"
        " stop_by = null where case_file = ?",
        [file_key(world)],
    )

    assert codes(await refer(world)) == ["CONSENT_MISSING"]
    assert await consents(world) == []


# -- stories ------------------------------------------------------------------------------


async def test_a_woman_is_referred_and_what_was_done_to_her_stays_with_who_she_told(
    world: World,
) -> None:
    """Komnas Perempuan brings LPSK in; the account of the violence is not part of it."""
    file = next(f for f in assigned_to(world, "ayu") if f.sensitivity <= 3)
    [*people] = file.defenders
    await nobody_agreed(world)
    hers = ["IDENTITY", "CONTACT", "NARRATIVE"]
    for person in people:
        await recorded(
            world, by="ayu", file=file.id, defender=person, compartments=hers,
            conditions="Tentang kekerasan itu hanya kepada Ayu.",
        )  # fmt: skip
    asked: dict[str, Any] = {"by": ENDANG, "file": file.id}
    more = [*hers, "GENDER_VIOLENCE"]
    assert codes(await refer(world, **asked, compartments=more)) == ["CONSENT_MISSING"]

    referral = await referred(world, **asked, compartments=hers)

    assert codes(await say(world, ACCEPT, referral)) == []
    given = {
        "caseFileId": str(file.id),
        "memberId": str(world.records.member(WAYAN).id),
        "until": (world.clock() + timedelta(days=20)).isoformat(),
    }
    staff = """mutation ($input: AssignCaseworkerInput!) {
      assignCaseworker(input: $input) { errors { code } } }"""
    assert codes(await world.ask(HASAN, staff, {"input": given}, purpose="supervision")) == []
    seen = (await world.ask(WAYAN, WHOLE, {"id": str(file.id)})).data["caseFile"]
    assert seen["account"]
    assert seen["defenders"][0]["fullName"]
    assert seen["sexualViolenceForms"] is None
    assert seen["reasons"] == seen["consents"] == []
    assert {(w["field"], w["reason"]) for w in seen["withheld"]} >= {
        ("sexualViolenceForms", "COMPARTMENT_NOT_HELD")
    }
    mine = (await world.ask("ayu", WHOLE, {"id": str(file.id)})).data["caseFile"]
    assert mine["sexualViolenceForms"] is not None
    assert mine["reasons"][0]["text"].endswith("hanya kepada Ayu.")


WHOLE = """query ($id: ID!) { caseFile(id: $id) { account sexualViolenceForms
  defenders { fullName } reasons { text } consents { id } withheld { field reason } } }"""


async def test_each_step_of_it_is_in_the_log_and_none_of_its_words(world: World) -> None:
    start = await world.size()
    made = await recorded(world, conditions=CONDITIONS)
    await accepted(world, until=world.clock() + timedelta(days=10))
    assert codes(await withdraw(world, made, words="Keluarganya diancam.")) == []

    async with exchanged(world) as inside:
        entries = await inside.house.log.entries(start, await world.size())
    leaves = b"".join(entry.body for entry in entries)
    for words in (CONDITIONS, "Keluarganya", "diancam"):
        assert words.encode() not in leaves
    intents = [e for e in await world.events(start) if e.phase is Phase.INTENT]
    kinds = [e.action for e in intents]
    assert kinds[0] is Action.RECORD_CONSENT
    assert Action.WITHDRAW_CONSENT in kinds
    assert all(e.commitment for e in intents if e.action in (
        Action.RECORD_CONSENT, Action.WITHDRAW_CONSENT))  # fmt: skip
