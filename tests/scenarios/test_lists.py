"""Lists of case files over HTTP: filters, orders, pages, and cursors that fit nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api.demo.synthetic import SARI, TUTI, WAYAN
from api.demo.synthetic_records import SyntheticCaseFile
from api.vocabulary import Action, CaseStatus, Decision, Phase, RecordKind, Urgency
from tests.scenarios import sharing
from tests.scenarios.asking import assigned_to, case_file, ids, led_by, records
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, fresh = sharing.still, sharing.fresh

LIST = """query ($first: Int!, $after: String, $filter: CaseFileFilter, $order: CaseFileOrder!) {
  caseFiles(first: $first, after: $after, filter: $filter, orderBy: $order) {
    edges { cursor node { id reference leadAgency status urgency openedOn assignedToMe } }
    pageInfo { hasNextPage endCursor } } }"""

OPEN = """mutation { openCaseFile(input: {urgency: URGENT, sensitivity: 2, province: "33",
  defenders: [{aliases: ["Bunga"]}]}) { caseFile { id } errors { code } } }"""


async def listed(
    world: World,
    subject: str = SARI,
    *,
    first: int = 100,
    after: str | None = None,
    filter: dict[str, Any] | None = None,  # noqa: A002  # the name in the schema
    order: str = "NEWEST",
    purpose: str | None = "protection",
) -> Answer:
    variables = {"first": first, "after": after, "filter": filter, "order": order}
    return await world.ask(subject, LIST, variables, purpose=purpose)


def nodes(answer: Answer) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer.data["caseFiles"]["edges"]]


Key = Callable[[SyntheticCaseFile], Any]

#: Order -> how the synthetic records are sorted for it, and whether backwards.
ORDERS: dict[str, tuple[Key, bool]] = {
    "NEWEST": (lambda f: (f.opened_on, f.id), True),
    "OLDEST": (lambda f: (f.opened_on, f.id), False),
    "MOST_URGENT": (lambda f: (list(Urgency).index(f.urgency), f.id), False),
    "REFERENCE": (lambda f: f.reference, False),
}


def in_order(files: list[SyntheticCaseFile], order: str) -> list[str]:
    key, backwards = ORDERS[order]
    return [str(f.id) for f in sorted(files, key=key, reverse=backwards)]


@pytest.mark.parametrize(
    ("subject", "agency"), [(SARI, "komnas-ham"), (WAYAN, "lpsk"), ("ayu", "komnas-perempuan")]
)
async def test_a_list_holds_the_case_files_of_the_own_agency_and_its_event_names_them(
    world: World, subject: str, agency: str
) -> None:
    before = await world.size()

    found = nodes(await listed(world, subject))

    own = {str(f.id): f for f in led_by(world, agency)}
    assert set(ids(found)) == own.keys()
    mine = {str(f.id) for f in assigned_to(world, subject)}
    for node in found:
        file = own[node["id"]]
        assert node == {
            "id": str(file.id),
            "reference": file.reference,
            "leadAgency": agency,
            "status": file.status.name,
            "urgency": file.urgency.name,
            "openedOn": file.opened_on.isoformat(),
            "assignedToMe": node["id"] in mine,
        }
    [event] = await world.events(before)
    assert (event.action, event.phase, event.decision) == (
        Action.LIST,
        Phase.WHOLE,
        Decision.DISCLOSED,
    )
    assert (event.actor, event.organisation) == (world.records.member(subject).id, agency)
    assert event.agencies == (agency,)
    assert {str(i) for i in records(event, RecordKind.CASE_FILE)} == own.keys()
    assert not [t for t in event.touched if t.fields or t.compartments]


Keep = Callable[[SyntheticCaseFile], bool]

FILTERS: dict[str, tuple[dict[str, Any], Keep]] = {
    "one status": ({"status": ["ACTIVE"]}, lambda f: f.status is CaseStatus.ACTIVE),
    "two statuses": (
        {"status": ["CLOSED", "MONITORING"]},
        lambda f: f.status in (CaseStatus.CLOSED, CaseStatus.MONITORING),
    ),
    "no status": ({"status": []}, lambda _: False),
    "one urgency": ({"urgency": ["IMMEDIATE"]}, lambda f: f.urgency is Urgency.IMMEDIATE),
    "two urgencies": (
        {"urgency": ["SOON", "ROUTINE"]},
        lambda f: f.urgency in (Urgency.SOON, Urgency.ROUTINE),
    ),
    "own agency": ({"leadAgency": "komnas-ham"}, lambda _: True),
    "other agency": ({"leadAgency": "lpsk"}, lambda _: False),
    "no such agency": ({"leadAgency": "kpk"}, lambda _: False),
    "province": ({"province": "81"}, lambda f: f.province == "81"),
    "not asked": ({"assignedToMe": False}, lambda _: True),
    "reference": ({"reference": "KH-2025"}, lambda f: "KH-2025" in f.reference),
    "reference within": ({"reference": "26-001"}, lambda f: "26-001" in f.reference),
    "reference in any case": (
        {"reference": "kh-2026-0003"},
        lambda f: f.reference[3:] == "2026-0003",
    ),
    "whole reference": (
        {"reference": "KH-2026-0003"},
        lambda f: f.reference == "KH-2026-0003",
    ),
    "empty reference": ({"reference": ""}, lambda _: True),
    "percent sign": ({"reference": "KH%1"}, lambda _: False),
    "underscore": ({"reference": "KH_2025"}, lambda _: False),
    "backslash": ({"reference": "KH\\-2025"}, lambda _: False),
    "quote": ({"reference": "' or 1=1 --"}, lambda _: False),
    "all together": (
        {
            "status": ["ACTIVE"],
            "urgency": ["URGENT", "SOON"],
            "leadAgency": "komnas-ham",
            "province": "36",
            "reference": "2026",
        },
        lambda f: (
            f.status is CaseStatus.ACTIVE
            and f.urgency in (Urgency.URGENT, Urgency.SOON)
            and f.province == "36"
            and "2026" in f.reference
        ),
    ),
}


async def test_a_filter_keeps_what_fits_and_the_event_names_no_more(world: World) -> None:
    own = led_by(world, "komnas-ham")
    for name, (given, keep) in FILTERS.items():
        before = await world.size()

        found = ids(nodes(await listed(world, filter=given)))

        expected = [f for f in own if keep(f)]
        assert found == in_order(expected, "NEWEST"), name
        [event] = await world.events(before)
        assert records(event, RecordKind.CASE_FILE) == {f.id for f in expected}, name


async def test_only_my_own_are_those_with_a_live_assignment(world: World) -> None:
    found = ids(nodes(await listed(world, filter={"assignedToMe": True})))
    assert found == in_order(assigned_to(world, SARI), "NEWEST")

    # Maria's assignments to the closed case files are over.
    maria = ids(nodes(await listed(world, "maria", filter={"assignedToMe": True})))
    assert maria == in_order(assigned_to(world, "maria"), "NEWEST")
    assert str(case_file(world, "KH-2026-0008").id) not in maria

    assert ids(nodes(await listed(world, "agus", filter={"assignedToMe": True}))) == []


@pytest.mark.parametrize("order", ORDERS)
async def test_a_list_is_in_the_order_that_was_asked_for_and_pages_walk_all_of_it(
    world: World, order: str
) -> None:
    expected = in_order(led_by(world, "komnas-ham"), order)
    assert ids(nodes(await listed(world, order=order))) == expected

    for size in (1, 4, len(expected), 100):
        walked: list[str] = []
        after = None
        more = True
        while more:
            before = await world.size()
            answer = await listed(world, first=size, after=after, order=order)
            page = ids(nodes(answer))
            [event] = await world.events(before)
            assert {str(i) for i in records(event, RecordKind.CASE_FILE)} == set(page)
            info = answer.data["caseFiles"]["pageInfo"]
            after, more = info["endCursor"], info["hasNextPage"]
            assert len(page) == min(size, len(expected) - len(walked))
            walked += page
        assert walked == expected


async def test_pages_of_a_filtered_list_walk_all_of_it(world: World) -> None:
    given = {"status": ["ACTIVE"], "assignedToMe": True}
    expected = in_order(
        [f for f in assigned_to(world, "rizal") if f.status is CaseStatus.ACTIVE], "OLDEST"
    )
    assert len(expected) > 3
    walked: list[str] = []
    after = None
    for _ in range(len(expected)):
        answer = await listed(world, "rizal", first=1, after=after, filter=given, order="OLDEST")
        walked += ids(nodes(answer))
        after = answer.data["caseFiles"]["pageInfo"]["endCursor"]
    assert walked == expected
    assert answer.data["caseFiles"]["pageInfo"]["hasNextPage"] is False


async def test_the_cursor_of_any_edge_continues_behind_it(world: World) -> None:
    edges = (await listed(world)).data["caseFiles"]["edges"]

    rest = await listed(world, after=edges[6]["cursor"])

    assert ids(nodes(rest)) == [edge["node"]["id"] for edge in edges[7:]]
    last = await listed(world, after=edges[-1]["cursor"])
    assert last.data["caseFiles"] == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }


async def test_a_case_file_that_is_opened_meanwhile_neither_repeats_nor_hides_another(
    fresh: World,
) -> None:
    expected = in_order(led_by(fresh, "komnas-ham"), "NEWEST")
    first = await listed(fresh, first=5)
    opened = await fresh.ask("dewi", OPEN, purpose="intake")
    assert opened.data["openCaseFile"]["errors"] == []

    end = first.data["caseFiles"]["pageInfo"]["endCursor"]
    rest = await listed(fresh, after=end)

    assert ids(nodes(first)) + ids(nodes(rest)) == expected
    newest = opened.data["openCaseFile"]["caseFile"]["id"]
    assert ids(nodes(await listed(fresh))) == [newest, *expected]


async def refused(world: World, answer_of: Callable[[], Any], code: str) -> None:
    """Claim that a list is refused with *code*, shows nothing and leaves no event."""
    before = await world.size()
    answer: Answer = await answer_of()
    assert answer.codes == [code]
    assert answer.body["data"] is None
    assert await world.size() == before


async def test_a_cursor_fits_no_other_caller_filter_or_order(world: World) -> None:
    given = {"status": ["ACTIVE"]}
    answer = await listed(world, first=2, filter=given)
    after = answer.data["caseFiles"]["pageInfo"]["endCursor"]
    assert len(nodes(await listed(world, after=after, filter=given))) > 1

    others: list[dict[str, Any]] = [
        {"subject": "maria", "filter": given},
        {"subject": WAYAN, "filter": given},
        {"filter": None},
        {"filter": {}},
        {"filter": {"status": ["ACTIVE", "CLOSED"]}},
        {"filter": {"status": ["CLOSED"]}},
        {"filter": given | {"reference": "KH"}},
        {"filter": given | {"assignedToMe": True}},
        {"filter": given, "order": "OLDEST"},
        {"filter": given, "order": "REFERENCE"},
    ]
    for other in others:
        await refused(
            world, lambda other=other: listed(world, after=after, **other), "MALFORMED_CURSOR"
        )


async def test_a_cursor_that_was_tampered_with_is_refused(world: World) -> None:
    answer = await listed(world, first=2)
    after = answer.data["caseFiles"]["pageInfo"]["endCursor"]

    middle = len(after) // 2
    flipped = after[:middle] + ("A" if after[middle] != "A" else "B") + after[middle + 1 :]
    for wrong in (
        "",
        "x",
        "?",
        "é",
        "0",
        flipped,
        after[:-1],
        after + "A",
        after + "=",
        after * 99,
    ):
        await refused(world, lambda wrong=wrong: listed(world, after=wrong), "MALFORMED_CURSOR")


async def test_a_cursor_lasts_twelve_hours_and_no_longer(fresh: World) -> None:
    answer = await listed(fresh, first=2)
    after = answer.data["caseFiles"]["pageInfo"]["endCursor"]

    fresh.clock.move(timedelta(hours=12))
    assert len(nodes(await listed(fresh, first=2, after=after))) == 2
    fresh.clock.move(timedelta(seconds=1))

    await refused(fresh, lambda: listed(fresh, first=2, after=after), "MALFORMED_CURSOR")


@pytest.mark.parametrize("size", [-1, 0, 101, 2**31 - 1])
async def test_a_page_has_one_to_a_hundred_items(world: World, size: int) -> None:
    await refused(world, lambda: listed(world, first=size), "PAGE_SIZE_INVALID")


async def test_a_list_without_a_purpose_is_refused(world: World) -> None:
    await refused(world, lambda: listed(world, purpose=None), "PURPOSE_MISSING")


async def test_for_a_purpose_that_does_not_fit_the_role_the_list_is_empty(world: World) -> None:
    before = await world.size()

    answer = await listed(world, purpose="supervision")

    assert nodes(answer) == []
    assert answer.data["caseFiles"]["pageInfo"]["hasNextPage"] is False
    [event] = await world.events(before)
    assert (event.action, event.touched) == (Action.LIST, ())


async def test_a_list_opens_names_where_assigned_and_says_elsewhere_why_not(world: World) -> None:
    before = await world.size()

    answer = await world.ask(
        SARI,
        """{ caseFiles(first: 100) { edges { node { id account withheld { field reason }
             defenders { id fullName withheld { field reason } } } } } }""",
    )

    mine = {str(f.id): f for f in assigned_to(world, SARI)}
    names = {str(d.id): d.full_name for d in world.records.defenders}
    for node in nodes(answer):
        assigned = node["id"] in mine
        assert node["account"] == (mine[node["id"]].account if assigned else None)
        reason = "NOT_ASSIGNED"
        assert node["withheld"] == ([] if assigned else [{"field": "account", "reason": reason}])
        for person in node["defenders"]:
            assert person["fullName"] == (names[person["id"]] if assigned else None)
            assert [w["reason"] for w in person["withheld"]] == ([] if assigned else [reason])
    [event] = await world.events(before)
    opened = [t for t in event.touched if t.fields and t.decision is Decision.DISCLOSED]
    assert {t.fields for t in opened} == {("account",), ("fullName",)}
    files = {f.id: set(f.defenders) for f in mine.values()}
    assert {i for t in opened for _, i, _ in t.records} == files.keys() | set().union(
        *files.values()
    )


async def test_a_security_officer_has_no_list(world: World) -> None:
    before = await world.size()

    answer = await listed(world, TUTI)

    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])
    assert "data" not in answer.body
    [event] = await world.events(before)
    assert (event.action, event.code) == (Action.SIGN_IN, "NOT_FOR_THIS_FACE")
