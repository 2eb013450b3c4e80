"""Releases: redacted views for one partner, sealed under the partner's own key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, insert, select, tuple_
from sqlalchemy.sql import ColumnElement

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import RIGHTS, release, release_origin

#: What the policy's facts about a release are in SQL.
SCOPE: Mapping[str, ColumnElement[Any]] = {
    "addressed": release.c.partner == bindparam("partner"),
    "live": and_(
        release.c.until > bindparam("now", type_=release.c.until.type),
        release.c.revoked_at.is_(None),
    ),
    "for_purpose": release.c.purpose == bindparam("purpose"),
}


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release as read."""

    id: UUID
    partner: str
    agency: str
    profile: str
    purpose: str
    until: datetime
    revoked_at: datetime | None
    event: int
    seal: bytes
    body: Sealed
    in_scope: bool

    @property
    def seal_values(self) -> tuple[Any, ...]:
        """The values that the seal covers, in its order."""
        return (
            self.id,
            self.partner,
            self.agency,
            self.profile,
            self.purpose,
            self.until,
            self.revoked_at,
            self.event,
        )


@lru_cache(maxsize=64)
def _statement(scope: ColumnElement[bool], one: bool, after: bool) -> Select[Any]:
    statement = select(
        *(release.c[name] for name in RIGHTS["release"]),
        release.c.seal,
        release.c.body,
        scope.label("in_scope"),
    )
    if one:
        return statement.where(release.c.id == bindparam("id"))
    statement = statement.where(scope)
    if after:
        statement = statement.where(
            tuple_(release.c.until, release.c.id)
            > tuple_(
                bindparam("after_key", type_=release.c.until.type),
                bindparam("after_id", type_=release.c.id.type),
            )
        )
    return statement.order_by(release.c.until, release.c.id).limit(bindparam("first"))


async def one(
    snapshot: Connection, scope: ColumnElement[bool], parameters: Mapping[str, Any]
) -> ReleaseRow | None:
    """Read one release, whoever it is for; *parameters*: `id`, `partner`, `now`, `purpose`."""
    row = (await snapshot.execute(_statement(scope, True, False), parameters)).one_or_none()
    return None if row is None else ReleaseRow(*row)


async def page(
    snapshot: Connection, scope: ColumnElement[bool], parameters: Mapping[str, Any]
) -> list[ReleaseRow]:
    """Read a page in scope, first to end first; *parameters*: as `one`, `first`, `after_*`."""
    statement = _statement(scope, False, "after_id" in parameters)
    return [ReleaseRow(*row) for row in (await snapshot.execute(statement, parameters)).all()]


async def insert_rows(
    change: Connection,
    rows: Sequence[Mapping[str, Any]],
    origins: Sequence[Mapping[str, Any]],
) -> None:
    """Insert sealed releases (column -> value) and what they were made from."""
    if rows:
        await change.execute(insert(release), list(rows))
        await change.execute(insert(release_origin), list(origins))
