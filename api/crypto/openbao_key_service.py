"""The `openbao` key service: keys in the Transit engine of OpenBao or Vault, which keeps them.

Per owner there is a KEK that wraps and an IDX that makes keyed values; neither is ever
in this process. What a token may do, and every byte: FORMAT.md, "OpenBao".
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import structlog

from api.crypto import openbao_wire as wire
from api.crypto.key_service import KeyKind, KeyStatus
from api.crypto.openbao_wire import KeyState
from api.crypto.transit import Transit
from api.errors import KeysUnavailable, RefusesToStart, SealBroken

#: Items a call. OpenBao 2.7.2 refuses JSON of more than 1,000 strings: names and texts
#: are 4 of each item, and 5 where an item names a version.
_CHUNK = 200
_WRAP_CHUNK = 150

_OWNER = re.compile(r"[a-z0-9][a-z0-9-]*")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

_log = structlog.get_logger("perisai.keys")

T = TypeVar("T")


class OpenBaoKeyService:
    """The keys of the served owners, by name only; a key is never here."""

    def __init__(self, transit: Transit, owners: Collection[str], *, prefix: str) -> None:
        """Name the keys; nothing is called before the first use.

        Raises:
            RefusesToStart: an owner or the prefix cannot stand in the name of a key.
        """
        if not _PREFIX.fullmatch(prefix) or not all(map(_OWNER.fullmatch, owners)):
            raise RefusesToStart("An owner or `openbao_key_prefix` cannot name a key of OpenBao.")
        self._transit = transit
        self._prefix = prefix
        self._owners = sorted(set(owners))
        self._keys: dict[tuple[str, KeyKind], KeyState] = {}
        self._newest: dict[tuple[str, KeyKind], int] = {}
        self._unwrapped: Counter[str] = Counter()

    async def create(self) -> list[str]:
        """Make the keys that are not there yet; give their owners.

        Raises:
            RefusesToStart: all are there.
            KeysUnavailable: the server does not answer, or the token may not.
        """
        made = []
        for owner in self._owners:
            for kind in KeyKind:
                name = self._name(owner, kind)
                if await self._transit.read(name) is None:
                    # What is not said is off, and `read` insists on it. An IDX has this
                    # type too: Transit keeps a secret of its own for the HMAC, and tells
                    # when a version was made, which it does not for the type `hmac`.
                    await self._transit.write(name, {"type": wire.KEY_TYPE})
                    made.append(owner)
        if not made:
            raise RefusesToStart("The keys of all owners are in OpenBao already.")
        await self.refresh()
        return sorted(set(made))

    async def wrap_many(
        self, owner: str, items: Sequence[tuple[bytes, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Wrap each (context, key) under the newest KEK: (its version, the wrapped key).

        Raises:
            KeysUnavailable: *owner* is not served, or the server does not wrap.
        """
        version = (await self._held(owner, KeyKind.KEK)).newest
        wraps: list[tuple[int, bytes]] = []
        for chunk in _chunks(items, _WRAP_CHUNK):
            some = await self._wrap(owner, chunk, version)
            if some is None:  # Another process may have rotated, which ends the older versions.
                version = (await self._read(owner, KeyKind.KEK)).newest
                some = await self._wrap(owner, chunk, version)
            if some is None:
                raise KeysUnavailable
            wraps += some
        return wraps

    async def _wrap(
        self, owner: str, chunk: Sequence[tuple[bytes, bytes]], version: int
    ) -> list[tuple[int, bytes]] | None:
        path = f"encrypt/{self._key_name(owner, KeyKind.KEK)}"
        items = [wire.to_wrap(owner, version, context, key) for context, key in chunk]
        results = await self._transit.batch(path, items)
        if wire.errors_of(results):
            return None
        return [(version, wire.wrapped(result, version)) for result in results]

    async def unwrap_many(
        self, owner: str, items: Sequence[tuple[bytes, int, bytes]]
    ) -> list[bytes]:
        """Unwrap each (context, KEK version, wrapped key).

        Raises:
            KeysUnavailable: *owner* is not served, or the server does not unwrap.
            SealBroken: one does not hold in its context, or its version is no more.
        """
        opened = await self._unwrap(owner, items)
        self._unwrapped[owner] += len(opened)
        return opened

    def unwrapped(self) -> Mapping[str, int]:
        """Give how many keys of each owner the server unwrapped for this process."""
        return dict(self._unwrapped)

    async def _unwrap(self, owner: str, items: Sequence[tuple[bytes, int, bytes]]) -> list[bytes]:
        self._check(owner)
        path = f"decrypt/{self._key_name(owner, KeyKind.KEK)}"
        asked = [wire.to_unwrap(owner, *item) for item in items]
        keys: list[bytes] = []
        for chunk in _chunks(asked, _CHUNK):
            results = await self._transit.batch(path, chunk)
            errors = wire.errors_of(results)
            if errors and all(map(wire.is_broken, errors)):
                raise SealBroken
            if errors:
                raise KeysUnavailable
            keys += map(wire.unwrapped, results)
        return keys

    async def prf_many(
        self, owner: str, label: bytes, items: Sequence[bytes], version: int
    ) -> list[bytes]:
        """Give HMAC-SHA-256 of each item, bound to owner and label (32 bytes each).

        Raises:
            KeysUnavailable: *owner* is not served, there is no such *version*, or the
                server does not answer.
        """
        key = await self._held(owner, KeyKind.IDX)
        if version not in key.made:  # Another process may have made it.
            key = await self._read(owner, KeyKind.IDX)
        if version not in key.made:
            raise KeysUnavailable
        path = f"hmac/{self._key_name(owner, KeyKind.IDX)}"
        asked = [wire.to_hash(owner, label, item) for item in items]
        tags: list[bytes] = []
        for chunk in _chunks(asked, _CHUNK):
            results = await self._transit.batch(
                path, chunk, key_version=version, algorithm="sha2-256"
            )
            if wire.errors_of(results):
                raise KeysUnavailable
            tags += (wire.hashed(result, version) for result in results)
        return tags

    async def versions(self, owner: str, kind: KeyKind) -> list[int]:
        """Ask for the versions that can be used, ascending; the last one is the newest.

        Raises:
            KeysUnavailable: *owner* is not served, or the server does not answer.
        """
        return sorted((await self._read(owner, kind)).made)

    async def rotate(self, owner: str, kind: KeyKind, unless: int | None = None) -> int:
        """Add a new version, which is used from now on; give its number.

        Transit takes no condition: two processes that rotate at one moment may each add
        one, which costs nothing but a number.

        Raises:
            KeysUnavailable: as above, or the token may not.
        """
        self._check(owner)
        name = self._name(owner, kind)
        newest = (await self._read(owner, kind)).newest
        if unless is not None and newest >= unless:
            return newest
        await self._transit.write(f"{name}/rotate", {})
        newest = (await self._read(owner, kind)).newest
        if kind is KeyKind.KEK:
            # The server itself refuses from now on to wrap under an older version,
            # whichever process asks. (It would refuse HMACs, too; these are needed.)
            await self._transit.write(f"{name}/config", {"min_encryption_version": newest})
        return newest

    async def destroy_below(self, owner: str, kind: KeyKind, version: int) -> None:
        """Destroy every version below *version*; what only they open is lost for good.

        Raises:
            KeysUnavailable: *owner* is not served, *version* is above the newest, the
                server does not answer, or the token may not.
        """
        key = await self._read(owner, kind)
        if version > key.newest:
            raise KeysUnavailable
        if version <= max(key.trimmed, 1):
            return
        name = self._name(owner, kind)
        bounds = {
            "min_decryption_version": version,
            "min_encryption_version": max(version, key.wraps_from),
        }
        await self._transit.write(f"{name}/config", bounds)
        await self._transit.write(f"{name}/trim", {"min_available_version": version})
        await self._read(owner, kind)

    async def refresh(self) -> None:
        """Renew the token and ask for the versions of every key.

        Raises:
            RefusesToStart: an owner has no keys.
            KeysUnavailable: the server does not answer.
        """
        await self._transit.renew()
        missing = [
            owner
            for owner in self._owners
            for kind in KeyKind
            if await self._look(owner, kind) is None
        ]
        if missing:
            raise RefusesToStart(
                f"OpenBao has no keys of: {', '.join(sorted(set(missing)))}. "
                "Make them with `perisai keys create`."
            )

    async def health(self) -> None:
        """Prove that every served owner can wrap and unwrap.

        Raises:
            KeysUnavailable: one cannot, or none is served.
        """
        if not self._owners:
            raise KeysUnavailable
        for owner in self._owners:
            [(version, wrapped)] = await self.wrap_many(owner, [(b"health", b"")])
            await self._unwrap(owner, [(b"health", version, wrapped)])

    async def status(self) -> list[KeyStatus]:
        """List owners, kinds, versions and ages; no secret."""
        return [
            KeyStatus(owner, kind.value, version, made)
            for owner in self._owners
            for kind in KeyKind
            for version, made in sorted((await self._read(owner, kind)).made.items())
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._transit.close()

    async def _held(self, owner: str, kind: KeyKind) -> KeyState:
        return self._keys.get((owner, kind)) or await self._read(owner, kind)

    async def _read(self, owner: str, kind: KeyKind) -> KeyState:
        self._check(owner)
        key = await self._look(owner, kind)
        if key is None:
            raise KeysUnavailable
        return key

    async def _look(self, owner: str, kind: KeyKind) -> KeyState | None:
        """Take over what the server tells; None where there is no such key.

        A server that was put back would make another key of a number that is in use.
        """
        before = self._newest.get((owner, kind), 0)
        data = await self._transit.read(self._name(owner, kind))
        if data is None:
            return None
        key = wire.state_of(data)
        if key is None:
            _log.error("key_unsuitable", owner=owner, kind=kind.value)
        elif key.newest < before:
            _log.error("key_service_put_back", owner=owner, kind=kind.value)
        if key is None or key.newest < before:
            self._keys.pop((owner, kind), None)
            raise KeysUnavailable
        self._keys[owner, kind] = key
        self._newest[owner, kind] = max(before, key.newest)
        return key

    def _check(self, owner: str) -> None:
        if owner not in self._owners:
            raise KeysUnavailable

    def _key_name(self, owner: str, kind: KeyKind) -> str:
        return f"{self._prefix}{owner}-{kind.value}"

    def _name(self, owner: str, kind: KeyKind) -> str:
        return f"keys/{self._key_name(owner, kind)}"

    def __repr__(self) -> str:
        """Show nothing."""
        return "<openbao key service>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a token is a leak."""
        raise TypeError("keys are not pickled or copied")


def _chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))
