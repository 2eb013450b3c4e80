"""Whether the log is witnessed: what a quorum said, how old it is, and who says it is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from api.accesslog.cosignature import cosign
from api.accesslog.cosigning import Cosigner
from api.accesslog.ledger import Ledger
from api.accesslog.quorum import SETTLING, Quorum, QuorumWatch, watch_forever
from api.accesslog.reader import LogReader
from api.accesslog.witness_client import WitnessClient
from api.crypto.signatures import SigningKey
from api.database import engine_of
from tests.accesslog.conftest import Log
from tests.accesslog.witnessing import LIMIT, LOG, NOON, Witnessed, policy_of, witnessed
from tests.loopback import Loopback, witnesses

TWO_OF_THREE = "group all-three 2 w1 w2 w3\nquorum all-three"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def service(
    log: Log, ledger: Ledger, reader: LogReader, tmp_path: Path
) -> AsyncIterator[Witnessed]:
    """Give a log with a signer, on each database."""
    async with witnessed(log, ledger, reader, tmp_path) as service:
        yield service


@pytest.fixture
async def three(service: Witnessed, tmp_path: Path) -> AsyncIterator[list[Loopback]]:
    """Serve three witnesses of the log."""
    async with witnesses(tmp_path, [LOG], service.clock, 3) as served:
        yield served


@pytest.fixture
async def cosigner(service: Witnessed, three: list[Loopback]) -> AsyncIterator[Cosigner]:
    """Ask all three."""
    client = WitnessClient([])
    yield service.cosigner(policy_of(three, TWO_OF_THREE), client)
    await client.close()


@pytest.fixture
def watch(service: Witnessed, three: list[Loopback]) -> QuorumWatch:
    """Watch for two of the three."""
    return service.watch(policy_of(three, TWO_OF_THREE))


async def test_two_of_three_are_a_quorum_and_one_is_none(
    service: Witnessed, three: list[Loopback], cosigner: Cosigner, watch: QuorumWatch
) -> None:
    await watch.look()
    assert (watch.quorum, watch.lag(), watch.witnessed()) == (None, None, False)
    size = await service.grow()
    await cosigner.turn(cosigner.asked[0])
    await watch.look()
    assert not watch.witnessed()

    service.clock.move(MINUTE)
    await cosigner.turn(cosigner.asked[2])
    await watch.look()

    # As old as the older of the two words that it needs.
    assert watch.quorum == Quorum(size, NOON, ("w1", "w3"))
    assert watch.lag() == MINUTE
    assert watch.witnessed()


async def test_a_quorum_is_lost_after_the_limit_and_comes_back(
    service: Witnessed, three: list[Loopback], cosigner: Cosigner, watch: QuorumWatch
) -> None:
    await service.grow()
    await cosigner.ask_all()
    await watch.look()
    watch.tell()
    for one in three[:2]:
        await one.go_down()
    for _ in range(10):
        service.clock.move(MINUTE)
        await service.grow()
        await cosigner.ask_all()
        await watch.look()
        assert watch.witnessed()
    assert watch.lag() == LIMIT

    service.clock.move(timedelta(seconds=1))
    with structlog.testing.capture_logs() as lines:
        watch.tell()
        watch.tell()
    assert not watch.witnessed()
    assert [(line["event"], line["log_level"], line["seconds"]) for line in lines] == [
        ("log_not_witnessed", "critical", 601)
    ]

    await three[0].come_up()
    size = await service.grow()
    await cosigner.ask_all()
    await watch.look()
    with structlog.testing.capture_logs() as lines:
        watch.tell()
        watch.tell()
    assert watch.quorum == Quorum(size, service.clock(), ("w1", "w3"))
    assert watch.witnessed()
    assert [line["event"] for line in lines] == ["log_witnessed_again"]


async def test_a_word_repeated_for_an_old_checkpoint_does_not_hide_what_is_newer(
    service: Witnessed, three: list[Loopback], cosigner: Cosigner, watch: QuorumWatch
) -> None:
    """Somebody keeps a quorum fresh for a checkpoint beyond which the log was forked."""
    first = await service.grow()
    await cosigner.ask_all()
    await watch.look()
    old = await service.reader.latest_checkpoint()
    assert old is not None
    await service.grow()
    for _ in range(11):
        service.clock.move(MINUTE)
        for one in three:
            answer = await one.honest(f"old {first}\n\n{old}".encode())
            assert answer.status == 200
            text = old.rpartition("\n\n")[0] + "\n"
            key = SigningKey.from_seed(bytes([int(one.name[1:])]) * 32)
            at = int(service.clock().timestamp())
            await service.writer.put(first, cosign(text, one.key.name, key, at))
        await watch.look()

    assert watch.quorum == Quorum(first, service.clock(), ("w1", "w2", "w3"))
    assert watch.lag() == 10 * MINUTE
    service.clock.move(timedelta(seconds=1))
    assert not watch.witnessed()


async def test_a_log_that_grows_faster_than_it_is_cosigned_is_witnessed(
    service: Witnessed, three: list[Loopback], cosigner: Cosigner, watch: QuorumWatch
) -> None:
    for _ in range(30):
        await service.grow()
        await cosigner.ask_all()
        await service.grow()
        await watch.look()
        assert watch.witnessed()
        service.clock.move(MINUTE)


async def test_what_does_not_hold_does_not_count(
    service: Witnessed, three: list[Loopback], watch: QuorumWatch
) -> None:
    size = await service.grow()
    note = await service.reader.latest_checkpoint()
    assert note is not None
    text = note.rpartition("\n\n")[0] + "\n"
    now = int(NOON.timestamp())
    own = {one.name: SigningKey.from_seed(bytes([n]) * 32) for n, one in enumerate(three, 1)}
    for lie in (
        cosign(text, three[0].key.name, own["w2"], now),  # another's key
        cosign("other\n", three[0].key.name, own["w1"], now + 1),  # another text
        cosign(text, "witness.example/w9", own["w1"], now),  # another name
        cosign(text, three[0].key.name, own["w1"], now + 3600),  # the future
        cosign(text, three[1].key.name, own["w2"], now),  # one that holds
    ):
        await service.writer.put(size, lie)

    await watch.look()

    assert not watch.witnessed()


async def test_a_process_that_starts_knows_how_old_the_quorum_is(
    service: Witnessed, three: list[Loopback], cosigner: Cosigner
) -> None:
    await service.grow()
    await cosigner.ask_all()
    service.clock.move(LIMIT + MINUTE)
    watch = service.watch(policy_of(three, TWO_OF_THREE))
    assert not watch.witnessed()
    with structlog.testing.capture_logs() as lines:
        await watch.look()
        watch.tell()

    # Stopped from the first moment; but who has only just started may find them yet.
    assert watch.lag() == LIMIT + MINUTE
    assert not watch.witnessed()
    assert lines == []
    service.clock.move(SETTLING)
    with structlog.testing.capture_logs() as lines:
        watch.tell()
    assert [line["event"] for line in lines] == ["log_not_witnessed"]


async def test_who_cannot_look_is_soon_not_witnessed(
    service: Witnessed, three: list[Loopback], cosigner: Cosigner
) -> None:
    engine = engine_of("sqlite+aiosqlite:////nowhere/at/all")
    blind = QuorumWatch(LogReader(engine), policy_of(three, TWO_OF_THREE), service.clock, LIMIT)
    await service.grow()
    await cosigner.ask_all()
    turns = 0

    async def pause(_seconds: float) -> None:
        nonlocal turns
        turns += 1
        service.clock.move(MINUTE)
        if turns == 2:
            raise asyncio.CancelledError

    with structlog.testing.capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await watch_forever(blind, pause=pause)

    await engine.dispose()
    assert not blind.witnessed()
    told = [line["event"] for line in lines if line["event"] != "store_failed"]
    assert told == ["witnesses_not_seen", "witnesses_not_seen", "log_not_witnessed"]


async def test_a_policy_that_asks_for_no_quorum_stops_nothing(
    service: Witnessed, three: list[Loopback]
) -> None:
    watch = service.watch(policy_of(three, "quorum none"))
    await service.grow()
    service.clock.move(2 * LIMIT)
    await watch.look()

    with structlog.testing.capture_logs() as lines:
        watch.tell()

    assert watch.witnessed()
    assert lines == []
