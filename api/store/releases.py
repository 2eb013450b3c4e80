"""Releases: redacted views for one partner, sealed under the partner's own key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.sql import ColumnElement

from api.crypto.sealed import Sealed
from api.database import Connection
from api.store.tables import RIGHTS, data_key, release, release_origin

#: What the policy's facts about a release are in SQL.
SCOPE: Mapping[str, ColumnElement[Any]] = {
    "addressed": release.c.partner == bindparam("partner"),
    "live": and_(
        release.c.until > bindparam("now", type_=release.c.until.type),
        release.c.revoked_at.is_(None),
        release.c.stopped_at.is_(None),
    ),
    "for_purpose": release.c.purpose == bindparam("purpose"),
    "tied": release.c.tied_at.is_not(None),
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
    tied: bool = False
    stopped: bool = False

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


_MADE_BY = select(release.c.agency).where(release.c.id == bindparam("id"))


@lru_cache(maxsize=64)
def _statement(scope: ColumnElement[bool], one: bool, after: bool) -> Select[Any]:
    statement = select(
        *(release.c[name] for name in RIGHTS["release"]),
        release.c.seal,
        release.c.body,
        release.c.tied_at.is_not(None).label("tied"),
        release.c.stopped_at.is_not(None).label("stopped"),
    ).where(scope)
    if one:
        # What is not in scope gives no row, as what is not there.
        return statement.where(release.c.id == bindparam("id"))
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
    """Read one release in scope; *parameters*: `id`, `partner`, `now`, `purpose`."""
    row = (await snapshot.execute(_statement(scope, True, False), parameters)).one_or_none()
    return None if row is None else ReleaseRow(*row)


async def made_by(snapshot: Connection, release_id: UUID) -> tuple[str, ...]:
    """Name who made a release, in scope or not: for the log only."""
    return tuple((await snapshot.scalars(_MADE_BY, {"id": release_id})).all())


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


async def going_to(
    connection: Connection, agency: str, case_file: UUID, partner: str | None
) -> list[UUID]:
    """Name what *agency* released of a case file and did not stop or revoke.

    Args:
        partner: only what was made for it; None: for anybody.
    """
    made = (
        select(release.c.id)
        .join(release_origin, release_origin.c.release == release.c.id)
        .where(
            release.c.agency == agency,
            release_origin.c.case_file == case_file,
            release.c.revoked_at.is_(None),
            release.c.stopped_at.is_(None),
        )
        .order_by(release.c.id)
    )
    if partner is not None:
        made = made.where(release.c.partner == partner)
    return list(await connection.scalars(made))


async def stop(change: Connection, releases: Sequence[UUID], at: datetime) -> None:
    """Close *releases* for good: their keys go, so that no row that is put back opens them."""
    stopped = list(releases)
    await change.execute(update(release).where(release.c.id.in_(stopped)).values(stopped_at=at))
    await change.execute(delete(data_key).where(data_key.c.record.in_(stopped)))
