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
from api.store.sealed_fields import (
    ATTACHMENT_FIELDS,
    CASE_FILE_FIELDS,
    DEFENDER_FIELDS,
    MARKS,
    NOTE_BODY,
    REASON_FIELDS,
    TRIAGE_FIELDS,
    SealedField,
)
from api.vocabulary import Compartment, Reason


@dataclass(frozen=True, slots=True)
class Cell:
    """One asked column: its position in the row, its attribute, and its seal if it has one."""

    position: int
    attribute: str
    sealed: SealedField | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What is copied, opened and withheld, alike for all rows of a bundle.

    Attributes:
        opened: by compartment, since its key and manifest are looked up once for all of
            its columns; of each its position in the row, its attribute, what seals it,
            and where its mark stands.
    """

    plain: tuple[Cell, ...]
    opened: Mapping[Compartment, Sequence[tuple[int, str, SealedField, slice]]]
    withheld: list[Withheld]
    compartments: frozenset[Compartment]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reading asks for, worked out once per shape.

    Attributes:
        attachment: what is sealed of an attachment; None: these are not asked for.
        life: what is sealed of what else belongs to the life of a case file.
        reason, triage: the same of a reason, and of the triage.
    """

    case_file: tuple[Cell, ...]
    defender: tuple[Cell, ...]
    note_bodies: bool
    attachment: tuple[SealedField, ...] | None
    reason: tuple[SealedField, ...] | None = None
    life: tuple[SealedField, ...] = ()
    triage: tuple[SealedField, ...] | None = None

    @property
    def beside_notes(self) -> tuple[SealedField, ...]:
        """What is sealed under the key of the case file, as notes are, and asked for."""
        return (*(self.reason or ()), *(self.triage or ()), *self.life)

    @property
    def compartments(self) -> frozenset[Compartment]:
        """Every compartment that the reading needs."""
        sealed = [c.sealed.compartment for c in (*self.case_file, *self.defender) if c.sealed]
        sealed += [f.compartment for f in (*(self.attachment or ()), *self.beside_notes)]
        return frozenset([*sealed, *([NOTE_BODY.compartment] if self.note_bodies else [])])


def asked_of(
    shape: Shape,
    note_bodies: bool,
    attachment: frozenset[str] | None,
    reason: frozenset[str] | None = None,
    life: tuple[SealedField, ...] = (),
    triage: frozenset[str] | None = None,
) -> Asked:
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
        None
        if attachment is None
        else tuple(f for n, f in ATTACHMENT_FIELDS.items() if n in attachment),
        None if reason is None else tuple(f for n, f in REASON_FIELDS.items() if n in reason),
        life,
        None if triage is None else tuple(f for n, f in TRIAGE_FIELDS.items() if n in triage),
    )


def steps_of(cells: Sequence[Cell], opens: Mapping[Compartment, Verdict]) -> Steps:
    """Say what is done with *cells* under these verdicts, one for each compartment."""
    withheld = []
    opened: dict[Compartment, list[tuple[int, str, SealedField, slice]]] = {}
    for cell in cells:
        if cell.sealed is None:
            continue
        verdict = opens[cell.sealed.compartment]
        if type(verdict) is Refused:
            withheld.append(withheld_field(cell.sealed, verdict.reason))
        else:
            opened.setdefault(cell.sealed.compartment, []).append(
                (cell.position, cell.attribute, cell.sealed, MARKS[cell.sealed])
            )
    return Steps(
        tuple(c for c in cells if c.sealed is None),
        opened,
        withheld,
        frozenset(opened),
    )


def withheld_field(sealed: SealedField, reason: Reason) -> Withheld:
    """Say that *sealed* was withheld, why, and what to do."""
    return Withheld(sealed.name, sealed.compartment, reason, HOW_TO_ASK[reason])
