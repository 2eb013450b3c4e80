"""A client that costs little and the same for every server: fixed bytes over HTTP/1.1.

One connection is kept and one request is under way on it; what comes back is cut by
its Content-Length and not parsed.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

#: Bytes: more than any answer that is asked for here.
LIMIT: Final = 2**20

_LENGTH: Final = b"content-length:"


class Wire:
    """One connection to a server on loopback that asks the same thing again and again."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write the request once; `open` connects."""
        lines = {
            "host": f"127.0.0.1:{port}",
            "accept": "application/json",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **headers,
        }
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        self._request = head.encode() + b"\r\n" + body
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> "Wire":
        """Connect.

        Raises:
            OSError: nobody listens yet.
        """
        self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LIMIT)
        return self

    async def ask(self) -> bytes:
        """Send the request and give the body of the answer.

        Raises:
            SystemExit: the status is not 200, or the answer does not say how long it is.
        """
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        start = head.find(_LENGTH)
        if head[9:12] != b"200" or start < 0:
            raise SystemExit(f"{self._port}: {head.decode('latin-1')}")
        start += len(_LENGTH)
        return await reader.readexactly(int(head[start : head.index(b"\r", start)]))

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
