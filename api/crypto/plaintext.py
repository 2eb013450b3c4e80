"""Values as padded bytes, before sealing and after opening (FORMAT.md, "Plaintext").

The padded length is one of few, so a stored length tells little, and an absent
value is as long as a short one. Nothing is compressed: a compressed length tells
about the content. No error raised here refers to a value, not even as its context.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeAlias

from api.crypto.framing import frame
from api.errors import SealBroken, ValueInvalid

Plain: TypeAlias = str | tuple[str, ...] | date | None

#: Longest payload, in bytes: far above any field, far below what hurts.
MAX_PAYLOAD = 1 << 20

#: The shortest padded length, in bytes: a name, a NIK, a date and absence look alike.
SMALLEST = 64
#: Up to here lengths double; beyond it they are multiples of it, in bytes.
STEP = 4096

# The type of the value stands behind the payload and marks its end, as the marker of
# ISO/IEC 7816-4 does: no type is zero, and after it there are only zeros.
_ABSENT = b"\x01"
_DATE = struct.Struct(">HBB")


def encode(kind: str, value: str | Sequence[str] | date | None) -> bytes:
    """Give *value* as padded bytes.

    Raises:
        TypeError: *value* is not of *kind*.
        ValueInvalid: it is longer than MAX_PAYLOAD, or no valid Unicode.
    """
    if value is None:
        return _padded(_ABSENT)
    mark, to_bytes, _ = _KINDS[kind]
    payload = to_bytes(value)
    if len(payload) > MAX_PAYLOAD:
        raise ValueInvalid
    return _padded(payload + mark)


def decode(kind: str, plain: bytes) -> Plain:
    """Give the value back. *plain* was authenticated, so a fault here is a fault of the writer.

    Raises:
        SealBroken: not the encoding of a value of *kind*.
    """
    marked = plain.rstrip(b"\x00")
    mark, _, from_bytes = _KINDS[kind]
    if marked[-1:] == mark:
        return from_bytes(marked[:-1])
    if marked == _ABSENT:
        return None
    raise SealBroken


def _padded(marked: bytes) -> bytes:
    bucket = SMALLEST
    while bucket < len(marked):
        bucket += bucket if bucket < STEP else STEP
    return marked.ljust(bucket, b"\x00")


def _bytes_of_text(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("a text field takes a str")
    try:
        return value.encode()
    except UnicodeEncodeError:
        pass  # Raised below, so that the error does not hold the text as its context.
    raise ValueInvalid


def _text_of_bytes(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        pass  # As above.
    raise SealBroken


def _bytes_of_texts(value: object) -> bytes:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError("a texts field takes a sequence of str")
    return frame(*map(_bytes_of_text, value)) if value else b""


def _texts_of_bytes(payload: bytes) -> tuple[str, ...]:
    texts = []
    position = 0
    while position < len(payload):
        start = position + 4
        position = start + int.from_bytes(payload[start - 4 : start])
        if position > len(payload):
            raise SealBroken
        texts.append(_text_of_bytes(payload[start:position]))
    return tuple(texts)


def _bytes_of_date(value: object) -> bytes:
    if type(value) is not date:  # A datetime is a date to isinstance.
        raise TypeError("a date field takes a date")
    return _DATE.pack(value.year, value.month, value.day)


def _date_of_bytes(payload: bytes) -> date:
    try:
        return date(*_DATE.unpack(payload))
    except (struct.error, ValueError):
        pass  # As above: the text of the error names the value.
    raise SealBroken


_KINDS: dict[str, tuple[bytes, Callable[[object], bytes], Callable[[bytes], Plain]]] = {
    "text": (b"\x02", _bytes_of_text, _text_of_bytes),
    "texts": (b"\x03", _bytes_of_texts, _texts_of_bytes),
    "date": (b"\x04", _bytes_of_date, _date_of_bytes),
}

#: The kinds of value that a place can hold.
KINDS = frozenset(_KINDS)
