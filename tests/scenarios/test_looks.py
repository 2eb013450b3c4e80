"""Two persons look at the whereabouts over HTTP: together, once, and what the log says of it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from api.accesslog.event import Event
from api.casework.budgets import Budgets
from api.casework.looks import STANDING_MOST
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.store.tables import RIGHTS
from api.vocabulary import Action, Compartment, Decision, Ground, Outcome, Reason, RecordKind
from tests.inside import Inside, exchanged
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
from tests.scenarios.breaking_glass import codes
from tests.scenarios.hiding import ASSIGN, UNASSIGN
from tests.scenarios.looking import (
    READ,
    agreed,
    approve,
    ask,
    look,
    request,
    requested,
    shown,
    waiting,
)
from tests.scenarios.referring import ACCEPT, assign, referred, say
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

MOMENT = timedelta(seconds=1)
TO_APPROVE, TO_LOOK = timedelta(minutes=10), timedelta(minutes=5)

LIST = "{ caseFiles(first: 100) { edges { node { defenders { presentLocation } } } } }"
PERSON = "query ($id: ID!) { defender(id: $id) { presentLocation } }"
FIND = """{ findDefenders(by: NAME, value: "%s", first: 20) { defender { presentLocation } } }"""
OF_LOOK = """query ($id: ID!) { accessEvents(first: 20, filter: {record: $id}) {
  edges { node { action phase actor touched { records { kind id } } } } } }"""


def where(world: World) -> list[str | None]:
    """Give the true whereabouts in the case file that is open to Sari."""
    file = next(f for f in world.records.case_files if f.id == world.records.open_to_sari)
    people = {d.id: d for d in world.records.defenders}
    return [people[one].present_location for one in file.defenders]


async def closed(world: World, *who: str) -> None:
    """Assert that no other question shows the whereabouts to *who*."""
    person = first_defender(world, world.records.open_to_sari)
    for subject in who:
        for query, record in (
            (READ, world.records.open_to_sari),
            (PERSON, person.id),
            (LIST, NOBODY),
            (FIND % person.full_name, NOBODY),
        ):
            answer = await ask(world, query, record, subject)
            assert answer.data
            assert str(person.present_location) not in answer.text


async def only(world: World, since: int, action: Action) -> list[Event]:
    return [e for e in await world.events(since) if e.action is action]


async def refused(world: World, made: object, code: str, **options: Any) -> None:
    """Assert that the look shows nothing: no event says that anything was disclosed."""
    size = await world.size()
    answer = await look(world, made, **options)
    assert (shown(answer), codes(answer)) == (None, [code])
    assert all(e.decision is not Decision.DISCLOSED for e in await world.events(size))


async def member(inside: Inside, subject: str, **changed: Any) -> None:
    """Change a member's row as the agency itself would, with its seal."""
    world, person = inside.world, inside.world.records.member(subject)
    mine, names = as_key(world, person.id), RIGHTS["member"]
    [row] = await world.run(f"select {', '.join(names)} from member where id = ?", [mine])
    values = dict(zip(names, row, strict=True)) | {"id": person.id} | changed
    key = inside.house.keyring.rights(person.organisation)
    said = ", ".join(f"{name} = ?" for name in changed)
    seal = key.seal("member", [values[name] for name in names])
    await world.run(
        f"update member set {said}, seal = ? where id = ?", [*changed.values(), seal, mine]
    )


async def staff(world: World, query: str, who: str) -> None:
    """Let Hartono assign or unassign somebody of his agency at Sari's case file."""
    given = {"id": str(world.records.open_to_sari), "who": id_of(world, who)}
    answer = await world.ask("hartono", query, given, purpose="supervision")
    assert codes(answer) == []


# -- the whole way ---------------------------------------------------------------------


async def test_two_persons_see_the_whereabouts_once(world: World) -> None:
    file, sari, budi = world.records.open_to_sari, id_of(world, SARI), id_of(world, BUDI)
    person = first_defender(world, file)
    size = await world.size()

    answer = await request(world)

    said = answer.data["requestLook"]
    made = said["lookId"]
    assert said["expiresAt"] == (world.clock() + TO_APPROVE).isoformat()
    assert_change(await world.events(size), Action.REQUEST_LOOK, Outcome.DONE)
    await refused(world, made, "SECOND_PERSON_NEEDED")
    assert codes(await approve(world, made, by=SARI)) == ["SECOND_PERSON_NEEDED"]
    [one] = await waiting(world)
    assert (one["id"], one["requestedBy"]) == (made, sari)
    assert one["expiresAt"] == said["expiresAt"]
    for who in (SARI, "rizal"):
        assert await waiting(world, who) == []
    assert await waiting(world, BUDI, "protection") == [], "who supervises says so"

    agreement = await approve(world, made)

    until = (world.clock() + TO_LOOK).isoformat()
    assert agreement.data["approveLook"] == {"lookId": made, "expiresAt": until, "errors": []}
    assert await waiting(world) == []
    assert codes(await approve(world, made, by="hartono")) == ["LOOK_OVER"]
    await closed(world, SARI, BUDI)
    size = await world.size()

    answer = await look(world, made)

    assert shown(answer) == where(world)
    assert where(world)[0] is not None
    seen = answer.data["lookAtWhereabouts"]["defenders"][0]
    assert (seen["fullName"], seen["withheld"]) == (person.full_name, [])
    intent, done, opened = await world.events(size)
    assert_change([intent, done], Action.LOOK, Outcome.DONE)
    assert (opened.action, opened.decision) == (Action.LOOK, Decision.DISCLOSED)
    [group] = [t for t in opened.touched if Compartment.WHEREABOUTS in t.compartments]
    assert (group.decision, group.ground) == (Decision.DISCLOSED, Ground.ASSIGNED)
    assert (RecordKind.DEFENDER, person.id) in {record[:2] for record in group.records}
    assert opened.request == intent.request
    for event in (intent, done):
        assert event.touched[0].compartments == (Compartment.WHEREABOUTS,)
        assert records(event, RecordKind.LOOK) == {UUID(made)}
    await refused(world, made, "LOOK_OVER")
    await closed(world, SARI, BUDI)
    # Officers find both persons at the look, and at the case file in each of its events.
    found = await world.ask(
        "tuti", OF_LOOK, {"id": made}, face="oversight", purpose="quality_review"
    )
    nodes = [edge["node"] for edge in found.data["accessEvents"]["edges"]]
    assert {(n["action"], n["actor"]) for n in nodes} == {
        ("REQUEST_LOOK", sari),
        ("APPROVE_LOOK", budi),
        ("APPROVE_LOOK", sari),
        ("APPROVE_LOOK", id_of(world, "hartono")),
        ("LOOK", sari),
    }
    for node in nodes:
        assert {"kind": "CASE_FILE", "id": str(file)} in node["touched"][0]["records"]


async def test_a_supervisor_looks_with_an_assignee_and_two_at_once_see_it_once(
    world: World,
) -> None:
    made = await requested(world, by=BUDI)
    [one] = await waiting(world, SARI)
    assert one["id"] == made
    assert codes(await approve(world, made, by=SARI)) == []
    await refused(world, made, "NOT_FOUND", by=SARI)
    size = await world.size()

    answers = await asyncio.gather(*(look(world, made, by=BUDI) for _ in range(4)))

    assert sorted((shown(a) is not None, *codes(a)) for a in answers) == [
        *[(False, "LOOK_OVER")] * 3,
        (True,),
    ]
    events = await only(world, size, Action.LOOK)
    [opened] = [e for e in events if e.decision is Decision.DISCLOSED]
    assert opened.touched[0].decision is Decision.DISCLOSED
    assert {e.touched[0].ground for e in events if e.outcome} == {Ground.SUPERVISING}
    assert [e.outcome for e in events].count(Outcome.DONE) == 1
    assert [e.outcome for e in events].count(Outcome.NOTHING) == 3


# -- who may -----------------------------------------------------------------------------


async def test_no_more_looks_of_one_member_wait_than_may(world: World) -> None:
    for _ in range(STANDING_MOST):
        await requested(world)
    assert codes(await request(world)) == ["TOO_MANY_STAND"]

    world.clock.move(TO_APPROVE)
    await requested(world)


async def test_who_may_not_asks_for_no_look(still: World) -> None:
    extreme = next(f for f in led_by(still, "komnas-ham") if int(f.sensitivity) == 4)
    for options, code in (
        ({"by": "rizal"}, "NOT_ALLOWED"),
        ({"by": "dewi", "purpose": "intake"}, "NOT_ALLOWED"),
        ({"by": BUDI, "purpose": "protection"}, "NOT_ALLOWED"),
        ({"by": WAYAN}, "NOT_FOUND"),
        ({"file": extreme.id}, "NOT_ALLOWED"),
        ({"file": uuid4()}, "NOT_FOUND"),
    ):
        size = await still.size()
        assert codes(await request(still, **options)) == [code]
        [event] = await still.events(size)
        assert (event.action, event.decision) == (Action.REQUEST_LOOK, Decision.REFUSED)
    assert await counted(still, "look") == {"look": 0}


async def test_who_may_not_approves_and_looks_at_nothing(world: World) -> None:
    made = await requested(world)
    for who, purpose, code in (
        ("rizal", None, "NOT_ALLOWED"),
        ("dewi", "intake", "NOT_ALLOWED"),
        (BUDI, "protection", "NOT_ALLOWED"),
        (WAYAN, None, "NOT_FOUND"),
    ):
        answer = await approve(world, made, by=who, purpose=purpose)
        assert codes(answer) == [code], who
    assert codes(await approve(world, NOBODY)) == ["NOT_FOUND"]
    await refused(world, made, "SECOND_PERSON_NEEDED")
    assert codes(await approve(world, made)) == []
    for who in (BUDI, "rizal", WAYAN):
        await refused(world, made, "NOT_FOUND", by=who)
    await refused(world, NOBODY, "NOT_FOUND")
    await refused(world, made, "NOT_FOUND", purpose="supervision")
    assert shown(await look(world, made)) == where(world)


async def test_of_a_referred_record_two_see_no_whereabouts_that_were_not_shared(
    world: World,
) -> None:
    referral = await referred(world)
    assert codes(await say(world, ACCEPT, referral)) == []
    assert codes(await assign(world)) == []
    assert codes(await request(world, by=WAYAN)) == ["NOT_ALLOWED"]
    # What one agency asked for is not there for the other, on a record that both see.
    made = await requested(world)
    assert codes(await approve(world, made, by=WAYAN)) == ["NOT_FOUND"]
    assert await waiting(world, WAYAN) == []


# -- what changes between asking and looking ---------------------------------------------


async def test_who_asked_and_who_agreed_must_still_be_allowed_at_the_look(world: World) -> None:
    rizal = as_key(world, world.records.member("rizal").id)
    async with exchanged(world) as inside:
        await staff(inside.world, ASSIGN, "rizal")
        made = await agreed(inside.world, by="rizal")
        for who, low, code in ((SARI, 1, "NOT_ALLOWED"), ("rizal", 1, "SECOND_PERSON_NEEDED")):
            await member(inside, who, clearance=low)
            await refused(inside.world, made, code)
            await member(inside, who, clearance=3)
        await member(inside, "rizal", role="intake_officer")
        await refused(inside.world, made, "SECOND_PERSON_NEEDED")
        await member(inside, "rizal", role="case_officer")
        await world.run("update member set trained = 1 - trained where id = ?", [rizal])
        await refused(inside.world, made, "SECOND_PERSON_NEEDED")
        await world.run("update member set trained = 1 - trained where id = ?", [rizal])
        await staff(inside.world, UNASSIGN, "rizal")
        await refused(inside.world, made, "SECOND_PERSON_NEEDED")
        await staff(inside.world, ASSIGN, "rizal")
        assert shown(await look(inside.world, made)) == where(world), "no refusal used it up"

        other = await agreed(inside.world)
        await staff(inside.world, UNASSIGN, SARI)
        await refused(inside.world, other, "NOT_ALLOWED")


async def test_a_tie_of_either_closes_the_look(world: World) -> None:
    made = await agreed(world)
    await declared(world, memberId=id_of(world, BUDI))
    await refused(world, made, "SECOND_PERSON_NEEDED")
    other = await requested(world)
    assert codes(await approve(world, other)) == ["NOT_FOUND"]
    assert codes(await approve(world, other, by="hartono")) == []
    await declared(world)
    await refused(world, other, "NOT_FOUND")
    assert codes(await request(world)) == ["NOT_FOUND"]


async def test_a_look_is_over_when_its_time_is(world: World) -> None:
    late, made = await requested(world), await requested(world)
    world.clock.move(TO_APPROVE - MOMENT)
    assert codes(await approve(world, made)) == []
    world.clock.move(MOMENT)
    assert await waiting(world) == []
    assert codes(await approve(world, late)) == ["LOOK_OVER"]
    await refused(world, late, "LOOK_OVER")
    world.clock.move(TO_LOOK - 2 * MOMENT)
    assert shown(await look(world, made)) == where(world)
    other = await agreed(world)
    world.clock.move(TO_LOOK)
    await refused(world, other, "LOOK_OVER")


# -- what stands above the policy ----------------------------------------------------------


async def test_without_witnesses_two_see_as_little_as_one(world: World) -> None:
    there = [True]
    async with exchanged(world) as inside:
        inside.house.gate.witnessed = lambda: there[0]
        inside.house.gate._unwitnessed_stops = frozenset({Compartment.WHEREABOUTS})
        made = await agreed(inside.world)
        there[0] = False
        assert codes(await request(inside.world)) == ["NOT_ALLOWED"]
        size = await world.size()
        await refused(inside.world, made, "NOT_ALLOWED")
        [event] = await world.events(size)
        assert reasons(event) == {Reason.LOG_NOT_WITNESSED.value}
        there[0] = True
        assert shown(await look(inside.world, made)) == where(world)


async def test_a_look_counts_as_opening_people_and_stops_at_the_budget(world: World) -> None:
    people = len(where(world))
    async with exchanged(world, lambda _house: {"budgets": Budgets(people, 1_000)}) as inside:
        made, other = await agreed(inside.world), await agreed(inside.world)
        assert shown(await look(inside.world, made)) == where(world)
        # The same people are not counted twice; others are over the budget.
        elsewhere = next(
            f
            for f in assigned_to(world, SARI)
            if f.id != world.records.open_to_sari and int(f.sensitivity) < 4
        )
        third = await requested(inside.world, file=elsewhere.id)
        assert codes(await approve(inside.world, third)) == []
        size = await world.size()
        answer = await look(inside.world, third)
        assert answer.codes == ["OPENINGS_EXHAUSTED"]
        [*_, stopped] = await world.events(size)
        assert (stopped.action, stopped.decision) == (Action.LOOK, Decision.WITHHELD)
        assert reasons(stopped) == {Reason.OPENINGS_EXHAUSTED.value}
        await refused(inside.world, third, "LOOK_OVER")
        assert shown(await look(inside.world, other)) == where(world)


# -- rows that were written or edited by hand ----------------------------------------------


async def test_a_look_that_was_edited_by_hand_shows_nothing_and_is_reported(
    world: World,
) -> None:
    made = await agreed(world)
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2030-01-01 00:00:00.000000'"
    elsewhere = next(f.id for f in assigned_to(world, SARI) if f.id != world.records.open_to_sari)
    rizal, budi = (as_key(world, world.records.member(who).id) for who in ("rizal", BUDI))
    forged: dict[str, tuple[str, list[Any]]] = {
        "id": ("?", [as_key(world, uuid4())]),
        "case_file": ("?", [as_key(world, elsewhere)]),
        "agency": ("'lpsk'", []),
        "requested_by": ("?", [budi]),
        "requested_at": (moment, []),
        "approved_by": ("?", [rizal]),
        "approved_for": ("'quality_review'", []),
        "approved_at": (moment, []),
        "used_at": (moment, []),
        "expires_at": (moment, []),
        "event": ("event + 1", []),
        "seal": ("?", [bytes(32)]),
    }
    assert forged.keys() == {*RIGHTS["look"], "seal"}
    names = ", ".join(forged)
    [before] = await world.run(f"select {names} from look")
    for column, (said, values) in forged.items():
        await world.run(f"update look set {column} = {said}", values)
        by = BUDI if column == "requested_by" else SARI
        with capture_logs() as lines:
            code = "NOT_FOUND" if column in ("id", "agency") else "SEAL_BROKEN"
            await refused(world, made, code, by=by)
        told = [line["table"] for line in lines if line["event"] == "seal_broken"]
        assert told == (["look"] if code == "SEAL_BROKEN" else []), column
        back = ", ".join(f"{name} = ?" for name in forged)
        await world.run(f"update look set {back}", before)

    assert shown(await look(world, made)) == where(world), "put back, it is what was sealed"
    await world.run("update look set used_at = null")
    await refused(world, made, "SEAL_BROKEN")


async def test_an_approval_or_a_look_that_was_written_by_hand_shows_nothing(
    world: World,
) -> None:
    made = await requested(world)
    budi = as_key(world, world.records.member(BUDI).id)
    names = ", ".join(n for n in (*RIGHTS["look"], "seal") if n != "id")
    other = uuid4()
    await world.run(
        f"insert into look (id, {names}) select ?, {names} from look", [as_key(world, other)]
    )
    with capture_logs() as lines:
        assert [one["id"] for one in await waiting(world)] == [made]
    assert [line["table"] for line in lines if line["event"] == "seal_broken"] == ["look"]
    assert codes(await approve(world, other)) == ["SEAL_BROKEN"]
    await world.run(
        "update look set approved_by = ?, approved_for = 'supervision', approved_at = requested_at",
        [budi],
    )

    for one in (made, other):
        await refused(world, one, "SEAL_BROKEN")
