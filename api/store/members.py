"""Members: the people of an organisation who may call, and what they are cleared for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select, update

from api.database import Connection
from api.store.tables import RIGHTS, member


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member as read; `seal_values` and `seal` prove the row.

    Attributes:
        live: not disabled. Says nothing about the seal.
    """

    id: UUID
    organisation: str
    role: str
    clearance: int
    trained: bool
    live: bool
    seal_values: tuple[Any, ...]
    seal: bytes


_COLUMNS = RIGHTS["member"]


def _select() -> Select[Any]:
    return select(*(member.c[name] for name in _COLUMNS), member.c.seal)


_BY_SUBJECT = _select().where(
    member.c.organisation == bindparam("organisation"), member.c.subject == bindparam("subject")
)
_BY_ID = _select().where(member.c.id == bindparam("id"))


def _row(row: Any) -> MemberRow | None:
    if row is None:
        return None
    cells = tuple(row)
    by_name = dict(zip(_COLUMNS, cells, strict=False))
    return MemberRow(
        by_name["id"],
        by_name["organisation"],
        by_name["role"],
        by_name["clearance"],
        by_name["trained"] == 1,
        by_name["disabled_at"] is None,
        cells[:-1],
        cells[-1],
    )


async def by_subject(snapshot: Connection, organisation: str, subject: str) -> MemberRow | None:
    """Read the member whom *organisation* calls *subject*."""
    result = await snapshot.execute(_BY_SUBJECT, {"organisation": organisation, "subject": subject})
    return _row(result.one_or_none())


async def by_id(snapshot: Connection, member_id: UUID) -> MemberRow | None:
    """Read one member."""
    return _row((await snapshot.execute(_BY_ID, {"id": member_id})).one_or_none())


async def insert_rows(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sealed members (column -> value)."""
    if rows:
        await change.execute(insert(member), list(rows))


async def disable(
    change: Connection, member_id: UUID, disabled_at: datetime, event: int, seal: bytes
) -> None:
    """Disable one member; the row gets the seal that covers it."""
    await change.execute(
        update(member)
        .where(member.c.id == member_id)
        .values(disabled_at=disabled_at, event=event, seal=seal)
    )
