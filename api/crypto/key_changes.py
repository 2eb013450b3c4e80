"""Change the keys of an owner: new versions, wraps taken over to them, old ones destroyed.

What is wrapped passes through memory, and nothing of it is kept or opened further.
"""

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

from api.crypto.key_service import KeyKind, KeyService, KeyStatus
from api.errors import KeysUnavailable, SealBroken


class Wrap(Protocol):
    """Anything that is stored wrapped under a KEK: a data key, a secret of an owner."""

    @property
    def owner(self) -> str:
        """Under whose KEK."""

    @property
    def kek_version(self) -> int:
        """Under which version."""

    @property
    def wrapped(self) -> bytes:
        """As the key service gave it."""

    def context(self) -> bytes:
        """Give what it is bound to."""

    def holds(self, secret: bytes) -> bool:
        """Tell whether *secret* is what must be inside."""

    def _replace(self, *, kek_version: int, wrapped: bytes) -> Self: ...


W = TypeVar("W", bound=Wrap)


class KeyChanges:
    """What a rotation and a retirement do in the key service; it shows nothing."""

    def __init__(self, service: KeyService) -> None:
        """Change the keys that *service* holds."""
        self._service = service

    async def refresh(self) -> None:
        """Take over what another process changed since.

        Raises:
            KeysUnavailable: the service does not answer.
        """
        await self._service.refresh()

    async def newest(self, owner: str, kind: KeyKind) -> int:
        """Give the version under which wraps or tags are made now.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        return (await self._service.versions(owner, kind))[-1]

    async def status(self, owner: str, kind: KeyKind) -> list[KeyStatus]:
        """List what may be known of the versions of one key, oldest first."""
        of = [s for s in await self._service.status() if (s.owner, s.kind) == (owner, kind.value)]
        return sorted(of, key=lambda status: status.version)

    async def advance(self, owner: str, kind: KeyKind, version: int) -> int:
        """Add a version, unless *version* is there already; give the newest.

        Raises:
            KeysUnavailable: *owner* is not served, or the keys cannot be changed.
        """
        newest = await self.newest(owner, kind)
        # One at the most: who writes a number into the database gets no thousand keys.
        return (
            newest
            if newest >= version
            else await self._service.rotate(owner, kind, unless=newest + 1)
        )

    async def destroy_below(self, owner: str, kind: KeyKind, version: int) -> None:
        """Destroy every version below *version*; what only they open is lost for good.

        Raises:
            KeysUnavailable: *owner* is not served, or the keys cannot be changed.
        """
        await self._service.destroy_below(owner, kind, version)

    async def rewrap(self, owner: str, wraps: Sequence[W]) -> list[W | None]:
        """Wrap what is in *wraps* under the newest KEK; None where one does not hold.

        Raises:
            KeysUnavailable: *owner* is not served.
        """
        secrets = await self._open(owner, wraps)
        held = [
            (place, wraps[place].context(), secret)
            for place, secret in enumerate(secrets)
            if secret is not None
        ]
        made = await self._service.wrap_many(owner, [(context, s) for _, context, s in held])
        new: list[W | None] = [None] * len(wraps)
        for (place, _, _), (kek_version, wrapped) in zip(held, made, strict=True):
            new[place] = wraps[place]._replace(kek_version=kek_version, wrapped=wrapped)
        return new

    async def _open(self, owner: str, wraps: Sequence[W]) -> list[bytes | None]:
        """Open all at once; where one does not hold, halve until it is found."""
        if not wraps:
            return []
        try:
            if any(wrap.owner != owner for wrap in wraps):
                raise KeysUnavailable
            items = [(wrap.context(), wrap.kek_version, wrap.wrapped) for wrap in wraps]
            secrets = await self._service.unwrap_many(owner, items)
            if all(wrap.holds(secret) for wrap, secret in zip(wraps, secrets, strict=True)):
                return list(secrets)
        # The last three where it is not even of the types of a wrap, which SQLite lets
        # somebody write.
        except (SealBroken, OverflowError, AttributeError, TypeError):
            pass
        if len(wraps) == 1:
            return [None]
        half = len(wraps) // 2
        return await self._open(owner, wraps[:half]) + await self._open(owner, wraps[half:])

    def __repr__(self) -> str:
        """Show nothing."""
        return "<key changes>"
