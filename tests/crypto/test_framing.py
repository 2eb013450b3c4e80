"""Framing is injective, and may be done in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto.framing import LENGTH_4, LENGTH_16, frame

parts = st.lists(st.binary(max_size=8), min_size=1, max_size=5)


def unframed(data: bytes) -> list[bytes]:
    found = []
    while data:
        size = int.from_bytes(data[:4])
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


@given(parts)
def test_the_parts_can_be_read_back_so_no_two_lists_frame_alike(some: list[bytes]) -> None:
    assert unframed(frame(*some)) == some


@given(parts, parts)
def test_framing_in_pieces_gives_the_same_bytes(some: list[bytes], more: list[bytes]) -> None:
    assert frame(*some, *more) == frame(*some) + frame(*more)


def test_the_two_lengths_stand_for_a_frame_of_an_id_and_of_a_version() -> None:
    assert frame(b"x" * 16) == LENGTH_16 + b"x" * 16
    assert frame(b"x" * 4) == LENGTH_4 + b"x" * 4


def test_a_frame_is_never_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        frame()
    assert frame(b"") == b"\x00\x00\x00\x00"
