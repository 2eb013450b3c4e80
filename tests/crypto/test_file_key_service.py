"""The key file opens with its passphrase only, unchanged only, and is never half written."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.crypto import key_file
from api.crypto.file_key_service import FileKeyService, KeyStatus
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind
from api.errors import KeysUnavailable, RefusesToStart, SealBroken

PASSPHRASE = "pagar makan tanaman"
CHEAP = Cost(memory=8, iterations=1, lanes=1)


def spoken() -> str:
    return PASSPHRASE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    FileKeyService.create(
        tmp_path / "keys",
        spoken,
        ["lpsk", "komnas-ham"],
        cost=CHEAP,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    return tmp_path / "keys"


def owners(path: Path) -> set[str]:
    payload: dict[str, Any] = json.loads(key_file.read(path, PASSPHRASE).payload)
    return set(payload["owners"])


async def test_what_one_process_wraps_another_unwraps(path: Path) -> None:
    first, second = [FileKeyService.open(path, spoken, ["lpsk"]) for _ in range(2)]
    [(version, wrapped)] = await first.wrap_many("lpsk", [(b"context", b"key")])
    assert await second.unwrap_many("lpsk", [(b"context", version, wrapped)]) == [b"key"]
    assert await first.prf_many("lpsk", b"l", [b"x"], 1) == await second.prf_many(
        "lpsk", b"l", [b"x"], 1
    )


async def test_an_owner_that_was_not_asked_for_is_not_loaded(path: Path) -> None:
    service = FileKeyService.open(path, spoken, ["lpsk"])
    assert {key.owner for key in await service.status()} == {"lpsk"}
    with pytest.raises(KeysUnavailable):
        await service.wrap_many("komnas-ham", [(b"context", b"key")])
    with pytest.raises(KeysUnavailable):
        await service.unwrap_many("komnas-ham", [])
    with pytest.raises(KeysUnavailable):
        await service.prf_many("komnas-ham", b"label", [], 1)


async def test_owners_open_nothing_of_each_other(path: Path) -> None:
    service = FileKeyService.open(path, spoken, ["lpsk", "komnas-ham"])
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"context", b"key")])
    with pytest.raises(SealBroken):
        await service.unwrap_many("komnas-ham", [(b"context", version, wrapped)])
    tags = [await service.prf_many(owner, b"l", [b"x"], 1) for owner in ("lpsk", "komnas-ham")]
    assert tags[0] != tags[1]


async def test_a_wrap_opens_in_its_context_and_version_only(path: Path) -> None:
    service = FileKeyService.open(path, spoken, ["lpsk"])
    [(version, wrapped)] = await service.wrap_many("lpsk", [(b"context", b"key")])
    for item in [
        (b"Context", version, wrapped),
        (b"", version, wrapped),
        (b"context", version + 1, wrapped),
        (b"context", version, wrapped[:-1]),
        (b"context", version, b"\x02" + wrapped[1:]),
        (b"context", version, b"\x01"),
        (b"context", version, b""),
    ]:
        with pytest.raises(SealBroken):
            await service.unwrap_many("lpsk", [item])


async def test_old_versions_of_a_kek_unwrap_and_only_the_newest_wraps(path: Path) -> None:
    old = FileKeyService.open(path, spoken, ["lpsk"])
    [(_, wrapped)] = await old.wrap_many("lpsk", [(b"context", b"key")])
    payload = json.loads(key_file.read(path, PASSPHRASE).payload)
    for kind, secret in (("kek", b"n" * 32), ("idx", b"m" * 32)):
        payload["owners"]["lpsk"][kind].insert(
            0, {"version": 2, "made": "2026-02-01T00:00:00+00:00", "key": secret.hex()}
        )
    with key_file.locked_folder(path) as folder:
        key_file.replace(path, folder, PASSPHRASE, json.dumps(payload).encode(), CHEAP, os.urandom)

    service = FileKeyService.open(path, spoken, ["lpsk"])
    assert await service.unwrap_many("lpsk", [(b"context", 1, wrapped)]) == [b"key"]
    [(version, newer)] = await service.wrap_many("lpsk", [(b"context", b"key")])
    assert version == 2
    with pytest.raises(SealBroken):
        await service.unwrap_many("lpsk", [(b"context", 1, newer)])
    assert await service.versions("lpsk", KeyKind.IDX) == [1, 2]
    tags = [await service.prf_many("lpsk", b"l", [b"x"], version) for version in (1, 2)]
    assert tags[0] == await old.prf_many("lpsk", b"l", [b"x"], 1)
    assert tags[0] != tags[1]
    with pytest.raises(KeysUnavailable):
        await old.prf_many("lpsk", b"l", [b"x"], 3)


async def test_tags_differ_by_label(path: Path) -> None:
    service = FileKeyService.open(path, spoken, ["lpsk"])
    assert await service.prf_many("lpsk", b"a", [b"x"], 1) != await service.prf_many(
        "lpsk", b"b", [b"x"], 1
    )


async def test_the_status_tells_owners_versions_and_ages_and_no_key(path: Path) -> None:
    status = await FileKeyService.open(path, spoken, ["lpsk"]).status()
    made = datetime(2026, 1, 1, tzinfo=UTC)
    assert status == [KeyStatus("lpsk", "kek", 1, made), KeyStatus("lpsk", "idx", 1, made)]


async def test_health_passes_with_keys_and_fails_without(path: Path) -> None:
    await FileKeyService.open(path, spoken, ["lpsk"]).health()
    with pytest.raises(KeysUnavailable):
        await FileKeyService.open(path, spoken, []).health()


@pytest.mark.parametrize("passphrase", ["", "pagar makan tanama", "Pagar makan tanaman"])
def test_another_passphrase_is_refused(path: Path, passphrase: str) -> None:
    with pytest.raises(RefusesToStart, match="passphrase is wrong or the file was changed"):
        FileKeyService.open(path, lambda: passphrase, ["lpsk"])


def test_a_passphrase_is_the_same_however_its_accents_are_typed(tmp_path: Path) -> None:
    FileKeyService.create(tmp_path / "k", lambda: "caf\u00e9 di Jogja", ["lpsk"], cost=CHEAP)
    FileKeyService.open(tmp_path / "k", lambda: "cafe\u0301 di Jogja", ["lpsk"])


def test_every_changed_byte_and_every_cut_is_refused(path: Path) -> None:
    data = path.read_bytes()
    changes = [data[:n] for n in range(0, len(data), 7)] + [data + b"\x00"]
    for place in range(len(data)):
        # In the cost only the low bits: the reader must not spend what a high bit asks.
        changed = bytearray(data)
        changed[place] ^= 1
        changes.append(bytes(changed))
    for changed_data in changes:
        path.write_bytes(changed_data)
        with pytest.raises(RefusesToStart):
            FileKeyService.open(path, spoken, ["lpsk"])


@pytest.mark.parametrize("place", [14, 18, 22])
def test_a_cost_that_would_eat_the_machine_is_refused_before_it_is_paid(
    path: Path, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("the cost was paid")

    monkeypatch.setattr(key_file, "_derived", never)
    for cost in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"):
        data = path.read_bytes()
        path.write_bytes(data[:place] + cost + data[place + 4 :])
        with pytest.raises(RefusesToStart, match="does not open"):
            FileKeyService.open(path, spoken, ["lpsk"])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o602, 0o777])
def test_a_file_that_others_may_use_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(RefusesToStart, match="chmod 600"):
        FileKeyService.open(path, spoken, ["lpsk"])


def test_a_new_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileKeyService.create(tmp_path / "k", spoken, ["lpsk"], cost=CHEAP)
    finally:
        os.umask(before)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


def test_the_file_shows_no_key_and_no_owner(path: Path) -> None:
    content = json.loads(key_file.read(path, PASSPHRASE).payload)
    data = path.read_bytes()
    for owner, kinds in content["owners"].items():
        assert owner.encode() not in data
        for keys in kinds.values():
            for key in keys:
                assert bytes.fromhex(key["key"]) not in data
                assert key["key"].encode() not in data


def test_a_missing_file_folder_or_owner_is_told_by_name(path: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusesToStart, match="missing or cannot be read"):
        FileKeyService.open(tmp_path / "nothing", spoken, ["lpsk"])
    with pytest.raises(RefusesToStart, match="missing or cannot be read"):
        FileKeyService.open(tmp_path, spoken, ["lpsk"])
    with pytest.raises(RefusesToStart, match="no folder"):
        FileKeyService.create(tmp_path / "no" / "keys", spoken, ["lpsk"], cost=CHEAP)
    with pytest.raises(RefusesToStart, match="no keys of: a, b"):
        FileKeyService.open(path, spoken, ["lpsk", "b", "a"])
    (tmp_path / "other").write_bytes(b"x" * 1000)
    (tmp_path / "other").chmod(0o600)
    with pytest.raises(RefusesToStart, match="not a key file"):
        FileKeyService.open(tmp_path / "other", spoken, ["lpsk"])


def test_a_key_file_is_never_replaced_by_a_new_one(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusesToStart, match="never replaced"):
        FileKeyService.create(path, spoken, ["lpsk"], cost=CHEAP)
    assert path.read_bytes() == before


def test_a_short_passphrase_is_refused_for_a_new_file(tmp_path: Path) -> None:
    with pytest.raises(RefusesToStart, match="fewer than 12"):
        FileKeyService.create(tmp_path / "k", lambda: "elevenchars", ["lpsk"], cost=CHEAP)
    assert list(tmp_path.iterdir()) == []


async def test_a_new_owner_leaves_the_keys_of_the_others_as_they_are(path: Path) -> None:
    before = FileKeyService.open(path, spoken, ["lpsk"])
    [(version, wrapped)] = await before.wrap_many("lpsk", [(b"context", b"key")])

    FileKeyService.add_owner(path, spoken, "lbh")

    after = FileKeyService.open(path, spoken, ["lpsk", "lbh"])
    assert await after.unwrap_many("lpsk", [(b"context", version, wrapped)]) == [b"key"]
    assert await after.wrap_many("lbh", [(b"context", b"key")])
    assert owners(path) == {"lpsk", "komnas-ham", "lbh"}


def test_an_owner_is_not_added_twice_or_with_another_passphrase(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusesToStart, match="already"):
        FileKeyService.add_owner(path, spoken, "lpsk")
    with pytest.raises(RefusesToStart, match="passphrase"):
        FileKeyService.add_owner(path, lambda: "another passphrase", "lbh")
    assert path.read_bytes() == before


def test_owners_added_at_the_same_time_are_all_there(path: Path) -> None:
    names = [f"partner-{n}" for n in range(8)]
    threads = [
        threading.Thread(
            target=FileKeyService.add_owner,
            args=(path, spoken, name),
        )
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert owners(path) == {"lpsk", "komnas-ham", *names}


def test_a_file_that_could_not_be_read_again_is_not_written(path: Path) -> None:
    before = path.read_bytes()
    with (
        key_file.locked_folder(path) as folder,
        pytest.raises(RefusesToStart, match="longer than 1 MiB"),
    ):
        key_file.replace(path, folder, PASSPHRASE, bytes(1 << 20), CHEAP, os.urandom)
    assert path.read_bytes() == before


class PowerCutError(BaseException):
    """Not an Exception: nothing may catch it and tidy up."""


@pytest.mark.parametrize(
    ("target", "name"),
    [(key_file, "_derived"), (os, "fdopen"), (os, "fsync"), (Path, "replace")],
)
def test_a_write_that_is_cut_off_leaves_the_old_file_and_the_next_one_succeeds(
    path: Path, target: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise PowerCutError

    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(target, name, cut)
        with pytest.raises(PowerCutError), key_file.locked_folder(path) as folder:
            key_file.replace(path, folder, PASSPHRASE, b"{}", CHEAP, os.urandom)
    assert path.read_bytes() == before

    FileKeyService.add_owner(path, spoken, "lbh")
    assert owners(path) == {"lpsk", "komnas-ham", "lbh"}


def test_a_write_is_on_the_disk_whole_before_it_takes_the_name_and_the_name_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, bool]] = []
    take_name = Path.replace

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            steps.append(("folder", True))
        else:
            # Header, payload of 2 bytes and tag.
            steps.append(("file", status.st_size == 54 + 2 + 16))

    def replace(fresh: Path, target: Path) -> Path:
        steps.append(("name", target == path))
        return take_name(fresh, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    with key_file.locked_folder(path) as folder:
        key_file.replace(path, folder, PASSPHRASE, b"{}", CHEAP, os.urandom)
    assert steps == [("file", True), ("name", True), ("folder", True)]


WRITER = """
import sys
from pathlib import Path
from api.crypto.file_key_service import FileKeyService
path, passphrase = Path(sys.argv[1]), sys.argv[2]
n = 0
while True:
    FileKeyService.add_owner(path, lambda: passphrase, f"p-{n}")
    print(n, flush=True)
    n += 1
"""


@pytest.fixture
def writer(path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), PASSPHRASE],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_killed_writer_loses_nothing_that_it_reported(
    path: Path, writer: "subprocess.Popen[str]"
) -> None:
    assert writer.stdout is not None
    for _ in range(25):
        reported = int(writer.stdout.readline())
    writer.kill()
    writer.wait()

    assert {"lpsk", "komnas-ham"} | {f"p-{n}" for n in range(reported + 1)} <= owners(path)
    FileKeyService.add_owner(path, spoken, "lbh")
    assert "lbh" in owners(path)


def test_the_default_cost_is_above_the_second_recommendation_of_rfc_9106() -> None:
    assert Cost().memory >= 64 * 1024
    assert Cost().iterations >= 3
    assert Cost().bearable()
