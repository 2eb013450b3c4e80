"""The signer on real databases."""

from base64 import b64encode
from pathlib import Path

import pytest

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.ledger import Ledger
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.verify import verify
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, RefusesToStart
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Say where the signer's state is."""
    return tmp_path / "signer.json"


async def test_checkpoints_of_a_real_log_are_signed_and_proven(
    log: Log, ledger: Ledger, reader: LogReader, path: Path
) -> None:
    source = log.source()
    await source.open()
    signer = Signer(path, KEY, ORIGIN)
    await signer.start(source)
    for number in range(3):
        await ledger.append(read_of(number))

    signed = await signer.sign(source)
    head = await source.state()
    await source.put_checkpoint(3, f"another/log\n3\n{b64encode(head.root).decode()}\n")
    await source.close()
    signer.close()

    assert signed is not None
    note = await reader.latest_checkpoint()
    assert note is not None
    assert open_checkpoint(note, [signer.verifier_key]) == signed
    assert (await reader.head()).root == signed.root


async def test_a_real_log_that_was_cut_refuses_to_start(
    log: Log, ledger: Ledger, path: Path
) -> None:
    source = log.source()
    await source.open()
    signer = Signer(path, KEY, ORIGIN)
    await signer.start(source)
    for number in range(3):
        await ledger.append(read_of(number))
    await signer.sign(source)
    signer.close()
    with log.raw() as raw:
        raw.execute("delete from entry where idx = 2")
        raw.execute("delete from head where size = 3")

    with pytest.raises(RefusesToStart, match="3 entries were signed for"):
        await Signer(path, KEY, ORIGIN).start(source)
    await source.close()


async def test_two_signers_on_two_hosts_say_the_same_of_a_log_that_grows(
    log: Log, ledger: Ledger, reader: LogReader, tmp_path: Path
) -> None:
    """A lock is of one host. Each follows the log by its own state, so neither can fork it."""
    source = log.source()
    await source.open()
    signers = [Signer(tmp_path / name, KEY, ORIGIN) for name in ("one", "other")]
    for signer in signers:
        await signer.start(source)
    for number in range(6):
        await ledger.append(read_of(number))
        for signer in signers[: 1 + number % 2]:
            await signer.sign(source)

    found = await verify(reader, [signers[0].verifier_key])
    assert (found.size, found.checkpoints) == (6, 6)
    for signer in signers:
        signer.close()
    await source.close()


async def test_a_second_signer_with_an_old_state_would_sign_a_log_that_was_cut_back(
    log: Log, ledger: Ledger, tmp_path: Path
) -> None:
    """What docs/operations.md warns of: only a witness sees this one."""
    source = log.source()
    await source.open()
    old, newest = (Signer(tmp_path / name, KEY, ORIGIN) for name in ("old", "newest"))
    await ledger.append(read_of(0))
    await old.start(source, adopt=True)
    await newest.start(source, adopt=True)
    await ledger.append(read_of(1))
    await newest.sign(source)
    with log.raw() as raw:
        raw.execute("delete from entry where idx = 1")
        raw.execute("delete from head where size = 2")
        raw.execute("delete from checkpoint")

    with pytest.raises(LogBroken):
        await newest.sign(source)
    signed = await old.sign(source)
    assert signed is not None
    assert signed.size == 1
    for signer in (old, newest):
        signer.close()
    await source.close()
