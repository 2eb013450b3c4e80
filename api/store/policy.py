"""Adopted policies, as rows that prove themselves: casework checks their signatures."""

from typing import NamedTuple

from sqlalchemy import bindparam, insert, select

from api.database import Connection
from api.store.tables import policy


class PolicyRow(NamedTuple):
    """One row, of whatever somebody wrote into it."""

    number: int
    note: str
    texts: str


class Standing(NamedTuple):
    """What a request sees of the policies: the notes of the one in force and of the next.

    None: there is no such row.
    """

    note: str | None
    following: str | None


#: Columns of another statement, which binds `policy`: the number of the policy in force.
STANDING = (
    select(policy.c.note)
    .where(policy.c.number == bindparam("policy"))
    .scalar_subquery()
    .label("policy_note"),
    select(policy.c.note)
    .where(policy.c.number == bindparam("policy") + 1)
    .scalar_subquery()
    .label("policy_following"),
)

_STANDING = select(*STANDING)

_SINCE = (
    select(policy.c.number, policy.c.note, policy.c.texts)
    .where(policy.c.number >= bindparam("number"))
    .order_by(policy.c.number)
)


async def standing(connection: Connection, number: int) -> Standing:
    """Read what stands if the policy of *number* is in force."""
    return Standing(*(await connection.execute(_STANDING, {"policy": number})).one())


async def since(connection: Connection, number: int) -> list[PolicyRow]:
    """Read the rows from *number* on, in order."""
    result = await connection.execute(_SINCE, {"number": number})
    return [PolicyRow(*row) for row in result.all()]


async def insert_row(change: Connection, row: PolicyRow) -> None:
    """Insert one row; a number stands once."""
    await change.execute(insert(policy), [row._asdict()])
