"""The recipient's side of a referral as the statements about case files need it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, literal, or_, select
from sqlalchemy.sql import ColumnElement

from api.database import Connection
from api.store.tables import RIGHTS, case_file, referral_right
from api.vocabulary import Compartment, ReferralState

#: What is read of a right: the columns that its seal covers, and the seal.
_COLUMNS = (*RIGHTS["referral_right"], "seal")


def live() -> ColumnElement[bool]:
    """Say in SQL that a right of the agency `agency` holds at the parameter `now`."""
    return and_(
        referral_right.c.recipient == bindparam("agency"),
        referral_right.c.answer == ReferralState.ACCEPTED.value,
        bindparam("now", type_=referral_right.c.until.type) < referral_right.c.until,
        referral_right.c.ended_at.is_(None),
        referral_right.c.closed_at.is_(None),
    )


def _shares(compartment: Compartment) -> ColumnElement[bool]:
    among = literal(",") + referral_right.c.compartments + literal(",")
    return _among(among.contains(f",{compartment.value},", autoescape=True))


def _among(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    # IN, not EXISTS: SQLite then begins with the few rights and not with every case file.
    return case_file.c.id.in_(select(referral_right.c.case_file).where(live(), *more))


#: What the policy's facts about a referral are in SQL: `agency` and `now` are parameters.
SCOPE: dict[str, ColumnElement[Any]] = {
    "referred": _among(),
    **{
        f"shares_{compartment.value}": _shares(compartment)
        for compartment in Compartment
        if compartment is not Compartment.RELEASE
    },
}


#: A case file that `agency` leads, or that is referred to it `now`: of no other is it told.
REACHED: ColumnElement[bool] = or_(
    case_file.c.lead_agency == bindparam("agency"), SCOPE["referred"]
)

_OF_CASE_FILES = select(*(referral_right.c[name] for name in _COLUMNS)).where(
    referral_right.c.case_file.in_(bindparam("case_files", expanding=True)), live()
)
_CASE_FILE = _COLUMNS.index("case_file")


async def of_case_files(
    snapshot: Connection, case_files: Sequence[UUID], parameters: Mapping[str, Any]
) -> list[tuple[UUID, tuple[Any, ...]]]:
    """Read the live rights of `agency` to *case_files*: case file, cells with the seal.

    Args:
        parameters: `agency` and `now`, among others.
    """
    given = {name: parameters[name] for name in ("agency", "now")}
    found = await snapshot.execute(_OF_CASE_FILES, {"case_files": list(case_files), **given})
    return [(row[_CASE_FILE], tuple(row)) for row in found.all()]
