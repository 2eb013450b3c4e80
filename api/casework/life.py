"""What belongs to the life of one case file: read kind by kind, proven, and shown.

Nothing is opened here: `disclosure` hands in what opens a value, after the event. Of a case
file of another agency nothing is given but the part that the own agency got in it: its
seals cannot be proven here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from api.casework import closed, rights, timeline
from api.casework.asked import withheld_field
from api.casework.house import House
from api.casework.life_asked import LifeAsked
from api.casework.views import (
    AdversaryView,
    AssessmentView,
    CaseFileView,
    ClosingView,
    IncidentView,
    TimelineEntry,
    Withheld,
)
from api.crypto.sealed import Sealed
from api.database import Connection
from api.errors import SealBroken
from api.policies.gate import Refused, Verdict
from api.store import adversaries, assessments, closings, incidents, notes, steps
from api.store.case_files import CaseFileRow
from api.store.sealed_fields import SealedField
from api.store.tables import RIGHTS
from api.vocabulary import Caller, Compartment, Reason, Urgency

#: Opens one value: its field, its record, its row, the sealed value. Raises SealBroken.
Opening = Callable[[SealedField, UUID, UUID, Sealed], Any]

Row = dict[str, Any]


@dataclass(slots=True)
class Life:
    """The rows whose seals hold, and the fields of those that were left out."""

    asked: LifeAsked
    closings: Sequence[Row] = ()
    incidents: Sequence[Row] = ()
    adversaries: Sequence[Row] = ()
    assessments: Sequence[Row] = ()
    timeline: list[TimelineEntry] = field(default_factory=list)
    left_out: list[tuple[SealedField, Reason]] = field(default_factory=list)


async def life_of(
    house: House,
    snapshot: Connection,
    caller: Caller,
    file: CaseFileRow,
    staffed: bool,
    asked: LifeAsked,
) -> Life:
    """Read what is asked for: one statement for each kind, whatever the timeline tells of it.

    Args:
        staffed: the caller may know who works on *file*, and to whom it was referred.
    """
    agency = caller.organisation
    life = Life(asked)
    told: list[TimelineEntry] = []
    if asked.timeline and staffed:
        told += await timeline.parts_of(house, snapshot, agency, file)
    if file.lead_agency != agency:
        life.left_out = [(one, Reason.COMPARTMENT_NOT_HELD) for one in asked.fields]
        life.timeline = timeline.sorted_entries(told)
        return life

    def holding(table: str, rows: Sequence[Row], sealed: Sequence[SealedField]) -> list[Row]:
        held = [
            row
            for row in rows
            if rights.holds(house, agency, table, [row[c] for c in RIGHTS[table]], row["seal"])
        ]
        if len(held) < len(rows):
            life.left_out += [(one, Reason.SEAL_BROKEN) for one in sealed]
        return held

    if asked.closings or asked.timeline:
        rows = await closings.of_case_file(snapshot, file.id)
        life.closings = [row for row in rows if closed.proven(house, agency, row)]
    if asked.incidents is not None or asked.timeline:
        rows = await incidents.of_case_file(snapshot, file.id)
        life.incidents = holding("incident", rows, asked.of_incidents)
    if asked.adversaries is not None:
        rows = await adversaries.of_case_file(snapshot, file.id)
        life.adversaries = holding("adversary", rows, asked.of_adversaries)
    if asked.assessments is not None or asked.timeline:
        rows = await assessments.of_case_file(snapshot, file.id)
        life.assessments = holding("assessment", rows, asked.of_assessments)
    if asked.timeline:
        taken = holding("step", await steps.of_case_file(snapshot, file.id), ())
        written = [
            note
            for note in await notes.of_case_file(snapshot, file.id)
            if rights.holds(house, agency, "note", note.seal_values, note.seal)
        ]
        told += await timeline.opening_of(snapshot, file)
        told += timeline.entries(life.closings, life.incidents, life.assessments, taken, written)
        life.timeline = timeline.sorted_entries(told)
    return life


def show_life(
    view: CaseFileView, life: Life, opens: Mapping[Compartment, Verdict], opening: Opening
) -> None:
    """Put *life* into *view*: opened as far as *opens* lets, the rest withheld."""
    asked = life.asked
    withheld: list[Withheld] = [withheld_field(one, why) for one, why in life.left_out]

    def allowed(sealed: Sequence[SealedField]) -> Iterator[SealedField]:
        for one in sealed:
            verdict = opens[one.compartment]
            if isinstance(verdict, Refused):
                withheld.append(withheld_field(one, verdict.reason))
            else:
                yield one

    def opened(shown: Any, row: Row, sealed: Sequence[SealedField]) -> Any:
        for one in sealed:
            try:
                setattr(shown, one.column, opening(one, view.id, row["id"], row[one.column]))
            except SealBroken:
                withheld.append(withheld_field(one, Reason.SEAL_BROKEN))
        return shown

    if asked.closings:
        view.closings = [ClosingView(**_plain(ClosingView, row)) for row in life.closings]
    if asked.incidents is not None:
        newest: dict[UUID, int] = {}
        for row in life.incidents:
            newest[row["incident"]] = max(row["version"], newest.get(row["incident"], 0))
        may = list(allowed(asked.of_incidents))
        view.incidents = [
            opened(_incident(row, newest[row["incident"]]), row, may) for row in life.incidents
        ]
    if asked.adversaries is not None:
        may = list(allowed(asked.of_adversaries))
        view.adversaries = [
            opened(AdversaryView(**_plain(AdversaryView, row)), row, may)
            for row in life.adversaries
        ]
    if asked.assessments is not None:
        may = list(allowed(asked.of_assessments))
        view.risk_assessments = [
            opened(
                AssessmentView(
                    **_plain(AssessmentView, {**row, "urgency": Urgency(row["urgency"])})
                ),
                row,
                may,
            )
            for row in life.assessments
        ]
    view.happened = life.timeline
    if withheld:
        view.withheld = [*view.withheld, *withheld]


def _plain(kind: type[Any], row: Row) -> Row:
    """Give what of *row* a view takes that is not sealed."""
    return {
        one.name: row[one.name]
        for one in fields(kind)
        if one.name in row and not isinstance(row[one.name], Sealed)
    }


def _incident(row: Row, newest: int) -> IncidentView:
    named = row["adversaries"]
    return IncidentView(
        incident_id=row["incident"],
        newest=row["version"] == newest,
        **_plain(
            IncidentView,
            {**row, "adversaries": [UUID(one) for one in named.split(",")] if named else []},
        ),
    )
