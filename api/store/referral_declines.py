"""Why recipients declined what was referred to them, as codes."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from api.database import Connection
from api.store.referrals import Row
from api.store.tables import RIGHTS, referral_decline

_COLUMNS = (*RIGHTS["referral_decline"], "signature", "seal")


async def of_referrals(connection: Connection, referrals: Collection[UUID]) -> dict[UUID, Row]:
    """Read why those of *referrals* were declined of which it was said."""
    found = await connection.execute(
        select(*(referral_decline.c[name] for name in _COLUMNS)).where(
            referral_decline.c.referral.in_(list(referrals))
        )
    )
    return {row.referral: dict(zip(_COLUMNS, row, strict=True)) for row in found.all()}


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed and signed reason (column -> value)."""
    await change.execute(insert(referral_decline), [row])
