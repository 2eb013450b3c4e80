"""Who threatens, as it was reported in a case file."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select

from api.database import Connection
from api.store.sealed_fields import ADVERSARY_FIELDS
from api.store.tables import RIGHTS, adversary

Row = dict[str, Any]

#: What is read of one: the columns under the seal, the seal, and what is sealed.
COLUMNS = (*RIGHTS["adversary"], "seal", *(f.column for f in ADVERSARY_FIELDS.values()))

#: Adversaries of one case file that are read at once, newest first.
ADVERSARIES_READ = 100

_OF_CASE_FILE = (
    select(*(adversary.c[name] for name in COLUMNS))
    .where(adversary.c.case_file == bindparam("case_file"))
    .order_by(adversary.c.written_at.desc(), adversary.c.id.desc())
    .limit(ADVERSARIES_READ)
)


async def of_case_file(connection: Connection, case_file: UUID) -> list[Row]:
    """Read the newest of one case file."""
    found = await connection.execute(_OF_CASE_FILE, {"case_file": case_file})
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.all()]


async def all_there(change: Connection, case_file: UUID, ids: Collection[UUID]) -> bool:
    """Tell whether all of *ids*, each once, were recorded in *case_file*."""
    counted = await change.scalar(
        select(func.count()).where(adversary.c.case_file == case_file, adversary.c.id.in_(ids))
    )
    return counted == len(ids)


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed one (column -> value)."""
    await change.execute(insert(adversary), [dict(row)])
