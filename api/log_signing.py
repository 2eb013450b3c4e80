"""Who signs the log's checkpoints: this process, beside its work, or `perisai log sign`.

`signing` is what a house stands on, wherever the signer is. Nothing is served before
the log was compared with what was signed for, and nothing opens when checkpoints stay
away. Where another process signs, this one loads no signing key and touches no state.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

import structlog

from api.accesslog.checkpoint_watch import CheckpointWatch
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer, Source, sign_forever
from api.errors import LogBroken, PerisaiError
from api.log_settings import known_keys, log_source, signer_of
from api.settings import Settings, SignerSettings

_log = structlog.get_logger("perisai.log")


@asynccontextmanager
async def signing(
    settings: Settings, log: LogReader, now: Callable[[], datetime]
) -> AsyncIterator[CheckpointWatch]:
    """Have checkpoints signed and watch that they follow *log*, while the block runs.

    A ledger opened inside is closed before the last checkpoint is signed, which so
    holds the last event of this process.

    Raises:
        LogNotContinued: the log is not, or no longer, what was signed for.
        RefusesToStart: a key or a state cannot be used.
    """
    watch = CheckpointWatch(
        log,
        known_keys(settings),
        alarm=settings.log_checkpoint_alarm,
        limit=settings.log_checkpoint_limit,
    )
    async with AsyncExitStack() as closing:
        if settings.log_signer == "embedded":
            await closing.enter_async_context(signer_at_work(settings.signer(), watch.broken))
        else:
            await watch.start(now)
        await closing.enter_async_context(beside(watch.look_forever()))
        yield watch


@asynccontextmanager
async def signer_at_work(
    settings: SignerSettings, broken: Callable[[LogBroken], None], *, alone: bool = False
) -> AsyncIterator[None]:
    """Sign in a task of its own while the block runs, and once more at its end.

    Args:
        broken: called once if the log no longer continues what was signed for; then
            nothing is signed any more.
        alone: refuse where another process of this host signs; else take over from it.

    Raises:
        LogNotContinued, RefusesToStart: as `Signer.start` does.
    """
    # The signer has a connection of its own: it never makes an event wait.
    source = log_source(settings.url)
    async with AsyncExitStack() as closing:
        await source.open()
        closing.push_async_callback(source.close)
        signer = signer_of(settings)
        closing.callback(signer.close)
        await signer.start(source, alone=alone)
        task = asyncio.create_task(sign_forever(signer, source, broken=broken), name="signer")
        closing.push_async_callback(_end, task, signer, source)
        yield


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do *work* while the block runs."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await _cancelled(task)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


async def _end(task: "asyncio.Task[None]", signer: Signer, source: Source) -> None:
    """Stop signing, after one checkpoint more: it holds the last event before the end."""
    await _cancelled(task)
    try:
        await signer.sign(source)
    except (PerisaiError, OSError) as error:
        _log.error("checkpoint_not_signed", error=type(error).__name__)
