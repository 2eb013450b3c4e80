"""What every resolver gets: the house, and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from strawberry.types import Info

from api.casework.house import House
from api.casework.receipts import Receipt
from api.errors import MalformedId
from api.schema.idempotency_keys import Once
from api.schema.incoming import GraphQLRequest
from api.schema.streams import Stream
from api.vocabulary import Caller


@dataclass(frozen=True, slots=True)
class Context:
    """One request.

    Attributes:
        stream: of a subscription, what its resolver has to wake; None: it is none.
        headers: what a resolver adds to those of the answer, names in lower case.
    """

    house: House
    caller: Caller
    stream: Stream | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Exchange:
    """One request of a caller who is signed in: what resolvers get, and its receipt."""

    def __init__(self, house: House, caller: Caller) -> None:
        """Take a ledger and a gate of this request's own.

        Raises:
            KeysUnavailable: see `Receipt`.
        """
        self._caller = caller
        self._receipt = Receipt(house, caller)
        self._once = Once(self._receipt.house, caller, self._receipt)
        #: Added to those of the answer; resolvers write to it.
        self.headers: dict[str, str] = {}

    def context(self, stream: Stream | None = None) -> Context:
        """Give what resolvers find in `info.context`."""
        return Context(self._receipt.house, self._caller, stream, self.headers)

    def left(self) -> float:
        """Give the seconds for which the caller's token still holds, without any leeway."""
        until = self._caller.signed_in_until
        return 0.0 if until is None else (until - self._receipt.house.now()).total_seconds()

    async def claim(self, key: str, asked: GraphQLRequest) -> tuple[int, dict[str, Any]] | None:
        """Claim the key of a change; None: it is to be made, else the answer."""
        return await self._once.claim(key, asked)

    async def end(self, data: Mapping[str, Any] | None) -> None:
        """Tell how the change ended whose key was claimed; None: with errors."""
        await self._once.end(data)

    def receipt(self) -> str:
        """Give the receipt of what was appended up to now, or before, where that is told again."""
        return self._once.first or self._receipt.token()


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
