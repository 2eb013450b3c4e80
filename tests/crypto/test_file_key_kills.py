"""Killed at any moment, a process that changes keys loses none that it reported."""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind

PASSPHRASE = "pagar makan tanaman"
OWNERS = ["komnas-ham", "lpsk"]
KILLS = 40

#: A change with the cheap cost takes 1 to 5 ms, so this ends anywhere in one.
LONGEST_CHANGE = 0.005

#: Forks a changer for each line that it reads: a new interpreter would take its third
#: of a second for each. A changer reports a change only after it was made.
FORKS = """
import asyncio, json, os, sys
from pathlib import Path
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_service import KeyKind

path, passphrase = Path(sys.argv[1]), sys.argv[2]

def report(*what):
    os.write(1, (json.dumps(what) + "\\n").encode())

async def change():
    service = FileKeyService.open(path, lambda: passphrase, ["lpsk"])
    report("changing", os.getpid())
    while True:
        kek = await service.rotate("lpsk", KeyKind.KEK)
        [(version, wrapped)] = await service.wrap_many("lpsk", [(b"context", b"key")])
        report("kek", version, wrapped.hex())
        idx = await service.rotate("lpsk", KeyKind.IDX)
        [value] = await service.prf_many("lpsk", b"label", [b"x"], idx)
        report("idx", idx, value.hex())
        if kek % 5 == 0:
            report("destroying", "kek", kek - 2)
            await service.destroy_below("lpsk", KeyKind.KEK, kek - 2)
            report("destroying", "idx", idx - 2)
            await service.destroy_below("lpsk", KeyKind.IDX, idx - 2)

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        asyncio.run(change())
    _, status = os.waitpid(child, 0)
    report("dead", os.waitstatus_to_exitcode(status))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cheap = Cost(memory=8, iterations=1, lanes=1)
    FileKeyService.create(tmp_path / "keys", lambda: PASSPHRASE, OWNERS, cost=cheap)
    return tmp_path / "keys"


@pytest.fixture
def changers(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS, str(path), PASSPHRASE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd=Path(__file__).parents[2],
    )
    yield process
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(timeout=10)
    process.stdout.close()


class Reports:
    """The lines of the changers, read with a deadline."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        self._stream = process.stdout.fileno()
        self._rest = b""

    def next(self, deadline: float) -> list[object] | None:
        """Give the next report, or None at *deadline* (of the monotonic clock)."""
        while b"\n" not in self._rest:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._stream], [], [], left)[0]:
                return None
            self._rest += os.read(self._stream, 65536)
        line, self._rest = self._rest.split(b"\n", 1)
        report: list[object] = json.loads(line)
        return report


async def test_a_killed_changer_loses_no_version_that_it_reported(
    path: Path, changers: "subprocess.Popen[bytes]"
) -> None:
    assert changers.stdin is not None
    reports, moments = Reports(changers), random.Random(20261125)
    other = FileKeyService.open(path, lambda: PASSPHRASE, ["komnas-ham"])
    [(_, others_wrap)] = await other.wrap_many("komnas-ham", [(b"context", b"key")])
    acknowledged: dict[str, dict[int, str]] = {"kek": {}, "idx": {}}
    changes = 0

    for _ in range(KILLS):
        changers.stdin.write(b"go\n")
        began = reports.next(time.monotonic() + 30)
        assert began is not None
        assert began[0] == "changing"
        to_come, killed = moments.randint(0, 8), False
        while True:
            until = 30 if killed or to_come > 0 else moments.uniform(0, LONGEST_CHANGE)
            report = reports.next(time.monotonic() + until)
            to_come -= 1
            match report:
                case None:
                    os.kill(int(str(began[1])), signal.SIGKILL)
                    killed = True
                case ["kek" | "idx" as kind, int(version), str(value)]:
                    acknowledged[kind][version] = value
                    changes += 1
                case ["destroying", str(kind), int(below)]:
                    for version in [v for v in acknowledged[kind] if v < below]:
                        del acknowledged[kind][version]
                case ["dead", status]:
                    assert status == -signal.SIGKILL
                    break
                case _:
                    raise AssertionError(report)

        service = FileKeyService.open(path, lambda: PASSPHRASE, OWNERS)
        assert await service.unwrap_many("komnas-ham", [(b"context", 1, others_wrap)]) == [b"key"]
        for kind in KeyKind:
            versions = await service.versions("lpsk", kind)
            assert versions == list(range(versions[0], versions[-1] + 1))
            assert set(acknowledged[kind]) <= set(versions)
        for version, wrap in acknowledged["kek"].items():
            item = (b"context", version, bytes.fromhex(wrap))
            assert await service.unwrap_many("lpsk", [item]) == [b"key"]
        for version, value in acknowledged["idx"].items():
            values = await service.prf_many("lpsk", b"label", [b"x"], version)
            assert [v.hex() for v in values] == [value]

    assert changes > KILLS


def modes_in(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


@pytest.mark.parametrize("left", [b"", b"perisai keys\x01\n", bytes(10_000)])
async def test_what_a_cut_write_left_is_neither_read_nor_in_the_way(
    path: Path, tmp_path: Path, left: bytes
) -> None:
    fresh = path.with_name(".keys.new")
    fresh.write_bytes(left)
    fresh.chmod(0o666)
    service = FileKeyService.open(path, lambda: PASSPHRASE, ["lpsk"])
    assert await service.versions("lpsk", KeyKind.KEK) == [1]
    assert await service.rotate("lpsk", KeyKind.KEK) == 2
    assert modes_in(tmp_path) == {"keys": 0o600}
