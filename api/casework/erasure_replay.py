"""What the log says is erased stays erased, whichever state of the records is restored.

The records' database may be put back to a day before an erasure; the access log may
not, since others hold its checkpoints. So the log is what is trusted: before anything
is served, every record of which it says "erased" must have no key, tag, manifest or
sealed value, and a command erases again what came back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.accesslog.reader import LogReader
from api.casework.house import House
from api.casework.recording import recorded
from api.database import Connection, Records
from api.errors import ErasureUndone
from api.store import erasing, erasures
from api.vocabulary import Action, Decision, Outcome, Phase, RecordKind

_log = structlog.get_logger("perisai.erasure")

#: The actions that erase: by two persons, and again after a restored backup.
ERASING = frozenset({Action.APPROVE_ERASURE, Action.REPEAT_ERASURE})


@dataclass(frozen=True, slots=True)
class Erased:
    """One record that was erased, as its event says.

    Attributes:
        at: when.
        agencies: whose officers see it.
    """

    kind: RecordKind
    record: UUID
    at: datetime
    agencies: tuple[str, ...]


@dataclass(slots=True)
class LogOfErasures:
    """The erasures of a log, gathered event by event in any order.

    Attributes:
        done: record -> its first erasure whose outcome is "done".
        begun: intents without an outcome, or whose outcome is not known: a process
            ended, or its database, in the middle. Index -> what was to be erased.
    """

    done: dict[UUID, Erased] = field(default_factory=dict)
    begun: dict[int, Erased] = field(default_factory=dict)

    @property
    def records(self) -> set[UUID]:
        """Every record that is erased, or may be."""
        return self.done.keys() | {one.record for one in self.begun.values()}

    def see(self, index: int, event: Event) -> None:
        """Take one event of the log; most are about something else."""
        if event.action not in ERASING or event.decision is not Decision.ALLOWED:
            return
        erased = _erased(event)
        if event.phase is Phase.INTENT:
            self.begun[index] = erased
        elif event.phase is Phase.OUTCOME and event.outcome is not Outcome.UNKNOWN:
            if event.intent is not None:
                self.begun.pop(event.intent, None)
            if event.outcome is Outcome.DONE:
                self.done.setdefault(erased.record, erased)


def _erased(event: Event) -> Erased:
    """Say what an event of an erasure erased: the first record that it names.

    The others are the case file through which a defender was reached, and the request.
    """
    kind, record, _revision = event.touched[0].records[0]
    return Erased(kind, record, event.at, event.agencies)


@dataclass(frozen=True, slots=True)
class Left:
    """How the records differ from the log.

    Attributes:
        undone: erased by the log, and not by the records: record -> tables.
        unexplained: marked as erased, and no event says so.
    """

    undone: dict[UUID, set[str]]
    unexplained: set[UUID]


async def searched(log: LogReader) -> LogOfErasures:
    """Gather the erasures by the log's search tables: fast, and enough at every start."""
    found = LogOfErasures()
    for action in sorted(ERASING):
        async for index, event in log.of_action(action):
            found.see(index, event)
    return found


async def walked(log: LogReader, progress: Callable[[int], None]) -> LogOfErasures:
    """Gather the erasures from every entry of the log; *progress* is told each index."""
    found = LogOfErasures()
    async for index, event in log.walk():
        found.see(index, event)
        progress(index)
    return found


async def compare(records: Records, log: LogOfErasures) -> Left:
    """Compare what is in the database with what the log says is erased."""
    undone: dict[UUID, set[str]] = {}
    unexplained: set[UUID] = set()
    async with records.snapshot() as snapshot:
        for kind in erasing.PARTS:
            of_kind = [r for r, erased in log.done.items() if erased.kind is kind]
            undone |= await erasing.left_of(snapshot, kind, of_kind)
            marked = await erasing.marked(snapshot, kind)
            unexplained |= marked - log.records
    return Left(undone, unexplained)


async def check(records: Records, log: LogOfErasures) -> None:
    """Prove that nothing came back that the log says is erased.

    A record that is marked as erased without an event opens nothing either; it is reported.

    Raises:
        ErasureUndone: something did; says how much.
    """
    left = await compare(records, log)
    if left.unexplained:
        _log.error("erasure_without_event", records=len(left.unexplained))
    if left.undone:
        tables = sorted(set().union(*left.undone.values()))
        raise ErasureUndone(
            f"{len(left.undone)} of {len(log.done)} records that the access log says are erased "
            f"have something again (in {', '.join(tables)}): an older state of the records' "
            "database was restored. Run `perisai erasure replay`, then start again."
        )


async def finish(house: House, log: LogOfErasures) -> int:
    """Give each erasure that is done, and whose end the log lacks, an outcome; tell how many.

    A process ended between its commit and the outcome. Until the log says "done", a
    restored database would not be noticed.
    """
    begun = {one.record: one for one in log.begun.values() if one.record not in log.done}
    if not begun:
        return 0
    whole: set[UUID] = set()
    async with house.records.snapshot() as snapshot:
        for kind in erasing.PARTS:
            marked = await erasing.marked(snapshot, kind, begun)
            # What is marked and has something left is none of ours; nothing more goes.
            whole |= marked - (await erasing.left_of(snapshot, kind, marked)).keys()
    for record in sorted(whole):
        await _again(house, begun[record])
    return len(whole)


async def replay(house: House, log: LogOfErasures) -> int:
    """Erase again what came back; tell how many records. Doing it twice does it once.

    Raises:
        LogUnavailable, StoreUnavailable: cut off; run it again.
    """
    left = await compare(house.records, log)
    for record in sorted(left.undone):
        await _again(house, log.done[record])
    finished = await finish(house, log)
    await house.records.sweep()
    return len(left.undone) + finished


async def _again(house: House, erased: Erased) -> None:
    async def do(_intent: int) -> None:
        async with house.records.change() as change:
            await _take(change, erased)

    touched = Touched(Decision.ALLOWED, None, None, (), (), ((erased.kind, erased.record, 0),))
    event = Event(
        at=house.now(),
        request="replay",
        actor=None,
        organisation=None,
        role=None,
        action=Action.REPEAT_ERASURE,
        phase=Phase.INTENT,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=erased.agencies,
        touched=(touched,),
    )
    await recorded(house, event, do)


async def _take(change: Connection, erased: Erased) -> None:
    await erasures.lock(change)
    await erasing.lock(change, erased.kind, erased.record)
    await erasing.take(change, erased.kind, erased.record, erased.at)
