"""A sealed value shows nothing and does not change."""

import copy
import json
import pickle
from typing import Any

import pytest

from api.crypto.sealed import Sealed


def test_no_way_of_printing_shows_the_bytes() -> None:
    sealed = Sealed(b"inside")
    for shown in (repr(sealed), str(sealed), f"{sealed}", f"{sealed!r:>20}", f"{sealed:>40}"):
        assert shown.strip() == "<sealed>"
    assert "%s %r" % (sealed, sealed) == "<sealed> <sealed>"  # noqa: UP031  # is the claim
    assert "inside" not in repr([sealed, {"a": sealed}])


def test_equality_and_hash_are_of_the_bytes_and_never_of_another_type() -> None:
    assert Sealed(b"a") == Sealed(b"a")
    assert hash(Sealed(b"a")) == hash(Sealed(b"a"))
    assert Sealed(b"a") != Sealed(b"b")
    assert Sealed(b"a") != b"a"


@pytest.mark.parametrize("plain", ["text", bytearray(b"a"), memoryview(b"a"), None, 1])
def test_only_bytes_become_sealed(plain: Any) -> None:
    with pytest.raises(TypeError, match="sealed data is bytes"):
        Sealed(plain)


def test_a_sealed_value_does_not_change() -> None:
    sealed = Sealed(b"a")
    with pytest.raises(AttributeError):
        sealed.data = b"b"
    with pytest.raises(AttributeError):
        del sealed.data
    with pytest.raises(AttributeError):
        sealed.more = 1
    assert sealed.data == b"a"


def test_a_sealed_value_is_neither_pickled_nor_copied_nor_printed_as_json() -> None:
    sealed = Sealed(b"a")
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            attempt(sealed)
    with pytest.raises(TypeError):
        json.dumps(sealed)
