"""How far the import of a file came, and references for what it makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, import_run, organisation


@dataclass(frozen=True, slots=True)
class Run:
    """One row as read: its columns, of which the seal covers all."""

    values: Mapping[str, Any]
    seal_values: tuple[Any, ...]
    seal: bytes


async def run_of(snapshot: Connection, agency: str, file: str) -> Run | None:
    """Read how far *agency* came with the file of this keyed digest."""
    names = RIGHTS["import_run"]
    found = (
        await snapshot.execute(
            select(*(import_run.c[name] for name in names), import_run.c.seal).where(
                import_run.c.agency == agency, import_run.c.file == file
            )
        )
    ).first()
    if found is None:
        return None
    *cells, seal = tuple(found)
    return Run(dict(zip(names, cells, strict=True)), tuple(cells), seal)


async def begin(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed row."""
    await change.execute(insert(import_run), [dict(row)])


async def advance(change: Connection, row: Mapping[str, Any]) -> None:
    """Write how far it came; *row* is whole, with the seal that covers it."""
    columns = ("through", "written", "member", "finished_at", "event", "seal")
    await change.execute(
        update(import_run)
        .where(import_run.c.id == row["id"])
        .values({name: row[name] for name in columns})
    )


async def references(change: Connection, agency: str, years: Sequence[int]) -> list[str]:
    """Give the next case references of *agency*, one for each of *years*.

    The row of the agency is locked until the commit.
    """
    row = (
        await change.execute(
            update(organisation)
            .where(organisation.c.slug == agency)
            .values(references_given=organisation.c.references_given + len(years))
            .returning(organisation.c.reference_prefix, organisation.c.references_given)
        )
    ).one()
    first = row.references_given - len(years) + 1
    return [
        f"{row.reference_prefix}-{year}-{number:04d}" for number, year in enumerate(years, first)
    ]
