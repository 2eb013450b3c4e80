"""Each copy of a release has a mark, in fields and on paper, and the log says whose it was."""

import base64
import io
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from api.casework import release_tracing
from api.code_lists import load
from api.demo.synthetic import RATNA
from api.errors import LogUnavailable
from api.paper import rendering
from api.paper.copies import trace
from api.paper.marks import read_mark
from api.vocabulary import Action, Compartment, Decision, Ground, RecordKind, Role
from tests.inside import FailingLedger, exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, as_key, fields, records, without_request
from tests.scenarios.test_partner import BAGAS, ask, made_for
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, fresh = sharing.still, sharing.fresh

LIST = """query ($first: Int!) { releases(first: $first) {
  edges { node { id mark content { month } } } } }"""
ONE = "query ($id: ID!) { release(id: $id) { id mark content { summary } } }"
UNMARKED = "query ($id: ID!) { release(id: $id) { id mark } }"
PAPER = """query ($id: ID!, $language: Language!) {
  releasePaper(id: $id, language: $language) { id mark pdf } }"""

#: A mark whose check holds, and which no key made.
NOBODYS = "PRS-0000-0000-0000-0000-D6ZY"


async def fetches_taken_out(world: World) -> None:
    """Do what a database administrator could do to hide that somebody fetched a release."""
    statement = "delete from {0}event_agency where role = 'partner'"
    if world.kind == "postgresql":
        await world.run(statement.format("accesslog."))
        return
    with closing(sqlite3.connect(world.folder / "log.sqlite")) as log, log:
        assert log.execute(statement.format("")).rowcount > 0


def words(pdf: bytes) -> str:
    return " ".join(" ".join(p.extract_text() for p in PdfReader(io.BytesIO(pdf)).pages).split())


async def test_each_fetch_has_a_mark_of_its_own_and_the_log_says_whose_it_was(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_tracing, "_CHUNK", 2)  # Several pages of the log.
    first, second = made_for(fresh, BAGAS, live=True)
    begin = await fresh.size()
    alone = await ask(fresh, BAGAS, ONE, id=str(first.id))
    again = await ask(fresh, BAGAS, ONE, id=str(first.id))
    both = await ask(fresh, BAGAS, LIST, first=5)
    [theirs] = made_for(fresh, RATNA, live=True)
    other = await ask(fresh, RATNA, ONE, id=str(theirs.id))
    paper = await ask(fresh, RATNA, PAPER, id=str(theirs.id), language="EN")
    answers = [alone, again, both, other]

    marks = [
        alone.data["release"]["mark"],
        again.data["release"]["mark"],
        *(edge["node"]["mark"] for edge in both.data["releases"]["edges"]),
        other.data["release"]["mark"],
        paper.data["releasePaper"]["mark"],
    ]

    assert len(set(marks)) == 6
    # A copy is the answer as it came.
    assert [trace(answer.text) for answer in answers] == [marks[0], marks[1], marks[2], marks[4]]
    async with exchanged(fresh) as inside:
        found = {fetch.mark: fetch for fetch in await release_tracing.trace(inside.house, marks)}
    fetched = [
        (BAGAS, first, begin),
        (BAGAS, first, begin + 1),
        (BAGAS, first, begin + 2),
        (BAGAS, second, begin + 2),
        (RATNA, theirs, begin + 3),
        (RATNA, theirs, begin + 4),
    ]
    events = await fresh.events(begin)
    for mark, (subject, release, index) in zip(marks, fetched, strict=True):
        member = fresh.records.member(subject)
        fetch = found[mark]
        assert (fetch.release, fetch.index) == (release.id, index)
        assert (fetch.partner, fetch.member) == (member.organisation, member.id)
        assert fetch.at == events[index - begin].at
        assert release.agency in fetch.made_by


async def test_what_was_not_opened_has_no_mark(world: World) -> None:
    [release] = made_for(world, RATNA, live=True)

    answer = await ask(world, RATNA, UNMARKED, id=str(release.id))

    assert answer.data["release"] == {"id": str(release.id), "mark": None}


async def test_a_fetch_that_was_taken_out_of_the_search_tables_is_traced_all_the_same(
    fresh: World,
) -> None:
    [release] = made_for(fresh, RATNA, live=True)
    answer = await ask(fresh, RATNA, ONE, id=str(release.id))
    async with exchanged(fresh) as inside:
        await inside.house.log.catch_up()
        await fetches_taken_out(fresh)

        [fetch] = await release_tracing.trace(inside.house, [answer.data["release"]["mark"]])

    assert fetch.release == release.id


async def test_tracing_leaves_an_event_before_it_tells_whatever_it_finds(fresh: World) -> None:
    [release] = made_for(fresh, RATNA, live=True)
    answer = await ask(fresh, RATNA, ONE, id=str(release.id))
    await ask(fresh, RATNA, UNMARKED, id=str(release.id))  # Seen, not opened.
    mark = answer.data["release"]["mark"]
    async with exchanged(fresh) as inside:
        before = await fresh.size()

        assert await release_tracing.trace(inside.house, [NOBODYS]) == []
        assert len(await release_tracing.trace(inside.house, [NOBODYS, mark])) == 1

        nothing, one = await fresh.events(before)
        silent = replace(inside.house, ledger=FailingLedger(inside.house.ledger, 0))
        with pytest.raises(LogUnavailable):
            await release_tracing.trace(silent, [mark])
    for event, shown in ((nothing, "shown:0"), (one, "shown:1")):
        assert (event.action, event.role, event.actor) == (Action.READ_LOG, Role.OPERATOR, None)
        assert set(event.agencies) == set(fresh.settings.owners)
        assert [touched.fields for touched in event.touched] == [("query:trace", shown)]
        assert mark not in str(event)


@pytest.mark.parametrize(
    ("language", "said"), [("ID", "Rilis tersunting"), ("EN", "Redacted release")]
)
async def test_a_release_on_paper_says_what_its_fields_say_and_whose_copy_it_is(
    world: World, language: str, said: str
) -> None:
    [release] = made_for(world, RATNA, live=True)
    member = world.records.member(RATNA)
    before = await world.size()

    answer = await ask(world, RATNA, PAPER, id=str(release.id), language=language)

    given = answer.data["releasePaper"]
    pdf = base64.b64decode(given["pdf"], validate=True)
    text = words(pdf)
    assert given["id"] == str(release.id)
    root: Any = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert root["/Lang"] == language.lower()
    assert said in text
    assert " ".join(release.summary.split()) in text
    [file] = [f for f in world.records.case_files if f.id == release.case_file]
    label = load().labels("provinces", file.province)
    assert (label.id if language == "ID" else label.en) in text
    for page in PdfReader(io.BytesIO(pdf)).pages:
        on_page = page.extract_text()
        assert str(member.id) in on_page.replace("\n", "")
        assert member.organisation in on_page
        assert "2026-11-02 12:00:00 UTC" in " ".join(on_page.split())
        assert given["mark"] in on_page
    assert trace(pdf) == given["mark"] == read_mark(text)
    [event] = await world.events(before)
    assert (event.action, event.decision) == (Action.READ, Decision.DISCLOSED)
    [touched] = event.touched
    assert (touched.ground, touched.compartments) == (Ground.ADDRESSEE, (Compartment.RELEASE,))
    assert fields(event, Decision.DISCLOSED) == {"body"}
    assert records(event, RecordKind.RELEASE) == {release.id}
    people = [d.full_name for d in world.records.defenders]
    assert not [name for name in people if name in text]


async def test_a_paper_of_what_is_not_there_is_refused_as_its_fields_are(world: World) -> None:
    foreign = made_for(world, BAGAS, live=True)[0]
    gone = [str(foreign.id), NOBODY, str(uuid4())]
    answers = [await ask(world, RATNA, PAPER, id=one, language="ID") for one in gone]

    assert [answer.codes for answer in answers] == [["NOT_FOUND"]] * 3
    assert all(a.body["data"] == {"releasePaper": None} for a in answers)
    assert len({str(without_request(answer)) for answer in answers}) == 1


async def test_a_paper_is_set_beside_no_event_that_is_not_durable(fresh: World) -> None:
    [release] = made_for(fresh, RATNA, live=True)
    async with exchanged(fresh, lambda house: {"ledger": FailingLedger(house.ledger, 0)}) as inside:
        answer = await ask(inside.world, RATNA, PAPER, id=str(release.id), language="ID")

    assert answer.codes == ["LOG_UNAVAILABLE"]
    assert inside.keyring.opened == []


async def test_a_paper_that_cannot_be_made_gives_nothing_and_its_event_stands(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [release] = made_for(fresh, RATNA, live=True)
    monkeypatch.setattr(rendering, "done_apart", lambda *_: None)
    before = await fresh.size()

    answer = await ask(fresh, RATNA, PAPER, id=str(release.id), language="ID")

    assert (answer.codes, answer.body["data"]) == (["PAPER_NOT_MADE"], {"releasePaper": None})
    assert release.summary not in answer.text
    assert len(await fresh.events(before)) == 1


async def test_a_release_whose_seal_is_broken_is_on_no_paper(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "done_apart", lambda *_: pytest.fail("it was set"))
    one, other = made_for(fresh, BAGAS, live=True)
    [[body]] = await fresh.run("select body from release where id = ?", [as_key(fresh, other.id)])
    await fresh.run("update release set body = ? where id = ?", [body, as_key(fresh, one.id)])

    answer = await ask(fresh, BAGAS, PAPER, id=str(one.id), language="ID")
    seen = await ask(fresh, BAGAS, ONE, id=str(one.id))

    assert (answer.codes, answer.body["data"]) == (["SEAL_BROKEN"], {"releasePaper": None})
    assert seen.data["release"] == {"id": str(one.id), "mark": None, "content": None}


@pytest.mark.parametrize("language", ["FR", "id"])
async def test_a_language_that_is_none_of_ours_is_no_document(world: World, language: str) -> None:
    [release] = made_for(world, RATNA, live=True)

    answer = await ask(world, RATNA, PAPER, id=str(release.id), language=language)

    assert "releasePaper" not in (answer.body.get("data") or {})
    assert answer.codes != []
