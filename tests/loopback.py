"""Witnesses on loopback for tests: real HTTP, and as honest, late or false as a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from api.accesslog.note import VerifierKey
from api.accesslog.witness import Answer, Witness
from api.accesslog.witness_state import WitnessState
from api.crypto.signatures import SigningKey

Answering = Callable[[bytes], Awaitable[Answer]]


@dataclass
class Loopback:
    """A witness that is served.

    Attributes:
        answer: what it does with a request; `honest` unless a test exchanges it.
        requests: the bodies that it was sent.
    """

    name: str
    witness: Witness
    state: WitnessState
    url: str = ""
    answer: Answering | None = None
    requests: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def key(self) -> VerifierKey:
        return self.witness.verifier_key

    @property
    def line(self) -> str:
        """The witness's line in a policy."""
        return f"witness {self.name} {self.key} {self.url}\n"

    async def honest(self, body: bytes) -> Answer:
        """Answer as the witness does."""
        return await asyncio.to_thread(self.witness.add_checkpoint, body)

    async def never(self, _body: bytes) -> Answer:
        """Take the request and say nothing."""
        await asyncio.Event().wait()
        raise AssertionError

    async def come_up(self) -> None:
        """Listen, at the same address as before if there was one."""
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def go_down(self) -> None:
        """Listen no more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            assert head.startswith("post /add-checkpoint http/1.1\r\n"), head
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            body = await reader.readexactly(length)
            self.requests.append(body)
            # Whoever gives up closes the connection: then this ends as well.
            answering = asyncio.ensure_future((self.answer or self.honest)(body))
            gone = asyncio.ensure_future(reader.read())
            await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not answering.done():
                answering.cancel()
                return
            answer = answering.result()
            content = answer.text.encode()
            writer.write(
                f"HTTP/1.1 {answer.status} x\r\ncontent-type: {answer.media_type}\r\n"
                f"content-length: {len(content)}\r\nconnection: close\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def witnesses(
    folder: Path, logs: Iterable[VerifierKey], now: Callable[[], datetime], count: int
) -> AsyncIterator[list[Loopback]]:
    """Serve *count* witnesses of *logs*, named w1 and so on, until the block ends."""
    trusted = list(logs)
    served = []
    for number in range(1, count + 1):
        path = folder / f"witness-{number}.sqlite3"
        WitnessState.create(path)
        state = WitnessState(path)
        key = SigningKey.from_seed(bytes([number]) * 32)
        witness = Witness(f"witness.example/w{number}", key, trusted, state, now)
        served.append(Loopback(f"w{number}", witness, state))
    try:
        for one in served:
            await one.come_up()
        yield served
    finally:
        for one in served:
            await one.go_down()
            one.state.close()
