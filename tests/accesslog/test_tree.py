"""Roots and proofs, against the published vectors and an independent reference."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.proofs import (
    ConsistencyProof,
    TlogProof,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    prove,
)
from api.accesslog.tree import (
    EMPTY_ROOT,
    Growth,
    Head,
    Node,
    Tree,
    cover,
    fold,
    leaf_hash,
    node_hash,
)
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, NoteInvalid, ProofInvalid
from tests.accesslog.reference import Reference

SIZE = 300
LEAVES = [b"leaf %d" % number for number in range(SIZE)]
REFERENCE = Reference(LEAVES)


def grow(leaves: list[bytes]) -> tuple[Tree, list[bytes]]:
    """Give the tree over *leaves* and what would be stored beside each."""
    tree = Tree()
    return tree, [tree.append(leaf_hash(leaf)) for leaf in leaves]


TREE, ROWS = grow(LEAVES)


def stored(node: Node) -> bytes:
    """Read a node where the rows keep it."""
    return node.of(ROWS[node.row])


def test_hashes_are_those_of_rfc_6962(vectors: Path) -> None:
    known = json.loads((vectors / "rfc6962_reference.json").read_text())

    assert EMPTY_ROOT.hex() == known["empty_root"]
    for case in known["hash_leaf"]:
        assert leaf_hash(bytes.fromhex(case["data_hex"])).hex() == case["hash"]
    for case in known["hash_children"]:
        left, right = bytes.fromhex(case["left_hex"]), bytes.fromhex(case["right_hex"])
        assert node_hash(left, right).hex() == case["hash"]
        assert node_hash(right, left) != node_hash(left, right) != leaf_hash(left + right)
    tree = Tree()
    roots = [tree.root().hex()]
    for leaf in known["leaves_hex"]:
        tree.append(leaf_hash(bytes.fromhex(leaf)))
        roots.append(tree.root().hex())
    assert roots == known["roots_by_size"]


def test_every_tree_up_to_300_leaves_has_the_root_of_the_reference() -> None:
    tree = Tree()
    for size in range(SIZE + 1):
        assert tree.root() == REFERENCE.root(0, size)
        assert fold([stored(node) for node in cover(0, size)]) == tree.root()
        if size < SIZE:
            assert tree.append(leaf_hash(LEAVES[size])) == ROWS[size]


def test_many_leaves_at_once_give_what_one_by_one_gives() -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    for start in range(0, SIZE, 7):
        before, _ = grow(LEAVES[:start])
        for stop in (start, start + 1, start + 8, SIZE):
            growth = Growth(before, hashes[start:stop])
            after, rows = grow(LEAVES[: min(stop, SIZE)])
            assert growth.rows() == rows[start:]
            assert growth.after().head() == after.head()
            for size in range(start, growth.stop + 1):
                assert growth.root(size) == REFERENCE.root(0, size)
        for size in (start - 1, SIZE + 1):
            with pytest.raises(ValueError):  # noqa: PT011  # a size that it does not reach
                growth.root(size)


def test_a_row_holds_the_leaf_hash_and_every_subtree_that_it_completes() -> None:
    for index, row in enumerate(ROWS):
        subtrees = [
            REFERENCE.root(index + 1 - (1 << level), index + 1)
            for level in range(10)
            if (index + 1) % (1 << level) == 0
        ]
        assert row == b"".join(subtrees)


def test_every_inclusion_proof_up_to_300_leaves_is_that_of_the_reference() -> None:
    for size in range(1, SIZE + 1):
        root = REFERENCE.root(0, size)
        for index in range(size):
            proof = prove(inclusion_path(index, size), stored)
            assert proof == REFERENCE.path(index, 0, size)
            check_inclusion(index, size, leaf_hash(LEAVES[index]), proof, root)


def test_every_consistency_proof_up_to_300_leaves_is_that_of_the_reference() -> None:
    for new in range(1, SIZE + 1):
        root = REFERENCE.root(0, new)
        for old in range(1, new + 1):
            proof = prove(consistency_path(old, new), stored)
            assert proof == REFERENCE.proof(old, new)
            check_consistency(old, new, REFERENCE.root(0, old), root, proof)


def test_every_tree_continues_the_empty_one() -> None:
    assert consistency_path(0, 9) == []
    check_consistency(0, 9, EMPTY_ROOT, REFERENCE.root(0, 9), [])
    with pytest.raises(ProofInvalid):
        check_consistency(0, 9, REFERENCE.root(0, 1), REFERENCE.root(0, 9), [])


def _damaged(proof: list[bytes]) -> list[list[bytes]]:
    """Give every proof with one hash changed, left out, doubled, cut or exchanged."""
    damaged = [[*proof, bytes(32)], [bytes(32), *proof]]
    for at, one in enumerate(proof):
        changed = bytes([one[0] ^ 1]) + one[1:]
        for instead in ([changed], [], [one, one], [one[:-1]], [one + b"\0"]):
            damaged.append([*proof[:at], *instead, *proof[at + 1 :]])  # noqa: PERF401
        if at and proof[at - 1] != one:
            damaged.append([*proof[: at - 1], one, proof[at - 1], *proof[at + 1 :]])
    return damaged


@pytest.mark.parametrize("size", range(1, 18))
def test_no_damaged_inclusion_proof_passes(size: int) -> None:
    root = REFERENCE.root(0, size)
    for index in range(size):
        leaf = leaf_hash(LEAVES[index])
        proof = REFERENCE.path(index, 0, size)
        for damaged in _damaged(proof):
            with pytest.raises(ProofInvalid):
                check_inclusion(index, size, leaf, damaged, root)
        for place, length in ((index + 1, size), (index - 1, size), (index, 0), (size, size)):
            with pytest.raises(ProofInvalid):
                check_inclusion(place, length, leaf, proof, root)
        with pytest.raises(ProofInvalid):
            check_inclusion(index, size, leaf_hash(b"other"), proof, root)


@pytest.mark.parametrize("new", range(1, 18))
def test_no_damaged_consistency_proof_passes(new: int) -> None:
    root = REFERENCE.root(0, new)
    for old in range(1, new + 1):
        proof = REFERENCE.proof(old, new)
        before = REFERENCE.root(0, old)
        for damaged in _damaged(proof):
            with pytest.raises(ProofInvalid):
                check_consistency(old, new, before, root, damaged)
        with pytest.raises(ProofInvalid):
            check_consistency(old, new, leaf_hash(b"other"), root, proof)
        with pytest.raises(ProofInvalid):
            check_consistency(old, new, before, leaf_hash(b"other"), proof)
        with pytest.raises(ProofInvalid):
            check_consistency(new + 1, new, before, root, proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofInvalid):
        inclusion_path(index, size)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 300])
def test_a_tree_goes_on_from_what_is_stored_of_it(size: int) -> None:
    tree, _ = grow(LEAVES[:size])
    head = tree.head()

    assert Tree.at(head).head() == head
    if size:
        for wrong in (
            Head(2 * size + 1, head.root, head.peaks),
            Head(-size, head.root, head.peaks),
            Head(size, EMPTY_ROOT, head.peaks),
            Head(size, head.root, head.peaks[:-1]),
            Head(size, head.root, head.peaks + bytes(32)),
            Head(size, head.root, bytes([head.peaks[0] ^ 1]) + head.peaks[1:]),
        ):
            with pytest.raises(LogBroken):
                Tree.at(wrong)


def test_a_copy_grows_apart() -> None:
    tree, _ = grow(LEAVES[:5])
    before = tree.head()

    tree.copy().append(leaf_hash(b"more"))

    assert tree.head() == before


def test_proof_files_are_those_of_c2sp(vectors: Path) -> None:
    known = json.loads((vectors / "tlog_proof.json").read_text())

    for case in known["marshal"]:
        proof = TlogProof(
            case["index"],
            tuple(base64.b64decode(one) for one in case["hashes"]),
            case["checkpoint"],
            None if case["extra"] is None else base64.b64decode(case["extra"]),
        )
        assert str(proof) == case["want"]
        assert TlogProof.parse(case["want"]) == proof
    for text in known["bad"]:
        with pytest.raises(ProofInvalid):
            TlogProof.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex +1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex ١\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 9999999999999999999\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\ncheckpoint\r\n",
    ],
)
def test_other_texts_are_no_proof_files(text: str) -> None:
    with pytest.raises(ProofInvalid):
        TlogProof.parse(text)


KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
KEYS = [VerifierKey(ORIGIN, ED25519, KEY.public)]


def checkpoint(size: int, origin: str = ORIGIN) -> Checkpoint:
    """Give the checkpoint of the first leaves."""
    return Checkpoint(origin, size, REFERENCE.root(0, size))


def test_a_proof_file_is_checked_with_the_leaf_and_public_keys() -> None:
    hashes = tuple(REFERENCE.path(11, 0, 40))
    proof = TlogProof(11, hashes, checkpoint(40).sign(KEY))

    assert TlogProof.parse(str(proof)).check(LEAVES[11], KEYS) == checkpoint(40)
    for wrong, leaf in (
        (proof, LEAVES[12]),
        (replace(proof, index=12), LEAVES[11]),
        (replace(proof, hashes=hashes[:-1]), LEAVES[11]),
        (replace(proof, checkpoint=checkpoint(41).sign(KEY)), LEAVES[11]),
    ):
        with pytest.raises(ProofInvalid):
            wrong.check(leaf, KEYS)
    stranger = SigningKey.from_seed(bytes(32))
    for note in (checkpoint(40).sign(stranger), checkpoint(40, "other.example").sign(KEY)):
        with pytest.raises(NoteInvalid):
            replace(proof, checkpoint=note).check(LEAVES[11], KEYS)


@pytest.mark.parametrize(("old", "new"), [(0, 7), (1, 1), (1, 300), (64, 100), (77, 300)])
def test_a_file_proves_that_a_log_goes_on_from_an_older_checkpoint(old: int, new: int) -> None:
    hashes = tuple(REFERENCE.proof(old, new)) if old else ()
    proof = ConsistencyProof(old, hashes, checkpoint(new).sign(KEY))
    before = Checkpoint(ORIGIN, 0, EMPTY_ROOT) if old == 0 else checkpoint(old)

    assert ConsistencyProof.parse(str(proof)) == proof
    assert proof.check(before, KEYS) == checkpoint(new)
    for wrong, kept in (
        (replace(proof, hashes=(*hashes, bytes(32))), before),
        (replace(proof, old=old + 1), before),
        (proof, replace(before, root=bytes(32))),
        (proof, replace(before, size=old + 1)),
        (proof, replace(before, origin="other.example")),
    ):
        with pytest.raises(ProofInvalid):
            wrong.check(kept, KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 1\n",
        "old 1\n\n",
        "old 01\n\ncheckpoint\n",
        "old -1\n\ncheckpoint\n",
        "old ١\n\ncheckpoint\n",
        "old 9223372036854775808\n\ncheckpoint\n",
        "old 1\nAAAA\n\ncheckpoint\n",
        "old 1\nnot base64\n\ncheckpoint\n",
        "old 1\r\n\r\ncheckpoint\r\n",
        "old 1\n" + "A" * 43 + "=\n" * 64 + "\ncheckpoint\n",
        "index 1\n\ncheckpoint\n",
    ],
)
def test_other_texts_are_no_proofs_of_consistency(text: str) -> None:
    with pytest.raises(ProofInvalid):
        ConsistencyProof.parse(text)
