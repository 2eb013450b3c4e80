"""The log as files: the layout of C2SP, and every file holds or is named."""

import asyncio
import json
from pathlib import Path

import pytest

from api.accesslog.export import _Tiles, export, tile_path, verify_export
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
KEYS = [Signer(Path("unused"), KEY, ORIGIN).verifier_key]


def files_of(folder: Path) -> list[Path]:
    """List all files below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
async def folder(log: Log, ledger: Ledger, reader: LogReader, tmp_path: Path) -> Path:
    """Export a log of 300 entries, and ten more that no checkpoint holds yet."""
    source = log.writer()
    await source.open()
    signer = Signer(tmp_path / "state", KEY, ORIGIN)
    await signer.start(source)
    await asyncio.gather(*(ledger.append(read_of(number)) for number in range(300)))
    await signer.sign(source)
    signer.close()
    await source.close()
    await asyncio.gather(*(ledger.append(read_of(number)) for number in range(10)))
    target = tmp_path / "export"
    await export(reader, target, KEYS)
    return target


async def test_an_export_has_the_files_of_c2sp_and_holds(folder: Path) -> None:
    assert {str(path.relative_to(folder)) for path in files_of(folder)} == {
        "checkpoint",
        "tile/entries/000",
        "tile/entries/001.p/44",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    }
    assert (folder / "tile/0/000").stat().st_size == 256 * 32
    assert verify_export(folder, KEYS).size == 300


async def test_any_file_of_an_export_changed_cut_or_removed_is_named(folder: Path) -> None:
    for path in files_of(folder):
        content = path.read_bytes()
        for place in (0, 1, 40, len(content) // 2, len(content) - 1):
            if place < len(content):
                changed = bytes([content[place] ^ 1])
                path.write_bytes(content[:place] + changed + content[place + 1 :])
                _broken_export(folder, path)
        for other in (content[:-1], content + b"\0", b""):
            path.write_bytes(other)
            _broken_export(folder, path)
        path.unlink()
        _broken_export(folder, path)
        path.write_bytes(content)
    (folder / "tile" / "0" / "stray").write_bytes(b"")
    _broken_export(folder, folder / "tile" / "0" / "stray")


def _broken_export(folder: Path, path: Path) -> None:
    with pytest.raises(LogBroken) as raised:
        verify_export(folder, KEYS)
    place = raised.value.place
    if "entries" in path.parts:  # changed leaves may show in the tile over them, or as no event
        assert place == str(path) or place.startswith("entry") or "/tile/0/" in place
    else:
        assert place == str(path)


async def test_an_export_overwrites_nothing(folder: Path, reader: LogReader) -> None:
    with pytest.raises(RefusesToStart, match="not empty"):
        await export(reader, folder, KEYS)
    assert verify_export(folder, KEYS).size == 300


async def test_a_log_without_a_checkpoint_is_not_exported(
    reader: LogReader, tmp_path: Path
) -> None:
    with pytest.raises(RefusesToStart, match="no checkpoint"):
        await export(reader, tmp_path / "export", KEYS)
    assert not (tmp_path / "export").exists()


def test_paths_of_tiles_are_those_of_c2sp(vectors: Path) -> None:
    known = json.loads((vectors / "tile_paths.json").read_text())
    for case in known["c2sp_index_encoding"]:
        assert tile_path(3, case["n"]) == f"tile/3/{case['path']}"
    assert tile_path(0, 1, 44) == "tile/0/001.p/44"


def test_a_size_has_the_tiles_of_c2sp(vectors: Path) -> None:
    for case in json.loads((vectors / "tile_paths.json").read_text())["tiles_for_size"]:
        tiles = _Tiles()
        paths = [path for _ in range(case["size"]) for path, _content in tiles.add(b"leaf")]
        full: dict[str, int] = {}
        for path in paths:
            level = path.split("/")[1]
            full[level] = full.get(level, 0) + 1
        partial = {
            path.split("/")[1]: int(path.rsplit("/", 1)[1]) for path, _content in tiles.rest()
        }
        full.pop("entries")
        partial.pop("entries", None)
        assert full == case["full"]
        assert partial == case["partial"]
