"""What the timeline of a case file tells beside its own rows: who got which part in it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, select

from api.database import Connection
from api.store.tables import RIGHTS, assignment, case_file, referral, referral_right

Row = dict[str, Any]

#: Rows of one table that are read at once, newest first.
ROWS_READ = 100


def _newest(table: Table, whose: ColumnElement[bool], *order: ColumnElement[Any]) -> Select[Any]:
    columns = [table.c[name] for name in (*RIGHTS[table.name], "seal")]
    of = table.c.case_file == bindparam("case_file")
    return select(*columns).where(of, whose).order_by(*order).limit(ROWS_READ)


_mine: ColumnElement[str] = bindparam("agency")
_READINGS = {
    "assignment": _newest(
        assignment,
        assignment.c.agency == _mine,
        assignment.c.starts_at.desc(),
        assignment.c.id.desc(),
    ),
    # Their ids are of the moment at which they were proposed.
    "referral": _newest(referral, referral.c.giver == _mine, referral.c.id.desc()),
    "referral_right": _newest(
        referral_right, referral_right.c.recipient == _mine, referral_right.c.referral.desc()
    ),
}


async def newest(connection: Connection, table: str, case_file_id: UUID, agency: str) -> list[Row]:
    """Read the newest rows of *table* that *agency* wrote about one case file."""
    names: Sequence[str] = (*RIGHTS[table], "seal")
    found = await connection.execute(
        _READINGS[table], {"case_file": case_file_id, "agency": agency}
    )
    return [dict(zip(names, row, strict=True)) for row in found.all()]


async def opened_on(connection: Connection, case_file_id: UUID) -> date:
    """Read the day on which a case file was opened."""
    found = await connection.execute(
        select(case_file.c.opened_on).where(case_file.c.id == case_file_id)
    )
    day: date = found.scalar_one()
    return day
