"""The log as files: the layout of C2SP, and every file holds or is named."""

import asyncio
import json
from pathlib import Path

import pytest

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.export import WIDTH, Tiles, export, tile_path, tiles_of
from api.accesslog.export import files_of as paths_of
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.tree import Tree, leaf_hash
from api.accesslog.verify_export import verify_export
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
    source = log.source()
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
    steps: list[tuple[int, int]] = []
    found = verify_export(folder, KEYS, lambda done, total: steps.append((done, total)))
    assert (found.size, found.signed, found.checkpoints) == (300, 300, 1)
    assert steps == [(300, 300)]


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


def _broken_export(folder: Path, path: Path) -> LogBroken:
    with pytest.raises(LogBroken) as raised:
        verify_export(folder, KEYS)
    place = raised.value.place
    if "entries" in path.parts:  # changed leaves may show in the tile over them, or as no event
        assert place == str(path) or place.startswith("entry") or "/tile/0/" in place
    else:
        assert place == str(path)
    return raised.value


async def test_several_faults_are_all_told(folder: Path) -> None:
    (folder / "tile" / "0" / "000").unlink()
    tile = folder / "tile" / "1" / "000.p" / "1"
    tile.write_bytes(bytes(32))
    (folder / "more").write_bytes(b"")

    found = _broken_export(folder, folder / "tile" / "0" / "000")

    assert [one.place for one in found.also] == [str(tile), str(folder / "more")]


async def test_a_name_that_a_terminal_would_act_on_is_not_repeated(folder: Path) -> None:
    (folder / "\x1b[2Jmore").write_bytes(b"")

    with pytest.raises(LogBroken) as raised:
        verify_export(folder, KEYS)

    assert r"\x1b[2Jmore" in raised.value.place


async def test_an_export_continues_the_checkpoint_that_an_auditor_kept(
    folder: Path, reader: LogReader
) -> None:
    tree = Tree()
    roots = [tree.root()]
    for entry in await reader.entries(0, 300):
        tree.append(leaf_hash(entry.body))
        roots.append(tree.root())
    kept = [Checkpoint(ORIGIN, size, roots[size]) for size in (0, 1, 255, 256, 257, 300)]

    assert verify_export(folder, KEYS, kept=kept).size == 300
    for size, place in ((200, "entry 1 to 199"), (301, "head 300")):
        other = Checkpoint(ORIGIN, size, bytes(32))
        with pytest.raises(LogBroken) as raised:
            verify_export(folder, KEYS, kept=[*kept, other])
        assert raised.value.place == place


async def test_an_export_of_another_log_or_another_key_does_not_hold(folder: Path) -> None:
    stranger = SigningKey.from_seed(bytes(32))
    for keys in (
        [Signer(Path("unused"), stranger, ORIGIN).verifier_key],
        [Signer(Path("unused"), KEY, "other.example/log").verifier_key],
    ):
        with pytest.raises(LogBroken, match="no valid signature"):
            verify_export(folder, keys)
    assert verify_export(folder, [*keys, *KEYS]).size == 300


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


async def test_a_log_that_does_not_lead_to_its_checkpoint_is_not_exported(
    folder: Path, log: Log, reader: LogReader, tmp_path: Path
) -> None:
    for at, (change, place) in enumerate(
        (
            (
                "update entry set body = (select body from entry where idx = 8) where idx = 7",
                "checkpoint 300",
            ),
            ("delete from entry where idx = 299", "entry 299"),
            ("delete from entry where idx = 7", "entry 7"),
        )
    ):
        with log.raw() as raw:
            raw.execute(change)
        with pytest.raises(LogBroken) as raised:
            await export(reader, tmp_path / f"broken{at}", KEYS)
        assert raised.value.place == place
        assert not (tmp_path / f"broken{at}" / "checkpoint").exists()


def test_paths_of_tiles_are_those_of_c2sp(vectors: Path) -> None:
    known = json.loads((vectors / "tile_paths.json").read_text())
    for case in known["c2sp_index_encoding"]:
        assert tile_path(3, case["n"]) == f"tile/3/{case['path']}"
    assert tile_path(0, 1, 44) == "tile/0/001.p/44"


async def test_paths_of_tiles_are_those_of_go(vectors: Path, folder: Path) -> None:
    """Go's paths hold the height too, and call the level of the leaves -1."""
    for path, tile in json.loads((vectors / "tile_paths.json").read_text())["xmod_paths"]:
        if tile is None:  # No tile: in an export it is a file that does not belong there.
            target = folder / path
            target.parent.mkdir(parents=True)
            target.write_bytes(b"")
            with pytest.raises(LogBroken, match="does not belong"):
                verify_export(folder, KEYS)
            target.unlink()
            continue
        height, level, number, width = tile
        named = f"{height}/{'data' if level == -1 else level}"
        assert tile_path(named, number, WIDTH if width == 2**height else width) == path


def test_a_size_has_the_tiles_of_c2sp(vectors: Path) -> None:
    for case in json.loads((vectors / "tile_paths.json").read_text())["tiles_for_size"]:
        full: dict[str, int] = {}
        partial: dict[str, int] = {}
        for level, _number, width in tiles_of(case["size"]):
            if width == WIDTH:
                full[str(level)] = full.get(str(level), 0) + 1
            else:
                partial[str(level)] = width
        assert full == case["full"]
        assert partial == case["partial"]


def test_a_growing_log_has_the_new_tiles_of_go(vectors: Path) -> None:
    for old, new, count in json.loads((vectors / "tile_paths.json").read_text())[
        "xmod_new_tiles_H10"
    ]:
        assert len(set(tiles_of(new, 10)) - set(tiles_of(old, 10))) == count


@pytest.mark.parametrize("stride", [1, 7, 256, 1_000, 70_000])
def test_the_files_are_the_same_in_whatever_strides_the_leaves_come(stride: int) -> None:
    size = 66_000 if stride > 100 else 700
    leaves = [b"leaf %d" % number for number in range(size)]
    tiles = Tiles()
    files: dict[str, bytes] = {}
    for start in range(0, size, stride):
        files.update(tiles.extend(leaves[start : start + stride])[1])
    files.update(tiles.rest())

    assert set(files) == set(paths_of(size)) - {"checkpoint"}
    hashes = [leaf_hash(leaf) for leaf in leaves]
    for number in range(0, size, WIDTH):
        content = b"".join(hashes[number : number + WIDTH])
        width = len(content) // 32
        assert files[tile_path(0, number // WIDTH, width)] == content
        tree = Tree()
        for leaf in hashes[number : number + WIDTH]:
            tree.append(leaf)
        if width == WIDTH:
            above = files.get(tile_path(1, number // WIDTH // WIDTH))
            if above is None:
                above = files[tile_path(1, number // WIDTH // WIDTH, size // WIDTH % WIDTH)]
            at = number // WIDTH % WIDTH * 32
            assert above[at : at + 32] == tree.root()
