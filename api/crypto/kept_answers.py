"""What is kept of a change that may be asked for again (FORMAT.md, "Kept answer").

Names of requests are kept as keyed digests, answers under a seal; both keys are derived from
the secret of the owner's cursors, so that neither stands in the database or outlives it.
"""

import os
from collections.abc import Callable
from typing import Any, NoReturn, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from api.crypto.framing import frame
from api.errors import SealBroken

_PURPOSE = b"perisai kept answer v1"
_NONCE = 12


@final
class AnswersKey:
    """The keys of one owner for what is kept of answers; it shows nothing.

    Random nonces hold for 2**32 answers (NIST SP 800-38D, 8.3), as those of cursors do.
    """

    __slots__ = ("_cipher", "_mac", "_randomness")

    def __init__(self, secret: bytes, randomness: Callable[[int], bytes] = os.urandom) -> None:
        """Derive both keys from the 32 random bytes *secret*; *randomness* is for vectors."""
        if len(secret) != 32:
            raise ValueError("a secret of cursors has 32 bytes")
        self._cipher = AESGCM(_derived(secret, b"seal"))
        self._mac = HMAC(_derived(secret, b"digest"), SHA256())
        self._randomness = randomness

    def digest(self, *parts: bytes) -> bytes:
        """Give 32 bytes that are the same for the same *parts* alone, and tell nothing of them."""
        mac = self._mac.copy()
        mac.update(frame(_PURPOSE, *parts))
        return mac.finalize()

    def seal(self, context: bytes, payload: bytes) -> bytes:
        """Seal *payload* for *context*."""
        nonce = self._randomness(_NONCE)
        return nonce + self._cipher.encrypt(nonce, payload, frame(_PURPOSE, context))

    def open(self, context: bytes, sealed: bytes) -> bytes:
        """Give the payload back.

        Raises:
            SealBroken: not sealed by this owner, changed, or sealed for another context.
        """
        try:
            nonce, body = sealed[:_NONCE], sealed[_NONCE:]
            return self._cipher.decrypt(nonce, body, frame(_PURPOSE, context))
        except (InvalidTag, TypeError, ValueError):  # SQLite keeps any type in any column.
            raise SealBroken from None

    def __repr__(self) -> str:
        """Show nothing."""
        return "<answers key>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a key is not pickled or copied")


def _derived(secret: bytes, name: bytes) -> bytes:
    return HKDFExpand(SHA256(), 32, frame(_PURPOSE, name)).derive(secret)
