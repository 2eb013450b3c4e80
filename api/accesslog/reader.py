"""Reading the log: heads, entries, proofs and searches, with the reader's role."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.accesslog import finding
from api.accesslog.event import Event
from api.accesslog.finding import Filters
from api.accesslog.proofs import Range, TlogProof, consistency_path, inclusion_path, needed, prove
from api.accesslog.search import (
    BATCH,
    catch_up,
    newest_of,
    of_action,
    read_event,
    unfinished,
)
from api.accesslog.tables import Tables, tables
from api.accesslog.tree import EMPTY_ROOT, Head, Node, Tree, cover
from api.database import Records, engine_of
from api.errors import LogBroken, LogUnavailable, RefusesToStart, StoreUnavailable
from api.vocabulary import Action, Phase


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored leaf: its bytes, and its hash with those of the nodes it completes."""

    idx: int
    body: bytes
    hashes: bytes


@asynccontextmanager
async def reading(url: str) -> AsyncIterator["LogReader"]:
    """Read the log at *url* while the block runs.

    Raises:
        RefusesToStart: no such file; opened, it would be made, and be empty.
    """
    _check_existence(url)
    engine = engine_of(url)
    try:
        yield LogReader(engine)
    finally:
        await engine.dispose()


def _check_existence(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise RefusesToStart(f"There is no access log at {parsed.database}.")


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

    async def checkpoint_at(self, size: int) -> str | None:
        """Read the signed note of *size*; None if there is none."""
        checkpoint = self.tables.checkpoint
        async with self.snapshot() as connection:
            note: str | None = await connection.scalar(
                select(checkpoint.c.note).where(checkpoint.c.size == size)
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
            path = inclusion_path(idx, row.size)
            hashes = await self._hashes(connection, needed(path))
        return TlogProof(idx, tuple(prove(path, hashes.__getitem__)), row.note)

    async def newest_proofs(self, indices: Sequence[int]) -> list[TlogProof | None]:
        """Prove leaves under the newest checkpoint; None for one that it does not hold yet."""
        checkpoint = self.tables.checkpoint
        async with self.snapshot() as connection:
            row = (
                await connection.execute(
                    select(checkpoint.c.size, checkpoint.c.note)
                    .order_by(checkpoint.c.size.desc())
                    .limit(1)
                )
            ).first()
        size = 0 if row is None else row.size
        return [
            None
            if row is None or idx >= size
            else TlogProof(idx, tuple(await self.inclusion(idx, size)), row.note)
            for idx in indices
        ]

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
            return await finding.find(
                connection, self.tables, filters, agency=agency, before=after_idx, first=first
            )

    async def of_action(self, action: Action) -> AsyncIterator[tuple[int, Event]]:
        """Give every event of *action*, whoever's it is, oldest first: for the service itself.

        The search tables lead to them, and are brought up to the head before; what these
        leave out only a walk over all entries finds.

        Raises:
            LogBroken: the search tables lead to an event of another action.
        """
        await self.catch_up()
        last, more = -1, True
        while more:
            async with self.snapshot() as connection:
                rows = (await connection.execute(of_action(self.tables, action, last, BATCH))).all()
            for row in rows:
                event = read_event(row.idx, row.body)
                if event.action is not action:
                    raise LogBroken(f"event {row.idx}", "the search tables do not fit its entry")
                yield row.idx, event
                last = row.idx
            more = len(rows) == BATCH

    async def between(self, first: int, last: int) -> AsyncIterator[tuple[int, Event]]:
        """Give every event from *first* to *last*, whoever's it is; none if they are reversed."""
        for start in range(first, last + 1, BATCH):
            for entry in await self.entries(start, min(start + BATCH, last + 1)):
                yield entry.idx, read_event(entry.idx, entry.body)

    async def newest_of(self, actions: Sequence[Action]) -> tuple[int, Event] | None:
        """Give the newest event of one of *actions*, whoever's it is, as `of_action` does."""
        await self.catch_up()
        async with self.snapshot() as connection:
            row = (await connection.execute(newest_of(self.tables, actions))).first()
        if row is None:
            return None
        event = read_event(row.idx, row.body)
        if event.action not in actions:
            raise LogBroken(f"event {row.idx}", "the search tables do not fit its entry")
        return row.idx, event

    async def unfinished(self, before: datetime) -> AsyncIterator[tuple[int, Event]]:
        """Give every intent older than *before* that has no outcome, oldest first.

        The search tables lead to them, as `of_action` says.

        Raises:
            LogBroken: the search tables lead to an event that is no intent.
        """
        await self.catch_up()
        last, more = -1, True
        while more:
            query = unfinished(self.tables, last, BATCH)
            async with self.snapshot() as connection:
                rows = (await connection.execute(query)).all()
            for row in rows:
                event = read_event(row.idx, row.body)
                if event.phase is not Phase.INTENT:
                    raise LogBroken(f"event {row.idx}", "the search tables do not fit its entry")
                if event.at < before:
                    yield row.idx, event
                last = row.idx
            more = len(rows) == BATCH

    async def walk(self, chunk: int = BATCH) -> AsyncIterator[tuple[int, Event]]:
        """Give every event from the entries themselves, oldest first: the slow, sure way."""
        start = 0
        while entries := await self.entries(start, start + chunk):
            for entry in entries:
                yield entry.idx, read_event(entry.idx, entry.body)
            start += chunk

    async def catch_up(self) -> None:
        """Bring the search tables up to the head, in transactions of up to 1,000 events.

        To the head of this moment: where events come as fast as they are brought in, whoever
        went on to the newest would never end.
        """
        try:
            newest = await self._newest(self.tables.entry.c.idx)
            while newest is not None and (
                (found := await self._newest(self.tables.event.c.idx)) is None or found < newest
            ):
                async with self._database.change() as connection:
                    await catch_up(connection, self.tables)
        except StoreUnavailable:
            raise LogUnavailable from None

    async def _newest(self, place: Column[int]) -> int | None:
        async with self._database.snapshot() as connection:
            newest: int | None = await connection.scalar(
                select(place).order_by(place.desc()).limit(1)
            )
            return newest

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
