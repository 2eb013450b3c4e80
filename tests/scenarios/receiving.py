"""A receiver of webhooks on loopback: real HTTP, and as slow, false or down as a test wants."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from api.settings import WebhookSettings

SECRET = bytes(range(32))


@dataclass
class Request:
    """What was posted."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What an agency has running.

    Attributes:
        status: what it answers with; *more* are lines of the head besides.
        talk: exchanged, it answers in any way.
    """

    url: str = ""
    status: int = 204
    more: str = ""
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
    got: list[Request] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = [line.partition(": ") for line in head[1:] if line]
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append(Request(head[0], headers, body))
            self.came.set()
            if self.talk is not None:
                await self.talk(reader, writer)
            else:
                writer.write(
                    f"HTTP/1.1 {self.status} x\r\n{self.more}content-length: 0\r\n\r\n".encode()
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def settings(self, folder: Path, organisation: str) -> WebhookSettings:
        """Write the secret, and give what the settings say of this receiver."""
        file = folder / f"webhook-{organisation}"
        file.write_text(f"whsec_{base64.b64encode(SECRET).decode()}\n", encoding="utf-8")
        file.chmod(0o600)
        return WebhookSettings(organisation=organisation, url=self.url, secret_file=file)


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Listen until the block ends."""
    one = Receiver()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alerts"
    try:
        yield one
    finally:
        server.close()
        await server.wait_closed()
