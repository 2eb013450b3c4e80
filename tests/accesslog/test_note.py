"""Signed notes, keys and checkpoints, against the published vectors."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from api.accesslog.note import COSIGNATURE, ED25519, VerifierKey, _split, open_note, sign_note
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
OURS = VerifierKey(ORIGIN, ED25519, KEY.public)


@pytest.fixture(scope="module")
def known(vectors: Path) -> dict[str, Any]:
    """Give the vectors of notes and keys."""
    content: dict[str, Any] = json.loads((vectors / "signed_note.json").read_text())
    return content


def _ours(case: dict[str, Any]) -> bool:
    """Tell whether a case is not about ECDSA, which this log does not speak."""
    return not case.get("optional")


def test_published_notes_open_as_they_should(known: dict[str, Any]) -> None:
    cases = [case for case in known["cases"] if _ours(case)]
    assert len(cases) >= 16
    for case in cases:
        note = base64.b64decode(case["note_b64"]) if "note_b64" in case else case["note"]
        keys = [VerifierKey.parse(text) for text in case["vkeys"]]
        if case["ok"]:
            verified = [f"{k.name}+{k.key_id.hex()}" for k in open_note(note, keys).verified]
            assert sorted(verified) == sorted(case["verified"]), case["desc"]
        else:
            with pytest.raises(NoteInvalid):
                open_note(note, keys)


def test_published_notes_of_ecdsa_hold_and_are_not_taken_for_ours(known: dict[str, Any]) -> None:
    """This log and its witnesses sign with Ed25519 alone; of other notes the frame is read."""
    cases = [case for case in known["cases"] if not _ours(case)]
    assert len(cases) == 2
    for case in cases:
        [vkey] = case["vkeys"]
        name, key_id, encoded = vkey.split("+", 2)
        public = load_der_public_key(base64.b64decode(encoded)[1:])
        assert isinstance(public, EllipticCurvePublicKey)
        text, [(signer, signature)] = _split(case["note"])
        assert (signer, signature[:4].hex()) == (name, key_id)
        public.verify(signature[4:], text.encode(), ECDSA(SHA256()))
        with pytest.raises(NoteInvalid):
            VerifierKey.parse(vkey)
        with pytest.raises(NoteInvalid):
            open_note(case["note"], [OURS])


def test_a_published_tree_head_of_sigsum_is_a_checkpoint_with_its_signature(
    vectors: Path,
) -> None:
    known = json.loads((vectors / "sigsum_tree_head.json").read_text())
    public = bytes.fromhex(known["pubkey_hex"])
    origin = f"sigsum.org/v1/tree/{hashlib.sha256(public).hexdigest()}"
    checkpoint = Checkpoint(origin, known["size"], bytes.fromhex(known["root_hex"]))
    key = VerifierKey(origin, ED25519, public)
    signature = bytes.fromhex(known["signature_hex"])

    def note(signature: bytes) -> str:
        line = base64.b64encode(key.key_id + signature).decode()
        return f"{checkpoint}\n— {origin} {line}\n"

    assert key.holds(signature, str(checkpoint).encode())
    assert open_checkpoint(note(signature), [key]) == checkpoint
    with pytest.raises(NoteInvalid):
        open_checkpoint(note(signature[:-1] + bytes([signature[-1] ^ 1])), [key])


def test_no_good_note_keeps_its_signatures_after_a_change_of_one_byte(
    known: dict[str, Any],
) -> None:
    for case in known["cases"]:
        if not case["ok"] or not _ours(case):
            continue
        keys = [VerifierKey.parse(text) for text in case["vkeys"]]
        note = case["note"].encode()
        opened = open_note(note, keys)
        signers = len(note.split("\n— ".encode())) - 1
        for place in range(len(note)):
            changed = note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :]
            try:
                again = open_note(changed, keys)
            except NoteInvalid:
                continue
            # Only a signature line can turn into that of a stranger, and is passed over.
            assert again.text == opened.text, case["desc"]
            assert signers > 1, case["desc"]


def test_signing_gives_the_published_bytes(known: dict[str, Any]) -> None:
    for case in known["sign_exact"]:
        _private, _key, name, _hash, encoded = case["skey"].split("+", 4)
        key = SigningKey.from_seed(base64.b64decode(encoded)[1:])
        assert sign_note(case["text"], name, key) == case["signed_note"]


def test_good_keys_are_printed_as_they_were_read(known: dict[str, Any]) -> None:
    for text in known["vkeys_good"]:
        assert str(VerifierKey.parse(text)) == text


def test_no_other_text_is_a_key(known: dict[str, Any]) -> None:
    good = known["vkeys_good"][0]
    mangled = {good[a:b] for a in range(len(good)) for b in range(a + 1, len(good) + 1)} - {good}
    mangled |= {good[:at] + chr(ord(letter) + 1) + good[at + 1 :] for at, letter in enumerate(good)}
    mangled |= {known["sign_exact"][0]["skey"], "", good + "\n", " " + good, good.upper()}
    assert len(mangled) > 2_000
    for text in (*known["vkeys_bad"], *mangled):
        with pytest.raises(NoteInvalid):
            VerifierKey.parse(text)


def test_published_checkpoints_are_read_strictly(vectors: Path) -> None:
    for case in json.loads((vectors / "checkpoint_body.json").read_text())["cases"]:
        if case["c2sp_strict_ok"]:
            assert str(Checkpoint.parse(case["body"])) == case["body"], case["why"]
        else:
            with pytest.raises(NoteInvalid):
                Checkpoint.parse(case["body"])


CHECKPOINTS = st.builds(
    Checkpoint,
    origin=st.from_regex(r"[a-z.]{1,20}/[a-z]{1,9}", fullmatch=True),
    size=st.integers(0, MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(st.from_regex(r"[ -~]{1,20}", fullmatch=True), max_size=2).map(tuple),
)


@given(CHECKPOINTS)
def test_a_checkpoint_is_read_as_it_was_printed_and_signed(checkpoint: Checkpoint) -> None:
    key = VerifierKey(checkpoint.origin, ED25519, KEY.public)

    assert Checkpoint.parse(str(checkpoint)) == checkpoint
    assert open_checkpoint(checkpoint.sign(KEY), [key]) == checkpoint


def test_a_checkpoint_with_any_byte_changed_is_refused() -> None:
    note = Checkpoint(ORIGIN, 12, bytes(32)).sign(KEY).encode()
    for place in range(len(note)):
        for bit in range(8):
            changed = note[:place] + bytes([note[place] ^ 1 << bit]) + note[place + 1 :]
            with pytest.raises(NoteInvalid):
                open_checkpoint(changed, [OURS])


def test_only_the_key_of_the_log_signs_its_checkpoints() -> None:
    checkpoint = Checkpoint(ORIGIN, 12, bytes(32))
    note = checkpoint.sign(KEY)
    stranger = SigningKey.from_seed(bytes(32))

    assert open_checkpoint(note, [OURS]) == checkpoint
    for keys in (
        [],
        [VerifierKey(ORIGIN, ED25519, stranger.public)],
        [VerifierKey("other.example/log", ED25519, KEY.public)],
        [VerifierKey(ORIGIN, COSIGNATURE, KEY.public)],
    ):
        with pytest.raises(NoteInvalid):
            open_checkpoint(note, keys)


def test_another_log_of_the_same_key_is_another_log() -> None:
    body = str(Checkpoint("other.example/log", 12, bytes(32)))
    with pytest.raises(NoteInvalid):
        open_checkpoint(sign_note(body, ORIGIN, KEY), [OURS])


@pytest.mark.parametrize(
    ("text", "name"),
    [("no newline", "a"), ("control\x00\n", "a"), ("text\n", "two words"), ("text\n", "a+b")],
)
def test_what_is_no_note_is_not_signed(text: str, name: str) -> None:
    with pytest.raises(NoteInvalid):
        sign_note(text, name, KEY)
