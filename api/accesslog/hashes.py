"""The comparison of leaf bytes with the hashes that are stored beside them.

Where they differ it is told which of the two was changed as far as the other hashes
tell: the walk goes on with the one that they fit, so that one changed row is one fault
and not one in every head after it.
"""

from collections.abc import Sequence
from typing import Any

from api.accesslog.tree import HASH_SIZE, Growth, Tree, leaf_hash

#: Where in the stretch, and what is wrong there.
Differences = list[tuple[int, str]]

_BODY = "its hashes are not those of its body"
_ABOVE = "its hashes are not those of the entries up to it"
_UNREADABLE = "cannot be read"


def grown(
    before: Tree, bodies: Sequence[Any], stored: Sequence[Any]
) -> tuple[Growth | None, Differences]:
    """Add *bodies* to *before*, and compare with what is *stored* beside each.

    Gives no growth if the hash of a leaf cannot be known: the tree ends there.
    """
    if all(body.__class__ is bytes for body in bodies):
        growth = Growth(before, [leaf_hash(body) for body in bodies])
        if growth.rows() == stored:
            return growth, []
    return _differing(before, bodies, stored)


def differing_leaves(bodies: Sequence[Any], stored: Sequence[Any]) -> Differences:
    """Compare the leaves alone, where no tree is known."""
    return [
        (at, _UNREADABLE if leaf is None or row.__class__ is not bytes else _BODY)
        for at, (leaf, row) in enumerate(zip(_computed(bodies), stored, strict=True))
        if leaf is None or leaf != _kept(row)
    ]


def _differing(
    before: Tree, bodies: Sequence[Any], stored: Sequence[Any]
) -> tuple[Growth | None, Differences]:
    wrong = differing_leaves(bodies, stored)
    computed, kept = _computed(bodies), [_kept(row) for row in stored]
    growths = []
    for first, second in ((computed, kept), (kept, computed)):
        leaves = [a or b for a, b in zip(first, second, strict=True)]
        known = [leaf for leaf in leaves if leaf is not None]
        if len(known) < len(leaves):
            return None, wrong
        growths.append(Growth(before, known))
    above = [_above(growth, stored) for growth in growths]
    fitting = min(range(2), key=lambda which: len(above[which]))
    wrong += [(at, _ABOVE) for at in above[fitting]]
    return growths[fitting], sorted(wrong)


def _computed(bodies: Sequence[Any]) -> list[bytes | None]:
    return [leaf_hash(body) if body.__class__ is bytes else None for body in bodies]


def _kept(row: Any) -> bytes | None:
    """Give the leaf hash that is stored in a row, if it holds one."""
    return row[:HASH_SIZE] if row.__class__ is bytes and len(row) >= HASH_SIZE else None


def _above(growth: Growth, stored: Sequence[Any]) -> list[int]:
    """Give where the nodes above the leaves are not those of *growth*."""
    return [
        at
        for at, (row, have) in enumerate(zip(growth.rows(), stored, strict=True))
        if have.__class__ is bytes and have[HASH_SIZE:] != row[HASH_SIZE:]
    ]
