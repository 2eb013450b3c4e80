"""Decide a whole reading in one pass: facts from proven rows, a verdict per kind of row.

Rows with equal facts share one bundle, so the policy is asked once per kind and
compartment, not per row and field. A bundle also knows which event its rows
belong to and what of them is copied, opened or withheld.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework.asked import Asked, Steps, steps_of
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.recording import event_of
from api.errors import NotFound
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store.case_files import CaseFileRow, Link
from api.store.sealed_fields import NOTE_BODY, SealedField
from api.vocabulary import (
    Action,
    Caller,
    Compartment,
    Decision,
    Reason,
    RecordKind,
)

_log = structlog.get_logger("perisai.deciding")

#: One event names at most this many records; a longer reading is several events.
RECORDS_PER_EVENT = 1000

Record = tuple[RecordKind, UUID, int]

#: What a group of records costs an event beside its records, counted in records: its
#: words may be as long as some records (FORMAT.md of the access log).
GROUP_WEIGHT = 10


@dataclass(slots=True)
class Bundle:
    """What holds alike for all rows with equal facts."""

    assigned: bool
    see: Verdict
    opens: dict[Compartment, Verdict]
    case_file: Steps
    defender: Steps
    case_files: list[Record] = field(default_factory=list)
    defenders: list[Record] = field(default_factory=list)


class Deciding:
    """One pass over the rows of one reading. Feed it rows; then ask for events."""

    def __init__(
        self, house: House, caller: Caller, who: CaseworkerFacts, action: Action, asked: Asked
    ) -> None:
        """*asked* must be the one that belongs to the rows' shape."""
        self._house = house
        self._caller = caller
        self._who = who
        self._action = action
        self._asked = asked
        # Taken with the decisions: the policy may be swapped while the event is written.
        self._policy = house.gate.policy_hash
        self._bundles: dict[CaseFileFacts, Bundle] = {}
        self._broken: list[Record] = []
        self._refused: list[tuple[Record, Reason]] = []
        self._agencies: set[str] = set()
        self._elsewhere: set[str] = set()
        #: Rows that the caller may see, with their bundle and the links that hold.
        self.seen: list[tuple[CaseFileRow, Bundle, list[Link]]] = []
        #: Record and compartment of every key that is to be opened, and no other.
        self.permitted: set[tuple[UUID, Compartment]] = set()

    def feed(self, row: CaseFileRow) -> None:
        """Decide one row."""
        record = (RecordKind.CASE_FILE, row.id, row.revision)
        if not counts(row.revision):
            self._broken.append((RecordKind.CASE_FILE, row.id, 0))
            self._agencies.add(row.lead_agency)
            return
        facts = facts_of(self._house, self._caller, row)
        if facts is None:
            self._broken.append(record)
            self._agencies.add(row.lead_agency)
            return
        bundle = self._bundles.get(facts)
        if bundle is None:
            bundle = self._bundles[facts] = self._decide(facts)
        allowed = type(bundle.see) is Allowed
        if allowed is not bool(row.in_scope):
            # The scope is derived from the same text; where they differ, one is wrong.
            _log.error("scope_and_decision_differ", policy=self._house.gate.policy_hash)
            allowed = False
        if not allowed and row.lead_agency != self._caller.organisation:
            # Named only where nothing else was found: the event of one record must not
            # tell an agency's officers of another agency's record of the same person.
            self._elsewhere.add(row.lead_agency)
            return
        self._agencies.add(row.lead_agency)
        if not allowed:
            reason = bundle.see.reason if type(bundle.see) is Refused else Reason.NOT_IN_REACH
            self._refused.append((record, reason))
            return
        links = []
        for link in row.links:
            if not counts(link.revision):
                self._broken.append((RecordKind.DEFENDER, link.defender, 0))
            elif link_holds(self._house, row, link):
                links.append(link)
            else:
                self._broken.append((RecordKind.DEFENDER, link.defender, link.revision))
        bundle.case_files.append(record)
        self.permitted.update((row.id, c) for c in bundle.case_file.compartments)
        if self._asked.note_bodies and type(bundle.opens[NOTE_BODY.compartment]) is Allowed:
            self.permitted.add((row.id, NOTE_BODY.compartment))
        for link in links:
            bundle.defenders.append((RecordKind.DEFENDER, link.defender, link.revision))
            self.permitted.update((link.defender, c) for c in bundle.defender.compartments)
        self.seen.append((row, bundle, links))

    def _decide(self, facts: CaseFileFacts) -> Bundle:
        gate = self._house.gate
        see = gate.see(self._who, facts)
        opens = {c: gate.open(self._who, c, facts) for c in sorted(self._asked.compartments)}
        return Bundle(
            facts.assigned,
            see,
            opens,
            steps_of(self._asked.case_file, opens),
            steps_of(self._asked.defender, opens),
        )

    def verdicts(self) -> dict[tuple[UUID, Compartment], Verdict]:
        """Give the verdict behind each key that is to be opened, for the permit.

        A defender may be in several case files; one that opens is enough.
        """
        found: dict[tuple[UUID, Compartment], Verdict] = {}
        for row, bundle, links in self.seen:
            for record in (row.id, *(link.defender for link in links)):
                for compartment, verdict in bundle.opens.items():
                    if type(verdict) is Allowed and (record, compartment) in self.permitted:
                        found[record, compartment] = verdict
        return found

    def events(self, target: tuple[RecordKind, UUID] | None) -> list[Event]:
        """Say what was decided: at least one event, each with at most 1,000 records.

        Args:
            target: the one record that was asked for, if one was. Where nothing is
                seen the event names it alone and in the same words whether it is not
                there or not in reach: the log of one agency may not tell either.
        """
        if target is not None and not self.seen:
            gone = Touched(Decision.WITHHELD, None, Reason.NOT_IN_REACH, (), (), ((*target, 0),))
            return [self._event((gone,), refused=True)]
        touched = [
            *(t for bundle in self._bundles.values() for t in self._touched(bundle)),
            *_withheld(self._refused),
            *_withheld([(record, Reason.SEAL_BROKEN) for record in self._broken]),
        ]
        return [self._event(chunk, refused=False) for chunk in _chunks(touched)]

    def _event(self, touched: tuple[Touched, ...], refused: bool) -> Event:
        return event_of(
            self._house,
            self._caller,
            self._action,
            Decision.WITHHELD if refused else Decision.DISCLOSED,
            touched,
            agencies=tuple(sorted(self._agencies | self._elsewhere if refused else self._agencies)),
            code=NotFound.code if refused else None,
            policy=self._policy,
        )

    def _touched(self, bundle: Bundle) -> Iterator[Touched]:
        if type(bundle.see) is not Allowed or not bundle.case_files:
            return
        yield Touched(Decision.DISCLOSED, bundle.see.ground, None, (), (), tuple(bundle.case_files))
        notes = (NOTE_BODY,) if self._asked.note_bodies else ()
        for cells, extra, records in (
            (self._asked.case_file, notes, bundle.case_files),
            (self._asked.defender, (), bundle.defenders),
        ):
            sealed = [c.sealed for c in cells if c.sealed] + list(extra)
            by_verdict: dict[Verdict, list[SealedField]] = {}
            for one in sealed:
                by_verdict.setdefault(bundle.opens[one.compartment], []).append(one)
            for verdict, fields in by_verdict.items():
                if records:
                    yield Touched(
                        Decision.DISCLOSED if type(verdict) is Allowed else Decision.WITHHELD,
                        verdict.ground if type(verdict) is Allowed else None,
                        verdict.reason if type(verdict) is Refused else None,
                        tuple(sorted({f.compartment for f in fields})),
                        tuple(sorted(f.name for f in fields)),
                        tuple(records),
                    )


def _withheld(refused: Sequence[tuple[Record, Reason]]) -> Iterator[Touched]:
    by_reason: dict[Reason, list[Record]] = {}
    for record, reason in refused:
        by_reason.setdefault(reason, []).append(record)
    for reason, records in by_reason.items():
        yield Touched(Decision.WITHHELD, None, reason, (), (), tuple(records))


def _chunks(touched: Sequence[Touched]) -> Iterator[tuple[Touched, ...]]:
    """Cut so that no event weighs more than RECORDS_PER_EVENT records: a leaf is bounded."""
    chunk: list[Touched] = []
    room = RECORDS_PER_EVENT
    for one in touched:
        records = one.records
        room -= GROUP_WEIGHT
        if chunk and room < 1:
            yield tuple(chunk)
            chunk, room = [], RECORDS_PER_EVENT - GROUP_WEIGHT
        while len(records) > room:
            chunk.append(_with(one, records[:room]))
            records = records[room:]
            yield tuple(chunk)
            chunk, room = [], RECORDS_PER_EVENT - GROUP_WEIGHT
        if records:
            chunk.append(_with(one, records))
            room -= len(records)
    if chunk or not touched:
        yield tuple(chunk)


def _with(one: Touched, records: tuple[Record, ...]) -> Touched:
    if len(records) == len(one.records):
        return one
    return Touched(one.decision, one.ground, one.reason, one.compartments, one.fields, records)
