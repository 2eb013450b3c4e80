"""Ed25519 (RFC 8032): keys in files, signing, and the check of a signature.

What is signed, and why no other message can look like it, is the business of the
caller: a signed note names its origin in its first line.
"""

import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from api.errors import RefusesToStart


class SigningKey:
    """An Ed25519 private key. It signs, and shows nothing of itself."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Hold *key*; `public` are the 32 bytes of its public half."""
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Make the key of a 32-byte seed (RFC 8032, 5.1.5)."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a key that `save` wrote (PKCS #8 in PEM).

        Raises:
            RefusesToStart: no such file, another kind of content, or readable by others.
        """
        try:
            mode = path.stat().st_mode
            pem = path.read_bytes()
        except OSError:
            raise RefusesToStart(f"The signing key {path} cannot be read.") from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise RefusesToStart(f"The signing key {path} is open to others: chmod 600 it.")
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise RefusesToStart(f"The file {path} does not hold a private key.") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise RefusesToStart(f"The file {path} does not hold an Ed25519 key.")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write the key into a new file that only the owner may read.

        Raises:
            FileExistsError: a key is never overwritten.
        """
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(file)

    def sign(self, message: bytes) -> bytes:
        """Give the 64-byte signature of *message*."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<signing key>"

    def __reduce__(self) -> str:
        """Refuse to be copied into bytes by accident."""
        raise TypeError("A signing key is not pickled.")


def signature_holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether *signature* is that of *message* by the holder of *public*.

    Wrong lengths and keys that are no point of the curve are an answer: no.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
