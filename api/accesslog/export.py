"""The log as files (C2SP tlog-tiles): written once, and verified with public keys alone.

checkpoint            the signed note; everything else is of its size
tile/entries/<N>      256 leaves, each after its length in two bytes
tile/<L>/<N>          256 hashes of nodes at the level 8 * L of the tree
.../<N>.p/<W>         the last one, with W of 256
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.cosignature import cosigned_note
from api.accesslog.cosignature_store import with_cosignatures
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.stored import StoredRows
from api.accesslog.tree import Growth, Tree, leaf_hash
from api.accesslog.verify import Progress, Verified
from api.errors import LogBroken, NoteInvalid, RefusesToStart

#: Leaves in an entry bundle, and hashes in a tile.
WIDTH: Final = 256
#: Levels of the tree from one level of tiles to the next: 2**8 is the width.
HEIGHT: Final = 8
#: Entries that are read at once.
CHUNK: Final = 8 * WIDTH

#: Path below the folder, and content.
File = tuple[str, bytes]


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Give the path of a tile; its number stands in groups of three digits.

    1234067 is x001/x234/067.
    """
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def tiles_of(size: int, height: int = HEIGHT) -> Iterator[tuple[int, int, int]]:
    """Give level, number and width of every tile of a log of *size*."""
    level, nodes, width = 0, size, 1 << height
    while nodes:
        for number in range(nodes >> height):
            yield level, number, width
        if nodes % width:
            yield level, nodes >> height, nodes % width
        level, nodes = level + 1, nodes >> height


def files_of(size: int) -> Iterator[str]:
    """Give the path of every file of an export of *size*."""
    yield "checkpoint"
    for level, number, width in tiles_of(size):
        yield tile_path(level, number, width)
        if level == 0:
            yield tile_path("entries", number, width)


class Tiles:
    """Cuts leaves, as they come, into the files of an export."""

    def __init__(self) -> None:
        """Start an export."""
        self.tree = Tree()
        self._leaves: list[bytes] = []
        self._tiles: list[list[bytes]] = []

    def extend(self, bodies: Sequence[bytes]) -> tuple[Growth, list[File]]:
        """Take the next leaves; give how they grow the tree, and the files that are full."""
        growth = Growth(self.tree, [leaf_hash(body) for body in bodies])
        files = list(self._cut("entries", growth.start, self._leaves, bodies, _bundle))
        level = 0
        while nodes := growth.new(level * HEIGHT):
            if level == len(self._tiles):
                self._tiles.append([])
            first = growth.start >> (level * HEIGHT)
            files += self._cut(str(level), first, self._tiles[level], nodes, b"".join)
            level += 1
        self.tree = growth.after()
        return growth, files

    def rest(self) -> Iterator[File]:
        """Give the partial files at the end."""
        size = self.tree.size
        if self._leaves:
            yield tile_path("entries", size // WIDTH, len(self._leaves)), _bundle(self._leaves)
        for level, tile in enumerate(self._tiles):
            if tile:
                number = size >> (level + 1) * HEIGHT
                yield tile_path(level, number, len(tile)), b"".join(tile)

    @staticmethod
    def _cut(
        level: str,
        first: int,
        waiting: list[bytes],
        more: Sequence[bytes],
        join: Callable[[list[bytes]], bytes],
    ) -> Iterator[File]:
        """Add *more*, the first of which has the index *first*; give what is full."""
        number = first // WIDTH
        waiting += more
        while len(waiting) >= WIDTH:
            yield tile_path(level, number), join(waiting[:WIDTH])
            del waiting[:WIDTH]
            number += 1


async def export(
    reader: LogReader,
    folder: Path,
    keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _all: None,
    *,
    witnesses: Sequence[VerifierKey] = (),
) -> Verified:
    """Write the log up to its newest checkpoint into *folder*, new or empty.

    The checkpoint is written last: a folder without one is not an export. With it stand the
    newest cosignatures by *witnesses*.

    Raises:
        RefusesToStart: the folder is not empty, or there is no checkpoint yet.
        LogBroken: the entries do not lead to the checkpoint.
    """
    checkpoint, note = await _newest(reader, keys, witnesses)
    await asyncio.to_thread(_make, folder)
    tiles = Tiles()
    async with reader.snapshot() as connection:
        rows = StoredRows(connection, reader.tables)
        entry = reader.tables.entry
        for start in range(0, checkpoint.size, CHUNK):
            stop = min(start + CHUNK, checkpoint.size)
            entries = await rows.between(entry, entry.c.idx, start, stop)
            for expected, row in enumerate(entries, start):
                if row[0] != expected or row[1].__class__ is not bytes:
                    raise LogBroken(f"entry {expected}", "is missing or cannot be read")
            if len(entries) < stop - start:
                raise LogBroken(f"entry {start + len(entries)}", "is missing")
            _, files = tiles.extend([row[1] for row in entries])
            await asyncio.to_thread(_put, folder, files)
            progress(stop, checkpoint.size)
    if tiles.tree.root() != checkpoint.root:
        raise LogBroken(f"checkpoint {checkpoint.size}", "it is not of these entries")
    await asyncio.to_thread(_put, folder, tiles.rest())
    await asyncio.to_thread(_finish, folder, note)
    return Verified(checkpoint.size, checkpoint.root, 1, signed=checkpoint.size)


async def _newest(
    reader: LogReader, keys: Sequence[VerifierKey], witnesses: Sequence[VerifierKey]
) -> tuple[Checkpoint, str]:
    """Give the newest checkpoint, and its note with every line that is kept with it."""
    note = await reader.latest_checkpoint()
    if note is None:
        raise RefusesToStart("The access log has no checkpoint yet; there is nothing to export.")
    try:
        cosigned = await with_cosignatures(reader, note, keys, witnesses)
    except NoteInvalid:
        raise LogBroken("the newest checkpoint", "it has no valid signature") from None
    return cosigned.checkpoint, cosigned_note(note, cosigned.cosignatures)


def _bundle(bodies: Iterable[bytes]) -> bytes:
    return b"".join([len(body).to_bytes(2, "big") + body for body in bodies])


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise RefusesToStart(f"{folder} is not empty. Name a new folder for the export.")


def _put(folder: Path, files: Iterable[File]) -> None:
    for path, content in files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _finish(folder: Path, note: str) -> None:
    (folder / "checkpoint").write_text(note, encoding="utf-8", newline="\n")
