"""The check of a whole log against its own bytes and the signers' public keys.

It trusts nothing that is stored: every hash is computed from the leaf bytes, every
head and checkpoint is compared with the root at its size, every row for searching
with what the leaves say. It runs on one snapshot, beside a log that grows, and reads
each row once.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.cosignature import cosignatures, stated, text_of
from api.accesslog.faults import Faults, places
from api.accesslog.hashes import differing_leaves, grown
from api.accesslog.leaves import Continuity, Leaves, Seen
from api.accesslog.log_keys import ON_KEYS, LogKeys, notes_on_keys
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.scan import Rows
from api.accesslog.search import in_order
from api.accesslog.stored import StoredRow, StoredRows
from api.accesslog.tree import EMPTY_ROOT, Growth, Head, Tree
from api.errors import LogBroken, NoteInvalid

#: Entries that are read at once; more of them only keep the garbage collector busy.
CHUNK: Final = 2_048

#: Called with how many entries are done and how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds: *size* entries under *root*, and so many signed checkpoints.

    Attributes:
        searchable: entries that the search tables hold; the rest are added by the
            next search.
        signed: entries under the newest checkpoint. The rest are as good as the
            process that wrote them.
    """

    size: int
    root: bytes
    checkpoints: int
    searchable: int = 0
    signed: int = 0


async def verify(
    reader: LogReader,
    keys: Sequence[VerifierKey] | LogKeys,
    progress: Progress | None = None,
    *,
    at_least: Head | None = None,
    signed: int = 0,
    kept: Sequence[Checkpoint] = (),
    witnesses: Sequence[VerifierKey] = (),
    seen: Seen | None = None,
    of: Collection[str] | None = None,
    events: bool = True,
) -> Verified:
    """Check every byte of the log behind *reader*.

    Args:
        keys: of those who sign this log's checkpoints, and what the log says of them; one
            that counts at its size must have signed each checkpoint.
        at_least: the signer's state or an older result: the log must continue it.
        signed: the size that the signer has signed for: the newest checkpoint must reach it.
        kept: checkpoints of this log that somebody kept: the log must continue each
            of them and still have it.
        witnesses: keys of those whose cosignatures must hold; of others only their form.
        seen: told of every event on the way, for whoever compares them with something else.
        of: tell *seen* only of events of these actions.
        events: False: the hashes, heads and checkpoints alone; neither is any leaf read
            as an event nor are the search tables compared.

    Raises:
        LogBroken: says where and what: the first fault, in the order of the log, and
            the first of each other kind.
        LogUnavailable: the database does not answer.
    """
    faults = Faults()
    known = keys if isinstance(keys, LogKeys) else LogKeys(keys)
    roots = [(one.size, one.root) for one in (*kept, *((at_least,) if at_least else ()))]
    wanted = () if seen is None else of
    async with reader.snapshot() as connection:
        known.learn(await notes_on_keys(connection, reader.tables))
        leaves = Leaves(
            faults,
            known.seeing(seen or (lambda _index, _event: None)),
            None if wanted is None else {*wanted, *ON_KEYS},
        )
        walk = _Walk(
            StoredRows(connection, reader.tables),
            known,
            faults,
            Continuity(faults, [*roots, *known.roots.items()]),
            witnesses,
            leaves if events else None,
        )
        found = await walk.run(progress or (lambda _done, _all: None))
        if found.signed < signed:
            faults.add(
                "checkpoint",
                signed,
                "the signer signed for so many entries, and none as new is here; if the service "
                "was cut off, start it and verify again",
            )
        for size in sorted({one.size for one in kept if one.size <= found.size}):
            table = reader.tables.checkpoint
            if size and not await walk.rows.between(table, table.c.size, size, size + 1):
                faults.add("checkpoint", size, "it was given out, and is not here")
    if events:
        for size, what in known.without_event():
            faults.add("checkpoint", size, what)
    faults.end()
    return found


class _Walk:
    """One walk over the log, from the first entry to the head."""

    def __init__(
        self,
        rows: StoredRows,
        keys: LogKeys,
        faults: Faults,
        continuity: Continuity,
        witnesses: Sequence[VerifierKey],
        leaves: Leaves | None,
    ) -> None:
        self.rows = rows
        self.tables = rows.tables
        self.keys = keys
        self.faults = faults
        self.continuity = continuity
        self.witnesses = witnesses
        self.leaves = leaves
        #: None after an entry whose hash nobody knows: no later root can be compared.
        self.tree: Tree | None = Tree()
        self.last_head = 0
        self.checkpoints = 0
        self.newest_checkpoint = 0
        self.number = 0

    async def run(self, progress: Progress) -> Verified:
        t = self.tables
        size = await self.rows.newest(t.head.c.size) or 0
        newest = await self.rows.newest(t.event.c.idx)
        searchable = 0 if newest is None else max(0, min(newest + 1, size))
        start = 0
        while start < size:
            stop = min(start + CHUNK, size)
            entries = await self.rows.between(t.entry, t.entry.c.idx, start, stop)
            if [row[0] for row in entries] != list(range(start, stop)):
                await self._out_of_order(entries, start, stop, size)
            if not entries:
                stop = await self._next_place(start, size)
            growth = self._grow(start, entries)
            await self._heads(start, stop, growth)
            await self._checkpoints(start, stop, growth)
            if growth is not None:
                self.continuity.look(growth)
            if self.leaves is not None:
                await self._events(self.leaves, entries, start, max(start, min(stop, searchable)))
            progress(stop, size)
            start = stop
        self.continuity.end(size)
        await self._nothing_beyond(size, searchable)
        root = EMPTY_ROOT if self.tree is None else self.tree.root()
        return Verified(size, root, self.checkpoints, searchable, self.newest_checkpoint)

    async def _out_of_order(
        self, entries: Sequence[StoredRow], start: int, stop: int, size: int
    ) -> None:
        """Tell of entries that are missing or, where no key forbids it any more, there twice."""
        self.tree = None
        present = Counter(row[0] for row in entries)
        for idx, times in present.items():
            if times > 1:
                self.faults.add("entry", idx, "it is there twice")
        first = next((idx for idx in range(start, stop) if idx not in present), None)
        if first is not None:
            following = await self.rows.next(self.tables.entry.c.idx, first)
            run = range(first, size if following is None else min(following, size))
            self.faults.add("entry", places(run), "is missing")

    async def _next_place(self, start: int, size: int) -> int:
        """Give where the next row of any evidence stands, below *size*."""
        t = self.tables
        following = [
            await self.rows.next(t.entry.c.idx, start),
            await self.rows.next(t.head.c.size, start + 1),
            await self.rows.next(t.checkpoint.c.size, start + 1),
        ]
        return max(start + 1, min([size, *(one for one in following if one is not None)]))

    def _grow(self, start: int, entries: Sequence[StoredRow]) -> Growth | None:
        """Hash the leaves, and compare with what is stored; None if the tree is lost."""
        bodies, hashes = [row[1] for row in entries], [row[2] for row in entries]
        if self.tree is None:
            for at, what in differing_leaves(bodies, hashes):
                self.faults.add("entry", entries[at][0], what)
            return None
        growth, differences = grown(self.tree, bodies, hashes)
        for at, what in differences:
            self.faults.add("entry", start + at, what)
        self.tree = None if growth is None else growth.after()
        return growth

    async def _heads(self, start: int, stop: int, growth: Growth | None) -> None:
        head = self.tables.head
        # A head and a checkpoint carry a size: one more than the last index under it.
        for size, follows, root in await self.rows.between(head, head.c.size, start + 1, stop + 1):
            if follows != self.last_head:
                self.faults.add("head", size, f"it does not follow head {self.last_head}")
            if growth is not None and root != growth.root(size):
                self.faults.add("head", size, "its root is not that of the entries")
            self.last_head = size

    async def _checkpoints(self, start: int, stop: int, growth: Growth | None) -> None:
        table = self.tables.checkpoint
        rows = await self.rows.between(table, table.c.size, start + 1, stop + 1)
        for size, note, number in rows:
            if number != self.number:
                self.faults.add("checkpoint", size, "one before it is missing")
            self.number = number + 1 if number.__class__ is int else self.number + 1
            self.newest_checkpoint = size
            try:
                checkpoint = self.keys.open(note)
            except (NoteInvalid, AttributeError, TypeError):
                self.faults.add("checkpoint", size, "it has no valid signature")
                continue
            except LogBroken as broken:
                self.faults.add("checkpoint", size, broken.what)
                continue
            if checkpoint.size != size or (
                growth is not None and checkpoint.root != growth.root(size)
            ):
                self.faults.add("checkpoint", size, "it is not of these entries")
            else:
                self.checkpoints += 1
        await self._cosignatures(start, stop, {size: note for size, note, _ in rows})

    async def _cosignatures(self, start: int, stop: int, notes: Mapping[int, str]) -> None:
        table = self.tables.cosignature
        for size, witness, at, line in await self.rows.between(
            table, table.c.size, start + 1, stop + 1
        ):
            if size not in notes:
                self.faults.add("cosignature", size, "it has no checkpoint")
                continue
            try:
                if stated(line) != (witness, at):
                    self.faults.add("cosignature", size, "its line is not what the row says")
                cosignatures(text_of(notes[size]), line, self.witnesses)
            except (NoteInvalid, AttributeError, TypeError):
                self.faults.add("cosignature", size, "it does not hold")

    async def _events(
        self, leaves: Leaves, entries: Sequence[StoredRow], start: int, stop: int
    ) -> None:
        """Read the leaves as events, and compare the rows for searching up to *stop*."""
        of_bytes = [(row[0], row[1]) for row in entries if row[1].__class__ is bytes]
        known = leaves.read(one for one in of_bytes if one[0] < stop)
        leaves.read(one for one in of_bytes if one[0] >= stop)
        t = self.tables
        have = await self.rows.between(t.event, t.event.c.idx, start, stop)
        hold = self._compare(t.event, have, known.events, known)
        have = await self.rows.between(t.event_record, t.event_record.c.idx, start, stop)
        self._compare(t.event_record, have, known.records, known)
        if not hold or not _same(await self.rows.copies(start, stop), known.agencies):
            # Which is wrong, the row or its copy, only the leaf says.
            have = await self.rows.between(t.event_agency, t.event_agency.c.idx, start, stop)
            event = {row[0]: row for row in known.events}
            whole = [(agency, *event[idx][:8]) for agency, idx, _ in known.agencies]
            self._compare(t.event_agency, have, whole, known)
        have = await self.rows.words(start, stop)
        if have != known.words:
            have = [in_order(row) for row in have]
        self._compare(t.event_word, have, known.words, known)

    def _compare(
        self, table: Table, have: list[StoredRow], want: Sequence[StoredRow], known: Rows
    ) -> bool:
        hold = _same(have, want)
        if not hold:
            times = Counter(row[0] for row in known.events)
            self._tell(table, have, want, {idx for idx in times if times[idx] == 1})
        return hold

    def _tell(
        self, table: Table, have: list[StoredRow], want: Iterable[StoredRow], known: Collection[int]
    ) -> None:
        """Name the first row that is too much or too little, of entries that are *known*.

        What is wrong with the others was said of them.
        """
        place = table.columns.keys().index("idx")
        stored, rebuilt = set(have), set(want)
        twice = [row for row, times in Counter(have).items() if times > 1]
        for wrong, what in (
            (stored - rebuilt, "it is not what the entry says"),
            (rebuilt - stored, "the row of an entry is missing or changed"),
            (twice, "it is there twice"),
        ):
            of_known = [row[place] for row in wrong if row[place] in known]
            if of_known:
                self.faults.add(table.name, min(of_known), what)

    async def _nothing_beyond(self, size: int, searchable: int) -> None:
        """Look for rows before the first and after the last place of each table."""
        t = self.tables
        for table, place, first, beyond, what in (
            (t.entry, t.entry.c.idx, 0, size, "it stands outside the head"),
            (t.head, t.head.c.size, 1, size + 1, "no log has this size"),
            (t.checkpoint, t.checkpoint.c.size, 1, size + 1, f"the log has only {size} entries"),
            (t.event, t.event.c.idx, 0, searchable, "it has no entry"),
            (t.event_record, t.event_record.c.idx, 0, searchable, "it has no event"),
            (t.event_agency, t.event_agency.c.idx, 0, searchable, "it has no event"),
            (t.event_word, t.event_word.c.idx, 0, searchable, "it has no event"),
            (
                t.cosignature,
                t.cosignature.c.size,
                1,
                size + 1,
                "it has no checkpoint",
            ),
        ):
            stray = await self.rows.outside(place, first, beyond)
            if stray is not None:
                # SQLite keeps any value; nothing but a number is repeated.
                place_of = stray if stray.__class__ is int else "of no number"
                self.faults.add(table.name, place_of, what)


def _same(have: Sequence[StoredRow], want: Sequence[StoredRow]) -> bool:
    """Tell whether the rows are the same in any order, each once."""
    if have == want:
        return True
    unique = set(have)
    return len(unique) == len(have) and unique == set(want)
