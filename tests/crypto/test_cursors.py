"""A cursor opens in its context only, in one spelling only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto import cursors
from api.crypto.cursors import MAX_PAYLOAD, CursorKey
from api.errors import MalformedCursor

KEY = CursorKey(b"c" * 32)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.binary(max_size=100), st.binary(max_size=MAX_PAYLOAD))
def test_a_cursor_opens_in_its_context(context: bytes, payload: bytes) -> None:
    cursor = KEY.seal(context, payload)
    assert KEY.open(context, cursor) == payload
    assert set(cursor) <= set(LETTERS)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_cursor_opens_in_no_other_context(context: bytes, other: bytes) -> None:
    if context != other:
        with pytest.raises(MalformedCursor):
            KEY.open(other, KEY.seal(context, b"payload"))


def test_a_cursor_does_not_open_under_another_key() -> None:
    with pytest.raises(MalformedCursor) as caught:
        CursorKey(b"d" * 32).open(b"context", KEY.seal(b"context", b"payload"))
    assert caught.value.__suppress_context__


def test_every_other_letter_in_any_place_is_refused() -> None:
    cursor = KEY.seal(b"context", b"payload!")  # 36 bytes: no unused bits; below, some
    for sealed in (cursor, KEY.seal(b"context", b"payload"), KEY.seal(b"context", b"payloa")):
        for place in range(len(sealed)):
            for letter in LETTERS + "+/= \n%é":
                if letter != sealed[place]:
                    with pytest.raises(MalformedCursor):
                        KEY.open(b"context", sealed[:place] + letter + sealed[place + 1 :])


@given(st.text(max_size=200))
def test_no_text_that_we_did_not_make_opens(text: str) -> None:
    with pytest.raises(MalformedCursor):
        KEY.open(b"context", text)


@pytest.mark.parametrize("tail", ["=", "==", "\n", " ", "A", "AAAA", "\x00", "é"])
def test_a_cursor_with_a_tail_is_refused(tail: str) -> None:
    cursor = KEY.seal(b"context", b"payload")
    with pytest.raises(MalformedCursor):
        KEY.open(b"context", cursor + tail)


def test_every_cut_is_refused() -> None:
    cursor = KEY.seal(b"context", b"payload")
    for length in range(len(cursor)):
        with pytest.raises(MalformedCursor):
            KEY.open(b"context", cursor[:length])


def test_what_is_longer_than_any_cursor_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest = KEY.seal(b"context", b"p" * MAX_PAYLOAD)
    assert KEY.open(b"context", longest) == b"p" * MAX_PAYLOAD

    def never(_: str) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(cursors, "urlsafe_b64decode", never)
    with pytest.raises(MalformedCursor):
        KEY.open(b"context", longest + "AAAA")


def test_a_payload_over_the_limit_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="too long"):
        KEY.seal(b"context", b"p" * (MAX_PAYLOAD + 1))


def test_equal_cursors_look_different() -> None:
    assert len({KEY.seal(b"context", b"payload") for _ in range(100)}) == 100


def test_a_cursor_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CursorKey(b"c" * 16)
