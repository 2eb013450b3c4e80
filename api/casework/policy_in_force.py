"""Which policy is in force: the newest adopted one that its signatures prove, else the shipped.

A process looks when it starts, and again in the snapshot of every request. What is wrong
with a row keeps the policy that the process has, and is reported: nobody gets a policy by
writing to the database, and none back by taking a row away.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from api.accesslog.reader import LogReader
from api.casework import policy_change
from api.casework.house import House
from api.casework.policy_bundle import Bundle, Signed, Signers, open_signed
from api.casework.policy_change import Adopted, Change
from api.database import Connection, Records
from api.errors import NoteInvalid, PolicyRefused
from api.policies.engine import Policy, hash_of, shipped_texts
from api.store import policy
from api.store.policy import PolicyRow, Standing

_log = structlog.get_logger("perisai.policy")


class PolicyFault(StrEnum):
    """What is wrong with what stands in the table."""

    CHANGED = "changed"
    DOES_NOT_LOAD = "does_not_load"
    NOT_NEXT = "not_next"
    NOT_SIGNED = "not_signed"
    TAKEN_AWAY = "taken_away"


@dataclass(frozen=True, slots=True)
class Proven:
    """A row that an author and an approver signed."""

    row: PolicyRow
    signed: Signed
    texts: Mapping[str, str]

    @property
    def hash(self) -> str:
        """Of the policy."""
        return self.signed.statement.policy

    @property
    def replaces(self) -> str:
        """The hash of the policy before it."""
        return self.signed.statement.replaces


def shipped_hash() -> str:
    """Give the hash of the policy that stands while none was adopted."""
    return hash_of(shipped_texts())


def proven(row: PolicyRow, signers: Signers) -> Proven:
    """Check the signatures of one row, and that they are over all of it.

    Raises:
        NoteInvalid: they do not hold.
    """
    bundle = Bundle.of_row(row.note, row.texts)
    signed = open_signed(bundle.note, signers)
    if signed.statement.number != row.number:
        raise NoteInvalid
    return Proven(row, signed, bundle.texts)


def all_proven(
    rows: Sequence[PolicyRow], signers: Signers, adopted: Adopted | None
) -> tuple[list[Proven], list[tuple[PolicyFault, int]]]:
    """Give the rows that count, in order, and what is wrong with which others.

    Up to what the log says was *adopted*, one that follows a row which is not there any more
    counts. Beyond that each stands in its place: next to the one that it replaces, the first
    one to the shipped policy. So a process that starts has what one that runs would take.
    """
    known = 0 if adopted is None else adopted.number
    found: list[Proven] = []
    faults: list[tuple[PolicyFault, int]] = []
    for row in rows:
        try:
            one = proven(row, signers)
        except NoteInvalid:
            faults.append((PolicyFault.NOT_SIGNED, row.number))
            continue
        number, before = (found[-1].row.number, found[-1].hash) if found else (0, shipped_hash())
        follows = (row.number, one.replaces) == (number + 1, before)
        gap = row.number <= known and (not found or number < row.number - 1)
        if not (follows or gap):
            faults.append((PolicyFault.NOT_NEXT, row.number))
            continue
        found.append(one)
    return found, faults


class PolicyInForce:
    """Keeps one process at the policy in force.

    Attributes:
        number: of the policy that the process has; 0: the one that is shipped.
        signed: who signed it; None: the one that is shipped.
        fault: what is wrong with what stands in the table, as requests saw it.
        fault_at: the number of that row.
    """

    def __init__(self, signers: Signers, policy_hash: str, standing: Proven | None) -> None:
        """Follow from *standing* on, whose policy the gate has; None: the shipped one."""
        self._signers = signers
        self._lock = asyncio.Lock()
        self._told: set[tuple[PolicyFault, int]] = set()
        self.fault: PolicyFault | None = None
        self.fault_at = 0
        self.number, self.signed = 0, None if standing is None else standing.signed
        self._hash, self._row = policy_hash, None if standing is None else standing.row
        if standing is not None:
            self.number = standing.row.number
        #: What was last looked at.
        self._seen = Standing(None if standing is None else standing.row.note, None)

    @classmethod
    async def start(
        cls, records: Records, log: LogReader, signers: Signers
    ) -> tuple["PolicyInForce", Policy]:
        """Load the newest adopted policy that is signed and loads, else the shipped one.

        Raises:
            PolicyRefused: the log says that another was adopted, and it cannot be had here:
                to serve an older one could give back what was taken away.
            LogUnavailable, StoreUnavailable: it cannot be asked for.
        """
        async with records.snapshot() as snapshot:
            rows = await policy.since(snapshot, 0)
        adopted = await policy_change.adopted(log)
        known, faults = all_proven(rows, signers, adopted)
        loaded: Policy | None = None
        while known and loaded is None:
            try:
                loaded = Policy.load(known[-1].texts)
            except PolicyRefused:
                faults.append((PolicyFault.DOES_NOT_LOAD, known.pop().row.number))
        if adopted is not None and (adopted.number, adopted.policy) not in {
            (one.row.number, one.hash) for one in known
        }:
            raise PolicyRefused(
                f"The access log says that policy {adopted.policy} was adopted as number "
                f"{adopted.number}. The records do not hold it, or it is not signed by persons "
                "of `policy_authors` and `policy_approvers`, or it does not load. See "
                "docs/policies.md, `When the policy in force cannot be had`."
            )
        standing = known[-1] if known else None
        loaded = loaded or Policy.shipped()
        following = cls(signers, loaded.hash, standing)
        for fault, number in faults:
            following._report(fault, number)
        return following, loaded

    async def follow(
        self, house: House, connection: Connection, held: int, standing: Standing
    ) -> None:
        """Take over what was adopted since, by what a request sees on *connection*.

        One request at a time does it, and the others wait. Where all is as it was, nothing
        is done and nothing read.

        Args:
            held: the number for which *standing* was asked.

        Raises:
            LogUnavailable: the log cannot be told, so the old policy stays for now.
        """
        if held == self.number and standing == self._seen:
            return
        async with self._lock:
            if held != self.number:
                standing = await policy.standing(connection, self.number)
                if standing.note is None:
                    return  # A snapshot from before the change, which tells nothing of now.
            if standing == self._seen:
                return
            fault, note = self._fault_of_own(standing), standing.note
            at = self.number
            refused = None
            if standing.following is not None:
                for row in await policy.since(connection, self.number + 1):
                    fault = await self._take(house, connection, row)
                    if fault is not None:
                        refused, at = row, row.number
                        self._report(fault, row.number)
                        break
                    note = row.note
            self.fault, self.fault_at = fault, at
            self._seen = Standing(note, None if refused is None else refused.note)
            if fault is None:
                self._told.clear()

    async def look(self, records: Records) -> PolicyFault | None:
        """Tell what is wrong with the rows from the one in force on, read whole.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        number, own = self.number, self._row
        async with records.snapshot() as snapshot:
            rows = await policy.since(snapshot, max(number, 1))
        fault, at = self.fault, self.fault_at
        if own is not None and own not in rows[:1]:
            there = [row.number for row in rows[:1]] == [number]
            fault, at = PolicyFault.CHANGED if there else PolicyFault.TAKEN_AWAY, number
        for row in rows:
            if fault is None and row != own:
                at = row.number
                try:
                    proven(row, self._signers)
                except NoteInvalid:
                    fault = PolicyFault.NOT_SIGNED
        if fault is not None:
            self._report(fault, at)
        return fault

    def _fault_of_own(self, standing: Standing) -> PolicyFault | None:
        own = None if self._row is None else self._row.note
        if standing.note == own:
            return None
        fault = PolicyFault.TAKEN_AWAY if standing.note is None else PolicyFault.CHANGED
        self._report(fault, self.number)
        return fault

    async def _take(
        self, house: House, connection: Connection, row: PolicyRow
    ) -> PolicyFault | None:
        """Put the policy of *row* in force, or say what is wrong with it."""
        try:
            one = proven(row, self._signers)
        except NoteInvalid:
            return PolicyFault.NOT_SIGNED
        if row.number != self.number + 1 or one.replaces != self._hash:
            return PolicyFault.NOT_NEXT
        try:
            loaded = await asyncio.to_thread(Policy.load, one.texts)
        except PolicyRefused:
            return PolicyFault.DOES_NOT_LOAD
        change = Change(self._hash, loaded.hash, one.signed.words)
        await policy_change.tell(house, connection, change, request="policy")
        house.gate.adopt(loaded)
        self.number, self.signed = row.number, one.signed
        self._hash, self._row = loaded.hash, row
        _log.info("policy_adopted", policy=loaded.hash, number=row.number)
        return None

    def _report(self, fault: PolicyFault, number: int) -> None:
        if (fault, number) not in self._told:
            self._told.add((fault, number))
            _log.critical("policy_fault", fault=fault.value, number=number, policy=self._hash)
