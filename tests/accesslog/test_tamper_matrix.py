"""The tamper matrix: whatever is changed in the raw database, it is noticed, and the place named.

A case is what somebody who may write anything made of some of the tables, what the auditor
has to compare with (nothing but public keys, the signer's state, a checkpoint that was kept)
and the places one of which is to be named first.
"""

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.cosignature import cosign, text_of, witness_key
from api.accesslog.event import Event
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.tree import Head
from api.accesslog.verify import verify
from api.crypto.signatures import SigningKey
from api.errors import LogBroken
from tests.accesslog.conftest import Log
from tests.accesslog.events import NOON, WAYAN, read_of, refusal
from tests.accesslog.tampering import (
    PLACE,
    TABLES,
    Content,
    cut,
    flips,
    forged,
    read,
    write,
)

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
#: A witness that cosigned every checkpoint.
NAME, WITNESS = "witness.example/w1", SigningKey.from_seed(bytes(range(1, 33)))
KEYS = [Signer(Path("unused"), KEY, ORIGIN).verifier_key]

#: What is found first if the row of another table is gone: what belonged to it.
BELONGING = {
    "checkpoint": "checkpoint|cosignature",
    "entry": "entry|head",
    "head": "head|entry",
    "event": "event|event_record",
}
#: What is named first if a table is empty.
EMPTIED = {
    "entry": "entry 0 to 6",
    "head": "head 0",
    "checkpoint": "(cosignature 5|checkpoint 7)",
    "event": "event_record 0",
    "event_record": "event_record 0",
    "event_agency": "event_agency 0",
    "event_word": "event_word 0",
}


@dataclass(frozen=True)
class Case:
    """One way to tamper.

    Attributes:
        content: what becomes of these tables.
        places: a pattern: the place that must be named first.
        known: what the auditor compares with, beside public keys.
    """

    kind: str
    content: Content
    places: str
    known: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filled:
    """A log that nobody touched: seven events in five batches, two of them signed for.

    Attributes:
        older: its tables after some of the batches.
        kept: the checkpoints, as somebody else has them.
    """

    content: Content
    head: Head
    older: list[Content]
    kept: list[Checkpoint]

    @property
    def state(self) -> dict[str, Any]:
        """What the signer knows."""
        return {"at_least": self.head, "signed": self.head.size}


@pytest.fixture
async def filled(log: Log, ledger: Ledger, reader: LogReader, tmp_path: Path) -> Filled:
    """Write seven events in five batches, two checkpoints, and the search tables."""
    source = log.source()
    await source.open()
    signer = Signer(tmp_path / "state", KEY, ORIGIN)
    await signer.start(source)
    older: list[Content] = []
    await ledger.append(read_of(0))
    await ledger.append(refusal(1))
    await reader.catch_up()
    older.append(_taken(log))
    await asyncio.gather(*(ledger.append(read_of(number)) for number in (2, 3, 4)))
    await signer.sign(source)
    older.append(_taken(log))
    if log.path is not None:
        shutil.copy(log.path, tmp_path / "older.sqlite3")
    await ledger.append(
        read_of(5, actor=WAYAN, organisation="lpsk", agencies=("komnas-ham", "lpsk"))
    )
    await ledger.append(read_of(6))
    await signer.sign(source)
    signer.close()
    await source.close()
    await reader.catch_up()
    content = _taken(log)
    content["cosignature"] = [
        (size, NAME, size, cosign(text_of(note), NAME, WITNESS, size).line)
        for size, note, _ in content["checkpoint"]
    ]
    with log.raw() as raw:
        assert write(raw, {"cosignature": content["cosignature"]})
    kept = [open_checkpoint(note, KEYS) for _, note, _ in content["checkpoint"]]
    return Filled(content, await reader.head(), older, kept)


def _taken(log: Log) -> Content:
    with log.raw() as raw:
        return read(raw)


def edits(filled: Filled) -> Iterator[Case]:
    """Change a byte of every column of every row of every table."""
    for table, columns in TABLES.items():
        rows = filled.content[table]
        for at, row in enumerate(rows):
            for column, name in enumerate(columns):
                for value in flips(row[column]):
                    changed = (*row[:column], value, *row[column + 1 :])
                    content = {table: [*rows[:at], changed, *rows[at + 1 :]]}
                    key = PLACE[table]
                    tables = BELONGING.get(table, table) if column == key else table
                    place = (
                        rf"({tables}) ({row[key]}\b|.*)"
                        if column == key
                        else (rf"{table} {row[key]}$")
                    )
                    yield Case(f"edit {table}.{name}", content, place)


def deletions(filled: Filled) -> Iterator[Case]:
    """Take away each row of each table, and all of each."""
    for table in TABLES:
        if table == "cosignature":
            continue  # The quorum that is missing then is the alarm.
        rows = filled.content[table]
        for at, row in enumerate(rows):
            tables = BELONGING.get(table, table)
            newest = table == "checkpoint" and at == len(rows) - 1
            place = row[PLACE[table]] if table != "checkpoint" or newest else rows[at + 1][0]
            yield Case(
                f"delete {table}",
                {table: [*rows[:at], *rows[at + 1 :]]},
                rf"({tables}) {place if table != 'head' else ''}",
                filled.state if newest else {},
            )
            if table == "checkpoint":
                yield Case(
                    "delete checkpoint, renumber",
                    {
                        table: [
                            (size, note, number)
                            for number, (size, note, _) in enumerate(rows[:at] + rows[at + 1 :])
                        ]
                    },
                    f"(checkpoint|cosignature) {row[0]}$",
                    {"kept": filled.kept},
                )
        yield Case(f"empty {table}", {table: []}, f"{EMPTIED[table]}$", filled.state)
    yield Case("empty all", {table: [] for table in TABLES}, "head 0$", filled.state)
    yield Case("empty all", {table: [] for table in TABLES}, "head 0$", {"kept": filled.kept})


def insertions(filled: Filled) -> Iterator[Case]:
    """Say what each row says of another place, where no such row is."""
    for table in TABLES:
        rows = filled.content[table]
        place = PLACE[table]
        taken = {row[place] for row in rows}
        for row in rows:
            for number in (-1, 0, 2, 4, 7, 8, 10_000):
                if number in taken:
                    continue
                extra = [*row]
                extra[place] = number
                if table == "head":
                    extra[1] = number - 1
                if table == "checkpoint":
                    extra[2] = len(rows)
                yield Case(
                    f"insert {table}", {table: [*rows, tuple(extra)]}, f"({table}|entry|head) "
                )
    records, agencies = filled.content["event_record"], filled.content["event_agency"]
    words = filled.content["event_word"]
    for index in range(7):
        yield Case(
            "insert event_record",
            {"event_record": [*records, ("f" * 32, index, "defender", "disclosed")]},
            f"event_record {index}$",
        )
        yield Case(
            "insert event_agency",
            {"event_agency": [*agencies, ("stranger", *agencies[index][1:])]},
            f"event_agency {agencies[index][1]}$",
        )
        yield Case(
            "insert event_word",
            {"event_word": [*words, (words[index][0], "field:more", *words[index][2:])]},
            f"event_word {words[index][2]}$",
        )


def exchanges(filled: Filled) -> Iterator[Case]:
    """Exchange what two rows of a table say, as a whole and column by column."""
    for table, columns in TABLES.items():
        rows = filled.content[table]
        others = [c for c in range(len(columns)) if c != PLACE[table]]
        for first in range(len(rows)):
            for second in range(first + 1, len(rows)):
                for chosen in ([others] if len(others) > 1 else []) + [[c] for c in others]:
                    a, b = [*rows[first]], [*rows[second]]
                    for column in chosen:
                        a[column], b[column] = b[column], a[column]
                    changed = [*rows]
                    changed[first], changed[second] = tuple(a), tuple(b)
                    if Counter(changed) == Counter(rows):
                        continue
                    place = min(rows[first][PLACE[table]], rows[second][PLACE[table]])
                    pattern = rf"{table} {place}$"
                    if table == "entry" and chosen == others:
                        # Each fits in itself; the first node above one of them does not.
                        pattern = f"entry ({'|'.join(map(str, range(first, second + 2)))})$"
                    yield Case(f"exchange {table}", {table: changed}, pattern)


def cuts(filled: Filled) -> Iterator[Case]:
    """Cut the end off, at every size, as the log was when it had that size."""
    for size in range(7):
        for knowing in (filled.state, {"kept": filled.kept[1:]}, {"kept": filled.kept}):
            head = max((row[0] for row in filled.content["head"] if row[0] <= size), default=0)
            yield Case(
                "cut",
                cut(filled.content, size, checkpoints=True),
                rf"(head|entry|event) ({head}|{size}|-?\d+)",
                knowing,
            )
        # Newer checkpoints that stay tell without anything that was kept.
        yield Case(
            "cut, checkpoints stay",
            cut(filled.content, size, checkpoints=False),
            "(checkpoint|entry|head|event) ",
        )


def restorations(filled: Filled) -> Iterator[Case]:
    """Put back an older copy of the whole log."""
    for older in filled.older:
        size = max(row[0] for row in older["head"])
        for knowing in (filled.state, {"kept": filled.kept}, {"kept": filled.kept[1:]}):
            yield Case("older copy", older, f"head {size}$", knowing)


def forgeries(filled: Filled) -> Iterator[Case]:
    """Write the log anew, or put another one in its place: everything in it fits."""
    events = [read_of(number) for number in range(9)]
    stranger = SigningKey.from_seed(bytes(32))
    same = forged(events, KEY, ORIGIN, signed=(5, 7, 9))
    for knowing in (filled.state, {"kept": filled.kept}, {"kept": filled.kept[1:]}):
        size = 7 if "at_least" in knowing or len(knowing["kept"]) == 1 else 5
        yield Case("swap, same origin and key", same, f"entry 0 to {size - 1}$", knowing)
        yield Case("swap, unsigned", same | {"checkpoint": []}, f"entry 0 to {size - 1}$", knowing)
    yield Case("swap, same origin", forged(events, stranger, ORIGIN), "checkpoint 9$")
    yield Case("swap, other origin", forged(events, KEY, "other.example/log"), "checkpoint 9$")
    yield Case("swap, other", forged(events, stranger, "other.example/log"), "checkpoint 9$")
    for at in range(1, 9):
        for back in (timedelta(minutes=2, seconds=9), timedelta(days=300)):
            late = [*events]
            late[at] = _at(events[at], NOON + timedelta(seconds=at) - back)
            yield Case("backdate", forged(late, KEY, ORIGIN), f"entry {at}$")


def _at(event: Event, moment: Any) -> Event:
    values = {name: getattr(event, name) for name in Event.__slots__}
    return Event(**values | {"at": moment})


def checkpoints(filled: Filled) -> Iterator[Case]:
    """Replace, add and renumber signed notes."""
    rows = filled.content["checkpoint"]
    stranger = SigningKey.from_seed(bytes(32))
    root = filled.head.root
    notes: dict[str, str] = {
        "of a stranger": Checkpoint(ORIGIN, 7, root).sign(stranger),
        "of another log": Checkpoint("other.example/log", 7, root).sign(KEY),
        "of another root": Checkpoint(ORIGIN, 7, bytes(32)).sign(KEY),
        "of another size": Checkpoint(ORIGIN, 6, root).sign(KEY),
        "older": rows[0][1],
        "unsigned": str(Checkpoint(ORIGIN, 7, root)),
        "empty": "",
    }
    for name, note in notes.items():
        yield Case(
            f"replace checkpoint, {name}", {"checkpoint": [rows[0], (7, note, 1)]}, "checkpoint 7$"
        )
        yield Case(
            f"insert checkpoint, {name}",
            {"checkpoint": [rows[0], (6, note, 1), (7, rows[1][1], 2)]},
            "checkpoint 6$",
        )
    for numbers in ((1, 2), (1, 0), (0, 2), (0, 5)):
        yield Case(
            "renumber checkpoints",
            {
                "checkpoint": [
                    (row[0], row[1], number) for row, number in zip(rows, numbers, strict=True)
                ]
            },
            "checkpoint ",
        )


KINDS = (edits, deletions, insertions, exchanges, cuts, restorations, forgeries, checkpoints)


@pytest.mark.long
async def test_whatever_is_changed_in_the_raw_database_is_noticed_and_its_place_named(
    log: Log, reader: LogReader, filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    noticed: Counter[str] = Counter()
    impossible = 0
    wrong: list[tuple[str, str, str]] = []
    with log.raw() as raw:
        for case in (case for kind in KINDS for case in kind(filled)):
            if not write(raw, case.content):
                impossible += 1  # A key or a check of the database itself forbids it.
                continue
            fault = await _fault(reader, case)
            if fault is None or re.match(case.places, fault.place) is None:
                wrong.append((case.kind, case.places, str(fault)))
            noticed[case.kind.split(",")[0].split()[0]] += 1
            assert write(raw, {table: filled.content[table] for table in case.content})
        assert read(raw) == filled.content
    assert (await verify(reader, KEYS, kept=filled.kept, **filled.state)).size == 7
    with capsys.disabled():
        total = ", ".join(f"{kind} {count}" for kind, count in noticed.items())
        print(  # noqa: T201  # the count
            f"\ntamper matrix, {log.name}: {noticed.total()} cases, all noticed ({total}); "
            f"{impossible} more cannot be stored"
        )
    assert wrong == []
    assert noticed.total() > 500


async def _fault(reader: LogReader, case: Case) -> LogBroken | None:
    try:
        await verify(reader, KEYS, witnesses=[witness_key(NAME, WITNESS.public)], **case.known)
    except LogBroken as fault:
        return fault
    return None
