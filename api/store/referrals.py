"""Referrals: the giver's row, the recipient's row, and the keys that are on their way."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, delete, insert, or_, select, update

from api.crypto.sharing import Share
from api.database import Connection
from api.store.tables import (
    RIGHTS,
    case_file,
    case_file_defender,
    defender,
    key_share,
    organisation,
    referral,
    referral_right,
)

#: The most referrals that are listed at once, newest first.
LISTED = 100

Row = dict[str, Any]


class ShareRow(NamedTuple):
    """A key on its way, as read; what it is bound to beside stands in the referral."""

    record: UUID
    compartment: str
    version: int
    commitment: bytes
    sealed: bytes
    signature: bytes

    def __repr__(self) -> str:
        """Name what it is, without its bytes."""
        return f"<share of {self.compartment} of {self.record}>"


class Sides(NamedTuple):
    """Both sides of one referral, as read: columns by name, with seal and signature.

    Attributes:
        theirs: the recipient's side; None before it answered.
    """

    given: Row
    theirs: Row | None


_GIVEN = (*RIGHTS["referral"], "signature", "seal")
_THEIRS = (*RIGHTS["referral_right"], "closed_at", "signature", "seal")
_SIDES = select(
    *(referral.c[name].label(f"g_{name}") for name in _GIVEN),
    *(referral_right.c[name].label(f"t_{name}") for name in _THEIRS),
).select_from(referral.outerjoin(referral_right, referral_right.c.referral == referral.c.id))


def _sides(row: Any) -> Sides:
    cells = tuple(row)
    given = dict(zip(_GIVEN, cells, strict=False))
    theirs = dict(zip(_THEIRS, cells[len(_GIVEN) :], strict=True))
    return Sides(given, None if theirs["referral"] is None else theirs)


async def one(connection: Connection, referral_id: UUID) -> Sides | None:
    """Read both sides of one referral."""
    found = await connection.execute(_SIDES.where(referral.c.id == referral_id))
    row = found.one_or_none()
    return None if row is None else _sides(row)


async def one_of(connection: Connection, referral_id: UUID, agency: str) -> Sides | None:
    """Read both sides of one referral that *agency* gave or received, as of none otherwise."""
    found = await connection.execute(
        _SIDES.where(
            referral.c.id == referral_id,
            or_(referral.c.giver == agency, referral.c.recipient == agency),
        )
    )
    row = found.one_or_none()
    return None if row is None else _sides(row)


async def with_ids(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Sides]:
    """Read both sides of several referrals, by id."""
    found = await connection.execute(_SIDES.where(referral.c.id.in_(list(ids))))
    return {sides.given["id"]: sides for sides in map(_sides, found.all())}


async def of_agency(connection: Connection, agency: str) -> list[Sides]:
    """Read the newest referrals that *agency* gave or received."""
    found = await connection.execute(
        _SIDES.where(or_(referral.c.giver == agency, referral.c.recipient == agency))
        .order_by(referral.c.id.desc())
        .limit(LISTED)
    )
    return [_sides(row) for row in found.all()]


async def given_of(
    connection: Connection, agency: str, case_files: Collection[UUID]
) -> list[Sides]:
    """Read the referrals that *agency* gave of *case_files*, over or not."""
    found = await connection.execute(
        _SIDES.where(referral.c.giver == agency, referral.c.case_file.in_(list(case_files)))
        .order_by(referral.c.id.desc())
        .limit(LISTED)
    )
    return [_sides(row) for row in found.all()]


async def open_of(connection: Connection, agency: str, case_file_id: UUID) -> list[Sides]:
    """Read the referrals that *agency* gave of one case file and has not ended."""
    found = await connection.execute(
        _SIDES.where(
            referral.c.giver == agency,
            referral.c.case_file == case_file_id,
            referral.c.ended_at.is_(None),
        ).order_by(referral.c.id)
    )
    return [_sides(row) for row in found.all()]


async def unfinished(connection: Connection, agencies: Collection[str]) -> list[Sides]:
    """Read what *agencies* gave or received and may still have to do something about."""
    mine = list(agencies)
    found = await connection.execute(
        _SIDES.where(
            or_(
                and_(referral.c.giver.in_(mine), referral.c.renewed_event.is_(None)),
                and_(referral_right.c.recipient.in_(mine), referral_right.c.ended_at.is_(None)),
            )
        ).order_by(referral.c.id)
    )
    return [_sides(row) for row in found.all()]


async def accepted_here(
    connection: Connection, recipient: str, case_file_id: UUID, now: datetime
) -> bool:
    """Tell whether *recipient* has a live right on the case file already."""
    found = await connection.execute(
        select(referral_right.c.referral).where(
            referral_right.c.recipient == recipient,
            referral_right.c.case_file == case_file_id,
            referral_right.c.answer == "accepted",
            referral_right.c.ended_at.is_(None),
            referral_right.c.closed_at.is_(None),
            referral_right.c.until > now,
        )
    )
    return found.first() is not None


async def proposed_here(
    connection: Connection, recipient: str, case_file_id: UUID, now: datetime
) -> bool:
    """Tell whether a referral of the case file to *recipient* is not over yet."""
    found = await connection.execute(
        select(referral.c.id).where(
            referral.c.recipient == recipient,
            referral.c.case_file == case_file_id,
            referral.c.ended_at.is_(None),
            referral.c.until > now,
        )
    )
    return found.first() is not None


async def is_agency(connection: Connection, slug: str) -> bool:
    """Tell whether *slug* is an agency here."""
    found = await connection.execute(
        select(organisation.c.slug).where(
            organisation.c.slug == slug, organisation.c.kind == "agency"
        )
    )
    return found.first() is not None


async def led_elsewhere(
    connection: Connection, agency: str, case_file_id: UUID, defenders: Collection[UUID]
) -> bool:
    """Tell whether the case file and all *defenders*, linked to it, are of *agency*."""
    file = await connection.execute(
        select(case_file.c.id).where(
            case_file.c.id == case_file_id, case_file.c.lead_agency == agency
        )
    )
    people = await connection.execute(
        select(defender.c.id)
        .join(case_file_defender, case_file_defender.c.defender == defender.c.id)
        .where(
            case_file_defender.c.case_file == case_file_id,
            defender.c.agency == agency,
            defender.c.id.in_(list(defenders)),
        )
    )
    return file.first() is not None and set(people.scalars()) == set(defenders)


async def insert_referral(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert the giver's side (column -> value)."""
    await change.execute(insert(referral), dict(row))


async def insert_right(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert the recipient's side (column -> value)."""
    await change.execute(insert(referral_right), dict(row))


async def end_referral(change: Connection, row: Mapping[str, Any]) -> None:
    """Write the end of the giver's side, with the seal that covers it."""
    await change.execute(
        update(referral)
        .where(referral.c.id == row["id"])
        .values(
            ended_at=row["ended_at"],
            ended_event=row["ended_event"],
            renewed_event=row["renewed_event"],
            seal=row["seal"],
        )
    )


async def end_right(change: Connection, row: Mapping[str, Any]) -> None:
    """Write the end of the recipient's side, with the seal and signature that cover it."""
    await change.execute(
        update(referral_right)
        .where(referral_right.c.referral == row["referral"])
        .values(
            ended_at=row["ended_at"],
            ended_event=row["ended_event"],
            signature=row["signature"],
            seal=row["seal"],
        )
    )


async def close_right(change: Connection, referral_id: UUID, now: datetime) -> None:
    """Close the recipient's side, as the giver: no right holds that is closed."""
    await change.execute(
        update(referral_right)
        .where(referral_right.c.referral == referral_id, referral_right.c.closed_at.is_(None))
        .values(closed_at=now)
    )


async def shares_of(connection: Connection, referral_id: UUID) -> list[ShareRow]:
    """Read the keys that are on their way for one referral."""
    found = await connection.execute(
        select(*(key_share.c[name] for name in ShareRow._fields)).where(
            key_share.c.referral == referral_id
        )
    )
    return [ShareRow(*row) for row in found.all()]


async def on_their_way(connection: Connection) -> set[UUID]:
    """Name the referrals for which keys are on their way."""
    found = await connection.execute(select(key_share.c.referral).distinct())
    return set(found.scalars())


async def insert_shares(change: Connection, shares: Sequence[Share]) -> None:
    """Insert keys that are on their way."""
    if shares:
        await change.execute(
            insert(key_share),
            [
                {
                    "referral": s.terms.referral,
                    "record": s.terms.record,
                    "compartment": s.terms.compartment.value,
                    "version": s.terms.version,
                    "commitment": s.terms.commitment,
                    "sealed": s.sealed,
                    "signature": s.signature,
                }
                for s in shares
            ],
        )


async def delete_shares(
    change: Connection, referral_id: UUID, only: Sequence[ShareRow] | None = None
) -> None:
    """Delete the keys on their way for one referral, or *only* some of them."""
    if only is None:
        await change.execute(delete(key_share).where(key_share.c.referral == referral_id))
        return
    for share in only:
        await change.execute(
            delete(key_share).where(
                key_share.c.referral == referral_id,
                key_share.c.record == share.record,
                key_share.c.compartment == share.compartment,
                key_share.c.version == share.version,
            )
        )
