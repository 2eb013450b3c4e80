"""Rotations that were begun, and the wraps that are still under an older KEK.

What is left to do is always read from the rows themselves, so a run that was cut off
needs no bookmark, and two runs at once only share the work.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, insert, select, tuple_, update
from sqlalchemy.sql import ColumnElement

from api.crypto.data_keys import WrappedKey
from api.crypto.owner_secrets import OwnerSecret
from api.database import Connection
from api.store.tables import data_key, defender_tag, key_rotation, organisation, owner_secret
from api.vocabulary import Compartment

#: Where in the order of its table a run is: record, compartment, version.
Place = tuple[UUID, str, int]


async def start(change: Connection, owner: str, kind: str, least: int, now: datetime) -> int:
    """Give the number of the rotation that is not finished, or start one, of *least* or more."""
    await change.execute(
        select(organisation.c.slug).where(organisation.c.slug == owner).with_for_update()
    )
    last = (
        await change.execute(
            select(key_rotation.c.number, key_rotation.c.finished_at)
            .where(key_rotation.c.owner == owner, key_rotation.c.kind == kind)
            .order_by(key_rotation.c.number.desc())
            .limit(1)
        )
    ).one_or_none()
    if last is not None and last.finished_at is None:
        return int(last.number)
    number = max(least, 1 if last is None else last.number + 1)
    await change.execute(
        insert(key_rotation),
        [{"owner": owner, "kind": kind, "number": number, "started_at": now, "finished_at": None}],
    )
    return number


async def finish(change: Connection, owner: str, kind: str, number: int, now: datetime) -> None:
    """Say that the rotation is over."""
    await change.execute(
        update(key_rotation)
        .where(
            key_rotation.c.owner == owner,
            key_rotation.c.kind == kind,
            key_rotation.c.number == number,
        )
        .values(finished_at=now)
    )


_KNOWN = [compartment.value for compartment in Compartment]


def _old_wraps(after: bool) -> Select[Any]:
    order = (data_key.c.record, data_key.c.compartment, data_key.c.version)
    statement = select(
        data_key.c.record,
        data_key.c.compartment,
        data_key.c.version,
        data_key.c.owner,
        data_key.c.kek_version,
        data_key.c.wrapped,
        data_key.c.commitment,
    ).where(
        data_key.c.owner == bindparam("owner"),
        data_key.c.kek_version < bindparam("newest"),
        # A word that is no compartment makes no wrap; it is counted as left.
        data_key.c.compartment.in_(_KNOWN),
    )
    if after:
        there = (bindparam(f"after_{c.name}", type_=c.type) for c in order)
        statement = statement.where(tuple_(*order) > tuple_(*there))
    return statement.order_by(*order).limit(bindparam("most"))


_FIRST_WRAPS, _NEXT_WRAPS = _old_wraps(False), _old_wraps(True)


async def wraps_below(
    look: Connection, owner: str, newest: int, after: Place | None, most: int
) -> list[WrappedKey]:
    """Read the next wraps of *owner* under a KEK older than *newest*."""
    given = {"owner": owner, "newest": newest, "most": most}
    if after is None:
        result = await look.execute(_FIRST_WRAPS, given)
    else:
        names = ("after_record", "after_compartment", "after_version")
        result = await look.execute(_NEXT_WRAPS, {**given, **dict(zip(names, after, strict=True))})
    return [
        WrappedKey(record, Compartment(compartment), *cells)
        for record, compartment, *cells in result.all()
    ]


async def replace_wraps(
    change: Connection, owner: str, pairs: Sequence[tuple[WrappedKey, WrappedKey]]
) -> int:
    """Put the new wrap of each pair where the old one still stands; tell how many did.

    A wrap that somebody else holds is left to the next pass: who exchanges data keys
    or takes them away holds several, and two that wait for each other never end.
    """
    records = list({old.record for old, _ in pairs})
    held = await change.execute(
        select(data_key.c.record, data_key.c.compartment, data_key.c.version, data_key.c.wrapped)
        .where(data_key.c.owner == owner, data_key.c.record.in_(records))
        .with_for_update(skip_locked=True)
    )
    stored = {(record, word, version): wrapped for record, word, version, wrapped in held.all()}
    rows = [
        {
            "b_record": old.record,
            "b_compartment": old.compartment.value,
            "b_version": old.version,
            "b_old": old.wrapped,
            "b_kek_version": new.kek_version,
            "b_wrapped": new.wrapped,
        }
        for old, new in pairs
        if stored.get((old.record, old.compartment.value, old.version)) == old.wrapped
    ]
    if rows:
        await change.execute(
            update(data_key)
            .where(
                data_key.c.record == bindparam("b_record"),
                data_key.c.compartment == bindparam("b_compartment"),
                data_key.c.version == bindparam("b_version"),
                data_key.c.owner == owner,
                data_key.c.wrapped == bindparam("b_old"),
            )
            .values(kek_version=bindparam("b_kek_version"), wrapped=bindparam("b_wrapped")),
            rows,
        )
    return len(rows)


async def replace_secret(change: Connection, old: OwnerSecret, new: OwnerSecret) -> None:
    """Put the new wrap of a secret where the old one still stands."""
    await change.execute(
        update(owner_secret)
        .where(
            owner_secret.c.owner == old.owner,
            owner_secret.c.kind == old.kind,
            owner_secret.c.version == old.version,
            owner_secret.c.wrapped == old.wrapped,
        )
        .values(kek_version=new.kek_version, wrapped=new.wrapped)
    )


#: Kind of key -> the tables whose rows stand under a version of it, with what says so.
_UNDER: Mapping[str, Sequence[tuple[str, ColumnElement[Any], ColumnElement[Any]]]] = {
    "kek": (
        ("data_key", data_key.c.owner, data_key.c.kek_version),
        ("owner_secret", owner_secret.c.owner, owner_secret.c.kek_version),
    ),
    "idx": (("defender_tag", defender_tag.c.agency, defender_tag.c.index_version),),
}


async def rows_below(connection: Connection, owner: str, kind: str, version: int) -> dict[str, int]:
    """Count the rows of *owner* that stand under a version below *version*, by table."""
    found = {}
    for table, of, under in _UNDER[kind]:
        result = await connection.execute(
            select(func.count()).where(and_(of == owner, under < version))
        )
        found[table] = int(result.scalar_one())
    return {table: count for table, count in found.items() if count}
