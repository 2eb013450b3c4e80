"""Spellings of one institution are one; different institutions are different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework.institutions import LONGEST, normalise
from api.errors import ValueInvalid


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PT Sawit Makmur", "p.t. sawit  makmur, Tbk."),
        ("PT. Sawit Makmur (Persero)", "Sawit-Makmur"),
        ("Perseroan Terbatas Sawit Makmur", "SAWIT MAKMUR"),
        ("Kepolisian Resor Contoh", "POLRES CONTOH"),
        ("Kepolisian Daerah Contoh", "Polda Contoh"),
        ("Komando Distrik Militer 0101/Contoh", "Kodim 0101 Contoh"),
        ("Café Contoh", "CAFE\u0301 CONTOH"),
    ],
)
def test_spellings_of_one_institution_are_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Polres Contoh", "Polda Contoh"),
        ("PT Sawit Makmur", "PT Sawit Makmur Abadi"),
        ("Kodim 0101", "Kodim 0102"),
        ("PT Tbk", "PT Persero"),  # Nothing but forms: they are the name.
    ],
)
def test_different_institutions_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("name", ["", " . ", "x", "\u0301", "x" * (LONGEST + 1)])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueInvalid):
        normalise(name)


@given(st.text(min_size=1, max_size=40))
def test_a_normal_form_is_one(name: str) -> None:
    try:
        form = normalise(name)
    except ValueInvalid:
        return
    assert normalise(form) == form
