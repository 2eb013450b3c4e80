"""What protects the people of one case file, read and proven, and shown once it may be.

A row counts as the agency sealed or signed it that it names. Each agency sees its own rows
and those of the agency that leads the case file, which sees everybody's; the plan is joint.
What is sealed of a measure opens in the agency that provides it, and nowhere else. Nothing
is opened here: `disclosure` hands in what opens a value, after the event.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from api.accesslog.event import Touched
from api.casework.asked import withheld_field
from api.casework.break_glass_proofs import Proofs
from api.casework.chunks import Record
from api.casework.facts import as_own
from api.casework.house import House
from api.casework.protection_state import Row, ended_at, state_of, status_of
from api.casework.protection_views import (
    EmergencyView,
    MeasureView,
    PlanStepView,
    RequirementView,
)
from api.casework.views import CaseFileView, Withheld
from api.crypto.sealed import Sealed
from api.database import Connection
from api.errors import SealBroken
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store import emergencies, measures, plan_steps
from api.store.case_files import CaseFileRow
from api.store.sealed_fields import EMERGENCY_WORDS, MEASURE_FIELDS, PLAN_STEP_WHAT, SealedField
from api.vocabulary import (
    Caller,
    Compartment,
    Decision,
    EmergencyGround,
    Ground,
    Reason,
    RecordKind,
)

_log = structlog.get_logger("perisai.protections")

#: Opens one value: its field, its record, its row, the sealed value. Raises SealBroken.
Opening = Callable[[SealedField, UUID, UUID, Sealed], Any]

_NOT_HELD = Refused(Reason.COMPARTMENT_NOT_HELD)
_ERASED = Refused(Reason.ERASED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None: it is not.

    Attributes:
        measures, emergencies, plan: names of the fields asked of these.
    """

    measures: frozenset[str] | None = None
    emergencies: frozenset[str] | None = None
    plan: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Cell:
    """One sealed value that is asked for: where it stands, and whether it opens."""

    sealed: SealedField
    kind: RecordKind
    record: UUID  # whose key it is under
    row: UUID
    value: Sealed
    verdict: Verdict


@dataclass(slots=True)
class Protections:
    """The rows that are shown, with what is asked of them that is sealed."""

    measures: list[MeasureView] = field(default_factory=list)
    emergencies: list[EmergencyView] = field(default_factory=list)
    plan: list[PlanStepView] = field(default_factory=list)
    cells: list[_Cell] = field(default_factory=list)

    @property
    def verdicts(self) -> dict[tuple[UUID, Compartment], Verdict]:
        """Give the verdict behind each key that is to be opened."""
        return {
            (cell.record, cell.sealed.compartment): cell.verdict
            for cell in self.cells
            if type(cell.verdict) is Allowed
        }

    def touched(self, unlocked: Sequence[Record]) -> Iterator[Touched]:
        """Say for the event what is opened and what is withheld, and of which rows.

        Args:
            unlocked: what the caller broke glass for; what that opens names it.
        """
        groups: dict[tuple[Verdict, Compartment], tuple[set[str], dict[Record, None]]] = {}
        for cell in self.cells:
            names, records = groups.setdefault((cell.verdict, cell.sealed.compartment), (set(), {}))
            names.add(cell.sealed.name)
            records[cell.kind, cell.record, 0] = None
        for (verdict, compartment), (names, records) in groups.items():
            ground = verdict.ground if isinstance(verdict, Allowed) else None
            broke = unlocked if ground is Ground.BREAK_GLASS else ()
            yield Touched(
                Decision.DISCLOSED if ground is not None else Decision.WITHHELD,
                ground,
                verdict.reason if isinstance(verdict, Refused) else None,
                (compartment,),
                tuple(sorted(names)),
                (*broke, *records),
            )


async def protections_of(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    file: CaseFileRow,
    facts: CaseFileFacts,
    wanted: Wanted,
    now: datetime,
) -> Protections:
    """Read what is asked for of the one case file that the caller sees, and decide on it."""
    reading = _Reading(house, snapshot, caller, who, file, facts, now)
    found = Protections()
    emergency_rows = []
    if wanted.measures is not None or wanted.emergencies is not None:
        rows = await emergencies.of_case_file(snapshot, file.id)
        emergency_rows = [r for r in rows if await reading.counts("emergency_protection", r)]
    if wanted.emergencies is not None:
        await reading.emergencies(found, emergency_rows, "words" in wanted.emergencies)
    if wanted.measures is not None:
        by_id = {row["id"]: row for row in emergency_rows}
        await reading.measures(found, by_id, wanted.measures)
    if wanted.plan is not None:
        await reading.plan(found, "what" in wanted.plan)
    return found


class _Reading:
    """One reading of one case file, for one caller."""

    def __init__(
        self,
        house: House,
        snapshot: Connection,
        caller: Caller,
        who: CaseworkerFacts,
        file: CaseFileRow,
        facts: CaseFileFacts,
        now: datetime,
    ) -> None:
        self._house, self._snapshot, self._now = house, snapshot, now
        self._agency, self._who, self._file, self._facts = caller.organisation, who, file, facts
        self._proofs = Proofs(house, snapshot, caller.organisation)

    async def counts(self, table: str, row: Row, *, joint: bool = False) -> bool:
        """Tell whether *row* is the caller's to see, and as its agency sealed or signed it.

        Args:
            joint: it is everybody's who sees the case file.
        """
        lead = self._file.lead_agency
        if not (joint or self._agency == lead or row["agency"] in (self._agency, lead)):
            return False
        if await self._proofs.holds(table, row):
            return True
        if row["agency"] != self._agency:  # Of an own row it was reported where it was found.
            _log.error("protection_not_proven", table=table, agency=row["agency"])
        return False

    def _own(self, compartment: Compartment, agency: str) -> Verdict:
        """Decide on what *agency* sealed under a key of its own."""
        if agency != self._agency:
            return _NOT_HELD
        facts = as_own(self._facts, agency)
        return self._standing(self._house.gate.open(self._who, compartment, facts))

    def _standing(self, verdict: Verdict) -> Verdict:
        """Refuse what was erased; what the policy refuses keeps its reason."""
        return _ERASED if self._file.erased and type(verdict) is Allowed else verdict

    async def emergencies(self, found: Protections, rows: Sequence[Row], words: bool) -> None:
        """Take the emergency protections, which were proven, and their papers."""
        papers: dict[UUID, list[RequirementView]] = {row["id"]: [] for row in rows}
        for paper in await emergencies.requirements(self._snapshot, list(papers)):
            if await self.counts("requirement", paper):
                papers[paper["emergency"]].append(self._requirement(paper))
        for row in rows:
            found.emergencies.append(self._emergency(row, papers[row["id"]]))
            if words:
                verdict = self._own(EMERGENCY_WORDS.compartment, row["agency"])
                found.cells.append(
                    _Cell(
                        EMERGENCY_WORDS,
                        RecordKind.EMERGENCY_PROTECTION,
                        row["id"],
                        row["id"],
                        row["words"],
                        verdict,
                    )
                )

    async def measures(
        self, found: Protections, by_id: Mapping[UUID, Row], asked: frozenset[str]
    ) -> None:
        """Take the measures; *by_id*: the emergency protections that were proven."""
        for row in await measures.of_case_file(self._snapshot, self._file.id):
            if not await self.counts("measure", row):
                continue
            found.measures.append(self._measure(row, by_id.get(row["emergency"])))
            kind = self._house.codes.entry("measure_kinds", row["kind"])
            compartment = Compartment(kind.details_in)
            verdict = self._own(compartment, row["agency"])
            found.cells += [
                _Cell(one, RecordKind.MEASURE, row["id"], row["id"], row[one.column], verdict)
                for name, one in MEASURE_FIELDS[compartment].items()
                if name in asked
            ]

    async def plan(self, found: Protections, words: bool) -> None:
        """Take the plan, what is due first before the rest."""
        narrative = PLAN_STEP_WHAT.compartment
        verdict = self._standing(self._house.gate.open(self._who, narrative, self._facts))
        for row, done in await plan_steps.of_case_file(self._snapshot, self._file.id):
            if not await self.counts("plan_step", row, joint=True):
                continue
            if done is not None and not await self.counts("plan_step_done", done, joint=True):
                done = None
            found.plan.append(self._plan_step(row, done))
            if words:
                found.cells.append(
                    _Cell(
                        PLAN_STEP_WHAT,
                        RecordKind.CASE_FILE,
                        self._file.id,
                        row["id"],
                        row["what"],
                        verdict,
                    )
                )
        found.plan.sort(key=lambda step: (step.due_on, step.added_at, step.id))

    def _measure(self, row: Row, emergency: Row | None) -> MeasureView:
        return MeasureView(
            row["id"],
            row["agency"],
            row["kind"],
            status_of(row, emergency, self._now),
            row["emergency"],
            row["requested_by"],
            row["requested_at"],
            row["starts_on"],
            row["ends_on"],
            ended_at(row, emergency, self._now),
            row["revision"],
        )

    def _emergency(self, row: Row, papers: list[RequirementView]) -> EmergencyView:
        return EmergencyView(
            row["id"],
            row["agency"],
            EmergencyGround(row["ground"]),
            state_of(row, self._now),
            row["quorum"],
            row["proposed_by"],
            row["proposed_at"],
            row["approve_by"],
            row["granted_at"],
            row["warn_from"],
            row["ratify_by"],
            row["decided_on"],
            row["votes_for"],
            row["votes_against"],
            papers,
        )

    def _requirement(self, row: Row) -> RequirementView:
        overdue = row["met_at"] is None and row["due_at"] <= self._now
        return RequirementView(row["id"], row["code"], row["due_at"], row["met_at"], overdue)

    def _plan_step(self, row: Row, done: Row | None) -> PlanStepView:
        return PlanStepView(
            row["id"],
            row["agency"],
            row["owner"],
            row["due_on"],
            row["added_at"],
            None if done is None else done["completed_at"],
            done is None and row["due_at"] <= self._now,
        )


def show(view: CaseFileView, found: Protections, opening: Opening) -> None:
    """Put *found* into *view*: opened as far as it may be, the rest withheld."""
    view.measures, view.plan = found.measures, found.plan
    view.emergency_protections = found.emergencies
    shown: dict[UUID, MeasureView | EmergencyView | PlanStepView] = {
        **{one.id: one for one in found.measures},
        **{one.id: one for one in found.emergencies},
        **{one.id: one for one in found.plan},
    }
    withheld: dict[Withheld, None] = {}
    for cell in found.cells:
        if type(cell.verdict) is Refused:
            withheld[withheld_field(cell.sealed, cell.verdict.reason)] = None
            continue
        try:
            value = opening(cell.sealed, cell.record, cell.row, cell.value)
        except SealBroken:
            withheld[withheld_field(cell.sealed, Reason.SEAL_BROKEN)] = None
        else:
            setattr(shown[cell.row], cell.sealed.column, value)
    if withheld:
        view.withheld = [*view.withheld, *withheld]
