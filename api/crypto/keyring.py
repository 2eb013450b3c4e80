"""The keys that casework works with, made from a key service and from rows.

Holds the keys for rights and cursors of the served owners; data keys pass
through and are never kept. A fault in one wrap fails the whole call.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, NoReturn, TypeVar
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
from api.crypto.framing import frame
from api.crypto.kept_answers import AnswersKey
from api.crypto.key_changes import KeyChanges
from api.crypto.key_service import KeyKind, KeyService
from api.crypto.owner_secrets import (
    CURSORS,
    RIGHTS,
    SECRET_KINDS,
    SHARING,
    SIGNING,
    OwnerSecret,
    secret_context,
)
from api.crypto.rights import RightsKey
from api.crypto.sharing import SharingKey
from api.crypto.signatures import SigningKey
from api.errors import KeysUnavailable, SealBroken, ValueInvalid
from api.vocabulary import Compartment

_K = TypeVar("_K")

_TAG = b"perisai tag v1"

#: Bytes of a tag: two of 2**32 values collide with a chance of 2**-65.
_TAG_SIZE = 16


class Keyring:
    """Makes and opens data keys, and holds the other keys of each served owner."""

    def __init__(
        self,
        service: KeyService,
        secrets: dict[tuple[str, str], bytes],
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Take the open *secrets*, by owner and kind; `start` opens them."""
        self._service = service
        self._randomness = randomness
        self._rights = {o: RightsKey(s) for (o, kind), s in secrets.items() if kind == RIGHTS}
        self._owners = frozenset(self._rights)
        self._cursors = {
            o: CursorKey(s, randomness) for (o, kind), s in secrets.items() if kind == CURSORS
        }
        self._answers = {
            o: AnswersKey(s, randomness) for (o, kind), s in secrets.items() if kind == CURSORS
        }
        self._signing = {
            o: SigningKey.from_seed(s) for (o, kind), s in secrets.items() if kind == SIGNING
        }
        self._sharing = {o: SharingKey(s) for (o, kind), s in secrets.items() if kind == SHARING}

    @classmethod
    async def start(
        cls,
        service: KeyService,
        secrets: Sequence[OwnerSecret],
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> "Keyring":
        """Open *secrets*, of served owners only, the newest of each kind.

        Raises:
            KeysUnavailable: an owner is not served.
            SealBroken: a secret was changed, or moved from another owner, kind or version.
        """
        newest: dict[tuple[str, str], bytes] = {}
        for secret in sorted(secrets, key=_version_of):
            item = (secret_context(secret), secret.kek_version, secret.wrapped)
            [newest[secret.owner, secret.kind]] = await service.unwrap_many(secret.owner, [item])
        return cls(service, newest, randomness)

    @staticmethod
    async def new_secrets(
        service: KeyService,
        owner: str,
        randomness: Callable[[int], bytes] = os.urandom,
        kinds: Sequence[str] = SECRET_KINDS,
    ) -> list[OwnerSecret]:
        """Make the first secrets of *owner*, of *kinds*; the caller stores them as rows.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        blank = [OwnerSecret(owner, kind, 1, 0, b"") for kind in kinds]
        wraps = await service.wrap_many(
            owner, [(secret_context(secret), randomness(KEY_SIZE)) for secret in blank]
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
        return list(zip(keys, await self.wrap_all_for(owner, keys), strict=True))

    async def successors(
        self, owner: str, keys: Sequence[DataKey]
    ) -> list[tuple[DataKey, WrappedKey]]:
        """Make for each of *keys* the key of its next version, wrapped for *owner*.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        new = [
            DataKey(k.record, k.compartment, k.version + 1, self._randomness(KEY_SIZE))
            for k in keys
        ]
        return list(zip(new, await self.wrap_all_for(owner, new), strict=True))

    async def wrap_for(self, owner: str, key: DataKey) -> WrappedKey:
        """Wrap an open key for one more owner.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        [wrap] = await self.wrap_all_for(owner, [key])
        return wrap

    async def wrap_all_for(self, owner: str, keys: Sequence[DataKey]) -> list[WrappedKey]:
        """Wrap open keys for *owner*, in their order.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        items = [(wrap_context(k.record, k.compartment, k.version, owner), k.secret) for k in keys]
        wraps = await self._service.wrap_many(owner, items)
        return [
            WrappedKey(
                k.record, k.compartment, k.version, owner, kek, wrapped, commitment(k.secret)
            )
            for k, (kek, wrapped) in zip(keys, wraps, strict=True)
        ]

    async def open_keys(self, owner: str, wraps: Sequence[WrappedKey]) -> list[DataKey]:
        """Open *wraps*, all of *owner*; give their keys in the same order.

        Raises:
            KeysUnavailable: *owner* is not served.
            SealBroken: one was changed or moved, is of another owner, or holds
                another key than it commits to.
        """
        keys = [key for key in await self.open_each(owner, wraps) if key is not None]
        if len(keys) != len(wraps):
            raise SealBroken
        return keys

    async def open_each(self, owner: str, wraps: Sequence[WrappedKey]) -> list[DataKey | None]:
        """Open *wraps* as `open_keys` does, with None for a key that it does not commit to.

        So that one of these does not have the others unwrapped again.

        Raises:
            KeysUnavailable, SealBroken: as for `open_keys`, but for the commitment.
        """
        items = []
        try:
            for record, compartment, version, wrapped_for, kek_version, wrapped, _ in wraps:
                if wrapped_for != owner:
                    raise SealBroken
                context = wrap_context(record, compartment, version, owner)
                items.append((context, kek_version, wrapped))
        except OverflowError:  # A version that no key can have.
            raise SealBroken from None
        secrets = await self._service.unwrap_many(owner, items)
        return [opened(wrap, secret) for wrap, secret in zip(wraps, secrets, strict=True)]

    async def health(self) -> None:
        """Prove that the keys of every served owner can be had.

        Raises:
            KeysUnavailable: those of one cannot.
        """
        await self._service.health()

    def unwrapped(self) -> Mapping[str, int]:
        """Give how many keys of each owner the key service unwrapped since the start."""
        return self._service.unwrapped()

    @property
    def changes(self) -> KeyChanges:
        """What changes the keys of the served owners themselves."""
        return KeyChanges(self._service)

    @property
    def owners(self) -> frozenset[str]:
        """The organisations whose rights can be checked here."""
        return self._owners

    def rights(self, owner: str) -> RightsKey:
        """Give the key under which *owner* seals rows that grant something.

        Raises:
            KeysUnavailable: there is none here.
        """
        return _held(self._rights, owner)

    def cursor_key(self, owner: str) -> CursorKey:
        """Give the key that seals the cursors of *owner*'s callers.

        Raises:
            KeysUnavailable: there is none here.
        """
        return _held(self._cursors, owner)

    def answers_key(self, owner: str) -> AnswersKey:
        """Give the key under which answers to *owner*'s callers are kept for a repeat.

        Raises:
            KeysUnavailable: there is none here.
        """
        return _held(self._answers, owner)

    def signing_key(self, owner: str) -> SigningKey:
        """Give the key with which *owner* signs what crosses agencies.

        Raises:
            KeysUnavailable: there is none here.
        """
        return _held(self._signing, owner)

    def sharing_key(self, owner: str) -> SharingKey:
        """Give the key to which other agencies seal for *owner*.

        Raises:
            KeysUnavailable: there is none here.
        """
        return _held(self._sharing, owner)

    def public_keys(self, owner: str) -> dict[str, bytes]:
        """Give the public halves of what *owner* signs with and is sealed to: kind -> key.

        Raises:
            KeysUnavailable: there is none here.
        """
        return {
            SIGNING: self.signing_key(owner).public,
            SHARING: self.sharing_key(owner).public,
        }

    async def tags(self, owner: str, column: str, values: Sequence[str]) -> tuple[int, list[bytes]]:
        """Give the newest version of IDX, and the tag (16 bytes) of each normalised value.

        Equal values of one owner, column and version have equal tags, and no others do.

        Raises:
            KeysUnavailable: *owner* is not served.
            ValueInvalid: a value is no valid Unicode.
        """
        items = _encoded(values)
        version = (await self._service.versions(owner, KeyKind.IDX))[-1]
        return version, await self._tags(owner, column, items, version)

    async def tags_to_find(self, owner: str, column: str, value: str) -> list[bytes]:
        """Give the tag of *value* under every version of IDX: a rotation may be half done.

        Raises:
            As `tags`.
        """
        return await self.tags_to_find_any(owner, column, [value])

    async def tags_to_find_any(self, owner: str, column: str, values: Sequence[str]) -> list[bytes]:
        """Give the tags of all *values*, as `tags_to_find` does of one, in no order that tells.

        Raises:
            As `tags`.
        """
        items = _encoded(values)
        found: list[bytes] = []
        for version in await self._service.versions(owner, KeyKind.IDX):
            found += await self._tags(owner, column, items, version)
        return found

    async def _tags(
        self, owner: str, column: str, items: Sequence[bytes], version: int
    ) -> list[bytes]:
        label = frame(_TAG, column.encode())
        values = await self._service.prf_many(owner, label, items, version)
        return [value[:_TAG_SIZE] for value in values]

    def __repr__(self) -> str:
        """Show nothing."""
        return "<keyring>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")


def _held(keys: Mapping[str, _K], owner: str) -> _K:
    try:
        return keys[owner]
    except KeyError:
        raise KeysUnavailable from None


def _encoded(values: Sequence[str]) -> list[bytes]:
    try:
        return list(map(str.encode, values, repeat("utf-8")))
    except UnicodeEncodeError:
        pass  # Raised below, so that the error does not hold the value as its context.
    raise ValueInvalid


def _version_of(secret: OwnerSecret) -> int:
    # SQLite keeps any type in any column, if somebody writes it.
    if type(secret.version) is not int or type(secret.wrapped) is not bytes:
        raise SealBroken
    return secret.version
