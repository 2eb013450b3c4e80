"""Values become padded bytes and come back; lengths tell little; faults hold no value."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto.plaintext import KINDS, MAX_PAYLOAD, decode, encode
from api.errors import SealBroken, ValueInvalid

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(texts)
def test_a_text_comes_back(value: str) -> None:
    assert decode("text", encode("text", value)) == value


@given(st.lists(texts, max_size=6))
def test_texts_come_back_as_a_tuple(value: list[str]) -> None:
    assert decode("texts", encode("texts", value)) == tuple(value)


@given(st.dates())
def test_a_date_comes_back(value: date) -> None:
    assert decode("date", encode("date", value)) == value


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_absence_comes_back_and_is_as_long_as_a_short_value(kind: str) -> None:
    assert decode(kind, encode(kind, None)) is None
    assert len(encode(kind, None)) == len(encode("text", "Sri")) == 64


def test_absence_is_not_an_empty_value() -> None:
    assert decode("text", encode("text", "")) == ""
    assert decode("texts", encode("texts", [])) == ()


@given(st.text(st.sampled_from("\x00\x01\x02\x03\x04\x80"), max_size=70))
def test_a_text_that_ends_like_padding_comes_back(value: str) -> None:
    assert decode("text", encode("text", value)) == value


def test_lengths_fall_into_few_buckets() -> None:
    lengths = {n: len(encode("text", "x" * n)) for n in range(20_000)}
    assert sorted(set(lengths.values())) == [
        64, 128, 256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 20480,
    ]  # fmt: skip
    assert (lengths[63], lengths[64], lengths[4095], lengths[4096]) == (64, 128, 4096, 8192)


def test_a_payload_over_the_limit_is_refused() -> None:
    encode("text", "x" * MAX_PAYLOAD)
    with pytest.raises(ValueInvalid):
        encode("text", "x" * (MAX_PAYLOAD + 1))


@pytest.mark.parametrize(("kind", "value"), [("text", "Sri\ud800"), ("texts", ["a", "Sri\udfff"])])
def test_a_lone_surrogate_is_refused_and_the_error_holds_no_text(kind: str, value: Any) -> None:
    with pytest.raises(ValueInvalid) as caught:
        encode(kind, value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", ["a"]),
        ("text", b"a"),
        ("text", 1),
        ("text", date(2026, 1, 1)),
        ("texts", "a"),
        ("texts", b"a"),
        ("texts", [1]),
        ("texts", {"a"}),
        ("date", "2026-01-01"),
        ("date", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_value_of_another_kind_is_refused_without_naming_it(kind: str, value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        encode(kind, value)
    assert repr(value) not in str(caught.value)


def test_a_word_of_an_enumeration_seals_as_its_text() -> None:
    class Gender(StrEnum):
        WOMAN = "woman"

    assert decode("text", encode("text", Gender.WOMAN)) == "woman"


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("text", b""),
        ("text", bytes(64)),
        ("text", b"\x04"),
        ("text", b"a\x01"),  # absent, yet with a payload
        ("text", b"\xff\x02"),  # no UTF-8
        ("texts", b"\x00\x00\x00\x02a\x03"),
        ("texts", b"\x00\x00\x03"),
        ("texts", b"\x00\x00\x00\x01\xff\x03"),
        ("date", b"\x07\xea\x02\x1e\x04"),  # 30 February
        ("date", b"\x07\xea\x02\x04"),
        ("date", b"\x02"),
    ],
)
def test_bytes_that_no_value_gives_are_refused_and_the_error_holds_none(
    kind: str, plain: bytes
) -> None:
    with pytest.raises(SealBroken) as caught:
        decode(kind, plain)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("other", sorted(KINDS))
def test_a_value_of_one_kind_is_none_of_another(kind: str, other: str) -> None:
    values: dict[str, Any] = {"text": "a", "texts": ["a"], "date": date(2026, 1, 1)}
    if kind != other:
        with pytest.raises(SealBroken):
            decode(other, encode(kind, values[kind]))
