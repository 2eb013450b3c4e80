"""The Merkle tree of RFC 6962, SHA-256, as it grows: hashes, peaks and where nodes stand.

A node (level L, index i) covers the leaves i*2^L to (i+1)*2^L - 1. Only complete
nodes are kept, each in the row of the leaf that completes it. Whatever is
incomplete is folded from complete nodes, so that any older size can be asked for.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from api.errors import LogBroken

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


def leaf_hash(body: bytes) -> bytes:
    """Hash a leaf (RFC 6962, 2.1)."""
    return _sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node (RFC 6962, 2.1)."""
    return _sha256(b"\x01" + left + right).digest()


def fold(nodes: list[bytes]) -> bytes:
    """Give the hash over adjacent complete nodes that shrink from left to right."""
    if not nodes:
        return EMPTY_ROOT
    result = nodes[-1]
    for node in reversed(nodes[:-1]):
        result = node_hash(node, result)
    return result


@dataclass(frozen=True, slots=True)
class Node:
    """The place of a complete node, in the tree and in the rows."""

    level: int
    index: int

    @property
    def row(self) -> int:
        """Index of the leaf that completes the node, whose row holds its hash."""
        return ((self.index + 1) << self.level) - 1

    def of(self, hashes: bytes) -> bytes:
        """Take the node's hash out of its row's `hashes`."""
        found = hashes[HASH_SIZE * self.level : HASH_SIZE * (self.level + 1)]
        if len(found) != HASH_SIZE:
            raise LogBroken(f"entry {self.row}", "hashes is too short")
        return found


def cover(start: int, stop: int) -> list[Node]:
    """Give the complete nodes over the leaves start to stop - 1, from left to right.

    *start* must be a multiple of the largest power of two within the range, as it
    is for whatever a proof of RFC 6962 asks for. cover(0, size) are the peaks.
    """
    nodes = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands: its size, its root, and the peaks to go on from."""

    size: int
    root: bytes
    peaks: bytes


class Tree:
    """A tree that can only grow: its size and the hashes of its peaks, left to right."""

    __slots__ = ("peaks", "size")

    def __init__(self) -> None:
        """Start empty."""
        self.size = 0
        self.peaks: list[bytes] = []

    @classmethod
    def at(cls, head: Head) -> "Tree":
        """Go on from a head that was stored.

        Raises:
            LogBroken: the peaks do not belong to its size and root.
        """
        tree = cls()
        tree.size = head.size
        tree.peaks = [
            head.peaks[at : at + HASH_SIZE] for at in range(0, len(head.peaks), HASH_SIZE)
        ]
        if (
            head.size < 0
            or len(head.peaks) != HASH_SIZE * head.size.bit_count()
            or tree.root() != head.root
        ):
            raise LogBroken(f"head {head.size}", "its root is not that of the entries")
        return tree

    def copy(self) -> "Tree":
        """Give a tree that grows apart from this one."""
        tree = Tree()
        tree.size = self.size
        tree.peaks = self.peaks.copy()
        return tree

    def append(self, leaf: bytes) -> bytes:
        """Add a leaf by its hash; give that hash and those of the nodes it completes.

        They are in the order of their levels, lowest first, joined.
        """
        node, hashes, above = leaf, leaf, self.size
        while above & 1:
            node = node_hash(self.peaks.pop(), node)
            hashes += node
            above >>= 1
        self.peaks.append(node)
        self.size += 1
        return hashes

    def root(self) -> bytes:
        """Give the root over all leaves."""
        return fold(self.peaks)

    def head(self) -> Head:
        """Give what is to be stored to go on later."""
        return Head(self.size, self.root(), b"".join(self.peaks))
