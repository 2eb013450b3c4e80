"""Import what an agency already holds: first a report, then case files, batch by batch.

A batch is one transaction under one intent: its case files, and how far the import came.
So nothing is half written, and the same file sent again goes on behind the last batch.
The bytes of the file stay in memory. An import assigns nobody: it opens nothing to
whoever made it, and supervisors staff the case files as always.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from uuid_utils.compat import uuid7

from api.accesslog.event import Touched
from api.casework import import_duplicates, rights, tying
from api.casework.chunks import GROUP_WEIGHT, RECORDS_PER_EVENT
from api.casework.house import House
from api.casework.import_duplicates import Duplicate, Identifier
from api.casework.import_mapping import ImportMapping, parse_mapping
from api.casework.import_rows import Fault, Row, RowReader
from api.casework.import_table import Table, read_table
from api.casework.recording import event_of, recorded
from api.casework.writing import Batch, NewDefender, seal_batch, write_batch
from api.database import Connection
from api.errors import ImportConflict, NotAllowed, SealBroken, StaleRevision, TokenExpired
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed, Refused
from api.store import imports, ties
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.vocabulary import Action, Caller, Decision, RecordKind, Sensitivity

#: Case files that one transaction writes: some tenths of a second.
BATCH = 200

#: Rows that are checked before others get their turn.
_AT_ONCE = 50

_SEALED = (*CASE_FILE_FIELDS.values(), *DEFENDER_FIELDS.values())
_COMPARTMENTS = tuple(sorted({f.compartment for f in _SEALED}))
_FIELDS = tuple(sorted(f.name for f in _SEALED))


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: the line of the mapping, and the file."""

    mapping: bytes = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the file has of the columns that the mapping names; first of all lines."""

    rows: int
    missing: tuple[str, ...]
    unmapped: int


@dataclass(frozen=True, slots=True)
class Faulty:
    """A row that cannot be imported."""

    row: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The case file that a row became."""

    row: int
    case_file: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are done, of how many; `step` is "checked" or "written"."""

    step: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The last line.

    Attributes:
        state: "checked": sound, and nothing written; "refused": faulty, and nothing
            written; "done": all is there.
        written: case files of this file that are there.
        more_existing: more defenders may be meant than were named.
    """

    state: str
    rows: int
    faulty: int
    left_out: int
    written: int
    more_existing: bool = False


Line = Columns | Faulty | Duplicate | Written | Progress | Ended


async def may_import(house: House, caller: Caller) -> None:
    """Refuse who may import nothing; to be asked before anything of a file is taken.

    Raises:
        NotAllowed: one event.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
    """
    await _decided(house, caller, [Sensitivity.LOW])


async def import_file(
    house: House, caller: Caller, sent: Sent, *, write: bool, batch: int = BATCH
) -> AsyncGenerator[Line, None]:
    """Check a file and tell, line by line; *write*: then import it, if nothing is wrong.

    Raises:
        ImportMappingInvalid, ImportFileInvalid: nothing was logged.
        NotAllowed: a row is above the caller's clearance; one event.
        ImportConflict: see there; nothing was written.
        TokenExpired, StaleRevision, and whatever a change raises: what was written up to
            the last batch stands, and the same file goes on from there.
    """
    mapping = parse_mapping(sent.mapping)
    table = await asyncio.to_thread(read_table, sent.content, mapping)
    yield Columns(len(table.lines), table.missing, table.unmapped)
    reader = RowReader(house.codes, mapping, table.positions, house.now().date())
    checked = _Checked()
    if not table.missing:
        for done, row in enumerate(_rows(table, mapping, reader), 1):
            checked.add(row)
            if done % _AT_ONCE == 0:
                yield Progress("checked", done, len(table.lines))
                await asyncio.sleep(0)
    verdict = await _decided(house, caller, checked.sensitivities or [Sensitivity.LOW])
    left_out = len({line.number for line in table.lines} & mapping.leave_out)
    counts = (len(table.lines), len(checked.faulty), left_out)
    # Before anything is told of a row: each file that was checked is in the log.
    await _note(house, caller, verdict)
    for number, found in checked.faulty.items():
        yield Faulty(number, found)
    refused = bool(table.missing) or (bool(checked.faulty) and not mapping.skip_faulty)
    if not write:
        more = False
        if not table.missing:
            for duplicate in import_duplicates.within(checked.identifiers):
                yield duplicate
            hits, more = await import_duplicates.existing(house, caller, checked.identifiers)
            for duplicate in hits:
                yield duplicate
        yield Ended("refused" if refused else "checked", *counts, 0, more)
        return
    if refused:
        yield Ended("refused", *counts, 0)
        return
    run = await _begun(house, caller, sent, len(table.lines))
    sound = (
        row
        for row in _rows(table, mapping, reader, behind=run.through)
        if row.number not in checked.faulty
    )
    last = max((n for n in checked.sound if n > run.through), default=run.through)
    for some in batches(sound, batch):
        _signed_in(house, caller)
        lines = await _whole(
            _write(house, caller, verdict, run, some, finished=some[-1].number == last)
        )
        for line in lines:
            yield line
        run = run.after(some[-1].number, len(some))
        yield Progress("written", run.written, len(checked.sound))
    yield Ended("done", *counts, run.written)


async def _whole(writing: Coroutine[None, None, list[Written]]) -> list[Written]:
    """Write a batch to its end, also for a client that goes away meanwhile."""
    task = asyncio.ensure_future(writing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class _Checked:
    """What is remembered of rows that were checked: numbers, faults, identifiers; no more."""

    def __init__(self) -> None:
        self.faulty: dict[int, tuple[Fault, ...]] = {}
        self.sound: list[int] = []
        self.sensitivities: set[Sensitivity] = set()
        self.identifiers: list[Identifier] = []

    def add(self, row: Row) -> None:
        if row.faults:
            self.faulty[row.number] = row.faults
            return
        self.sound.append(row.number)
        self.sensitivities.add(Sensitivity(row.clear["sensitivity"]))
        self.identifiers += import_duplicates.identifiers(row)


def _rows(
    table: Table, mapping: ImportMapping, reader: RowReader, *, behind: int = 0
) -> Iterator[Row]:
    """Read the rows behind number *behind* that are not left out."""
    for line in table.lines:
        if line.number > behind and line.number not in mapping.leave_out:
            yield reader.read(line)


def batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Cut *rows* so that one event can name what a batch makes."""
    some: list[Row] = []
    room = RECORDS_PER_EVENT - GROUP_WEIGHT
    for row in rows:
        records = 1 + len(row.people)
        if some and (len(some) == size or records > room):
            yield some
            some, room = [], RECORDS_PER_EVENT - GROUP_WEIGHT
        some.append(row)
        room -= records
    if some:
        yield some


async def _decided(house: House, caller: Caller, levels: Iterable[Sensitivity]) -> Allowed:
    """Decide whether *caller* may import case files of these sensitivities."""
    async with house.records.snapshot() as snapshot:
        verdicts = await _verdicts(house, snapshot, caller, levels)
    refused = next((v for v in verdicts if isinstance(v, Refused)), None)
    if refused is not None:
        touched = Touched(Decision.REFUSED, None, refused.reason, _COMPARTMENTS, (), ())
        await house.ledger.append(
            event_of(
                house,
                caller,
                Action.IMPORT,
                Decision.REFUSED,
                (touched,),
                agencies=(caller.organisation,),
                code=NotAllowed.code,
            )
        )
        raise NotAllowed
    return next(v for v in verdicts if isinstance(v, Allowed))


async def _verdicts(
    house: House, connection: Connection, caller: Caller, levels: Iterable[Sensitivity]
) -> list[Allowed | Refused]:
    who = await rights.caseworker(house, connection, caller)
    return [
        house.gate.change(
            who, Action.IMPORT, CaseFileFacts(caller.organisation, int(level), False, False)
        )
        for level in sorted(levels)
    ]


async def _note(house: House, caller: Caller, verdict: Allowed) -> None:
    """Write down that a file of personal data was checked; it names no record."""
    touched = Touched(Decision.ALLOWED, verdict.ground, None, (), (), ())
    await house.ledger.append(
        event_of(
            house,
            caller,
            Action.IMPORT,
            Decision.ALLOWED,
            (touched,),
            agencies=(caller.organisation,),
        )
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """How far the import of one file came.

    Attributes:
        row: of the table, as it stands; None: the first batch makes it.
        through: number of the last row that is done.
        written: case files.
    """

    file: str
    mapping: str
    rows: int
    id: UUID
    new: bool
    through: int
    written: int

    def after(self, through: int, more: int) -> "_Run":
        return _Run(
            self.file, self.mapping, self.rows, self.id, False, through, self.written + more
        )


async def _begun(house: House, caller: Caller, sent: Sent, rows: int) -> _Run:
    """Find how far the import of this file came; the digests are keyed, so nobody tries files."""
    agency = caller.organisation
    seal = house.keyring.rights(agency).seal
    file = seal("import file", [sha256(sent.content).hexdigest()]).hex()
    mapping = seal("import mapping", [sha256(sent.mapping).hexdigest()]).hex()
    async with house.records.snapshot() as snapshot:
        found = await imports.run_of(snapshot, agency, file)
    if found is None:
        return _Run(file, mapping, rows, uuid7(), True, 0, 0)
    if not rights.holds(house, agency, "import_run", found.seal_values, found.seal):
        raise SealBroken
    if found.values["mapping"] != mapping:
        raise ImportConflict
    through, written = found.values["through"], found.values["written"]
    return _Run(file, mapping, rows, found.values["id"], False, through, written)


def _signed_in(house: House, caller: Caller) -> None:
    """Refuse to begin another batch for a token that has ended."""
    if caller.signed_in_until is not None and caller.signed_in_until <= house.now():
        raise TokenExpired


def batch_of(rows: Sequence[Row]) -> tuple[dict[UUID, Row], Batch]:
    """Give each row the id of its case file, and all of them as a batch to be sealed."""
    made = {uuid7(): row for row in rows}
    people: dict[UUID, NewDefender] = {}
    links = []
    for file, row in made.items():
        for position, person in enumerate(row.people):
            defender = uuid7()
            people[defender] = NewDefender(person.categories, person.values)
            links.append((file, defender, position))
    return made, Batch({file: row.sealed for file, row in made.items()}, people, links, [])


async def _write(
    house: House, caller: Caller, verdict: Allowed, run: _Run, rows: Sequence[Row], finished: bool
) -> list[Written]:
    """Write one batch, and that it is written."""
    agency = caller.organisation
    made, batch = batch_of(rows)
    tags = [
        {"agency": agency, "tag": tag, "case_file": file}
        for file, row in made.items()
        for tag in {tying.tag_of(house, agency, name) for name in row.institutions}
    ]
    levels = {Sensitivity(row.clear["sensitivity"]) for row in rows}

    async def do(intent: int) -> list[Written]:
        sealed = await seal_batch(house, agency, batch)
        async with house.records.change() as change:
            if any(v != verdict for v in await _verdicts(house, change, caller, levels)):
                raise NotAllowed
            years = [row.clear["opened_on"].year for row in rows]
            references = await imports.references(change, agency, years)
            # That lock makes two imports of one agency follow each other.
            await _advance(house, change, caller, run, rows, finished, intent)
            clear = {
                file: {**row.clear, "reference": reference}
                for (file, row), reference in zip(made.items(), references, strict=True)
            }
            await write_batch(house, change, agency, sealed, clear, intent)
            await ties.insert_tags(change, tags)
        return [Written(row.number, f, clear[f]["reference"]) for f, row in made.items()]

    touched = Touched(
        Decision.ALLOWED,
        verdict.ground,
        None,
        _COMPARTMENTS,
        _FIELDS,
        (
            *((RecordKind.CASE_FILE, file, 1) for file in made),
            *((RecordKind.DEFENDER, person, 1) for person in batch.defenders),
        ),
    )
    event = event_of(house, caller, Action.IMPORT, Decision.ALLOWED, (touched,), agencies=(agency,))
    return await recorded(house, event, do)


async def _advance(
    house: House,
    change: Connection,
    caller: Caller,
    run: _Run,
    rows: Sequence[Row],
    finished: bool,
    intent: int,
) -> None:
    """Write down that *rows* are done too, if nobody else wrote them meanwhile."""
    agency, now = caller.organisation, house.now()
    found = await imports.run_of(change, agency, run.file)
    if (found is None) is not run.new:
        raise StaleRevision
    if found is not None:
        if not rights.holds(house, agency, "import_run", found.seal_values, found.seal):
            raise SealBroken
        if found.values["through"] != run.through:
            raise StaleRevision
    row = {
        "id": run.id,
        "agency": agency,
        "file": run.file,
        "mapping": run.mapping,
        "rows": run.rows,
        "through": rows[-1].number,
        "written": run.written + len(rows),
        "member": caller.member,
        "started_at": now if found is None else found.values["started_at"],
        "finished_at": now if finished else None,
        "event": intent,
    }
    sealed = rights.sealed_row(house, agency, "import_run", row)
    await (imports.begin if found is None else imports.advance)(change, sealed)
