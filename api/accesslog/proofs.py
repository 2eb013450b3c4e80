"""Proofs that a leaf is in a tree, and that a tree continues an older one (RFC 6962, 2.1).

`inclusion_path` and `consistency_path` say which ranges of leaves a proof is made of;
`prove` gathers their hashes. The checks follow RFC 9162 (2.1.3.2 and 2.1.4.2), so that
printer and checker are two independent readings.
"""

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from api.accesslog.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from api.accesslog.note import VerifierKey, strict_base64
from api.accesslog.tree import EMPTY_ROOT, HASH_SIZE, Node, cover, fold, leaf_hash, node_hash
from api.errors import NoteInvalid, ProofInvalid

Range = tuple[int, int]

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})\Z", re.ASCII)
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})\Z", re.ASCII)


def inclusion_path(index: int, size: int) -> list[Range]:
    """Give the ranges of leaves whose hashes prove leaf *index* in a tree of *size*.

    Raises:
        ProofInvalid: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofInvalid
    path: list[Range] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int) -> list[Range]:
    """Give the ranges whose hashes prove that a tree of *new* leaves continues one of *old*.

    Raises:
        ProofInvalid: the sizes are not in order.
    """
    if not 0 <= old <= new:
        raise ProofInvalid
    if old in (0, new):
        return []
    path: list[Range] = []
    start, stop = 0, new
    while old < stop:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    if start > 0:  # else this last range is the whole old tree, whose root is known
        path.append((start, stop))
    return path[::-1]


def needed(path: Sequence[Range]) -> list[Node]:
    """Give the complete nodes that `prove` will ask for."""
    return [node for start, stop in path for node in cover(start, stop)]


def prove(path: Sequence[Range], hash_of: Callable[[Node], bytes]) -> list[bytes]:
    """Give the hashes of the ranges of *path*."""
    return [fold([hash_of(node) for node in cover(start, stop)]) for start, stop in path]


def check_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf with hash *leaf* is at *index* of the tree (RFC 9162, 2.1.3.2).

    Raises:
        ProofInvalid: it does not follow from the proof.
    """
    if not 0 <= index < size or not _hashes([leaf, root, *proof]):
        raise ProofInvalid
    place, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid
        if place & 1 or place == last:
            result = node_hash(sibling, result)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or result != root:
        raise ProofInvalid


def check_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the new tree continues the old one (RFC 9162, 2.1.4.2).

    Raises:
        ProofInvalid: it does not follow from the proof.
    """
    if not 0 <= old <= new or not _hashes([old_root, new_root, *proof]):
        raise ProofInvalid
    if old in (0, new):
        # Every tree continues the empty one and itself, without a proof.
        if proof or old_root != (new_root if old == new else EMPTY_ROOT):
            raise ProofInvalid
        return
    hashes = list(proof)
    if old & (old - 1) == 0:  # a complete tree: its root is the first node
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofInvalid
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalid
        if place & 1 or place == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or older != old_root or newer != new_root:
        raise ProofInvalid


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An inclusion proof with its checkpoint, in one file (C2SP tlog-proof).

    Attributes:
        checkpoint: a signed note; who reads the file opens it and checks the path.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> "TlogProof":
        """Read the file.

        Raises:
            ProofInvalid: malformed in any way.
        """
        try:
            head, separator, checkpoint = text.partition("\n\n")
            header, *lines = head.split("\n")
            if not separator or header != _HEADER or not checkpoint:
                raise ProofInvalid
            extra = None
            if lines and lines[0].startswith("extra "):
                extra = strict_base64(lines.pop(0)[len("extra ") :])
            match = _INDEX.match(lines.pop(0)) if lines else None
            hashes = tuple(strict_base64(line) for line in lines)
        except NoteInvalid:
            raise ProofInvalid from None
        # A path is no longer than the tree is high.
        if match is None or not _hashes(hashes) or len(hashes) > 63 or int(match[1]) >= MAX_SIZE:
            raise ProofInvalid
        return cls(int(match[1]), hashes, checkpoint, extra)

    def __str__(self) -> str:
        """Print what `parse` reads."""
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        hashes = [base64.b64encode(one).decode() for one in self.hashes]
        lines = [_HEADER, *extra, f"index {self.index}", *hashes, ""]
        return "".join(f"{line}\n" for line in lines) + self.checkpoint

    def check(self, leaf: bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
        """Check that *leaf* is in the log, and give the checkpoint that says so.

        Raises:
            NoteInvalid: the log's key did not sign the checkpoint.
            ProofInvalid: the hashes do not lead from the leaf to its root.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        check_inclusion(self.index, checkpoint.size, leaf_hash(leaf), self.hashes, checkpoint.root)
        return checkpoint


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """A proof that a log goes on from *old* leaves to its checkpoint, in one file.

    It is what a witness is sent: the body of an add-checkpoint request (C2SP tlog-witness).
    """

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def parse(cls, text: str) -> "ConsistencyProof":
        """Read the file.

        Raises:
            ProofInvalid: malformed in any way.
        """
        head, separator, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        match = _OLD.match(first)
        try:
            hashes = tuple(strict_base64(line) for line in lines)
        except NoteInvalid:
            raise ProofInvalid from None
        if not separator or not checkpoint or match is None or int(match[1]) > MAX_SIZE:
            raise ProofInvalid
        if not _hashes(hashes) or len(hashes) > 63:
            raise ProofInvalid
        return cls(int(match[1]), hashes, checkpoint)

    def __str__(self) -> str:
        """Print what `parse` reads."""
        hashes = [base64.b64encode(one).decode() for one in self.hashes]
        lines = [f"old {self.old}", *hashes, ""]
        return "".join(f"{line}\n" for line in lines) + self.checkpoint

    def check(self, old: Checkpoint, keys: Iterable[VerifierKey]) -> Checkpoint:
        """Check that the log continues *old*, which somebody kept; give the newer checkpoint.

        Raises:
            NoteInvalid: the log's key did not sign the newer checkpoint.
            ProofInvalid: it is of another log, or does not continue the older one.
        """
        new = open_checkpoint(self.checkpoint, keys)
        if old.origin != new.origin or old.size != self.old:
            raise ProofInvalid
        check_consistency(old.size, new.size, old.root, new.root, self.hashes)
        return new


def _split(count: int) -> int:
    """Give the largest power of two below *count* (RFC 6962, 2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _hashes(hashes: Sequence[bytes]) -> bool:
    return all(len(one) == HASH_SIZE for one in hashes)
