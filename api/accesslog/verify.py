"""The check of a whole log against its own bytes and the signers' public keys.

It trusts nothing that is stored: every hash is computed from the leaf bytes, every
head and checkpoint is compared with the root at its size, every row for searching
with what the leaves say. It runs on one snapshot, beside a log that grows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Table, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.event import Event
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.search import agency_rows, event_row, read_event, record_rows
from api.accesslog.tables import Tables
from api.accesslog.tree import Head, Tree, leaf_hash
from api.errors import LogBroken, NoteInvalid

#: Entries that are read at once; more of them only keep the garbage collector busy.
CHUNK: Final = 1_024

#: Called with how many entries are done and how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds: *size* entries under *root*, and so many signed checkpoints.

    Attributes:
        searchable: entries that the search tables hold; the rest are added by the
            next search.
    """

    size: int
    root: bytes
    checkpoints: int
    searchable: int


async def verify(
    reader: LogReader,
    keys: Sequence[VerifierKey],
    progress: Progress | None = None,
    *,
    at_least: Head | None = None,
) -> Verified:
    """Check every byte of the log behind *reader*.

    Args:
        keys: of those who sign this log's checkpoints; one of them must have signed
            each checkpoint.
        at_least: the signer's state or an older result: the log must continue it.

    Raises:
        LogBroken: says where and what, at the first place in the order of the log.
        LogUnavailable: the database does not answer.
    """
    async with reader.snapshot() as connection:
        walk = _Walk(connection, reader.tables, keys, at_least)
        try:
            return await walk.run(progress or (lambda _done, _all: None))
        except (AttributeError, TypeError, ValueError):
            # A value of another type than any writer gives (SQLite keeps such things).
            raise LogBroken(f"entry {walk.tree.size} or near it", "cannot be read") from None


class _Walk:
    """One walk over the log, from the first entry to the head."""

    def __init__(
        self,
        connection: AsyncConnection,
        tables: Tables,
        keys: Sequence[VerifierKey],
        at_least: Head | None,
    ) -> None:
        self.connection = connection
        self.tables = tables
        self.keys = keys
        self.at_least = at_least
        self.tree = Tree()
        self.last_head = 0
        self.checkpoints = 0

    async def run(self, progress: Progress) -> Verified:
        size = await self._newest(self.tables.head.c.size) or 0
        newest = await self._newest(self.tables.event.c.idx)
        searchable = 0 if newest is None else min(newest + 1, size)
        if self.at_least is not None and size < self.at_least.size:
            raise LogBroken(f"head {size}", f"the log was {self.at_least.size} long before")
        start = 0
        while start < size:
            stop = min(start + CHUNK, size)
            await self._chunk(start, stop, searchable)
            progress(stop, size)
            start = stop
        await self._nothing_beyond(size, searchable)
        return Verified(size, self.tree.root(), self.checkpoints, searchable)

    async def _chunk(self, start: int, stop: int, searchable: int) -> None:
        t = self.tables
        entries = await self._rows(t.entry, t.entry.c.idx, start, stop)
        # A head and a checkpoint carry a size: one more than the last index under it.
        heads = {
            row.size: row for row in await self._rows(t.head, t.head.c.size, start + 1, stop + 1)
        }
        notes = {
            row.size: row.note
            for row in await self._rows(t.checkpoint, t.checkpoint.c.size, start + 1, stop + 1)
        }
        rebuilt = _Rebuilt()
        tree = self.tree
        for expected, row in enumerate(entries, start):
            idx, body, hashes = row
            if idx != expected:
                raise LogBroken(f"entry {expected}", "is missing")
            if tree.append(leaf_hash(body)) != hashes:
                raise LogBroken(f"entry {idx}", "its hashes are not those of its body")
            event = read_event(idx, body)
            if idx < searchable:
                rebuilt.add(idx, event)
            if tree.size in heads:
                self._head(heads[tree.size])
            if tree.size in notes:
                self._checkpoint(tree.size, notes[tree.size])
            if (
                self.at_least is not None
                and tree.size == self.at_least.size
                and tree.root() != self.at_least.root
            ):
                raise LogBroken(f"entry {idx}", "up to here it is not the log that was seen before")
        if tree.size != stop:
            raise LogBroken(f"entry {tree.size}", "is missing")
        await self._search_tables(start, min(stop, searchable), rebuilt)

    def _head(self, row: Any) -> None:
        if row.start != self.last_head:
            raise LogBroken(f"head {row.size}", f"it does not follow head {self.last_head}")
        if row.root != self.tree.root():
            raise LogBroken(f"head {row.size}", "its root is not that of the entries")
        self.last_head = row.size

    def _checkpoint(self, size: int, note: str) -> None:
        try:
            checkpoint = open_checkpoint(note, self.keys)
        except NoteInvalid:
            raise LogBroken(f"checkpoint {size}", "it has no valid signature") from None
        if checkpoint.size != size or checkpoint.root != self.tree.root():
            raise LogBroken(f"checkpoint {size}", "it is not of these entries")
        self.checkpoints += 1

    async def _search_tables(self, start: int, stop: int, rebuilt: "_Rebuilt") -> None:
        t = self.tables
        for table, want in (
            (t.event, rebuilt.event),
            (t.event_record, rebuilt.event_record),
            (t.event_agency, rebuilt.event_agency),
        ):
            have = set(map(tuple, await self._rows(table, table.c.idx, start, stop)))
            if have != want:
                _tell(table, have, want)

    async def _nothing_beyond(self, size: int, searchable: int) -> None:
        """Look for rows before the first and after the last place of each table."""
        if self.last_head != size:
            raise LogBroken(f"head {size}", "it is not of these entries")
        t = self.tables
        for table, column, first, beyond, what in (
            (t.entry, t.entry.c.idx, 0, size, "it stands outside the head"),
            (t.head, t.head.c.size, 1, size + 1, "no log has this size"),
            (t.checkpoint, t.checkpoint.c.size, 1, size + 1, f"the log has only {size} entries"),
            (t.event, t.event.c.idx, 0, searchable, "it has no entry"),
            (t.event_record, t.event_record.c.idx, 0, searchable, "it has no event"),
            (t.event_agency, t.event_agency.c.idx, 0, searchable, "it has no event"),
        ):
            stray = await self.connection.scalar(
                select(column).where(or_(column < first, column >= beyond)).limit(1)
            )
            if stray is not None:
                raise LogBroken(f"{table.name} {stray}", what)

    async def _newest(self, column: Column[int]) -> int | None:
        newest: int | None = await self.connection.scalar(select(func.max(column)))
        return newest

    async def _rows(self, table: Table, place: Column[int], start: int, stop: int) -> Sequence[Any]:
        """Read whole rows from *start* to before *stop*, in the order of the log."""
        rows = await self.connection.execute(
            select(table).where(place >= start, place < stop).order_by(place)
        )
        return rows.all()


class _Rebuilt:
    """The rows for searching as the leaves give them."""

    def __init__(self) -> None:
        self.event: set[Any] = set()
        self.event_record: set[Any] = set()
        self.event_agency: set[Any] = set()

    def add(self, idx: int, event: Event) -> None:
        self.event.add(event_row(idx, event))
        self.event_record |= record_rows(idx, event)
        self.event_agency |= agency_rows(idx, event)


def _tell(table: Table, have: set[Any], want: set[Any]) -> None:
    """Name the first row that is too much or too little."""
    place = table.columns.keys().index("idx")
    for wrong, what in (
        (have - want, "it is not what the entry says"),
        (want - have, "the row of an entry is missing or changed"),
    ):
        if wrong:
            raise LogBroken(f"{table.name} {min(row[place] for row in wrong)}", what)
