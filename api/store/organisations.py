"""Organisations: the agencies and their partners."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from api.database import Connection
from api.store.tables import organisation


async def slugs(snapshot: Connection) -> set[str]:
    """Read the slug of every organisation."""
    return set((await snapshot.execute(select(organisation.c.slug))).scalars())


async def kind_of(snapshot: Connection, slug: str) -> str | None:
    """Give "agency" or "partner"; None: there is no such organisation."""
    kind: str | None = await snapshot.scalar(
        select(organisation.c.kind).where(organisation.c.slug == slug)
    )
    return kind


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert organisations (column -> value)."""
    if rows:
        await change.execute(insert(organisation), list(rows))


async def count_references(change: Connection, agency: str, given: int) -> None:
    """Say that *given* case references of *agency* are taken."""
    await change.execute(
        update(organisation).where(organisation.c.slug == agency).values(references_given=given)
    )
