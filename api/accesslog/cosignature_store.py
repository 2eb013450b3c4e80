"""Cosignatures in the log's database: put by whoever may put a checkpoint, read by the reader.

What is read is checked here: a line that does not hold under its checkpoint, or is of a
witness that was not asked for, is as if it were not there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.cosignature import Cosignature, cosignatures, text_of
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.tables import tables
from api.database import Records
from api.errors import LogUnavailable, NoteInvalid, StoreUnavailable

#: Rows that are looked through: one for each witness, checkpoint and moment.
NEWEST: Final = 64

_PUT: Final = text("select accesslog.put_cosignature(:size, :witness, :at, :line)")


class CosignatureWriter:
    """Puts cosignatures through *engine*, which the caller disposes of."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the role that may put a checkpoint."""
        self._database = Records(engine)
        self._function = engine.dialect.name == "postgresql"
        self._table = tables(engine.dialect.name).cosignature

    async def put(self, size: int, one: Cosignature) -> None:
        """Store *one* of the checkpoint of *size*; twice is once.

        Raises:
            LogUnavailable: the database does not answer or will not have it.
        """
        row = {"size": size, "witness": one.key.name, "at": one.at, "line": one.line}
        try:
            async with self._database.change() as connection:
                if self._function:
                    await connection.execute(_PUT, row)
                elif not await connection.scalar(self._there(size, one)):
                    await connection.execute(insert(self._table).values(row))
        except (StoreUnavailable, DBAPIError):
            raise LogUnavailable from None

    def _there(self, size: int, one: Cosignature) -> Select[tuple[int]]:
        t = self._table.c
        return select(t.at).where(t.size == size, t.witness == one.key.name, t.at == one.at)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A stored checkpoint that the log signed, and the newest cosignature of each witness."""

    note: str
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


async def newest_checkpoint(
    reader: LogReader, logs: Sequence[VerifierKey], witnesses: Iterable[VerifierKey]
) -> Cosigned | None:
    """Read the newest checkpoint with its cosignatures; None before the first.

    Raises:
        NoteInvalid: it is not signed by one of *logs*.
        LogUnavailable: the database does not answer.
    """
    note = await reader.latest_checkpoint()
    return None if note is None else await with_cosignatures(reader, note, logs, witnesses)


async def with_cosignatures(
    reader: LogReader,
    note: str,
    logs: Sequence[VerifierKey],
    witnesses: Iterable[VerifierKey],
) -> Cosigned:
    """Read the cosignatures that are stored for the checkpoint *note*.

    Raises:
        NoteInvalid: it is not signed by one of *logs*.
        LogUnavailable: the database does not answer.
    """
    checkpoint = open_checkpoint(note, logs)
    keys = list(witnesses)
    t = reader.tables.cosignature.c
    async with reader.snapshot() as connection:
        rows = (
            await connection.execute(
                select(t.witness, t.line)
                .where(t.size == checkpoint.size, t.witness.in_({key.name for key in keys}))
                .order_by(t.at.desc())
                .limit(NEWEST)
            )
        ).all()
    return Cosigned(note, checkpoint, _holding(note, (tuple(row) for row in rows), keys))


async def newest_cosigned(
    reader: LogReader, witnesses: Iterable[VerifierKey], logs: Sequence[VerifierKey], least: int
) -> tuple[int, list[Cosigned]]:
    """Read the size of the newest checkpoint, and the newest that anybody cosigned, newest first.

    Args:
        least: none of a smaller size.

    Raises:
        LogUnavailable: the database does not answer.
    """
    stored, cosigned = reader.tables.checkpoint.c, reader.tables.cosignature.c
    async with reader.snapshot() as connection:
        newest = await connection.scalar(select(func.max(stored.size)))
        rows = (
            await connection.execute(
                select(stored.note, cosigned.witness, cosigned.line)
                .join(reader.tables.cosignature, cosigned.size == stored.size)
                .where(cosigned.size >= least)
                .order_by(cosigned.size.desc(), cosigned.at.desc())
                .limit(NEWEST)
            )
        ).all()
    keys = list(witnesses)
    found = []
    for note, of_note in groupby(rows, key=lambda row: str(row.note)):
        try:
            checkpoint = open_checkpoint(note, logs)
        except NoteInvalid:
            continue
        held = _holding(note, ((row.witness, row.line) for row in of_note), keys)
        found.append(Cosigned(note, checkpoint, held))
    return newest or 0, found


def _holding(
    note: str, rows: Iterable[tuple[str, str]], keys: Sequence[VerifierKey]
) -> tuple[Cosignature, ...]:
    """Give the first of each of *keys* among *rows* (name, line) that holds under *note*.

    Of each no more are checked: a log that does not grow gathers many for one checkpoint.
    """
    text_signed = text_of(note)
    found: dict[VerifierKey, Cosignature] = {}
    for witness, line in rows:
        wanted = [key for key in keys if key.name == witness and key not in found]
        if not wanted:
            continue
        try:
            found.update((one.key, one) for one in cosignatures(text_signed, line, wanted))
        except NoteInvalid:
            continue
    return tuple(found.values())
