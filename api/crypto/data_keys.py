"""Data keys: one random key a record, compartment and version, and its wraps.

A wrap binds the key to its record, compartment, version and owner; a commitment
beside it says which key must come out, so that no two keys pass for one.
"""

from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import Any, NamedTuple, NoReturn, final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.crypto.framing import LENGTH_4, LENGTH_16, frame
from api.errors import SealBroken
from api.vocabulary import Compartment

#: Bytes of a data key (AES-256).
KEY_SIZE = 32

#: The first byte of every sealed field: which layout follows.
FIELD_FORMAT = b"\x01"

_WRAP = b"perisai data key wrap v1"
_COMMITMENT = b"perisai data key commitment v1"


@final
class DataKey:
    """The open data key of one record, compartment and version; it shows nothing.

    Never kept between requests: every opening reads the wrap again.

    Attributes:
        cipher: ready to seal and open (AES-256-GCM).
        header: how each field sealed under this key begins.
        binding: the end of the associated data of each such field.
    """

    __slots__ = ("binding", "cipher", "compartment", "header", "record", "secret", "version")

    def __init__(self, record: UUID, compartment: Compartment, version: int, secret: bytes) -> None:
        """Take the 32 random bytes *secret*; *version* counts from 1, below 2**32."""
        if len(secret) != KEY_SIZE:
            raise ValueError("a data key has 32 bytes")
        self.record = record
        self.compartment = compartment
        self.version = version
        self.secret = secret
        self.cipher = AESGCM(secret)
        number = version.to_bytes(4)
        self.header = FIELD_FORMAT + number
        self.binding = LENGTH_4 + number  # Framed.

    def __repr__(self) -> str:
        """Show nothing."""
        return "<data key>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a key is not pickled or copied")


class WrappedKey(NamedTuple):
    """A data key as stored: sealed under a KEK of *owner*, opaque to the database.

    Attributes:
        version: of the data key.
        kek_version: of the owner's KEK under which it is wrapped.
        wrapped: as the key service gave it.
        commitment: to the key inside, see `commitment`.
    """

    record: UUID
    compartment: Compartment
    version: int
    owner: str
    kek_version: int
    wrapped: bytes
    commitment: bytes

    def __repr__(self) -> str:
        """Name what it is, without its bytes."""
        return f"<wrapped key {self.compartment} of {self.record}>"


def wrap_context(record: UUID, compartment: Compartment, version: int, owner: str) -> bytes:
    """Give what a wrap is bound to, beside the KEK and its version.

    Raises:
        OverflowError: *version* is negative or does not fit into 4 bytes.
    """
    prefix = _wrap_prefix(owner, compartment)
    return prefix + record.int.to_bytes(16) + LENGTH_4 + version.to_bytes(4)


@lru_cache(maxsize=256)  # Pure: owners times compartments.
def _wrap_prefix(owner: str, compartment: Compartment) -> bytes:
    return frame(_WRAP, owner.encode(), compartment.encode()) + LENGTH_16


def commitment(secret: bytes) -> bytes:
    """Commit to a data key: 32 bytes that only this key gives and that do not reveal it.

    SHA-256 over a fixed prefix and the 32 random bytes of the key. AES-GCM alone
    commits to no key: whoever knows two keys can make one ciphertext for both.
    """
    return sha256(_COMMITMENT + secret).digest()


def opened(wrap: WrappedKey, secret: bytes) -> DataKey:
    """Give the data key that came out of *wrap*.

    Raises:
        SealBroken: it is not the key to which the wrap commits.
    """
    if len(secret) != KEY_SIZE or not compare_digest(commitment(secret), wrap.commitment):
        raise SealBroken
    return DataKey(wrap.record, wrap.compartment, wrap.version, secret)
