"""A mark is written in one way and found again however it was copied; what is none is not taken."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.paper.marks import marks_in, read_mark, spell

codes = st.binary(min_size=10, max_size=32)
#: What text extraction, mails, word processors and people put between characters.
BETWEEN = ["", " ", "\n", "\r\n", "\t", "-", " - ", "\u2013", "\u2011", "\u00ad", "\u200b", "\n> "]
betweens = st.lists(st.sampled_from(BETWEEN), min_size=23, max_size=23)


def test_a_mark_of_known_bytes() -> None:
    """The vector of api/casework/FORMAT.md; the digits were made by hand from its bits."""
    assert spell(bytes(range(10))) == "PRS-000G-40R4-0M30-E209-53D8"


@given(codes)
def test_a_mark_says_eighty_bits_of_its_code(code: bytes) -> None:
    mark = spell(code)

    assert re.fullmatch(r"PRS(-[0-9A-HJKMNP-TV-Z]{4}){5}", mark)
    assert mark == spell(code[:10])


@given(codes, codes)
def test_two_codes_have_two_marks(one: bytes, other: bytes) -> None:
    assert (spell(one) == spell(other)) is (one[:10] == other[:10])


@pytest.mark.parametrize("size", [0, 9])
def test_a_mark_is_not_made_of_less(size: int) -> None:
    with pytest.raises(ValueError, match="80 bits"):
        spell(bytes(size))


@given(codes, st.text(max_size=40), st.text(max_size=40), betweens)
def test_a_mark_is_found_with_any_spacing(
    code: bytes, before: str, after: str, between: list[str]
) -> None:
    mark = spell(code)
    characters = mark.replace("-", "")
    spaced = "".join(c + b for c, b in zip(characters, [*between, ""], strict=False))

    assert mark in marks_in(f"{before} {spaced} {after}")
    assert read_mark(f"\u2588 {spaced}") == mark


@given(codes)
def test_a_mark_is_found_in_small_letters_and_as_it_was_misread(code: bytes) -> None:
    mark = spell(code)
    body = mark.removeprefix("PRS").replace("0", "O").replace("1", "l")

    assert read_mark(f"PRS{body}") == mark
    assert read_mark(mark.lower()) == mark
    wide = "".join(chr(ord(c) + 0xFEE0) for c in mark)  # The full-width forms of ASCII.
    assert read_mark(wide) == mark


@settings(derandomize=True)  # One in a million other places reads like a mark.
@given(codes)
def test_a_mark_is_found_without_its_prefix_by_whoever_looks_for_any(code: bytes) -> None:
    mark = spell(code)
    bare = mark.removeprefix("PRS-")

    assert marks_in(f"kode: {bare}.") == [mark]
    assert read_mark(f"kode: {bare}.") is None


@settings(derandomize=True)  # One in a million changes of the code has the same check.
@given(codes, st.integers(0, 19), st.integers(1, 31))
def test_a_mark_with_one_wrong_character_is_none(code: bytes, place: int, by: int) -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    characters = list(spell(code).replace("-", "")[3:])
    characters[place] = alphabet[(alphabet.index(characters[place]) + by) % 32]

    assert read_mark("PRS" + "".join(characters)) is None


@given(st.text())
def test_a_text_without_a_mark_has_none(text: str) -> None:
    assert read_mark(text) is None


def test_two_marks_are_both_found_in_their_order() -> None:
    one, other = spell(b"a" * 10), spell(b"b" * 10)

    assert read_mark(f"{other} dan {one}") == other
    assert marks_in(f"{other} dan {one}, lagi {other}") == [other, one]


def test_a_mark_behind_what_begins_like_one_is_found() -> None:
    mark = spell(b"a" * 10)

    assert read_mark(f"PRS PRS {mark}") == mark
