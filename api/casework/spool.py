"""Where the sealed bytes of an upload wait for their transaction: a file without a name.

It takes sealed bytes only. The file has no name, so that nothing is left of it
whatever ends the process, and takes the place of memory: an upload is as large as
it likes and holds one chunk of memory.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from api.crypto.sealed import Sealed
from api.store.attachments import CHUNK_MOST


class Spool:
    """Takes sealed bytes in any pieces; gives them back as chunks, any number of times."""

    def __init__(self) -> None:
        """Make the file, in the folder for temporary files (TMPDIR)."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._waiting = bytearray()
        self._size = 0

    async def add(self, sealed: bytes) -> None:
        """Take the next bytes."""
        self._waiting += sealed
        if len(self._waiting) >= CHUNK_MOST:
            await self.flush()

    async def flush(self) -> None:
        """Bring all that was taken into the file."""
        waiting, self._waiting = self._waiting, bytearray()
        self._size += len(waiting)
        await asyncio.to_thread(self._file.write, waiting)

    @property
    def chunks(self) -> int:
        """The number of chunks; all must be flushed."""
        return -(-self._size // CHUNK_MOST)

    async def read(self) -> AsyncIterator[Sealed]:
        """Give the chunks from the first on: CHUNK_MOST bytes each, the last what is left."""
        self._file.seek(0)
        for _ in range(self.chunks):
            yield Sealed(await asyncio.to_thread(self._file.read, CHUNK_MOST))

    def __enter__(self) -> Self:
        """Keep the file as long as the block lasts."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Let the file go; its place on the disk is free again."""
        self._file.close()
