"""The signer: it follows the log leaf by leaf and refuses every head that goes back."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from api.accesslog.checkpoint import Checkpoint, open_checkpoint
from api.accesslog.signer import STRIDE, Signer, sign_forever
from api.accesslog.signer_state import SignerState, read_state, write_state
from api.accesslog.tree import Head, Tree, leaf_hash
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, LogUnavailable, RefusesToStart

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"


class Memory:
    """A log of bare leaf hashes, which can be put into any state."""

    def __init__(self, count: int = 0) -> None:
        self.leaves: list[bytes] = []
        self.notes: dict[int, str] = {}
        self.down = False
        self.grow(count)

    def grow(self, count: int, text: bytes = b"leaf") -> None:
        at = len(self.leaves)
        self.leaves += [leaf_hash(text + b"%d" % number) for number in range(at, at + count)]

    def head(self) -> Head:
        tree = Tree()
        for leaf in self.leaves:
            tree.append(leaf)
        return tree.head()

    async def state(self) -> Head:
        if self.down:
            raise LogUnavailable
        return self.head()

    async def leaf_hashes(self, start: int, stop: int) -> bytes:
        return b"".join(self.leaves[start:stop])

    async def put_checkpoint(self, size: int, note: str) -> None:
        self.notes[size] = note


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Say where the signer's state is."""
    return tmp_path / "signer.json"


def content(path: Path) -> bytes | None:
    """Give what is in a file; None if there is none."""
    return path.read_bytes() if path.exists() else None


def put(path: Path, content: bytes) -> None:
    """Write a file."""
    path.write_bytes(content)


async def started(path: Path, log: Memory) -> Signer:
    """Give a signer that has accepted the log."""
    signer = Signer(path, KEY, ORIGIN)
    await signer.start(log)
    return signer


async def test_a_new_head_is_signed_once(path: Path) -> None:
    log = Memory()
    signer = await started(path, log)
    assert await signer.sign(log) is None  # nothing there yet

    log.grow(5)
    signed = await signer.sign(log)

    assert signed == Checkpoint(ORIGIN, 5, log.head().root)
    assert open_checkpoint(log.notes[5], [signer.verifier_key]) == signed
    assert await signer.sign(log) is None
    assert list(log.notes) == [5]
    assert read_state(path, ORIGIN) == log.head()


async def test_more_than_one_stride_is_followed(path: Path) -> None:
    log = Memory()
    signer = await started(path, log)
    log.grow(2 * STRIDE + 7)

    signed = await signer.sign(log)

    assert signed is not None
    assert signed.root == log.head().root


async def _cut(log: Memory) -> None:
    del log.leaves[-1]


async def _changed(log: Memory) -> None:
    log.leaves[2] = leaf_hash(b"other")


async def _changed_and_grown(log: Memory) -> None:
    log.leaves[2] = leaf_hash(b"other")
    log.grow(4)


async def _cut_and_grown(log: Memory) -> None:
    del log.leaves[-1]
    log.grow(4, b"other")


async def _swapped(log: Memory) -> None:
    log.leaves[0], log.leaves[1] = log.leaves[1], log.leaves[0]


TAMPERED = [_cut, _changed, _changed_and_grown, _cut_and_grown, _swapped]


@pytest.mark.parametrize("tamper", TAMPERED)
async def test_a_log_that_does_not_continue_is_not_signed(path: Path, tamper: object) -> None:
    log = Memory(6)
    signer = Signer(path, KEY, ORIGIN)
    await signer.start(log, adopt=True)
    await signer.sign(log)
    before = content(path)
    await tamper(log)  # type: ignore[operator]  # one of the functions above

    with pytest.raises(LogBroken):
        await signer.sign(log)

    assert list(log.notes) == [6]
    assert content(path) == before


@pytest.mark.parametrize("tamper", TAMPERED)
async def test_a_log_that_does_not_continue_is_not_served(path: Path, tamper: object) -> None:
    log = Memory(6)
    first = Signer(path, KEY, ORIGIN)
    await first.start(log, adopt=True)
    first.close()
    before = content(path)
    await tamper(log)  # type: ignore[operator]  # one of the functions above

    signer = Signer(path, KEY, ORIGIN)
    with pytest.raises(RefusesToStart, match="does not continue"):
        await signer.start(log)

    assert content(path) == before
    signer.close()


async def test_a_log_with_entries_and_no_state_is_not_served(path: Path) -> None:
    signer = Signer(path, KEY, ORIGIN)

    with pytest.raises(RefusesToStart, match="no signer state"):
        await signer.start(Memory(3))

    assert content(path) is None
    signer.close()


async def test_one_process_signs_and_another_takes_over(path: Path) -> None:
    log = Memory()
    first, second = await started(path, log), await started(path, log)
    log.grow(3)

    assert await second.sign(log) is None
    assert await first.sign(log) is not None
    first.close()
    log.grow(2)
    taken_over = await second.sign(log)

    assert taken_over is not None
    assert taken_over.size == 5
    second.close()


async def test_a_state_that_went_away_stops_the_signer_that_takes_over(path: Path) -> None:
    log = Memory()
    first, second = await started(path, log), await started(path, log)
    log.grow(3)
    first.close()
    os.remove(path)

    with pytest.raises(LogBroken):
        await second.sign(log)
    assert log.notes == {}
    second.close()


async def test_the_state_is_saved_before_the_note_is_given_away(path: Path) -> None:
    class Stubborn(Memory):
        async def put_checkpoint(self, size: int, note: str) -> None:
            state = read_state(path, ORIGIN)
            assert state is not None
            assert state.size == size
            raise LogUnavailable

    log = Stubborn()
    signer = await started(path, log)
    log.grow(3)
    with pytest.raises(LogUnavailable):
        await signer.sign(log)

    # Not stored, so it is tried again, for the same head.
    with pytest.raises(LogUnavailable):
        await signer.sign(log)
    signer.close()


@pytest.mark.parametrize("damage", ["", "[]", "{}", "null", "not json", "\xff"])
async def test_a_damaged_state_is_not_served(path: Path, damage: str) -> None:
    put(path, damage.encode("latin-1"))
    signer = Signer(path, KEY, ORIGIN)

    with pytest.raises(RefusesToStart, match="signer state"):
        await signer.start(Memory())
    assert content(path) == damage.encode("latin-1")
    signer.close()


async def test_a_state_whose_numbers_do_not_fit_is_not_served(path: Path) -> None:
    write_state(path, SignerState(ORIGIN, Memory(5).head()))
    state = json.loads(content(path) or b"")
    put(path, json.dumps({**state, "size": 4}).encode())

    with pytest.raises(RefusesToStart, match="damaged"):
        read_state(path, ORIGIN)


async def test_the_state_of_another_log_is_not_served(path: Path) -> None:
    write_state(path, SignerState("other.example/log", Memory(5).head()))

    with pytest.raises(RefusesToStart, match="another log"):
        read_state(path, ORIGIN)


async def test_signing_goes_on_after_the_database_was_away(path: Path) -> None:
    log = Memory()
    signer = await started(path, log)
    told: list[LogBroken] = []
    steps = 0

    async def pause(_seconds: float) -> None:
        nonlocal steps
        steps += 1
        log.down = steps == 1
        log.grow(1)
        if steps == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await sign_forever(signer, log, broken=told.append, pause=pause)

    assert list(log.notes) == [2]
    assert told == []
    signer.close()


async def test_a_broken_log_is_told_and_ends_the_signing(path: Path) -> None:
    log = Memory()
    signer = await started(path, log)
    told: list[LogBroken] = []

    async def pause(_seconds: float) -> None:
        if log.leaves:
            log.leaves.clear()
        else:
            log.grow(2)

    await sign_forever(signer, log, broken=told.append, pause=pause)

    assert [error.place for error in told] == ["head 0"]
    assert list(log.notes) == [2]
    signer.close()
