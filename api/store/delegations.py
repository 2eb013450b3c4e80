"""Delegations: what assignees handed to colleagues, and what of it a statement needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from api.database import Connection
from api.store import assignments, members
from api.store.members import MemberRow
from api.store.tables import RIGHTS, assignment, case_file, delegation, member, tie
from api.vocabulary import Compartment

Row = dict[str, Any]

#: Of one case file that are shown.
MOST = 100

_COLUMNS = (*RIGHTS["delegation"], "seal")
_CASE_FILE, _RECEIVER = _COLUMNS.index("case_file"), _COLUMNS.index("receiver")
_ASSIGNMENT = (*RIGHTS["assignment"], "seal")
_GIVER = (*RIGHTS["member"], "seal")


class Delegation(NamedTuple):
    """One delegation that lasts, with that on which it rests.

    Attributes:
        cells, assignment: each with its seal last.
        giver_tied: whether a tie of the giver was ever declared.
    """

    cells: tuple[Any, ...]
    assignment: tuple[Any, ...]
    giver: MemberRow
    giver_tied: bool

    @property
    def case_file(self) -> UUID:
        """The case file that the row names."""
        named: UUID = self.cells[_CASE_FILE]
        return named

    @property
    def receiver(self) -> UUID:
        """To whom the row says that it was given."""
        named: UUID = self.cells[_RECEIVER]
        return named


def live() -> ColumnElement[bool]:
    """Say in SQL that a delegation of the agency `agency` holds at the moment `now`."""
    now = bindparam("now", type_=delegation.c.starts_at.type)
    return and_(
        delegation.c.agency == bindparam("agency"),
        delegation.c.starts_at <= now,
        now < delegation.c.ends_at,
        delegation.c.ended_at.is_(None),
    )


def _to_me() -> ColumnElement[bool]:
    # None is nobody: officers read case files, too, and nothing is handed to them.
    return and_(delegation.c.receiver == bindparam("me", None), live())


#: Whether there is anything of `me` to be read; asked once a statement, not once a row.
ANY = exists().where(_to_me())


def _resting(selected: Select[Any]) -> Select[Any]:
    """Leave of *selected* what rests on a live assignment of a giver who is not disabled."""
    return (
        selected.join(assignment, assignment.c.id == delegation.c.assignment)
        .join(member, member.c.id == delegation.c.giver)
        .where(assignments.live(assignment), member.c.disabled_at.is_(None))
    )


def _delegates(compartment: Compartment) -> ColumnElement[bool]:
    among = literal(",") + delegation.c.compartments + literal(",")
    return _among(among.contains(f",{compartment.value},", autoescape=True))


def _among(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    # IN, not EXISTS: SQLite then begins with the few delegations and not with every case file.
    given = select(delegation.c.case_file).select_from(delegation).where(_to_me(), *more)
    return case_file.c.id.in_(_resting(given))


#: What the policy's facts about a delegation are in SQL, but for what the giver may no longer
#: open: each row is decided again on its facts. `me`, `agency`, `now` are parameters.
SCOPE: dict[str, ColumnElement[Any]] = {
    "delegated": _among(),
    **{
        f"delegates_{compartment.value}": _delegates(compartment)
        for compartment in Compartment
        if compartment is not Compartment.RELEASE
    },
}

_LASTING = _resting(
    select(
        *(delegation.c[name] for name in _COLUMNS),
        *(assignment.c[name].label(f"a_{name}") for name in _ASSIGNMENT),
        *(member.c[name].label(f"m_{name}") for name in _GIVER),
        exists().where(tie.c.member == delegation.c.giver).label("giver_tied"),
    ).select_from(delegation)
).order_by(delegation.c.id)
_OF_CALLER = _LASTING.where(_to_me())
_OF_MEMBERS = _LASTING.where(live())
_OF_CASE_FILE = _OF_MEMBERS.where(delegation.c.case_file == bindparam("case_file")).limit(MOST)


async def of_caller(snapshot: Connection, parameters: Mapping[str, Any]) -> list[Delegation]:
    """Read what was handed to `me` and lasts, with assignments and givers: one statement.

    Args:
        parameters: `me`, `agency` and `now`, among others.
    """
    given = {name: parameters[name] for name in ("me", "agency", "now")}
    return await _read(snapshot, _OF_CALLER, given)


async def of_members(snapshot: Connection, agency: str, now: datetime) -> list[Delegation]:
    """Read the same of all members of *agency*."""
    return await _read(snapshot, _OF_MEMBERS, {"agency": agency, "now": now})


async def of_case_file(
    snapshot: Connection, agency: str, now: datetime, file: UUID
) -> list[Delegation]:
    """Read the same of one case file."""
    given = {"agency": agency, "now": now, "case_file": file}
    return await _read(snapshot, _OF_CASE_FILE, given)


async def _read(
    snapshot: Connection, statement: Select[Any], given: Mapping[str, Any]
) -> list[Delegation]:
    found = []
    for row in (await snapshot.execute(statement, given)).all():
        cells = tuple(row)
        first, second = len(_COLUMNS), len(_COLUMNS) + len(_ASSIGNMENT)
        giver = members.row_of(cells[second:-1])
        found.append(Delegation(cells[:first], cells[first:second], giver, bool(cells[-1])))
    return found


async def of_agency(connection: Connection, delegation_id: UUID, agency: str) -> Row | None:
    """Read one of *agency*, whether or not it lasts."""
    result = await connection.execute(
        select(*(delegation.c[name] for name in _COLUMNS)).where(
            delegation.c.id == delegation_id, delegation.c.agency == agency
        )
    )
    row = result.one_or_none()
    return None if row is None else dict(zip(_COLUMNS, row, strict=True))


async def standing(
    connection: Connection, resting_on: Mapping[str, Any], receiver: UUID, now: datetime
) -> int:
    """Count what *receiver* has of the same giver for the same case file, and lasts.

    Args:
        resting_on: an assignment of the giver, by column.
    """
    asked = (
        select(func.count())
        .select_from(delegation)
        .where(
            live(),
            delegation.c.case_file == resting_on["case_file"],
            delegation.c.giver == resting_on["member"],
            delegation.c.receiver == receiver,
        )
    )
    given = {"agency": resting_on["agency"], "now": now}
    return int((await connection.execute(asked, given)).scalar_one())


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed delegation (column -> value)."""
    await change.execute(insert(delegation), [dict(row)])


async def end(change: Connection, row: Mapping[str, Any]) -> None:
    """Write how one ended: *row* is whole, with the seal that covers its end."""
    values = {name: row[name] for name in ("ended_by", "ended_at", "event", "seal")}
    await change.execute(update(delegation).where(delegation.c.id == row["id"]).values(values))


async def open_of(change: Connection, case_file_id: UUID, agency: str) -> list[Row]:
    """Read and lock what *agency* has not ended of a case file."""
    result = await change.execute(
        select(*(delegation.c[name] for name in _COLUMNS))
        .where(
            delegation.c.case_file == case_file_id,
            delegation.c.agency == agency,
            delegation.c.ended_at.is_(None),
        )
        .order_by(delegation.c.id)
        .with_for_update()
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in result.all()]
