"""Open keys that follow their key file, which other processes may change too.

Adopts a newer file whole or not at all; changes it with the folder locked, on what
it holds at that time. The passphrase is asked for anew each time and never kept.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from api.crypto import key_file, key_payload
from api.crypto.held_keys import HeldKeys
from api.crypto.key_file import Randomness
from api.crypto.key_payload import Content
from api.crypto.key_service import KeyKind
from api.errors import KeysUnavailable, RefusesToStart

T = TypeVar("T")

#: Reads the passphrase anew; raises RefusesToStart.
Passphrase = Callable[[], str]

#: Changes a content in place; tells whether it did.
Edit = Callable[[Content], bool]

#: How long after a changed file did not open it is not tried again: each try
#: takes the whole cost of the passphrase.
RETRY_SECONDS = 5.0


class FollowedKeys:
    """The open keys of the served owners, as the file last held them; it shows nothing."""

    def __init__(
        self,
        path: Path,
        passphrase: Passphrase,
        header: bytes,
        keys: HeldKeys,
        randomness: Randomness,
        monotonic: Callable[[], float],
    ) -> None:
        """Take over *keys* from the file that had this *header*."""
        self._path = path
        self._passphrase = passphrase
        self._header = header
        self._keys = keys
        self._randomness = randomness
        self._monotonic = monotonic
        self._failed_at: float | None = None
        # One read or change of the file at a time, so that none adopts an older one.
        self._turn = asyncio.Lock()

    @property
    def keys(self) -> HeldKeys:
        """The keys that are open now."""
        return self._keys

    async def look(self) -> HeldKeys:
        """Give the keys that are in the file now; read it only if it is another.

        Raises:
            KeysUnavailable: it does not open, or did not a moment ago.
        """
        async with self._turn:
            failed = self._failed_at
            if failed is not None and self._monotonic() - failed < RETRY_SECONDS:
                raise KeysUnavailable
            await self._adopt()
            return self._keys

    async def refresh(self) -> None:
        """Take over what another process changed since.

        Raises:
            KeysUnavailable: the file does not open; what was open stays so.
        """
        async with self._turn:
            await self._adopt()

    async def change(self, owner: str, edit: Edit) -> HeldKeys:
        """Change the keys of *owner* in the file; give all as they are then.

        Raises:
            KeysUnavailable: *owner* is not served, or the file cannot be changed.
        """
        async with self._turn:
            if owner not in self._keys.owners:
                raise KeysUnavailable
            self._header, self._keys = await _in_thread(lambda: self._edited(edit))
            return self._keys

    async def close(self) -> None:
        """Let go of all keys; none comes back."""
        async with self._turn:
            self._header, self._keys = b"", HeldKeys({}, ())

    async def _adopt(self) -> None:
        try:
            if self._changed():
                self._header, self._keys = await _in_thread(self._newer)
        except KeysUnavailable:
            self._failed_at = self._monotonic()
            raise
        self._failed_at = None

    def _changed(self) -> bool:
        # Not in a thread, which takes ten times as long as to read these few bytes.
        try:
            return key_file.header(self._path) != self._header
        except (RefusesToStart, OSError):
            raise KeysUnavailable from None

    def _newer(self) -> tuple[bytes, HeldKeys]:
        opened = key_file.read(self._path, self._passphrase())
        content = key_payload.parsed(opened.payload)
        self._not_older(content)
        return opened.header, HeldKeys(content, self._keys.owners)

    def _edited(self, edit: Edit) -> tuple[bytes, HeldKeys]:
        def checked(content: Content) -> bool:
            self._not_older(content)
            return edit(content)

        header, content = change(self._path, self._passphrase, checked, self._randomness)
        return header, HeldKeys(content, self._keys.owners)

    def _not_older(self, content: Content) -> None:
        """Refuse a file that was put back.

        Its next version would be another key of one number; and a version that was
        destroyed, which it may still have, would open again what had gone dark.
        """
        for owner in self._keys.owners:
            for kind in KeyKind:
                there = content["owners"].get(owner, {}).get(kind, [])
                versions = [key["version"] for key in there]
                oldest, *_ = held = self._keys.versions(owner, kind)
                if held[-1] > max(versions, default=0) or oldest > min(versions):
                    raise RefusesToStart(f"The key file {self._path} is older than the open keys.")

    def __repr__(self) -> str:
        """Show nothing."""
        return "<followed keys>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of keys is a leak."""
        raise TypeError("keys are not pickled or copied")


def change(
    path: Path, passphrase: Passphrase, edit: Edit, randomness: Randomness
) -> tuple[bytes, Content]:
    """Read the file with its folder locked; write it again, at its cost, if *edit* changed it.

    Gives its header and content.

    Raises:
        RefusesToStart: it does not open.
    """
    with key_file.locked_folder(path) as folder:
        secret = passphrase()
        opened = key_file.read(path, secret)
        content = key_payload.parsed(opened.payload)
        if not edit(content):
            return opened.header, content
        payload = key_payload.printed(content)
        header = key_file.replace(path, folder, secret, payload, opened.cost, randomness)
        return header, content


async def _in_thread(work: Callable[[], T]) -> T:
    """Run *work* on the file: a passphrase takes a second, a lock any time."""
    try:
        return await asyncio.to_thread(work)
    except (RefusesToStart, OSError, MemoryError):
        raise KeysUnavailable from None
