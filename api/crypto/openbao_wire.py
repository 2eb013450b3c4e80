"""What is sent to Transit for the `openbao` key service, and what may come back.

Parser and printer of the bytes in FORMAT.md, "OpenBao". What comes back is held to what
was asked for: anything else counts as no answer.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.crypto.framing import frame
from api.errors import KeysUnavailable, SealBroken

#: The first byte of a wrap that was made here; the file service's is 1.
_FORMAT = b"\x02"
_WRAP = b"perisai openbao kek v1"
_TAGS = b"perisai openbao idx v1"

#: Bytes of a nonce and of the tag of AES-GCM; a wrap has both.
_WRAP_LEAST = 12 + 16
_HMAC_SIZE = 32

#: How the server says that a ciphertext, and not itself, is the reason (OpenBao 2.7.2).
_BROKEN = (
    "cipher: message authentication failed",
    "ciphertext or signature version is disallowed by policy (too old)",
    "invalid ciphertext",
)

#: What a key must say of itself: it never leaves the server, and is one key.
_NOT = ("exportable", "allow_plaintext_backup", "derived")

#: What it may say besides (Vault says less): it came from elsewhere, or is given up.
_NOT_EITHER = ("imported_key", "soft_deleted")

KEY_TYPE = "aes256-gcm96"


@dataclass(frozen=True, slots=True)
class KeyState:
    """What the server tells of one key.

    Attributes:
        made: the versions that can be used, and when each was made.
        wraps_from: the server wraps under no version below.
        trimmed: below this version nothing is left.
    """

    made: Mapping[int, datetime]
    newest: int
    wraps_from: int
    trimmed: int


def state_of(data: Mapping[str, Any]) -> KeyState | None:
    """Read the answer about a key; None if it cannot be read, or the key could leave."""
    if (
        data.get("type") != KEY_TYPE
        or any(data.get(name) is not False for name in _NOT)
        or any(data.get(name) for name in _NOT_EITHER)
    ):
        return None
    try:
        trimmed = int(data["min_available_version"])
        oldest = max(trimmed, int(data["min_decryption_version"]), 1)
        made = {
            int(version): datetime.fromtimestamp(seconds, UTC)
            for version, seconds in data["keys"].items()
            if int(version) >= oldest
        }
        state = KeyState(
            made, int(data["latest_version"]), int(data["min_encryption_version"]), trimmed
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return None
    return state if made and state.newest == max(made) else None


def errors_of(results: list[Any]) -> list[str]:
    """List what the server says of the items that failed; it is compared, never shown."""
    return [
        str(result.get("error")) if isinstance(result, dict) else "no result"
        for result in results
        if not isinstance(result, dict) or result.get("error")
    ]


def is_broken(error: str) -> bool:
    """Tell whether the ciphertext is the reason; when unsure it is the server."""
    return error.startswith(_BROKEN)


def to_wrap(owner: str, version: int, context: bytes, key: bytes) -> dict[str, Any]:
    """Ask to wrap *key* under exactly *version*."""
    data = _wrap_data(owner, version, context)
    return {"plaintext": _text(key), "associated_data": data, "key_version": version}


def wrapped(result: Mapping[str, Any], version: int) -> bytes:
    """Give the wrapped key as it is stored.

    Raises:
        KeysUnavailable: it is none, or of another version.
    """
    sealed = _versioned(result.get("ciphertext"), version)
    if len(sealed) < _WRAP_LEAST:
        raise KeysUnavailable
    return _FORMAT + sealed


def to_unwrap(owner: str, context: bytes, version: int, stored: bytes) -> dict[str, Any]:
    """Ask to unwrap what `wrapped` gave.

    Raises:
        SealBroken: no service of this kind made it. (Transit takes v0 for v1.)
    """
    if not 1 <= version < 1 << 32 or stored[:1] != _FORMAT or len(stored) <= _WRAP_LEAST:
        raise SealBroken
    return {
        "ciphertext": f"vault:v{version}:{_text(stored[1:])}",
        "associated_data": _wrap_data(owner, version, context),
    }


def unwrapped(result: Mapping[str, Any]) -> bytes:
    """Give the key.

    Raises:
        KeysUnavailable: there is none.
    """
    return _bytes(result.get("plaintext"))


def to_hash(owner: str, label: bytes, item: bytes) -> dict[str, Any]:
    """Ask for the keyed value of *item* for one use: owner and label are part of it."""
    return {"input": _text(frame(_TAGS, owner.encode(), label) + item)}


def hashed(result: Mapping[str, Any], version: int) -> bytes:
    """Give the keyed value (32 bytes).

    Raises:
        KeysUnavailable: it is none, or of another version.
    """
    value = _versioned(result.get("hmac"), version)
    if len(value) != _HMAC_SIZE:
        raise KeysUnavailable
    return value


def _wrap_data(owner: str, version: int, context: bytes) -> str:
    return _text(frame(_WRAP, owner.encode(), version.to_bytes(4)) + context)


def _versioned(value: object, version: int) -> bytes:
    prefix = f"vault:v{version}:"
    if not isinstance(value, str) or not value.startswith(prefix):
        raise KeysUnavailable
    return _bytes(value.removeprefix(prefix))


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _bytes(text: object) -> bytes:
    try:
        if isinstance(text, str):
            return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass  # Raised below: the error of the library holds a part of the text.
    raise KeysUnavailable
