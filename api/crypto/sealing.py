"""Sealing one value so that it opens only in its table, column, row and compartment.

AES-256-GCM under the data key of the compartment; the associated data names the
place and is never empty (FORMAT.md, "Field").
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from cryptography.exceptions import InvalidTag

from api.crypto.data_keys import FIELD_FORMAT, DataKey
from api.crypto.framing import LENGTH_16, frame
from api.crypto.plaintext import DECODERS, Plain, encode
from api.crypto.sealed import Sealed
from api.errors import SealBroken
from api.vocabulary import Compartment

_PURPOSE = b"perisai field v1"

#: Bytes of a nonce. Random nonces hold for 2**32 seals under one key (NIST SP
#: 800-38D, 8.3); a data key seals the few fields of one record.
_NONCE = 12

_HEADER = 5
_BODY = _HEADER + _NONCE
_TAG = 16


@dataclass(frozen=True, slots=True)
class Place:
    """A sealed column: where its values belong and of what kind they are.

    Attributes:
        kind: "text", "texts" or "date".
        prefix: the beginning of the associated data, built once.
        decode: gives a value of this kind back.
    """

    table: str
    column: str
    compartment: Compartment
    kind: str
    prefix: bytes = field(init=False, repr=False, compare=False)
    decode: Callable[[bytes], Plain] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build what every opening takes.

        Raises:
            ValueError: an unknown kind, or a part that is empty.
        """
        if self.kind not in DECODERS:
            raise ValueError("the kind of a place is text, texts or date")
        if not self.table or not self.column:
            raise ValueError("a place has a table and a column")
        words = (self.table, self.column, self.compartment, self.kind)
        prefix = frame(_PURPOSE, *(word.encode() for word in words)) + LENGTH_16
        object.__setattr__(self, "prefix", prefix)
        object.__setattr__(self, "decode", DECODERS[self.kind])


def seal(
    key: DataKey,
    place: Place,
    row: UUID,
    value: str | Sequence[str] | date | None,
    randomness: Callable[[int], bytes] = os.urandom,
) -> Sealed:
    """Seal *value* so that it opens only in this place and *row*, under *key*.

    None is sealed too and looks like a short value. *randomness* is for vectors.

    Raises:
        TypeError: *value* is not of the kind of *place*.
        ValueError: *key* is of another compartment.
        ValueInvalid: *value* is too long or no valid Unicode.
    """
    if key.compartment is not place.compartment:
        raise ValueError("the key is of another compartment")
    plain = encode(place.kind, value)
    nonce = randomness(_NONCE)
    body = key.cipher.encrypt(nonce, plain, place.prefix + key.bound_to(row))
    return Sealed(key.header + nonce + body)


def open_sealed(key: DataKey, place: Place, row: UUID, sealed: Sealed) -> Plain:
    """Open what was sealed in this place and *row*, under *key*.

    Raises:
        SealBroken: changed, moved, or sealed under another key or version.
    """
    data = sealed.data
    if data[:_HEADER] != key.header:
        raise SealBroken
    associated = place.prefix + (key.own if row is key.record else key.bound_to(row))
    try:
        plain = key.cipher.decrypt(data[_HEADER:_BODY], data[_BODY:], associated)
    except (InvalidTag, ValueError):  # ValueError: cut within the nonce.
        raise SealBroken from None
    return place.decode(plain)


def key_version(sealed: Sealed) -> int:
    """Tell the version of the data key that *sealed* asks for; proves nothing yet.

    Raises:
        SealBroken: it cannot be a sealed field.
    """
    data = sealed.data
    if data[:1] != FIELD_FORMAT or len(data) < _BODY + _TAG:
        raise SealBroken
    return int.from_bytes(data[1:_HEADER])
