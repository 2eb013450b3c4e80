"""Case files with their defenders and the assignments that matter, in one statement.

The rows carry what the policy decides on, and of the rest only what was asked for.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.sql import ColumnElement

from api.database import Connection
from api.store import break_glass, delegations, referral_rights, ties
from api.store.case_file_statements import (
    CORE,
    PLANNED_BY_VALUE,
    Shape,
    case_file_names,
    defender_names,
    led_by_of,
    statement_of,
)
from api.store.delegations import Delegation
from api.store.tables import case_file, case_file_defender, organisation
from api.vocabulary import RecordKind

#: A reference as `next_reference` makes it, which only one case file has.
_WHOLE = re.compile(r"[A-Z]+-[0-9]{4}-[0-9]{4,}", re.ASCII)


class Link(NamedTuple):
    """A defender in a case file: the row that links them, and what was asked.

    Attributes:
        sealed: values to verify the seal of the link with, then the seal.
        plain, fields: values in the order of the shape's `defender` names.
    """

    defender: UUID
    seal_values: tuple[Any, ...]
    seal: bytes
    revision: int
    erased: bool
    values: tuple[Any, ...]


@dataclass(slots=True)
class CaseFileRow:
    """One case file as read.

    Attributes:
        assignments: of members of the caller's agency, each with its seal.
        referrals: the live rights of the caller's agency to it, each with its seal.
        ties: every tie of the caller and of who delegates to them (or of all of the agency,
            where all are asked about), of whatever case file, each with its seal.
        adversaries: tags of what is reported in it; read only where there are ties.
        unlocked: what the caller broke glass for, now, each with its seal.
        delegated: what was handed to the caller of it, now, each with that on which it rests.
    """

    id: UUID
    lead_agency: str
    sensitivity: int
    event: int
    seal: bytes
    revision: int
    erased: bool
    sort_key: Any
    values: tuple[Any, ...]
    links: list[Link] = field(default_factory=list)
    assignments: list[tuple[Any, ...]] = field(default_factory=list)
    referrals: list[tuple[Any, ...]] = field(default_factory=list)
    ties: Sequence[tuple[Any, ...]] = ()
    adversaries: frozenset[str] = frozenset()
    unlocked: list[tuple[Any, ...]] = field(default_factory=list)
    delegated: list[Delegation] = field(default_factory=list)


class LedBy(NamedTuple):
    """Who leads the case files of a record, and whether a tie keeps the caller out of one."""

    agencies: tuple[str, ...]
    tied: bool


async def read(
    snapshot: Connection,
    scope: ColumnElement[bool],
    shape: Shape,
    parameters: Mapping[str, Any],
) -> list[CaseFileRow]:
    """Read the case files that *shape* asks for.

    Args:
        scope: what the policy lets the caller see, as SQL over SCOPE.
        parameters: `me`, `agency`, `now`, and what the shape needs: `id`, `ids`, `field`, `tags`,
            `after_key`, `after_id`, filters.
    """
    if shape.filters & PLANNED_BY_VALUE and snapshot.dialect.name == "postgresql":
        await snapshot.exec_driver_sql("set local plan_cache_mode = force_custom_plan")
    result = await snapshot.execute(statement_of(scope, shape), parameters)
    values_end = CORE + len(case_file_names(shape.case_file))
    defenders = shape.defender is not None
    link_end = values_end + (6 if defenders else 0)
    defender_end = link_end + (len(defender_names(shape.defender)) if shape.defender else 0)
    files: list[CaseFileRow] = []
    current: CaseFileRow | None = None
    delegated = declared = broke_glass = False
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
                        cells[values_end + 5],
                        cells[link_end:defender_end],
                    )
                )
        assigned = cells[defender_end:-3]
        delegated, declared, broke_glass = cells[-3:]  # The same in every row.
        if assigned[0] is not None and assigned not in current.assignments:
            current.assignments.append(assigned)
    # One statement more, where something of another agency is in scope and only there:
    # what is not in reach takes as many as what is not there.
    theirs = {f.id: f for f in files if f.lead_agency != parameters["agency"]}
    if theirs:
        for case_file_id, right in await referral_rights.of_case_files(
            snapshot, list(theirs), parameters
        ):
            theirs[case_file_id].referrals.append(right)
    tied = {parameters["me"]} if declared else set()
    if delegated:
        # One more for to whom something was handed, and only where something is in reach.
        tied |= await _add_delegations(snapshot, files, parameters)
    if tied:  # Hardly anybody; only then is it worth two statements.
        await _add_ties(snapshot, files, tied, parameters["agency"])
    if broke_glass:
        # One more for who broke glass, and only where something is in reach.
        mine = {f.id: f for f in files}
        for case_file_id, grant in await break_glass.of_caller(snapshot, parameters):
            if case_file_id in mine:
                mine[case_file_id].unlocked.append(grant)
    return files


async def _add_delegations(
    snapshot: Connection, files: Sequence[CaseFileRow], parameters: Mapping[str, Any]
) -> set[UUID]:
    """Give whose ties have to be read for them, too: the givers', where any was declared."""
    found = _by_file(await delegations.of_caller(snapshot, parameters))
    for file in files:
        file.delegated = found.get(file.id, [])
    return {one.giver.id for file in files for one in file.delegated if one.giver_tied}


def _by_file(found: Sequence[Delegation]) -> dict[UUID, list[Delegation]]:
    by_file: dict[UUID, list[Delegation]] = {}
    for one in found:
        by_file.setdefault(one.case_file, []).append(one)
    return by_file


async def _add_ties(
    snapshot: Connection, files: Sequence[CaseFileRow], of: Collection[UUID], agency: str
) -> None:
    found = await ties.of_members(snapshot, of)
    tags = await ties.reported(snapshot, agency, found)
    for file in files:
        file.ties, file.adversaries = found, tags.get(file.id, frozenset())


async def read_of_all(
    snapshot: Connection, files: Sequence[CaseFileRow], agency: str, now: datetime
) -> None:
    """Read what of *files* all members of *agency* unlocked, or was handed to them; all ties."""
    handed = _by_file(await delegations.of_members(snapshot, agency, now))
    for file in files:
        file.unlocked, file.delegated = [], handed.get(file.id, [])
    unlocked = {file.id: file.unlocked for file in files}
    for case_file_id, grant in await break_glass.of_members(snapshot, agency, now):
        if case_file_id in unlocked:
            unlocked[case_file_id].append(grant)
    found = await ties.of_agency(snapshot, agency)
    tags = await ties.reported(snapshot, agency, found)
    for file in files:
        file.ties, file.adversaries = found, tags.get(file.id, frozenset())


async def led_by(
    snapshot: Connection,
    kind: RecordKind,
    record: UUID,
    scope: ColumnElement[bool],
    parameters: Mapping[str, Any],
) -> LedBy:
    """Name who leads the case files that have a record, in scope or not: for the log only.

    Args:
        scope: which *record* was looked for in; see `led_by_of`.
        parameters: `me`, `agency` and `now`.
    """
    result = await snapshot.execute(led_by_of(kind, scope), {**parameters, "id": record})
    rows = [(lead, tied) for lead, tied, there in result.all() if there]
    return LedBy(tuple(sorted({lead for lead, _ in rows})), any(tied for _, tied in rows))


def reference_filter(text: str) -> str:
    """Make the LIKE pattern for *text* anywhere in the reference, or a whole one as it is."""
    escaped = text.upper().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped if _WHOLE.fullmatch(escaped) else f"%{escaped}%"


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
