"""Logs as rows, to be written into a raw database: real ones, changed ones, whole forgeries."""

import os
import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias

import psycopg

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.event import Event, decode, encode
from api.accesslog.search import agency_rows, event_row, record_rows, word_rows
from api.accesslog.tree import Tree, leaf_hash
from api.crypto.signatures import SigningKey
from tests.accesslog.conftest import Raw

Row: TypeAlias = tuple[Any, ...]
Content: TypeAlias = dict[str, list[Row]]

#: Every table of a log, and its columns.
TABLES = {
    "entry": ("idx", "body", "hashes"),
    "head": ("size", "start", "root"),
    "checkpoint": ("size", "note", "number"),
    "cosignature": ("size", "witness", "at", "line"),
    "event": (
        "idx",
        "at",
        "actor",
        "organisation",
        "role",
        "action",
        "purpose",
        "decision",
        "phase",
        "intent",
    ),
    "event_record": ("record", "idx", "kind", "decision"),
    "event_agency": (
        *("agency", "idx", "at", "actor", "organisation", "role", "action", "purpose", "decision"),
    ),
    "event_word": ("agency", "word", "idx", "at"),
}
#: The column that says where in the log a row belongs.
PLACE = dict.fromkeys(("entry", "head", "checkpoint", "cosignature", "event"), 0) | {
    "event_record": 1,
    "event_agency": 1,
    "event_word": 2,
}


#: Tables whose place is a size: one more than the last index under it.
SIZED = ("head", "checkpoint", "cosignature")


def read(raw: Raw) -> Content:
    """Take down all tables."""
    return {
        table: raw.rows(f"select {', '.join(columns)} from {table} order by 1, 2, 3")
        for table, columns in TABLES.items()
    }


def write(raw: Raw, content: Content) -> bool:
    """Make *content* that of the tables it names; False if the database cannot store it."""
    raw.execute("begin")
    try:
        for table, rows in content.items():
            columns = TABLES[table]
            marks = ", ".join("?" for _ in columns)
            raw.execute(f"delete from {table}")
            for row in rows:
                raw.execute(f"insert into {table} ({', '.join(columns)}) values ({marks})", *row)
    except (sqlite3.IntegrityError, psycopg.IntegrityError):
        raw.execute("rollback")
        return False
    raw.execute("commit")
    return True


def forged(
    events: Sequence[Event], key: SigningKey, origin: str, signed: Sequence[int] = ()
) -> Content:
    """Give a whole log of *events* in which everything fits, as `forged_of` does."""
    return forged_of([encode(event, os.urandom(16)) for event in events], key, origin, signed)


def forged_of(
    bodies: Sequence[bytes], key: SigningKey, origin: str, signed: Sequence[int] = ()
) -> Content:
    """Give a whole log of leaves in which everything fits: one head for each.

    Args:
        signed: sizes with a checkpoint; else the last.
    """
    content: Content = {table: [] for table in TABLES}
    tree = Tree()
    for index, body in enumerate(bodies):
        event = decode(body)
        content["entry"].append((index, body, tree.append(leaf_hash(body))))
        content["head"].append((index + 1, index, tree.root()))
        content["event"].append(tuple(map(_plain, event_row(index, event))))
        content["event_record"] += sorted(record_rows(index, event))
        content["event_agency"] += sorted(
            (tuple(map(_plain, row)) for row in agency_rows(index, event)), key=lambda row: row[:2]
        )
        content["event_word"] += sorted(word_rows(index, event))
        if index + 1 in (signed or (len(bodies),)):
            note = Checkpoint(origin, index + 1, tree.root()).sign(key)
            content["checkpoint"].append((index + 1, note, len(content["checkpoint"])))
    return content


def cut(content: Content, size: int, *, checkpoints: bool) -> Content:
    """Give the log as it was when it had *size* entries; perhaps with newer checkpoints."""
    return {
        table: [
            row
            for row in rows
            if row[PLACE[table]] < size + (table in SIZED)
            or (table in ("checkpoint", "cosignature") and not checkpoints)
        ]
        for table, rows in content.items()
    }


def flips(value: Any) -> list[Any]:
    """Give values that differ from *value* by one byte, changed or missing."""
    if value is None:
        return ["7"]
    if isinstance(value, int):
        return [value ^ 1, value ^ 64, value ^ 1 << 40]
    places = sorted({0, len(value) // 2, len(value) - 1})
    if isinstance(value, str):
        changed = [value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :] for at in places]
    else:
        changed = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in places]
    return [*changed, value[:-1]]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
