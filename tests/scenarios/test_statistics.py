"""Numbers over all agencies: for who oversees, in whole months, and of nobody."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.demo.synthetic import BUDI, SARI
from api.demo.synthetic_records import SyntheticDefender
from api.store.tables import case_file
from api.vocabulary import Action, Decision, Phase
from tests.scenarios import sharing
from tests.scenarios.asking import as_key, reasons
from tests.scenarios.erasing import LEAD
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # `still` has nothing in PAST, and keeps nothing.

ASK = """query ($by: Statistic!, $year: Int!, $month: Int) {
  statistics(by: $by, year: $year, month: $month) {
    rows { code label { indonesian english } cells { month count suppressed } }
    totals { month count suppressed } } }"""

#: A year that is over, and in which no case file of the synthetic records was opened.
PAST = 2021


async def asked(
    world: World,
    by: str = "PROVINCE",
    year: int = PAST,
    month: int | None = None,
    *,
    who: str = BUDI,
    purpose: str | None = "supervision",
) -> Answer:
    given = {"by": by, "year": year, "month": month}
    return await world.ask(who, ASK, given, purpose=purpose)


async def told(world: World, by: str = "PROVINCE", **more: Any) -> dict[str, list[Any]]:
    """Give of each code the cells, None where one is suppressed."""
    table = (await asked(world, by, **more)).data["statistics"]
    for cell in (*table["totals"], *(cell for row in table["rows"] for cell in row["cells"])):
        assert cell["suppressed"] == (cell["count"] is None)
    return {row["code"]: [cell["count"] for cell in row["cells"]] for row in table["rows"]}


async def opened(world: World, count: int, on: str, lead: int = 0, **values: object) -> list[UUID]:
    """Write so many case files more that are like another one, opened on that day."""
    like = world.records.case_files[lead]
    names = [c.name for c in case_file.columns]
    made = [uuid4() for _ in range(count)]
    for one in made:
        new = {
            "id": as_key(world, one),
            "reference": uuid4().hex[:20],
            "opened_on": on,
            **values,
        }
        picked = ", ".join(written(new[n]) if n in new else n for n in names)
        await world.run(
            f"insert into case_file ({', '.join(names)}) "
            f"select {picked} from case_file where id = ?",
            [as_key(world, like.id)],
        )
    return made


def written(value: object) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


async def test_every_table_has_a_row_for_every_code_though_nothing_was_counted(
    still: World,
) -> None:
    for by, rows in (
        ("PROVINCE", 38),
        ("INCIDENT_KIND", 22),
        ("DEFENDER_CATEGORY", 15),
        ("LEAD_AGENCY", 3),
        ("URGENCY", 4),
        ("RESPONSE_BY_AGENCY", 9),
        ("RESPONSE_BY_URGENCY", 12),
    ):
        table = await told(still, by)
        assert len(table) == rows
        assert all(cells == [None] * 13 for cells in table.values())
    assert "sexual_violence" not in await told(still, "INCIDENT_KIND")
    assert "lgbtiq" not in await told(still, "DEFENDER_CATEGORY")


async def test_a_row_says_what_it_is_in_two_languages(still: World) -> None:
    table = (await asked(still, "PROVINCE")).data["statistics"]

    papua = next(row for row in table["rows"] if row["code"] == "94")
    assert papua["label"] == {"indonesian": "Papua Tengah", "english": "Central Papua"}


async def test_numbers_are_rounded_small_ones_left_out_and_totals_made_of_what_is_shown(
    world: World,
) -> None:
    await opened(world, 12, f"{PAST}-03-01", province="33")
    await opened(world, 9, f"{PAST}-03-31", province="31")
    await opened(world, 4, f"{PAST}-03-15", province="94")
    await opened(world, 1, f"{PAST}-04-01", province="33")

    table = await told(world)

    assert (table["33"][2], table["31"][2], table["94"][2]) == (10, 10, None)
    assert table["33"][3] is None, "April is another month"
    assert (table["33"][12], table["94"][12]) == (15, None)
    totals = (await asked(world)).data["statistics"]["totals"]
    assert [cell["count"] for cell in totals[2:4]] == [20, None]
    assert await told(world, month=3) == {code: [cells[2]] for code, cells in table.items()}


async def test_all_agencies_are_counted_whoever_asks(world: World) -> None:
    by_agency = {f.lead_agency: i for i, f in enumerate(world.records.case_files)}
    for agency, count in (("komnas-ham", 8), ("lpsk", 6), ("komnas-perempuan", 7)):
        await opened(world, count, f"{PAST}-05-05", lead=by_agency[agency])

    for who in (BUDI, "hasan", "kartini"):
        table = await told(world, "LEAD_AGENCY", month=5, who=who)
        assert table == {"komnas-ham": [10], "komnas-perempuan": [5], "lpsk": [5]}


async def test_one_small_number_takes_the_next_smallest_with_it(world: World) -> None:
    by_agency = {f.lead_agency: i for i, f in enumerate(world.records.case_files)}
    for agency, count in (("komnas-ham", 30), ("lpsk", 11), ("komnas-perempuan", 3)):
        await opened(world, count, f"{PAST}-05-05", lead=by_agency[agency])

    table = await told(world, "LEAD_AGENCY", month=5)

    assert table == {"komnas-ham": [30], "komnas-perempuan": [None], "lpsk": [None]}


async def test_kinds_and_urgencies_are_counted_each_case_file_once_in_a_row(
    world: World,
) -> None:
    await opened(world, 6, f"{PAST}-06-01", incident_kinds='["raid", "threat", "raid"]', urgency=1)
    await opened(world, 5, f"{PAST}-06-02", incident_kinds='["threat"]', urgency=2)

    kinds = await told(world, "INCIDENT_KIND", month=6)
    urgencies = await told(world, "URGENCY", month=6)

    assert (kinds["raid"], kinds["threat"], kinds["smear"]) == ([5], [10], [None])
    assert (urgencies["immediate"], urgencies["urgent"]) == ([5], [5])


async def test_categories_count_case_files_by_their_defenders_who_are_not_erased(
    world: World,
) -> None:
    first, second = two_defenders(world)
    files = await opened(world, 7, f"{PAST}-08-08")
    for file in files:
        await link(world, file, first.id)
        await link(world, file, second.id)
    shared, alone = set(first.categories) & set(second.categories), set(second.categories)
    alone -= shared
    assert shared
    assert alone

    table = await told(world, "DEFENDER_CATEGORY", month=8)
    assert {table[code][0] for code in shared} == {5}, "once, though two persons are in it"
    assert {table[code][0] for code in alone} == {5}

    await world.run(
        "update defender set erased_at = '2026-11-01 00:00:00.000000' where id = ?",
        [as_key(world, second.id)],
    )
    table = await told(world, "DEFENDER_CATEGORY", month=8)
    assert {table[code][0] for code in alone} == {None}
    assert {table[code][0] for code in shared} == {5}


def two_defenders(world: World) -> tuple[SyntheticDefender, SyntheticDefender]:
    """Give two who share a category, of whom the second has one more."""
    known = [d for d in world.records.defenders if d.categories]
    return next(
        (one, other)
        for one in known
        for other in known
        if set(one.categories) < set(other.categories)
    )


async def link(world: World, file: UUID, defender: UUID) -> None:
    row = (as_key(world, file), as_key(world, defender))
    await world.run("insert into case_file_defender values (?, ?, 0, 0, ?)", (*row, b"x"))


async def test_what_is_erased_does_not_count(world: World) -> None:
    await opened(world, 6, f"{PAST}-07-07", province="33")
    assert (await told(world, month=7))["33"] != [None]

    moment = "'2026-11-01 00:00:00.000000'"
    await world.run(
        f"update case_file set erased_at = {moment} where opened_on = '{PAST}-07-07' and id in "
        f"(select id from case_file where opened_on = '{PAST}-07-07' limit 2)"
    )

    assert (await told(world, month=7))["33"] == [None]


async def test_reading_numbers_is_one_event_that_names_the_question_and_no_record(
    still: World,
) -> None:
    before = await still.size()

    await asked(still, "LEAD_AGENCY", month=2)

    [event] = await still.events(before)
    assert (event.action, event.phase) == (Action.READ_STATISTICS, Phase.WHOLE)
    assert (event.decision, event.code) == (Decision.DISCLOSED, None)
    assert event.agencies == ("komnas-ham",)
    [touched] = event.touched
    assert touched.fields == (f"period:{PAST}-02", "query:statistics", "table:lead_agency")
    assert (touched.records, touched.compartments) == ((), ())


#: Who, purpose -> the reason in the event; None: they may.
WHO = {
    (BUDI, "supervision"): None,
    (BUDI, "quality_review"): None,
    (LEAD, "supervision"): None,
    (BUDI, "assessment"): "purpose_does_not_fit",
    (LEAD, "subject_request"): "purpose_does_not_fit",
    (SARI, "assessment"): "role_does_not_fit",
    (SARI, "supervision"): "purpose_does_not_fit",
    ("dewi", "intake"): "role_does_not_fit",
}


@pytest.mark.parametrize(("who", "purpose"), WHO)
async def test_numbers_are_for_who_oversees_and_a_refusal_leaves_one_event(
    still: World, who: str, purpose: str
) -> None:
    before = await still.size()

    answer = await asked(still, who=who, purpose=purpose)

    [event] = await still.events(before)
    assert event.action is Action.READ_STATISTICS
    if WHO[who, purpose] is None:
        assert event.decision is Decision.DISCLOSED
        return
    assert answer.codes == ["NOT_ALLOWED"]
    assert answer.body["data"] == {"statistics": None}
    assert (event.decision, event.code) == (Decision.REFUSED, "NOT_ALLOWED")
    assert reasons(event) == {WHO[who, purpose]}


@pytest.mark.parametrize(
    ("year", "month"),
    [(2026, 11), (2026, 12), (2027, None), (2027, 1), (1999, None), (2025, 0), (2025, 13)],
)
async def test_a_month_that_is_not_over_is_no_month_to_ask_about(
    still: World, year: int, month: int | None
) -> None:
    before = await still.size()

    answer = await asked(still, year=year, month=month)

    assert answer.codes == ["VALUE_INVALID"]
    assert await still.size() == before


async def test_of_a_year_that_goes_on_the_months_that_are_over_are_there_and_no_year(
    still: World,
) -> None:
    table = (await asked(still, year=2026)).data["statistics"]

    months: Sequence[int] = [cell["month"] for cell in table["rows"][0]["cells"]]
    assert months == list(range(1, 11))
    assert [cell["month"] for cell in table["totals"]] == months


async def test_without_a_purpose_nothing_is_counted(still: World) -> None:
    assert (await asked(still, purpose=None)).codes == ["PURPOSE_MISSING"]


# -- how fast was responded ----------------------------------------------------------------


async def responded(world: World, files: Sequence[UUID], at: str, was: str = "intake") -> None:
    """Write the step by which each left *was*, as if somebody had taken it then."""
    member = as_key(world, world.records.member(SARI).id)
    kind = "timestamptz " if world.kind == "postgresql" else ""
    for one in files:
        await world.run(
            "insert into step (id, case_file, was, became, member, taken_at, event, seal) "
            f"values (?, ?, '{was}', 'triage', ?, {kind}'{at}.000000', 0, ?)",
            [as_key(world, uuid4()), as_key(world, one), member, b"x"],
        )


async def test_responses_are_met_late_or_open_by_urgency_and_by_agency(world: World) -> None:
    due, day = f"{PAST}-09-02 12:00:00.000000", f"{PAST}-09-01"
    by_agency = {f.lead_agency: i for i, f in enumerate(world.records.case_files)}
    at: dict[str, Any] = {"respond_by": due, "status": "active", "urgency": 2}
    in_time = await opened(world, 11, day, lead=by_agency["lpsk"], **at)
    late = await opened(world, 6, day, lead=by_agency["lpsk"], **at)
    await responded(world, in_time[:6], f"{PAST}-09-02 12:00:00")
    await responded(world, in_time[6:], f"{PAST}-09-01 08:00:00")
    await responded(world, late, f"{PAST}-09-02 12:00:01")
    # What came later is no first response, and a later step makes none late.
    await responded(world, in_time, f"{PAST}-10-01 08:00:00", was="triage")
    # Waits, and its time is over; waits, and has time yet; has no step out of intake.
    await opened(world, 5, day, lead=by_agency["lpsk"], **{**at, "status": "intake"})
    open_yet = {**at, "status": "intake", "respond_by": "2027-01-01 00:00:00.000000"}
    await opened(world, 8, day, lead=by_agency["lpsk"], **open_yet)
    await opened(world, 20, day, lead=by_agency["lpsk"], **at)

    urgencies = await told(world, "RESPONSE_BY_URGENCY", month=9)
    agencies = await told(world, "RESPONSE_BY_AGENCY", month=9)

    found = {"met": [10], "late": [10], "open": [10]}
    assert urgencies == {
        f"{urgency}:{how}": found[how] if urgency == "urgent" else [None]
        for urgency in ("immediate", "urgent", "soon", "routine")
        for how in found
    }
    assert agencies == {
        f"{agency}:{how}": found[how] if agency == "lpsk" else [None]
        for agency in ("komnas-ham", "komnas-perempuan", "lpsk")
        for how in found
    }


async def test_a_row_of_responses_says_what_it_is_and_never_stands_alone_suppressed(
    world: World,
) -> None:
    at: dict[str, Any] = {"respond_by": f"{PAST}-09-02 12:00:00.000000", "urgency": 2}
    some = await opened(world, 20, f"{PAST}-09-01", **at, status="active")
    await responded(world, some[:12], f"{PAST}-09-01 08:00:00")
    await responded(world, some[12:], f"{PAST}-09-03 08:00:00")

    table = (await asked(world, "RESPONSE_BY_URGENCY", month=9)).data["statistics"]

    rows = {row["code"]: row for row in table["rows"]}
    assert rows["urgent:late"]["label"]["english"] == "First response: urgent: late"
    shown = [rows[f"urgent:{how}"]["cells"][0]["count"] for how in ("met", "late", "open")]
    # Who knows from the table of urgencies that there are 20 would know the third.
    assert shown == [10, None, None]


# -- one person counts once ------------------------------------------------------------------


async def linked(world: World, one: UUID, other: UUID, request: UUID) -> None:
    """Write both sides of a confirmed match, as the two agencies would."""
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2026-01-01 00:00:00.000000'"
    for agency, peer, person in (("komnas-ham", "lpsk", one), ("lpsk", "komnas-ham", other)):
        await world.run(
            "insert into linked_record (request, agency, peer, defender, confirmed_at, "
            f"confirmation, event, signature, seal) values (?, '{agency}', '{peer}', ?, {moment}, "
            "1, 1, ?, ?)",
            [as_key(world, request), as_key(world, person), bytes(64), bytes(32)],
        )


async def known_twice(world: World) -> tuple[list[UUID], list[UUID]]:
    """Open eight and six case files about the same person, of whom each agency has a record."""
    by_agency = {f.lead_agency: i for i, f in enumerate(world.records.case_files)}
    kinds = {"incident_kinds": '["raid"]', "urgency": 2, "province": "33"}
    ours = await opened(world, 8, f"{PAST}-11-01", lead=by_agency["komnas-ham"], **kinds)
    kinds = {"incident_kinds": '["raid", "threat"]', "urgency": 1, "province": "31"}
    theirs = await opened(world, 6, f"{PAST}-11-02", lead=by_agency["lpsk"], **kinds)
    return ours, theirs


@pytest.mark.parametrize("how", ["linked", pytest.param("merged", marks=pytest.mark.long)])
async def test_case_files_of_one_person_in_two_records_count_once(world: World, how: str) -> None:
    ours, theirs = await known_twice(world)
    before = {by: await told(world, by, month=11) for by in COUNTED}
    people = [d.id for d in world.records.defenders]
    for one, other, mine, its in zip(people[::2], people[1::2], ours, theirs, strict=False):
        await link(world, mine, one)
        await link(world, its, other)
        if how == "linked":
            await linked(world, one, other, uuid4())
        else:
            await merged(world, one, other)

    after = {by: await told(world, by, month=11) for by in COUNTED}

    assert (before["PROVINCE"]["33"], before["PROVINCE"]["31"]) == ([10], [5])
    assert (after["PROVINCE"]["33"], after["PROVINCE"]["31"]) == ([10], [None])
    assert (before["INCIDENT_KIND"]["raid"], after["INCIDENT_KIND"]["raid"]) == ([15], [10])
    # What only the second says stays said.
    assert before["INCIDENT_KIND"]["threat"] == after["INCIDENT_KIND"]["threat"] == [5]
    assert (before["URGENCY"]["immediate"], after["URGENCY"]["immediate"]) == ([5], [None])
    once = {"komnas-ham": [10], "komnas-perempuan": [None], "lpsk": [None]}
    assert before["LEAD_AGENCY"] == once
    assert after["LEAD_AGENCY"] == once


COUNTED = ("PROVINCE", "INCIDENT_KIND", "URGENCY", "LEAD_AGENCY")


async def merged(world: World, kept: UUID, duplicate: UUID, undone: str = "null") -> None:
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2026-01-01 00:00:00.000000'"
    member = as_key(world, world.records.member(BUDI).id)
    await world.run(
        "insert into defender_merge (id, agency, kept, duplicate, requested_by, requested_at, "
        f"approved_by, merged_at, undo_until, undone_by, undone_at, event, seal) values "
        f"(?, 'komnas-ham', ?, ?, ?, {moment}, ?, {moment}, {moment}, null, {undone}, 1, ?)",
        [
            as_key(world, uuid4()),
            as_key(world, kept),
            as_key(world, duplicate),
            member,
            member,
            bytes(32),
        ],
    )


@pytest.mark.long
async def test_what_was_undone_or_confirmed_by_one_side_only_counts_twice(world: World) -> None:
    ours, theirs = await known_twice(world)
    people = [d.id for d in world.records.defenders]
    moment = "'2026-01-02 00:00:00.000000'"
    for n, (one, other, mine, its) in enumerate(
        zip(people[::2], people[1::2], ours, theirs, strict=False)
    ):
        await link(world, mine, one)
        await link(world, its, other)
        if n % 2:
            await merged(world, one, other, moment)
        else:
            await linked(world, one, other, uuid4())
    await world.run("delete from linked_record where agency = 'lpsk'")

    table = await told(world, "PROVINCE", month=11)

    assert (table["33"], table["31"]) == ([10], [5])


async def test_by_agency_what_one_agency_merged_counts_once(world: World) -> None:
    files = await opened(world, 8, f"{PAST}-11-01", province="33")
    people = [d.id for d in world.records.defenders]
    for file, person in zip(files, people, strict=False):
        await link(world, file, person)
    agency = world.records.case_files[0].lead_agency
    before = await told(world, "LEAD_AGENCY", year=PAST, month=11)
    for duplicate in people[1:5]:
        await merged(world, people[0], duplicate)

    after = await told(world, "LEAD_AGENCY", year=PAST, month=11)

    assert (before[agency], after[agency]) == ([10], [None])


@pytest.mark.long
async def test_a_category_of_one_person_counts_once(world: World) -> None:
    first, second = two_defenders(world)
    files = await opened(world, 10, f"{PAST}-08-08")
    for file in files[:5]:
        await link(world, file, first.id)
    others = [d for d in world.records.defenders if d.id not in (first.id, second.id)]
    for file, other in zip(files[5:], others, strict=False):
        await link(world, file, other.id)
        await world.run(
            "update defender set categories = (select categories from defender where id = ?) "
            "where id = ?",
            [as_key(world, first.id), as_key(world, other.id)],
        )
    [shared, *_] = first.categories
    assert (await told(world, "DEFENDER_CATEGORY", month=8))[shared] == [10]

    for _, other in zip(files[5:], others, strict=False):
        await merged(world, first.id, other.id)

    assert (await told(world, "DEFENDER_CATEGORY", month=8))[shared] == [5]
    # What somebody else wrote into it is no code, and no failure.
    await world.run("update defender set categories = '[[1], null]'")
    assert (await told(world, "DEFENDER_CATEGORY", month=8))[shared] == [None]
