"""Imports: a supervisor brings in what the agency held before, after a report that shows nothing.

Files stop in the middle, are sent twice, are sent by others, hold formulas and people who
are there already.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.accesslog.event import Event
from api.casework.budgets import Budgets
from api.casework.import_table import FILE_MOST
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI
from api.vocabulary import Action, Decision, Outcome, Phase, RecordKind
from tests.inside import FailingLedger, exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    assert_change,
    counted,
    fields,
    first_defender,
    reasons,
    records,
)
from tests.scenarios.importing import (
    BAD_NIK,
    FORMULA,
    MAPPING,
    NAMES,
    NO_DATE,
    ROWS,
    codes,
    of,
    send,
    sent_raw,
    table,
    told,
)
from tests.scenarios.living import codes as codes_of
from tests.scenarios.living import reopen
from tests.scenarios.referring import ASSIGN
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still  # A preview and a refusal change nothing.

LEAD = "hartono"
TABLES = ("case_file", "defender", "case_file_defender", "data_key", "import_run", "assignment")
READ = """query ($id: ID!) { caseFile(id: $id) { reference status urgency sensitivity province
  openedOn incidentKinds account sexualViolenceForms
  defenders { fullName aliases nik phones } } }"""


async def assign(world: World, who: str, case_file: str) -> None:
    given = {
        "caseFileId": case_file,
        "memberId": str(world.records.member(who).id),
        "until": (world.clock() + timedelta(days=2)).isoformat(),
    }
    boss = LEAD if who == BUDI else BUDI
    answer = await world.ask(boss, ASSIGN, {"input": given}, purpose="supervision")
    assert answer.data["assignCaseworker"]["errors"] == [], answer.text


async def test_a_preview_tells_what_would_be_done_and_writes_nothing(still: World) -> None:
    before, there = await still.size(), await counted(still, *TABLES)

    found = await told(still, BUDI, table(*ROWS, BAD_NIK, NO_DATE, FORMULA))

    assert found[0] == {"kind": "columns", "rows": 6, "missing": [], "unmapped": 0}
    assert of("faulty", found) == [
        {"kind": "faulty", "row": 5, "faults": [{"code": "NIK_INVALID", "column": "NIK"}]},
        {"kind": "faulty", "row": 6, "faults": [{"code": "VALUE_INVALID", "column": "Dibuka"}]},
        {"kind": "faulty", "row": 7, "faults": [{"code": "CELL_FORMULA", "column": "Nama"}]},
    ]
    assert of("duplicate", found) == []
    ended = found[-1]
    assert len(ended.pop("accessLog")) == 176
    assert ended == {
        "kind": "end", "state": "refused", "rows": 6, "faulty": 3, "leftOut": 0, "written": 0,
        "moreExisting": False,
    }  # fmt: skip
    assert await counted(still, *TABLES) == there
    events = await still.events(before)
    # That a file was checked, and each look for people who are there already.
    assert [(e.action, e.phase) for e in events] == [
        (Action.IMPORT, Phase.WHOLE),
        (Action.SEARCH, Phase.WHOLE),
        (Action.SEARCH, Phase.WHOLE),
    ]
    assert {record for e in events for t in e.touched for record in t.records} == set()


async def test_a_run_makes_a_case_file_of_each_row_and_tells_which(world: World) -> None:
    before, there = await world.size(), await counted(world, *TABLES)

    found = await told(world, BUDI, mode="run")

    assert [line["kind"] for line in found] == ["columns", *["written"] * 3, "end"]
    written = of("written", found)
    assert [line["row"] for line in written] == [2, 3, 4]
    assert (found[-1]["state"], found[-1]["written"]) == ("done", 3)
    events = await world.events(before)
    checked, *pair = events
    assert (checked.action, checked.phase) == (Action.IMPORT, Phase.WHOLE)
    assert len(pair) == 2
    assert_change(pair, Action.IMPORT, Outcome.DONE)
    assert {str(i) for i in records(pair[0], RecordKind.CASE_FILE)} == {
        line["caseFileId"] for line in written
    }
    assert len(records(pair[0], RecordKind.DEFENDER)) == 3
    assert {"fullName", "account"} <= fields(pair[0], Decision.ALLOWED)
    now = await counted(world, *TABLES)
    assert {t: now[t] - there[t] for t in ("case_file", "defender", "import_run")} == {
        "case_file": 3,
        "defender": 3,
        "import_run": 1,
    }
    # It opens nothing to anybody: who is to work on it is assigned as always.
    assert now["assignment"] == there["assignment"]


async def test_what_was_imported_opens_to_who_is_assigned_and_is_what_the_file_said(
    world: World,
) -> None:
    found = await told(world, BUDI, mode="run")
    file = of("written", found)[1]
    closed = await world.ask(BUDI, READ, {"id": file["caseFileId"]}, purpose="supervision")
    assert closed.data["caseFile"]["account"] is None
    assert closed.data["caseFile"]["status"] == "CLOSED"  # As the file has it: reopened first.

    assert codes_of(await reopen(world, UUID(file["caseFileId"]))) == []
    await assign(world, SARI, file["caseFileId"])
    shown = (await world.ask(SARI, READ, {"id": file["caseFileId"]})).data["caseFile"]

    assert shown["reference"] == file["reference"]
    assert file["reference"].startswith("KH-2019-")
    assert (shown["status"], shown["urgency"], shown["sensitivity"]) == ("ACTIVE", "ROUTINE", 3)
    assert (shown["province"], shown["openedOn"]) == ("53", "2019-01-03")
    assert shown["incidentKinds"] == ["threat", "violence"]
    [person] = shown["defenders"]
    assert (person["fullName"], person["nik"]) == ("Yosafat Mbelinggoro", "5371011203790042")
    assert (person["aliases"], person["phones"]) == (None, ["+6281390028822"])


async def test_a_faulty_row_stops_a_run_unless_the_mapping_says_to_skip_it(world: World) -> None:
    there, content = await counted(world, *TABLES), table(*ROWS, BAD_NIK)

    found = await told(world, BUDI, content, "run")

    assert (found[-1]["state"], found[-1]["faulty"]) == ("refused", 1)
    assert await counted(world, *TABLES) == there

    skipping = MAPPING | {"skipFaultyRows": True, "leaveOut": [3]}
    found = await told(world, BUDI, content, "run", mapping=skipping)

    assert found[-1] | {"accessLog": ""} == {
        "kind": "end", "state": "done", "rows": 4, "faulty": 1, "leftOut": 1, "written": 2,
        "moreExisting": False, "accessLog": "",
    }  # fmt: skip
    assert 3 not in {line["row"] for line in of("written", found)}


def many(count: int) -> bytes:
    return table(
        *(
            f"Orang Karangan {n:04};;;0812 5500 {n:04};DKI;biasa;2;01/02/2020;;"
            for n in range(1, count + 1)
        )
    )


async def test_an_import_that_was_broken_off_goes_on_behind_its_last_batch(world: World) -> None:
    there, content = await counted(world, *TABLES), many(11)
    async with exchanged(world) as inside:
        # The line breaks in the second batch of three; that batch is whole nevertheless.
        got = await sent_raw(inside, BUDI, content, gone_after=6, batch=3)
    assert of("end", got) == []
    assert len(of("written", got)) < 6
    partly = (await counted(world, "case_file"))["case_file"] - there["case_file"]
    assert partly == 6

    found = await told(world, BUDI, content, "run")

    assert [line["row"] for line in of("written", found)] == list(range(8, 13))
    assert (found[-1]["state"], found[-1]["written"]) == ("done", 11)
    assert (await counted(world, "case_file"))["case_file"] == there["case_file"] + 11
    before = await world.size()

    again = await told(world, BUDI, content, "run")

    assert (of("written", again), again[-1]["written"]) == ([], 11)
    assert (await counted(world, "case_file"))["case_file"] == there["case_file"] + 11
    assert [e.phase for e in await world.events(before)] == [Phase.WHOLE]


async def test_the_same_file_with_another_mapping_is_not_imported_a_second_time(
    world: World,
) -> None:
    content = many(3)
    await told(world, BUDI, content, "run")
    there = await counted(world, *TABLES)

    found = await told(world, BUDI, content, "run", mapping=MAPPING | {"leaveOut": [2]})

    assert (found[-1]["kind"], found[-1]["code"]) == ("error", "IMPORT_CONFLICT")
    assert await counted(world, *TABLES) == there


async def test_how_far_an_import_came_counts_only_as_the_agency_sealed_it(world: World) -> None:
    content = many(3)
    await told(world, BUDI, content, "run")
    await world.run("update import_run set through = 2, written = 1")
    there = await counted(world, *TABLES)

    found = await told(world, BUDI, content, "run")

    assert (found[-1]["kind"], found[-1]["code"]) == ("error", "SEAL_BROKEN")
    assert await counted(world, *TABLES) == there


async def test_a_log_that_fails_in_the_middle_leaves_whole_batches_only(world: World) -> None:
    there, content = await counted(world, *TABLES), many(7)

    # It takes that the file was checked, and the two of one batch.
    async with exchanged(world, lambda house: {"ledger": FailingLedger(house.ledger, 3)}) as inside:
        got = await sent_raw(inside, BUDI, content, gone_after=99, batch=3)

    assert (got[-1]["kind"], got[-1]["code"]) == ("error", "LOG_UNAVAILABLE")
    assert (await counted(world, "case_file"))["case_file"] == there["case_file"] + 3
    found = await told(world, BUDI, content, "run")
    assert [line["row"] for line in of("written", found)] == [5, 6, 7, 8]


async def test_a_token_that_ends_begins_no_other_batch(world: World) -> None:
    there = await counted(world, *TABLES)

    def later(line: dict[str, Any]) -> None:
        if line["kind"] == "written":
            world.clock.move(timedelta(days=1))

    async with exchanged(world) as inside:
        got = await sent_raw(inside, BUDI, many(7), gone_after=99, batch=3, then=later)

    assert (got[-1]["kind"], got[-1]["code"]) == ("error", "TOKEN_EXPIRED")
    assert (await counted(world, "case_file"))["case_file"] == there["case_file"] + 3


async def test_who_is_disabled_meanwhile_writes_no_other_batch(world: World) -> None:
    there, disabled = await counted(world, *TABLES), "update member set role = 'case_officer'"

    async with exchanged(world) as inside:
        waiting = [disabled]

        async def forged(line: dict[str, Any]) -> None:
            if line["kind"] == "written" and waiting:
                await world.run(waiting.pop())

        got = await sent_raw(inside, BUDI, many(7), gone_after=99, batch=3, then=forged)

    assert (got[-1]["kind"], got[-1]["code"]) == ("error", "NOT_FOR_THIS_FACE")
    assert (await counted(world, "case_file"))["case_file"] == there["case_file"] + 3


REFUSED = [
    (SARI, "intake", "role_does_not_fit"),
    (BUDI, "assessment", "purpose_does_not_fit"),
    (BUDI, "supervision", "purpose_does_not_fit"),
]


@pytest.mark.parametrize("mode", ["preview", "run"])
@pytest.mark.parametrize(("who", "purpose", "reason"), REFUSED)
async def test_who_may_not_import_leaves_one_event_and_is_not_listened_to(
    still: World, who: str, purpose: str, reason: str, mode: str
) -> None:
    before, there = await still.size(), await counted(still, *TABLES)

    # Not even what is wrong with the file is told.
    answer = await send(still, who, b"\xff", mode, purpose=purpose)

    assert (answer.status_code, codes(answer)) == (403, ["NOT_ALLOWED"])
    [event] = await still.events(before)
    assert (event.action, event.decision) == (Action.IMPORT, Decision.REFUSED)
    assert (event.code, reasons(event)) == ("NOT_ALLOWED", {reason})
    assert await counted(still, *TABLES) == there


@pytest.mark.parametrize("who", [RATNA, TUTI])
async def test_partners_and_officers_import_nothing(still: World, who: str) -> None:
    answer = await send(still, who, mode="run")
    assert (answer.status_code, codes(answer)) == (403, ["NOT_FOR_THIS_FACE"])


async def test_a_row_above_the_own_clearance_stops_all_of_it(world: World) -> None:
    await set_clearance(world, 2)
    before, there = await world.size(), await counted(world, *TABLES)

    found = await told(world, BUDI, mode="run")  # One row has sensitivity 3.

    assert (found[-1]["kind"], found[-1]["code"]) == ("error", "NOT_ALLOWED")
    [event] = await world.events(before)
    assert (event.decision, reasons(event)) == (Decision.REFUSED, {"clearance_too_low"})
    assert await counted(world, *TABLES) == there


async def set_clearance(world: World, level: int) -> None:
    """Give BUDI another clearance, sealed as the agency would."""
    member = world.records.member(BUDI)
    async with exchanged(world) as inside:
        key = inside.house.keyring.rights("komnas-ham")
        [(event,)] = await world.run("select event from member where subject = ?", (BUDI,))
        seal = key.seal(
            "member",
            (member.id, "komnas-ham", BUDI, "supervisor", level, int(member.trained), None, event),
        )
    await world.run(
        "update member set clearance = ?, seal = ? where subject = ?", (level, seal, BUDI)
    )


async def test_duplicates_are_named_within_the_file_and_among_what_the_caller_may_open(
    world: World,
) -> None:
    mine, other = world.records.open_to_sari, world.records.closed_to_sari
    known, closed = first_defender(world, mine), first_defender(world, other)
    await assign(world, BUDI, str(mine))
    content = table(
        f"Satu Orang;;{known.nik};0811 7700 1001;DKI;biasa;2;01/02/2020;;",
        f"Dua Orang;;{closed.nik};0811 7700 1002;DKI;biasa;2;01/02/2020;;",
        "Tiga Orang;;;62811-7700-1001|0811 7700 1003;DKI;biasa;2;01/02/2020;;",
    )
    before = await world.size()

    found = await told(world, BUDI, content)

    assert of("duplicate", found) == [
        {"kind": "duplicate", "row": 4, "field": "phones", "ofRow": 2, "defenderId": None},
        {
            "kind": "duplicate",
            "row": 2,
            "field": "nik",
            "ofRow": None,
            "defenderId": str(known.id),
        },
    ]
    searches = [e for e in await world.events(before) if e.action is Action.SEARCH]
    assert {r for e in searches for r in records(e, RecordKind.DEFENDER)} == {known.id}


async def test_an_import_tries_no_more_people_than_a_search_may_show(world: World) -> None:
    async with exchanged(world, lambda _: {"budgets": Budgets(10, 10)}) as inside:
        found = await told(inside.world, BUDI, many(2))

    assert (found[-1]["kind"], found[-1]["code"]) == ("error", "OPENINGS_EXHAUSTED")
    assert of("duplicate", found) == []


MAPPINGS: list[Any] = [
    [],
    {},
    MAPPING | {"more": 1},
    MAPPING | {"defenders": []},
    MAPPING | {"defenders": [{}]},
    MAPPING | {"defenders": [{"fullname": "Nama"}]},
    MAPPING | {"defenders": [{"fullName": {"column": "Nama", "constant": "x"}}]},
    MAPPING | {"caseFile": {"status": "Status"}},
    MAPPING | {"delimiter": "|"},
    MAPPING | {"leaveOut": ["3"]},
    MAPPING | {"caseFile": MAPPING["caseFile"] | {"openedOn": {"column": "D", "dateForm": "%c"}}},
]


@pytest.mark.parametrize("mapping", MAPPINGS)
async def test_a_mapping_that_does_not_hold_leaves_no_event(still: World, mapping: Any) -> None:
    before = await still.size()

    answer = await send(still, BUDI, mode="run", mapping=mapping)

    assert (answer.status_code, codes(answer)) == (400, ["IMPORT_MAPPING_INVALID"])
    assert await still.size() == before


FILES = {
    "nothing": b"",
    "names only": NAMES.encode(),
    "another encoding": table().replace(b"Xaveria", b"Xav\xe9ria"),
    "UTF-16": table().decode().encode("utf-16"),
    "a spreadsheet": b"PK\x03\x04" + bytes(100),
    "a quote that does not end": table('"Xaveria;;;;;'),
    "a NUL": table(ROWS[0].replace("Bu", "\x00")),
    "too many columns": table(names=NAMES + ";x" * 291),
    "one name twice": table(names=NAMES + ";NIK"),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
async def test_a_file_that_is_no_table_leaves_no_event(still: World, content: bytes) -> None:
    before = await still.size()

    answer = await send(still, BUDI, content, "run")

    assert (answer.status_code, codes(answer)) == (400, ["IMPORT_FILE_INVALID"])
    assert await still.size() == before


async def test_a_column_that_is_missing_is_named_and_nothing_is_imported(still: World) -> None:
    found = await told(still, BUDI, table(names=NAMES.replace("Telepon", "HP")), "run")

    assert found[0] == {"kind": "columns", "rows": 3, "missing": ["Telepon"], "unmapped": 1}
    assert found[-1]["state"] == "refused"


MALFORMED = [
    ({"content-type": "text/csv"}, 415, "IMPORT_MALFORMED"),
    ({"content-encoding": "gzip"}, 415, "IMPORT_MALFORMED"),
    ({"perisai-import": "now"}, 400, "IMPORT_MALFORMED"),
    ({"content-length": str(FILE_MOST + 65_538)}, 413, "IMPORT_TOO_LARGE"),
    ({"content-length": "9" * 30}, 413, "IMPORT_TOO_LARGE"),
]


@pytest.mark.parametrize(("more", "status", "code"), MALFORMED)
async def test_a_request_that_says_nothing_sensible_leaves_no_event(
    still: World, more: dict[str, str], status: int, code: str
) -> None:
    before = await still.size()
    answer = await send(still, BUDI, mode="run", more=more)
    assert (answer.status_code, codes(answer)) == (status, [code])
    assert await still.size() == before


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + table(ROWS[0]),
        table(ROWS[0]).replace(b";", b","),
        table(ROWS[0]).replace(b"\r\n", b"\n"),
        table(ROWS[0] + ";;"),
    ],
    ids=["byte order mark", "commas", "line feeds", "empty cells behind"],
)
async def test_the_usual_forms_of_csv_are_read(still: World, content: bytes) -> None:
    found = await told(still, BUDI, content)
    assert (found[-1]["state"], found[-1]["faulty"]) == ("checked", 0), found


async def test_who_is_cancelled_in_a_batch_leaves_it_whole_and_with_an_outcome(
    world: World,
) -> None:
    there, before = await counted(world, *TABLES), await world.size()
    begun = asyncio.Event()

    class Telling:
        """Tells when an intent was appended."""

        def __init__(self, ledger: Any) -> None:
            self._ledger = ledger

        async def append(self, event: Event) -> int:
            index: int = await self._ledger.append(event)
            if event.phase is Phase.INTENT:
                begun.set()
            return index

    async with exchanged(world, lambda house: {"ledger": Telling(house.ledger)}) as inside:
        sending = asyncio.ensure_future(sent_raw(inside, BUDI, many(9), gone_after=99, batch=3))
        await begun.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    written = (await counted(world, "case_file"))["case_file"] - there["case_file"]
    assert written == 3
    events = [e for e in await world.events(before) if e.action is Action.IMPORT]
    intents = [e for e in events if e.phase is Phase.INTENT]
    outcomes = [e for e in events if e.phase is Phase.OUTCOME]
    assert len(intents) == len(outcomes) == 1
    assert {e.outcome for e in outcomes} == {Outcome.DONE}
