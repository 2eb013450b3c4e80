"""The same installation served once more, with parts of the house exchanged for others.

Nothing is patched: the house is opened as `api.app` opens it, a part is replaced by
an injected object (a keyring that counts, a ledger that fails, a gate with another
clock), and faces are built on it with the service's own classes.
"""

import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from api.accesslog.event import Event
from api.app import faces_of, key_service, open_house
from api.casework.house import House
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.keyring import Keyring
from api.errors import LogUnavailable, PerisaiError
from api.settings import Settings
from api.store import key_wraps
from api.vocabulary import Compartment
from tests.world import World


class SpyKeyring(Keyring):
    """Remembers which data keys it was asked to open."""

    opened: list[tuple[UUID, Compartment]]
    error: PerisaiError | None = None

    async def open_keys(
        self, owner: str, wraps: Sequence[WrappedKey]
    ) -> dict[tuple[UUID, Compartment, int], DataKey]:
        self.opened += [(wrap.record, wrap.compartment) for wrap in wraps]
        if self.error is not None:
            raise self.error
        return await super().open_keys(owner, wraps)


async def spy_keyring(settings: Settings, house: House) -> SpyKeyring:
    """Start a spy on the keys of *settings*."""
    async with house.records.snapshot() as snapshot:
        secrets = await key_wraps.secrets_of(snapshot, settings.owners)
    spy = await SpyKeyring.start(key_service(settings), secrets)
    assert isinstance(spy, SpyKeyring)
    spy.opened = []
    return spy


class FailingLedger:
    """Appends like *ledger* until *after* events were taken, then never again."""

    def __init__(self, ledger: Any, after: int) -> None:
        self._ledger = ledger
        self._left = after

    async def append(self, event: Event) -> int:
        if self._left == 0:
            raise LogUnavailable
        self._left -= 1
        index: int = await self._ledger.append(event)
        return index


@dataclasses.dataclass
class Inside:
    """A world whose `ask` goes to the exchanged house."""

    world: World
    house: House
    keyring: SpyKeyring


@asynccontextmanager
async def exchanged(
    world: World, exchange: Callable[[House], dict[str, Any]] = lambda _house: {}
) -> AsyncIterator[Inside]:
    """Serve *world* again; *exchange* gives the parts of the house that are others."""
    async with open_house(world.settings, world.clock) as opened:
        keyring = await spy_keyring(world.settings, opened)
        house = dataclasses.replace(opened, keyring=keyring)
        house = dataclasses.replace(house, **exchange(house))
        faces = faces_of(house, world.settings, world.clock)
        app = Starlette(routes=[Route(f"/graphql/{n}", f, methods=None) for n, f in faces.items()])
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
            yield Inside(dataclasses.replace(world, app=app, client=client), house, keyring)
