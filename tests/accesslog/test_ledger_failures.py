"""The ledger over a database that fails, hangs or moves as we please."""

import asyncio
from collections.abc import Sequence

import pytest

from api.accesslog.ledger import MAX_WAITING, Ledger
from api.accesslog.tree import Head, Tree, leaf_hash
from api.errors import LogUnavailable
from tests.accesslog.events import read_of


class Fake:
    """A writer in memory whose next append can fail, hang, or lose its answer."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.bodies: list[bytes] = []
        self.batches: list[int] = []
        self.fail: Exception | None = None
        self.fail_after_commit = False
        self.go = asyncio.Event()
        self.go.set()
        self.elsewhere: list[bytes] = []
        self.reads = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def state(self) -> Head:
        self.reads += 1
        return self.tree.head()

    async def append(
        self, expected: int, bodies: Sequence[bytes], hashes: Sequence[bytes], root: bytes
    ) -> Head | None:
        await self.go.wait()
        while self.elsewhere:  # another process was faster
            self._put([self.elsewhere.pop()])
        if self.fail is not None and not self.fail_after_commit:
            raise self.fail
        at = self.tree.size
        self._put(bodies)
        self.batches.append(len(bodies))
        if self.fail is not None:
            raise self.fail
        if at != expected:
            return self.tree.head()
        assert self.tree.root() == root
        return None

    def _put(self, bodies: Sequence[bytes]) -> None:
        for body in bodies:
            self.tree.append(leaf_hash(body))
            self.bodies.append(body)


async def _started(fake: Fake, patience: float = 2.0) -> Ledger:
    ledger = Ledger(fake, patience=patience)
    await ledger.start()
    return ledger


@pytest.mark.parametrize("error", [LogUnavailable(), RuntimeError("secret"), OSError("secret")])
async def test_a_batch_that_fails_is_refused_and_the_next_one_goes_on(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake()
    ledger = await _started(fake)
    fake.fail = error
    with pytest.raises(LogUnavailable) as refused:
        await ledger.append(read_of())
    assert refused.value.__cause__ is refused.value.__context__ is None
    assert "secret" not in capsys.readouterr().out
    assert fake.bodies == []

    fake.fail = None
    assert await ledger.append(read_of()) == 0
    await ledger.close()


async def test_after_an_unknown_outcome_the_head_is_read_again() -> None:
    fake = Fake()
    ledger = await _started(fake)
    assert await ledger.append(read_of()) == 0
    reads = fake.reads
    fake.fail, fake.fail_after_commit = ConnectionResetError(), True
    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())

    fake.fail = None
    assert await ledger.append(read_of()) == 2
    assert fake.reads == reads + 1
    await ledger.close()


async def test_a_batch_that_misses_the_head_is_written_after_it() -> None:
    fake = Fake()
    ledger = await _started(fake)
    fake.elsewhere = [b"theirs", b"theirs too"]

    indices = await asyncio.gather(*(ledger.append(read_of(number)) for number in range(3)))

    assert indices == [2, 3, 4]
    await ledger.close()


async def test_a_caller_waits_no_longer_than_its_patience() -> None:
    fake = Fake()
    ledger = await _started(fake, patience=0.01)
    fake.go.clear()

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())

    fake.go.set()
    await ledger.close()
    assert len(fake.bodies) == 1  # it became durable all the same


async def test_more_than_can_wait_are_turned_away_at_once() -> None:
    fake = Fake()
    ledger = await _started(fake)
    fake.go.clear()
    held = asyncio.create_task(ledger.append(read_of()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the batch of one is under way
    waiting = [asyncio.create_task(ledger.append(read_of())) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)

    with pytest.raises(LogUnavailable):
        await ledger.append(read_of())

    fake.go.set()
    indices = await asyncio.gather(held, *waiting)
    assert sorted(indices) == list(range(MAX_WAITING + 1))
    assert max(fake.batches) <= 512
    await ledger.close()


async def test_a_ledger_that_was_not_started_takes_nothing() -> None:
    fake = Fake()
    with pytest.raises(LogUnavailable):
        await Ledger(fake).append(read_of())
    assert fake.bodies == []
