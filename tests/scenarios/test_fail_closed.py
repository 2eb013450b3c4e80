"""A failure of any part closes: the answer is 503, nothing is opened, nothing is shown."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from api.casework.house import House
from api.crypto.keyring import Keyring
from api.database import Records, engine_of
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.errors import KeysUnavailable, PolicyFailed
from api.policies.engine import Policy
from api.policies.gate import PERMIT_SECONDS, Gate
from api.vocabulary import Action, Decision, Outcome, Phase
from tests.inside import FailingLedger, exchanged
from tests.postgresql import libpq_url
from tests.world import Answer, World

READ = """query ($id: ID!) { caseFile(id: $id) {
  reference account defenders { fullName nik phones } notes { body } } }"""
LIST = "{ caseFiles(first: 20) { edges { node { reference defenders { fullName } } } } }"
FIND = '{ findDefenders(by: NAME, value: "joesoef", first: 20) { defender { fullName } } }'
RELEASES = "{ releases(first: 5) { edges { node { content { summary } } } } }"
EVENTS = "{ accessEvents(first: 5) { edges { node { index action } } } }"
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan yang tertolak."}) {
  noteId errors { code } } }"""
ASSIGN = """mutation ($id: ID!, $who: ID!) { assignCaseworker(input: {
  caseFileId: $id, memberId: $who, until: "2026-12-01T00:00:00Z"}) {
  assignmentId errors { code } } }"""


#: Which of the answers below is to somebody to whom the record does not exist.
STRANGER = 5


async def everything(world: World) -> list[Answer]:
    """Ask for something of every kind, all at once."""
    mine = {"id": str(world.records.open_to_sari)}
    return await asyncio.gather(
        world.ask(SARI, READ, mine),
        world.ask(SARI, LIST),
        world.ask(SARI, FIND),
        world.ask(SARI, NOTE, mine),
        world.ask(BUDI, ASSIGN, mine | {"who": str(world.records.member("rizal").id)}),
        world.ask(WAYAN, READ, mine),
        world.ask(RATNA, RELEASES, face="partner", purpose="referral"),
        world.ask(TUTI, EVENTS, face="oversight", purpose="quality_review"),
        world.ask(SARI, LIST, token="nothing.of.ours"),
    )


def assert_closed(answers: list[Answer], code: str) -> None:
    for answer in answers:
        assert answer.status == 503, answer.text
        assert answer.codes == [code]
        assert answer.body.get("data") is None


async def rows(world: World) -> list[Any]:
    """Count what a change would add."""
    return [await world.run(f"select count(*) from {table}") for table in ("note", "assignment")]


@asynccontextmanager
async def log_locked(world: World) -> AsyncIterator[None]:
    """Hold the log as a stuck process would, so that no append ends."""
    if world.kind == "sqlite":
        holder = sqlite3.connect(log_file(world), isolation_level=None)
        holder.execute("begin exclusive")
        yield
        holder.execute("rollback")
        holder.close()
        return
    assert world.database is not None
    connection = await asyncpg.connect(libpq_url(world.database.owner_url))
    async with connection.transaction():
        await connection.execute("lock table accesslog.head in access exclusive mode")
        yield
    await connection.close()


def log_file(world: World) -> Path:
    return Path(make_url(world.settings.log_url.get_secret_value()).database or "")


async def test_a_log_that_is_locked_gives_503_and_no_data_until_it_is_free(world: World) -> None:
    before = await rows(world)
    async with exchanged(world) as inside:
        size = await world.size()
        async with log_locked(world):
            answers = await everything(inside.world)
            assert (await world.client.get("/healthz")).status_code == 200

        assert_closed(answers, "LOG_UNAVAILABLE")
        assert inside.keyring.opened == []
        assert await rows(world) == before
        # What was on its way may still become durable: too much is allowed, too little not.
        assert await world.size() >= size
        again = await inside.world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})
        assert again.data["caseFile"]["defenders"][0]["fullName"] == "Mochammad Joesoef Hidayat"
        assert inside.keyring.opened != []


async def test_a_log_that_is_gone_gives_503_and_no_data(world: World) -> None:
    before = await rows(world)
    async with exchanged(world) as inside:
        if world.kind == "sqlite":
            # The open file would still take events, which nobody would ever see again.
            log_file(world).rename(world.folder / "taken-away.sqlite")
        else:
            await world.run("alter schema accesslog rename to taken_away")

        answers = await everything(inside.world)
        ready = await world.client.get("/readyz")

        assert_closed(answers, "LOG_UNAVAILABLE")
        assert inside.keyring.opened == []
        assert await rows(world) == before
        assert (ready.status_code, ready.json()["code"]) == (503, "LOG_UNAVAILABLE")


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
async def test_a_log_that_was_replaced_by_an_older_copy_takes_no_event(world: World) -> None:
    path = log_file(world)
    with sqlite3.connect(path) as source, sqlite3.connect(world.folder / "copy") as copy:
        source.backup(copy)
    copy.close()
    source.close()
    await world.ask(SARI, LIST)
    async with exchanged(world) as inside:
        (world.folder / "copy").rename(path)

        answers = await everything(inside.world)

        assert_closed(answers, "LOG_UNAVAILABLE")
        assert inside.keyring.opened == []


async def test_records_that_are_gone_give_503_and_leave_no_event(world: World) -> None:
    nowhere = f"sqlite+aiosqlite:///{world.folder / 'nowhere' / 'records.sqlite'}"
    gone = Records(engine_of(nowhere))
    async with exchanged(world, lambda _house: {"records": gone}) as inside:
        size = await world.size()

        answers = await everything(inside.world)

        assert_closed(answers[:-1], "STORE_UNAVAILABLE")
        assert inside.keyring.opened == []
        assert await world.size() == size + 1  # the bad token was told to the log
    await gone.close()


async def test_a_table_that_was_taken_away_gives_503(world: World) -> None:
    async with exchanged(world) as inside:
        await world.run("alter table data_key rename to taken_away")

        answer = await inside.world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})

        assert_closed([answer], "STORE_UNAVAILABLE")
        assert inside.keyring.opened == []


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
async def test_a_server_that_is_halted_gives_503_and_answers_again_when_it_is_back(
    world: World,
) -> None:
    assert world.server is not None
    async with exchanged(world) as inside:
        world.server.halt()
        try:
            answers = await everything(inside.world)
            ready = await world.client.get("/readyz")
        finally:
            world.server.restart()

        assert {answer.status for answer in answers} == {503}
        assert {code for answer in answers for code in answer.codes} <= {
            "STORE_UNAVAILABLE",
            "LOG_UNAVAILABLE",
        }
        assert not any(answer.body.get("data") for answer in answers)
        assert inside.keyring.opened == []
        assert ready.status_code == 503
        # A connection that the halt took is noticed by who uses it first.
        await everything(inside.world)
        assert {a.status for a in await everything(inside.world)} <= {200, 401}


class _Raising(Policy):
    """An engine that fails at every question."""

    def answers(self, rule: str, *args: object) -> frozenset[tuple[str, ...]]:
        raise PolicyFailed


def failing_gate(_house: House) -> dict[str, Any]:
    return {"gate": Gate(_Raising.shipped())}


async def test_an_engine_that_raises_gives_503_and_opens_nothing(world: World) -> None:
    before = await rows(world)
    async with exchanged(world, failing_gate) as inside:
        size = await world.size()

        answers = await everything(inside.world)

        stranger = answers.pop(STRANGER)
        # The officer's look itself is an event; which events are shown is decided after.
        assert_closed(answers[:-1], "POLICY_FAILED")
        # What is out of scope is no row to decide on: it is answered as what is nowhere.
        assert stranger.codes == ["NOT_FOUND"]
        assert inside.keyring.opened == []
        assert await rows(world) == before
        events = [e for e in await world.events(size) if e.decision is not Decision.WITHHELD]
        assert {e.action for e in events} <= {Action.READ_LOG, Action.SIGN_IN}


def slow_clock() -> Callable[[], float]:
    """Give a clock by which more than the life of a permit passes between two looks."""
    ticks: Iterator[float] = iter(range(0, 10**9, int(PERMIT_SECONDS) + 1))
    return lambda: next(ticks)


async def test_a_permit_that_grew_too_old_opens_nothing_though_the_event_stands(
    world: World,
) -> None:
    def gate(_house: House) -> dict[str, Any]:
        return {"gate": Gate(Policy.shipped(), slow_clock())}

    async with exchanged(world, gate) as inside:
        size = await world.size()
        mine = {"id": str(world.records.open_to_sari)}

        answers = [
            await inside.world.ask(SARI, READ, mine),
            await inside.world.ask(SARI, LIST),
            await inside.world.ask(SARI, FIND),
            await inside.world.ask(RATNA, RELEASES, face="partner", purpose="referral"),
        ]

        assert_closed(answers, "PERMIT_EXPIRED")
        assert inside.keyring.opened == []
        actions = [event.action for event in await world.events(size)]
        assert actions == [Action.READ, Action.LIST, Action.SEARCH, Action.LIST]


async def test_keys_that_cannot_be_had_give_503_and_the_event_stands(world: World) -> None:
    async with exchanged(world) as inside:
        inside.keyring.error = KeysUnavailable()
        size = await world.size()

        answer = await inside.world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})

        assert_closed([answer], "KEYS_UNAVAILABLE")
        assert [event.action for event in await world.events(size)] == [Action.READ]


async def test_keys_that_cannot_be_had_leave_a_change_undone_and_say_so(world: World) -> None:
    before = await rows(world)
    async with exchanged(world) as inside:
        inside.keyring.error = KeysUnavailable()
        size = await world.size()

        answer = await inside.world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})

        assert_closed([answer], "KEYS_UNAVAILABLE")
        assert await rows(world) == before
        intent, outcome = await world.events(size)
        assert (intent.phase, outcome.phase) == (Phase.INTENT, Phase.OUTCOME)
        assert (outcome.intent, outcome.outcome) == (size, Outcome.NOTHING)


async def test_a_log_that_fails_before_the_intent_leaves_the_record_as_it_was(
    world: World,
) -> None:
    before = await rows(world)

    def ledger(house: House) -> dict[str, Any]:
        return {"ledger": FailingLedger(house.ledger, after=0)}

    async with exchanged(world, ledger) as inside:
        answer = await inside.world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})

        assert_closed([answer], "LOG_UNAVAILABLE")
        assert await rows(world) == before
        assert inside.keyring.opened == []


async def test_a_log_that_fails_after_the_intent_shows_a_change_without_outcome(
    world: World,
) -> None:
    def ledger(house: House) -> dict[str, Any]:
        return {"ledger": FailingLedger(house.ledger, after=1)}

    async with exchanged(world, ledger) as inside:
        size = await world.size()

        answer = await inside.world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})

        assert_closed([answer], "CHANGE_UNCONFIRMED")
        [event] = await world.events(size)
        assert (event.action, event.phase) == (Action.ADD_NOTE, Phase.INTENT)


async def test_one_part_that_fails_takes_the_whole_answer_with_it(world: World) -> None:
    def ledger(house: House) -> dict[str, Any]:
        return {"ledger": FailingLedger(house.ledger, after=1)}

    async with exchanged(world, ledger) as inside:
        answer = await inside.world.ask(
            SARI,
            """query ($id: ID!) {
              codeList(name: "provinces") { code }
              one: caseFile(id: $id) { account } two: caseFile(id: $id) { account }
            }""",
            {"id": str(world.records.open_to_sari)},
        )

        assert_closed([answer], "LOG_UNAVAILABLE")
        assert world.records.case_files[0].account not in answer.text


async def test_a_process_without_the_keys_of_an_agency_serves_none_of_its_callers(
    world: World,
) -> None:
    def keyring(house: House) -> dict[str, Any]:
        return {"keyring": Keyring(None, {})}  # type: ignore[arg-type]  # nothing is asked of it

    async with exchanged(world, keyring) as inside:
        size = await world.size()

        answer = await inside.world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})

        assert_closed([answer], "KEYS_UNAVAILABLE")
        assert await world.size() == size
