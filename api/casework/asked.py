"""What a reading asks for, column by column, and what becomes of each under the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.casework.views import HOW_TO_ASK, Withheld
from api.policies.gate import Refused, Verdict
from api.store.case_file_statements import (
    CASE_FILE_PLAIN,
    DEFENDER_PLAIN,
    Shape,
    case_file_names,
    defender_names,
)
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS, NOTE_BODY, SealedField
from api.vocabulary import Compartment, Reason


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


def steps_of(cells: Sequence[Cell], opens: Mapping[Compartment, Verdict]) -> Steps:
    """Say what is done with *cells* under these verdicts, one for each compartment."""
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
