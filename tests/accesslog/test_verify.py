"""The tamper matrix: whatever is changed in the raw database, the place is named."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.tree import Head
from api.accesslog.verify import Verified, verify
from api.crypto.signatures import SigningKey
from api.errors import LogBroken
from tests.accesslog.conftest import Log, Raw
from tests.accesslog.events import WAYAN, read_of, refusal

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
KEYS = [Signer(Path("unused"), KEY, ORIGIN).verifier_key]

TABLES = {
    "entry": ("idx", "body", "hashes"),
    "head": ("size", "start", "root"),
    "checkpoint": ("size", "note"),
    "event": ("idx", "at", "actor", "organisation", "role", "action", "purpose", "decision"),
    "event_record": ("record", "idx", "kind", "decision"),
    "event_agency": ("agency", "idx"),
}


#: What is found when the last row of another table is gone: what belonged to it.
LEFT_OVER = ("entry", "event_record", "checkpoint")


@pytest.fixture
async def filled(log: Log, ledger: Ledger, reader: LogReader, tmp_path: Path) -> Head:
    """Write seven events in five batches, two checkpoints, and the search tables."""
    source = log.writer()
    await source.open()
    signer = Signer(tmp_path / "state", KEY, ORIGIN)
    await signer.start(source)
    await ledger.append(read_of(0))
    await ledger.append(refusal(1))
    await asyncio.gather(*(ledger.append(read_of(number)) for number in (2, 3, 4)))
    await signer.sign(source)
    await ledger.append(
        read_of(5, actor=WAYAN, organisation="lpsk", agencies=("komnas-ham", "lpsk"))
    )
    await ledger.append(read_of(6))
    await signer.sign(source)
    signer.close()
    await source.close()
    await reader.catch_up()
    return await reader.head()


async def broken(reader: LogReader, **options: Any) -> LogBroken:
    """Verify, expect a break, and give it."""
    with pytest.raises(LogBroken) as raised:
        await verify(reader, KEYS, **options)
    return raised.value


async def test_a_log_that_nobody_touched_holds(reader: LogReader, filled: Head) -> None:
    steps: list[tuple[int, int]] = []

    verified = await verify(
        reader, KEYS, lambda done, total: steps.append((done, total)), at_least=filled
    )

    assert verified == Verified(7, filled.root, checkpoints=2, searchable=7)
    assert steps == [(7, 7)]


async def test_an_empty_log_holds(reader: LogReader) -> None:
    assert (await verify(reader, KEYS)).size == 0


async def test_events_that_nobody_searched_for_yet_are_no_break(
    reader: LogReader, filled: Head, ledger: Ledger
) -> None:
    await ledger.append(read_of(7))

    verified = await verify(reader, KEYS, at_least=filled)

    assert (verified.size, verified.searchable) == (8, 7)


def flips(value: Any) -> list[Any]:
    """Give values that differ from *value* by one byte, changed or missing."""
    if value is None:
        return ["x"]
    if isinstance(value, int):
        return [value ^ 1, value ^ 64, value ^ 1 << 40]
    places = sorted({0, len(value) // 2, len(value) - 1})
    if isinstance(value, str):
        changed = [value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :] for at in places]
    else:
        changed = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in places]
    return [*changed, value[:-1]]


def put(raw: Raw, table: str, rows: list[tuple[Any, ...]]) -> bool:
    """Make *rows* the content of a table; False if no row like these can be stored."""
    columns = TABLES[table]
    marks = ", ".join("?" for _ in columns)
    raw.execute("begin")
    raw.execute(f"delete from {table}")
    try:
        for row in rows:
            raw.execute(f"insert into {table} ({', '.join(columns)}) values ({marks})", *row)
    except (sqlite3.IntegrityError, psycopg.IntegrityError):
        raw.execute("rollback")
        return False
    raw.execute("commit")
    return True


@pytest.mark.parametrize("table", TABLES)
async def test_a_byte_changed_in_any_column_of_any_row_is_noticed(
    log: Log, reader: LogReader, filled: Head, table: str
) -> None:
    noticed = 0
    with log.raw() as raw:
        columns = TABLES[table]
        rows = raw.rows(f"select {', '.join(columns)} from {table} order by 1, 2")
        assert rows
        for at, row in enumerate(rows):
            for column, name in enumerate(columns):
                for value in flips(row[column]):
                    changed = (*row[:column], value, *row[column + 1 :])
                    if put(raw, table, [*rows[:at], changed, *rows[at + 1 :]]):
                        error = await broken(reader)
                        # A head that says too much is found where entries are missing.
                        wanted = ("entry", "head") if table == "head" else (table,)
                        assert error.place.split()[0] in wanted, (name, value, error)
                        noticed += 1
        assert put(raw, table, rows)
    assert (await verify(reader, KEYS, at_least=filled)).size == 7
    print(f"{log.name} {table}: {noticed} changes noticed")  # noqa: T201  # the count
    assert noticed >= len(rows) * len(columns) * 2


@pytest.mark.parametrize("table", ["entry", "head", "event", "event_record", "event_agency"])
async def test_any_row_removed_or_added_is_noticed(
    log: Log, reader: LogReader, filled: Head, table: str
) -> None:
    with log.raw() as raw:
        columns = TABLES[table]
        rows = raw.rows(f"select {', '.join(columns)} from {table} order by 1, 2")
        for at in range(len(rows)):
            assert put(raw, table, [*rows[:at], *rows[at + 1 :]])
            error = await broken(reader)
            assert error.place.split()[0] in (table, *LEFT_OVER), error
        place = columns.index("size" if table == "head" else "idx")
        for number in (-1, 2, 7, 8, 10_000):
            # What the first row says, said of another place.
            extra = [*rows[0]]
            extra[place] = number
            if table == "head":
                extra[1] = number - 1
            if put(raw, table, [*rows, tuple(extra)]):
                await broken(reader)
        put(raw, table, rows)
    assert (await verify(reader, KEYS)).size == 7


async def test_entries_exchanged_with_all_their_columns_are_noticed(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        rows = raw.rows("select idx, body, hashes from entry order by idx")
        rows[2], rows[4] = (2, *rows[4][1:]), (4, *rows[2][1:])
        assert put(raw, "entry", rows)

    assert (await broken(reader)).place == "entry 3"


@pytest.mark.parametrize("keep_checkpoints", [True, False])
async def test_a_cut_log_is_noticed_by_a_checkpoint_or_the_signers_state(
    log: Log, reader: LogReader, filled: Head, keep_checkpoints: bool
) -> None:
    with log.raw() as raw:
        for table, column in (
            ("entry", "idx"),
            ("event", "idx"),
            ("event_record", "idx"),
            ("event_agency", "idx"),
        ):
            raw.execute(f"delete from {table} where {column} >= 5")
        raw.execute("delete from head where size > 5")
        if not keep_checkpoints:
            raw.execute("delete from checkpoint where size > 5")

    if keep_checkpoints:
        assert (await broken(reader)).place == "checkpoint 7"
    else:
        # The database alone is now a whole, older log: an honest one to itself.
        assert (await verify(reader, KEYS)).size == 5
    assert (await broken(reader, at_least=filled)).place == "head 5"


async def test_a_log_written_anew_is_noticed_by_the_signers_state(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        for table in TABLES:
            raw.execute(f"delete from {table}")
    forger = log.ledger()
    await forger.start()
    for number in range(9):
        await forger.append(read_of(number))
    await forger.close()

    assert (await verify(reader, KEYS)).size == 9
    assert "not the log that was seen" in (await broken(reader, at_least=filled)).what


async def test_a_checkpoint_of_a_stranger_is_noticed(
    log: Log, reader: LogReader, filled: Head
) -> None:
    note = Checkpoint(ORIGIN, 7, filled.root).sign(SigningKey.generate())
    with log.raw() as raw:
        raw.execute("update checkpoint set note = ? where size = 7", note)

    assert (await broken(reader)).place == "checkpoint 7"


async def test_a_checkpoint_of_another_root_is_noticed(
    log: Log, reader: LogReader, filled: Head
) -> None:
    note = Checkpoint(ORIGIN, 7, bytes(32)).sign(KEY)
    with log.raw() as raw:
        raw.execute("update checkpoint set note = ? where size = 7", note)

    assert (await broken(reader)).place == "checkpoint 7"


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_a_value_of_another_type_is_noticed(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        raw.execute("pragma ignore_check_constraints = on")
        raw.execute("update entry set body = 'text' where idx = 3")

    assert (await broken(reader)).place.startswith("entry 3")
