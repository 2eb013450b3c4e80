"""The `file` key service: the keys of the owners that this process serves, in memory.

Several processes may stand on one key file. What is made new (wraps, tags) is made
under the newest version in the file at that time, and an unknown version is looked
for in the file before it is refused; so a rotation in one process holds in all of
them from the moment it is done. Of owners that are not served nothing is kept, and
a change leaves their keys in the file as they are.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn

from api.crypto import key_file, key_payload
from api.crypto.followed_keys import FollowedKeys, Passphrase, change
from api.crypto.held_keys import HeldKeys
from api.crypto.key_file import Cost, Randomness
from api.crypto.key_payload import Content, Now
from api.crypto.key_service import KeyKind, KeyStatus
from api.errors import KeysUnavailable, RefusesToStart

_kek_version = itemgetter(1)


def _now() -> datetime:
    return datetime.now(UTC)


class FileKeyService:
    """The open keys of the served owners; it shows nothing."""

    def __init__(self, followed: FollowedKeys, now: Now, randomness: Randomness) -> None:
        """Serve the keys of *followed*; made by `create` and `open`."""
        self._followed = followed
        self._now = now
        self._randomness = randomness
        self._unwrapped: Counter[str] = Counter()

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: Passphrase,
        owners: Collection[str],
        *,
        cost: Cost | None = None,
        now: Now = _now,
        randomness: Randomness = os.urandom,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> "FileKeyService":
        """Make a key file with new keys for *owners*, and open it.

        Raises:
            RefusesToStart: there is one already, or the passphrase is too short.
        """
        content = key_payload.new_content()
        for owner in sorted(owners):
            key_payload.add_owner(content, owner, now, randomness)
        payload = key_payload.printed(content)
        header = key_file.create(path, passphrase(), payload, cost or Cost(), randomness)
        keys = HeldKeys(content, owners)
        followed = FollowedKeys(path, passphrase, header, keys, randomness, monotonic)
        return cls(followed, now, randomness)

    @classmethod
    def open(
        cls,
        path: Path,
        passphrase: Passphrase,
        owners: Collection[str],
        *,
        now: Now = _now,
        randomness: Randomness = os.urandom,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> "FileKeyService":
        """Open the keys of *owners*, and of nobody else.

        Raises:
            RefusesToStart: the file does not open, is open to others, or lacks an owner.
        """
        opened = key_file.read(path, passphrase())
        content = key_payload.parsed(opened.payload)
        missing = sorted(set(owners) - content["owners"].keys())
        if missing:
            raise RefusesToStart(f"The key file {path} has no keys of: {', '.join(missing)}.")
        keys = HeldKeys(content, owners)
        followed = FollowedKeys(path, passphrase, opened.header, keys, randomness, monotonic)
        return cls(followed, now, randomness)

    @staticmethod
    def add_owner(
        path: Path,
        passphrase: Passphrase,
        owner: str,
        *,
        now: Now = _now,
        randomness: Randomness = os.urandom,
    ) -> None:
        """Add new keys for *owner* to the key file; open services do not serve them.

        Raises:
            RefusesToStart: the file does not open, or holds keys of *owner* already.
        """

        def add(content: Content) -> bool:
            if owner in content["owners"]:
                raise RefusesToStart(f"The key file {path} has keys of {owner} already.")
            key_payload.add_owner(content, owner, now, randomness)
            return True

        change(path, passphrase, add, randomness)

    async def wrap_many(
        self, owner: str, items: Sequence[tuple[bytes, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Wrap each (context, key) under the newest KEK in the file.

        Raises:
            KeysUnavailable: *owner* is not served here, or the changed file does not open.
        """
        return (await self._newest(owner)).wrap(owner, items, self._randomness)

    async def unwrap_many(
        self, owner: str, items: Sequence[tuple[bytes, int, bytes]]
    ) -> list[bytes]:
        """Unwrap each (context, KEK version, wrapped key).

        Raises:
            KeysUnavailable: *owner* is not served here, or the changed file does not open.
            SealBroken: one does not hold in its context, or its version is no more.
        """
        opened = await self._unwrap(owner, items)
        self._unwrapped[owner] += len(opened)
        return opened

    def unwrapped(self) -> Mapping[str, int]:
        """Give how many keys of each owner were unwrapped since the start."""
        return dict(self._unwrapped)

    async def _unwrap(self, owner: str, items: Sequence[tuple[bytes, int, bytes]]) -> list[bytes]:
        keys = self._followed.keys
        if not keys.holds(owner, KeyKind.KEK, map(_kek_version, items)):
            keys = await self._newest(owner)
        return keys.unwrap(owner, items)

    async def prf_many(
        self, owner: str, label: bytes, items: Sequence[bytes], version: int
    ) -> list[bytes]:
        """Give HMAC-SHA-256 of each item under the owner's key for *label* (32 bytes each).

        Raises:
            KeysUnavailable: *owner* is not served here, or has no such *version*.
        """
        keys = self._followed.keys
        if not keys.holds(owner, KeyKind.IDX, [version]):
            keys = await self._newest(owner)
        return keys.prf(owner, label, items, version)

    async def versions(self, owner: str, kind: KeyKind) -> list[int]:
        """List the versions that are in the file, ascending.

        Raises:
            KeysUnavailable: *owner* is not served here, or the changed file does not open.
        """
        return (await self._newest(owner)).versions(owner, kind)

    async def rotate(self, owner: str, kind: KeyKind, unless: int | None = None) -> int:
        """Add a new version, which is used from now on; give its number.

        Args:
            unless: add none where this version is in the file, with the file locked.

        Raises:
            KeysUnavailable: *owner* is not served here, or the file cannot be changed.
        """

        def add(content: Content) -> bool:
            if unless is not None and key_payload.newest(content, owner, kind) >= unless:
                return False
            key_payload.add_version(content, owner, kind, self._now, self._randomness)
            return True

        return (await self._followed.change(owner, add)).versions(owner, kind)[-1]

    async def destroy_below(self, owner: str, kind: KeyKind, version: int) -> None:
        """Destroy every version below *version*; what only they open is lost for good.

        Other processes let go of them when they look next. The old file's blocks are
        the disk's to forget, and sealed with the passphrase like the new ones.

        Raises:
            KeysUnavailable: *owner* is not served here, there is no such *version*, or
                the file cannot be changed. Nothing was destroyed.
        """
        await self._followed.change(
            owner, lambda content: key_payload.drop_below(content, owner, kind, version, self._now)
        )

    async def refresh(self) -> None:
        """Take over what another process changed since; cheap where nothing was.

        Raises:
            KeysUnavailable: the changed file does not open; what was open stays so.
        """
        await self._followed.refresh()

    async def health(self) -> None:
        """Prove that every served owner can wrap and unwrap.

        Raises:
            KeysUnavailable: one cannot, or none is served.
        """
        owners = self._followed.keys.owners
        if not owners:
            raise KeysUnavailable
        for owner in owners:
            [(version, wrapped)] = await self.wrap_many(owner, [(b"health", b"")])
            await self._unwrap(owner, [(b"health", version, wrapped)])

    async def status(self) -> list[KeyStatus]:
        """List owners, kinds, versions and ages; no secret."""
        return list(self._followed.keys.status)

    async def close(self) -> None:
        """Let go of all keys; nobody is served from now on."""
        await self._followed.close()

    async def _newest(self, owner: str) -> HeldKeys:
        self._followed.keys.versions(owner, KeyKind.KEK)  # Nobody else makes us look.
        return await self._followed.look()

    def __repr__(self) -> str:
        """Show nothing."""
        return "<file key service>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")
