"""The ledger: every index is given once, after its commit, whatever happens around it."""

import asyncio
import sqlite3

import asyncpg
import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.verify import verify
from api.errors import LeafMalformed, LogBroken, LogUnavailable
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of, refusal


async def test_indices_start_at_zero_and_have_no_gap(ledger: Ledger, reader: LogReader) -> None:
    given = [await ledger.append(read_of(number)) for number in range(5)]

    assert given == [0, 1, 2, 3, 4]
    for number in range(5):
        assert await reader.event(number) == read_of(number)
    assert await reader.event(5) is None


async def test_an_event_is_durable_when_its_index_is_known(ledger: Ledger, log: Log) -> None:
    await ledger.append(read_of())

    with log.raw() as raw:
        assert raw.rows("select size, start from head") == [(1, 0)]
        assert len(raw.rows("select idx from entry")) == 1


async def test_callers_at_once_share_commits_and_get_their_own_event(
    ledger: Ledger, reader: LogReader, log: Log
) -> None:
    indices = await asyncio.gather(*(ledger.append(read_of(number)) for number in range(300)))

    assert sorted(indices) == list(range(300))
    for number, index in enumerate(indices):
        if number % 50 == 0:
            assert await reader.event(index) == read_of(number)
    with log.raw() as raw:
        assert len(raw.rows("select size from head")) < 20
    assert (await verify(reader, [])).size == 300


async def test_two_ledgers_on_one_log_leave_no_gap(log: Log, reader: LogReader) -> None:
    ledgers = [log.ledger(), log.ledger()]
    for ledger in ledgers:
        await ledger.start()

    async def work(ledger: Ledger, caller: int) -> list[int]:
        return [await ledger.append(read_of(caller * 4 + number)) for number in range(10)]

    given = await asyncio.gather(
        *(work(ledger, caller) for ledger in ledgers for caller in range(16))
    )
    for ledger in ledgers:
        await ledger.close()

    assert sorted(index for indices in given for index in indices) == list(range(320))
    assert (await verify(reader, [])).size == 320


async def test_a_ledger_goes_on_where_another_ended(log: Log, reader: LogReader) -> None:
    for round_ in range(3):
        ledger = log.ledger()
        await ledger.start()
        for number in range(3):
            assert await ledger.append(read_of()) == round_ * 3 + number
        await ledger.close()

    assert (await verify(reader, [])).size == 9


async def test_a_cancelled_caller_takes_nobody_elses_event_along(
    ledger: Ledger, reader: LogReader
) -> None:
    first = asyncio.create_task(ledger.append(read_of(1)))
    others = [asyncio.create_task(ledger.append(read_of(number))) for number in range(2, 12)]
    await asyncio.sleep(0)
    first.cancel()

    indices = await asyncio.gather(*others)

    assert first.cancelled()
    assert len(set(indices)) == 10
    # The cancelled one's event is written too: the log may claim too much.
    assert (await verify(reader, [])).size == 11


async def test_closing_writes_what_waits_and_takes_no_more(log: Log, reader: LogReader) -> None:
    ledger = log.ledger()
    await ledger.start()
    waiting = [asyncio.create_task(ledger.append(read_of(number))) for number in range(20)]
    await asyncio.sleep(0)

    await ledger.close()

    assert sorted([await task for task in waiting]) == list(range(20))
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with pytest.raises(LogUnavailable):
        await ledger.health()
    assert (await reader.head()).size == 20


async def test_what_no_leaf_may_hold_never_reaches_the_database(
    ledger: Ledger, reader: LogReader
) -> None:
    with pytest.raises(LeafMalformed):
        await ledger.append(read_of(organisation="not a slug"))

    assert (await reader.head()).size == 0


async def test_two_equal_events_are_two_different_leaves(ledger: Ledger, reader: LogReader) -> None:
    await ledger.append(refusal())
    await ledger.append(refusal())

    first, second = await reader.entries(0, 2)
    assert first.body != second.body
    assert await reader.event(0) == await reader.event(1)


async def test_a_healthy_ledger_says_so(ledger: Ledger) -> None:
    await ledger.health()


async def test_a_shut_ledger_takes_no_event(ledger: Ledger, reader: LogReader) -> None:
    ledger.shut()

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with pytest.raises(LogUnavailable):
        await ledger.health()
    assert (await reader.head()).size == 0


async def test_a_log_that_went_back_takes_no_event(log: Log) -> None:
    ledger, other = log.ledger(), log.ledger()
    await ledger.start()
    for number in range(4):
        await ledger.append(read_of(number))
    with log.raw() as raw:  # an older copy of the log is put in place
        raw.execute("delete from entry where idx >= 2")
        raw.execute("delete from head where size > 2")

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())
    with log.raw() as raw:
        assert raw.rows("select count(*) from entry") == [(2,)]
    await ledger.close()
    await other.close()


async def test_a_head_that_does_not_fit_its_entries_takes_no_event(log: Log) -> None:
    ledger = log.ledger()
    await ledger.start()
    for number in range(3):
        await ledger.append(read_of(number))
    await ledger.close()
    with log.raw() as raw:
        raw.execute("update head set root = ? where size = 3", bytes(32))

    again = log.ledger()
    with pytest.raises(LogBroken, match="head 3"):
        await again.start()
    await again.close()


@pytest.mark.parametrize("table", ["entry", "head", "checkpoint"])
async def test_nobody_changes_or_removes_evidence(ledger: Ledger, log: Log, table: str) -> None:
    await ledger.append(read_of())
    key, value = ("idx", "body = body") if table == "entry" else ("size", "size = size + 1")
    if table == "checkpoint":
        writer = log.source()
        await writer.open()
        head = await writer.state()
        await writer.put_checkpoint(1, str(Checkpoint("perisai.example/log", 1, head.root)))
        await writer.close()
    statements = [f"update {table} set {value}", f"delete from {table} where {key} >= 0"]
    if log.database is not None:
        statements.append(f"truncate {table}")

    for statement in statements:
        with pytest.raises((sqlite3.DatabaseError, asyncpg.PostgresError)):
            await log.as_owner(statement)

    with log.raw() as raw:
        assert raw.rows(f"select count(*) from {table}") == [(1,)]


async def test_a_process_that_appends_rarely_is_not_kept_waiting_by_one_that_never_stops(
    log: Log, reader: LogReader
) -> None:
    busy, rare = log.ledger(), log.ledger()
    await busy.start()
    await rare.start()
    given: list[int] = []

    async def never_stops() -> None:
        while True:
            given.append(await busy.append(read_of(1)))

    callers = [asyncio.create_task(never_stops()) for _ in range(8)]
    # LogUnavailable, if it lost every time.
    given += [await rare.append(read_of(2)) for _ in range(20)]
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await busy.close()
    await rare.close()

    assert len(set(given)) == len(given)
    assert (await verify(reader, [])).size >= len(given)
