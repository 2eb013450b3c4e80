"""Steps of the joint plan of a case file, and that they were done: rows, which casework proves."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, select

from api.database import Connection
from api.store.tables import RIGHTS, plan_step, plan_step_done

Row = dict[str, Any]
#: A step, and that it was done, if it was.
Step = tuple[Row, Row | None]

_STEP = (*RIGHTS["plan_step"], "what", "signature", "seal")
_DONE = (*RIGHTS["plan_step_done"], "signature", "seal")

#: Steps of one case file that are read at once, the newest; shown by their last day.
STEPS_READ = 100

_SELECT = select(
    *(plan_step.c[name] for name in _STEP), *(plan_step_done.c[name] for name in _DONE)
).select_from(
    # What another agency than the owner says of it counts for nothing.
    plan_step.outerjoin(
        plan_step_done,
        and_(
            plan_step_done.c.plan_step == plan_step.c.id,
            plan_step_done.c.agency == plan_step.c.owner,
        ),
    )
)
_OF_OWNER = _SELECT.where(
    plan_step.c.id == bindparam("id"), plan_step.c.owner == bindparam("owner")
)
_OF_CASE_FILE = (
    _SELECT.where(plan_step.c.case_file == bindparam("case_file"))
    .order_by(plan_step.c.added_at.desc(), plan_step.c.id.desc())
    .limit(STEPS_READ)
)


def _rows(cells: tuple[Any, ...]) -> Step:
    step = dict(zip(_STEP, cells[: len(_STEP)], strict=True))
    done = dict(zip(_DONE, cells[len(_STEP) :], strict=True))
    return step, None if done["agency"] is None else done


async def of_owner(connection: Connection, step_id: UUID, owner: str) -> Step | None:
    """Read one that *owner* is to do, and that it was done; as of none otherwise."""
    found = (await connection.execute(_OF_OWNER, {"id": step_id, "owner": owner})).one_or_none()
    return None if found is None else _rows(tuple(found))


async def of_case_file(snapshot: Connection, case_file_id: UUID) -> list[Step]:
    """Read the newest steps of one case file, each with that it was done."""
    found = await snapshot.execute(_OF_CASE_FILE, {"case_file": case_file_id})
    return [_rows(tuple(row)) for row in found.all()]


async def insert_step(change: Connection, row: Row) -> None:
    """Insert a sealed step."""
    await change.execute(insert(plan_step), [row])


async def insert_done(change: Connection, row: Row) -> None:
    """Insert that a step was done, sealed."""
    await change.execute(insert(plan_step_done), [row])
