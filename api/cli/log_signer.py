"""The signer of the log's checkpoints as a process of its own."""

import asyncio
import signal
import sys

import structlog

from api.accesslog.signer_state import read_state
from api.app import utc_now
from api.cli.terminal import one_line, run, signer_settings_or_demo
from api.errors import LogBroken
from api.log_signing import signer_at_work
from api.logs import configure_logs
from api.settings import SignerSettings
from api.witnessing import cosigning

_log = structlog.get_logger("perisai.log")


def sign() -> None:
    """Sign the log's checkpoints until SIGTERM, and once more at the end; have them cosigned.

    Needs the signing key, the signer's state and the log's database; no key of an agency
    and no records. Exit status 2 if the log does not continue what was signed for.
    """
    configure_logs(sys.stderr)
    with one_line():
        settings = signer_settings_or_demo()
    run(_sign(settings))


async def _sign(settings: SignerSettings) -> None:
    ended = asyncio.Event()
    found: list[LogBroken] = []

    def broken(error: LogBroken) -> None:
        found.append(error)
        ended.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with signer_at_work(settings, broken, alone=True), cosigning(settings, utc_now):
        state = read_state(settings.log_state, settings.log_origin)
        _log.info("signer_ready", size=0 if state is None else state.size)
        await ended.wait()
    if found:
        raise found[0]
    _log.info("signer_ended")
