"""An envelope is as long as its kind, and opens for one agency and one thing only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto.envelopes import open_envelope, seal_envelope
from api.crypto.sharing import OVERHEAD, SharingKey, seal_to
from api.errors import SealBroken, ValueInvalid

MINE, OTHER = SharingKey(b"\x01" * 32), SharingKey(b"\x02" * 32)
SIZE = 64
INFO = b"for this"


@given(st.binary(max_size=SIZE - 4), st.binary(max_size=20))
def test_what_was_sealed_opens_and_its_length_tells_nothing(plain: bytes, info: bytes) -> None:
    sealed = seal_envelope(plain, SIZE, info, MINE.public)

    assert len(sealed) == SIZE + OVERHEAD
    assert open_envelope(sealed, SIZE, info, MINE) == plain


@given(st.binary(min_size=SIZE - 3, max_size=2 * SIZE))
def test_what_does_not_fit_is_refused(plain: bytes) -> None:
    with pytest.raises(ValueInvalid):
        seal_envelope(plain, SIZE, INFO, MINE.public)


@given(st.integers(0, SIZE + OVERHEAD - 1), st.integers(1, 255))
def test_no_byte_may_be_another(place: int, change: int) -> None:
    sealed = bytearray(seal_envelope(b"known", SIZE, INFO, MINE.public))
    sealed[place] ^= change

    with pytest.raises(SealBroken):
        open_envelope(bytes(sealed), SIZE, INFO, MINE)


def test_it_opens_for_nobody_else_and_for_nothing_else() -> None:
    sealed = seal_envelope(b"known", SIZE, INFO, MINE.public)

    for key, info, size in ((OTHER, INFO, SIZE), (MINE, b"for that", SIZE), (MINE, INFO, SIZE + 1)):
        with pytest.raises(SealBroken):
            open_envelope(sealed, size, info, key)
    with pytest.raises(SealBroken):
        open_envelope(b"", SIZE, INFO, MINE)


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\x00\x00\x00",
        (61).to_bytes(4).ljust(SIZE, b"\x00"),
        (2**32 - 1).to_bytes(4).ljust(SIZE, b"\x00"),
        ((1).to_bytes(4) + b"ab").ljust(SIZE, b"\x00"),
        ((0).to_bytes(4)).ljust(SIZE, b"\x00") + b"\x00",
    ],
)
def test_what_another_sealed_otherwise_does_not_open(padded: bytes) -> None:
    with pytest.raises(SealBroken):
        open_envelope(seal_to(MINE.public, padded, INFO), SIZE, INFO, MINE)


def test_to_what_is_no_key_nothing_is_sealed() -> None:
    for public in (b"", bytes(32), bytes(31)):
        with pytest.raises(SealBroken):
            seal_envelope(b"known", SIZE, INFO, public)
