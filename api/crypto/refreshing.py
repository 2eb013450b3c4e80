"""What keeps a key service up to date while nobody asks it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from api.crypto.key_service import KeyService
from api.errors import PerisaiError

#: Seconds between two looks. A token that is renewed must live at least three times as long.
INTERVAL = 30.0

_log = structlog.get_logger("perisai.keys")


async def refresh_forever(
    service: KeyService, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Keep the service's token alive and its versions known, until cancelled."""
    while True:
        await pause(INTERVAL)
        try:
            await service.refresh()
        except PerisaiError as error:
            _log.error("keys_not_refreshed", code=error.code)
