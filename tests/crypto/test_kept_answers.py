"""What is kept of an answer opens in its context only, and a digest tells nothing."""

import pickle
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto.cursors import CursorKey
from api.crypto.kept_answers import AnswersKey
from api.errors import SealBroken

KEY = AnswersKey(b"c" * 32)


@given(st.binary(max_size=100), st.binary(max_size=3000))
def test_an_answer_opens_in_its_context(context: bytes, payload: bytes) -> None:
    assert KEY.open(context, KEY.seal(context, payload)) == payload


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_an_answer_opens_in_no_other_context(context: bytes, other: bytes) -> None:
    if context != other:
        with pytest.raises(SealBroken):
            KEY.open(other, KEY.seal(context, b"payload"))


def test_an_answer_does_not_open_under_another_key() -> None:
    with pytest.raises(SealBroken) as caught:
        AnswersKey(b"d" * 32).open(b"context", KEY.seal(b"context", b"payload"))
    assert caught.value.__suppress_context__


def test_no_bit_of_a_kept_answer_can_be_another() -> None:
    sealed = KEY.seal(b"context", b"payload")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            KEY.open(b"context", bytes(changed))


@pytest.mark.parametrize("sealed", [b"", b"n" * 12, b"n" * 27, "text", None, 7])
def test_what_we_did_not_make_is_refused(sealed: object) -> None:
    with pytest.raises(SealBroken):
        KEY.open(b"context", sealed)  # type: ignore[arg-type]  # as SQLite may give it


def test_a_digest_is_that_of_its_parts_and_of_its_key() -> None:
    digests = {
        KEY.digest(b"key", b"ab", b"c"),
        KEY.digest(b"key", b"a", b"bc"),
        KEY.digest(b"request", b"ab", b"c"),
        AnswersKey(b"d" * 32).digest(b"key", b"ab", b"c"),
    }
    assert len(digests) == 4
    assert KEY.digest(b"key", b"ab", b"c") in digests
    assert {len(digest) for digest in digests} == {32}


def test_the_keys_are_none_of_the_cursors() -> None:
    """The same secret and nonce, and yet another stream: neither opens what the other sealed."""
    nonce = bytes(12)
    cursor = CursorKey(b"c" * 32, lambda _size: nonce).seal(b"context", b"payload")
    raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    kept = AnswersKey(b"c" * 32, lambda _size: nonce).seal(b"context", b"payload")
    assert len(raw) == len(kept)
    assert raw[12:19] != kept[12:19]
    with pytest.raises(SealBroken):
        KEY.open(b"context", raw)


def test_a_key_shows_nothing_and_is_not_copied() -> None:
    assert repr(KEY) == "<answers key>"
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    with pytest.raises(ValueError, match="32 bytes"):
        AnswersKey(b"short")
