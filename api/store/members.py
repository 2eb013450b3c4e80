"""Members: the people of an organisation who may call, and what they are cleared for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select, update

from api.database import Connection
from api.store.policy import STANDING, Standing
from api.store.tables import RIGHTS, member


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member as read; `seal_values` and `seal` prove the row.

    Attributes:
        live: not disabled. Says nothing about the seal.
        policy: which policies stand in the same snapshot; of `by_id` only.
    """

    id: UUID
    organisation: str
    role: str
    clearance: int
    trained: bool
    live: bool
    seal_values: tuple[Any, ...]
    seal: bytes
    policy: Standing


_COLUMNS = RIGHTS["member"]


def _select() -> Select[Any]:
    return select(*(member.c[name] for name in _COLUMNS), member.c.seal)


_BY_SUBJECT = _select().where(
    member.c.organisation == bindparam("organisation"), member.c.subject == bindparam("subject")
)
#: With what stands of the policies: a request asks for both at once.
_BY_ID = _select().add_columns(*STANDING).where(member.c.id == bindparam("id"))
_LIVE = (
    _select()
    .where(
        member.c.organisation == bindparam("organisation"),
        member.c.disabled_at.is_(None),
        member.c.role.in_(bindparam("roles", expanding=True)),
    )
    .order_by(member.c.id)
)
_AFTER = _LIVE.where(member.c.id > bindparam("after", type_=member.c.id.type))


def _row(row: Any) -> MemberRow | None:
    return None if row is None else row_of(tuple(row))


def row_of(cells: tuple[Any, ...]) -> MemberRow:
    """Make one of its cells: what its seal covers, the seal, and of `by_id` the policies."""
    by_name = dict(zip(_COLUMNS, cells, strict=False))
    values, (seal, *policy) = cells[: len(_COLUMNS)], cells[len(_COLUMNS) :]
    return MemberRow(
        by_name["id"],
        by_name["organisation"],
        by_name["role"],
        by_name["clearance"],
        by_name["trained"] == 1,
        by_name["disabled_at"] is None,
        values,
        seal,
        Standing(*policy) if policy else Standing(None, None),
    )


async def by_subject(snapshot: Connection, organisation: str, subject: str) -> MemberRow | None:
    """Read the member whom *organisation* calls *subject*."""
    result = await snapshot.execute(_BY_SUBJECT, {"organisation": organisation, "subject": subject})
    return _row(result.one_or_none())


async def by_id(snapshot: Connection, member_id: UUID, policy: int = 0) -> MemberRow | None:
    """Read one member, and what stands of the policies if that of number *policy* is in force."""
    result = await snapshot.execute(_BY_ID, {"id": member_id, "policy": policy})
    return _row(result.one_or_none())


async def live_of(
    snapshot: Connection,
    organisation: str,
    roles: Collection[str],
    after: UUID | None,
    most: int,
) -> list[MemberRow]:
    """Read the members of *organisation* who are not disabled, by id from *after* on."""
    given = {"organisation": organisation, "roles": sorted(roles)}
    statement = _LIVE if after is None else _AFTER
    found = await snapshot.execute(
        statement.limit(most), given if after is None else {**given, "after": after}
    )
    return [row for each in found.all() if (row := _row(each)) is not None]


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
