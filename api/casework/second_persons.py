"""May somebody who did a part before still do it? Asked when what rests on it happens.

The same question as then, on the rows, rights and policy of this moment.
"""

from uuid import UUID

from api.casework import rights
from api.casework.changing import Ask, Changing, No, decide
from api.casework.house import House
from api.database import Connection
from api.errors import NotForThisFace
from api.store import members
from api.vocabulary import Caller, Caseworker, MemberId, Purpose, Role


async def may_still(
    house: House,
    transaction: Connection,
    caller: Caller,
    member: UUID,
    purpose: str,
    part: tuple[Changing, Ask],
) -> bool:
    """Tell whether *member*, of the caller's agency, may do *part* now, for that *purpose*."""
    person = await members.by_id(transaction, member)
    if person is None or not rights.holds(
        house, caller.organisation, "member", person.seal_values, person.seal
    ):
        return False
    colleague = Caseworker(
        MemberId(person.id),
        caller.organisation,
        Role(person.role),
        Purpose(purpose),
        None,
        caller.request,
    )
    try:
        return not isinstance(await decide(house, transaction, colleague, *part), No)
    except NotForThisFace:
        return False
