"""A stranger cannot tell "not there" from "not yours": same answer, same work, same events.

Every operation that takes an id is asked twice, with the id of a record that is there
but out of reach and with one that nothing has. All that differs is the request's id.
How long the two take is compared in test_existence_hiding_times.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import Engine

from api.accesslog.event import Event, Touched
from api.demo.synthetic import SARI, TUTI, WAYAN
from tests.inside import Inside, exchanged
from tests.scenarios.hiding import (
    PROOF,
    RANDOM,
    READ,
    Question,
    questions,
    send,
)
from tests.scenarios.id_arguments import place_of, places
from tests.world import Answer, World

pytestmark = pytest.mark.long

#: Set in the task that asks, and in what that task calls.
_ASKED: ContextVar[bool] = ContextVar("_ASKED", default=False)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the text of every SQL statement of every engine, of the request that is asked.

    What the service does by itself, at moments of its own, says nothing of a request: its
    tasks began before, so they do not see the mark.
    """
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if _ASKED.get():
            seen.append(statement)

    mark = _ASKED.set(True)
    sqlalchemy_event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy_event.remove(Engine, "before_cursor_execute", note)
        _ASKED.reset(mark)


def kind_of(event: Event) -> Any:
    """Give all of an event that somebody else's officer could compare, but ids and times."""
    return (
        event.actor,
        event.organisation,
        event.action,
        event.phase,
        event.purpose,
        event.decision,
        event.code,
        event.outcome,
        [
            (t.decision, t.ground, t.reason, t.compartments, _without_asked(t), len(t.records))
            for t in event.touched
        ],
    )


def _without_asked(touched: Touched) -> tuple[str, ...]:
    """Give the words of a group without the ids that an officer's look names among them."""
    return tuple(word.partition("asked:")[1] or word for word in touched.fields)


async def asked(
    inside: Inside, question: Question, value: object
) -> tuple[Answer, list[str], list[Event], int]:
    """Ask; give the answer, the statements, the events, and how many keys were opened."""
    world = inside.world
    size = await world.size()
    inside.keyring.opened.clear()
    with statements() as seen:
        answer = await send(world, question, value)
    return answer, seen, await world.events(size), len(inside.keyring.opened)


def without_ids(answer: Answer) -> str:
    """Take the request's id and the receipt, which has one length, out of an answer."""
    text = re.sub(r'"requestId":"[0-9a-f]{32}"', "", answer.text)
    text, receipts = re.subn(r'"accessLog":"[A-Za-z0-9_-]{176}"', "", text)
    assert receipts <= 1  # An attachment has it in a header.
    return text


@pytest.fixture
async def inside(world: World) -> Any:
    async with exchanged(world) as inside:
        yield inside


async def test_what_is_not_yours_looks_exactly_like_what_is_not_there(inside: Inside) -> None:
    told = {}
    world = inside.world
    for name, question in (await questions(world)).items():
        nothing = RANDOM.get(name, uuid4())
        # Once beforehand, so that both find every cache in the same state.
        await asked(inside, question, nothing)
        foreign = await asked(inside, question, question.foreign)
        random = await asked(inside, question, nothing)

        assert foreign[0].status == random[0].status, name
        assert without_ids(foreign[0]) == without_ids(random[0]), name
        assert foreign[1] == random[1] != [], name
        assert [kind_of(e) for e in foreign[2]] == [kind_of(e) for e in random[2]], name
        assert foreign[3] == random[3], name
        told[name] = without_ids(foreign[0])
        assert foreign[2], name  # each left a word in the log
        # The case file of another agency of which the database was asked instead is not named.
        assert not {a for e in random[2] for a in e.agencies} - {e.organisation for e in random[2]}
    # The question was understood, each time: it is the answer that is hidden.
    of_herself = told.pop("explain, for a purpose that is not hers")
    assert "PURPOSE_DOES_NOT_FIT" in of_herself
    assert all("NOT_FOUND" in t or "[]" in t or "ASSIGN" in t for t in told.values()), told


async def test_an_event_of_another_agency_looks_like_one_beyond_the_end(inside: Inside) -> None:
    world = inside.world
    await world.ask(WAYAN, "{ caseFiles(first: 1) { edges { cursor } } }")
    theirs = await world.size() - 1
    question = Question(TUTI, PROOF, "id", theirs, face="oversight", purpose="quality_review")

    foreign = await asked(inside, question, theirs)
    beyond = await asked(inside, question, 10**6)

    assert foreign[0].codes == ["NOT_FOUND"]
    assert without_ids(foreign[0]) == without_ids(beyond[0])
    assert foreign[1] == beyond[1]
    assert [kind_of(e) for e in foreign[2]] == [kind_of(e) for e in beyond[2]]


#: What is another one with each request, whatever it finds.
OF_THE_REQUEST = {"x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}


async def test_headers_do_not_tell_either(inside: Inside) -> None:
    world = inside.world
    theirs = next(f for f in world.records.case_files if f.lead_agency == "lpsk").id

    foreign = await world.ask(SARI, READ, {"id": str(theirs)})
    random = await world.ask(SARI, READ, {"id": str(uuid4())})

    def told(answer: Answer) -> dict[str, str]:
        return {n: v for n, v in dict(answer.headers).items() if n not in OF_THE_REQUEST}

    assert told(foreign) == told(random)
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in (foreign, random)]
    assert left[0] - left[1] == 1


async def test_a_broken_record_looks_like_none(inside: Inside) -> None:
    world = inside.world
    await world.run("update case_file set event = 0")
    question = Question(SARI, READ, "id", world.records.open_to_sari)

    broken = await asked(inside, question, world.records.open_to_sari)
    random = await asked(inside, question, uuid4())

    assert broken[0].codes == ["NOT_FOUND"]
    assert without_ids(broken[0]) == without_ids(random[0])
    assert [kind_of(e) for e in broken[2]] == [kind_of(e) for e in random[2]]


async def test_every_argument_that_takes_an_id_is_asked_above(inside: Inside) -> None:
    """A new operation with an id needs a new question; this fails until it has one."""
    asked_for = {place_of(question) for question in (await questions(inside.world)).values()}

    there = places()
    assert len(there) > 20
    # A search takes no id, and is asked besides: for a number that somebody else has.
    assert asked_for - there == {("agency", "findDefenders", "value")}
    assert there - asked_for == set()


async def test_no_address_is_served_that_takes_an_id_and_is_not_asked(inside: Inside) -> None:
    """What is beside the faces takes an id in a header, or none; a new address is told here."""
    assert {getattr(route, "path", "") for route in inside.world.app.routes} == {
        "/attachments",
        "/attachments/content",
        "/graphql/agency",
        "/graphql/oversight",
        "/graphql/partner",
        "/imports",  # It takes rows of a file, and no id.
    }
