"""Fingerprints of the public keys of an organisation, short enough to be told by telephone."""

from hashlib import sha256
from hmac import compare_digest

from api.crypto.framing import frame

_PURPOSE = b"perisai fingerprint v1"

#: Bytes of a fingerprint: to find other keys with a given one takes 2**128 tries.
_SIZE = 16


def fingerprint(owner: str, signing: bytes, sharing: bytes) -> str:
    """Give the fingerprint of both public keys of *owner*: eight groups of four digits."""
    digits = sha256(frame(_PURPOSE, owner.encode(), signing, sharing)).digest()[:_SIZE].hex()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def same_fingerprint(one: str, other: str) -> bool:
    """Compare, whatever the case and whatever stands between the groups."""
    return compare_digest(_digits(one), _digits(other))


def _digits(text: str) -> bytes:
    return text.replace(" ", "").replace(":", "").replace("-", "").lower().encode()
