"""MACs over rows that grant something: a row without one counts for nothing.

The message is injective over table, number, type and value of all columns, so
that no row's MAC holds for another row (FORMAT.md, "Right").
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from typing import Any, NoReturn, TypeAlias, final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from api.crypto.framing import frame
from api.errors import ValueInvalid

Cell: TypeAlias = str | int | bool | date | datetime | UUID | None

_PURPOSE = b"perisai right v1"
_SIGNED = b"perisai signed right v1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@final
class RightsKey:
    """The key under which one owner seals rows that grant something; it shows nothing."""

    __slots__ = ("_mac",)

    def __init__(self, secret: bytes) -> None:
        """Take the 32 random bytes *secret*."""
        if len(secret) != 32:
            raise ValueError("a rights key has 32 bytes")
        self._mac = HMAC(secret, SHA256())

    def seal(self, table: str, values: Sequence[Cell]) -> bytes:
        """Give the MAC (32 bytes) of a row: its *values*, in an order fixed by the caller.

        Raises:
            TypeError: a value of another type, or a moment without a zone.
            OverflowError: a number that does not fit into 64 bits.
            ValueInvalid: a text that is no valid Unicode.
        """
        mac = self._mac.copy()
        mac.update(_message(_PURPOSE, table, values))
        return mac.finalize()

    def holds(self, table: str, values: Sequence[Cell], mac: bytes) -> bool:
        """Tell whether *mac* was made for this very row. Raises as `seal` does."""
        return compare_digest(self.seal(table, values), mac)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<rights key>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a key is not pickled or copied")


def signed_message(table: str, values: Sequence[Cell]) -> bytes:
    """Give what is signed of a row whose right crosses agencies. Raises as `RightsKey.seal` does.

    It never is the message of a MAC: its purpose is another.
    """
    return _message(_SIGNED, table, values)


def _message(purpose: bytes, table: str, values: Sequence[Cell]) -> bytes:
    printers = _printers
    return b"".join([_head(purpose, table), *[printers[type(value)](value) for value in values]])


@lru_cache(maxsize=64)  # Purposes times tables.
def _head(purpose: bytes, table: str) -> bytes:
    return frame(purpose, table.encode())


# Each begins with its type and is of fixed length or says its length, so that joining
# stays injective.


def _text(value: str) -> bytes:
    try:
        payload = value.encode()
    except UnicodeEncodeError:
        pass  # Raised below, so that the error does not hold the text as its context.
    else:
        return b"s" + len(payload).to_bytes(4) + payload
    raise ValueInvalid


def _truth(value: bool) -> bytes:
    return b"b\x01" if value else b"b\x00"


def _number(value: int) -> bytes:
    return b"i" + value.to_bytes(8, signed=True)


def _moment(value: datetime) -> bytes:
    # Without a zone the subtraction raises TypeError: such a value is no moment.
    return b"t" + ((value - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)


def _day(value: date) -> bytes:
    return b"d" + value.toordinal().to_bytes(4)


def _id(value: UUID) -> bytes:
    return b"u" + value.int.to_bytes(16)


def _absent(_: None) -> bytes:
    return b"n"


# bool before int and datetime before date: the former are subclasses of the latter.
_PRINTERS: dict[type, Callable[[Any], bytes]] = {
    str: _text,
    bool: _truth,
    int: _number,
    datetime: _moment,
    date: _day,
    UUID: _id,
    type(None): _absent,
}


class _Printers(dict[type, Callable[[Any], bytes]]):
    """How each type is printed; a subclass prints as its base.

    Drivers and enumerations give subclasses (asyncpg's UUID, StrEnum), which
    must print as what comes back from the other database.
    """

    def __missing__(self, kind: type) -> Callable[[Any], bytes]:
        for base, printer in _PRINTERS.items():
            if issubclass(kind, base):
                self[kind] = printer
                return printer
        raise TypeError("a right is made of text, numbers, truth values, dates, moments and ids")


_printers = _Printers(_PRINTERS)
