"""Sealed cursors: a client carries them, but neither reads nor makes one.

A cursor opens only in the context (caller, filter, order) for which it was made.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Any, NoReturn, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.crypto.framing import frame
from api.errors import MalformedCursor

#: Longest payload, in bytes: sealed, it still fits into a cookie. Keyset values are far shorter.
MAX_PAYLOAD = 2944

_PURPOSE = b"perisai cursor v1"
_NONCE = 12
_TAG = 16
#: Longest cursor, in characters of base64.
_LONGEST = (_NONCE + MAX_PAYLOAD + _TAG + 2) // 3 * 4


@final
class CursorKey:
    """The key under which one owner's cursors are sealed; it shows nothing.

    Random nonces hold for 2**32 cursors (NIST SP 800-38D, 8.3): at one page of
    100 each second, 16 months; then the owner takes a new secret.
    """

    __slots__ = ("_cipher", "_randomness")

    def __init__(self, secret: bytes, randomness: Callable[[int], bytes] = os.urandom) -> None:
        """Take the 32 random bytes *secret*; *randomness* is for vectors."""
        if len(secret) != 32:
            raise ValueError("a cursor key has 32 bytes")
        self._cipher = AESGCM(secret)
        self._randomness = randomness

    def seal(self, context: bytes, payload: bytes) -> str:
        """Seal *payload* for *context*, url-safe.

        Raises:
            ValueError: *payload* is longer than MAX_PAYLOAD.
        """
        if len(payload) > MAX_PAYLOAD:
            raise ValueError("the payload of a cursor is too long")
        nonce = self._randomness(_NONCE)
        body = self._cipher.encrypt(nonce, payload, frame(_PURPOSE, context))
        return urlsafe_b64encode(nonce + body).rstrip(b"=").decode()

    def open(self, context: bytes, cursor: str) -> bytes:
        """Give the payload back.

        Raises:
            MalformedCursor: not one of ours, changed, or made for another context.
        """
        data = _decoded(cursor)
        try:
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], frame(_PURPOSE, context))
        except (InvalidTag, ValueError):  # ValueError: too short for a nonce.
            raise MalformedCursor from None

    def __repr__(self) -> str:
        """Show nothing."""
        return "<cursor key>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a key is not pickled or copied")


def _decoded(cursor: str) -> bytes:
    """Decode, and refuse every spelling but the one that we print."""
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise MalformedCursor
    try:
        data = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except NotBase64:
        raise MalformedCursor from None
    # b64decode drops what is not of its alphabet and ignores unused bits.
    if urlsafe_b64encode(data).rstrip(b"=") != cursor.encode():
        raise MalformedCursor
    return data
