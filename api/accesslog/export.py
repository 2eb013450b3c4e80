"""The log as files (C2SP tlog-tiles): written once, and verified with public keys alone.

checkpoint            the signed note; everything else is of its size
tile/entries/<N>      256 leaves, each after its length in two bytes
tile/<L>/<N>          256 hashes of nodes at the level 8 * L of the tree
.../<N>.p/<W>         the last one, with W of 256
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.accesslog.search import read_event
from api.accesslog.tree import HASH_SIZE, Tree, leaf_hash
from api.accesslog.verify import Progress, Verified
from api.errors import LogBroken, NoteInvalid, RefusesToStart

#: Leaves in an entry bundle, and hashes in a tile.
WIDTH: Final = 256
#: Levels of the tree from one level of tiles to the next: 2**8 is the width.
HEIGHT: Final = 8
#: Entries that are read at once.
CHUNK: Final = 16 * WIDTH


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Give the path of a tile; its number stands in groups of three digits.

    1234067 is x001/x234/067.
    """
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


class _Tiles:
    """Cuts leaves, as they come, into the files of an export."""

    def __init__(self) -> None:
        self.tree = Tree()
        self._bundle: list[bytes] = []
        self._tiles: list[list[bytes]] = []
        self._cut: list[int] = []

    def add(self, body: bytes) -> Iterator[tuple[str, bytes]]:
        """Take the next leaf; give the files that it completes, as path and content."""
        hashes = self.tree.append(leaf_hash(body))
        self._bundle.append(len(body).to_bytes(2, "big") + body)
        if len(self._bundle) == WIDTH:
            yield tile_path("entries", self.tree.size // WIDTH - 1), b"".join(self._bundle)
            self._bundle.clear()
        for level, at in enumerate(range(0, len(hashes), HEIGHT * HASH_SIZE)):
            if level == len(self._tiles):
                self._tiles.append([])
                self._cut.append(0)
            tile = self._tiles[level]
            tile.append(hashes[at : at + HASH_SIZE])
            if len(tile) == WIDTH:
                yield tile_path(level, self._cut[level]), b"".join(tile)
                self._cut[level] += 1
                tile.clear()

    def rest(self) -> Iterator[tuple[str, bytes]]:
        """Give the partial files at the end."""
        if self._bundle:
            path = tile_path("entries", self.tree.size // WIDTH, len(self._bundle))
            yield path, b"".join(self._bundle)
        for level, tile in enumerate(self._tiles):
            if tile:
                yield tile_path(level, self._cut[level], len(tile)), b"".join(tile)


async def export(
    reader: LogReader,
    folder: Path,
    keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _all: None,
) -> Verified:
    """Write the log up to its newest checkpoint into *folder*, new or empty.

    The checkpoint is written last: a folder without one is not an export.

    Raises:
        RefusesToStart: the folder is not empty, or there is no checkpoint yet.
        LogBroken: the entries do not lead to the checkpoint.
    """
    note = await reader.latest_checkpoint()
    if note is None:
        raise RefusesToStart("The access log has no checkpoint yet; there is nothing to export.")
    try:
        checkpoint = open_checkpoint(note, keys)
    except NoteInvalid:
        raise LogBroken("the newest checkpoint", "it has no valid signature") from None
    await asyncio.to_thread(_make, folder)
    tiles = _Tiles()
    for start in range(0, checkpoint.size, CHUNK):
        entries = await reader.entries(start, min(start + CHUNK, checkpoint.size))
        bodies = [entry.body for entry in entries]
        await asyncio.to_thread(_write, folder, tiles, bodies)
        progress(tiles.tree.size, checkpoint.size)
    if tiles.tree.size != checkpoint.size or tiles.tree.root() != checkpoint.root:
        raise LogBroken(f"checkpoint {checkpoint.size}", "it is not of these entries")
    await asyncio.to_thread(_finish, folder, tiles, note)
    return Verified(checkpoint.size, checkpoint.root, 1, 0)


def verify_export(
    folder: Path,
    keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _all: None,
) -> Verified:
    """Check every byte of every file of an export.

    Raises:
        LogBroken: names the file.
    """
    try:
        checkpoint = open_checkpoint(_read(folder / "checkpoint"), keys)
    except NoteInvalid:
        raise LogBroken(str(folder / "checkpoint"), "it has no valid signature") from None
    tiles = _Tiles()
    seen = {folder / "checkpoint"}

    def same(files: Iterator[tuple[str, bytes]]) -> None:
        for path, content in files:
            seen.add(folder / path)
            if _read(folder / path) != content:
                raise LogBroken(str(folder / path), "it is not what the entries give")

    for start in range(0, checkpoint.size, WIDTH):
        width = min(WIDTH, checkpoint.size - start)
        path = folder / tile_path("entries", start // WIDTH, width)
        for idx, body in enumerate(_bodies(path, width), start):
            read_event(idx, body)
            same(tiles.add(body))
        progress(tiles.tree.size, checkpoint.size)
    same(tiles.rest())
    if tiles.tree.root() != checkpoint.root:
        raise LogBroken(str(folder / "checkpoint"), "its root is not that of the entries")
    for path in sorted(folder.rglob("*")):
        if not path.is_dir() and path not in seen:
            raise LogBroken(str(path), "it does not belong to the log")
    return Verified(checkpoint.size, checkpoint.root, 1, 0)


def _bodies(path: Path, width: int) -> list[bytes]:
    """Cut an entry bundle into its leaves."""
    bundle = _read(path)
    bodies, at = [], 0
    for _ in range(width):
        length = int.from_bytes(bundle[at : at + 2], "big")
        body = bundle[at + 2 : at + 2 + length]
        if len(body) != length or len(bundle) < at + 2:
            raise LogBroken(str(path), "it ends too early")
        bodies.append(body)
        at += 2 + length
    if at != len(bundle):
        raise LogBroken(str(path), "it is too long")
    return bodies


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise LogBroken(str(path), "it is missing or cannot be read") from None


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise RefusesToStart(f"{folder} is not empty. Name a new folder for the export.")


def _write(folder: Path, tiles: _Tiles, bodies: list[bytes]) -> None:
    for body in bodies:
        _put(folder, tiles.add(body))


def _finish(folder: Path, tiles: _Tiles, note: str) -> None:
    _put(folder, tiles.rest())
    (folder / "checkpoint").write_text(note, encoding="utf-8", newline="\n")


def _put(folder: Path, files: Iterator[tuple[str, bytes]]) -> None:
    for path, content in files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
