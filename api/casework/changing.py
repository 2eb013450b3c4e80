"""The one way of a change: decide, append the intent, lock, decide again, write, append.

The intent is durable before a row changes, and every row that grants something
carries its index. A change without an outcome is unfinished business that the
log itself shows. What is refused leaves one event and no row.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework import rights
from api.casework.disclosure import Reading, read_rows
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.recording import event_of, recorded
from api.database import Connection
from api.errors import NotAllowed, NotFound, StaleRevision
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import assignments
from api.store.case_file_statements import Shape, Which
from api.store.case_files import CaseFileRow
from api.vocabulary import Action, Caller, Compartment, Decision, Ground, Reason, RecordKind

T = TypeVar("T")

#: What must all be allowed for a change, given the facts about one case file.
Ask = Callable[[CaseworkerFacts, CaseFileFacts], Sequence[Verdict]]


@dataclass(frozen=True, slots=True)
class Situation:
    """The case file on which a change rests, as it was when it was decided."""

    row: CaseFileRow
    ground: Ground
    now: datetime


@dataclass(frozen=True, slots=True)
class Changing:
    """What is to change.

    Attributes:
        target: the record named by the caller.
        compartments, fields: what is written, for the events.
        others: what else it is about: the new row, and who is given a right.
    """

    action: Action
    target: tuple[RecordKind, UUID]
    compartments: tuple[Compartment, ...] = ()
    fields: tuple[str, ...] = ()
    others: tuple[tuple[RecordKind, UUID], ...] = ()


@dataclass(frozen=True, slots=True)
class _No:
    """Why not: the error for the caller, the reason and the agencies for the log."""

    error: type[NotFound] | type[NotAllowed]
    reason: Reason
    agencies: tuple[str, ...]


async def change(
    house: House,
    caller: Caller,
    changing: Changing,
    ask: Ask,
    write: Callable[[Connection, Situation, int], Awaitable[T]],
) -> T:
    """Do *write* (transaction, situation, index of the intent) if *ask* allows it, twice.

    Raises:
        NotFound, NotAllowed: refused; one event, nothing written.
        Whatever *write* raises: rolled back, and the outcome says so.
        LogUnavailable: see `recorded`.
    """
    async with house.records.snapshot() as snapshot:
        first = await _decide(house, snapshot, caller, changing, ask)
    if isinstance(first, _No):
        await house.ledger.append(_refused(house, caller, changing, first))
        raise first.error

    async def do(intent: int) -> T:
        async with house.records.change() as transaction:
            await assignments.lock_case_file(transaction, first.row.id)
            again = await _decide(house, transaction, caller, changing, ask)
            if isinstance(again, _No):
                raise again.error
            if (again.row.id, again.ground) != (first.row.id, first.ground):
                # It is allowed for another reason than the one in the log.
                raise StaleRevision
            return await write(transaction, again, intent)

    return await recorded(house, _allowed(house, caller, changing, first), do)


async def _decide(
    house: House, connection: Connection, caller: Caller, changing: Changing, ask: Ask
) -> Situation | _No:
    """Read and decide on *connection*: the first case file that allows the change."""
    now = house.now()
    who = await rights.caseworker(house, connection, caller)
    kind, record = changing.target
    shape = (
        Shape(Which.OF_DEFENDER, frozenset(), frozenset())
        if kind is RecordKind.DEFENDER
        else Shape(Which.ONE, frozenset(), None)
    )
    reading = Reading(changing.action, shape, {"id": record})
    rows = await read_rows(house, connection, caller, who, reading, now)
    agencies = tuple(sorted({row.lead_agency for row in rows}))
    no = _No(NotFound, Reason.NOT_IN_REACH, agencies)
    for row in rows:
        facts = facts_of(house, caller, row)
        if not all(counts(n) for n in (row.revision, *(link.revision for link in row.links))):
            continue
        if facts is None or not isinstance(house.gate.see(who, facts), Allowed):
            continue
        if not all(link_holds(house, row, link) for link in row.links):
            continue
        verdicts = ask(who, facts)
        refusals = [v.reason for v in verdicts if isinstance(v, Refused)]
        if not refusals:
            return Situation(row, next(v.ground for v in verdicts if isinstance(v, Allowed)), now)
        no = _No(NotAllowed, refusals[0], agencies)
    return no


def _refused(house: House, caller: Caller, changing: Changing, no: _No) -> Event:
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


def _allowed(house: House, caller: Caller, changing: Changing, situation: Situation) -> Event:
    row = situation.row
    revision = row.links[0].revision if row.links else row.revision
    records = [(*changing.target, revision)]
    if changing.target[0] is not RecordKind.CASE_FILE:
        records.append((RecordKind.CASE_FILE, row.id, row.revision))
    records += [(*record, 0) for record in changing.others]
    touched = Touched(
        Decision.ALLOWED,
        situation.ground,
        None,
        changing.compartments,
        changing.fields,
        tuple(records),
    )
    return event_of(
        house,
        caller,
        changing.action,
        Decision.ALLOWED,
        (touched,),
        agencies=(row.lead_agency,),
    )
