"""Compare the records with the log: was something put back to what it once was?

A manifest catches a ciphertext that was put back alone. Who puts back ciphertexts and
manifest together makes an older state that holds in itself; only the log remembers
that there was a newer one. Reads numbers that stand in clear; opens nothing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from api.accesslog.event import Event
from api.accesslog.reader import LogReader
from api.accesslog.search import read_event
from api.database import Records
from api.errors import RecordsPutBack
from api.store import key_wraps
from api.store.sealed_fields import LAYOUTS
from api.vocabulary import Action, Compartment, Outcome, RecordKind

#: Events that are read at once, and manifests.
CHUNK: Final = 1_024

#: The actions that make records, whose events name the first revision.
_MAKING = frozenset({Action.IMPORT, Action.OPEN_CASE_FILE})

#: The actions that seal anew. Their events name the revision of the record before, and of
#: each compartment the revision that is replaced.
_CHANGING = frozenset({Action.UPDATE_DEFENDER})

#: The actions of which `Expected` learns anything.
TELLING = _MAKING | _CHANGING

#: The kind of record to whose table the compartments belong.
_OF_TABLE = {"defender": RecordKind.DEFENDER, "case_file": RecordKind.CASE_FILE}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a record that is known to be done.

    Attributes:
        index: of the event that says so.
        revision: of the record, which it changed.
        replaced: the revision that it replaced of each compartment that it sealed anew.
    """

    index: int
    revision: int
    replaced: Mapping[Compartment, int]


@dataclass(slots=True)
class Expected:
    """What the log says of each record.

    Attributes:
        least: by compartment too, the least revision, and the event that says so.
        changes: by the index of each intent that was done.
    """

    least: dict[tuple[UUID, Compartment], tuple[int, int]] = field(default_factory=dict)
    changes: dict[UUID, dict[int, Change]] = field(default_factory=dict)

    def learn(self, index: int, event: Event) -> None:
        """Take one event; only what is known to be done counts."""
        if event.outcome is not Outcome.DONE:
            return
        if event.action in _MAKING:
            for compartment, record, revision in _sealed(event):
                self._at_least(record, compartment, revision, index)
        elif event.action in _CHANGING and event.intent is not None:
            changed = dict(_itself(event))
            replaced: dict[UUID, dict[Compartment, int]] = {}
            for compartment, record, revision in _sealed(event):
                replaced.setdefault(record, {})[compartment] = revision
            for record, of_it in replaced.items():
                change = Change(index, changed.get(record, 0), of_it)
                self.changes.setdefault(record, {})[event.intent] = change
                for compartment in of_it:
                    self._at_least(record, compartment, change.revision + 1, index)

    def _at_least(self, record: UUID, compartment: Compartment, revision: int, index: int) -> None:
        known = self.least.get((record, compartment), (0, 0))
        self.least[record, compartment] = max(known, (revision, index))

    def check_order(self) -> None:
        """Prove that nothing was changed from a state that an earlier change had replaced.

        Who puts something back and lets somebody change it makes the older state the newest
        one, and the numbers in the records fit again; but the change says what it replaced.

        Raises:
            RecordsPutBack: it was.
        """
        for changes in self.changes.values():
            # By their intents: an outcome may be written after that of a later change.
            reached = 0
            made: dict[Compartment, int] = {}
            for _, change in sorted(changes.items()):
                for compartment, replaced in change.replaced.items():
                    if change.revision <= reached or replaced < made.get(compartment, 0):
                        raise RecordsPutBack(
                            change.index, compartment, "was changed from an older state"
                        )
                    made[compartment] = change.revision + 1
                reached = change.revision


def _sealed(event: Event) -> Iterator[tuple[Compartment, UUID, int]]:
    """Name what *event* says of the compartments of records that have manifests."""
    for touched in event.touched:
        for compartment in touched.compartments:
            layout = LAYOUTS.get(compartment)
            for kind, record, revision in touched.records if layout is not None else ():
                if layout is not None and kind is _OF_TABLE[layout.table]:
                    yield compartment, record, revision


def _itself(event: Event) -> Iterator[tuple[UUID, int]]:
    """Name the records themselves that *event* changed, and their revisions."""
    for touched in event.touched:
        if not touched.compartments:
            yield from ((record, revision) for _, record, revision in touched.records)


async def check_records(
    log: LogReader,
    records: Records,
    progress: Callable[[int, int], None] | None = None,
    *,
    erased: Collection[UUID] = (),
    expected: Expected | None = None,
) -> int:
    """Give how many compartments of records are as new as the log says.

    The log is read first: what happens meanwhile makes records newer, never older.

    Args:
        erased: records that the log says are erased; of these nothing may be there.
        expected: what a verification has learned from every event on its way; without
            it the log is read here.

    Raises:
        RecordsPutBack: one is older, or gone; it names the event that knows better.
        LogUnavailable, StoreUnavailable: one of the databases does not answer.
    """
    if expected is None:
        expected = await _learned(log, progress)
    expected.check_order()
    async with records.snapshot() as snapshot:
        stored = await key_wraps.revisions(snapshot)
    for of, (least, index) in expected.least.items():
        if of[0] in erased:
            continue
        found = stored.get(of)
        if found is None:
            raise RecordsPutBack(index, of[1], "is gone")
        if type(found) is not int or found < least:  # SQLite keeps any type, if one writes it.
            raise RecordsPutBack(index, of[1], "is older than this event made it")
    return sum(record not in erased for record, _compartment in expected.least)


async def _learned(log: LogReader, progress: Callable[[int, int], None] | None) -> Expected:
    expected = Expected()
    size = (await log.head()).size
    for start in range(0, size, CHUNK):
        for entry in await log.entries(start, min(start + CHUNK, size)):
            expected.learn(entry.idx, read_event(entry.idx, entry.body))
        if progress is not None:
            progress(min(start + CHUNK, size), size)
    return expected
