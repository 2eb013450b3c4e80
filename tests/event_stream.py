"""A small reader of server-sent events, for answers that may never end.

It speaks ASGI itself: httpx would wait for the end of the answer.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

from tests.world import Answer

EVENTS = "text/event-stream"

#: Seconds that any event may take: else something hangs.
LIMIT = 20.0

#: What is read from a stream beside the results.
COMPLETE, COMMENT, GONE = "complete", "comment", "gone"


class Open:
    """One request that may be answered as a stream.

    Attributes:
        takes: cleared, the client takes nothing that is sent.
    """

    def __init__(self) -> None:
        self.takes = asyncio.Event()
        self.takes.set()
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._left = asyncio.Event()
        self._body: bytes | None = None

    async def run(self, app: ASGIApp, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self._body = body
        raw = [(n.lower().encode(), v.encode()) for n, v in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("perisai", 80),
        }
        try:
            await app(scope, self._receive, self._send)
        finally:
            self._sent.put_nowait({"type": GONE})

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.takes.wait()
        self._sent.put_nowait(message)

    def leave(self) -> None:
        self._left.set()

    async def head(self) -> Message:
        """Give the next message as it was sent."""
        async with asyncio.timeout(LIMIT):
            return await self._sent.get()

    async def first(self) -> Answer:
        """Give the head with the first result, or with the whole of a refusal."""
        head = await self.head()
        headers = {n.decode(): v.decode() for n, v in head["headers"]}
        if headers["content-type"].startswith(EVENTS):
            return Answer(
                head["status"], headers, json.dumps(await self.next(), separators=(",", ":"))
            )
        whole = await self.head()
        return Answer(head["status"], headers, whole["body"].decode())

    async def next(self) -> Any:
        """Give the next result, or what else was read."""
        async with asyncio.timeout(LIMIT):
            message = await self._sent.get()
        if message["type"] == GONE:
            return GONE
        return read(message["body"].decode())

    def nothing(self) -> bool:
        """Tell whether all that was sent is read."""
        return self._sent.empty()


def read(text: str) -> Any:
    """Read one event."""
    lines = text.removesuffix("\n\n").split("\n")
    if lines == [":"]:
        return COMMENT
    if lines == ["event: complete", "data:"]:
        return COMPLETE
    assert lines[0] == "event: next", text
    assert len(lines) == 2
    return json.loads(lines[1].removeprefix("data: "))


@asynccontextmanager
async def asked(
    app: ASGIApp, path: str, headers: Mapping[str, str], body: Mapping[str, Any]
) -> AsyncIterator[Open]:
    """Post *body* as JSON; leave when the block ends."""
    one = Open()
    given = {"content-type": "application/json", "accept": EVENTS, **headers}
    task = asyncio.create_task(one.run(app, path, given, json.dumps(body).encode()))
    try:
        yield one
    finally:
        one.leave()
        async with asyncio.timeout(LIMIT):
            await task
