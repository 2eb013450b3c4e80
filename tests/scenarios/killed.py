"""A process that adds a note, named by a key, and is killed when the log has so many events of it.

Run by a test: `python -m tests.scenarios.killed POINT KEY CASE_FILE`, with the settings in
PERISAI_CONFIG and the moment in PERISAI_TEST_NOW.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from api.accesslog.event import Event
from api.app import open_house, served
from api.demo.install import issuer_of
from api.demo.synthetic import SARI
from api.settings import Settings


class Deadly:
    """A ledger that is asked for its events one by one, and kills at one of them."""

    def __init__(self, ledger: Any, point: int) -> None:
        self._ledger, self._left = ledger, point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def append(self, event: Event) -> int:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        index: int = await self._ledger.append(event)
        return index


#: As the test asks for it once more, to the letter.
NOTE = """mutation ($id: ID!, $body: String!) {
  addNote(input: {caseFileId: $id, body: $body}) { noteId errors { code } } }"""
BODY = "Catatan."


async def ask(point: int, key: str, file: str, now: Callable[[], datetime]) -> None:
    config = Path(os.environ["PERISAI_CONFIG"])
    settings = Settings.at(config)
    async with open_house(settings, now) as house:
        deadly = replace(house, ledger=Deadly(house.ledger, point))
        apps = served(deadly, settings, now)
        app = Starlette(routes=[Route(path, one, methods=None) for path, one in apps.items()])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
            token = issuer_of(config.parent, now).mint("komnas-ham", SARI)
            await client.post(
                "/graphql/agency",
                json={"query": NOTE, "variables": {"id": file, "body": BODY}},
                headers={
                    "authorization": f"Bearer {token}",
                    "perisai-purpose": "protection",
                    "idempotency-key": f'"{key}"',
                },
            )


if __name__ == "__main__":
    moment = datetime.fromisoformat(os.environ["PERISAI_TEST_NOW"])
    asyncio.run(ask(int(sys.argv[1]), sys.argv[2], sys.argv[3], lambda: moment))
