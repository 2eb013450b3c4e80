"""Checkpoints are shown to witnesses over HTTP, and what they say is checked and kept."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest
import structlog

from api.accesslog.cosignature import Cosignature, cosign, cosigned_note, text_of
from api.accesslog.cosignature_store import CosignatureWriter, newest_checkpoint
from api.accesslog.cosigning import INTERVAL, LONGEST_PAUSE, REFRESH, OneOfHost, cosign_forever
from api.accesslog.ledger import Ledger
from api.accesslog.note import open_note
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.witness import Answer
from api.accesslog.witness_client import Reply, Silence, WitnessClient
from api.crypto.signatures import SigningKey
from api.errors import LogUnavailable, RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.witnessing import KEY, LOG, NOON, Witnessed, policy_of, witnessed
from tests.loopback import Loopback, witnesses
from tests.postgresql import libpq_url

MOMENT = int(NOON.timestamp())


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
async def client() -> AsyncIterator[WitnessClient]:
    """Give a client."""
    client = WitnessClient([])
    yield client
    await client.close()


class Impatient:
    """Asks as *client* does, but gives the witness at *late* hardly any time."""

    def __init__(self, client: WitnessClient, late: str) -> None:
        self._client = client
        self._late = late

    async def add_checkpoint(self, url: str, body: bytes) -> Reply | Silence:
        if url != self._late:
            return await self._client.add_checkpoint(url, body)
        hasty = WitnessClient([], time_out=0.05)
        try:
            return await hasty.add_checkpoint(url, body)
        finally:
            await hasty.close()


def names(stored: Sequence[tuple[object, ...]]) -> list[str]:
    return [f"{size} {str(witness).rpartition('/')[2]}" for size, witness, _ in stored]


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_every_witness_cosigns_every_checkpoint_that_it_is_shown(
    service: Witnessed, three: list[Loopback], client: WitnessClient, count: int
) -> None:
    served = three[:count]
    cosigner = service.cosigner(policy_of(served, "quorum none"), client)
    await cosigner.ask_all()  # nothing is signed yet
    assert [one.requests for one in served] == [[]] * count
    first = await service.grow(5)
    await cosigner.ask_all()
    second = await service.grow(8)
    await cosigner.ask_all()

    assert names(service.stored()) == [
        f"{size} w{number}" for size in (first, second) for number in range(1, count + 1)
    ]
    keys = [one.key for one in served]
    newest = await newest_checkpoint(service.reader, [LOG], keys)
    assert newest is not None
    assert newest.checkpoint.size == second
    note = cosigned_note(newest.note, newest.cosignatures)
    assert set(open_note(note, [LOG, *keys]).verified) == {LOG, *keys}
    assert [one.state.latest(LOG.name).size for one in served] == [second] * count
    # One request each: what a witness has is remembered, and no guess was needed.
    assert [len(one.requests) for one in served] == [2] * count


async def test_what_was_cosigned_is_not_asked_for_again_until_it_is_old(
    service: Witnessed, three: list[Loopback], client: WitnessClient
) -> None:
    [one] = served = three[:1]
    cosigner = service.cosigner(policy_of(served, "quorum none"), client)
    size = await service.grow()
    await cosigner.ask_all()
    await cosigner.ask_all()
    assert len(one.requests) == 1

    service.clock.move(REFRESH)
    await cosigner.ask_all()

    assert [row[2] for row in service.stored()] == [MOMENT, MOMENT + int(REFRESH.total_seconds())]
    assert names(service.stored()) == [f"{size} w1"] * 2


async def test_a_service_that_starts_anew_learns_what_the_witness_has(
    service: Witnessed, three: list[Loopback], client: WitnessClient
) -> None:
    [one] = served = three[:1]
    policy = policy_of(served, "quorum none")
    first = await service.grow(3)
    await service.cosigner(policy, client).ask_all()
    second = await service.grow(4)

    await service.cosigner(policy, client).ask_all()

    asked = [body.partition(b"\n")[0] for body in one.requests]
    assert asked == [b"old 0", b"old 0", b"old %d" % first]
    assert names(service.stored()) == [f"{first} w1", f"{second} w1"]


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_what_a_witness_answered_and_nobody_stored_is_asked_for_again(
    service: Witnessed, three: list[Loopback], client: WitnessClient
) -> None:
    """The service, or its database, went away between the answer and the commit."""
    [one] = served = three[:1]
    policy = policy_of(served, "quorum none")
    size = await service.grow(3)
    cut_off = service.cosigner(policy, client)
    cut_off._writer = Unwritable(service.writer._database._engine)
    with structlog.testing.capture_logs() as lines:
        assert not await cut_off.turn(cut_off.asked[0])
    assert [line["event"] for line in lines] == ["cosignature_not_stored"]
    assert one.state.latest(LOG.name).size == size
    assert service.stored() == []

    await service.cosigner(policy, client).ask_all()

    assert names(service.stored()) == [f"{size} w1"]


class Unwritable(CosignatureWriter):
    """Stores nothing."""

    async def put(self, _size: int, _one: Cosignature) -> None:
        raise LogUnavailable


async def test_two_processes_that_ask_at_once_agree(
    service: Witnessed, three: list[Loopback], client: WitnessClient
) -> None:
    policy = policy_of(three, "quorum none")
    both = [service.cosigner(policy, client) for _ in range(2)]
    for _ in range(4):
        size = await service.grow(2)
        await asyncio.gather(*(one.ask_all() for one in both))
        for one in both:
            await one.ask_all()

        assert {row for row in names(service.stored()) if row.startswith(f"{size} ")} == {
            f"{size} w1",
            f"{size} w2",
            f"{size} w3",
        }


# -- witnesses that fail --------------------------------------------------------------


async def _down(one: Loopback) -> None:
    await one.go_down()


async def _late(one: Loopback) -> None:
    one.answer = one.never


async def _wrong_key(one: Loopback) -> None:
    other = SigningKey.from_seed(b"\x09" * 32)

    async def answer(body: bytes) -> Answer:
        text = text_of(body.decode().partition("\n\n")[2])
        return Answer(200, cosign(text, one.key.name, other, MOMENT).line)

    one.answer = answer


async def _another_text(one: Loopback) -> None:
    key = SigningKey.from_seed(b"\x01" * 32)

    async def answer(_body: bytes) -> Answer:
        return Answer(200, cosign("perisai.example/log\n9\nx\n", one.key.name, key, MOMENT).line)

    one.answer = answer


async def _ahead(one: Loopback) -> None:
    key = SigningKey.from_seed(b"\x01" * 32)

    async def answer(body: bytes) -> Answer:
        text = text_of(body.decode().partition("\n\n")[2])
        return Answer(200, cosign(text, one.key.name, key, MOMENT + 3600).line)

    one.answer = answer


def _saying(status: int, text: str = "") -> object:
    async def set_up(one: Loopback) -> None:
        async def answer(_body: bytes) -> Answer:
            return Answer(status, text)

        one.answer = answer

    return set_up


async def _turning(one: Loopback) -> None:
    sizes = itertools.cycle([1, 0, 2])

    async def answer(_body: bytes) -> Answer:
        return Answer(409, f"{next(sizes)}\n")

    one.answer = answer


FAILING = {
    "down": (_down, "witness_failed", "unreachable"),
    "late": (_late, "witness_failed", "time_out"),
    "another key": (_wrong_key, "witness_failed", "did_not_sign"),
    "another checkpoint": (_another_text, "witness_failed", "signature_does_not_hold"),
    "a clock ahead": (_ahead, "witness_failed", "clock_ahead"),
    "empty": (_saying(200), "witness_failed", "signature_does_not_hold"),
    "long": (_saying(200, "x" * 70_000), "witness_failed", "too_long"),
    "unknown log": (_saying(404), "witness_failed", "status_404"),
    "unknown key": (_saying(403), "witness_failed", "status_403"),
    "redirect": (_saying(307), "witness_failed", "status_307"),
    "failing": (_saying(500), "witness_failed", "status_500"),
    "no size": (_saying(409, "many\n"), "witness_failed", "malformed"),
    "a size that no log has": (_saying(409, f"{2**63}\n"), "witness_failed", "malformed"),
    "turning": (_turning, "witness_failed", "conflicts"),
    "another log": (_saying(422), "witness_disagrees", "saw_another_log"),
    "another log of this size": (_saying(409, "0\n"), "witness_disagrees", "saw_another_log"),
    "a longer log": (_saying(409, "4000\n"), "witness_disagrees", "saw_a_longer_log"),
}


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
@pytest.mark.parametrize("how", FAILING)
async def test_a_witness_that_fails_is_told_of_once_and_holds_up_no_other(
    service: Witnessed, three: list[Loopback], client: WitnessClient, how: str
) -> None:
    fail, event, why = FAILING[how]
    bad = three[0]
    transport = Impatient(client, bad.url) if how == "late" else client
    cosigner = service.cosigner(policy_of(three, "quorum none"), transport)
    await fail(bad)  # type: ignore[operator]  # one of the functions above
    size = await service.grow(5)

    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            await cosigner.ask_all()

    assert names(service.stored()) == [f"{size} w2", f"{size} w3"]
    told = [line for line in lines if line.get("witness") == "w1"]
    assert [(line["event"], line["why"]) for line in told] == [(event, why)]
    assert told[0]["log_level"] == ("critical" if event == "witness_disagrees" else "warning")

    # It comes back: asked again, it signs, and that is told as well.
    bad.answer = None
    if how == "down":
        await bad.come_up()
    again = service.cosigner(policy_of(three, "quorum none"), client)
    again._told = cosigner._told
    with structlog.testing.capture_logs() as lines:
        await again.ask_all()
    assert names(service.stored()) == [f"{size} w1", f"{size} w2", f"{size} w3"]
    assert [line["event"] for line in lines] == ["witness_answers"]


async def test_a_log_that_was_put_back_is_not_cosigned(
    service: Witnessed, three: list[Loopback], client: WitnessClient, tmp_path: Path
) -> None:
    """An older copy of the database, grown anew: the witness has the longer, other history."""
    [one] = served = three[:1]
    cosigner = service.cosigner(policy_of(served, "quorum none"), client)
    await service.grow(4)
    await cosigner.ask_all()
    seen = one.state.latest(LOG.name)
    with service.log.raw() as raw:
        for table, column in (("entry", "idx"), ("head", "size - 1"), ("checkpoint", "size - 1")):
            raw.execute(f"delete from {table} where {column} >= 2")
    # The operators have the key, and a signer with a state that they made to fit.
    service.signer.close()
    service.signer = Signer(tmp_path / "forged.json", KEY, LOG.name)
    await service.signer.start(service.source, adopt=True)
    service.ledger = service.log.ledger()
    await service.ledger.start()
    await service.grow(6)
    forger = service.cosigner(policy_of(served, "quorum none"), client)

    with structlog.testing.capture_logs() as lines:
        await forger.ask_all()

    await service.ledger.close()
    assert [(line["event"], line["why"]) for line in lines] == [
        ("witness_disagrees", "saw_another_log")
    ]
    assert one.state.latest(LOG.name) == seen
    assert names(service.stored()) == ["4 w1"]


# -- the loop -------------------------------------------------------------------------


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_a_witness_that_fails_is_asked_less_and_less_often(
    service: Witnessed, three: list[Loopback], client: WitnessClient, tmp_path: Path
) -> None:
    one = three[0]
    await service.grow()
    cosigner = service.cosigner(policy_of([one], "quorum none"), client)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            one.answer = None
        if len(pauses) == 7:
            raise asyncio.CancelledError

    one.answer = lambda _body: _soon(Answer(500, ""))
    await cosign_forever(cosigner, OneOfHost(tmp_path / "lock"), pause=pause)

    assert pauses == [4.0, 8.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE, INTERVAL, INTERVAL]
    assert len(one.requests) == 6


async def _soon(answer: Answer) -> Answer:
    return answer


def test_one_process_of_a_host_asks_and_another_takes_over(tmp_path: Path) -> None:
    first, second = OneOfHost(tmp_path / "lock"), OneOfHost(tmp_path / "lock")

    assert first.take()
    assert first.take()
    assert not second.take()
    first.close()
    assert second.take()
    second.close()


# -- the table ------------------------------------------------------------------------


async def test_a_cosignature_is_of_a_checkpoint_and_stored_once(
    service: Witnessed, three: list[Loopback]
) -> None:
    size = await service.grow(2)
    one = cosign("text\n", "w", SigningKey.from_seed(bytes(32)), 7)

    await service.writer.put(size, one)
    await service.writer.put(size, one)
    with pytest.raises(LogUnavailable):
        await service.writer.put(size + 1, one)

    assert service.stored() == [(size, "w", 7)]
    # It was no cosignature of this checkpoint: whoever reads finds none.
    newest = await newest_checkpoint(service.reader, [LOG], [one.key])
    assert newest is not None
    assert newest.cosignatures == ()


@pytest.mark.parametrize(
    "statement",
    [
        "update cosignature set at = 9",
        "delete from cosignature",
        "insert into cosignature values (99, 'w', 7, 'x')",
    ],
)
@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_sqlite_keeps_cosignatures_as_they_are(service: Witnessed, statement: str) -> None:
    size = await service.grow()
    await service.writer.put(size, cosign("text\n", "w", SigningKey.from_seed(bytes(32)), 7))

    with pytest.raises(Exception, match=r"only grows|is new"):
        await service.log.as_owner(statement)
    with pytest.raises(Exception, match="is new"):
        await service.log.as_owner(
            "insert or replace into cosignature select size, witness, at, 'x' from cosignature"
        )
    assert service.stored() == [(size, "w", 7)]


@pytest.mark.parametrize("log", ["postgresql"], indirect=True)
async def test_on_postgresql_nobody_changes_a_cosignature(service: Witnessed) -> None:
    size = await service.grow()
    await service.writer.put(size, cosign("text\n", "w", SigningKey.from_seed(bytes(32)), 7))

    for statement in (
        "update cosignature set at = 9",
        "delete from cosignature",
        "truncate cosignature",
    ):
        with pytest.raises(asyncpg.RaiseError, match="only grows"):
            await service.log.as_owner(statement)
    assert service.log.database is not None
    for url in (service.log.database.service_url, service.log.database.log_reader_url):
        connection = await asyncpg.connect(libpq_url(url))
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(
                    "insert into accesslog.cosignature values (1, 'w', 8, 'x')"
                )
        finally:
            await connection.close()
    connection = await asyncpg.connect(libpq_url(service.log.database.log_reader_url))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("select accesslog.put_cosignature(1, 'w', 8, 'x')")
    finally:
        await connection.close()
    assert service.stored() == [(size, "w", 7)]


# -- the client -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        "witness.example",
        "ftp://witness.example",
        "http://witness.example",
        "https://user:password@witness.example",
        "https://witness.example/?x=1",
        "https://witness.example:0",
        "https://[witness",
    ],
)
def test_an_address_that_others_could_answer_at_is_refused(address: str) -> None:
    with pytest.raises(RefusesToStart, match="witness") as refused:
        WitnessClient([address])
    assert "password" not in str(refused.value)


def test_a_ca_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusesToStart, match="CA file"):
        WitnessClient([], tmp_path / "gone")


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_a_witness_is_asked_below_its_prefix(
    three: list[Loopback], client: WitnessClient
) -> None:
    reply = await client.add_checkpoint(f"{three[0].url}/", b"old 0\n")

    assert reply == Reply(400, b"The request is malformed.\n")
    await three[0].go_down()
    assert await client.add_checkpoint(three[0].url, b"") == Silence("unreachable")
