"""Case files with their defenders and the assignments that matter, in one statement.

The rows carry what the policy decides on, and of the rest only what was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.sql import ColumnElement

from api.database import Connection
from api.store.case_file_statements import (
    CORE,
    Shape,
    case_file_names,
    defender_names,
    statement_of,
)
from api.store.tables import case_file, case_file_defender, organisation


@dataclass(frozen=True, slots=True)
class Link:
    """A defender in a case file: the row that links them, and what was asked.

    Attributes:
        sealed: values to verify the seal of the link with, then the seal.
        plain, fields: values in the order of the shape's `defender` names.
    """

    defender: UUID
    seal_values: tuple[Any, ...]
    seal: bytes
    revision: int
    values: tuple[Any, ...]


@dataclass(slots=True)
class CaseFileRow:
    """One case file as read."""

    id: UUID
    lead_agency: str
    sensitivity: int
    event: int
    seal: bytes
    revision: int
    in_scope: bool
    sort_key: Any
    values: tuple[Any, ...]
    links: list[Link] = field(default_factory=list)
    assignments: list[tuple[Any, ...]] = field(default_factory=list)


async def read(
    snapshot: Connection,
    scope: ColumnElement[bool],
    shape: Shape,
    parameters: Mapping[str, Any],
) -> list[CaseFileRow]:
    """Read the case files that *shape* asks for.

    Args:
        scope: what the policy lets the caller see, as SQL over SCOPE.
        parameters: `me`, `now`, and what the shape needs: `id`, `ids`, `field`, `tag`,
            `after_key`, `after_id`, filters.
    """
    result = await snapshot.execute(statement_of(scope, shape), parameters)
    values_end = CORE + len(case_file_names(shape.case_file))
    defenders = shape.defender is not None
    link_end = values_end + (5 if defenders else 0)
    defender_end = link_end + (len(defender_names(shape.defender)) if shape.defender else 0)
    files: list[CaseFileRow] = []
    current: CaseFileRow | None = None
    for row in result.all():
        cells = tuple(row)
        if current is None or current.id != cells[0]:
            current = CaseFileRow(*(*cells[:CORE], cells[CORE:values_end]))
            files.append(current)
        if defenders and cells[values_end] is not None:
            who = cells[values_end]
            if not current.links or current.links[-1].defender != who:
                current.links.append(
                    Link(
                        who,
                        (current.id, *cells[values_end : values_end + 3]),
                        cells[values_end + 3],
                        cells[values_end + 4],
                        cells[link_end:defender_end],
                    )
                )
        assigned = cells[defender_end:]
        if assigned[0] is not None and assigned not in current.assignments:
            current.assignments.append(assigned)
    return files


def reference_filter(text: str) -> str:
    """Make the LIKE pattern for *text* anywhere in the reference."""
    escaped = text.upper().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def next_reference(change: Connection, agency: str, year: int) -> str:
    """Give the next case reference of *agency*; its row is locked until the commit."""
    row = (
        await change.execute(
            update(organisation)
            .where(organisation.c.slug == agency)
            .values(references_given=organisation.c.references_given + 1)
            .returning(organisation.c.reference_prefix, organisation.c.references_given)
        )
    ).one()
    return f"{row.reference_prefix}-{year}-{row.references_given:04d}"


async def insert_rows(change: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert *rows* (column -> value, all with the same columns) into *table* of this slice."""
    tables = {t.name: t for t in (case_file, case_file_defender)}
    if rows:
        await change.execute(insert(tables[table]), list(rows))
