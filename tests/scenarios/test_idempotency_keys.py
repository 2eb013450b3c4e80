"""A change that a client names by a key is made once, and nobody learns more by asking again."""

import asyncio
import io
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.accesslog.event import Event
from api.casework import idempotency_keys
from api.casework.house import House
from api.casework.idempotency_keys import KEPT, UNDER_WAY
from api.casework.provisioning import disable_member
from api.demo.install import CONFIG
from api.demo.synthetic import BUDI, SARI, TUTI
from api.errors import StoreUnavailable
from api.store.tables import METADATA
from tests.inside import FailingLedger, exchanged
from tests.processes import ROOT, environment
from tests.scenarios.asking import counted
from tests.scenarios.killed import BODY, NOTE
from tests.scenarios.leaks import files_below
from tests.scenarios.tying import declared
from tests.world import Answer, World

KEY = "6f1c2a9e-3f0b-4b0a-9a55-0d8d1c6b7e21"

UPDATE = """mutation ($id: ID!, $revision: Int!, $gender: String) {
  updateDefender(input: {id: $id, revision: $revision, gender: $gender}) {
    revision errors { code currentRevision } } }"""
OPEN = """mutation { openCaseFile(input: {urgency: URGENT, sensitivity: 2, province: "33",
    defenders: [{fullName: "SITI"}], account: "Laporan."}) {
  caseFile { id defenders { fullName } } errors { code } } }"""
TRIAGED = """mutation { openCaseFile(input: {sensitivity: 2, province: "33",
    defenders: [{fullName: "SITI"}], triage: {needs: ["legal_aid"],
    answers: [{question: "injured", answer: NO}]}}) {
  caseFileId proposedAgencies { agency } errors { code } } }"""
TWO = """mutation ($id: ID!) {
  one: addNote(input: {caseFileId: $id, body: "Satu."}) { noteId errors { code } }
  two: addNote(input: {caseFileId: $id, body: "Dua."}) { noteId errors { code } } }"""
RECEIPT = """query ($token: String!) { accessReceipt(token: $token) {
  event { action phase outcome } } }"""


async def note(world: World, key: str | None = KEY, *, by: str = SARI, **options: Any) -> Answer:
    """Add a note to the case file that is open to Sari."""
    given = {"id": str(world.records.open_to_sari), "body": options.pop("body", BODY)}
    return await world.ask(by, NOTE, given, key=key, **options)


async def notes(world: World) -> int:
    return (await counted(world, "note"))["note"]


async def kept(world: World) -> int:
    return (await counted(world, "idempotency_key"))["idempotency_key"]


async def phases_of(world: World, answer: Answer) -> list[str]:
    """Give, as an officer sees them, the phases of the events behind the receipt of *answer*."""
    shown = await world.ask(
        TUTI, RECEIPT, {"token": answer.receipt}, face="oversight", purpose="quality_review"
    )
    return [one["event"]["phase"] for one in shown.data["accessReceipt"]]


class Waiting:
    """A ledger whose first event waits to be let go."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def append(self, event: Event) -> int:
        self.reached.set()
        await self.let_go.wait()
        index: int = await self._ledger.append(event)
        return index


async def test_a_repeat_answers_the_same_and_makes_nothing(world: World) -> None:
    before, since = await notes(world), await world.size()

    first = await note(world)
    size = await world.size()
    again = await note(world)

    assert first.status == again.status == 200
    assert first.data == again.data
    assert first.data["addNote"]["noteId"]
    assert await notes(world) == before + 1
    assert await world.size() == size == since + 2
    assert await phases_of(world, again) == await phases_of(world, first) == ["INTENT", "OUTCOME"]


@pytest.mark.long
async def test_all_changes_of_a_request_are_made_once(world: World) -> None:
    before = await notes(world)
    given = {"id": str(world.records.open_to_sari)}

    first = await world.ask(SARI, TWO, given, key=KEY)
    again = await world.ask(SARI, TWO, given, key=KEY)

    assert first.data == again.data
    assert len({first.data["one"]["noteId"], first.data["two"]["noteId"]}) == 2
    assert await notes(world) == before + 2


async def test_the_same_key_of_another_member_is_another_key(world: World) -> None:
    before = await notes(world)

    mine = await note(world)
    theirs = await note(world, by=BUDI, purpose="supervision")

    assert mine.data["addNote"]["noteId"] != theirs.data["addNote"]["noteId"]
    assert await notes(world) == before + 2


async def test_a_key_that_was_sent_with_something_else_is_refused(world: World) -> None:
    await note(world)
    before, size = await notes(world), await world.size()

    for other in ({"body": "Lain."}, {"purpose": "assessment"}, {"basis": "vital_interest"}):
        answer = await note(world, **other)
        assert (answer.status, answer.codes) == (422, ["IDEMPOTENCY_KEY_REUSED"]), other
    assert (await notes(world), await world.size()) == (before, size)


async def test_the_order_of_variables_makes_no_other_request(world: World) -> None:
    first = await note(world)
    given = {"body": BODY, "id": str(world.records.open_to_sari)}

    assert (await world.ask(SARI, NOTE, given, key=KEY)).data == first.data


async def test_what_is_no_key_is_refused_before_anything_is_done(world: World) -> None:
    size = await world.size()
    headers = world.signed_in(SARI, "/graphql/agency") | {"perisai-purpose": "protection"}
    body = (
        '{"query": "mutation { addNote(input: {caseFileId: \\"x\\", body: \\"x\\"}) { noteId } }"}'
    )

    answer = await world.post("agency", headers | {"idempotency-key": KEY}, body)

    assert (answer.status, answer.codes) == (400, ["IDEMPOTENCY_KEY_INVALID"])
    assert (await kept(world), await world.size()) == (0, size)


async def test_a_query_takes_no_notice_of_a_key(world: World) -> None:
    for _ in range(2):
        answer = await world.ask(SARI, "{ viewer { memberId } }", key=KEY)
        assert answer.status == 200
    assert await kept(world) == 0


async def test_a_key_is_forgotten_after_a_day(world: World) -> None:
    first = await note(world)
    world.clock.move(KEPT - timedelta(seconds=1))
    assert (await note(world)).data == first.data

    world.clock.move(timedelta(seconds=1))

    assert (await note(world)).data["addNote"]["noteId"] != first.data["addNote"]["noteId"]


@pytest.mark.long
async def test_what_is_older_than_a_day_is_taken_away(world: World) -> None:
    await note(world)
    world.clock.move(timedelta(hours=1))
    await note(world, "another")
    world.clock.move(KEPT - timedelta(hours=1))

    async with exchanged(world) as inside:
        await idempotency_keys.forget(inside.house)

    assert await kept(world) == 1


@pytest.mark.long
async def test_sweeping_goes_on_when_the_database_comes_back(world: World) -> None:
    await note(world)
    world.clock.move(KEPT)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            await world.run("alter table elsewhere rename to idempotency_key")
        else:
            raise asyncio.CancelledError

    await world.run("alter table idempotency_key rename to elsewhere")
    async with exchanged(world) as inside:
        with pytest.raises(asyncio.CancelledError):
            await idempotency_keys.forget_forever(inside.house, pause)

    assert pauses == [idempotency_keys.FORGET_EVERY] * 2
    assert await kept(world) == 0


async def test_of_two_at_once_one_is_told_to_wait(world: World) -> None:
    """In two processes: what they share is the database."""
    before = await notes(world)
    ledgers: list[Waiting] = []

    def waiting(house: House) -> dict[str, Any]:
        ledgers.append(Waiting(house.ledger))
        return {"ledger": ledgers[0]}

    async with exchanged(world, waiting) as inside:
        first = asyncio.create_task(note(inside.world))
        await ledgers[0].reached.wait()
        second = await note(world)
        other = await note(world, body="Lain.")
        ledgers[0].let_go.set()
        answer = await first

    assert (second.status, second.codes) == (409, ["REQUEST_UNDER_WAY"])
    assert second.headers["retry-after"] == "1"
    assert other.codes == ["IDEMPOTENCY_KEY_REUSED"]
    assert (await note(world)).data == answer.data
    assert await notes(world) == before + 1


@pytest.mark.long
async def test_of_many_at_once_one_is_made(world: World) -> None:
    before = await notes(world)

    answers = await asyncio.gather(*(note(world) for _ in range(12)))

    done = [answer for answer in answers if answer.status == 200]
    assert {answer.codes[0] for answer in answers if answer.codes} <= {"REQUEST_UNDER_WAY"}
    assert len({answer.data["addNote"]["noteId"] for answer in done}) == 1
    assert await notes(world) == before + 1


async def test_what_was_refused_is_tried_anew(world: World) -> None:
    """A key is used up by what was done, and by nothing else."""
    file = world.records.open_to_sari
    person = next(f for f in world.records.case_files if f.id == file).defenders[0]
    given = {"id": str(person), "revision": 2, "gender": "x"}
    stale = await world.ask(SARI, UPDATE, given, key=KEY)
    assert stale.data["updateDefender"]["errors"] == [
        {"code": "STALE_REVISION", "currentRevision": 1}
    ]
    assert await kept(world) == 0
    await world.ask(SARI, UPDATE, {**given, "revision": 1})

    done = await world.ask(SARI, UPDATE, given, key=KEY)

    assert done.data["updateDefender"] == {"revision": 3, "errors": []}


@pytest.mark.long
async def test_a_variable_that_does_not_fit_uses_up_no_key(world: World) -> None:
    answer = await world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)}, key=KEY)

    assert answer.codes == ["DOCUMENT_INVALID"]
    assert await kept(world) == 0


@pytest.mark.long
async def test_a_log_that_takes_no_intent_uses_up_no_key(world: World) -> None:
    before = await notes(world)
    async with exchanged(world, lambda h: {"ledger": FailingLedger(h.ledger, 0)}) as inside:
        failed = await note(inside.world)
    assert (failed.status, failed.codes) == (503, ["LOG_UNAVAILABLE"])

    assert (await note(world)).data["addNote"]["errors"] == []
    assert await notes(world) == before + 1


async def test_an_answer_that_opened_something_is_not_kept(world: World) -> None:
    first = await world.ask(SARI, OPEN, purpose="intake", key=KEY)
    made = first.data["openCaseFile"]["caseFile"]
    assert made["defenders"] == [{"fullName": "SITI"}], "as a code of the schema is written"
    size, files = await world.size(), await counted(world, "case_file")

    again = await world.ask(SARI, OPEN, purpose="intake", key=KEY)

    assert (again.status, again.codes) == (409, ["ALREADY_DONE"])
    [error] = again.body["errors"]
    assert error["extensions"]["caseFileIds"] == [made["id"]]
    assert "SITI" not in again.text
    assert await phases_of(world, again) == await phases_of(world, first)
    assert files == await counted(world, "case_file")
    assert size + 2 == await world.size(), "the two looks at receipts alone"


async def test_an_answer_that_says_more_than_ids_and_codes_is_not_kept(world: World) -> None:
    """What triage proposes follows from answers that are sealed."""
    first = (await world.ask(SARI, TRIAGED, purpose="intake", key=KEY)).data["openCaseFile"]
    assert first["proposedAgencies"]

    again = await world.ask(SARI, TRIAGED, purpose="intake", key=KEY)

    assert (again.status, again.codes) == (409, ["ALREADY_DONE"])
    [error] = again.body["errors"]
    assert error["extensions"]["caseFileIds"] == [first["caseFileId"]]


async def test_who_no_longer_sees_the_case_file_is_told_nothing_of_it(world: World) -> None:
    await note(world)
    await declared(world)  # Of Sari, to the case file: a conflict of interest.
    size = await world.size()

    again = await note(world)

    assert (again.status, again.codes) == (409, ["ALREADY_DONE"])
    assert "caseFileIds" not in again.text
    assert await world.size() == size


@pytest.mark.long
async def test_who_is_disabled_is_told_nothing(world: World) -> None:
    await note(world)
    async with exchanged(world) as inside:
        assert await disable_member(inside.house, "komnas-ham", SARI)

    again = await note(world)

    assert (again.status, again.codes) == (403, ["NOT_FOR_THIS_FACE"])
    assert again.receipt is None


async def test_what_was_cut_off_is_never_done_twice(world: World) -> None:
    """The log took the intent and not the outcome: the change stands, and nobody said so."""
    before = await notes(world)
    async with exchanged(world, lambda h: {"ledger": FailingLedger(h.ledger, 1)}) as inside:
        first = await note(inside.world)
    assert (first.status, first.codes) == (503, ["CHANGE_UNCONFIRMED"])
    assert (await note(world)).codes == ["REQUEST_UNDER_WAY"]
    world.clock.move(UNDER_WAY)

    for _ in range(2):
        again = await note(world)
        assert (again.status, again.codes) == (409, ["OUTCOME_UNKNOWN"])
        assert await phases_of(world, again) == ["INTENT"]
    assert await notes(world) == before + 1


class FailingAtTheEnd:
    """Records that begin so many transactions and no more."""

    def __init__(self, records: Any, after: int, error: type[Exception]) -> None:
        self._records, self._left, self._error = records, after, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Any]:
        if self._left == 0:
            raise self._error
        self._left -= 1
        async with self._records.change() as connection:
            yield connection


@pytest.mark.long
async def test_a_change_is_answered_though_its_end_cannot_be_written(
    world: World, reports: list[Any]
) -> None:
    before = await notes(world)

    def failing(house: House) -> dict[str, Any]:
        return {"records": FailingAtTheEnd(house.records, 2, StoreUnavailable)}

    async with exchanged(world, failing) as inside:
        first = await note(inside.world)
    assert first.data["addNote"]["errors"] == []
    assert [r["event"] for r in reports if r["event"].startswith("idempotency")] == [
        "idempotency_key_not_ended"
    ]
    world.clock.move(UNDER_WAY)

    again = await note(world)

    assert again.codes == ["OUTCOME_UNKNOWN"]
    assert await phases_of(world, again) == ["INTENT", "OUTCOME"]
    assert await notes(world) == before + 1


@pytest.mark.long
async def test_what_failed_by_a_fault_of_ours_is_not_tried_again(world: World) -> None:
    """Nobody knows how far it came."""

    def failing(house: House) -> dict[str, Any]:
        return {"records": FailingAtTheEnd(house.records, 1, RuntimeError)}

    async with exchanged(world, failing) as inside:
        assert (await note(inside.world)).codes == ["INTERNAL"]
    world.clock.move(UNDER_WAY)

    assert (await note(world)).codes == ["OUTCOME_UNKNOWN"]


@pytest.mark.long
async def test_variables_of_any_shape_are_refused_as_without_a_key(world: World) -> None:
    headers = world.signed_in(SARI, "/graphql/agency") | {"perisai-purpose": "protection"}
    query = '"mutation { addNote(input: {caseFileId: \\"x\\", body: \\"x\\"}) { noteId } }"'
    for shape in ("1e999", "-0.0", "9" * 4000, *("[" * n + "]" * n for n in range(100, 1000, 50))):
        body = f'{{"query": {query}, "variables": {{"unused": {shape}}}}}'
        without = await world.post("agency", headers, body)
        answer = await world.post("agency", headers | {"idempotency-key": f'"{KEY}"'}, body)
        assert "INTERNAL" not in answer.codes, shape[:10]
        assert answer.status in (without.status, 400), shape[:10]
    assert await kept(world) == 0


@pytest.mark.parametrize("column", ["digest", "fingerprint", "claimed_at", "sealed"])
async def test_a_row_that_was_changed_by_hand_answers_nothing(world: World, column: str) -> None:
    """Each value is one of another row, as it was written: nothing is malformed."""
    await note(world)
    world.clock.move(timedelta(minutes=1))
    await note(world, "another", body="Lain.")
    before, size = await notes(world), await world.size()
    rows = await world.run("select digest, claimed_at from idempotency_key order by claimed_at")
    (mine, _), (other, _) = rows
    if column == "digest":
        await world.run("delete from idempotency_key where digest = ?", (mine,))
        await world.run("update idempotency_key set digest = ? where digest = ?", (mine, other))
    else:
        await world.run(
            f"update idempotency_key set {column} ="
            f" (select {column} from idempotency_key where digest = ?) where digest = ?",
            (other, mine),
        )

    again = await note(world)

    assert (again.status, again.codes) == (500, ["SEAL_BROKEN"])
    assert (await notes(world), await world.size()) == (before, size)


@pytest.mark.long
async def test_nothing_says_what_a_key_is_or_was_sent_with(
    watched: tuple[World, io.StringIO],
) -> None:
    world, lines = watched
    key = "kunci-rahasia-sari"
    answer = await note(world, key, body="Rumah aman Kenanga")
    await note(world, key, body="Rumah aman Kenanga")
    await note(world, key, body="Lain")

    tables = [await world.run(f"select * from {name}") for name in METADATA.tables]
    told = repr(tables) + repr(await world.events()) + lines.getvalue()
    stored = files_below(world.folder)

    made = UUID(answer.data["addNote"]["noteId"])
    assert await kept(world) == 1
    for said in (key, "Kenanga"):
        assert said not in told
        assert said.encode() not in stored
    [[sealed]] = await world.run("select sealed from idempotency_key")
    assert str(made).encode() not in bytes(sealed), "sealed, though it is an id alone"


@pytest.mark.long
async def test_a_process_that_is_killed_leaves_what_is_never_done_twice(world: World) -> None:
    """At each point, by a signal that nothing can catch."""
    before, made = await notes(world), 0
    file = str(world.records.open_to_sari)
    for point, stands, phases in ((1, 0, []), (2, 1, ["INTENT"])):
        key = f"killed-{point}"
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.scenarios.killed", str(point), key, file],
            env=environment(world.folder / CONFIG)
            | {"PERISAI_TEST_NOW": world.clock().isoformat()},
            cwd=ROOT,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        made += stands
        assert await notes(world) == before + made
        assert (await note(world, key)).codes == ["REQUEST_UNDER_WAY"]
        world.clock.move(UNDER_WAY)

        again = await note(world, key)

        assert again.codes == ["OUTCOME_UNKNOWN"]
        assert await phases_of(world, again) == phases
        assert await notes(world) == before + made
