"""Delegation over HTTP: what it opens, how it ends, and that no giver hands on too much."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from api.casework import rights
from api.casework.delegations import STANDING_MOST
from api.casework.facts import facts_of
from api.casework.provisioning import disable_member
from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Allowed
from api.store import case_files, delegations, members
from api.store.case_file_statements import EVERYWHERE, SCOPE, Shape, Which
from api.store.tables import RIGHTS
from api.vocabulary import (
    CASEWORK_ROLES,
    Action,
    Caseworker,
    Compartment,
    Decision,
    Ground,
    MemberId,
    Organisation,
    Outcome,
    Purpose,
    Reason,
    RecordKind,
    Role,
)
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
    reasons,
    records,
)
from tests.scenarios.delegating import (
    DEWI,
    MARIA,
    READ,
    RIZAL,
    WEEK,
    as_sealed,
    delegate,
    delegated,
    end,
    id_of,
    opened,
)
from tests.scenarios.referring import END as END_REFERRAL
from tests.scenarios.referring import HARTONO, HASAN, INDAH, SURYA, accepted, codes, refer, say
from tests.scenarios.test_access_review import WHO, by_member
from tests.scenarios.test_assignments import assign, unassign
from tests.scenarios.test_statements import counted as statements
from tests.scenarios.tying import declared, withdraw
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

MOMENT = timedelta(microseconds=1)
FIND = """query ($value: String!) { findDefenders(by: NAME, value: $value, first: 20) {
  defender { id fullName phones } caseFiles { id } } }"""
LIST = "{ caseFiles(first: %d) { edges { node { id defenders { fullName } } } } }"
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
UPDATE = """mutation ($id: ID!) { updateDefender(input: {id: $id, revision: 1, gender: "x"}) {
  revision errors { code } } }"""


# -- what it opens --------------------------------------------------------------------


async def test_what_was_named_opens_on_the_very_next_request_and_nothing_else(
    world: World,
) -> None:
    assert await opened(world) == set()
    size = await world.size()

    made = await delegated(world)

    events = await world.events(size)
    assert len(events) == 2
    assert_change(events, Action.DELEGATE_CASE_FILE, Outcome.DONE)
    [touched] = events[0].touched
    assert touched.ground is Ground.ASSIGNED
    assert set(touched.compartments) == {Compartment.IDENTITY, Compartment.CONTACT}
    assert records(events[0], RecordKind.DELEGATION) == {made}
    assert records(events[0], RecordKind.CASE_FILE) == {world.records.open_to_sari}
    assert records(events[0], RecordKind.MEMBER) == {world.records.member(MARIA).id}

    size = await world.size()
    assert await opened(world) == {"IDENTITY", "CONTACT"}
    [event] = await world.events(size)
    grounds = {t.ground for t in event.touched if t.compartments and t.ground is not None}
    assert grounds == {Ground.DELEGATED}
    assert reasons(event) == {Reason.COMPARTMENT_NOT_HELD.value}
    assert await opened(world, RIZAL) == set()
    assert await opened(world, file=world.records.closed_to_sari) == set()

    person, size = first_defender(world, world.records.open_to_sari), await world.size()
    found = await world.ask(MARIA, FIND, {"value": person.full_name})
    listed = await world.ask(MARIA, LIST % 100)
    shown = {hit["defender"]["fullName"]: hit for hit in found.data["findDefenders"]}
    assert shown[person.full_name]["caseFiles"] == [{"id": str(world.records.open_to_sari)}]
    assert person.full_name in listed.text
    events = await world.events(size)
    assert [e.action for e in events] == [Action.SEARCH, Action.READ, Action.LIST]
    assert all(Ground.DELEGATED in {t.ground for t in e.touched} for e in events)


async def test_a_page_takes_no_statement_for_each_row_and_none_for_who_has_nothing(
    world: World,
) -> None:
    async def taken(first: int) -> int:
        with statements() as seen:
            assert (await world.ask(MARIA, LIST % first)).data
        return len(seen)

    before = await taken(100)
    for file in assigned_to(world, RIZAL)[:3]:
        await delegated(world, by=RIZAL, file=file.id, compartments=["IDENTITY"])
    await delegated(world)

    assert await taken(100) == before + 1
    # Where a giver was ever tied: the ties, and what is reported.
    await declared(world, RIZAL, caseFileId=str(world.records.closed_to_sari))
    assert await taken(100) in (before + 2, before + 3)


async def test_whom_work_is_handed_to_does_it(world: World) -> None:
    file = world.records.open_to_sari
    person = first_defender(world, file)
    for query, record in ((NOTE, file), (UPDATE, person.id)):
        assert codes(await world.ask(MARIA, query, {"id": str(record)})) == ["NOT_ALLOWED"]
    await delegated(world, compartments=["IDENTITY", "NARRATIVE"])
    size = await world.size()

    for query, record in ((NOTE, file), (UPDATE, person.id)):
        assert codes(await world.ask(MARIA, query, {"id": str(record)})) == []

    intents = [e for e in await world.events(size) if e.outcome is None]
    assert {e.touched[0].ground for e in intents if e.decision is Decision.ALLOWED} == {
        Ground.DELEGATED
    }


async def test_it_opens_what_both_roles_read_for_a_purpose_of_both(world: World) -> None:
    """Who does intake reads no adversary, and has not the purpose protection."""
    file = world.records.open_to_sari
    await delegated(world, to=DEWI, compartments=["IDENTITY", "ADVERSARY", "NARRATIVE"])
    assert await opened(world, DEWI, purpose="intake") == {"IDENTITY", "NARRATIVE"}
    adversary = """query ($id: ID!) { caseFile(id: $id) { withheld { field }
      adversaryInstitutions } }"""
    answer = await world.ask(DEWI, adversary, {"id": str(file)}, purpose="intake")
    assert answer.data["caseFile"]["withheld"] == [{"field": "adversaryInstitutions"}]

    assert codes(await assign(world, DEWI, to=file)) == []
    await delegated(world, by=DEWI, compartments=["IDENTITY"], purpose="intake")
    assert await opened(world, purpose="assessment") == {"IDENTITY"}
    assert await opened(world, purpose="protection") == set()


async def test_two_givers_add_up_and_each_ends_alone(world: World) -> None:
    file = world.records.open_to_sari
    assert codes(await assign(world, RIZAL, to=file)) == []
    await delegated(world, compartments=["CONTACT"])
    made = await delegated(world, by=RIZAL, compartments=["IDENTITY"])
    assert await opened(world) == {"CONTACT", "IDENTITY"}

    assert codes(await end(world, made, by=RIZAL)) == []

    assert await opened(world) == {"CONTACT"}


# -- who gives what to whom -----------------------------------------------------------


async def refused(world: World, code: str, **options: Any) -> None:
    """Assert that it is refused with one event, no row, and nothing open."""
    size, before = await world.size(), await counted(world, "delegation")
    assert codes(await delegate(world, **options)) == [code]
    [event] = await world.events(size)
    assert (event.action, event.decision, event.code) == (
        Action.DELEGATE_CASE_FILE,
        Decision.REFUSED,
        code,
    )
    assert await counted(world, "delegation") == before


async def test_nobody_gives_what_they_may_not_open_by_their_own_assignment(still: World) -> None:
    await refused(still, "NOT_ALLOWED", by=RIZAL)
    await refused(still, "NOT_ALLOWED", by=BUDI, purpose="supervision")
    await refused(still, "NOT_ALLOWED", by=HARTONO, purpose="supervision")
    await refused(still, "NOT_ALLOWED", by=SARI, file=still.records.closed_to_sari)
    for more in ("WHEREABOUTS", "GENDER_VIOLENCE"):
        # For protection officers; for who was trained.
        await refused(still, "NOT_ALLOWED", compartments=["IDENTITY", more])
    await refused(still, "NOT_FOUND", by=WAYAN)
    await refused(still, "NOT_FOUND", file=uuid4())


async def test_what_one_opens_beside_the_own_assignment_is_not_handed_on(world: World) -> None:
    """Neither what was handed over, nor what somebody supervises."""
    await delegated(world)
    await refused(world, "NOT_ALLOWED", by=MARIA, to=RIZAL, compartments=["CONTACT"])
    given = {"by": HARTONO, "purpose": "supervision", "compartments": ["NARRATIVE"]}
    await refused(world, "NOT_ALLOWED", **given)
    assert codes(await assign(world, HARTONO, to=world.records.open_to_sari)) == []

    await delegated(world, **given)

    assert await opened(world, MARIA) == {"CONTACT", "IDENTITY", "NARRATIVE"}


async def test_what_cannot_be_given_is_no_row(still: World) -> None:
    before = await counted(still, "delegation")
    for given, code in (
        ({"compartments": []}, "VALUE_INVALID"),
        ({"compartments": ["RELEASE"]}, "VALUE_INVALID"),
        ({"lasting": timedelta(0)}, "VALUE_INVALID"),
        ({"lasting": timedelta(days=30) + MOMENT}, "VALUE_INVALID"),
        ({"until": "2026-11-05T00:00:00"}, "VALUE_INVALID"),
        ({"to": SARI}, "ASSIGNEE_INVALID"),
        ({"to": TUTI}, "ASSIGNEE_INVALID"),
        ({"to": WAYAN}, "ASSIGNEE_INVALID"),
        ({"to": NOBODY}, "ASSIGNEE_INVALID"),
    ):
        assert codes(await delegate(still, **given)) == [code], given
    assert await counted(still, "delegation") == before


async def test_it_lasts_no_longer_than_the_givers_assignment(world: World) -> None:
    file = world.records.closed_to_sari
    until = world.clock() + WEEK
    assert codes(await assign(world, SARI, until=until)) == []
    over = {"file": file, "lasting": WEEK + MOMENT}
    assert codes(await delegate(world, **over)) == ["VALUE_INVALID"]
    await delegated(world, file=file)
    # Of two assignments the one that lasts longer.
    assert codes(await assign(world, SARI, until=until + WEEK)) == []
    await delegated(world, **over)


# -- its end --------------------------------------------------------------------------


async def test_no_more_stand_at_once_than_may(world: World) -> None:
    made = [await delegated(world) for _ in range(STANDING_MOST)]
    assert codes(await delegate(world)) == ["TOO_MANY_STAND"]

    assert codes(await end(world, made[0])) == []
    await delegated(world)


async def test_it_is_not_passed_on_by_a_referral(world: World) -> None:
    file = next(
        f.id
        for f in assigned_to(world, WAYAN)
        if first_defender(world, f.id).present_location is not None
    )
    refer_it = {"by": HASAN, "file": file, "to": "komnas-ham", "compartments": ["WHEREABOUTS"]}
    assert codes(await refer(world, **refer_it)) == ["NOT_ALLOWED"]
    await delegated(world, by=WAYAN, to=INDAH, file=file, compartments=["WHEREABOUTS"])
    assert "WHEREABOUTS" in await opened(world, INDAH, file=file)

    assert codes(await refer(world, **{**refer_it, "by": INDAH})) == ["NOT_ALLOWED"]


async def test_it_ends_with_its_time(world: World) -> None:
    made = await delegated(world)
    world.clock.move(WEEK - MOMENT)
    assert await opened(world) == {"IDENTITY", "CONTACT"}
    world.clock.move(MOMENT)
    assert await opened(world) == set()
    assert codes(await end(world, made)) == ["NOT_FOUND"]


async def test_the_giver_or_who_staffs_ends_it(world: World) -> None:
    assert codes(await assign(world, RIZAL, to=world.records.open_to_sari)) == []
    made = await delegated(world)
    assert codes(await end(world, made, by=MARIA)) == ["NOT_ALLOWED"]
    assert codes(await end(world, made, by=WAYAN)) == ["NOT_FOUND"]
    # An assignee, but not the giver.
    assert codes(await end(world, made, by=RIZAL)) == ["NOT_FOUND"]
    for who, purpose in ((SARI, "protection"), (BUDI, "supervision")):
        assert await opened(world) == {"IDENTITY", "CONTACT"}
        size = await world.size()

        assert codes(await end(world, made, by=who, purpose=purpose)) == []

        assert await opened(world) == set()
        events = await world.events(size)
        assert_change(events, Action.END_DELEGATION, Outcome.DONE)
        assert records(events[0], RecordKind.DELEGATION) == {made}
        assert codes(await end(world, made, by=who, purpose=purpose)) == ["NOT_FOUND"]
        key = as_key(world, made)
        [(by,)] = await world.run("select ended_by from delegation where id = ?", [key])
        assert str(by).replace("-", "") == world.records.member(who).id.hex
        made = await delegated(world)


BOTH = {"IDENTITY", "GENDER_VIOLENCE"}


async def test_what_the_giver_loses_is_lost_to_the_receiver_on_the_next_request(
    world: World,
) -> None:
    """In every process: each has answered before, so that what can be kept is kept."""
    file = world.records.closed_to_sari
    person = first_defender(world, file).full_name

    async def give() -> None:
        await delegated(world, by=RIZAL, to=HARTONO, file=file, compartments=sorted(BOTH))

    async def all_open(left: set[str]) -> None:
        for served in (inside.world, world):
            assert await opened(served, HARTONO, file=file) == left
        found = await world.ask(HARTONO, FIND, {"value": person})
        assert (person in found.text) is bool(left)

    async with exchanged(world) as inside:
        await give()
        await all_open(BOTH)
        tie = await declared(world, RIZAL, caseFileId=str(file))
        await all_open(set())
        assert codes(await withdraw(world, tie, by=HARTONO)) == []
        await all_open(BOTH)
        # Of a tie whose seal does not hold nobody can tell any more what it was about.
        await world.run("update tie set event = event + 1")
        await all_open(set())
        await world.run("update tie set event = event - 1")

        assert codes(await unassign(world, RIZAL)) == []
        await all_open(set())
        # Another assignment does not bring back what rested on the one that ended.
        assert codes(await assign(world, RIZAL)) == []
        await all_open(set())

        await give()
        await all_open(BOTH)
        assert await disable_member(inside.house, "komnas-ham", RIZAL)
        await all_open(set())


async def test_what_the_giver_may_no_longer_open_is_narrower_at_once_and_comes_back(
    world: World,
) -> None:
    file = world.records.closed_to_sari
    await delegated(world, by=RIZAL, to=HARTONO, file=file, compartments=sorted(BOTH))
    was = {"clearance": 3, "trained": 1, "role": "case_officer"}
    async with exchanged(world) as inside:
        for lost, left in (
            ({"clearance": 1}, set()),
            ({"trained": 0}, {"IDENTITY"}),
            ({"role": "operator"}, set()),
            ({"role": "intake_officer"}, set()),  # Whose purpose protection is not.
        ):
            await as_sealed(inside.house, world, RIZAL, **lost)
            assert await opened(world, HARTONO, file=file) == left
            await as_sealed(inside.house, world, RIZAL, **was)
            assert await opened(world, HARTONO, file=file) == BOTH


async def test_a_receiver_who_is_tied_or_disabled_has_nothing_and_is_given_nothing(
    world: World,
) -> None:
    asked = {"id": str(world.records.open_to_sari)}
    await delegated(world)
    await declared(world, MARIA)
    assert (await world.ask(MARIA, READ, asked)).codes == ["NOT_FOUND"]
    assert codes(await delegate(world)) == ["ASSIGNEE_INVALID"]
    await delegated(world, to=RIZAL)
    async with exchanged(world) as inside:
        await as_sealed(inside.house, world, RIZAL, clearance=1)
        assert codes(await delegate(world, to=RIZAL)) == ["ASSIGNEE_INVALID"]
        assert await disable_member(inside.house, "komnas-ham", RIZAL)
    assert (await world.ask(RIZAL, READ, asked)).codes == ["NOT_FOR_THIS_FACE"]
    assert codes(await delegate(world, to=RIZAL)) == ["ASSIGNEE_INVALID"]


async def test_of_what_was_referred_only_what_is_shared_and_while_it_is(world: World) -> None:
    referral = await accepted(world)
    await refused(world, "NOT_ALLOWED", by=WAYAN, to=SURYA, compartments=["NARRATIVE"])
    await delegated(world, by=WAYAN, to=SURYA)
    assert await opened(world, SURYA) == {"IDENTITY", "CONTACT"}
    shown = (await shown_to(world, HASAN, "supervision"))[0]
    assert shown["receiver"] == id_of(world, SURYA)

    assert codes(await say(world, END_REFERRAL, referral)) == []

    answer = await world.ask(SURYA, READ, {"id": str(world.records.open_to_sari)})
    assert answer.codes == ["NOT_FOUND"]


# -- who is told of it ----------------------------------------------------------------


async def shown_to(world: World, who: str, purpose: str = "protection") -> list[dict[str, Any]]:
    asked = {"id": str(world.records.open_to_sari)}
    answer = await world.ask(who, READ, asked, purpose=purpose)
    found: list[dict[str, Any]] = answer.data["caseFile"]["delegations"]
    return found


async def test_giver_receiver_and_who_staffs_are_shown_it_and_nobody_else(world: World) -> None:
    made = await delegated(world)
    assert codes(await assign(world, RIZAL, to=world.records.open_to_sari)) == []
    expected = {
        "id": str(made),
        "giver": id_of(world, SARI),
        "receiver": id_of(world, MARIA),
        "compartments": ["CONTACT", "IDENTITY"],
        "until": (world.clock() + WEEK).isoformat(),
    }
    for who, purpose in ((SARI, "protection"), (MARIA, "protection"), (BUDI, "supervision")):
        assert await shown_to(world, who, purpose) == [expected]
    assert await shown_to(world, RIZAL) == []
    await end(world, made)
    assert await shown_to(world, SARI) == []


async def test_who_could_see_it_by_delegation_is_named_with_the_givers_purposes(
    world: World,
) -> None:
    await delegated(world)
    person = first_defender(world, world.records.open_to_sari)
    for who, options in (
        (BUDI, {"purpose": "supervision"}),
        (TUTI, {"purpose": "quality_review", "face": "oversight"}),
    ):
        answer = await world.ask(who, WHO, {"id": str(person.id)}, **options)
        hers = by_member(answer.data["whoCanSee"])[id_of(world, MARIA)]
        assert {name: one["ground"] for name, one in hers.items()} == {
            "IDENTITY": "DELEGATED",
            "CONTACT": "DELEGATED",
        }
        purposes = hers["IDENTITY"]["purposes"]
        assert "PROTECTION" in purposes
        assert "SUPERVISION" not in purposes


# -- rows that were written by hand ---------------------------------------------------


#: What is changed, and whether the row is then still read where somebody asks: an end is
#: believed, and what names another agency is nobody's here.
FORGERIES = {
    f"id = '{NOBODY}'": True,
    "agency = 'lpsk'": False,
    "giver = (select id from member where subject = 'rizal')": True,
    "assignment = (select id from assignment where ended_at is null"
    " and id <> delegation.assignment order by ends_at desc limit 1)": True,
    "compartments = 'contact,identity,narrative'": True,
    "starts_at = (select min(starts_at) from assignment)": True,
    "ends_at = (select max(ends_at) from assignment)": True,
    "ended_by = giver": True,
    "ended_at = starts_at": False,
    "event = event + 1": True,
    "seal = (select max(seal) from assignment)": True,
}


async def test_a_row_that_was_changed_by_hand_gives_nothing_and_is_reported(
    world: World,
) -> None:
    await delegated(world)
    changed = {forgery.partition(" ")[0] for forgery in FORGERIES}
    # The two that are left out are moved below.
    assert changed == {*RIGHTS["delegation"], "seal"} - {"case_file", "receiver"}
    [before] = await world.run(f"select {', '.join(sorted(changed))} from delegation")
    as_it_was = ", ".join(f"{name} = ?" for name in sorted(changed))
    for forgery, reported in FORGERIES.items():
        if world.kind == "sqlite":
            forgery = forgery.replace(NOBODY, UUID(NOBODY).hex)
        await world.run(f"update delegation set {forgery}")

        with capture_logs() as lines:
            assert await opened(world) == set(), forgery

        assert any_broken(lines, "delegation") is reported, forgery
        assert await shown_to(world, BUDI, "supervision") == [], forgery
        await world.run(f"update delegation set {as_it_was}", before)
    assert await opened(world) == {"IDENTITY", "CONTACT"}


def any_broken(lines: Any, table: str) -> bool:
    return any(line["event"] == "seal_broken" and line["table"] == table for line in lines)


async def test_a_moment_that_is_spelled_to_sort_late_gives_nothing(world: World) -> None:
    """SQLite compares moments as text, and the seal what they mean."""
    if world.kind != "sqlite":
        pytest.skip("PostgreSQL keeps moments, not texts")
    await delegated(world)
    [[ends]] = await world.run("select ends_at from delegation")
    world.clock.move(timedelta(days=8))
    assert await opened(world) == set()

    for spelled in (ends[:10].replace("-", "") + "T" + ends[11:], ends.replace(" ", "T")):
        await world.run("update delegation set ends_at = ?", [spelled])
        with capture_logs() as lines:
            assert await opened(world) == set()
        assert spelled < world.clock().isoformat() or any_broken(lines, "delegation")


async def test_a_row_cannot_be_moved_or_copied_to_another_case_file_or_person(world: World) -> None:
    made = as_key(world, await delegated(world))
    other = world.records.closed_to_sari
    moves = (
        ("case_file = ?", as_key(world, other), MARIA, other),
        ("receiver = ?", as_key(world, UUID(id_of(world, RIZAL))), RIZAL, None),
    )
    for change, value, who, file in moves:
        before = await world.run("select case_file, receiver from delegation")
        await world.run(f"update delegation set {change} where id = ?", [value, made])
        with capture_logs() as lines:
            assert await opened(world, who, file=file) == set()
        assert any_broken(lines, "delegation")
        assert await opened(world) == set()
        await world.run(
            "update delegation set case_file = ?, receiver = ? where id = ?", [*before[0], made]
        )
    assert await opened(world) == {"IDENTITY", "CONTACT"}
    columns = "case_file, agency, giver, assignment, compartments, starts_at, ends_at, event, seal"
    await world.run(
        f"insert into delegation (id, receiver, {columns})"
        f" select ?, ?, {columns} from delegation where id = ?",
        [as_key(world, uuid4()), as_key(world, UUID(id_of(world, RIZAL))), made],
    )
    with capture_logs() as lines:
        assert await opened(world, RIZAL) == set()
    assert any_broken(lines, "delegation")


async def test_what_has_ended_or_rests_on_what_was_changed_by_hand_gives_nothing(
    world: World,
) -> None:
    made = await delegated(world)
    assert codes(await end(world, made)) == []
    await world.run("update delegation set ended_at = null, ended_by = null")
    assert await opened(world) == set()
    assert codes(await end(world, made)) == ["NOT_FOUND"]

    made = await delegated(world)
    await world.run("update member set event = event + 1 where subject = 'sari'")
    with capture_logs() as lines:
        assert await opened(world) == set()
    assert any_broken(lines, "member")
    await world.run("update member set event = event - 1 where subject = 'sari'")
    assert await opened(world) == {"IDENTITY", "CONTACT"}
    assert codes(await unassign(world, SARI, to=world.records.open_to_sari)) == []
    await world.run("update assignment set ended_at = null")
    with capture_logs() as lines:
        assert await opened(world) == set()
    assert any_broken(lines, "assignment")


# -- scope and decision ---------------------------------------------------------------


async def test_the_scope_in_sql_holds_all_that_a_delegation_opens(world: World) -> None:
    """On random delegations; it holds more only where the giver may no longer open."""
    dice = Random(11)
    staff = [
        member
        for member in world.records.members
        if member.organisation == "komnas-ham" and member.role in CASEWORK_ROLES
    ]
    own = {f.id for f in led_by(world, "komnas-ham")}
    shared = sorted(set(Compartment) - {Compartment.RELEASE})
    now, shape = world.clock(), Shape(Which.ALL, frozenset(), None, oversees=True)
    async with exchanged(world) as inside:
        house = inside.house
        async with house.records.change() as change:
            for number, rests in enumerate(
                a for a in world.records.assignments * 2 if a.case_file in own
            ):
                receiver = dice.choice([m for m in staff if m.id != rests.member])
                row = {
                    "id": uuid4(),
                    "case_file": rests.case_file,
                    "agency": "komnas-ham",
                    "giver": rests.member,
                    "assignment": rests.id,
                    "receiver": receiver.id,
                    "compartments": ",".join(sorted(dice.sample(shared, dice.randint(1, 7)))),
                    "starts_at": now - dice.choice([-WEEK, WEEK, WEEK, WEEK]),
                    "ends_at": now + dice.choice([-MOMENT, WEEK, WEEK, WEEK]),
                    "ended_by": None,
                    "ended_at": dice.choice([None, None, None, now]),
                    "event": number,
                }
                sealed = rights.sealed_row(house, "komnas-ham", "delegation", row)
                await delegations.insert_row(change, sealed)
        await as_sealed(house, world, SARI, clearance=1)
        wider = opens = 0
        async with house.records.snapshot() as snapshot:
            for person in staff:
                member = await members.by_id(snapshot, person.id)
                assert member is not None
                for purpose in (Purpose.ASSESSMENT, Purpose.SUPERVISION):
                    who = CaseworkerFacts(
                        "komnas-ham", member.role, member.clearance, member.trained, purpose.value
                    )
                    caller = Caseworker(
                        MemberId(person.id), Organisation("komnas-ham"), Role(member.role),
                        purpose, None, "",
                    )  # fmt: skip
                    given = {"me": person.id, "agency": "komnas-ham", "now": now}
                    rows = await case_files.read(snapshot, EVERYWHERE, shape, given)
                    facts = {row.id: facts_of(house, caller, row) for row in rows}
                    for each in (Compartment.IDENTITY, Compartment.GENDER_VIOLENCE):
                        scope = house.gate.scope(who, "open", SCOPE, each)
                        read = await case_files.read(snapshot, scope, shape, given)
                        in_scope = {row.id for row in read}
                        decided = {
                            file: verdict.ground
                            for file, row in facts.items()
                            if row is not None
                            and isinstance(verdict := house.gate.open(who, each, row), Allowed)
                        }
                        assert decided.keys() <= in_scope
                        opens += list(decided.values()).count(Ground.DELEGATED)
                        for file in in_scope - decided.keys():
                            row = facts[file]
                            assert row is not None
                            assert row.delegated
                            assert not getattr(row, f"delegates_{each.value}")
                            wider += 1
    assert opens > 5
    assert wider > 0
