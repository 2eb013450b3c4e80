"""Decide a whole reading in one pass: facts from proven rows, a verdict per kind of row.

Rows with equal facts share one bundle, so the policy is asked once per kind and
compartment, not per row and field. A bundle also knows which event its rows
belong to and what of them is copied, opened or withheld.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework import rights
from api.casework.house import House
from api.casework.recording import event_of
from api.casework.views import HOW_TO_ASK, Withheld
from api.errors import NotFound
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store.case_file_statements import (
    CASE_FILE_PLAIN,
    DEFENDER_PLAIN,
    Shape,
    case_file_names,
    defender_names,
)
from api.store.case_files import CaseFileRow, Link
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS, NOTE_BODY, SealedField
from api.store.tables import RIGHTS
from api.vocabulary import (
    Action,
    Caller,
    Compartment,
    Decision,
    Reason,
    RecordKind,
    Sensitivity,
)

_log = structlog.get_logger("perisai.deciding")

#: One event names at most this many records; a longer reading is several events.
RECORDS_PER_EVENT = 1000

Record = tuple[RecordKind, UUID, int]

_MEMBER = RIGHTS["assignment"].index("member")

#: What a group of records costs an event beside its records, counted in records: its
#: words may be as long as some records (FORMAT.md of the access log).
GROUP_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """One asked column: its position in the row, its attribute, and its seal if it has one."""

    position: int
    attribute: str
    sealed: SealedField | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What is copied, opened and withheld, alike for all rows of a bundle."""

    plain: tuple[Cell, ...]
    opened: tuple[tuple[Cell, SealedField], ...]
    withheld: list[Withheld]
    compartments: frozenset[Compartment]


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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reading asks for, worked out once per shape."""

    case_file: tuple[Cell, ...]
    defender: tuple[Cell, ...]
    note_bodies: bool

    @property
    def compartments(self) -> frozenset[Compartment]:
        """Every compartment that the reading needs."""
        sealed = [c.sealed.compartment for c in (*self.case_file, *self.defender) if c.sealed]
        return frozenset([*sealed, *([NOTE_BODY.compartment] if self.note_bodies else [])])


def asked_of(shape: Shape, note_bodies: bool) -> Asked:
    """Work out the cells of *shape*, in the order in which the store gives them."""
    return Asked(
        tuple(
            Cell(i, CASE_FILE_PLAIN.get(n) or CASE_FILE_FIELDS[n].column, CASE_FILE_FIELDS.get(n))
            for i, n in enumerate(case_file_names(shape.case_file))
        ),
        tuple(
            Cell(i, DEFENDER_PLAIN.get(n) or DEFENDER_FIELDS[n].column, DEFENDER_FIELDS.get(n))
            for i, n in enumerate(defender_names(shape.defender or frozenset()))
        ),
        note_bodies,
    )


def facts_of(house: House, caller: Caller, row: CaseFileRow) -> CaseFileFacts | None:
    """Build the facts about one case file for one caller, from rows whose seals hold.

    None: the row of the case file itself is not as its agency sealed it.
    """
    lead = row.lead_agency
    values = (row.id, lead, row.sensitivity, row.event)
    if lead != caller.organisation:
        # The policy gives no ground outside the lead agency, so these facts can only
        # lead to a refusal; the other agency's seals are not looked at, so that how
        # many there are cannot be told from the time it takes.
        return _facts(lead, int(Sensitivity.EXTREME), False, False)
    if not rights.holds(house, lead, "case_file", values, row.seal):
        return None
    assigned = supervising = False
    for cells in row.assignments:
        if not rights.holds(house, lead, "assignment", cells[:-1], cells[-1]):
            continue
        if cells[_MEMBER] == caller.member:
            assigned = True
        else:
            supervising = True
    return _facts(lead, row.sensitivity, assigned, supervising)


#: Facts are checked when they are made; there are few different ones. Typed, since
#: True is not 1.
_facts = lru_cache(maxsize=1024, typed=True)(CaseFileFacts)


def counts(revision: object) -> bool:
    """Tell whether it is a revision; one that was forged must not keep an event from the log."""
    return type(revision) is int and revision >= 0


def link_holds(house: House, row: CaseFileRow, link: Link) -> bool:
    """Tell whether the agency itself put this defender into this case file."""
    return rights.holds(house, row.lead_agency, "case_file_defender", link.seal_values, link.seal)


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
            _steps(self._asked.case_file, opens),
            _steps(self._asked.defender, opens),
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


def _steps(cells: Sequence[Cell], opens: dict[Compartment, Verdict]) -> Steps:
    withheld = []
    opened = []
    for cell in cells:
        if cell.sealed is None:
            continue
        verdict = opens[cell.sealed.compartment]
        if type(verdict) is Refused:
            withheld.append(withheld_field(cell.sealed, verdict.reason))
        else:
            opened.append((cell, cell.sealed))
    return Steps(
        tuple(c for c in cells if c.sealed is None),
        tuple(opened),
        withheld,
        frozenset(sealed.compartment for _, sealed in opened),
    )


def withheld_field(sealed: SealedField, reason: Reason) -> Withheld:
    """Say that *sealed* was withheld, why, and what to do."""
    return Withheld(sealed.name, sealed.compartment, reason, HOW_TO_ASK[reason])


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
