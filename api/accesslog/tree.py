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


class Growth:
    """Many leaves added to a tree at once: what `Tree.append` gives, level by level.

    A level is hashed in one go, which costs a third less than leaf by leaf, and any
    size in between can be asked for its root.
    """

    __slots__ = ("_before", "_levels", "start", "stop")

    def __init__(self, before: Tree, leaves: list[bytes]) -> None:
        """Add *leaves*, given by their hashes, to *before*, which stays as it is."""
        self.start = before.size
        self.stop = before.size + len(leaves)
        #: Peaks of the tree before, by their levels.
        self._before = dict(
            zip(
                (level for level in range(63, -1, -1) if before.size >> level & 1),
                before.peaks,
                strict=True,
            )
        )
        #: For each level the index of its first new node, and all that are new.
        self._levels: list[tuple[int, list[bytes]]] = []
        first, nodes = before.size, leaves
        while nodes:
            self._levels.append((first, nodes))
            if first & 1:  # Its left sibling is a peak from before.
                nodes = [self._before[len(self._levels) - 1], *nodes]
            nodes = [
                _sha256(b"\x01" + left + right).digest()
                for left, right in zip(nodes[::2], nodes[1::2], strict=False)
            ]
            first >>= 1

    def new(self, level: int) -> list[bytes]:
        """Give the nodes of *level* that were completed, from left to right."""
        return self._levels[level][1] if level < len(self._levels) else []

    def rows(self) -> list[bytes]:
        """Give what is stored beside each leaf, as `Tree.append` does."""
        rows = self.new(0).copy()
        for level, (first, nodes) in enumerate(self._levels[1:], 1):
            place = ((first + 1) << level) - 1 - self.start
            for node in nodes:
                rows[place] += node
                place += 1 << level
        return rows

    def root(self, size: int) -> bytes:
        """Give the root over the first *size* leaves, which may not be fewer than before."""
        return fold(self._peaks(size))

    def after(self) -> Tree:
        """Give the tree with all the leaves."""
        tree = Tree()
        tree.size = self.stop
        tree.peaks = self._peaks(self.stop)
        return tree

    def _peaks(self, size: int) -> list[bytes]:
        if not self.start <= size <= self.stop:
            raise ValueError
        peaks, rest = [], size
        while rest:
            level = rest.bit_length() - 1
            rest -= 1 << level
            first, nodes = self._levels[level] if level < len(self._levels) else (size, [])
            index = (size >> level) - 1
            # What is not new was a peak already, since nothing at its right changed it.
            peaks.append(nodes[index - first] if index >= first else self._before[level])
        return peaks
