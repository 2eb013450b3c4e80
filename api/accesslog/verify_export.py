"""The check of an export: every byte of every file, with nothing but public keys."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.export import CHUNK, WIDTH, File, Tiles, files_of, tile_path
from api.accesslog.faults import Faults
from api.accesslog.leaves import Continuity, Leaves, Seen
from api.accesslog.note import VerifierKey
from api.accesslog.verify import Progress, Verified
from api.errors import LogBroken, NoteInvalid

_MISSING: Final = "it is missing or cannot be read"


def verify_export(
    folder: Path,
    keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _all: None,
    *,
    kept: Sequence[Checkpoint] = (),
    seen: Seen | None = None,
    of: Collection[str] | None = None,
) -> Verified:
    """Check every byte of every file of an export.

    Args:
        keys: one of them must have signed the checkpoint.
        kept: checkpoints of this log that somebody kept: the export must continue each.
        seen, of: as for `verify`.

    Raises:
        LogBroken: names the file or the entry: the first fault, and the first of each
            other kind.
    """
    try:
        checkpoint = open_checkpoint(_read(folder / "checkpoint"), keys)
    except NoteInvalid:
        raise LogBroken(str(folder / "checkpoint"), "it has no valid signature") from None
    faults = Faults()
    _Export(
        folder,
        checkpoint,
        faults,
        Leaves(faults, seen, of),
        Continuity(faults, [(one.size, one.root) for one in kept]),
    ).run(progress)
    faults.end()
    return Verified(checkpoint.size, checkpoint.root, 1, signed=checkpoint.size)


class _Export:
    """One walk over the files, from the first entries to the last tile."""

    def __init__(
        self,
        folder: Path,
        checkpoint: Checkpoint,
        faults: Faults,
        leaves: Leaves,
        continuity: Continuity,
    ) -> None:
        self.folder = folder
        self.checkpoint = checkpoint
        self.faults = faults
        self.leaves = leaves
        self.continuity = continuity
        #: None after leaves that cannot be read: no tile over them can be compared.
        self.tiles: Tiles | None = Tiles()

    def run(self, progress: Progress) -> None:
        size = self.checkpoint.size
        for start in range(0, size, CHUNK):
            stop = min(start + CHUNK, size)
            bodies: list[bytes] = []
            for first in range(start, stop, WIDTH):
                of_bundle = self._bodies(first // WIDTH, min(WIDTH, stop - first))
                self.leaves.read(enumerate(of_bundle, first))
                bodies += of_bundle
            if len(bodies) < stop - start:
                self.tiles = None
            if self.tiles is not None:
                growth, files = self.tiles.extend(bodies)
                self.continuity.look(growth)
                self._compare(files)
            progress(stop, size)
        self.continuity.end(size)
        if self.tiles is not None:
            self._compare(self.tiles.rest())
            if self.tiles.tree.root() != self.checkpoint.root:
                self.faults.at_file(
                    self.folder / "checkpoint", "checkpoint", "its root is not that of the entries"
                )
        self._nothing_else()

    def _bodies(self, number: int, width: int) -> list[bytes]:
        """Cut an entry bundle into its leaves; none if it is not whole."""
        path = self.folder / tile_path("entries", number, width)
        try:
            return _cut(path, width)
        except LogBroken as broken:
            self.faults.at_file(path, "entries", broken.what)
            return []

    def _compare(self, files: Iterable[File]) -> None:
        for name, content in files:
            path = self.folder / name
            kind = name.split("/")[1]
            try:
                if _read(path) != content:
                    self.faults.at_file(path, kind, "it is not what the entries give")
            except LogBroken as broken:
                self.faults.at_file(path, kind, broken.what)

    def _nothing_else(self) -> None:
        """Look for files that are missing or that no log of this size has."""
        expected = {self.folder / name for name in files_of(self.checkpoint.size)}
        there = {path for path in self.folder.rglob("*") if not path.is_dir()}
        for path in sorted(expected - there):
            self.faults.at_file(path, path.relative_to(self.folder).parts[1], _MISSING)
        for path in sorted(there - expected):
            self.faults.at_file(path, "stray", "it does not belong to the log")


def _cut(path: Path, width: int) -> list[bytes]:
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
        raise LogBroken(str(path), _MISSING) from None
