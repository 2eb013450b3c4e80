"""The secrets of an owner as they are stored: of which kinds, and what their wraps are bound to."""

from typing import NamedTuple

from api.crypto.data_keys import KEY_SIZE
from api.crypto.framing import frame
from api.errors import SealBroken

_SECRET = b"perisai owner secret v1"

RIGHTS = "rights"
CURSORS = "cursors"

#: The kinds of secret whose public half crosses agencies.
SIGNING = "signing"
SHARING = "sharing"

#: The kinds of secret that every owner has; an older installation may lack the last two.
SECRET_KINDS = (RIGHTS, CURSORS, SIGNING, SHARING)


class OwnerSecret(NamedTuple):
    """A random secret of an owner as stored: sealed under its KEK.

    Attributes:
        kind: one of SECRET_KINDS.
        version: counts from 1; the highest is in use.
    """

    owner: str
    kind: str
    version: int
    kek_version: int
    wrapped: bytes

    def context(self) -> bytes:
        """Give what the secret is bound to.

        Raises:
            SealBroken: a version that no secret can have.
        """
        return secret_context(self)

    def holds(self, secret: bytes) -> bool:
        """Tell whether *secret* can be one; nothing commits to it but the wrap."""
        return len(secret) == KEY_SIZE

    def __repr__(self) -> str:
        """Name what it is, without its bytes."""
        return f"<sealed {self.kind} secret of {self.owner}>"


def secret_context(secret: OwnerSecret) -> bytes:
    """Give what the wrap of a secret is bound to.

    Raises:
        SealBroken: a version that no secret can have.
    """
    try:
        version = secret.version.to_bytes(4)
    except OverflowError:
        raise SealBroken from None
    return frame(_SECRET, secret.owner.encode(), secret.kind.encode(), version)
