"""The officers' face over HTTP: filters, pages, reports, proofs, and what a look leaves."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.proofs import check_consistency
from api.casework.sharing import settle
from api.demo.synthetic import BUDI, SARI, TUTI, WAYAN
from api.vocabulary import Action, Decision, Ground
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import NOBODY, checkpoint_over, first_defender
from tests.scenarios.referring import accepted, read
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh

#: The security officer of LPSK.
KETUT = "ketut"
#: Events by which every defender of the installation was taken in.
IMPORTED = 2

EVENTS = """query ($first: Int!, $after: String, $filter: AccessEventFilter) {
  accessEvents(first: $first, after: $after, filter: $filter) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { index action organisation agencies } } } }"""
REPORT = """query ($id: ID!, $first: Int! = 50, $after: String) {
  accessReport(defender: $id, first: $first, after: $after) {
    defender events caseFiles
    actors { actor organisation role events disclosing firstAt lastAt }
    grounds { ground events }
    accesses { pageInfo { hasNextPage hasPreviousPage endCursor } edges { node {
      index at actor organisation role action decision purpose legalBasis breakGlass caseFile
      reached { decision ground reason compartments fields } } } } } }"""
OPEN = """query ($id: ID!) { caseFile(id: $id) {
  reference account defenders { id fullName nik phones } } }"""
LIST = "{ caseFiles(first: 100) { edges { node { id defenders { fullName } } } } }"
PROVE = "query ($old: Int!, $new: Int!) { consistencyProof(old: $old, new: $new) { hashes } }"


async def look(world: World, query: str, who: str = TUTI, **variables: Any) -> Answer:
    """Ask as an officer."""
    return await world.ask(who, query, variables, face="oversight", purpose="quality_review")


async def shown(world: World, who: str = TUTI, **narrow: Any) -> list[dict[str, Any]]:
    """Give the events that a filter shows, newest first."""
    answer = await look(world, EVENTS, who, first=100, filter=narrow)
    return [edge["node"] for edge in answer.data["accessEvents"]["edges"]]


def accesses(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the accesses of a report but the two events of the import that made the defender."""
    nodes = [edge["node"] for edge in made["accesses"]["edges"]]
    found = [node for node in nodes if node["action"] != "IMPORT"]
    assert len(nodes) == len(found) + IMPORTED
    return found


async def report(world: World, defender: object, who: str = TUTI) -> dict[str, Any]:
    answer = await look(world, REPORT, who, id=str(defender))
    found: dict[str, Any] = answer.data["accessReport"]
    return found


async def test_every_filter_narrows_and_they_combine(world: World) -> None:
    sari, mine = str(world.records.member(SARI).id), str(world.records.open_to_sari)
    start = await world.size()
    await world.ask(SARI, OPEN, {"id": mine})
    await world.ask(SARI, "{ caseFiles(first: 2) { edges { node { id } } } }")
    await world.ask(WAYAN, OPEN, {"id": mine})
    noon = world.clock()
    world.clock.move(timedelta(hours=1))
    await world.ask(BUDI, OPEN, {"id": mine}, purpose="supervision")

    async def indices(**narrow: Any) -> list[int]:
        since = {"since": noon.isoformat(), **narrow}
        nodes = await shown(world, **since)
        return [n["index"] - start for n in nodes if n["action"] in ("READ", "LIST")]

    assert await indices() == [3, 2, 1, 0]
    assert await indices(actor=sari) == [1, 0]
    assert await indices(organisation="lpsk") == [2]
    assert await indices(role="SUPERVISOR") == [3]
    assert await indices(agency="komnas-ham") == [3, 2, 1, 0]
    assert await indices(agency="lpsk") == []
    assert await indices(record=mine, action="READ") == [3, 2, 0]
    assert await indices(compartment="CONTACT") == [3, 0]
    assert await indices(compartment="WHEREABOUTS") == []
    assert await indices(field="nik") == [3, 0]
    assert await indices(field="presentLocation") == []
    assert await indices(action="LIST") == [1]
    assert await indices(decision="WITHHELD") == [2]
    assert await indices(ground="ASSIGNED", role="CASE_OFFICER") == [0]
    assert await indices(ground="OWN_AGENCY", action="LIST") == [1]
    assert await indices(purpose="SUPERVISION") == [3]
    assert await indices(breakGlass=True) == []
    assert await indices(breakGlass=False) == [3, 2, 1, 0]
    assert await indices(since=(noon + timedelta(minutes=1)).isoformat()) == [3]
    assert await indices(until=(noon + timedelta(minutes=1)).isoformat()) == [2, 1, 0]
    assert await indices(actor=sari, field="nik", compartment="CONTACT", record=mine) == [0]
    assert await indices(actor=sari, role="SUPERVISOR") == []


async def test_pages_follow_each_other_while_events_arrive(world: World) -> None:
    mine = str(world.records.open_to_sari)
    for _ in range(7):
        await world.ask(SARI, OPEN, {"id": mine})
    narrow = {"action": "READ", "organisation": "komnas-ham"}
    whole = [n["index"] for n in await shown(world, **narrow)]

    pages, after = [], None
    while True:
        answer = await look(world, EVENTS, first=3, after=after, filter=narrow)
        page = answer.data["accessEvents"]
        info, edges = page["pageInfo"], page["edges"]
        assert info["hasPreviousPage"] is (after is not None)
        assert info["startCursor"] == edges[0]["cursor"]
        assert info["endCursor"] == edges[-1]["cursor"]
        pages.append([edge["node"]["index"] for edge in edges])
        await world.ask(SARI, OPEN, {"id": mine})  # While somebody turns the page.
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break

    assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert [index for page in pages for index in page] == whole


async def test_an_empty_page_has_no_cursor(world: World) -> None:
    answer = await look(world, EVENTS, first=3, filter={"breakGlass": True})

    assert answer.data["accessEvents"] == {
        "edges": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


async def test_a_cursor_fits_only_its_officer_its_filter_and_its_time(world: World) -> None:
    for _ in range(3):
        await world.ask(SARI, LIST)
    answer = await look(world, EVENTS, first=1, filter={"action": "LIST"})
    cursor = answer.data["accessEvents"]["pageInfo"]["endCursor"]

    others = [
        await look(world, EVENTS, first=1, after=cursor, filter={"action": "READ"}),
        await look(world, EVENTS, KETUT, first=1, after=cursor, filter={"action": "LIST"}),
        await look(world, REPORT, id=NOBODY, first=1, after=cursor),
    ]
    world.clock.move(timedelta(hours=13))
    others.append(await look(world, EVENTS, first=1, after=cursor, filter={"action": "LIST"}))

    assert [answer.codes for answer in others] == [["MALFORMED_CURSOR"]] * 4


async def test_a_look_says_what_was_looked_at_and_no_value_of_a_filter(world: World) -> None:
    mine, sari = world.records.open_to_sari, world.records.member(SARI).id
    person = first_defender(world, mine).id
    await world.ask(SARI, OPEN, {"id": str(mine)})
    await world.ask(SARI, OPEN, {"id": str(mine)})
    before = await world.size()

    nodes = await shown(
        world, actor=str(sari), record=str(mine), field="nik", since=world.clock().isoformat()
    )
    await report(world, person)
    await look(world, "{ checkpoint }")
    await look(world, "{ inclusionProof(index: 0) { index } }")

    events = await world.events(before)
    assert [event.action for event in events] == [Action.READ_LOG] * 4
    assert {(e.actor, e.agencies) for e in events} == {
        (world.records.member(TUTI).id, ("komnas-ham",))
    }
    first, second, third, _fourth = [event.touched[0] for event in events]
    assert set(first.fields) == {
        "query:accessEvents",
        "filter:actor",
        "filter:field",
        "filter:record",
        "filter:since",
        f"shown:{len(nodes)}",
        f"asked:{sari.hex}",
        f"asked:{mine.hex}",
    }
    assert len(nodes) == 2
    assert (first.decision, first.ground) == (Decision.DISCLOSED, Ground.OVERSIGHT)
    assert set(second.fields) == {
        "query:accessReport",
        f"shown:{2 + IMPORTED}",
        f"asked:{person.hex}",
    }
    assert third.fields == ("query:checkpoint", "shown:0")


async def test_a_refused_look_is_an_event_too(world: World) -> None:
    await world.ask(WAYAN, LIST)
    theirs = await world.size() - 1

    answer = await look(world, "query ($i: Int!) { inclusionProof(index: $i) { text } }", i=theirs)

    assert answer.codes == ["NOT_FOUND"]
    [event] = await world.events(theirs + 1)
    assert (event.action, event.decision, event.code) == (
        Action.READ_LOG,
        Decision.WITHHELD,
        "NOT_FOUND",
    )
    assert event.touched[0].fields == ("query:inclusionProof", "shown:0")


async def test_a_report_says_who_when_what_and_why(world: World) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine).id
    noon = world.clock()
    await world.ask(SARI, OPEN, {"id": str(mine)})
    world.clock.move(timedelta(minutes=5))
    await world.ask(BUDI, OPEN, {"id": str(mine)}, purpose="supervision")
    world.clock.move(timedelta(minutes=5))
    await world.ask("maria", OPEN, {"id": str(mine)})

    made = await report(world, person)

    assert made["defender"] == str(person)
    assert made["events"] == 3 + IMPORTED
    maria, budi, sari = accesses(made)
    assert sari["actor"] == str(world.records.member(SARI).id)
    assert (sari["organisation"], sari["role"], sari["action"]) == (
        "komnas-ham",
        "CASE_OFFICER",
        "READ",
    )
    assert (sari["purpose"], sari["legalBasis"]) == ("PROTECTION", "PUBLIC_TASK")
    assert sari["at"] == noon.isoformat()
    assert sari["caseFile"] == str(mine)
    assert sari["breakGlass"] is False
    assert sari["reached"] == [
        {
            "decision": "DISCLOSED",
            "ground": "ASSIGNED",
            "reason": None,
            "compartments": ["CONTACT", "IDENTITY"],
            "fields": ["fullName", "nik", "phones"],
        }
    ]
    assert budi["reached"][0]["ground"] == "SUPERVISING"
    assert [(p["decision"], p["reason"]) for p in maria["reached"]] == [
        ("WITHHELD", "NOT_ASSIGNED")
    ]
    assert made["caseFiles"] == [str(mine)]
    assert made["grounds"] == [
        {"ground": "ASSIGNED", "events": 1},
        {"ground": "OWN_AGENCY", "events": IMPORTED},
        {"ground": "SUPERVISING", "events": 1},
    ]
    by = [(a["role"], a["events"], a["disclosing"]) for a in made["actors"]]
    assert by[:3] == [
        ("CASE_OFFICER", 1, 0),
        ("SUPERVISOR", 1, 1),
        ("CASE_OFFICER", 1, 1),
    ]


async def test_a_report_shows_nobody_else_of_a_list(world: World) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine).id
    await world.ask(SARI, LIST)

    made = await report(world, person)

    [access] = accesses(made)
    assert access["action"] == "LIST"
    assert access["caseFile"] is None
    assert len(access["reached"]) == 1
    others = {str(d.id) for d in world.records.defenders} - {str(person)}
    assert not [other for other in others if other in str(made)]


async def test_who_saw_a_defender_without_a_sealed_field_is_in_the_report(world: World) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine).id
    await world.ask(
        SARI, "query ($id: ID!) { caseFile(id: $id) { defenders { id } } }", {"id": str(mine)}
    )

    made = await report(world, person)

    [access] = accesses(made)
    assert access["reached"][0]["fields"] == []
    assert next(a["disclosing"] for a in made["actors"] if a["actor"]) == 0


async def test_a_report_has_pages_and_the_same_totals_on_each(world: World) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine).id
    for _ in range(5):
        await world.ask(SARI, OPEN, {"id": str(mine)})

    first = (await look(world, REPORT, id=str(person), first=4)).data["accessReport"]
    end = first["accesses"]["pageInfo"]["endCursor"]
    second = (await look(world, REPORT, id=str(person), first=4, after=end)).data["accessReport"]

    def indices(page: dict[str, Any]) -> list[int]:
        return [edge["node"]["index"] for edge in page["accesses"]["edges"]]

    assert first["accesses"]["pageInfo"]["hasNextPage"] is True
    assert second["accesses"]["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "endCursor": second["accesses"]["pageInfo"]["endCursor"],
    }
    assert (len(indices(first)), len(indices(second))) == (4, 1 + IMPORTED)
    assert max(indices(second)) < min(indices(first))
    # The officer's own looks are no accesses.
    assert first["events"] == second["events"] == 5 + IMPORTED


async def test_each_agency_sees_its_own_side_of_what_was_shared(world: World) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine).id
    await accepted(world)
    async with exchanged(world) as inside:
        await settle(inside.house)
    await world.ask(SARI, OPEN, {"id": str(mine)})
    answer = await read(world)
    assert answer.data["caseFile"]["defenders"][0]["fullName"] is not None

    giver = await report(world, person)
    recipient = await report(world, person, KETUT)

    def who(made: dict[str, Any]) -> set[tuple[str, str]]:
        nodes = [edge["node"] for edge in made["accesses"]["edges"]]
        return {(n["organisation"], n["action"]) for n in nodes}

    # The lead agency sees what the recipient did with its record; the recipient sees its
    # own members and not how the lead agency works on its case.
    assert {("komnas-ham", "READ"), ("lpsk", "READ")} <= who(giver)
    assert ("lpsk", "READ") in who(recipient)
    assert ("komnas-ham", "READ") not in who(recipient)


async def test_a_defender_of_others_and_none_have_the_same_empty_report(world: World) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine).id
    await world.ask(SARI, OPEN, {"id": str(mine)})

    foreign, none = await report(world, person, KETUT), await report(world, NOBODY, KETUT)

    assert {**foreign, "defender": None} == {**none, "defender": None}
    assert (none["events"], none["actors"], none["accesses"]["edges"]) == (0, [], [])


async def test_a_checkpoint_continues_an_older_one(world: World) -> None:
    older = await checkpoint_over(world, await world.size())
    await world.ask(SARI, LIST)
    newer = await checkpoint_over(world, await world.size())
    note = (await look(world, "{ checkpoint }")).data["checkpoint"]
    assert open_checkpoint(note, [world.log_key]).size >= newer.size

    answer = await look(world, PROVE, old=older.size, new=newer.size)

    assert older.size < newer.size
    hashes = [b64decode(one) for one in answer.data["consistencyProof"]["hashes"]]
    check_consistency(older.size, newer.size, older.root, newer.root, hashes)
    for old, new in ((newer.size, older.size), (-1, 3), (1, 10**6)):
        assert (await look(world, PROVE, old=old, new=new)).codes == ["SIZES_INVALID"]
