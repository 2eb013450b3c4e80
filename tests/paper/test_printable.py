"""What cannot be set shows its number; what can stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paper.printable import lines, printable


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("Berkas  kasus\tini", "Berkas kasus ini"),
        ("Jose\u0301", "Jos\u00e9"),
        ("\u0645", "[U+0645]"),
        ("a\u202eb", "a[U+202E]b"),
        ("\U0001f600", "[U+1F600]"),
        ("\x00\ufffe", "[U+0000][U+FFFE]"),
        ("\ud800", "[U+D800]"),
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
    ],
)
def test_a_text_as_it_is_shown(given_text: str, shown: str) -> None:
    assert printable(given_text) == shown


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Cf"]), max_size=30))
def test_latin_stays_as_it_is(text: str) -> None:
    assert printable(text) == " ".join(text.split())


def test_a_long_word_gets_places_to_break_and_loses_nothing() -> None:
    word = "x" * 95

    shown = printable(word)

    assert shown.replace("\u200b", "") == word
    assert max(map(len, shown.split("\u200b"))) == 40


def test_each_line_is_a_paragraph_and_empty_ones_are_none() -> None:
    assert lines("satu\n\n  dua \r\n\u2028tiga") == ["satu", "dua", "tiga"]
