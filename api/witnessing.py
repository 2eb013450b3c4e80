"""What the settings say of witnesses: who is asked, what a quorum is, and who looks after it.

`cosigning` runs where checkpoints may be stored, `watching` in every process that serves.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

from api.accesslog.cosignature_store import CosignatureWriter
from api.accesslog.cosigning import Cosigner, OneOfHost, cosign_forever
from api.accesslog.quorum import QuorumWatch, watch_forever
from api.accesslog.reader import LogReader
from api.accesslog.witness_client import WitnessClient
from api.accesslog.witness_policy import WitnessPolicy
from api.database import engine_of
from api.errors import LogUnavailable, RefusesToStart
from api.log_signing import beside
from api.settings import Settings, SignerSettings


def witness_policy(settings: Settings | SignerSettings) -> WitnessPolicy | None:
    """Read the witness policy; None where the settings name none.

    Raises:
        RefusesToStart: it cannot be used, or does not name this log.
    """
    if settings.log_witness_policy is None:
        return None
    policy = WitnessPolicy.load(settings.log_witness_policy)
    if not any(key.name == settings.log_origin for key in policy.logs):
        raise RefusesToStart("The witness policy has no log line with a key of `log_origin`.")
    return policy


@asynccontextmanager
async def cosigning(settings: SignerSettings, now: Callable[[], datetime]) -> AsyncIterator[None]:
    """Have every new checkpoint cosigned while the block runs.

    Raises:
        RefusesToStart: the policy cannot be used, or the log cannot be read for proofs.
    """
    policy = witness_policy(settings)
    if policy is None:
        yield
        return
    if settings.log_reader_url is None:
        raise RefusesToStart("To ask witnesses, the signer needs `log_reader_url`, too.")
    async with AsyncExitStack() as closing:
        reading = engine_of(settings.log_reader_url.get_secret_value())
        closing.push_async_callback(reading.dispose)
        addresses = [one.url for one in policy.witnesses if one.url is not None]
        client = WitnessClient(addresses, settings.log_witness_ca_file)
        closing.push_async_callback(client.close)
        # The role that puts checkpoints puts cosignatures, too.
        engine = engine_of(settings.url)
        closing.push_async_callback(engine.dispose)
        cosigner = Cosigner(LogReader(reading), CosignatureWriter(engine), policy, client, now)
        lock = OneOfHost(settings.log_state.with_name(f"{settings.log_state.name}.witnesses"))
        await closing.enter_async_context(beside(cosign_forever(cosigner, lock)))
        yield


@asynccontextmanager
async def watching(
    settings: Settings, log: LogReader, now: Callable[[], datetime]
) -> AsyncIterator[QuorumWatch | None]:
    """Watch the quorum while the block runs; None where there is no policy.

    Raises:
        RefusesToStart: the policy cannot be used, or the log has no place for cosignatures.
    """
    policy = witness_policy(settings)
    if policy is None:
        yield None
        return
    watch = QuorumWatch(log, policy, now, timedelta(minutes=settings.unwitnessed_minutes))
    try:
        await watch.look()
    except LogUnavailable:
        raise RefusesToStart(
            "The access log does not answer, or has no place for cosignatures yet. "
            "Check its address in the settings, and run `perisai migrate`."
        ) from None
    async with beside(watch_forever(watch)):
        yield watch
