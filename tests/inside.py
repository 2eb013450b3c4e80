"""The same installation served once more, with parts of the house exchanged for others.

Nothing is patched: the house is opened as `api.app` opens it, a part is replaced by
an injected object (a keyring that counts, a ledger that fails, a gate with another
clock), and faces are built on it with the service's own classes.
"""

import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import httpx2
from starlette.applications import Starlette
from starlette.routing import Route

from api.accesslog.event import Event
from api.app import key_service, open_house, served
from api.casework.house import House
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.key_service import KeyService
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

    async def open_each(self, owner: str, wraps: Sequence[WrappedKey]) -> list[DataKey | None]:
        self.opened += [(wrap.record, wrap.compartment) for wrap in wraps]
        if self.error is not None:
            raise self.error
        return await super().open_each(owner, wraps)


async def spy_keyring(settings: Settings, house: House, service: KeyService) -> SpyKeyring:
    """Start a spy on the keys of *service*."""
    async with house.records.snapshot() as snapshot:
        secrets = await key_wraps.secrets_of(snapshot, settings.owners)
    spy = await SpyKeyring.start(service, secrets)
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

    async def health(self) -> None:
        if self._left == 0:
            raise LogUnavailable
        await self._ledger.health()


@dataclasses.dataclass
class Inside:
    """A world whose `ask` goes to the exchanged house."""

    world: World
    house: House
    keyring: SpyKeyring


@asynccontextmanager
async def exchanged(
    world: World,
    exchange: Callable[[House], dict[str, Any]] = lambda _house: {},
    service: KeyService | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    outward: httpx2.AsyncBaseTransport | None = None,
) -> AsyncIterator[Inside]:
    """Serve *world* again; *exchange* gives the parts of the house that are others.

    Args:
        service: the key service, which is closed at the end; else that of the settings.
        monotonic: tells how old the keys of issuers are, seconds.
        outward: how the console reaches issuers; None: over the network.
    """
    async with open_house(world.settings, world.clock) as opened, AsyncExitStack() as closing:
        service = service or key_service(world.settings)
        closing.push_async_callback(service.close)
        keyring = await spy_keyring(world.settings, opened, service)
        house = dataclasses.replace(opened, keyring=keyring)
        house = dataclasses.replace(house, **exchange(house))
        apps = served(house, world.settings, world.clock, monotonic=monotonic, outward=outward)
        app = Starlette(routes=[Route(path, app, methods=None) for path, app in apps.items()])
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
            yield Inside(dataclasses.replace(world, app=app, client=client), house, keyring)
