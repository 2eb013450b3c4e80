"""A log of any size, made quickly: its rows go straight into the database's file.

It is what the ledger would have written under the load of 32 callers: a head for every
32 events, a checkpoint for every 1,024, the search tables filled.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.event import encode
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.scan import Rows, read_into
from api.accesslog.tree import Growth, Tree, leaf_hash
from api.crypto.signatures import SigningKey
from api.migrations import upgrade
from tests.accesslog.events import NOON, read_of, record

ORIGIN = "benchmark.invalid/log"
KEY = SigningKey.from_seed(bytes(range(32)))
KEYS = [VerifierKey(ORIGIN, ED25519, KEY.public)]

BATCH = 32
STRETCH = 1_024
#: Events in a second of the log.
RATE = 100


def bodies(start: int, stop: int) -> list[bytes]:
    """Give the leaves of events in which one defender each was read."""
    event = read_of(0)
    body = encode(event, bytes(16)).decode()
    before, body = body.split("0" * 32, 1)
    middle, body = body.split("2026-11-23T12:00:00.000000", 1)
    request, body = body.split(event.request, 1)
    touched, end = body.split(record(0).hex, 1)
    first = record(0).int
    return [
        (
            f"{before}{os.urandom(16).hex()}{middle}{_moment(number)}{request}{number:032x}"
            f"{touched}{first + number % 20_000:032x}{end}"
        ).encode()
        for number in range(start, stop)
    ]


def _moment(number: int) -> str:
    at = NOON + timedelta(seconds=number // RATE, microseconds=number % RATE * 10_000)
    return at.isoformat(timespec="microseconds")[:26]


async def make(path: Path, size: int, *, searchable: bool) -> None:
    """Make a log of *size* events at *path*."""
    await upgrade("log", f"sqlite+aiosqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")
        # An index over rows that come in order costs nothing; the checks of each row do.
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'trigger' and name like '%in_order'"
        ).fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute("begin")
        for statement, rows in _rows(size, searchable=searchable):
            connection.executemany(statement, rows)
        connection.execute("commit")


def _rows(size: int, *, searchable: bool) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    tree = Tree()
    last = 0
    for start in range(0, size, STRETCH):
        stop = min(start + STRETCH, size)
        leaves = bodies(start, stop)
        growth = Growth(tree, [leaf_hash(leaf) for leaf in leaves])
        yield (
            "insert into entry (idx, body, hashes) values (?, ?, ?)",
            list(zip(range(start, stop), leaves, growth.rows(), strict=True)),
        )
        heads: list[tuple[object, ...]] = []
        for end in (*range(start + BATCH, stop, BATCH), stop):
            heads.append((end, last, growth.root(end)))
            last = end
        yield "insert into head (size, start, root) values (?, ?, ?)", heads
        tree = growth.after()
        note = Checkpoint(ORIGIN, stop, tree.root()).sign(KEY)
        yield "insert into checkpoint (size, note) values (?, ?)", [(stop, note)]
        if searchable:
            found = Rows()
            for index, leaf in enumerate(leaves, start):
                read_into(found, index, leaf)
            copies = [(row[0], *found.events[row[1] - start][:8]) for row in found.agencies]
            words = [
                (agency, word, index, at)
                for agency, joined, index, at, _ in found.words
                for word in joined.split(",")
            ]
            tables: dict[str, list[Any]] = {
                "event": found.events,
                "event_record": found.records,
                "event_agency": copies,
                "event_word": words,
            }
            for table, rows in tables.items():
                marks = ", ".join("?" * len(rows[0]))
                yield f"insert into {table} values ({marks})", rows
