"""The four things that Perisai does, asked over HTTP on both databases."""

from api.demo.synthetic import RATNA, SARI, TUTI, WAYAN
from api.vocabulary import Decision, Reason
from tests.world import World

OPEN = """query ($id: ID!) { caseFile(id: $id) {
  reference account defenders { id fullName nik phones withheld { field reason howToAsk } }
  withheld { field reason }
} }"""


async def test_a_case_officer_reads_the_identity_where_she_is_assigned(world: World) -> None:
    answer = await world.ask(SARI, OPEN, {"id": str(world.records.open_to_sari)})

    [defender] = answer.data["caseFile"]["defenders"]
    assert defender["fullName"] == "Mochammad Joesoef Hidayat"
    assert defender["withheld"] == []


async def test_where_she_is_not_assigned_each_field_says_why_it_is_withheld(
    world: World,
) -> None:
    before = await world.size()

    answer = await world.ask(SARI, OPEN, {"id": str(world.records.closed_to_sari)})

    case_file = answer.data["caseFile"]
    assert case_file["account"] is None
    for defender in case_file["defenders"]:
        assert (defender["fullName"], defender["nik"], defender["phones"]) == (None, None, None)
        assert {w["field"] for w in defender["withheld"]} == {"fullName", "nik", "phones"}
        assert all(w["howToAsk"] for w in defender["withheld"])
    [event] = await world.events(before)
    assert {t.reason for t in event.touched if t.decision is Decision.WITHHELD} == {
        Reason.NOT_ASSIGNED
    }


async def test_for_another_agency_the_case_file_does_not_exist(world: World) -> None:
    before = await world.size()

    answer = await world.ask(WAYAN, OPEN, {"id": str(world.records.open_to_sari)})

    assert answer.body["data"] == {"caseFile": None}
    assert answer.codes == ["NOT_FOUND"]
    [event] = await world.events(before)
    assert event.decision is Decision.WITHHELD
    assert event.agencies == ("komnas-ham",)


async def test_a_partner_reads_its_release(world: World) -> None:
    answer = await world.ask(
        RATNA,
        "{ releases(first: 5) { edges { node { id content { province summary } } } } }",
        face="partner",
        purpose="referral",
    )

    [edge] = answer.data["releases"]["edges"]
    assert edge["node"]["content"]["summary"]


async def test_a_security_officer_sees_who_touched_the_record(world: World) -> None:
    record = str(world.records.open_to_sari)
    await world.ask(SARI, OPEN, {"id": record})
    await world.ask(WAYAN, OPEN, {"id": record})

    answer = await world.ask(
        TUTI,
        """query ($record: ID!) { accessEvents(first: 9, filter: {record: $record}) {
             edges { node { actor organisation decision } } } }""",
        {"record": record},
        face="oversight",
        purpose="quality_review",
    )

    nodes = [edge["node"] for edge in answer.data["accessEvents"]["edges"]]
    assert [n["organisation"] for n in nodes[:2]] == ["lpsk", "komnas-ham"]
