"""The partner's face: its own live releases, a page at a time, and no identity to ask for."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.casework.provisioning import NewRelease, import_releases
from api.casework.releases import ReleaseContent
from api.demo.seed import PROFILE
from api.demo.synthetic import RATNA, SARI
from api.demo.synthetic_records import SyntheticRelease
from api.schema.faces import schema_of
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.vocabulary import Action, Compartment, Decision, Ground, Purpose, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    case_file,
    fields,
    ids,
    reasons,
    records,
    without_request,
)
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, fresh = sharing.still, sharing.fresh

BAGAS = "bagas"  # of the journalists' union

LIST = """query ($first: Int!, $after: String) { releases(first: $first, after: $after) {
  edges { cursor node { id agency profile purpose until
    content { province month categories incidentKinds adversaryKinds needs summary } } }
  pageInfo { hasNextPage endCursor } } }"""
ONE = "query ($id: ID!) { release(id: $id) { id agency until content { summary } } }"


async def ask(
    world: World, subject: str, query: str, purpose: str | None = "", **variables: Any
) -> Answer:
    if purpose == "":  # what the releases of each are for
        purpose = "protection" if subject == BAGAS else "referral"
    return await world.ask(subject, query, variables, face="partner", purpose=purpose)


def nodes(answer: Answer) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer.data["releases"]["edges"]]


def made_for(world: World, subject: str, *, live: bool) -> list[SyntheticRelease]:
    """Give the releases of a partner, those that end first before the others."""
    partner, now = world.records.member(subject).organisation, world.clock()
    found = [
        r
        for r in world.records.releases
        if r.partner == partner and (r.until > now and r.revoked_at is None) is live
    ]
    return sorted(found, key=lambda r: (r.until, r.id))


@pytest.mark.parametrize("subject", [RATNA, BAGAS])
async def test_a_partner_reads_its_live_releases_and_the_event_names_them(
    world: World, subject: str
) -> None:
    before = await world.size()

    answer = await ask(world, subject, LIST, first=100)

    live = made_for(world, subject, live=True)
    people = {d.id: d for d in world.records.defenders}
    for node, release in zip(nodes(answer), live, strict=True):
        [file] = [f for f in world.records.case_files if f.id == release.case_file]
        categories = {c for d in file.defenders for c in people[d].categories}
        assert node == {
            "id": str(release.id),
            "agency": release.agency,
            "profile": PROFILE,
            "purpose": release.purpose.name,
            "until": release.until.isoformat(),
            "content": {
                "province": file.province,
                "month": file.opened_on.strftime("%Y-%m"),
                "categories": sorted(categories),
                "incidentKinds": sorted(file.incident_kinds),
                "adversaryKinds": sorted(file.adversary_kinds),
                "needs": sorted(release.requested),
                "summary": release.summary,
            },
        }
        assert all(d.full_name not in answer.text for d in people.values())
        assert file.reference not in answer.text
        assert str(file.id) not in answer.text
    [event] = await world.events(before)
    assert (event.action, event.decision) == (Action.LIST, Decision.DISCLOSED)
    assert event.actor == world.records.member(subject).id
    assert event.agencies == tuple(sorted({r.agency for r in live}))
    [touched] = event.touched
    assert (touched.ground, touched.compartments) == (Ground.ADDRESSEE, (Compartment.RELEASE,))
    assert touched.fields == ("body",)
    assert records(event, RecordKind.RELEASE) == {r.id for r in live}


async def test_pages_walk_the_whole_list_and_each_event_names_its_page_only(world: World) -> None:
    live = [str(r.id) for r in made_for(world, BAGAS, live=True)]
    assert len(live) == 2
    walked: list[str] = []
    after = None
    for more in (True, False):
        before = await world.size()
        answer = await ask(world, BAGAS, LIST, first=1, after=after)
        [event] = await world.events(before)
        page = ids(nodes(answer))
        assert {str(i) for i in records(event, RecordKind.RELEASE)} == set(page)
        info = answer.data["releases"]["pageInfo"]
        assert info["hasNextPage"] is more
        walked += page
        after = info["endCursor"]
    assert walked == live
    rest = await ask(world, BAGAS, LIST, first=1, after=after)
    assert rest.data["releases"] == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }


async def test_many_releases_with_one_end_are_walked_without_gap_or_repeat(fresh: World) -> None:
    until = fresh.clock() + timedelta(days=200)
    content = ReleaseContent("33", "2026-01", [], [], [], [], "Ringkasan.").dump()
    columns = {
        "partner": "lbh-nusantara",
        "agency": "komnas-ham",
        "profile": "legal_aid",
        "purpose": "referral",
        "until": until,
        "revoked_at": None,
    }
    file = fresh.records.open_to_sari
    new = [UUID(int=0x01A0F000_0000_7000_8000_000000000000 + n) for n in range(7)]
    async with exchanged(fresh) as inside:
        await import_releases(
            inside.house,
            "komnas-ham",
            [NewRelease({"id": i, **columns}, file, content) for i in new],
        )
    expected = [str(r.id) for r in made_for(fresh, RATNA, live=True)] + [str(i) for i in new]

    for size in (1, 3, 8):
        walked: list[str] = []
        after, more = None, True
        while more:
            page = await ask(fresh, RATNA, LIST, first=size, after=after)
            walked += ids(nodes(page))
            info = page.data["releases"]["pageInfo"]
            after, more = info["endCursor"], info["hasNextPage"]
        assert walked == expected


async def test_what_is_over_revoked_or_anothers_is_answered_as_what_is_not_there(
    world: World,
) -> None:
    over = made_for(world, RATNA, live=False)
    revoked = made_for(world, BAGAS, live=False)
    assert [len(over), len(revoked)] == [1, 1]
    anothers = made_for(world, BAGAS, live=True)
    cases = [
        *((RATNA, r.id) for r in [*over, *anothers, *revoked]),
        *((BAGAS, r.id) for r in [*revoked, *over]),
        (RATNA, world.records.open_to_sari),
    ]
    nobodys = await ask(world, RATNA, ONE, id=NOBODY)
    assert (nobodys.status, nobodys.body["data"], nobodys.codes) == (
        200,
        {"release": None},
        ["NOT_FOUND"],
    )
    for subject, record in cases:
        before = await world.size()

        answer = await ask(world, subject, ONE, id=str(record))

        assert answer.status == nobodys.status
        assert without_request(answer) == without_request(nobodys)
        [event] = await world.events(before)
        assert (event.action, event.decision, event.code, reasons(event)) == (
            Action.READ,
            Decision.WITHHELD,
            "NOT_FOUND",
            {"not_in_reach"},
        )
        assert records(event, RecordKind.RELEASE) == {record}


async def test_a_release_ends_with_its_time(fresh: World) -> None:
    [release] = made_for(fresh, RATNA, live=True)
    asked = {"id": str(release.id)}
    fresh.clock.move(release.until - fresh.clock() - timedelta(microseconds=1))

    last = await ask(fresh, RATNA, ONE, **asked)
    assert last.data["release"]["content"] == {"summary": release.summary}
    fresh.clock.move(timedelta(microseconds=1))

    assert (await ask(fresh, RATNA, ONE, **asked)).codes == ["NOT_FOUND"]
    assert nodes(await ask(fresh, RATNA, LIST, first=5)) == []


async def test_what_a_release_says_is_opened_only_where_it_is_asked_for(world: World) -> None:
    [release] = made_for(world, RATNA, live=True)
    async with exchanged(world) as inside:
        for query, opened in (
            ("query ($id: ID!) { release(id: $id) { until } }", False),
            (
                "query ($id: ID!) { release(id: $id) { content @skip(if: true) { month } id } }",
                False,
            ),
            ("query ($id: ID!) { release(id: $id) { a: content { month } } }", True),
            ("{ releases(first: 1) { edges { node { agency } } } }", False),
            ("{ releases(first: 1) { edges { node { content { month } } } } }", True),
        ):
            before = await world.size()
            inside.keyring.opened.clear()
            variables = {"id": str(release.id)} if "$id" in query else {}

            answer = await ask(inside.world, RATNA, query, **variables)

            assert answer.codes == [], query
            [event] = await world.events(before)
            assert records(event, RecordKind.RELEASE) == {release.id}
            assert fields(event, Decision.DISCLOSED) == ({"body"} if opened else set()), query
            keys = [(release.id, Compartment.RELEASE)] if opened else []
            assert inside.keyring.opened == keys, query


async def test_a_cursor_of_one_partner_fits_no_other(fresh: World) -> None:
    mine = (await ask(fresh, RATNA, LIST, first=1)).data["releases"]["edges"][0]["cursor"]
    list_of_files = await fresh.ask(
        SARI, "{ caseFiles(first: 1) { pageInfo { endCursor } } }", purpose="protection"
    )
    agencys = list_of_files.data["caseFiles"]["pageInfo"]["endCursor"]
    before = await fresh.size()

    for subject, cursor in ((BAGAS, mine), (RATNA, agencys), (RATNA, mine[:-2]), (RATNA, "")):
        answer = await ask(fresh, subject, LIST, first=1, after=cursor)
        assert (answer.codes, answer.body["data"]) == (["MALFORMED_CURSOR"], None)

    assert await fresh.size() == before
    fresh.clock.move(timedelta(hours=12, seconds=1))
    late = await ask(fresh, RATNA, LIST, first=1, after=mine)
    assert late.codes == ["MALFORMED_CURSOR"]


@pytest.mark.parametrize("first", [-1, 0, 101])
async def test_a_page_has_one_to_a_hundred_releases(world: World, first: int) -> None:
    before = await world.size()
    answer = await ask(world, RATNA, LIST, first=first)
    assert (answer.codes, answer.body["data"]) == (["PAGE_SIZE_INVALID"], None)
    assert await world.size() == before


@pytest.mark.parametrize(("query", "data"), [(LIST, None), (ONE, {"release": None})])
async def test_without_a_purpose_nothing_is_read(world: World, query: str, data: Any) -> None:
    before = await world.size()
    given: dict[str, Any] = {"first": 1} if query is LIST else {"id": NOBODY}
    answer = await ask(world, RATNA, query, None, **given)
    assert (answer.codes, answer.body["data"]) == (["PURPOSE_MISSING"], data)
    assert await world.size() == before


async def test_for_a_purpose_of_an_agency_a_partner_has_no_release(world: World) -> None:
    [release] = made_for(world, RATNA, live=True)

    for purpose in ("supervision", "quality_review", "subject_request", "intake"):
        assert nodes(await ask(world, RATNA, LIST, purpose, first=5)) == []
        assert (await ask(world, RATNA, ONE, purpose, id=str(release.id))).codes == ["NOT_FOUND"]


async def test_for_another_purpose_than_its_own_a_release_is_not_there(world: World) -> None:
    [release] = made_for(world, RATNA, live=True)
    assert release.purpose is Purpose.REFERRAL
    nobodys = await ask(world, RATNA, ONE, "protection", id=NOBODY)

    for purpose in ("protection", "assessment", "emergency"):
        before = await world.size()
        assert nodes(await ask(world, RATNA, LIST, purpose, first=5)) == []
        answer = await ask(world, RATNA, ONE, purpose, id=str(release.id))
        assert without_request(answer) == without_request(nobodys)
        listed, read = await world.events(before)
        assert records(listed, RecordKind.RELEASE) == set()
        assert (read.code, reasons(read)) == ("NOT_FOUND", {"not_in_reach"})


async def test_the_partners_schema_has_no_word_for_an_identity() -> None:
    types = schema_of("partner")._schema.type_map
    names = {name for one in types.values() for name in getattr(one, "fields", ())}
    assert "summary" in names
    assert not names & (DEFENDER_FIELDS.keys() | CASE_FILE_FIELDS.keys())
    assert not names & {"defenders", "defender", "caseFile", "caseFiles", "reference", "account"}
    assert not types.keys() & {"Defender", "CaseFile", "Note", "Mutation"}


@pytest.mark.parametrize(
    "query",
    [
        "{ defender(id: 1) { fullName } }",
        "{ caseFiles(first: 1) { edges { node { id } } } }",
        '{ findDefenders(by: NAME, value: "joesoef", first: 20) { score } }',
        "{ releases(first: 1) { edges { node { caseFile { id } } } } }",
        "{ releases(first: 1) { edges { node { content { fullName } } } } }",
        'mutation { addNote(input: {caseFileId: 1, body: "x"}) { noteId } }',
        "{ accessEvents(first: 1) { edges { node { index } } } }",
    ],
)
async def test_what_an_agency_asks_is_unknown_here(world: World, query: str) -> None:
    before = await world.size()

    answer = await ask(world, RATNA, query)

    assert world.admitted(query) == {"query": query}
    assert (answer.status, answer.codes) == (403, ["DOCUMENT_NOT_TRUSTED"])
    assert "data" not in answer.body
    assert await world.size() == before


async def test_a_caseworker_is_turned_away_here_and_a_partner_elsewhere(world: World) -> None:
    for subject, face in ((SARI, "partner"), (RATNA, "agency"), (RATNA, "oversight")):
        before = await world.size()
        answer = await world.ask(subject, "{ viewer { memberId } }", face=face)
        assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])
        [event] = await world.events(before)
        assert (event.action, event.code, event.actor) == (
            Action.SIGN_IN,
            "NOT_FOR_THIS_FACE",
            world.records.member(subject).id,
        )


async def test_the_case_file_of_a_release_says_nothing_to_the_partner(world: World) -> None:
    file = case_file(world, "KH-2026-0010")
    answer = await ask(world, RATNA, ONE, id=str(file.id))
    assert answer.codes == ["NOT_FOUND"]
