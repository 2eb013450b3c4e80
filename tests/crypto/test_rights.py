"""A MAC over a row holds for that row only: its table, types, values and their order."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto
from hypothesis import given
from hypothesis import strategies as st

from api.crypto.rights import Cell, RightsKey
from api.errors import ValueInvalid

KEY = RightsKey(b"r" * 32)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

cells = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.uuids()
)
rows = st.lists(cells, max_size=5)


def typed(row: list[Cell]) -> list[tuple[type, Cell]]:
    """To Python `True == 1`, to a right not."""
    return [(type(value), value) for value in row]


@given(rows)
def test_the_mac_of_a_row_holds_for_it(row: list[Cell]) -> None:
    mac = KEY.seal("member", row)
    assert len(mac) == 32
    assert KEY.holds("member", tuple(row), mac)


@given(rows, rows)
def test_the_mac_of_a_row_holds_for_no_other_row(row: list[Cell], other: list[Cell]) -> None:
    assert KEY.holds("member", other, KEY.seal("member", row)) == (typed(row) == typed(other))


def test_rows_that_look_alike_have_different_macs() -> None:
    alike: list[tuple[str, list[Cell]]] = [
        ("member", []),
        ("members", []),
        ("member", [None]),
        ("member", [None, None]),
        ("member", [""]),
        ("member", ["n"]),
        ("member", ["None"]),
        ("member", [0]),
        ("member", [False]),
        ("member", ["0"]),
        ("member", [1]),
        ("member", [True]),
        ("member", [-1]),
        ("member", ["ab", "c"]),
        ("member", ["a", "bc"]),
        ("member", ["abc"]),
        ("member", ["c", "ab"]),
        ("member", [date(2026, 1, 1)]),
        ("member", [datetime(2026, 1, 1, tzinfo=UTC)]),
        ("member", [datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]),
        ("member", ["2026-01-01"]),
        ("member", [UUID(int=1)]),
        ("member", [str(UUID(int=1))]),
    ]
    macs = [KEY.seal(table, row) for table, row in alike]
    assert len(set(macs)) == len(alike)


def test_every_flip_of_one_bit_of_a_mac_and_every_cut_is_refused() -> None:
    mac = KEY.seal("member", ["sari", 3])
    for place in range(len(mac) * 8):
        changed = bytearray(mac)
        changed[place // 8] ^= 1 << place % 8
        assert not KEY.holds("member", ["sari", 3], bytes(changed))
    for length in range(len(mac)):
        assert not KEY.holds("member", ["sari", 3], mac[:length])
    assert not KEY.holds("member", ["sari", 3], mac + b"\x00")


def test_another_key_holds_nothing() -> None:
    assert not RightsKey(b"s" * 32).holds("member", ["sari"], KEY.seal("member", ["sari"]))


def test_what_a_driver_or_an_enumeration_gives_seals_as_its_plain_value() -> None:
    class Word(StrEnum):
        LEAD = "agency_lead"

    class Rank(IntEnum):
        HIGH = 3

    sealed = KEY.seal("member", [Word.LEAD, Rank.HIGH, UUID(int=7)])
    for _ in range(2):  # The second time the subclasses are known.
        assert KEY.holds("member", ["agency_lead", 3, pgproto.UUID(str(UUID(int=7)))], sealed)
        assert KEY.holds("member", [Word.LEAD, Rank.HIGH, UUID(int=7)], sealed)


def test_a_moment_seals_as_the_same_moment_in_another_zone_and_to_the_microsecond() -> None:
    mac = KEY.seal("assignment", [NOON])
    jakarta = timezone(timedelta(hours=7))
    assert KEY.holds("assignment", [NOON.astimezone(jakarta)], mac)
    assert not KEY.holds("assignment", [NOON.replace(tzinfo=jakarta)], mac)
    assert not KEY.holds("assignment", [NOON + timedelta(microseconds=1)], mac)


@pytest.mark.parametrize("value", [b"a", 1.0, ["a"], {}, timedelta(1), datetime(2026, 1, 1)])  # noqa: DTZ001  # naive is meant
def test_a_value_of_no_known_type_and_a_moment_without_a_zone_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        KEY.seal("member", [value])
    with pytest.raises(TypeError):
        KEY.holds("member", [value], b"m" * 32)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        KEY.seal("member", [number])


def test_text_that_is_no_unicode_is_refused_and_the_error_holds_none() -> None:
    with pytest.raises(ValueInvalid) as caught:
        KEY.seal("member", ["sari\ud800"])
    assert caught.value.__context__ is None


@pytest.mark.parametrize("secret", [b"", b"s" * 31, b"s" * 33])
def test_a_rights_key_has_32_bytes(secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        RightsKey(secret)
