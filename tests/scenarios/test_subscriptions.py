"""Subscriptions: each event is decided anew, and the stream ends with the right or the token."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.vocabulary import Action, Decision, RecordKind
from tests.event_stream import COMPLETE, EVENTS, GONE, Open
from tests.inside import Inside, exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, as_key, first_defender, records
from tests.scenarios.referring import accepted
from tests.scenarios.subscribing import CHANGED, answered, opened
from tests.scenarios.test_existence_hiding import statements
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
still = sharing.still

RIZAL = "rizal"  # a case officer of Komnas HAM

NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
UPDATE = """mutation ($id: ID!, $revision: Int!) { updateDefender(input: {
  id: $id, revision: $revision, gender: "x"}) { revision errors { code } } }"""


TWO = """subscription ($id: ID!) {
  caseFileChanged(id: $id) { id } again: caseFileChanged(id: $id) { id } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside(still: World) -> AsyncIterator[Inside]:
    """Give the one world of the module: each test leaves to the others what they need."""
    async with exchanged(still) as inside:
        yield inside


@pytest.fixture
def world(inside: Inside) -> World:
    return inside.world


async def look(inside: Inside) -> None:
    """Let the process look for changes, as it does every two seconds."""
    await inside.house.following.look(inside.house.records)


async def note(world: World) -> None:
    answer = await world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})
    assert answer.data["addNote"]["errors"] == []


async def update(world: World, person: UUID) -> None:
    [[revision]] = await world.run(
        "select revision from defender where id = ?", [as_key(world, person)]
    )
    answer = await world.ask(SARI, UPDATE, {"id": str(person), "revision": revision})
    assert answer.data["updateDefender"]["errors"] == []


async def points(world: World, who: str) -> int:
    """Give what *who* has left, one less for the question."""
    answer = await world.ask(who, "{ viewer { role } }")
    return int(answer.headers["x-ratelimit-remaining"])


async def begun(one: Open) -> int:
    """Read the head and the first result; give its revision."""
    head = await one.head()
    assert head["status"] == 200
    assert dict(head["headers"])[b"content-type"] == b"text/event-stream; charset=utf-8"
    revision: int = changed(await one.next())["revision"]
    return revision


def changed(event: Any) -> dict[str, Any]:
    assert "errors" not in event
    assert len(event["extensions"]["accessLog"]) == 176
    told: dict[str, Any] = event["data"]["caseFileChanged"]
    return told


async def test_a_change_is_told_by_its_revision_after_an_event_in_the_log(inside: Inside) -> None:
    world, file = inside.world, inside.world.records.open_to_sari
    person = first_defender(world, file)
    size = await world.size()
    async with opened(world, SARI) as one:
        revision = await begun(one)
        [event] = await world.events(size)
        assert (event.action, event.decision) == (Action.READ, Decision.DISCLOSED)
        assert file in records(event, RecordKind.CASE_FILE)

        await look(inside)
        assert one.nothing()

        await note(world)
        size = await world.size()
        inside.keyring.opened.clear()
        await look(inside)
        told = changed(await one.next())
        assert told["id"] == str(file)
        assert told["revision"] == revision + 1
        assert datetime.fromisoformat(told["at"]) == world.clock()
        [event] = await world.events(size)
        assert (event.action, event.actor) == (Action.READ, world.records.member(SARI).id)
        assert inside.keyring.opened == []

        await update(world, person.id)
        await look(inside)
        assert changed(await one.next())["revision"] == revision + 2
    assert "0 followers" in repr(inside.house.following)


async def test_many_changes_are_told_once_and_nobody_else_is(inside: Inside) -> None:
    other = {"id": str(inside.world.records.closed_to_sari)}
    async with (
        opened(inside.world, SARI) as one,
        opened(inside.world, SARI, variables=other) as two,
    ):
        revision = await begun(one)
        await begun(two)
        await note(inside.world)
        await note(inside.world)
        with statements() as seen:
            await look(inside)
        assert len(seen) == 1
        assert changed(await one.next())["revision"] == revision + 2
        await look(inside)
        assert one.nothing()
        assert two.nothing()


async def test_nobody_listens_and_the_database_is_not_asked(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside.house.records, "look", None)
    await look(inside)


async def test_the_stream_ends_when_the_token_does(inside: Inside) -> None:
    world = inside.world
    token = world.token(SARI, lifetime=timedelta(minutes=5))
    async with opened(world, SARI, token=token) as one:
        await begun(one)
        world.clock.move(timedelta(minutes=4, seconds=59))
        await note(world)
        await look(inside)
        changed(await one.next())
        size = await world.size()
        world.clock.move(timedelta(seconds=1))
        await world.run(
            "update case_file set revision = revision + 1 where id = ?",
            [as_key(world, world.records.open_to_sari)],
        )
        await look(inside)
        assert await one.next() == COMPLETE
        assert await world.events(size) == []


async def test_the_stream_ends_by_the_clock_without_any_change(inside: Inside) -> None:
    world = inside.world
    token = world.token(SARI, lifetime=timedelta(seconds=1))
    world.clock.move(timedelta(milliseconds=950))
    async with opened(world, SARI, token=token) as one:
        await begun(one)
        world.clock.move(timedelta(milliseconds=50))
        assert await one.next() == COMPLETE
        assert await one.next() == GONE


async def test_who_is_disabled_is_told_nothing_more(inside: Inside) -> None:
    world = inside.world
    async with opened(world, RIZAL) as one:
        await begun(one)
        await note(world)
        await world.run(
            "update member set disabled_at = (select max(written_at) from note) where id = ?",
            [as_key(world, world.records.member(RIZAL).id)],
        )
        await look(inside)
        assert await one.next() == COMPLETE
        assert await one.next() == GONE


async def test_what_a_referral_left_out_is_not_told(inside: Inside) -> None:
    world, file = inside.world, inside.world.records.open_to_sari
    await accepted(world)
    async with opened(world, WAYAN) as one:
        revision = await begun(one)
        left = await points(world, WAYAN)
        await note(world)
        size = await world.size()
        await look(inside)
        assert await points(world, WAYAN) == left - 1  # By the question itself.
        assert await world.events(size) == []

        await update(world, first_defender(world, file).id)
        await look(inside)
        assert changed(await one.next())["revision"] == revision + 1


async def test_who_may_no_longer_see_it_is_told_nothing_more_and_no_reason(inside: Inside) -> None:
    world = inside.world
    async with opened(world, BUDI, purpose="supervision") as one:
        await begun(one)
        await note(world)
        await declared(world, memberId=id_of(world, BUDI))
        size = await world.size()
        await look(inside)
        assert await one.next() == COMPLETE
        # Budi tried nothing, so there is no event of an attempt.
        assert await world.events(size) == []


@pytest.mark.parametrize("who", [WAYAN, SARI])
async def test_what_is_not_there_is_answered_as_a_query_is(world: World, who: str) -> None:
    file = world.records.closed_to_sari if who == WAYAN else NOBODY
    asked = {"id": str(file)}
    size = await world.size()
    async with opened(world, who, variables=asked) as one:
        await one.head()
        told = await one.next()
        assert await one.next() == COMPLETE
    query = await world.ask(who, "query ($id: ID!) { caseFile(id: $id) { id } }", asked)
    subscribed, read = await world.events(size)

    def said(error: dict[str, Any]) -> Any:
        return error["message"], error["extensions"]["code"]

    assert told["data"] == {"caseFileChanged": None}
    assert [said(e) for e in told["errors"]] == [said(e) for e in query.body["errors"]]
    assert (subscribed.action, subscribed.decision, subscribed.touched) == (
        read.action,
        read.decision,
        read.touched,
    )


async def test_a_client_that_takes_no_events_is_refused(world: World) -> None:
    asked = {"id": str(world.records.open_to_sari)}
    size = await world.size()
    answer = await world.ask(SARI, CHANGED, asked)
    assert (answer.status, answer.codes) == (406, ["EVENT_STREAM_NEEDED"])
    assert await world.events(size) == []


@pytest.mark.parametrize("accept", [EVENTS, f"application/json;q=0, {EVENTS}"])
async def test_a_query_is_answered_as_one_event_where_nothing_else_is_taken(
    world: World, accept: str
) -> None:
    async with opened(world, SARI, "{ viewer { role } }", {}, accept=accept) as one:
        await one.head()
        assert (await one.next())["data"] == {"viewer": {"role": "CASE_OFFICER"}}
        assert await one.next() == COMPLETE
    both = await answered(
        world, SARI, "{ viewer { role } }", variables={}, accept=f"application/json, {EVENTS}"
    )
    assert both.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("subscription { caseFileChanged(id: 7, no: 1) { id } }", 400, "DOCUMENT_INVALID"),
        (TWO, 400, "DOCUMENT_INVALID"),
        (CHANGED, 200, "MALFORMED_ID"),
    ],
)
async def test_what_cannot_be_executed_is_refused(
    world: World, query: str, status: int, code: str
) -> None:
    answer = await answered(world, SARI, query, variables={"id": "7"})
    assert (answer.status, answer.codes) == (status, [code])


@pytest.mark.parametrize(
    ("who", "face", "code"),
    [
        (TUTI, "agency", "NOT_FOR_THIS_FACE"),
        (TUTI, "oversight", "DOCUMENT_INVALID"),
        (RATNA, "partner", "DOCUMENT_NOT_TRUSTED"),
    ],
)
async def test_other_faces_have_no_subscription(
    world: World, who: str, face: str, code: str
) -> None:
    assert (await answered(world, who, CHANGED, face=face)).codes == [code]


async def test_a_proof_is_asked_of_a_token_that_is_bound_to_a_key(world: World) -> None:
    token = world.token(SARI, key_thumbprint=world.application.thumbprint)
    assert (await answered(world, SARI, CHANGED, token=token)).codes == ["DPOP_REQUIRED"]


async def test_a_stream_is_no_request_under_way_and_has_a_bound_of_its_own(
    template: Any, tmp_path: Any
) -> None:
    more = "requests_at_once = 1\nstreams_per_member = 2\nstreams_per_process = 6\n"
    async with sharing.opened(
        template, tmp_path / "perisai", sharing.Clock(sharing.NOON), more=more
    ) as world:
        first = None
        async with AsyncExitStack() as streams:
            for who, purpose in ((SARI, "protection"), (SARI, "protection"), (BUDI, "supervision")):
                one = await streams.enter_async_context(opened(world, who, purpose=purpose))
                await begun(one)
                first = first or one
                assert (await world.ask(SARI, "{ viewer { role } }")).status == 200
                full = who == BUDI
                for other, busy in ((SARI, one is not first), (RIZAL, full)):
                    answer = await answered(world, other)
                    assert answer.codes == (["STREAMS_BUSY"] if busy else []), other
                    assert answer.status == (429 if busy else 200)
        assert (await answered(world, SARI, CHANGED)).codes == []


async def test_each_event_costs_a_point(inside: Inside) -> None:
    left = await points(inside.world, SARI)
    async with opened(inside.world, SARI) as one:
        await begun(one)
        await note(inside.world)
        await look(inside)
        changed(await one.next())
    # The subscribing, the note, its event and the question.
    assert await points(inside.world, SARI) == left - 4
