"""Matching across agencies: what was asked, what was found, who is linked; rows as they stand.

Casework proves them. Nothing here compares what two agencies hold: tags are looked for among
those of one agency, under whose key they were made.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from api.database import Connection
from api.store.tables import (
    RIGHTS,
    case_file,
    case_file_defender,
    defender,
    defender_tag,
    linked_record,
    match_hit,
    match_request,
    organisation,
)

Row = dict[str, Any]

_REQUEST = (*RIGHTS["match_request"], "sealed", "signature", "seal")
_HIT = (*RIGHTS["match_hit"], "seal")
_LINK = (*RIGHTS["linked_record"], "signature", "seal")

#: Confirmations that one look of a process takes up, oldest first.
AT_ONCE = 50

#: Rows of one agency that are read at once: more than the limits of all others let stand.
READ = 1_000

#: Defenders that are looked at where several share what was asked for, as a telephone.
KNOWN_READ = 200


def _rows(names: Sequence[str], found: Any) -> list[Row]:
    return [dict(zip(names, row, strict=True)) for row in found.all()]


async def lock_agency(change: Connection, agency: str) -> None:
    """Let nobody else of *agency* count its requests until the commit.

    The lock lets rows be inserted that only name the agency.
    """
    await change.execute(
        select(organisation.c.slug)
        .where(organisation.c.slug == agency)
        .with_for_update(key_share=True)
    )


async def asked_since(
    connection: Connection, agency: str, member: UUID, since: datetime
) -> tuple[int, int]:
    """Count what *member*, and what all of *agency*, asked after *since*."""
    found = await connection.execute(
        select(func.count().filter(match_request.c.asked_by == member), func.count()).where(
            match_request.c.asker == agency, match_request.c.asked_at > since
        )
    )
    mine, all_of_us = found.one()
    return int(mine), int(all_of_us)


async def insert_request(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a request (column -> value)."""
    await change.execute(insert(match_request), dict(row))


async def request(connection: Connection, request_id: UUID) -> Row | None:
    """Read one request."""
    found = await connection.execute(
        select(*(match_request.c[n] for n in _REQUEST)).where(match_request.c.id == request_id)
    )
    rows = _rows(_REQUEST, found)
    return rows[0] if rows else None


async def locked_request(change: Connection, request_id: UUID) -> Row | None:
    """Read one request as `request`, once nobody else is at it, until the commit."""
    found = await change.execute(
        select(*(match_request.c[n] for n in _REQUEST))
        .where(match_request.c.id == request_id)
        .with_for_update()
    )
    rows = _rows(_REQUEST, found)
    return rows[0] if rows else None


async def requests_of(
    connection: Connection, agency: str, member: UUID, now: datetime, most: int
) -> list[Row]:
    """Read the newest requests of *member* that are not over."""
    found = await connection.execute(
        select(*(match_request.c[n] for n in _REQUEST))
        .where(
            match_request.c.asker == agency,
            match_request.c.asked_by == member,
            match_request.c.until > now,
        )
        .order_by(match_request.c.asked_at.desc(), match_request.c.id.desc())
        .limit(most)
    )
    return _rows(_REQUEST, found)


class Sent(NamedTuple):
    """A request that waits: its id, who asked, and who is asked."""

    id: UUID
    asker: str
    recipient: str


async def to_look_up(
    connection: Connection, recipients: Collection[str], now: datetime
) -> list[Sent]:
    """Name what was sent to *recipients* and none of them has looked for yet, oldest first."""
    found = await connection.execute(
        select(match_request.c.id, match_request.c.asker, match_request.c.recipient)
        .where(
            match_request.c.recipient.in_(list(recipients)),
            match_request.c.until > now,
            ~exists().where(match_hit.c.request == match_request.c.id),
        )
        .order_by(match_request.c.id)
        .limit(READ)
    )
    return [Sent(*row) for row in found.all()]


async def looked_for_since(connection: Connection, agency: str, asker: str, since: datetime) -> int:
    """Count for how many requests of *asker* *agency* has looked after *since*."""
    found = await connection.execute(
        select(func.count()).where(
            match_hit.c.agency == agency,
            match_hit.c.asker == asker,
            match_hit.c.looked_at > since,
        )
    )
    return int(found.scalar_one())


async def known(
    connection: Connection, agency: str, tags: Mapping[str, Collection[bytes]]
) -> list[tuple[UUID, str]]:
    """Name whom *agency* knows by *tags* (field -> tags), and by which field each.

    Only who stands in a case file that the agency leads.
    """
    wanted = [
        and_(defender_tag.c.field == field, defender_tag.c.tag.in_(list(some)))
        for field, some in sorted(tags.items())
    ]
    found = await connection.execute(
        select(defender_tag.c.defender, defender_tag.c.field)
        .distinct()
        .join(defender, defender.c.id == defender_tag.c.defender)
        .where(
            defender_tag.c.agency == agency,
            defender.c.agency == agency,
            defender.c.erased_at.is_(None),
            or_(*wanted),
            exists().where(
                case_file_defender.c.defender == defender_tag.c.defender,
                case_file.c.id == case_file_defender.c.case_file,
                case_file.c.lead_agency == agency,
            ),
        )
        .order_by(defender_tag.c.defender.desc())
        .limit(KNOWN_READ)
    )
    return [(row[0], row[1]) for row in found.all()]


async def empty_request(change: Connection, request_id: UUID) -> None:
    """Take away what was sealed to the recipient, which has looked."""
    await change.execute(
        update(match_request).where(match_request.c.id == request_id).values(sealed=b"")
    )


async def insert_hit(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert what was found for a request (column -> value)."""
    await change.execute(insert(match_hit), dict(row))


async def hit_of(connection: Connection, request_id: UUID, agency: str) -> Row | None:
    """Read what *agency* found for a request, as of none where another one did."""
    found = await connection.execute(
        select(*(match_hit.c[n] for n in _HIT)).where(
            match_hit.c.request == request_id, match_hit.c.agency == agency
        )
    )
    rows = _rows(_HIT, found)
    return rows[0] if rows else None


async def hits_of(connection: Connection, agency: str, now: datetime) -> list[Row]:
    """Read what *agency* found, or did not, for every request that is not over; oldest first."""
    found = await connection.execute(
        select(*(match_hit.c[n] for n in _HIT))
        .where(match_hit.c.agency == agency, match_hit.c.until > now)
        .order_by(match_hit.c.until, match_hit.c.request)
        .limit(READ)
    )
    return _rows(_HIT, found)


async def hits_among(connection: Connection, agency: str, requests: Collection[UUID]) -> list[Row]:
    """Read what *agency* found for *requests*."""
    found = await connection.execute(
        select(*(match_hit.c[n] for n in _HIT)).where(
            match_hit.c.request.in_(list(requests)), match_hit.c.agency == agency
        )
    )
    return _rows(_HIT, found)


async def lock_hit(change: Connection, request_id: UUID) -> None:
    """Let nobody else answer one until the commit."""
    await change.execute(
        select(match_hit.c.request).where(match_hit.c.request == request_id).with_for_update()
    )


async def renew_hit(change: Connection, row: Mapping[str, Any]) -> None:
    """Write the answer into one, with its new seal."""
    await change.execute(
        update(match_hit)
        .where(match_hit.c.request == row["request"])
        .values(result=row["result"], event=row["event"], seal=row["seal"])
    )


async def insert_link(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert an agency's own side of a link (column -> value)."""
    await change.execute(insert(linked_record), dict(row))


async def to_link(connection: Connection, askers: Collection[str]) -> list[Row]:
    """Read what other agencies confirmed to *askers* and these have no row of yet."""
    mine = aliased(linked_record)
    found = await connection.execute(
        select(*(linked_record.c[n] for n in _LINK))
        .join(
            match_request,
            and_(
                match_request.c.id == linked_record.c.request,
                match_request.c.asker == linked_record.c.peer,
                match_request.c.recipient == linked_record.c.agency,
            ),
        )
        .where(
            linked_record.c.peer.in_(list(askers)),
            ~exists().where(
                mine.c.request == linked_record.c.request, mine.c.agency == linked_record.c.peer
            ),
        )
        .order_by(linked_record.c.request)
        .limit(AT_ONCE)
    )
    return _rows(_LINK, found)


async def links_of(
    connection: Connection, agency: str, requests: Collection[UUID]
) -> dict[UUID, Row]:
    """Read *agency*'s own sides of what *requests* led to, by request."""
    found = await connection.execute(
        select(*(linked_record.c[n] for n in _LINK)).where(
            linked_record.c.agency == agency, linked_record.c.request.in_(list(requests))
        )
    )
    return {row["request"]: row for row in _rows(_LINK, found)}


async def links_to(connection: Connection, agency: str, defender_id: UUID, most: int) -> list[Row]:
    """Read *agency*'s own sides of the newest links of one of its defenders."""
    found = await connection.execute(
        select(*(linked_record.c[n] for n in _LINK))
        .where(linked_record.c.agency == agency, linked_record.c.defender == defender_id)
        .order_by(linked_record.c.confirmed_at.desc(), linked_record.c.request)
        .limit(most)
    )
    return _rows(_LINK, found)


async def delete_over(
    change: Connection, agencies: Collection[str], now: datetime, asked_before: datetime
) -> None:
    """Delete what *agencies* found and is over, and what they asked that ended long enough ago."""
    mine = list(agencies)
    await change.execute(
        delete(match_hit).where(match_hit.c.agency.in_(mine), match_hit.c.until <= now)
    )
    await change.execute(
        delete(match_request).where(
            match_request.c.asker.in_(mine), match_request.c.until <= asked_before
        )
    )


async def is_over(
    connection: Connection, agencies: Collection[str], now: datetime, asked_before: datetime
) -> bool:
    """Tell whether `delete_over` would delete anything."""
    mine = list(agencies)
    found = await connection.execute(
        select(
            exists().where(match_hit.c.agency.in_(mine), match_hit.c.until <= now),
            exists().where(match_request.c.asker.in_(mine), match_request.c.until <= asked_before),
        )
    )
    return any(found.one())
