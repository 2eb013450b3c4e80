"""The header `Idempotency-Key` is one string of a structured field, or nothing is done."""

import pytest
from starlette.datastructures import Headers

from api.errors import IdempotencyKeyInvalid
from api.schema.idempotency_keys import LONGEST, key_of


def sent(*values: str) -> Headers:
    return Headers(raw=[(b"idempotency-key", value.encode("latin-1")) for value in values])


def test_who_sends_none_has_none() -> None:
    assert key_of(Headers({})) is None


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ('"k"', "k"),
        (f'"{"k" * LONGEST}"', "k" * LONGEST),
        (' "a b" ', "a b"),
        ('" !#-[]~"', " !#-[]~"),
        (r'"a\"b\\c"', r"a\"b\c".replace(r"\"", '"')),
    ],
)
def test_a_key_is_what_stands_between_the_quotes(value: str, key: str) -> None:
    assert key_of(sent(value)) == key


@pytest.mark.parametrize(
    "value",
    [
        "",
        "6f1c2a9e-3f0b-4b0a-9a55-0d8d1c6b7e21",
        '""',
        f'"{"k" * (LONGEST + 1)}"',
        '"a',
        '"a"b"',
        r'"a\b"',
        '"a\\"',
        '"a\n"',
        '"\x7f"',
        '"é"',
        '"a";b',
        '"a", "b"',
        ":YQ==:",
    ],
)
def test_nothing_else_is_a_key(value: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        key_of(sent(value))


def test_two_headers_are_no_key() -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        key_of(sent('"a"', '"a"'))
