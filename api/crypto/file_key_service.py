"""The `file` key service: the keys of the owners that this process serves, in memory.

Per owner there are versions of a KEK, which wraps, and of an IDX, which makes
keyed tags. Only owners that were asked for are kept; of the others nothing
remains after the start. Keys go in and out as bytes; nothing here knows what
they are for beyond the context that binds them.
"""

import json
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from api.crypto import key_file
from api.crypto.framing import frame
from api.crypto.key_file import Cost, Randomness
from api.errors import KeysUnavailable, RefusesToStart, SealBroken

_KEY_SIZE = 32
_NONCE = 12
_FORMAT = b"\x01"
_WRAP = b"perisai file kek v1"
_TAGS = b"perisai file idx v1"

Payload = dict[str, dict[str, list[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What may be known of a key by everybody.

    Attributes:
        kind: "kek" or "idx".
        made: when; its age is for the caller's clock.
    """

    owner: str
    kind: str
    version: int
    made: datetime


def _now() -> datetime:
    return datetime.now(UTC)


class FileKeyService:
    """The open keys of the served owners; it shows nothing."""

    def __init__(self, payload: Payload, randomness: Randomness) -> None:
        """Take over the keys in *payload*; made by `create` and `open`."""
        self._randomness = randomness
        self._keks: dict[str, dict[int, AESGCM]] = {}
        self._indexes: dict[str, bytes] = {}
        self._status: list[KeyStatus] = []
        for owner, kinds in payload.items():
            self._keks[owner] = {k["version"]: AESGCM(_secret(k)) for k in kinds["kek"]}
            self._indexes[owner] = _secret(max(kinds["idx"], key=lambda k: int(k["version"])))
            self._status += (
                KeyStatus(owner, kind, k["version"], datetime.fromisoformat(k["made"]))
                for kind, keys in kinds.items()
                for k in keys
            )

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: str,
        owners: Collection[str],
        *,
        cost: Cost | None = None,
        now: Callable[[], datetime] = _now,
        randomness: Randomness = os.urandom,
    ) -> "FileKeyService":
        """Make a key file with new keys for *owners*, and open it.

        Raises:
            RefusesToStart: there is one already, or the passphrase is too short.
        """
        payload = {owner: _new_owner(now, randomness) for owner in sorted(owners)}
        key_file.create(path, passphrase, _printed(payload), cost or Cost(), randomness)
        return cls(payload, randomness)

    @classmethod
    def open(
        cls,
        path: Path,
        passphrase: str,
        owners: Collection[str],
        *,
        randomness: Randomness = os.urandom,
    ) -> "FileKeyService":
        """Open the keys of *owners*, and of nobody else.

        Raises:
            RefusesToStart: the file does not open, is open to others, or lacks an owner.
        """
        payload = _parsed(key_file.read(path, passphrase))
        missing = sorted(set(owners) - payload.keys())
        if missing:
            raise RefusesToStart(f"The key file {path} has no keys of: {', '.join(missing)}.")
        return cls({owner: payload[owner] for owner in sorted(set(owners))}, randomness)

    @staticmethod
    def add_owner(
        path: Path,
        passphrase: str,
        owner: str,
        *,
        cost: Cost | None = None,
        now: Callable[[], datetime] = _now,
        randomness: Randomness = os.urandom,
    ) -> None:
        """Add new keys for *owner* to the key file; open services do not notice.

        Raises:
            RefusesToStart: the file does not open, or holds keys of *owner* already.
        """
        with key_file.locked_folder(path) as folder:
            payload = _parsed(key_file.read(path, passphrase))
            if owner in payload:
                raise RefusesToStart(f"The key file {path} has keys of {owner} already.")
            payload[owner] = _new_owner(now, randomness)
            key_file.replace(
                path, folder, passphrase, _printed(payload), cost or Cost(), randomness
            )

    async def wrap_many(
        self, owner: str, items: Sequence[tuple[bytes, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Wrap each (context, key) under the newest KEK: (its version, the wrapped key).

        Raises:
            KeysUnavailable: *owner* is not served here.
        """
        keks = self._keks_of(owner)
        version = max(keks)
        prefix = _wrap_prefix(owner, version)
        wraps = []
        for context, key in items:
            nonce = self._randomness(_NONCE)
            wraps.append(
                (version, _FORMAT + nonce + keks[version].encrypt(nonce, key, prefix + context))
            )
        return wraps

    async def unwrap_many(
        self, owner: str, items: Sequence[tuple[bytes, int, bytes]]
    ) -> list[bytes]:
        """Unwrap each (context, KEK version, wrapped key).

        Raises:
            KeysUnavailable: *owner* is not served here.
            SealBroken: one does not hold in its context, or its version is no more.
        """
        served = self._keks_of(owner)
        ready = {
            version: (kek.decrypt, _wrap_prefix(owner, version)) for version, kek in served.items()
        }
        keys = []
        for context, version, wrapped in items:
            if version not in ready or wrapped[:1] != _FORMAT:
                raise SealBroken
            decrypt, prefix = ready[version]
            try:
                keys.append(decrypt(wrapped[1:13], wrapped[13:], prefix + context))
            except (InvalidTag, ValueError):  # ValueError: cut within the nonce.
                raise SealBroken from None
        return keys

    async def prf_many(self, owner: str, label: bytes, items: Sequence[bytes]) -> list[bytes]:
        """Give HMAC-SHA-256 of each item under the owner's key for *label* (32 bytes each).

        Raises:
            KeysUnavailable: *owner* is not served here.
        """
        index = self._indexes.get(owner)
        if index is None:
            raise KeysUnavailable
        info = frame(_TAGS, owner.encode(), label)
        keyed = HMAC(HKDFExpand(SHA256(), _KEY_SIZE, info).derive(index), SHA256())
        tags = []
        for item in items:
            mac = keyed.copy()
            mac.update(item)
            tags.append(mac.finalize())
        return tags

    async def health(self) -> None:
        """Prove that every served owner can wrap and unwrap.

        Raises:
            KeysUnavailable: one cannot, or none is served.
        """
        if not self._keks:
            raise KeysUnavailable
        for owner in self._keks:
            [(version, wrapped)] = await self.wrap_many(owner, [(b"health", b"")])
            await self.unwrap_many(owner, [(b"health", version, wrapped)])

    async def status(self) -> list[KeyStatus]:
        """List owners, kinds, versions and ages; no secret."""
        return list(self._status)

    def _keks_of(self, owner: str) -> dict[int, AESGCM]:
        keks = self._keks.get(owner)
        if keks is None:
            raise KeysUnavailable
        return keks

    def __repr__(self) -> str:
        """Show nothing."""
        return "<file key service>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")


def _wrap_prefix(owner: str, version: int) -> bytes:
    return frame(_WRAP, owner.encode(), version.to_bytes(4))


def _new_owner(
    now: Callable[[], datetime], randomness: Randomness
) -> dict[str, list[dict[str, Any]]]:
    made = now().astimezone(UTC).isoformat(timespec="seconds")
    return {
        kind: [{"version": 1, "made": made, "key": randomness(_KEY_SIZE).hex()}]
        for kind in ("kek", "idx")
    }


def _secret(key: dict[str, Any]) -> bytes:
    secret = bytes.fromhex(key["key"])
    if len(secret) != _KEY_SIZE:
        raise RefusesToStart("The key file holds a key that has not 32 bytes.")
    return secret


def _printed(payload: Payload) -> bytes:
    return json.dumps({"v": 1, "owners": payload}, separators=(",", ":")).encode()


def _parsed(data: bytes) -> Payload:
    # Authenticated before: whoever wrote it held the passphrase, so only the version is asked.
    content = json.loads(data)
    if content["v"] != 1:
        raise RefusesToStart("The key file is of a newer version of Perisai.")
    owners: Payload = content["owners"]
    return owners
