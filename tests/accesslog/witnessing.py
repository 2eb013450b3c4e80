"""A real log that grows and is signed, and the service's side of witnessing it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.accesslog.cosignature_store import CosignatureWriter
from api.accesslog.cosigning import Cosigner, Transport
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.quorum import QuorumWatch
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer
from api.accesslog.witness_policy import WitnessPolicy
from api.crypto.signatures import SigningKey
from api.database import engine_of
from tests.accesslog.conftest import Log
from tests.accesslog.events import read_of
from tests.loopback import Loopback
from tests.world import Clock

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "perisai.example/log"
LOG = VerifierKey(ORIGIN, ED25519, KEY.public)
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=10)


def policy_of(served: Iterable[Loopback], rule: str) -> WitnessPolicy:
    """Give a policy over *served* witnesses; *rule* is its last lines."""
    lines = "".join(one.line for one in served)
    return WitnessPolicy.parse(f"log {LOG}\n{lines}{rule}\n")


@dataclass
class Witnessed:
    """A log with its signer, and what asks the witnesses and watches them."""

    log: Log
    ledger: Ledger
    reader: LogReader
    signer: Signer
    source: Writer
    writer: CosignatureWriter
    clock: Clock

    async def grow(self, events: int = 1) -> int:
        """Append events and sign for them; give the size."""
        for number in range(events):
            await self.ledger.append(read_of(number))
        signed = await self.signer.sign(self.source)
        assert signed is not None
        return signed.size

    def cosigner(self, policy: WitnessPolicy, client: Transport) -> Cosigner:
        return Cosigner(self.reader, self.writer, policy, client, self.clock)

    def watch(self, policy: WitnessPolicy) -> QuorumWatch:
        return QuorumWatch(self.reader, policy, self.clock, LIMIT)

    def stored(self) -> Sequence[tuple[object, ...]]:
        """Give size, witness and moment of the cosignatures, in order."""
        with self.log.raw() as raw:
            return raw.rows("select size, witness, at from cosignature order by 1, 2, 3")


@asynccontextmanager
async def witnessed(
    log: Log, ledger: Ledger, reader: LogReader, folder: Path
) -> AsyncIterator[Witnessed]:
    """Put everything around the log that witnessing needs, on its database."""
    source = log.source()
    await source.open()
    signer = Signer(folder / "signer.json", KEY, ORIGIN)
    await signer.start(source)
    service = log.reader_url if log.database is None else log.database.log_signer_url
    engine = engine_of(service)
    try:
        yield Witnessed(log, ledger, reader, signer, source, CosignatureWriter(engine), Clock(NOON))
    finally:
        await engine.dispose()
        signer.close()
        await source.close()
