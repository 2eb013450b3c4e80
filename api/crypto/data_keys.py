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
from api.vocabulary import Compartment

#: Bytes of a data key (AES-256).
KEY_SIZE = 32

#: The first byte of every sealed field: which layout follows.
FIELD_FORMAT = b"\x01"

_WRAP = b"perisai data key wrap v1"

#: Has taken in what stands before the key; copied for each commitment.
_COMMITMENT = sha256(b"perisai data key commitment v1")


@final
class DataKey:
    """The open data key of one record, compartment and version; it shows nothing.

    Never kept between requests: every opening reads the wrap again.

    Attributes:
        cipher: ready to seal and open (AES-256-GCM).
        header: how everything sealed under this key begins.
        own: the end of the associated data of each field in the row of the record.
    """

    __slots__ = ("cipher", "compartment", "header", "own", "record", "secret", "version")

    def __init__(self, record: UUID, compartment: Compartment, version: int, secret: bytes) -> None:
        """Take the 32 random bytes *secret*; *version* counts from 1, below 2**32."""
        if len(secret) != KEY_SIZE:
            raise ValueError("a data key has 32 bytes")
        self.record = record
        self.compartment = compartment
        self.version = version
        self.secret = secret
        self.cipher = AESGCM(secret)
        self.header, binding = _numbered(version)
        self.own = record.int.to_bytes(16) + binding

    def bound_to(self, row: UUID) -> bytes:
        """Give the end of the associated data of each field in *row*."""
        return row.int.to_bytes(16) + self.own[16:]

    def __repr__(self) -> str:
        """Show nothing."""
        return "<data key>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a key is not pickled or copied")


@lru_cache(maxsize=64)  # Pure: a key has few versions.
def _numbered(version: int) -> tuple[bytes, bytes]:
    number = version.to_bytes(4)
    return FIELD_FORMAT + number, LENGTH_4 + number  # The second one is framed.


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

    def context(self) -> bytes:
        """Give what the wrap is bound to.

        Raises:
            OverflowError: a version that no key can have.
        """
        return wrap_context(self.record, self.compartment, self.version, self.owner)

    def holds(self, secret: bytes) -> bool:
        """Tell whether *secret* is the key to which the wrap commits."""
        return len(secret) == KEY_SIZE and compare_digest(commitment(secret), self.commitment)

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
    begun = _COMMITMENT.copy()
    begun.update(secret)
    return begun.digest()


def opened(wrap: WrappedKey, secret: bytes) -> DataKey | None:
    """Give the data key that came out of *wrap*; None if the wrap commits to another."""
    if not wrap.holds(secret):
        return None
    return DataKey(wrap.record, wrap.compartment, wrap.version, secret)
