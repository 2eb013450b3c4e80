"""Reading the log: heads, entries, proofs and searches, with the reader's role."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.accesslog.event import Event
from api.accesslog.proofs import Range, TlogProof, consistency_path, inclusion_path, needed, prove
from api.accesslog.search import Filters, agencies_of, catch_up, found, read_event
from api.accesslog.tables import Tables, tables
from api.accesslog.tree import EMPTY_ROOT, Head, Node, Tree, cover
from api.database import Records
from api.errors import LogBroken, LogUnavailable, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored leaf: its bytes, and its hash with those of the nodes it completes."""

    idx: int
    body: bytes
    hashes: bytes


class LogReader:
    """Reads the log behind *engine*; every method raises LogUnavailable if it does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use *engine*, which the caller disposes of."""
        self._database = Records(engine)
        self.tables: Tables = tables(engine.dialect.name)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Read one moment of the log."""
        try:
            async with self._database.snapshot() as connection:
                yield connection
        except StoreUnavailable:
            raise LogUnavailable from None

    async def head(self) -> Head:
        """Read the head, and check that the stored peaks give its root.

        Raises:
            LogBroken: they do not.
        """
        head = self.tables.head
        async with self.snapshot() as connection:
            row = (
                await connection.execute(
                    select(head.c.size, head.c.root).order_by(head.c.size.desc()).limit(1)
                )
            ).first()
            size, root = (0, EMPTY_ROOT) if row is None else (row.size, row.root)
            nodes = cover(0, size)
            hashes = await self._hashes(connection, nodes)
        newest = Head(size, root, b"".join(hashes[node] for node in nodes))
        Tree.at(newest)
        return newest

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """Read the entries from *start* to before *stop*, in order, as they are stored."""
        entry = self.tables.entry
        async with self.snapshot() as connection:
            rows = await connection.execute(
                select(entry.c.idx, entry.c.body, entry.c.hashes)
                .where(entry.c.idx >= start, entry.c.idx < stop)
                .order_by(entry.c.idx)
            )
            return [Entry(*row) for row in rows]

    async def event(self, idx: int) -> Event | None:
        """Read one event; None if the log is not that long.

        Raises:
            LogBroken: the leaf is not an event.
        """
        entries = await self.entries(idx, idx + 1)
        return read_event(idx, entries[0].body) if entries else None

    async def latest_checkpoint(self) -> str | None:
        """Read the newest signed note; None before the first."""
        checkpoint = self.tables.checkpoint
        async with self.snapshot() as connection:
            note: str | None = await connection.scalar(
                select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
            )
            return note

    async def inclusion(self, idx: int, size: int) -> list[bytes]:
        """Prove that leaf *idx* is in the tree of the first *size* leaves.

        Raises:
            ProofInvalid: there is no such leaf in such a tree.
            LogBroken: the log is shorter, or a hash is missing.
        """
        return await self._prove(inclusion_path(idx, size))

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the tree of *new* leaves continues that of *old*, as `inclusion` does."""
        return await self._prove(consistency_path(old, new))

    async def proof(self, idx: int) -> TlogProof | None:
        """Prove leaf *idx* under the oldest checkpoint that holds it; None if none does yet."""
        checkpoint = self.tables.checkpoint
        async with self.snapshot() as connection:
            row = (
                await connection.execute(
                    select(checkpoint.c.size, checkpoint.c.note)
                    .where(checkpoint.c.size > idx)
                    .order_by(checkpoint.c.size)
                    .limit(1)
                )
            ).first()
        if row is None:
            return None
        return TlogProof(idx, tuple(await self.inclusion(idx, row.size)), row.note)

    async def find(
        self, filters: Filters, *, agency: str, first: int, after_idx: int | None = None
    ) -> list[tuple[int, Event]]:
        """Search, newest first, among the events that an officer of *agency* may see.

        Those are the events of its members and of its records. The search tables are
        brought up to the head before.

        Args:
            first: at most so many events.
            after_idx: go on after this index: only older events.

        Raises:
            LogBroken: the search tables lead to an event that was not searched for.
        """
        await self.catch_up()
        async with self.snapshot() as connection:
            rows = (
                await connection.execute(found(self.tables, filters, after_idx, first, agency))
            ).all()
        events = [(row.idx, read_event(row.idx, row.body)) for row in rows]
        for idx, event in events:
            if agency not in agencies_of(event) or not filters.fit(event):
                raise LogBroken(f"event {idx}", "the search tables do not fit its entry")
        return events

    async def catch_up(self) -> None:
        """Bring the search tables up to the head, in transactions of up to 1,000 events."""
        try:
            while await self._behind():
                async with self._database.change() as connection:
                    await catch_up(connection, self.tables)
        except StoreUnavailable:
            raise LogUnavailable from None

    async def _behind(self) -> bool:
        """Tell whether there is an entry that the search tables do not have."""
        entry, event = self.tables.entry, self.tables.event
        async with self._database.snapshot() as connection:
            newest = await connection.scalar(
                select(event.c.idx).order_by(event.c.idx.desc()).limit(1)
            )
            last = await connection.scalar(
                select(entry.c.idx).order_by(entry.c.idx.desc()).limit(1)
            )
            return last is not None and (newest is None or newest < last)

    async def _prove(self, path: Sequence[Range]) -> list[bytes]:
        async with self.snapshot() as connection:
            hashes = await self._hashes(connection, needed(path))
        return prove(path, hashes.__getitem__)

    async def _hashes(
        self, connection: AsyncConnection, nodes: Sequence[Node]
    ) -> dict[Node, bytes]:
        """Read the hashes of complete nodes: one row each, by primary key."""
        entry = self.tables.entry
        rows = await connection.execute(
            select(entry.c.idx, entry.c.hashes).where(entry.c.idx.in_({n.row for n in nodes}))
        )
        stored: dict[int, bytes] = {row.idx: row.hashes for row in rows}
        missing = [node.row for node in nodes if node.row not in stored]
        if missing:
            raise LogBroken(f"entry {missing[0]}", "is missing")
        return {node: node.of(stored[node.row]) for node in nodes}
