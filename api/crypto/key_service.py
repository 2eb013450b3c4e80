"""What every key service can do: wrap, make keyed values, and change its own keys.

A service holds, for each owner that this process serves, versions of a KEK, which
wraps, and of an IDX, which makes keyed values. Keys go in and out as bytes; a
service knows nothing of what they are for beyond the context that binds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class KeyKind(StrEnum):
    """The two kinds of key that a service holds for an owner."""

    KEK = "kek"
    IDX = "idx"


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What may be known of a key by everybody.

    Attributes:
        kind: "kek" or "idx".
        made: when; its age is for the caller's clock.
        retired: when older versions of this kind were last destroyed, if it is known.
    """

    owner: str
    kind: str
    version: int
    made: datetime
    retired: datetime | None = None


class KeyService(Protocol):
    """The keys of the owners that one process serves, and of nobody else.

    Every method raises KeysUnavailable where *owner* is not served or the service
    does not answer, and never gives part of an answer.
    """

    async def wrap_many(
        self, owner: str, items: Sequence[tuple[bytes, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Wrap each (context, key) under the newest KEK: (its version, the wrapped key)."""

    async def unwrap_many(
        self, owner: str, items: Sequence[tuple[bytes, int, bytes]]
    ) -> list[bytes]:
        """Unwrap each (context, KEK version, wrapped key).

        Raises:
            SealBroken: one does not hold in its context, or its version is no more.
        """

    def unwrapped(self) -> Mapping[str, int]:
        """Give how many keys of each owner were unwrapped for somebody since the start.

        What the service does to prove its own health is not among them.
        """

    async def prf_many(
        self, owner: str, label: bytes, items: Sequence[bytes], version: int
    ) -> list[bytes]:
        """Give HMAC-SHA-256 of each item under *version* of the IDX (32 bytes each).

        Raises:
            KeysUnavailable: also where there is no such version.
        """

    async def versions(self, owner: str, kind: KeyKind) -> list[int]:
        """List the versions that can be used, ascending; the last one is the newest."""

    async def rotate(self, owner: str, kind: KeyKind, unless: int | None = None) -> int:
        """Add a new version, which is used from now on; give its number.

        Args:
            unless: add none where this version is there already: another run was first.
        """

    async def destroy_below(self, owner: str, kind: KeyKind, version: int) -> None:
        """Destroy every version below *version*; what only they open is lost for good."""

    async def refresh(self) -> None:
        """Take over what another process changed since."""

    async def health(self) -> None:
        """Prove that every served owner can wrap and unwrap."""

    async def status(self) -> list[KeyStatus]:
        """List owners, kinds, versions and ages; no secret."""

    async def close(self) -> None:
        """Let go of what is held."""
