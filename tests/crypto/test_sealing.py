"""A field opens where it was sealed and nowhere else, and only unchanged."""

from datetime import date
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto.data_keys import DataKey
from api.crypto.sealed import Sealed
from api.crypto.sealing import Place, key_version, open_sealed, seal
from api.errors import SealBroken, ValueInvalid
from api.vocabulary import Compartment

NAME = Place("defender", "full_name", Compartment.IDENTITY, "text")
KEY = DataKey(UUID(int=1), Compartment.IDENTITY, 1, b"k" * 32)
ROW = UUID(int=2)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(st.none() | texts, st.uuids(), st.integers(0, 2**32 - 1))
def test_what_is_sealed_opens(value: str | None, row: UUID, version: int) -> None:
    key = DataKey(UUID(int=1), Compartment.IDENTITY, version, b"k" * 32)
    sealed = seal(key, NAME, row, value)
    assert open_sealed(key, NAME, row, sealed) == value
    assert key_version(sealed) == version


def test_every_flip_of_one_bit_is_refused() -> None:
    data = seal(KEY, NAME, ROW, "Munir").data
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealBroken):
            open_sealed(KEY, NAME, ROW, Sealed(bytes(changed)))


def test_every_cut_and_every_extension_is_refused() -> None:
    data = seal(KEY, NAME, ROW, "Munir").data
    for length in range(len(data)):
        with pytest.raises(SealBroken):
            open_sealed(KEY, NAME, ROW, Sealed(data[:length]))
    with pytest.raises(SealBroken):
        open_sealed(KEY, NAME, ROW, Sealed(data + b"\x00"))


def test_a_field_opens_in_its_own_place_and_under_its_own_key_only() -> None:
    # One secret for all keys: what differs is only what each is bound to.
    where = [
        (
            DataKey(UUID(int=1), compartment, version, b"k" * 32),
            Place(table, column, compartment, kind),
            row,
        )
        for compartment, version, table, column, kind, row in product(
            (Compartment.IDENTITY, Compartment.CONTACT),
            (1, 2),
            ("defender", "note"),
            ("full_name", "nik"),
            ("text", "texts"),
            (UUID(int=2), UUID(int=3)),
        )
    ]
    # Absence is encoded alike for both kinds: only the binding tells them apart.
    sealed = [seal(key, place, row, None) for key, place, row in where]
    for (i, field), (j, (key, place, row)) in product(enumerate(sealed), enumerate(where)):
        if i == j:
            assert open_sealed(key, place, row, field) is None
        else:
            with pytest.raises(SealBroken):
                open_sealed(key, place, row, field)


def test_words_moved_across_the_border_of_two_names_bind_differently() -> None:
    sealed = seal(KEY, Place("ab", "c", Compartment.IDENTITY, "text"), ROW, "Munir")
    with pytest.raises(SealBroken):
        open_sealed(KEY, Place("a", "bc", Compartment.IDENTITY, "text"), ROW, sealed)


def test_a_field_does_not_open_under_another_key() -> None:
    other = DataKey(KEY.record, KEY.compartment, KEY.version, b"o" * 32)
    with pytest.raises(SealBroken) as caught:
        open_sealed(other, NAME, ROW, seal(KEY, NAME, ROW, "Munir"))
    assert caught.value.__suppress_context__


def test_equal_values_are_sealed_differently() -> None:
    assert len({seal(KEY, NAME, ROW, "Munir").data for _ in range(100)}) == 100


@pytest.mark.parametrize("value", [None, "", "Sri", "x" * 63])
def test_sealed_absence_looks_like_presence(value: str | None) -> None:
    assert len(seal(KEY, NAME, ROW, value).data) == 97


def test_a_key_seals_only_fields_of_its_compartment() -> None:
    contact = Place("defender", "phones", Compartment.CONTACT, "texts")
    with pytest.raises(ValueError, match="another compartment"):
        seal(KEY, contact, ROW, ["0812"])


@pytest.mark.parametrize("value", [1, b"Munir", ["Munir"], date(2026, 1, 1), True])
def test_a_value_of_another_kind_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        seal(KEY, NAME, ROW, value)


def test_text_that_is_no_unicode_is_refused_as_an_input() -> None:
    with pytest.raises(ValueInvalid):
        seal(KEY, NAME, ROW, "\ud800")


@pytest.mark.parametrize(("table", "column", "kind"), [("", "a", "text"), ("a", "", "text")])
def test_a_place_has_a_table_and_a_column(table: str, column: str, kind: str) -> None:
    with pytest.raises(ValueError, match="table and a column"):
        Place(table, column, Compartment.IDENTITY, kind)


def test_a_place_has_a_known_kind() -> None:
    with pytest.raises(ValueError, match="text, texts or date"):
        Place("a", "b", Compartment.IDENTITY, "number")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02" + bytes(99), b"\x01" + bytes(31)])
def test_the_version_of_what_cannot_be_a_field_is_not_told(data: bytes) -> None:
    with pytest.raises(SealBroken):
        key_version(Sealed(data))


def test_rows_made_by_the_application_bind_like_rows_read_from_a_driver() -> None:
    class DriverUUID(UUID):
        """As asyncpg returns them."""

    row = uuid4()
    assert open_sealed(KEY, NAME, DriverUUID(row.hex), seal(KEY, NAME, row, "Munir")) == "Munir"
