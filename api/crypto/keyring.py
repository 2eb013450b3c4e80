"""The keys that casework works with, made from a key service and from rows.

Holds the keys for rights and cursors of the served owners; data keys pass
through and are never kept. A fault in one wrap fails the whole call.
"""

import os
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from api.crypto.cursors import CursorKey
from api.crypto.data_keys import (
    KEY_SIZE,
    DataKey,
    WrappedKey,
    commitment,
    opened,
    wrap_context,
)
from api.crypto.file_key_service import FileKeyService
from api.crypto.framing import frame
from api.crypto.rights import RightsKey
from api.errors import KeysUnavailable, SealBroken, ValueInvalid
from api.vocabulary import Compartment

_SECRET = b"perisai owner secret v1"
_TAG = b"perisai tag v1"

#: Bytes of a tag: two of 2**32 values collide with a chance of 2**-65.
_TAG_SIZE = 16

_RIGHTS = "rights"
_CURSORS = "cursors"


class OwnerSecret(NamedTuple):
    """A random secret of an owner as stored: sealed under its KEK.

    Attributes:
        kind: "rights" or "cursors".
        version: counts from 1; the highest is in use.
    """

    owner: str
    kind: str
    version: int
    kek_version: int
    wrapped: bytes

    def __repr__(self) -> str:
        """Name what it is, without its bytes."""
        return f"<sealed {self.kind} secret of {self.owner}>"


class Keyring:
    """Makes and opens data keys, and holds the other keys of each served owner."""

    def __init__(
        self,
        service: FileKeyService,
        secrets: dict[tuple[str, str], bytes],
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Take the open *secrets*, by owner and kind; `start` opens them."""
        self._service = service
        self._randomness = randomness
        self._rights = {o: RightsKey(s) for (o, kind), s in secrets.items() if kind == _RIGHTS}
        self._owners = frozenset(self._rights)
        self._cursors = {
            o: CursorKey(s, randomness) for (o, kind), s in secrets.items() if kind == _CURSORS
        }

    @classmethod
    async def start(
        cls,
        service: FileKeyService,
        secrets: Sequence[OwnerSecret],
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> "Keyring":
        """Open *secrets*, of served owners only, the newest of each kind.

        Raises:
            KeysUnavailable: an owner is not served.
            SealBroken: a secret was changed, or moved from another owner, kind or version.
        """
        newest: dict[tuple[str, str], bytes] = {}
        for secret in sorted(secrets, key=lambda s: s.version):
            item = (_secret_context(secret), secret.kek_version, secret.wrapped)
            [newest[secret.owner, secret.kind]] = await service.unwrap_many(secret.owner, [item])
        return cls(service, newest, randomness)

    @staticmethod
    async def new_secrets(
        service: FileKeyService, owner: str, randomness: Callable[[int], bytes] = os.urandom
    ) -> list[OwnerSecret]:
        """Make the first secrets of *owner*; the caller stores them as rows.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        blank = [OwnerSecret(owner, kind, 1, 0, b"") for kind in (_RIGHTS, _CURSORS)]
        wraps = await service.wrap_many(
            owner, [(_secret_context(secret), randomness(KEY_SIZE)) for secret in blank]
        )
        return [
            secret._replace(kek_version=kek_version, wrapped=wrapped)
            for secret, (kek_version, wrapped) in zip(blank, wraps, strict=True)
        ]

    async def new_keys(
        self, owner: str, places: Sequence[tuple[UUID, Compartment]], version: int = 1
    ) -> list[tuple[DataKey, WrappedKey]]:
        """Make a data key for each record and compartment, wrapped for *owner*.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        keys = [
            DataKey(record, compartment, version, self._randomness(KEY_SIZE))
            for record, compartment in places
        ]
        return list(zip(keys, await self._wrap(owner, keys), strict=True))

    async def wrap_for(self, owner: str, key: DataKey) -> WrappedKey:
        """Wrap an open key for one more owner.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        [wrap] = await self._wrap(owner, [key])
        return wrap

    async def _wrap(self, owner: str, keys: Sequence[DataKey]) -> list[WrappedKey]:
        contexts = (wrap_context(k.record, k.compartment, k.version, owner) for k in keys)
        wraps = await self._service.wrap_many(
            owner, [(context, k.secret) for context, k in zip(contexts, keys, strict=True)]
        )
        return [
            WrappedKey(
                k.record, k.compartment, k.version, owner, kek, wrapped, commitment(k.secret)
            )
            for k, (kek, wrapped) in zip(keys, wraps, strict=True)
        ]

    async def open_keys(
        self, owner: str, wraps: Sequence[WrappedKey]
    ) -> dict[tuple[UUID, Compartment, int], DataKey]:
        """Open *wraps*, all of *owner*: by record, compartment and version.

        Raises:
            KeysUnavailable: *owner* is not served.
            SealBroken: one was changed or moved, is of another owner, or holds
                another key than it commits to.
        """
        items = []
        try:
            for wrap in wraps:
                if wrap.owner != owner:
                    raise SealBroken
                context = wrap_context(wrap.record, wrap.compartment, wrap.version, owner)
                items.append((context, wrap.kek_version, wrap.wrapped))
        except OverflowError:  # A version that no key can have.
            raise SealBroken from None
        secrets = await self._service.unwrap_many(owner, items)
        return {
            (wrap.record, wrap.compartment, wrap.version): opened(wrap, secret)
            for wrap, secret in zip(wraps, secrets, strict=True)
        }

    @property
    def owners(self) -> frozenset[str]:
        """The organisations whose rights can be checked here."""
        return self._owners

    def rights(self, owner: str) -> RightsKey:
        """Give the key under which *owner* seals rows that grant something.

        Raises:
            KeysUnavailable: there is none here.
        """
        try:
            return self._rights[owner]
        except KeyError:
            raise KeysUnavailable from None

    def cursor_key(self, owner: str) -> CursorKey:
        """Give the key that seals the cursors of *owner*'s callers.

        Raises:
            KeysUnavailable: there is none here.
        """
        try:
            return self._cursors[owner]
        except KeyError:
            raise KeysUnavailable from None

    async def tags(self, owner: str, column: str, values: Sequence[str]) -> list[bytes]:
        """Give the keyed tag (16 bytes) of each normalised value, for exact search.

        Equal values of one owner and column have equal tags, and no others do.

        Raises:
            KeysUnavailable: *owner* is not served.
            ValueInvalid: a value is no valid Unicode.
        """
        items = _encoded(values)
        label = frame(_TAG, column.encode())
        return [tag[:_TAG_SIZE] for tag in await self._service.prf_many(owner, label, items)]

    def __repr__(self) -> str:
        """Show nothing."""
        return "<keyring>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")


def _encoded(values: Sequence[str]) -> list[bytes]:
    try:
        return list(map(str.encode, values, repeat("utf-8")))
    except UnicodeEncodeError:
        pass  # Raised below, so that the error does not hold the value as its context.
    raise ValueInvalid


def _secret_context(secret: OwnerSecret) -> bytes:
    try:
        version = secret.version.to_bytes(4)
    except OverflowError:
        raise SealBroken from None
    return frame(_SECRET, secret.owner.encode(), secret.kind.encode(), version)
