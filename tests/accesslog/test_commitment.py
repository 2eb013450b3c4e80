"""A commitment binds to one text and tells nothing of it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.commitment import commitment, opens

OPENING = bytes(range(32))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
TEXT = "Permintaan tertulis, 3 Oktober"


def test_the_commitment_of_the_format_does_not_change_unnoticed() -> None:
    """Computed once more here from RFC 2104 alone."""
    message = b"perisai/log/commitment/v1\x00" + TEXT.encode()
    key = OPENING.ljust(64, b"\x00")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + message).digest()
    expected = hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest()

    assert commitment(OPENING, TEXT) == expected
    assert expected == "703a05b4525a91e7adc7c1b37940f11eae6c02dfac92ea5f086274d086d7063f"


@given(st.binary(min_size=32, max_size=32), TEXTS, st.binary(min_size=32, max_size=32))
def test_only_the_same_opening_and_text_open_it(opening: bytes, text: str, other: bytes) -> None:
    committed = commitment(opening, text)

    assert opens(committed, opening, text)
    assert not opens(committed, opening, text + "x")
    assert opens(committed, other, text) is (other == opening)


@pytest.mark.parametrize("opening", [b"", bytes(31), bytes(33)])
def test_an_opening_of_another_size_is_none(opening: bytes) -> None:
    assert not opens(commitment(OPENING, TEXT), opening, TEXT)
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(opening, TEXT)
