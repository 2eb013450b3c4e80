"""Signatures of webhooks, as the receiver checks them (Standard Webhooks 1.0, symmetric).

A secret is written `whsec_` and base64. What is signed is the id, the moment and the body, so
that an older message cannot be sent as a new one, nor one in the place of another.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from api.errors import RefusesToStart

_PREFIX: Final = "whsec_"
#: Bytes of a secret: "between 24 bytes (192 bits) and 64 bytes (512 bits)".
_LEAST, _MOST = 24, 64


class WebhookSecret:
    """One secret that is shared with a receiver. It signs, and shows nothing of itself."""

    __slots__ = ("_secret",)

    def __init__(self, text: str) -> None:
        """Read a secret as it is written.

        Raises:
            RefusesToStart: it is not `whsec_` and the base64 of 24 to 64 bytes.
        """
        try:
            secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not text.startswith(_PREFIX) or not _LEAST <= len(secret) <= _MOST:
            raise RefusesToStart(
                "The secret of a webhook is not `whsec_` and the base64 of 24 to 64 bytes."
            )
        self._secret = secret

    def headers(self, message: str, seconds: int, body: bytes) -> dict[str, str]:
        """Give the headers that go with *body*.

        Args:
            message: id of the message, the same at each attempt.
            seconds: moment of this attempt, since 1970.
        """
        signed = b".".join((message.encode(), str(seconds).encode(), body))
        digest = hmac.new(self._secret, signed, hashlib.sha256).digest()
        return {
            "webhook-id": message,
            "webhook-timestamp": str(seconds),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def __repr__(self) -> str:
        """Show nothing."""
        return "<webhook secret>"
