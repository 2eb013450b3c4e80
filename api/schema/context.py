"""What every resolver gets: the house, and who asks."""

from dataclasses import dataclass
from uuid import UUID

import strawberry
from strawberry.types import Info

from api.casework.house import House
from api.errors import MalformedId
from api.vocabulary import Caller


@dataclass(frozen=True, slots=True)
class Context:
    """One request."""

    house: House
    caller: Caller


PerisaiInfo = Info[Context, None]


def uuid_of(text: strawberry.ID) -> UUID:
    """Read an id.

    Raises:
        MalformedId: no record can have it.
    """
    try:
        found = UUID(text)
    except ValueError:
        raise MalformedId from None
    if str(found) != text:
        raise MalformedId
    return found
