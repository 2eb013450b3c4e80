"""Cosignatures: made and found as C2SP tlog-cosignature says, and joined to their note."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.cosignature import cosign, cosignatures, cosigned_note, text_of, witness_key
from api.accesslog.note import ED25519, VerifierKey, open_note, signature_line
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid

LOG_KEY = SigningKey.from_seed(bytes(range(32)))
KEY = SigningKey.from_seed(bytes(32))
NAME = "witness.example/w1"
OURS = witness_key(NAME, KEY.public)
LOG = VerifierKey("perisai.example/log", ED25519, LOG_KEY.public)
NOTE = Checkpoint(LOG.name, 5, bytes(32)).sign(LOG_KEY)
TEXT = text_of(NOTE)


@given(st.integers(0, 2**63 - 1))
def test_what_was_cosigned_is_found_with_its_moment(at: int) -> None:
    one = cosign(TEXT, NAME, KEY, at)

    assert cosignatures(TEXT, one.line, [OURS]) == [one]
    assert one.at == at


def test_the_signed_message_is_that_of_the_specification() -> None:
    """Source: c2sp.org/tlog-cosignature, "Ed25519 signed message"."""
    one = cosign(TEXT, NAME, KEY, 1679315147)

    signature = base64.b64decode(one.line.split(" ")[2])
    assert signature[:4] == OURS.key_id
    assert signature[4:12] == (1679315147).to_bytes(8, "big")
    assert signature[12:] == KEY.sign(b"cosignature/v1\ntime 1679315147\n" + TEXT.encode())


def test_a_cosignature_is_of_its_checkpoint_only() -> None:
    line = cosign(TEXT, NAME, KEY, 7).line

    with pytest.raises(NoteInvalid):
        cosignatures(text_of(Checkpoint(LOG.name, 6, bytes(32)).sign(LOG_KEY)), line, [OURS])


def test_no_bit_of_it_can_be_changed() -> None:
    signature = base64.b64decode(cosign(TEXT, NAME, KEY, 7).line.split(" ")[2])[4:]
    for bit in range(8 * len(signature)):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8

        with pytest.raises(NoteInvalid):
            cosignatures(TEXT, signature_line(OURS, bytes(changed)), [OURS])


@pytest.mark.parametrize("lines", ["", "\n", "— x\n", "x" * 70, "— a b\n"])
def test_lines_that_are_none_are_refused(lines: str) -> None:
    with pytest.raises(NoteInvalid):
        cosignatures(TEXT, lines, [OURS])


def test_a_moment_that_no_clock_shows_is_refused() -> None:
    at = 2**63
    signed = b"cosignature/v1\ntime %d\n" % at + TEXT.encode()

    with pytest.raises(NoteInvalid):
        cosignatures(TEXT, signature_line(OURS, at.to_bytes(8, "big") + KEY.sign(signed)), [OURS])


def test_others_are_passed_over_and_a_logs_key_is_no_witness() -> None:
    stranger = cosign(TEXT, "stranger.example", LOG_KEY, 7)
    logs_own = NOTE.rpartition("\n\n")[2]

    assert cosignatures(TEXT, stranger.line + logs_own, [OURS, LOG]) == []


def test_a_note_carries_the_newest_of_each_witness() -> None:
    other = SigningKey.from_seed(b"\x02" * 32)
    lines = [
        cosign(TEXT, "witness.example/w2", other, 5),
        cosign(TEXT, NAME, KEY, 7),
        cosign(TEXT, NAME, KEY, 9),
        cosign(TEXT, NAME, KEY, 8),
    ]

    joined = cosigned_note(NOTE, lines)

    assert joined == NOTE + lines[2].line + lines[0].line
    assert open_checkpoint(joined, [LOG]) == Checkpoint(LOG.name, 5, bytes(32))
    verified = open_note(joined, [LOG, OURS, lines[0].key]).verified
    assert set(verified) == {LOG, OURS, lines[0].key}
    assert cosigned_note(joined, lines) == joined
    assert cosigned_note(NOTE, []) == NOTE
