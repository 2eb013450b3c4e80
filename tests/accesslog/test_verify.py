"""What a verification takes, what it tells, and that it tells every kind of fault."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from api.accesslog import leaves
from api.accesslog.checkpoint import Checkpoint
from api.accesslog.event import Event, encode
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.tree import EMPTY_ROOT, Head
from api.accesslog.verify import CHUNK, Verified, verify
from api.app import CLOCK_LEEWAY
from api.crypto.signatures import SigningKey
from api.database import engine_of
from api.errors import LogBroken
from api.migrations import upgrade
from api.vocabulary import Action
from tests.accesslog.conftest import Log
from tests.accesslog.events import NOON, read_of, refusal
from tests.accesslog.tampering import Content, forged, forged_of, read, write

NUMBERS = import_module("api.migrations.log.versions.0005_checkpoint_numbers")

KEY = SigningKey.from_seed(bytes(range(32)))
OTHER = SigningKey.from_seed(bytes(32))
ORIGIN = "perisai.example/log"
KEYS = [Signer(Path("unused"), KEY, ORIGIN).verifier_key]


@pytest.fixture
async def filled(log: Log, ledger: Ledger, reader: LogReader, tmp_path: Path) -> Head:
    """Write seven events in five batches, two checkpoints, and the search tables."""
    source = log.source()
    await source.open()
    signer = Signer(tmp_path / "state", KEY, ORIGIN)
    await signer.start(source)
    await ledger.append(read_of(0))
    await ledger.append(refusal(1))
    await asyncio.gather(*(ledger.append(read_of(number)) for number in (2, 3, 4)))
    await signer.sign(source)
    await ledger.append(read_of(5))
    await ledger.append(read_of(6))
    await signer.sign(source)
    signer.close()
    await source.close()
    await reader.catch_up()
    return await reader.head()


def put(log: Log, content: Content) -> None:
    """Make *content* that of the raw database."""
    with log.raw() as raw:
        assert write(raw, content)


async def broken(reader: LogReader, **options: Any) -> LogBroken:
    """Verify, expect a break, and give it."""
    with pytest.raises(LogBroken) as raised:
        await verify(reader, KEYS, **options)
    return raised.value


def told(fault: LogBroken) -> list[str]:
    """Give the places of all that was found."""
    return [one.place for one in (fault, *fault.also)]


async def test_a_log_that_nobody_touched_holds(reader: LogReader, filled: Head) -> None:
    steps: list[tuple[int, int]] = []
    seen: list[int] = []

    verified = await verify(
        reader,
        KEYS,
        lambda done, total: steps.append((done, total)),
        at_least=filled,
        signed=7,
        kept=[Checkpoint(ORIGIN, 7, filled.root), Checkpoint(ORIGIN, 0, EMPTY_ROOT)],
        seen=lambda idx, _event: seen.append(idx),
    )

    assert verified == Verified(7, filled.root, checkpoints=2, searchable=7, signed=7)
    assert steps == [(7, 7)]
    assert seen == list(range(7))


async def test_an_empty_log_holds(reader: LogReader) -> None:
    assert await verify(reader, KEYS) == Verified(0, EMPTY_ROOT, 0)


async def test_events_that_nobody_searched_for_or_signed_yet_are_no_break(
    reader: LogReader, filled: Head, ledger: Ledger
) -> None:
    await ledger.append(read_of(7))

    verified = await verify(reader, KEYS, at_least=filled)

    assert (verified.size, verified.searchable, verified.signed) == (8, 7, 7)


async def test_each_of_several_keys_may_have_signed(
    log: Log, reader: LogReader, filled: Head
) -> None:
    """The key was changed after the first checkpoint: both are the log's."""
    note = Checkpoint(ORIGIN, 7, filled.root).sign(OTHER)
    with log.raw() as raw:
        raw.execute("update checkpoint set note = ? where size = 7", note)
    new = Signer(Path("unused"), OTHER, ORIGIN).verifier_key

    assert (await verify(reader, [*KEYS, new])).checkpoints == 2
    assert (await broken(reader)).place == "checkpoint 7"
    with pytest.raises(LogBroken) as raised:
        await verify(reader, [new])
    assert raised.value.place == "checkpoint 5"


async def test_seen_is_told_of_the_actions_that_it_asked_for(
    reader: LogReader, filled: Head
) -> None:
    seen: list[tuple[int, Event]] = []

    await verify(
        reader, KEYS, seen=lambda *one: seen.append(one), of={Action.SIGN_IN, Action.IMPORT}
    )

    assert seen == [(1, refusal(1))]


async def test_one_changed_row_is_one_fault(log: Log, reader: LogReader, filled: Head) -> None:
    """What the hashes and the signatures after it fit is not blamed."""
    with log.raw() as raw:
        body = raw.rows("select body from entry where idx = 2")[0][0]
        changed = bytes(body).replace(b"disclosed", b"withheld_")
        raw.execute("update entry set body = ? where idx = 2", changed)

    fault = await broken(reader, at_least=filled, signed=7)

    assert [str(one) for one in (fault, *fault.also)] == [
        "entry 2: its hashes are not those of its body",
        "entry 2: is not an event",
    ]


async def test_the_first_fault_of_each_kind_is_told(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        for index in (3, 4):
            raw.execute("update entry set hashes = ? where idx = ?", bytes(32), index)
        for size in (2, 5):
            raw.execute("update head set root = ? where size = ?", bytes(32), size)
        raw.execute("delete from checkpoint where size = 5")
        raw.execute("update event set action = 'list' where idx = 6")
        raw.execute("delete from event_agency where idx = 4")

    fault = await broken(reader, at_least=filled, kept=[Checkpoint(ORIGIN, 5, bytes(32))])

    assert [str(one) for one in (fault, *fault.also)] == [
        "entry 3: its hashes are not those of its body",
        "entry 3: its hashes are not those of the entries up to it",
        "head 2: its root is not that of the entries",
        "checkpoint 7: one before it is missing",
        "entry 0 to 4: up to here it is not the log that was seen before",
        "event 6: it is not what the entry says",
        "event 6: the row of an entry is missing or changed",
        "event_agency 4: the row of an entry is missing or changed",
        "checkpoint 5: it was given out, and is not here",
    ]


async def test_after_a_missing_entry_the_rest_is_still_read(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        raw.execute("delete from entry where idx in (2, 3)")
        raw.execute("update entry set body = ? where idx = 5", b"{}")
        raw.execute("update head set start = 1 where size = 7")

    fault = await broken(reader, at_least=filled)

    assert told(fault) == ["entry 2 to 3", "entry 5", "head 7", "entry 5"]


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_a_row_that_is_there_twice_is_told(log: Log, reader: LogReader, filled: Head) -> None:
    """The administrator drops the keys: two rows then say that they are of one place."""
    with log.raw() as raw:
        for table in ("entry", "event_agency", "event"):
            raw.execute(f"alter table {table} drop constraint {table}_pkey")
        raw.execute("update entry set idx = 3 where idx = 4")
        raw.execute("insert into event_agency select * from event_agency where idx = 5")
        raw.execute("insert into event select * from event where idx = 6")

    fault = await broken(reader, at_least=filled)

    assert [str(one) for one in (fault, *fault.also)] == [
        "entry 3: it is there twice",
        "entry 4: is missing",
        "event 6: it is there twice",
        "event_agency 5: it is there twice",
    ]


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_a_place_that_is_no_number_is_told_and_not_repeated(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        raw.execute(
            "insert into event_agency (agency, idx, at, action, decision)"
            " values ('lpsk', 'a name', 0, 'read', 'allowed')"
        )

    assert str(await broken(reader)) == "event_agency of no number: it has no event"


async def test_where_a_log_leaves_a_kept_checkpoint_is_narrowed_by_others(
    log: Log, reader: LogReader, filled: Head
) -> None:
    content = _content(log)
    roots = {size: root for size, _, root in content["head"]}
    kept = [Checkpoint(ORIGIN, size, roots[size]) for size in (1, 2, 5)]
    # From the third event on another log, as only who holds the signing key can write it.
    bodies = [bytes(body) for _, body, _ in content["entry"][:2]]
    bodies += [encode(read_of(number + 50), bytes(16)) for number in range(5)]
    put(log, forged_of(bodies, KEY, ORIGIN, signed=(1, 2, 5, 7)))

    fault = await broken(reader, kept=kept)

    assert str(fault) == ("entry 2 to 4: up to here it is not the log that was seen before")


def _content(log: Log) -> Content:
    with log.raw() as raw:
        return read(raw)


async def test_a_kept_checkpoint_of_a_longer_log_is_told(reader: LogReader, filled: Head) -> None:
    fault = await broken(reader, kept=[Checkpoint(ORIGIN, 9, bytes(32))])

    assert str(fault) == "head 7: the log was 9 long before"


async def test_a_signed_size_without_its_checkpoint_is_told(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        raw.execute("delete from checkpoint where size = 7")

    fault = await broken(reader, at_least=filled, signed=7)

    assert told(fault) == ["checkpoint 7"]
    assert "start it and verify again" in fault.what
    assert (await verify(reader, KEYS, at_least=filled)).signed == 5


def _moved(seconds: float, *, action: Action | None = None) -> Event:
    moved = NOON + timedelta(seconds=seconds)
    return (
        replace(refusal(), at=moved)
        if action is None
        else replace(refusal(), at=moved, action=action)
    )


async def test_an_entry_of_long_before_the_ones_before_it_is_told(
    log: Log, reader: LogReader
) -> None:
    """Each a little earlier than the one before: in sum it is too much."""
    put(log, forged([_moved(-50 * number) for number in range(5)], KEY, ORIGIN))

    assert str(await broken(reader)) == "entry 3: it is of long before an entry before it"


async def test_clocks_of_several_processes_may_be_apart(log: Log, reader: LogReader) -> None:
    put(log, forged([_moved(0), _moved(-120), _moved(1), _moved(-119)], KEY, ORIGIN))

    assert (await verify(reader, KEYS)).size == 4
    assert timedelta(microseconds=leaves.CLOCK_LEEWAY) == CLOCK_LEEWAY


async def test_after_an_event_that_says_that_a_clock_was_set_time_begins_anew(
    log: Log, reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaves, "CLOCK_STEP", Action.PREVIEW_ERASURE)
    events = [_moved(9_000), _moved(9_000, action=Action.PREVIEW_ERASURE), _moved(1), _moved(2)]
    put(log, forged(events, KEY, ORIGIN))
    assert (await verify(reader, KEYS)).size == 4

    put(log, forged([*events, _moved(-200)], KEY, ORIGIN))
    assert (await broken(reader)).place == "entry 4"


async def test_a_log_of_several_chunks_is_compared_across_them(log: Log, reader: LogReader) -> None:
    size = 2 * CHUNK + 100
    content = forged([refusal(number) for number in range(size)], KEY, ORIGIN, (CHUNK, size))
    put(log, content)
    steps: list[int] = []

    verified = await verify(
        reader,
        KEYS,
        lambda done, _all: steps.append(done),
        at_least=Head(CHUNK + 1, content["head"][CHUNK][2], b""),
    )

    assert verified == Verified(size, content["head"][-1][2], 2, size, size)
    assert steps == [CHUNK, 2 * CHUNK, size]
    assert (await verify(reader, KEYS, events=False)).root == verified.root
    with log.raw() as raw:
        raw.execute("delete from entry where idx between ? and ?", 50, CHUNK + 50)
        raw.execute("update event set actor = 'x' where idx = ?", 2 * CHUNK + 1)
    assert told(await broken(reader))[:2] == [f"entry 50 to {CHUNK + 50}", f"event {2 * CHUNK + 1}"]


async def test_a_head_far_beyond_the_entries_keeps_nobody_waiting(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        raw.execute("insert into head (size, start, root) values (?, 7, ?)", 2**60, bytes(32))

    fault = await broken(reader)

    assert str(fault) == f"entry 7 to {2**60 - 1}: is missing"


async def test_the_hashes_alone_tell_nothing_of_the_search_tables(
    log: Log, reader: LogReader, filled: Head
) -> None:
    with log.raw() as raw:
        raw.execute("update event set actor = 'x' where idx = 3")

    assert (await verify(reader, KEYS, events=False)).size == 7
    assert (await broken(reader)).place == "event 3"


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "places"),
    [
        ("update entry set body = 'text' where idx = 3", ["entry 3"]),
        ("update entry set hashes = 'text' where idx = 3", ["entry 3"]),
        ("update entry set body = 5, hashes = 5 where idx = 3", ["entry 3"]),
        ("update entry set hashes = x'00' where idx = 3", ["entry 3", "entry 3"]),
        ("update head set root = 'text' where size = 2", ["head 2"]),
        ("update head set start = x'00' where size = 2", ["head 2"]),
        ("update checkpoint set note = 7 where size = 5", ["checkpoint 5"]),
        ("update checkpoint set number = 'x' where size = 5", ["checkpoint 5"]),
        ("update checkpoint set number = null where size = 7", ["checkpoint 7"]),
        ("update event set actor = x'00' where idx = 3", ["event 3", "event 3"]),
        ("update event_agency set agency = x'00' where idx = 3", ["event_agency 3"] * 2),
    ],
)
async def test_a_value_of_another_type_is_noticed(
    log: Log, reader: LogReader, filled: Head, change: str, places: list[str]
) -> None:
    with log.raw() as raw:
        raw.execute("pragma ignore_check_constraints = on")
        raw.execute(change)

    assert told(await broken(reader)) == places


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_a_file_put_back_or_exchanged_is_noticed(
    log: Log, reader: LogReader, filled: Head, ledger: Ledger, tmp_path: Path
) -> None:
    """As somebody does who may write files: the older copy and the other log are whole."""
    assert log.path is not None
    older, newer = tmp_path / "older.sqlite3", tmp_path / "newer.sqlite3"
    _copy(log.path, older)
    await ledger.append(read_of(7))
    await ledger.append(read_of(8))
    newest = await reader.head()
    _copy(log.path, newer)
    for file, options, place in (
        (older, {"at_least": newest}, "head 7"),
        (older, {"kept": [Checkpoint(ORIGIN, 9, newest.root)]}, "head 7"),
        (newer, {"at_least": replace(newest, root=bytes(32))}, "entry 0 to 8"),
    ):
        engine = engine_of(f"sqlite+aiosqlite:///{file}")
        try:
            assert (await broken(LogReader(engine), **options)).place == place
            assert (await verify(LogReader(engine), KEYS)).size in (7, 9)
        finally:
            await engine.dispose()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


async def test_checkpoints_are_numbered_without_gaps(log: Log, filled: Head) -> None:
    source = log.source()
    await source.open()
    try:
        # An older size, and one that is there: neither takes a number.
        for size in (5, 7):
            note = _content(log)["checkpoint"][(5, 7).index(size)][1]
            await source.put_checkpoint(size, note)
    finally:
        await source.close()

    assert [(row[0], row[2]) for row in _content(log)["checkpoint"]] == [(5, 0), (7, 1)]


async def test_the_checkpoints_of_an_older_installation_are_numbered(
    log: Log, reader: LogReader, filled: Head
) -> None:
    """Take the numbers away as if they had never been, and migrate."""
    before = _content(log)
    with log.raw() as raw:
        if log.path is not None:
            raw.execute("drop index uq_checkpoint_number")
        raw.execute("alter table checkpoint drop column number")
    if log.path is not None:
        for name in ("checkpoint_numbered", "checkpoint_number_not_chosen"):
            await log.as_owner(f"drop trigger {name}")
    versions = "alembic_log" if log.database is None else "public.alembic_log"
    await log.as_owner(f"update {versions} set version_num = '{NUMBERS.down_revision}'")

    owner = log.reader_url if log.database is None else log.database.owner_url
    await upgrade("log", owner, NUMBERS.revision)

    assert _content(log) == before
    assert (await verify(reader, KEYS, at_least=filled, signed=7)).checkpoints == 2


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "update checkpoint set number = 5 where size = 7",
        "update checkpoint set number = null where size = 7",
        "update checkpoint set note = 'x' where size = 7",
        "insert into checkpoint (size, note, number) values (9, 'x', 3)",
        "insert or replace into checkpoint (size, note, number) values (9, 'x', 1)",
    ],
)
async def test_nobody_chooses_the_number_of_a_checkpoint(
    log: Log, filled: Head, statement: str
) -> None:
    before = _content(log)
    with pytest.raises(sqlite3.IntegrityError):
        await log.as_owner(statement)
    assert _content(log) == before
