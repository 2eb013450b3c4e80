"""What referrals rest on, and which of them wait for a second person's review."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from api.database import Connection
from api.store.referrals import Row
from api.store.tables import RIGHTS, referral_basis
from api.vocabulary import LegalBasis

_COLUMNS = (*RIGHTS["referral_basis"], "seal")
_SELECT = select(*(referral_basis.c[name] for name in _COLUMNS))


async def of_referrals(connection: Connection, referrals: Collection[UUID]) -> dict[UUID, Row]:
    """Read what each of *referrals* rests on; one from before there were consents has none."""
    found = await connection.execute(_SELECT.where(referral_basis.c.referral.in_(list(referrals))))
    return {row.referral: dict(zip(_COLUMNS, row, strict=True)) for row in found.all()}


async def one_of(connection: Connection, referral: UUID, agency: str) -> Row | None:
    """Read what a referral rests on that *agency* gave; of another's no row, as of none."""
    found = await connection.execute(
        _SELECT.where(referral_basis.c.referral == referral, referral_basis.c.agency == agency)
    )
    row = found.one_or_none()
    return None if row is None else dict(zip(_COLUMNS, row, strict=True))


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed basis (column -> value)."""
    await change.execute(insert(referral_basis), [row])


async def unreviewed(connection: Connection, agency: str, most: int) -> list[Row]:
    """Read what *agency* gave in the vital interest of somebody, longest waiting first."""
    found = await connection.execute(
        _SELECT.where(
            referral_basis.c.agency == agency,
            referral_basis.c.basis == LegalBasis.VITAL_INTEREST.value,
            referral_basis.c.reviewed_at.is_(None),
        )
        .order_by(referral_basis.c.decided_at, referral_basis.c.referral)
        .limit(most)
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in found.all()]


#: What changes of one: that it was reviewed.
_CHANGES = ("reviewed_by", "reviewed_at", "reviewed_event", "seal")


async def review(change: Connection, row: Row) -> None:
    """Write that one was reviewed, with its new seal."""
    changed = {name: row[name] for name in _CHANGES}
    await change.execute(
        update(referral_basis).where(referral_basis.c.referral == row["referral"]).values(**changed)
    )
