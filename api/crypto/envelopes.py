"""Bytes sealed to one agency (HPKE), always as many, whatever is in them (FORMAT.md, "Envelope").

The length of an envelope is that of its kind, so it tells nothing. It proves no sender: who
reads one has its signature, or its own seal over it, checked before.
"""

from api.crypto.sharing import SharingKey, seal_to
from api.errors import SealBroken, ValueInvalid

#: Bytes of the length that stands before what is in an envelope.
_LENGTH = 4


def seal_envelope(plain: bytes, size: int, info: bytes, public: bytes) -> bytes:
    """Seal *plain*, padded to *size* bytes, to the holder of *public*.

    Args:
        info: what it is bound to.

    Raises:
        ValueInvalid: *plain* does not fit.
        SealBroken: *public* is no key to which can be sealed.
    """
    padded = (len(plain).to_bytes(_LENGTH) + plain).ljust(size, b"\x00")
    if len(padded) != size:
        raise ValueInvalid
    return seal_to(public, padded, info)


def open_envelope(sealed: bytes, size: int, info: bytes, key: SharingKey) -> bytes:
    """Open what `seal_envelope` made.

    Raises:
        SealBroken: changed, sealed to another key or for something else, or not of *size*.
    """
    padded = key.open(sealed, info)
    length = int.from_bytes(padded[:_LENGTH])
    if len(padded) != size or length > size - _LENGTH or any(padded[_LENGTH + length :]):
        raise SealBroken
    return padded[_LENGTH : _LENGTH + length]
