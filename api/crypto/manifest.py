"""Manifests: which ciphertexts of a record and compartment are the newest, and of which revision.

A field that was put back to an older ciphertext still opens in its place under its
key; the manifest is what says that it is not the newest one. It holds the mark of every
sealed column, sealed under the data key and bound to the revision (FORMAT.md, "Manifest").
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag

from api.crypto.data_keys import DataKey
from api.crypto.framing import LENGTH_4, LENGTH_16, frame
from api.crypto.sealed import Sealed
from api.errors import SealBroken
from api.vocabulary import Compartment

_PURPOSE = b"perisai manifest v1"

_HEADER = 5
_NONCE = 12
_BODY = _HEADER + _NONCE

#: Bytes of a mark: the tag that ends a ciphertext (NIST SP 800-38D). Who lacks the key
#: cannot make another ciphertext that opens, and two that were sealed have equal tags
#: with a chance of 2**-128; so it stands for the ciphertext, with no hash to compute.
MARK = 16


class Manifest(NamedTuple):
    """A manifest as stored.

    Attributes:
        revision: of the record, when a column of this compartment was last sealed.
    """

    record: UUID
    compartment: Compartment
    revision: int
    data: bytes

    def __repr__(self) -> str:
        """Name what it is, without its bytes."""
        return f"<manifest of {self.compartment} of {self.record}>"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a manifest of one compartment covers: these columns of one table, in this order."""

    table: str
    compartment: Compartment
    columns: tuple[str, ...]
    prefix: bytes = field(init=False, repr=False, compare=False)
    size: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build how all associated data begin, once, and the size of the marks in bytes."""
        if not self.columns or list(self.columns) != sorted(set(self.columns)):
            raise ValueError("a layout has columns, each once, in alphabetical order")
        names = frame(*(column.encode() for column in self.columns))
        prefix = frame(_PURPOSE, self.table.encode(), self.compartment.encode(), names)
        object.__setattr__(self, "prefix", prefix + LENGTH_16)
        object.__setattr__(self, "size", MARK * len(self.columns))

    def place_of(self, column: str) -> slice:
        """Tell where among the marks that of *column* stands."""
        start = self.columns.index(column) * MARK
        return slice(start, start + MARK)


def mark_of(sealed: Sealed) -> bytes:
    """Give what stands for *sealed* in a manifest."""
    return sealed.data[-MARK:]


def seal_manifest(
    key: DataKey,
    layout: Layout,
    revision: int,
    marks: Mapping[str, bytes],
    randomness: Callable[[int], bytes] = os.urandom,
) -> Manifest:
    """Make the manifest of the record and compartment of *key*.

    Args:
        marks: column -> mark, for every column of *layout*.

    Raises:
        ValueError: *key* is of another compartment, or the marks are not those of *layout*.
    """
    if key.compartment is not layout.compartment or marks.keys() != set(layout.columns):
        raise ValueError("a manifest covers every column of its compartment, and no other")
    joined = b"".join(marks[column] for column in layout.columns)
    if len(joined) != layout.size:
        raise ValueError("a mark has 16 bytes")
    nonce = randomness(_NONCE)
    body = key.cipher.encrypt(nonce, joined, _associated(key, layout, revision))
    return Manifest(key.record, key.compartment, revision, key.header + nonce + body)


def open_manifest(key: DataKey, layout: Layout, manifest: Manifest) -> bytes:
    """Give the marks of all columns, joined in the order of *layout*.

    Raises:
        SealBroken: changed, moved, of another revision, or under another key.
    """
    data = manifest.data
    if data[:_HEADER] != key.header or key.compartment is not layout.compartment:
        raise SealBroken
    try:
        associated = _associated(key, layout, manifest.revision)
        joined = key.cipher.decrypt(data[_HEADER:_BODY], data[_BODY:], associated)
    except (InvalidTag, ValueError, OverflowError):  # Cut; a revision that no record has.
        raise SealBroken from None
    if len(joined) != layout.size:
        raise SealBroken
    return joined


def marks_by_column(layout: Layout, joined: bytes) -> dict[str, bytes]:
    """Give column -> mark, of what `open_manifest` gave."""
    return {column: joined[layout.place_of(column)] for column in layout.columns}


def _associated(key: DataKey, layout: Layout, revision: int) -> bytes:
    return layout.prefix + key.own + LENGTH_4 + revision.to_bytes(4)
