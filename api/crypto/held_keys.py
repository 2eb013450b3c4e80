"""The open keys of some owners as one file held them; they never change.

Only the owners that were asked for are taken over. A service that finds a newer
file puts new ones in the place of these, whole.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from api.crypto.framing import frame
from api.crypto.key_file import Randomness
from api.crypto.key_payload import KEY_SIZE, Content, retired, secret_of
from api.crypto.key_service import KeyKind, KeyStatus
from api.errors import KeysUnavailable, SealBroken

_NONCE = 12
_FORMAT = b"\x01"
_WRAP = b"perisai file kek v1"
_TAGS = b"perisai file idx v1"


class HeldKeys:
    """Wraps, unwraps and makes keyed values for its owners; it shows nothing."""

    def __init__(self, content: Content, owners: Collection[str]) -> None:
        """Take over the keys of *owners*, who are all in *content*, and of nobody else."""
        self._keks: dict[str, dict[int, AESGCM]] = {}
        self._indexes: dict[str, dict[int, bytes]] = {}
        self.status: list[KeyStatus] = []
        for owner in sorted(set(owners)):
            kinds = content["owners"][owner]
            self._keks[owner] = {k["version"]: AESGCM(secret_of(k)) for k in kinds["kek"]}
            self._indexes[owner] = {k["version"]: secret_of(k) for k in kinds["idx"]}
            self.status += (
                KeyStatus(
                    owner,
                    kind,
                    k["version"],
                    datetime.fromisoformat(k["made"]),
                    retired(content, owner, kind),
                )
                for kind in KeyKind
                for k in kinds[kind]
            )

    @property
    def owners(self) -> list[str]:
        """Whose keys these are."""
        return list(self._keks)

    def versions(self, owner: str, kind: KeyKind) -> list[int]:
        """List the versions, ascending.

        Raises:
            KeysUnavailable: there are no keys of *owner*.
        """
        return sorted(self._held(owner, kind))

    def holds(self, owner: str, kind: KeyKind, versions: Iterable[int]) -> bool:
        """Tell whether all *versions* are here.

        Raises:
            KeysUnavailable: there are no keys of *owner*.
        """
        return set(versions).issubset(self._held(owner, kind))

    def wrap(
        self, owner: str, items: Sequence[tuple[bytes, bytes]], randomness: Randomness
    ) -> list[tuple[int, bytes]]:
        """Wrap each (context, key) under the newest KEK: (its version, the wrapped key).

        Raises:
            KeysUnavailable: there are no keys of *owner*.
        """
        version = self.versions(owner, KeyKind.KEK)[-1]
        encrypt = self._keks[owner][version].encrypt
        prefix = _wrap_prefix(owner, version)
        wraps = []
        for context, key in items:
            nonce = randomness(_NONCE)
            wraps.append((version, _FORMAT + nonce + encrypt(nonce, key, prefix + context)))
        return wraps

    def unwrap(self, owner: str, items: Sequence[tuple[bytes, int, bytes]]) -> list[bytes]:
        """Unwrap each (context, KEK version, wrapped key).

        Raises:
            KeysUnavailable: there are no keys of *owner*.
            SealBroken: one does not hold in its context, or its version is not here.
        """
        self._held(owner, KeyKind.KEK)
        ready = {
            version: (kek.decrypt, _wrap_prefix(owner, version))
            for version, kek in self._keks[owner].items()
        }
        keys = []
        for context, version, wrapped in items:
            held = ready.get(version)
            if held is None or wrapped[:1] != _FORMAT:
                raise SealBroken
            decrypt, prefix = held
            try:
                keys.append(decrypt(wrapped[1:13], wrapped[13:], prefix + context))
            except (InvalidTag, ValueError):  # ValueError: cut within the nonce.
                raise SealBroken from None
        return keys

    def prf(self, owner: str, label: bytes, items: Sequence[bytes], version: int) -> list[bytes]:
        """Give HMAC-SHA-256 of each item under the owner's key for *label* (32 bytes each).

        Raises:
            KeysUnavailable: there are no keys of *owner*, or no such *version*.
        """
        index = self._indexes.get(owner, {}).get(version)
        if index is None:
            raise KeysUnavailable
        info = frame(_TAGS, owner.encode(), label)
        keyed = HMAC(HKDFExpand(SHA256(), KEY_SIZE, info).derive(index), SHA256())
        values = []
        for item in items:
            mac = keyed.copy()
            mac.update(item)
            values.append(mac.finalize())
        return values

    def _held(self, owner: str, kind: KeyKind) -> Collection[int]:
        held = (self._keks if kind is KeyKind.KEK else self._indexes).get(owner)
        if held is None:
            raise KeysUnavailable
        return held

    def __repr__(self) -> str:
        """Show nothing."""
        return "<open keys>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")


@lru_cache(maxsize=256)  # Pure: owners times versions.
def _wrap_prefix(owner: str, version: int) -> bytes:
    return frame(_WRAP, owner.encode(), version.to_bytes(4))
