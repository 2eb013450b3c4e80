"""The one way of a change: decide, append the intent, lock, decide again, write, append.

The intent is durable before a row changes, and every row that grants something
carries its index. A change without an outcome is unfinished business that the
log itself shows. What is refused leaves one event and no row.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework import elsewhere, merged, reasons, rights
from api.casework.closed import closed_files
from api.casework.disclosure import Reading, read_rows
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.reasons import Given
from api.casework.recording import event_of, recorded
from api.database import Connection
from api.errors import (
    CaseFileClosed,
    DefenderMerged,
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    StaleRevision,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import assignments, key_wraps
from api.store.case_file_statements import Shape, Which
from api.store.case_files import CaseFileRow, LedBy
from api.store.sealed_fields import REASON_FIELDS
from api.vocabulary import Action, Caller, Compartment, Decision, Ground, Reason, RecordKind

T = TypeVar("T")

#: What may still be done to a record that was erased: to end what is left open of it.
ON_ERASED = frozenset({Action.DECLINE_ERASURE, Action.LIFT_LEGAL_HOLD, Action.PREVIEW_ERASURE})

#: What may still be done to a record that was merged into another: to end it or what is left open
#: of it, to look who could open it, and what is about the merge.
ON_MERGED = frozenset(
    {
        Action.ANSWER_MATCH,
        Action.APPROVE_ERASURE,
        Action.APPROVE_MERGE,
        Action.DECLINE_ERASURE,
        Action.EXPLAIN,
        Action.LIFT_LEGAL_HOLD,
        Action.MERGE_DEFENDERS,
        Action.PLACE_LEGAL_HOLD,
        Action.PREVIEW_ERASURE,
        Action.REQUEST_ERASURE,
        Action.REVIEW_ACCESS,
        Action.UNDO_MERGE,
    }
)

#: What is read of a case file besides: see `closed`.
_STATUS = frozenset({"status"})

#: What must all be allowed for a change, given the facts about one case file.
Ask = Callable[[CaseworkerFacts, CaseFileFacts], Sequence[Verdict]]


@dataclass(frozen=True, slots=True)
class Situation:
    """The case file on which a change rests, as it was when it was decided.

    Attributes:
        facts: on which it was decided; of another agency's file they alone are proven.
        revision: of the record that the caller named: a defender or the case file.
        sealed: of a change that seals anew, the revision of each manifest that it replaces.
    """

    row: CaseFileRow
    facts: CaseFileFacts
    ground: Ground
    now: datetime
    revision: int
    sealed: Mapping[Compartment, int]


@dataclass(frozen=True, slots=True)
class Changing:
    """What is to change.

    Attributes:
        target: the record named by the caller.
        compartments, fields: what is written, for the events.
        others: what else it is about: the new row, and who is given a right.
        defenders: the defenders of the case file are part of what is decided.
        fields_of: of a change that seals the target itself anew, the names of the fields
            that it writes, by compartment.
        reason: why, in words; sealed with the case file on which is decided.
        reason_of: the record with which these words go; None: the target.
    """

    action: Action
    target: tuple[RecordKind, UUID]
    compartments: tuple[Compartment, ...] = ()
    fields: tuple[str, ...] = ()
    others: tuple[tuple[RecordKind, UUID], ...] = ()
    defenders: bool = False
    fields_of: Mapping[Compartment, tuple[str, ...]] = field(default_factory=dict)
    reason: Given | None = None
    reason_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class No:
    """Why not: the error for the caller, the reason and the agencies for the log."""

    error: type[PerisaiError]
    reason: Reason | None
    agencies: tuple[str, ...]


async def change(
    house: House,
    caller: Caller,
    changing: Changing,
    ask: Ask,
    write: Callable[[Connection, Situation, int], Awaitable[T]],
    prepare: Callable[[Situation], Awaitable[None]] | None = None,
) -> T:
    """Do *write* (transaction, situation, index of the intent) if *ask* allows it, twice.

    Args:
        prepare: what may take long and writes no row; done after the intent is durable
            and before any lock is held.

    Raises:
        NotFound, NotAllowed, CaseFileClosed, RecordErased, DefenderMerged: refused; one event,
            nothing written.
        Whatever *prepare* or *write* raises: rolled back, and the outcome says so.
        LogUnavailable: see `recorded`.
    """
    async with house.records.snapshot() as snapshot:
        first = await decide(house, snapshot, caller, changing, ask)
    if isinstance(first, No):
        await house.ledger.append(refused(house, caller, changing, first))
        raise first.error

    async def do(intent: int) -> T:
        if prepare is not None:
            await prepare(first)
        async with house.records.change() as transaction:
            await assignments.lock_case_file(transaction, first.row.id)
            again = await decide(house, transaction, caller, changing, ask)
            if isinstance(again, No):
                raise again.error
            if (again.row.id, again.ground, again.revision, again.sealed) != (
                first.row.id,
                first.ground,
                first.revision,
                first.sealed,
            ):
                # It is allowed for another reason than the one in the log, or another
                # change came between.
                raise StaleRevision
            result = await write(transaction, again, intent)
            if changing.reason is not None:
                await reasons.write(
                    house,
                    transaction,
                    again.row.lead_agency,
                    {
                        "case_file": again.row.id,
                        "record": changing.reason_of or changing.target[1],
                    },
                    caller.member,
                    again.now,
                    intent,
                    changing.reason,
                )
            return result

    return await recorded(house, allowed(house, caller, changing, first), do)


async def decide(
    house: House, connection: Connection, caller: Caller, changing: Changing, ask: Ask
) -> Situation | No:
    """Read and decide on *connection*: the first case file that allows the change."""
    now = house.now()
    who = await rights.caseworker(house, connection, caller)
    kind, record = changing.target
    shape = (
        Shape(Which.OF_DEFENDER, _STATUS, frozenset())
        if kind is RecordKind.DEFENDER
        else Shape(Which.ONE, _STATUS, frozenset() if changing.defenders else None)
    )
    reading = Reading(changing.action, shape, {"id": record})
    rows = await read_rows(house, connection, caller, who, reading, now)
    led_by = LedBy(tuple(sorted({row.lead_agency for row in rows})), False)
    if not rows:
        led_by = await elsewhere.led_by(house, connection, caller, who, changing.target, now)
    agencies = led_by.agencies
    gone = Reason.CONFLICT_OF_INTEREST if led_by.tied else Reason.NOT_IN_REACH
    no = No(NotFound, gone, agencies)
    closed = await closed_files(house, connection, caller.organisation, rows)
    for row in rows:
        facts = facts_of(house, caller, row)
        if not all(counts(n) for n in (row.revision, *(link.revision for link in row.links))):
            continue
        if facts is None or not isinstance(house.gate.see(who, facts), Allowed):
            continue
        if not all(link_holds(house, caller, row, link) for link in row.links):
            continue
        if row.id in closed:
            facts = replace(facts, closed=True)
        verdicts = ask(who, facts)
        refusals = [v.reason for v in verdicts if isinstance(v, Refused)]
        if not refusals and _erased(changing, row):
            no = No(RecordErased, Reason.ERASED, agencies)
        elif not refusals and await _merged(house, connection, caller, changing):
            no = No(DefenderMerged, None, agencies)
        elif not refusals:
            ground = next(v.ground for v in verdicts if isinstance(v, Allowed))
            named = row.links[0].revision if kind is RecordKind.DEFENDER else row.revision
            sealed = await _sealed(connection, changing)
            return Situation(row, facts, ground, now, named, sealed)
        else:
            rests = refusals[0] is Reason.CASE_FILE_CLOSED
            no = No(CaseFileClosed if rests else NotAllowed, refusals[0], agencies)
    return no


async def _sealed(connection: Connection, changing: Changing) -> dict[Compartment, int]:
    """Read which revision each manifest says that the change replaces; 0 where none does."""
    if not changing.fields_of:
        return {}
    record = changing.target[1]
    found = await key_wraps.revisions(connection, record)
    said = {compartment: found.get((record, compartment), 0) for compartment in changing.fields_of}
    return {
        compartment: said[compartment] if counts(said[compartment]) else 0 for compartment in said
    }


def _erased(changing: Changing, row: CaseFileRow) -> bool:
    """Tell whether the record to be changed is erased, and the change none that may follow."""
    if changing.action in ON_ERASED:
        return False
    if changing.target[0] is RecordKind.DEFENDER:
        return any(link.erased for link in row.links)
    return row.erased


async def _merged(house: House, connection: Connection, caller: Caller, changing: Changing) -> bool:
    """Tell whether the defender to be changed was merged into another, as `_erased` does."""
    kind, record = changing.target
    if kind is not RecordKind.DEFENDER or changing.action in ON_MERGED:
        return False
    return await merged.is_duplicate(house, connection, caller.organisation, record)


def refused(house: House, caller: Caller, changing: Changing, no: No) -> Event:
    """Make the event of a change that was refused."""
    touched = Touched(
        Decision.REFUSED,
        None,
        no.reason,
        changing.compartments,
        changing.fields,
        tuple((*record, 0) for record in (changing.target, *changing.others)),
    )
    return event_of(
        house,
        caller,
        changing.action,
        Decision.REFUSED,
        (touched,),
        agencies=no.agencies,
        code=no.error.code,
    )


def allowed(house: House, caller: Caller, changing: Changing, situation: Situation) -> Event:
    """Make the event of a change that was allowed; its target is the first record it names."""
    row = situation.row
    records = [(*changing.target, situation.revision)]
    if changing.target[0] is not RecordKind.CASE_FILE:
        records.append((RecordKind.CASE_FILE, row.id, row.revision))
    named = {(kind, record) for kind, record, _ in records}
    records += [(*record, 0) for record in changing.others if record not in named]
    anew = bool(changing.fields_of)
    touched = [
        Touched(
            Decision.ALLOWED,
            situation.ground,
            None,
            () if anew else changing.compartments,
            () if anew else changing.fields,
            tuple(records),
        )
    ]
    # What is sealed anew is named with the revision that it replaces, which may be older
    # than the record's: `perisai log verify` asks whether that was the newest one.
    touched += [
        Touched(
            Decision.ALLOWED,
            situation.ground,
            None,
            (compartment,),
            names,
            ((*changing.target, situation.sealed[compartment]),),
        )
        for compartment, names in sorted(changing.fields_of.items())
    ]
    given = changing.reason
    if given is not None:
        touched.append(
            Touched(
                Decision.ALLOWED,
                situation.ground,
                None,
                tuple(sorted({f.compartment for f in REASON_FIELDS.values()})),
                tuple(sorted(REASON_FIELDS)),
                ((RecordKind.REASON, given.id, 0),),
            )
        )
    event = event_of(
        house,
        caller,
        changing.action,
        Decision.ALLOWED,
        tuple(touched),
        agencies=tuple(sorted({row.lead_agency, caller.organisation})),
    )
    return event if given is None else replace(event, commitment=given.commitment)
