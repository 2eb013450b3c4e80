"""Ties to reported adversaries: rows that keep somebody out, and the tags they match by."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    union_all,
    update,
)

from api.database import Connection
from api.store.tables import (
    RIGHTS,
    adversary_tag,
    case_file,
    member,
    release,
    release_origin,
    tie,
)

#: What is read of a tie: the columns that its seal covers, and the seal.
COLUMNS = (*RIGHTS["tie"], "seal")
_TAG = COLUMNS.index("tag")

_stands = and_(tie.c.member == bindparam("me"), tie.c.withdrawn_at.is_(None))

#: Whether a tie of the caller keeps a case file from them, as far as SQL can tell: seals are
#: checked afterwards. `me` and `agency` (the caller's) are parameters. IN, not EXISTS: what
#: the caller is kept out of, nearly always nothing, is then found once and not for each row.
tied: ColumnElement[bool] = case_file.c.id.in_(
    union_all(
        select(tie.c.case_file).where(_stands, tie.c.case_file.is_not(None)),
        select(adversary_tag.c.case_file)
        .join(tie, tie.c.tag == adversary_tag.c.tag)
        .where(_stands, adversary_tag.c.agency == bindparam("agency")),
    )
)

SCOPE: Mapping[str, ColumnElement[Any]] = {"tied": tied}

#: Whether any tie of the caller was ever declared: nearly never, and then no more is read.
declared: ColumnElement[Any] = (
    select(exists().where(tie.c.member == bindparam("me"))).scalar_subquery().label("declared")
)


def _select() -> Select[Any]:
    return select(*(tie.c[name] for name in COLUMNS)).order_by(tie.c.id)


async def of_members(connection: Connection, member_ids: Collection[UUID]) -> list[tuple[Any, ...]]:
    """Read every tie of these members, withdrawn or not: the caller judges by the seals."""
    result = await connection.execute(_select().where(tie.c.member.in_(sorted(member_ids))))
    return [tuple(row) for row in result.all()]


async def of_agency(connection: Connection, agency: str) -> list[tuple[Any, ...]]:
    """Read every tie of the members of *agency*, withdrawn or not, whatever a row says besides."""
    members = select(member.c.id).where(member.c.organisation == agency)
    result = await connection.execute(_select().where(tie.c.member.in_(members)))
    return [tuple(row) for row in result.all()]


async def of_partner(connection: Connection, partner: str, agency: str) -> list[tuple[Any, ...]]:
    """Read every tie of *partner* that *agency* declared, withdrawn or not."""
    result = await connection.execute(
        _select().where(tie.c.partner == partner, tie.c.agency == agency)
    )
    return [tuple(row) for row in result.all()]


async def partners_of(connection: Connection, agency: str, tag: str) -> list[str]:
    """Name the partners of which *agency* ever declared a tie to what *tag* is of."""
    found = await connection.scalars(
        select(tie.c.partner)
        .where(tie.c.agency == agency, tie.c.tag == tag, tie.c.partner.is_not(None))
        .distinct()
        .order_by(tie.c.partner)
    )
    return list(found)


async def is_reported(change: Connection, agency: str, tag: str, case_file_id: UUID) -> bool:
    """Tell whether what *tag* is of was reported in a case file that is locked."""
    t = adversary_tag.c
    asked = select(exists().where(t.agency == agency, t.tag == tag, t.case_file == case_file_id))
    return bool(await change.scalar(asked))


async def locked(change: Connection, tie_id: UUID, agency: str) -> tuple[Any, ...] | None:
    """Read and lock one tie that *agency* declared."""
    result = await change.execute(
        _select().where(tie.c.id == tie_id, tie.c.agency == agency).with_for_update()
    )
    row = result.one_or_none()
    return None if row is None else tuple(row)


async def insert_row(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert a sealed tie (column -> value)."""
    await change.execute(insert(tie), [dict(row)])


async def withdraw(change: Connection, row: Mapping[str, Any]) -> None:
    """Write how a tie ended: *row* is whole, with the seal that covers its end."""
    values = {name: row[name] for name in ("withdrawn_by", "withdrawn_at", "event", "seal")}
    await change.execute(update(tie).where(tie.c.id == row["id"]).values(values))


async def insert_tags(change: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert tags of reported institutions: `agency`, `tag`, `case_file`."""
    if rows:
        await change.execute(insert(adversary_tag), list(rows))


async def reported(
    connection: Connection, agency: str, found: Sequence[Sequence[Any]]
) -> dict[UUID, frozenset[str]]:
    """Read in which case files what the ties *found* name is reported: the tags, by case file."""
    tags = {cells[_TAG] for cells in found if isinstance(cells[_TAG], str)}
    if not tags:
        return {}
    result = await connection.execute(
        select(adversary_tag.c.case_file, adversary_tag.c.tag).where(
            adversary_tag.c.agency == agency, adversary_tag.c.tag.in_(sorted(tags))
        )
    )
    by_file: dict[UUID, set[str]] = {}
    for file, tag in result.all():
        by_file.setdefault(file, set()).add(tag)
    return {file: frozenset(tags) for file, tags in by_file.items()}


async def settle_releases(
    change: Connection,
    agency: str,
    partner: str,
    at: datetime,
    *,
    everything: bool,
    case_files: Collection[UUID],
    tags: Collection[str],
) -> None:
    """Close what *agency* released to *partner* of *case_files* or *tags*; open the rest again.

    What was made of an erased case file has no tags any more: it is closed and never opened.

    Args:
        everything: close all of it.
    """
    made = and_(release.c.agency == agency, release.c.partner == partner)
    tagged = select(adversary_tag.c.case_file).where(
        adversary_tag.c.agency == agency, adversary_tag.c.tag.in_(list(tags))
    )
    of = select(release_origin.c.release).where(
        or_(
            release_origin.c.case_file.in_(list(case_files)),
            release_origin.c.case_file.in_(tagged),
        )
    )
    closed = [] if everything else [release.c.id.in_(of)]
    await change.execute(
        update(release).where(made, release.c.tied_at.is_(None), *closed).values(tied_at=at)
    )
    if not everything:
        erased = (
            select(release_origin.c.release)
            .join(case_file, case_file.c.id == release_origin.c.case_file)
            .where(case_file.c.erased_at.is_not(None))
        )
        await change.execute(
            update(release)
            .where(
                made,
                release.c.tied_at.is_not(None),
                release.c.id.not_in(of),
                release.c.id.not_in(erased),
            )
            .values(tied_at=None)
        )
