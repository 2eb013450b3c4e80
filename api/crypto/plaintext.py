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
_ABSENT, _TEXT, _TEXTS, _DATE = b"\x01", b"\x02", b"\x03", b"\x04"
_ZERO = b"\x00"
_MARKS = {"text": _TEXT, "texts": _TEXTS, "date": _DATE}

_NUMBERS = struct.Struct(">HBB")  # Year, month, day.


def encode(kind: str, value: str | Sequence[str] | date | None) -> bytes:
    """Give *value* as padded bytes.

    Raises:
        TypeError: *value* is not of *kind*.
        ValueInvalid: it is longer than MAX_PAYLOAD, or no valid Unicode.
    """
    if value is None:
        return _padded(_ABSENT)
    payload = _ENCODERS[kind](value)
    if len(payload) > MAX_PAYLOAD:
        raise ValueInvalid
    return _padded(payload + _MARKS[kind])


def decode(kind: str, plain: bytes) -> Plain:
    """Give the value back. *plain* was authenticated, so a fault here is a fault of the writer.

    Raises:
        SealBroken: not the encoding of a value of *kind*.
    """
    return DECODERS[kind](plain)


def _padded(marked: bytes) -> bytes:
    bucket = SMALLEST
    while bucket < len(marked):
        bucket += bucket if bucket < STEP else STEP
    return marked.ljust(bucket, _ZERO)


def _bytes_of_text(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("a text field takes a str")
    try:
        return value.encode()
    except UnicodeEncodeError:
        pass  # Raised below, so that the error does not hold the text as its context.
    raise ValueInvalid


def _text(plain: bytes) -> str | None:
    marked = plain.rstrip(_ZERO)
    if marked[-1:] != _TEXT:
        _check_absence(marked)
        return None
    try:
        return marked[:-1].decode()
    except UnicodeDecodeError:
        pass  # As above.
    raise SealBroken


def _bytes_of_texts(value: object) -> bytes:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError("a texts field takes a sequence of str")
    return frame(*map(_bytes_of_text, value)) if value else b""


def _texts(plain: bytes) -> tuple[str, ...] | None:
    marked = plain.rstrip(_ZERO)
    if marked[-1:] != _TEXTS:
        _check_absence(marked)
        return None
    end = len(marked) - 1
    texts = []
    position = 0
    try:
        while position < end:
            start = position + 4
            position = start + int.from_bytes(marked[start - 4 : start])
            if position > end:
                raise SealBroken
            texts.append(marked[start:position].decode())
    except UnicodeDecodeError:
        pass  # As above.
    else:
        return tuple(texts)
    raise SealBroken


def _bytes_of_date(value: object) -> bytes:
    if type(value) is not date:  # A datetime is a date to isinstance.
        raise TypeError("a date field takes a date")
    return _NUMBERS.pack(value.year, value.month, value.day)


def _date(plain: bytes) -> date | None:
    marked = plain.rstrip(_ZERO)
    if marked[-1:] != _DATE:
        _check_absence(marked)
        return None
    try:
        return date(*_NUMBERS.unpack(marked[:-1]))
    except (struct.error, ValueError):
        pass  # As above: the text of the error names the value.
    raise SealBroken


def _check_absence(marked: bytes) -> None:
    if marked != _ABSENT:
        raise SealBroken


_ENCODERS: dict[str, Callable[[object], bytes]] = {
    "text": _bytes_of_text,
    "texts": _bytes_of_texts,
    "date": _bytes_of_date,
}

#: What `decode` does, by kind.
DECODERS: dict[str, Callable[[bytes], Plain]] = {"text": _text, "texts": _texts, "date": _date}

#: The kinds of value that a place can hold.
KINDS = frozenset(DECODERS)
