"""A stranger cannot tell "not there" from "not yours": same answer, same work, same events.

Every operation that takes an id is asked twice, with the id of a record that is there
but out of reach and with one that nothing has. All that differs is the request's id.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import Engine

from api.accesslog.event import Event
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.vocabulary import Organisation
from tests.inside import Inside, exchanged
from tests.world import Answer, World

READ = """query ($id: ID!) { caseFile(id: $id) {
  id reference account defenders { fullName withheld { field } } notes { body }
  withheld { field } } }"""
DEFENDER = "query ($id: ID!) { defender(id: $id) { id revision fullName phones presentLocation } }"
FIND = """query ($value: String!) { findDefenders(by: %s, value: $value) {
  score defender { id fullName } caseFiles { reference } } }"""
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code message } } }"""
UPDATE = """mutation ($id: ID!) { updateDefender(input: {id: $id, revision: 1, gender: "x"}) {
  defender { id fullName } errors { code message } } }"""
ASSIGN = """mutation ($id: ID!, $who: ID!) { assignCaseworker(input: {
  caseFileId: $id, memberId: $who, until: "2026-12-01T00:00:00Z"}) {
  assignmentId errors { code message } } }"""
UNASSIGN = """mutation ($id: ID!, $who: ID!) { unassignCaseworker(input: {
  caseFileId: $id, memberId: $who}) { assignmentId errors { code message } } }"""
RELEASE = "query ($id: ID!) { release(id: $id) { id agency content { summary } } }"
EVENTS = """query ($id: ID!) { accessEvents(first: 5, filter: {%s: $id}) {
  pageInfo { hasNextPage endCursor } edges { node { index } } } }"""
PROOF = "query ($id: Int!) { inclusionProof(index: $id) { index text } }"


class Question(NamedTuple):
    """One operation that takes an id.

    Attributes:
        foreign: name of the variable in which the two ids are put, and the id.
    """

    who: str
    query: str
    variable: str
    foreign: object
    face: str = "agency"
    purpose: str = "protection"
    more: dict[str, Any] = {}  # noqa: RUF012  # never written to


def questions(world: World) -> dict[str, Question]:
    records = world.records
    lpsk, komnas = Organisation("lpsk"), Organisation("komnas-ham")
    people = {d.id: d for d in records.defenders}
    theirs = next(
        f
        for f in records.case_files
        if f.lead_agency == lpsk and people[f.defenders[0]].nik and people[f.defenders[0]].phones
    )
    mine, closed = str(records.open_to_sari), str(records.closed_to_sari)
    person = theirs.defenders[0]
    known = people[person]
    quiet = next(m.id for m in records.members if m.organisation == lpsk and m.subject != WAYAN)
    unseen = next(d.id for d in records.defenders if d.agency == lpsk and d.id != person)
    hers = next(f for f in records.case_files if f.id == records.open_to_sari)
    wayan, sari = str(records.member(WAYAN).id), str(records.member(SARI).id)
    over = next(r for r in records.releases if r.partner != "lbh-nusantara")
    revoked = next(r for r in records.releases if r.revoked_at is not None)
    ended = next(r for r in records.releases if r.until < world.clock())
    officer = {"face": "oversight", "purpose": "quality_review"}
    partner = {"face": "partner", "purpose": "referral"}
    assert hers.lead_agency == komnas
    return {
        "case file of another agency": Question(SARI, READ, "id", theirs.id),
        "case file, from the other side": Question(WAYAN, READ, "id", mine),
        "case file, supervised": Question(BUDI, READ, "id", theirs.id, purpose="supervision"),
        "defender of another agency": Question(SARI, DEFENDER, "id", person),
        "defender by NIK": Question(SARI, FIND % "NIK", "value", known.nik),
        "defender by phone": Question(SARI, FIND % "PHONE", "value", known.phones[0]),
        "defender by name": Question(SARI, FIND % "NAME", "value", known.full_name),
        "note": Question(SARI, NOTE, "id", theirs.id),
        "update": Question(SARI, UPDATE, "id", person),
        "assign": Question(BUDI, ASSIGN, "id", theirs.id, more={"who": sari}),
        "assign whom": Question(BUDI, ASSIGN, "who", wayan, more={"id": closed}),
        "unassign": Question(BUDI, UNASSIGN, "id", theirs.id, more={"who": wayan}),
        "unassign whom": Question(BUDI, UNASSIGN, "who", wayan, more={"id": closed}),
        "release of another partner": Question(RATNA, RELEASE, "id", over.id, **partner),
        "release that was revoked": Question("bagas", RELEASE, "id", revoked.id, **partner),
        "release that is over": Question(RATNA, RELEASE, "id", ended.id, **partner),
        "events of a record": Question(TUTI, EVENTS % "record", "id", unseen, **officer),
        "events of an actor": Question(TUTI, EVENTS % "actor", "id", quiet, **officer),
    }


#: What a search may look for instead of an id.
RANDOM = {
    "defender by NIK": "3273995708900001",
    "defender by phone": "+6281299998888",
    "defender by name": "Xaverius Quirinus",
}


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the text of every SQL statement of every engine."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sqlalchemy_event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy_event.remove(Engine, "before_cursor_execute", note)


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
            (t.decision, t.ground, t.reason, t.compartments, t.fields, len(t.records))
            for t in event.touched
        ],
    )


async def asked(
    inside: Inside, question: Question, value: object
) -> tuple[Answer, list[str], list[Event], int]:
    """Ask; give the answer, the statements, the events, and how many keys were opened."""
    world = inside.world
    size = await world.size()
    inside.keyring.opened.clear()
    with statements() as seen:
        answer = await world.ask(
            question.who,
            question.query,
            {**question.more, question.variable: value if isinstance(value, int) else str(value)},
            face=question.face,
            purpose=question.purpose,
        )
    return answer, seen, await world.events(size), len(inside.keyring.opened)


def without_ids(answer: Answer) -> str:
    """Take the request's id out of an answer."""
    return re.sub(r'"requestId":"[0-9a-f]{32}"', "", answer.text)


@pytest.fixture
async def inside(world: World) -> Any:
    async with exchanged(world) as inside:
        yield inside


async def test_what_is_not_yours_looks_exactly_like_what_is_not_there(inside: Inside) -> None:
    told = {}
    for name, question in questions(inside.world).items():
        nothing = RANDOM.get(name, uuid4())
        # Once beforehand, so that both find every cache in the same state.
        await asked(inside, question, nothing)
        foreign = await asked(inside, question, question.foreign)
        random = await asked(inside, question, nothing)

        assert foreign[0].status == random[0].status, name
        assert without_ids(foreign[0]) == without_ids(random[0]), name
        assert foreign[1] == random[1], name
        assert [kind_of(e) for e in foreign[2]] == [kind_of(e) for e in random[2]], name
        assert foreign[3] == random[3], name
        told[name] = without_ids(foreign[0])
        assert foreign[2], name  # each left a word in the log
    # The question was understood, each time: it is the answer that is hidden.
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


async def test_headers_do_not_tell_either(inside: Inside) -> None:
    world = inside.world
    theirs = next(f for f in world.records.case_files if f.lead_agency == "lpsk").id

    foreign = await world.ask(SARI, READ, {"id": str(theirs)})
    random = await world.ask(SARI, READ, {"id": str(uuid4())})

    def told(answer: Answer) -> dict[str, str]:
        return {n: v for n, v in dict(answer.headers).items() if n != "x-request-id"}

    assert told(foreign) == told(random)


async def test_a_broken_record_looks_like_none(inside: Inside) -> None:
    world = inside.world
    await world.run("update case_file set event = 0")
    question = Question(SARI, READ, "id", world.records.open_to_sari)

    broken = await asked(inside, question, world.records.open_to_sari)
    random = await asked(inside, question, uuid4())

    assert broken[0].codes == ["NOT_FOUND"]
    assert without_ids(broken[0]) == without_ids(random[0])
    assert [kind_of(e) for e in broken[2]] == [kind_of(e) for e in random[2]]


async def test_every_argument_and_input_that_takes_an_id_is_asked_above(inside: Inside) -> None:
    """A new operation with an id needs a new question; this fails until it has one."""
    found = set()
    introspection = """{ __schema { types { name
      fields { name args { name type { name ofType { name } } } }
      inputFields { name type { name ofType { name } } } } } }"""
    for face, who in (("agency", SARI), ("partner", RATNA), ("oversight", TUTI)):
        schema = (await inside.world.ask(who, introspection, face=face)).data["__schema"]
        for kind in schema["types"]:
            places = [(f["name"], a) for f in kind["fields"] or [] for a in f["args"]]
            places += [(kind["name"], f) for f in kind["inputFields"] or []]
            for owner, place in places:
                if "ID" in (place["type"]["name"], (place["type"]["ofType"] or {}).get("name")):
                    found.add((owner, place["name"]))

    assert found == {
        ("AccessEventFilter", "actor"),
        ("AccessEventFilter", "record"),
        ("AddNoteInput", "caseFileId"),
        ("AssignCaseworkerInput", "caseFileId"),
        ("AssignCaseworkerInput", "memberId"),
        ("UnassignCaseworkerInput", "caseFileId"),
        ("UnassignCaseworkerInput", "memberId"),
        ("UpdateDefenderInput", "id"),
        ("caseFile", "id"),
        ("defender", "id"),
        ("release", "id"),
    }
    assert json.dumps(sorted(found))
