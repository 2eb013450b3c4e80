"""What an answer says of its own events: a token that only an officer can turn into them.

While a request runs, its ledger remembers where its events came to stand. The token says
that under the seal of the caller's organisation, so that the caller, who carries it,
learns nothing from it: it has one length, whether a request left no event or a hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from api.accesslog.event import Event
from api.casework.house import Appends, House
from api.crypto.cursors import CursorKey
from api.crypto.framing import frame
from api.errors import MalformedCursor, ReceiptInvalid
from api.vocabulary import Caller, Decision, Phase, SecurityOfficer

#: How long a receipt opens: a quarter, in which somebody may ask what an answer was.
RECEIPT_LIFETIME: Final = timedelta(days=92)

#: Bytes of a request's id, which is a word of the log; shorter ones are filled up.
_REQUEST: Final = 64
#: Bytes of an index or a moment.
_NUMBER: Final = 8
#: Stands for the first index of a request that left no event.
_NONE: Final = 2**63 - 1

_CONTEXT: Final = b"receipt"


class Noting:
    """The ledger of one request: it appends, and remembers the first and the last index.

    Attributes:
        changes: the intents and outcomes.
        disclosed: something may have been opened, since there is another event, of no refusal.
    """

    def __init__(self, ledger: Appends) -> None:
        """Append to *ledger*."""
        self._ledger = ledger
        self.first = _NONE
        self.last = 0
        self.changes: list[Event] = []
        self.disclosed = False

    async def append(self, event: Event) -> int:
        """Append *event*, as the ledger does."""
        index = await self._ledger.append(event)
        self.first, self.last = min(self.first, index), max(self.last, index)
        if event.phase is not Phase.WHOLE:
            self.changes.append(event)
        elif event.decision is not Decision.REFUSED:
            self.disclosed = True
        return index

    async def health(self) -> None:
        """Ask the ledger itself."""
        await self._ledger.health()


class Receipt:
    """The receipt of one request, which is to be answered by `house`.

    Attributes:
        house: the house, with a ledger and a gate of this request's own.
        noted: that ledger.
    """

    def __init__(self, house: House, caller: Caller) -> None:
        """Begin before anything is appended, so that nothing can fail after it.

        Raises:
            KeysUnavailable: the organisation's key is not here.
        """
        self._key = house.keyring.cursor_key(caller.organisation)
        self._caller = caller
        self._until = house.now() + RECEIPT_LIFETIME
        self.noted = Noting(house.ledger)
        self.house = replace(house, ledger=self.noted, gate=house.gate.of_request())

    def token(self) -> str:
        """Seal what was noted up to now."""
        noted = self.noted
        return _token(
            self._key, self._caller, self._caller.request, noted.first, noted.last, self._until
        )


def receipt_of(house: House, caller: Caller, request: str, indices: Sequence[int]) -> str:
    """Make the receipt of an earlier *request* of the caller, whose events have these *indices*."""
    key = house.keyring.cursor_key(caller.organisation)
    first, last = (min(indices), max(indices)) if indices else (_NONE, 0)
    return _token(key, caller, request, first, last, house.now() + RECEIPT_LIFETIME)


@dataclass(frozen=True, slots=True)
class Noted:
    """What a receipt says: between *first* and *last* stand the events of *request*.

    *first* is beyond *last* where the request left none.
    """

    member: UUID
    request: str
    first: int
    last: int


def open_receipt(house: House, officer: SecurityOfficer, token: str) -> Noted:
    """Open a receipt of somebody of the officer's own organisation.

    Raises:
        ReceiptInvalid: it is of another organisation, changed, made up or too old.
    """
    key = house.keyring.cursor_key(officer.organisation)
    try:
        payload = key.open(_context(officer.organisation), token)
    except MalformedCursor:
        raise ReceiptInvalid from None
    member, request = payload[:16], payload[16 : 16 + _REQUEST]
    numbers = payload[16 + _REQUEST :]
    first, last, until = (
        int.from_bytes(numbers[at : at + _NUMBER]) for at in range(0, 3 * _NUMBER, _NUMBER)
    )
    if until < house.now().timestamp():
        raise ReceiptInvalid
    return Noted(UUID(bytes=member), request.rstrip(b"\0").decode(), first, last)


def _context(organisation: str) -> bytes:
    return frame(_CONTEXT, organisation.encode())


def _token(
    key: CursorKey, caller: Caller, request: str, first: int, last: int, until: datetime
) -> str:
    payload = b"".join(
        (
            caller.member.bytes,
            request.encode().ljust(_REQUEST, b"\0"),
            first.to_bytes(_NUMBER),
            last.to_bytes(_NUMBER),
            int(until.timestamp()).to_bytes(_NUMBER),
        )
    )
    return key.seal(_context(caller.organisation), payload)
