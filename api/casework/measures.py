"""Measures: one requests, another approves, and who works on the case file starts and ends it.

Each agency runs measures of its own, on what it leads and on what was referred to it. What
may not stand in clear is sealed under a key of the measure's own, which only the agency
that provides it holds: its own people need it after a referral has ended, too, and no other
agency needs to know where a house is.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, values
from api.casework.break_glass_proofs import Proofs, sealed
from api.casework.changing import Ask, Changing, Situation, change
from api.casework.house import House
from api.casework.protection_state import begin_of, end_of, status_of
from api.code_lists import CodeLists
from api.crypto.data_keys import WrappedKey
from api.database import Connection
from api.errors import (
    NotFound,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    StepNotPossible,
    ValueInvalid,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import emergencies, key_wraps
from api.store import measures as rows
from api.store.measures import Row
from api.store.sealed_fields import MEASURE_FIELDS
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    Compartment,
    MeasureStatus,
    RecordKind,
)

#: How far ahead a measure begins at the most, and how long it lasts: then it is asked for anew.
AHEAD_MOST = timedelta(days=366)

#: Rupiah in decimal digits: more than any budget.
_COST = re.compile(r"[0-9]{1,15}")

#: What is written of a measure and sealed, by column.
_SEALED = ("trueKind", "provider", "cost")


@dataclass(frozen=True, slots=True)
class NewMeasure:
    """A measure as it was typed.

    Attributes:
        kind: a code of the list measure_kinds, the true one.
        provider: who gives it, or where; sealed.
        cost: rupiah, in decimal digits; sealed.
        ends_on: its last day, after which it is over by itself.
    """

    kind: str
    provider: str | None = field(repr=False)
    cost: str | None = field(repr=False)
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Checked:
    """The same, checked and parted.

    Attributes:
        clear: the kind as it may stand in clear.
        compartment: in which the rest is sealed. It follows from the kind in clear alone:
            which keys a record has is no secret, and must not tell a safe house.
    """

    clear: str
    compartment: Compartment
    true_kind: str = field(repr=False)
    provider: str | None = field(repr=False)
    cost: str | None = field(repr=False)
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a measure stands after a step."""

    id: UUID
    revision: int
    status: MeasureStatus


def check(codes: CodeLists, given: NewMeasure, today: date) -> Checked:
    """Check what was typed.

    Raises:
        ValueInvalid: no such kind, a cost that is no number, or days that are over, in the
            wrong order or further away than AHEAD_MOST.
    """
    if not codes.has("measure_kinds", given.kind):
        raise ValueInvalid
    clear = codes.entry("measure_kinds", given.kind).clear_as
    if clear is None:
        raise ValueInvalid
    if given.cost is not None and not _COST.fullmatch(given.cost):
        raise ValueInvalid
    if not today <= given.starts_on <= today + AHEAD_MOST:
        raise ValueInvalid
    if not given.starts_on <= given.ends_on <= given.starts_on + AHEAD_MOST:
        raise ValueInvalid
    return Checked(
        clear,
        Compartment(codes.entry("measure_kinds", clear).details_in),
        given.kind,
        None if given.provider is None else values.line(given.provider),
        given.cost,
        given.starts_on,
        given.ends_on,
    )


@dataclass(slots=True)
class Making:
    """A measure on its way: its key is made before any lock is held."""

    id: UUID
    checked: Checked
    columns: Row = field(default_factory=dict, repr=False)
    wraps: list[WrappedKey] = field(default_factory=list, repr=False)

    async def prepare(self, house: House, agency: str) -> None:
        """Make its key and seal what is sealed of it."""
        given = self.checked
        key, wrap = await resealing.new_row_key(house, agency, self.id, given.compartment)
        fields = MEASURE_FIELDS[given.compartment]
        plain = {"trueKind": given.true_kind, "provider": given.provider, "cost": given.cost}
        self.wraps.append(wrap)
        self.columns |= resealing.seal_row(key, self.id, {fields[n]: plain[n] for n in _SEALED})

    async def insert(
        self,
        house: House,
        transaction: Connection,
        caller: Caller,
        situation: Situation,
        intent: int,
        emergency: UUID | None = None,
    ) -> None:
        """Insert it as requested by the caller, with its key."""
        row: Row = {
            "id": self.id,
            "case_file": situation.row.id,
            "agency": caller.organisation,
            "kind": self.checked.clear,
            "emergency": emergency,
            "requested_by": caller.member,
            "requested_at": situation.now,
            "approved_by": None,
            "approved_at": None,
            "started_at": None,
            "ended_by": None,
            "ended_at": None,
            "starts_on": self.checked.starts_on,
            "ends_on": self.checked.ends_on,
            "due_at": begin_of(self.checked.starts_on),
            "revision": resealing.FIRST_REVISION,
            "event": intent,
            **self.columns,
        }
        await rows.insert_row(transaction, sealed(house, "measure", row))
        await key_wraps.insert_wraps(transaction, self.wraps)


async def request_measure(
    house: House, caller: Caller, case_file_id: CaseFileId, given: NewMeasure
) -> Stands:
    """Request a measure of the own agency; who writes what is sealed need not open it.

    Raises:
        NotFound, NotAllowed, RecordErased: see `change`.
        ValueInvalid: see `check`; nothing logged.
    """
    making = Making(uuid7(), check(house.codes, given, house.now().date()))
    changing = Changing(
        Action.REQUEST_MEASURE,
        (RecordKind.CASE_FILE, case_file_id),
        (making.checked.compartment,),
        tuple(sorted(_SEALED)),
        ((RecordKind.MEASURE, making.id),),
    )

    async def prepare(_situation: Situation) -> None:
        await making.prepare(house, caller.organisation)

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stands:
        await making.insert(house, transaction, caller, situation, intent)
        return Stands(making.id, resealing.FIRST_REVISION, MeasureStatus.REQUESTED)

    return await change(
        house, caller, changing, _asking(house, Action.REQUEST_MEASURE), write, prepare
    )


async def approve_measure(house: House, caller: Caller, measure_id: UUID, revision: int) -> Stands:
    """Approve what a colleague requested.

    Raises:
        NotFound: none of the caller's agency; or see `change`.
        NotAllowed, RecordErased: see `change`.
        StaleRevision: somebody else changed it first.
        StepNotPossible: it was approved or ended; or it was granted in an emergency.
        SecondPersonNeeded: the caller requested it.
        SealBroken: it is not as its agency sealed it.
    """

    async def write(row: Row, status: MeasureStatus, situation: Situation) -> Row:
        if row["emergency"] is not None or status is not MeasureStatus.REQUESTED:
            raise StepNotPossible
        if row["requested_by"] == caller.member:
            raise SecondPersonNeeded
        return {"approved_by": caller.member, "approved_at": situation.now}

    return await _step(house, caller, Action.APPROVE_MEASURE, (measure_id, revision), write)


async def start_measure(house: House, caller: Caller, measure_id: UUID, revision: int) -> Stands:
    """Say that an approved measure has begun; the case file says that one of its kind was given.

    Raises:
        StepNotPossible: it is not approved, has begun or ended, or its first day is to come.
        As `approve_measure`.
    """

    async def write(row: Row, status: MeasureStatus, situation: Situation) -> Row:
        early = situation.now < begin_of(row["starts_on"])
        if status is not MeasureStatus.APPROVED or early:
            raise StepNotPossible
        return {"started_at": situation.now, "due_at": end_of(row["ends_on"])}

    return await _step(house, caller, Action.START_MEASURE, (measure_id, revision), write)


async def end_measure(house: House, caller: Caller, measure_id: UUID, revision: int) -> Stands:
    """End a measure before its last day, begun or not.

    Raises:
        StepNotPossible: it is over.
        As `approve_measure`.
    """

    async def write(_row: Row, status: MeasureStatus, situation: Situation) -> Row:
        if status is MeasureStatus.ENDED:
            raise StepNotPossible
        return {"ended_by": caller.member, "ended_at": situation.now}

    return await _step(house, caller, Action.END_MEASURE, (measure_id, revision), write)


async def _step(
    house: House,
    caller: Caller,
    action: Action,
    which: tuple[UUID, int],
    step: Callable[[Row, MeasureStatus, Situation], Awaitable[dict[str, Any]]],
) -> Stands:
    measure_id, revision = which
    async with house.records.snapshot() as snapshot:
        found = await rows.of_agency(snapshot, measure_id, caller.organisation)
    # What is not there names a case file that is not there either.
    file = measure_id if found is None else found["case_file"]
    changing = Changing(
        action, (RecordKind.CASE_FILE, file), others=((RecordKind.MEASURE, measure_id),)
    )

    async def write(transaction: Connection, situation: Situation, intent: int) -> Stands:
        row = await rows.of_agency(transaction, measure_id, caller.organisation)
        if row is None or row["case_file"] != situation.row.id:
            raise NotFound
        proofs = Proofs(house, transaction, caller.organisation)
        if not await proofs.holds("measure", row):
            raise SealBroken
        if row["revision"] != revision:
            raise StaleRevision(row["revision"])
        emergency = await _emergency_of(proofs, transaction, row)
        status = status_of(row, emergency, situation.now)
        row |= await step(row, status, situation)
        row |= {"revision": revision + 1, "event": intent}
        await rows.renew(transaction, sealed(house, "measure", row))
        # Of another agency's measure the other agencies read nothing.
        if action is Action.START_MEASURE and row["agency"] == situation.row.lead_agency:
            await rows.count_kinds(transaction, situation.row.id, {row["kind"]})
        return Stands(measure_id, row["revision"], status_of(row, emergency, situation.now))

    return await change(house, caller, changing, _asking(house, action), write)


async def _emergency_of(proofs: Proofs, transaction: Connection, row: Row) -> Row | None:
    """Give the emergency protection that *row* names, if it holds."""
    if row["emergency"] is None:
        return None
    emergency = await emergencies.of_agency(transaction, row["emergency"], row["agency"])
    if emergency is None or not await proofs.holds("emergency_protection", emergency):
        return None
    return emergency


def _asking(house: House, action: Action) -> Ask:
    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    return ask
