"""What a server might answer and must not be believed."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.crypto import openbao_wire as wire
from api.errors import KeysUnavailable, SealBroken

STATE: dict[str, Any] = {
    "type": "aes256-gcm96",
    "exportable": False,
    "allow_plaintext_backup": False,
    "derived": False,
    "keys": {"2": 1795643270, "3": 1795643271},
    "latest_version": 3,
    "min_available_version": 0,
    "min_decryption_version": 2,
    "min_encryption_version": 0,
}


def test_the_state_of_a_key_has_the_versions_that_can_be_used() -> None:
    state = wire.state_of(STATE)
    assert state is not None
    assert sorted(state.made) == [2, 3]
    assert state.newest == 3
    assert state.made[2].isoformat() == "2026-11-25T21:47:50+00:00"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "hmac"},
        {"type": "chacha20-poly1305"},
        {"exportable": True},
        {"allow_plaintext_backup": True},
        {"derived": True},
        {"imported_key": True},
        {"soft_deleted": True},
        {"keys": None},
        {"keys": {}},
        {"keys": {"2": 1795643270}},
        {"keys": {"2": "then", "3": 1795643271}},
        {"keys": {"3": 1 << 80}},
        {"keys": {"x": 1795643270, "3": 1795643271}},
        {"keys": {"3": 1795643271, "4": 1795643271}},
        {"latest_version": None},
        {"min_decryption_version": "x"},
        {"min_decryption_version": 4},
        {"min_available_version": None},
    ],
    ids=str,
)
def test_a_key_that_is_not_as_it_must_be_is_not_used(change: dict[str, Any]) -> None:
    assert wire.state_of(STATE | change) is None


@pytest.mark.parametrize("missing", STATE)
def test_an_answer_that_lacks_something_says_nothing_of_a_key(missing: str) -> None:
    assert wire.state_of({n: value for n, value in STATE.items() if n != missing}) is None


@pytest.mark.parametrize(
    "ciphertext",
    [
        None,
        1,
        "",
        "v1:" + "A" * 80,
        "vault:v2:" + "A" * 80,
        "vault:v01:" + "A" * 80,
        "vault:v1:AAAA",
        "vault:v1:" + "A" * 79,
        "vault:v1:" + "A" * 40 + " " + "A" * 39,
        "vault:v1:ä",
    ],
)
def test_what_is_no_wrap_of_the_version_is_not_stored(ciphertext: object) -> None:
    with pytest.raises(KeysUnavailable) as error:
        wire.wrapped({"ciphertext": ciphertext}, 1)
    assert error.value.__context__ is None


@pytest.mark.parametrize("plaintext", [None, 1, "a", "ä", "a2s", "a2s=\n", b"a2s="])
def test_what_is_no_key_is_not_used(plaintext: object) -> None:
    with pytest.raises(KeysUnavailable):
        wire.unwrapped({"plaintext": plaintext})


@pytest.mark.parametrize(
    "value", [None, "", "vault:v1:", "vault:v1:AAAA", "vault:v2:" + "A" * 43 + "="]
)
def test_what_is_no_keyed_value_is_not_used(value: object) -> None:
    with pytest.raises(KeysUnavailable):
        wire.hashed({"hmac": value}, 1)


@pytest.mark.parametrize("version", [0, -1, 1 << 32])
def test_a_version_that_cannot_be_is_broken(version: int) -> None:
    with pytest.raises(SealBroken):
        wire.to_unwrap("lpsk", b"c", version, b"\x02" + bytes(60))


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        ("cipher: message authentication failed", True),
        ("invalid ciphertext length", True),
        ("invalid ciphertext: version is too new", True),
        ("ciphertext or signature version is disallowed by policy (too old)", True),
        ("encryption key not found", False),
        ("internal error", False),
        ("", False),
    ],
)
def test_only_what_surely_is_the_ciphertexts_fault_is_broken(error: str, broken: bool) -> None:
    assert wire.is_broken(error) is broken


@given(
    body=st.binary(min_size=28, max_size=200),
    version=st.integers(1, (1 << 32) - 1),
    context=st.binary(max_size=50),
)
def test_what_is_stored_is_sent_back_as_it_came(body: bytes, version: int, context: bytes) -> None:
    ciphertext = f"vault:v{version}:{b64encode(body).decode()}"

    stored = wire.wrapped({"ciphertext": ciphertext}, version)

    assert wire.to_unwrap("lpsk", context, version, stored)["ciphertext"] == ciphertext
    bound = wire.to_wrap("lpsk", version, context, b"key")
    asked = wire.to_unwrap("lpsk", context, version, stored)
    assert asked["associated_data"] == bound["associated_data"]
    assert bound["key_version"] == version


def test_a_result_without_error_has_none_and_all_else_has() -> None:
    assert wire.errors_of([{"plaintext": ""}, {"error": ""}]) == []
    assert len(wire.errors_of([None, "x", {"error": "x"}, {"error": 1}, []])) == 5
