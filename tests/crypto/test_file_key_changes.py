"""Versions come and go in the key file, and every process on it follows."""

import asyncio
import gc
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.crypto import key_file
from api.crypto.file_key_service import FileKeyService
from api.crypto.followed_keys import RETRY_SECONDS
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind, KeyService, KeyStatus
from api.errors import KeysUnavailable, RefusesToStart, SealBroken

PASSPHRASE = "pagar makan tanaman"
OWNERS = ["komnas-ham", "lpsk"]
MADE = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass
class Spoken:
    """Counts how often the passphrase was asked for; each time the file is read whole."""

    word: str = PASSPHRASE
    times: int = 0

    def __call__(self) -> str:
        self.times += 1
        return self.word


@dataclass
class Process:
    """What one process has of its own."""

    path: Path
    owners: list[str]
    spoken: Spoken = field(default_factory=Spoken)
    seconds: float = 0.0

    def open(self) -> FileKeyService:
        return FileKeyService.open(
            self.path,
            self.spoken,
            self.owners,
            now=lambda: LATER,
            monotonic=lambda: self.seconds,
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cheap = Cost(memory=8, iterations=1, lanes=1)
    FileKeyService.create(
        tmp_path / "keys", lambda: PASSPHRASE, OWNERS, cost=cheap, now=lambda: MADE
    )
    return tmp_path / "keys"


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(key_file.read(path, PASSPHRASE).payload)
    return found


def bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def put_back(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def remove(path: Path) -> None:
    path.unlink()


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the file as something else than the service would."""
    opened = key_file.read(path, PASSPHRASE)
    changed = json.loads(opened.payload)
    change(changed)
    with key_file.locked_folder(path) as folder:
        key_file.replace(path, folder, PASSPHRASE, json.dumps(changed).encode(), opened.cost, bytes)


async def wrapped(service: KeyService, owner: str = "lpsk") -> tuple[bytes, int, bytes]:
    [(version, data)] = await service.wrap_many(owner, [(b"context", b"key")])
    return b"context", version, data


async def test_a_new_version_wraps_from_now_on_and_the_old_one_still_unwraps(path: Path) -> None:
    service: KeyService = Process(path, ["lpsk"]).open()
    old = await wrapped(service)

    assert await service.rotate("lpsk", KeyKind.KEK) == 2

    new = await wrapped(service)
    assert (old[1], new[1]) == (1, 2)
    assert await service.unwrap_many("lpsk", [old, new]) == [b"key", b"key"]
    assert await service.versions("lpsk", KeyKind.KEK) == [1, 2]
    assert await service.versions("lpsk", KeyKind.IDX) == [1]
    assert KeyStatus("lpsk", "kek", 2, LATER) in await service.status()
    assert KeyStatus("lpsk", "kek", 1, MADE) in await service.status()


async def test_a_new_version_of_the_index_key_gives_other_values_beside_the_old_ones(
    path: Path,
) -> None:
    service = Process(path, ["lpsk"]).open()
    before = await service.prf_many("lpsk", b"label", [b"x"], 1)

    assert await service.rotate("lpsk", KeyKind.IDX) == 2

    assert await service.prf_many("lpsk", b"label", [b"x"], 1) == before
    assert await service.prf_many("lpsk", b"label", [b"x"], 2) != before
    assert await service.versions("lpsk", KeyKind.IDX) == [1, 2]


async def test_what_a_destroyed_version_wrapped_opens_nowhere_again(path: Path) -> None:
    here, there = Process(path, ["lpsk"]).open(), Process(path, ["lpsk"]).open()
    old = await wrapped(here)
    await here.rotate("lpsk", KeyKind.KEK)
    new = await wrapped(here)

    await here.destroy_below("lpsk", KeyKind.KEK, 2)
    await there.refresh()

    for service in (here, there, Process(path, ["lpsk"]).open()):
        with pytest.raises(SealBroken):
            await service.unwrap_many("lpsk", [old])
        assert await service.unwrap_many("lpsk", [new]) == [b"key"]
        assert await service.versions("lpsk", KeyKind.KEK) == [2]
        assert await service.versions("lpsk", KeyKind.IDX) == [1]
    assert [k["version"] for k in content(path)["owners"]["lpsk"]["kek"]] == [2]


async def test_the_file_remembers_when_versions_were_last_destroyed(path: Path) -> None:
    service = Process(path, OWNERS).open()
    assert {key.retired for key in await service.status()} == {None}
    await service.destroy_below("lpsk", KeyKind.KEK, 1)
    assert {key.retired for key in await service.status()} == {None}
    await service.rotate("lpsk", KeyKind.KEK)
    await service.destroy_below("lpsk", KeyKind.KEK, 2)
    for status in (await service.status(), await Process(path, OWNERS).open().status()):
        retired = {(key.owner, key.kind): key.retired for key in status}
        assert retired.pop(("lpsk", "kek")) == LATER
        assert set(retired.values()) == {None}


async def test_the_number_of_a_destroyed_version_is_not_given_again(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    await service.rotate("lpsk", KeyKind.IDX)
    await service.destroy_below("lpsk", KeyKind.IDX, 2)
    assert await service.rotate("lpsk", KeyKind.IDX) == 3
    with pytest.raises(KeysUnavailable):
        await service.prf_many("lpsk", b"label", [b"x"], 1)


@pytest.mark.parametrize("version", [0, 2, 3, 2**32])
async def test_the_newest_version_is_never_destroyed(path: Path, version: int) -> None:
    service = Process(path, ["lpsk"]).open()
    before = bytes_of(path)
    with pytest.raises(KeysUnavailable):
        await service.destroy_below("lpsk", KeyKind.KEK, version)
    await service.destroy_below("lpsk", KeyKind.KEK, 1)
    assert bytes_of(path) == before
    assert await service.versions("lpsk", KeyKind.KEK) == [1]


async def test_a_change_leaves_the_keys_of_owners_that_are_not_served_as_they_are(
    path: Path,
) -> None:
    rewritten(path, lambda c: c["owners"]["komnas-ham"].update(later="than this version"))
    rewritten(path, lambda c: c.update(beside="the owners"))
    before = content(path)
    service = Process(path, ["lpsk"]).open()

    await service.rotate("lpsk", KeyKind.KEK)
    await service.rotate("lpsk", KeyKind.IDX)
    await service.destroy_below("lpsk", KeyKind.KEK, 2)

    after = content(path)
    assert after["owners"]["komnas-ham"] == before["owners"]["komnas-ham"]
    assert after["beside"] == "the owners"
    await Process(path, OWNERS).open().health()


async def test_an_owner_that_is_not_served_is_not_changed(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    before = bytes_of(path)
    with pytest.raises(KeysUnavailable):
        await service.rotate("komnas-ham", KeyKind.KEK)
    with pytest.raises(KeysUnavailable):
        await service.destroy_below("komnas-ham", KeyKind.KEK, 1)
    with pytest.raises(KeysUnavailable):
        await service.versions("komnas-ham", KeyKind.KEK)
    assert bytes_of(path) == before


def held_by(thing: object) -> set[str | bytes]:
    """Give every text and byte string that *thing* leads to, apart from code."""
    found: set[str | bytes] = set()
    seen: set[int] = set()
    left = [thing]
    while left:
        each = left.pop()
        if id(each) in seen or callable(each) or isinstance(each, type):
            continue
        seen.add(id(each))
        if isinstance(each, str | bytes):
            found.add(each)
        left += gc.get_referents(each)
        left += list(vars(each).values()) if hasattr(each, "__dict__") else []
    return found


async def test_the_object_holds_no_key_of_an_owner_that_is_not_served(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    await service.rotate("lpsk", KeyKind.IDX)
    held = held_by(service)
    owners = content(path)["owners"]
    # The search finds keys where they are: the index key is kept as bytes.
    assert {bytes.fromhex(k["key"]) for k in owners["lpsk"]["idx"]} <= held
    others = {k["key"] for kind in owners["komnas-ham"].values() for k in kind}
    assert not (others | {bytes.fromhex(k) for k in others}) & held
    assert "komnas-ham" not in held
    assert PASSPHRASE not in held


async def test_another_process_makes_new_things_under_the_new_version_at_once(path: Path) -> None:
    here, there = Process(path, ["lpsk"]).open(), Process(path, ["lpsk"]).open()
    await here.rotate("lpsk", KeyKind.KEK)
    await here.rotate("lpsk", KeyKind.IDX)
    assert (await wrapped(there))[1] == 2
    assert await there.versions("lpsk", KeyKind.IDX) == [1, 2]


async def test_another_process_finds_a_version_that_it_did_not_know(path: Path) -> None:
    here, there = Process(path, ["lpsk"]), Process(path, ["lpsk"])
    first, second = here.open(), there.open()
    await first.rotate("lpsk", KeyKind.KEK)
    await first.rotate("lpsk", KeyKind.IDX)
    new = await wrapped(first)

    assert await second.unwrap_many("lpsk", [new]) == [b"key"]

    third = there.open()
    await first.rotate("lpsk", KeyKind.IDX)
    assert await third.prf_many("lpsk", b"l", [b"x"], 3) == await first.prf_many(
        "lpsk", b"l", [b"x"], 3
    )


async def test_many_callers_with_an_unknown_version_read_the_file_once(path: Path) -> None:
    here, there = Process(path, ["lpsk"]), Process(path, ["lpsk"])
    first, second = here.open(), there.open()
    await first.rotate("lpsk", KeyKind.KEK)
    new = await wrapped(first)
    before = there.spoken.times

    found = await asyncio.gather(*(second.unwrap_many("lpsk", [new]) for _ in range(20)))

    assert found == [[b"key"]] * 20
    assert there.spoken.times == before + 1


async def test_versions_that_nobody_made_do_not_make_the_file_be_read_whole(path: Path) -> None:
    process = Process(path, ["lpsk"])
    service = process.open()
    before = process.spoken.times
    for version in (0, 2, 77, 2**40):
        with pytest.raises(SealBroken):
            await service.unwrap_many("lpsk", [(b"context", version, bytes(61))])
        with pytest.raises(KeysUnavailable):
            await service.prf_many("lpsk", b"label", [b"x"], version)
    await service.refresh()
    assert process.spoken.times == before


async def test_a_changed_file_that_does_not_open_is_tried_again_only_after_a_while(
    path: Path,
) -> None:
    process = Process(path, ["lpsk"])
    service = process.open()
    old = await wrapped(service)
    process.spoken.word = "another passphrase"
    await Process(path, ["lpsk"]).open().rotate("lpsk", KeyKind.KEK)
    before = process.spoken.times

    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await service.wrap_many("lpsk", [(b"context", b"key")])
        with pytest.raises(KeysUnavailable):
            await service.versions("lpsk", KeyKind.IDX)
        with pytest.raises(KeysUnavailable):
            await service.unwrap_many("lpsk", [(b"context", 2, bytes(61))])
    assert process.spoken.times == before + 1
    # What was open stays so: records go on being read.
    assert await service.unwrap_many("lpsk", [old]) == [b"key"]

    process.seconds = RETRY_SECONDS - 0.1
    with pytest.raises(KeysUnavailable):
        await service.versions("lpsk", KeyKind.IDX)
    assert process.spoken.times == before + 1
    process.seconds, process.spoken.word = RETRY_SECONDS, PASSPHRASE
    assert await service.versions("lpsk", KeyKind.KEK) == [1, 2]


async def test_without_its_file_a_process_reads_but_makes_nothing_new(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    old = await wrapped(service)
    remove(path)
    for work in (
        service.wrap_many("lpsk", []),
        service.versions("lpsk", KeyKind.KEK),
        service.rotate("lpsk", KeyKind.KEK),
        service.destroy_below("lpsk", KeyKind.KEK, 1),
        service.refresh(),
        service.health(),
    ):
        with pytest.raises(KeysUnavailable):
            await work
    assert await service.unwrap_many("lpsk", [old]) == [b"key"]
    assert bytes_of(path) is None


async def test_a_file_that_still_has_a_destroyed_version_is_not_taken_over(path: Path) -> None:
    """It was put back: the newest version is the same, and what had gone dark would open."""
    service = Process(path, ["lpsk"]).open()
    old = await wrapped(service)
    for kind in KeyKind:
        assert await service.rotate("lpsk", kind) == 2
    older = bytes_of(path)
    assert older is not None
    for kind in KeyKind:
        await service.destroy_below("lpsk", kind, 2)
    new = await wrapped(service)
    with pytest.raises(SealBroken):
        await service.unwrap_many("lpsk", [old])

    put_back(path, older)

    for work in (
        service.unwrap_many("lpsk", [old]),
        service.wrap_many("lpsk", [(b"context", b"key")]),
        service.refresh(),
        service.rotate("lpsk", KeyKind.KEK),
        service.destroy_below("lpsk", KeyKind.IDX, 2),
    ):
        with pytest.raises(KeysUnavailable):
            await work
    assert bytes_of(path) == older
    assert await service.unwrap_many("lpsk", [new]) == [b"key"]


async def test_an_older_file_that_was_put_back_is_not_taken_over_or_changed(path: Path) -> None:
    process = Process(path, ["lpsk"])
    service = process.open()
    older = bytes_of(path)
    assert older is not None
    await service.rotate("lpsk", KeyKind.KEK)
    new = await wrapped(service)
    put_back(path, older)

    # A second version 2, of another key, would make two keys of one number.
    with pytest.raises(KeysUnavailable):
        await service.rotate("lpsk", KeyKind.KEK)
    with pytest.raises(KeysUnavailable):
        await service.wrap_many("lpsk", [(b"context", b"key")])
    assert bytes_of(path) == older
    assert await service.unwrap_many("lpsk", [new]) == [b"key"]


async def test_a_file_that_lost_an_owner_is_not_taken_over(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    rewritten(path, lambda c: c["owners"].pop("lpsk"))
    with pytest.raises(KeysUnavailable):
        await service.refresh()


async def test_changes_at_the_same_time_are_all_there(path: Path) -> None:
    services = [Process(path, OWNERS).open() for _ in range(3)]
    numbers = await asyncio.gather(
        *(
            service.rotate(owner, kind)
            for service in services
            for owner in OWNERS
            for kind in KeyKind
        )
    )
    assert sorted(numbers) == [2] * 4 + [3] * 4 + [4] * 4
    for kinds in content(path)["owners"].values():
        for keys in kinds.values():
            assert [key["version"] for key in keys] == [1, 2, 3, 4]
            assert len({key["key"] for key in keys}) == 4


async def test_the_loop_goes_on_while_the_passphrase_is_paid_for(path: Path) -> None:
    going = threading.Event()

    def slow() -> str:
        # In the loop this would wait for itself and give up.
        assert going.wait(timeout=10), "the loop stood still"
        return PASSPHRASE

    going.set()
    service = FileKeyService.open(path, slow, ["lpsk"])
    going.clear()
    rotating = asyncio.create_task(service.rotate("lpsk", KeyKind.KEK))
    while not rotating.done():
        await asyncio.sleep(0)
        going.set()
    assert await rotating == 2


async def test_a_change_keeps_the_cost_of_the_file(path: Path) -> None:
    before = key_file.read(path, PASSPHRASE)
    await Process(path, ["lpsk"]).open().rotate("lpsk", KeyKind.KEK)
    after = key_file.read(path, PASSPHRASE)
    assert after.cost == before.cost
    assert after.header != before.header
    assert "kek" not in repr(after)


async def test_a_change_that_the_disk_refuses_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    service = Process(path, ["lpsk"]).open()
    before = bytes_of(path)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(KeysUnavailable):
            await service.rotate("lpsk", KeyKind.KEK)
    assert bytes_of(path) == before
    assert (await wrapped(service))[1] == 1
    assert await service.rotate("lpsk", KeyKind.KEK) == 2


async def test_a_closed_service_holds_nothing_and_stays_closed(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    old = await wrapped(service)
    index = bytes.fromhex(content(path)["owners"]["lpsk"]["idx"][0]["key"])
    assert index in held_by(service)

    await service.close()

    assert index not in held_by(service)
    assert await service.status() == []
    for work in (
        service.unwrap_many("lpsk", [old]),
        service.wrap_many("lpsk", []),
        service.rotate("lpsk", KeyKind.KEK),
        service.health(),
    ):
        with pytest.raises(KeysUnavailable):
            await work
    await service.refresh()
    assert index not in held_by(service)


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    rewritten(path, lambda c: c.update(v=2))
    with pytest.raises(KeysUnavailable):
        await service.rotate("lpsk", KeyKind.KEK)
    with pytest.raises(RefusesToStart, match="newer version"):
        Process(path, ["lpsk"]).open()


async def test_nothing_of_the_service_shows_a_key(path: Path) -> None:
    service = Process(path, ["lpsk"]).open()
    assert repr(service) == "<file key service>"
    secrets = [
        k["key"] for kinds in content(path)["owners"].values() for ks in kinds.values() for k in ks
    ]
    for thing in (service, service._followed, service._followed.keys):
        assert not any(secret in repr(thing) for secret in secrets)


async def test_two_who_make_the_same_version_at_once_make_one(tmp_path: Path) -> None:
    first = FileKeyService.create(
        tmp_path / "keys", lambda: PASSPHRASE, ["lpsk"], cost=Cost(8, 1, 1)
    )
    second = FileKeyService.open(tmp_path / "keys", lambda: PASSPHRASE, ["lpsk"])
    made = await asyncio.gather(
        *(service.rotate("lpsk", KeyKind.KEK, unless=2) for service in (first, second, first))
    )
    assert made == [2, 2, 2]
    assert await second.versions("lpsk", KeyKind.KEK) == [1, 2]
    assert await second.rotate("lpsk", KeyKind.KEK) == 3
