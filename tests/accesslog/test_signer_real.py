"""The signer on real databases."""

from base64 import b64encode
from pathlib import Path

import pytest

from api.accesslog.checkpoint import open_checkpoint
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.crypto.signatures import SigningKey
from api.errors import RefusesToStart
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
    source: Writer = log.writer()
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
    source = log.writer()
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
