"""The service's side of witnessing: every new checkpoint is shown to every witness.

It looks for the newest stored checkpoint, whoever signed it, so that it needs no part
of the signer. Each witness is asked by itself: one that is slow or down holds up no
other. What a witness says is checked before it is stored, and nothing that it says
stops the service by itself: that is for the quorum.
"""

import asyncio
import base64
import fcntl
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from api.accesslog.checkpoint import MAX_SIZE
from api.accesslog.cosignature import Cosignature, cosignatures, text_of
from api.accesslog.cosignature_store import CosignatureWriter, Cosigned, newest_checkpoint
from api.accesslog.quorum import CLOCK_LEEWAY
from api.accesslog.reader import LogReader
from api.accesslog.witness_client import Reply, Silence
from api.accesslog.witness_policy import PolicyWitness, WitnessPolicy
from api.errors import NoteInvalid, PerisaiError

#: Seconds between two looks for a new checkpoint.
INTERVAL: Final = 2.0
#: Seconds, at most, until a witness that failed is asked again.
LONGEST_PAUSE: Final = 16.0
#: A log that does not grow is shown again after this time: who never answers is noticed.
REFRESH: Final = timedelta(minutes=2)
#: Requests for one checkpoint: with a guess, with the size that was answered, and once more
#: if another process came between.
_TRIES: Final = 3

_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n?\Z")

_log = structlog.get_logger("perisai.witnesses")


class Transport(Protocol):
    """What carries a request to a witness; `WitnessClient` does, over HTTP."""

    async def add_checkpoint(self, url: str, body: bytes) -> Reply | Silence:
        """Ask the witness at *url* to cosign."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A witness did not cosign.

    Attributes:
        why: a word for the service's log.
        disagrees: it saw another log under our name, or a longer one.
    """

    why: str
    disagrees: bool = False


class Cosigner:
    """Asks the witnesses of *policy* to cosign what *reader* finds, and stores it by *writer*."""

    def __init__(
        self,
        reader: LogReader,
        writer: CosignatureWriter,
        policy: WitnessPolicy,
        transport: Transport,
        now: Callable[[], datetime],
    ) -> None:
        """Ask nobody yet."""
        self._reader = reader
        self._writer = writer
        self._policy = policy
        self._transport = transport
        self._now = now
        #: Name of a witness -> the size that it has, as far as we know; a guess costs a try.
        self._sizes: dict[str, int] = {}
        #: Name of a witness -> what was last told of it.
        self._told: dict[str, Failed | None] = {}

    async def ask_all(self) -> None:
        """Let every witness have one turn."""
        await asyncio.gather(*(self.turn(one) for one in self.asked))

    @property
    def asked(self) -> list[PolicyWitness]:
        """The witnesses that have an address."""
        return [one for one in self._policy.witnesses if one.url is not None]

    async def turn(self, witness: PolicyWitness) -> bool:
        """Show *witness* the newest checkpoint, unless it cosigned that lately.

        Tells whether all is well with it. What failed is in the service's log, once until
        it changes.
        """
        try:
            failed = await self._turn(witness)
        except PerisaiError as error:
            _log.error("cosignature_not_stored", witness=witness.name, error=type(error).__name__)
            return False
        if failed != self._told.get(witness.name):
            if failed is None:
                _log.info("witness_answers", witness=witness.name)
            elif failed.disagrees:
                _log.critical("witness_disagrees", witness=witness.name, why=failed.why)
            else:
                _log.warning("witness_failed", witness=witness.name, why=failed.why)
            self._told[witness.name] = failed
        return failed is None

    async def _turn(self, witness: PolicyWitness) -> Failed | None:
        newest = await newest_checkpoint(self._reader, self._policy.logs, [witness.key])
        if newest is None:
            return None
        size = newest.checkpoint.size
        if newest.cosignatures:
            self._sizes.setdefault(witness.name, size)
            last = max(one.at for one in newest.cosignatures)
            if self._now().timestamp() - last < REFRESH.total_seconds():
                return self._told.get(witness.name)
        old = min(self._sizes.get(witness.name, 0), size)
        for _ in range(_TRIES):
            reply = await self._transport.add_checkpoint(
                witness.url or "", await self._request(old, newest)
            )
            if isinstance(reply, Silence):
                return Failed(reply.why)
            if reply.status == 200:
                return await self._keep(witness, newest, reply.body)
            if reply.status == 422:
                return Failed("saw_another_log", disagrees=True)
            if reply.status != 409:
                return Failed(f"status_{reply.status}")
            told = _size_of(reply.body)
            if told is None:
                return Failed("malformed")
            if told > size:
                return await self._longer(told)
            if told == old:
                return Failed("saw_another_log", disagrees=True)
            old = told
        return Failed("conflicts")

    async def _request(self, old: int, newest: Cosigned) -> bytes:
        proof = await self._reader.consistency(old, newest.checkpoint.size)
        lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof), ""]
        return ("\n".join(lines) + "\n" + newest.note).encode()

    async def _keep(self, witness: PolicyWitness, newest: Cosigned, body: bytes) -> Failed | None:
        found = self._cosignature(witness, newest, body)
        if isinstance(found, Failed):
            return found
        await self._writer.put(newest.checkpoint.size, found)
        self._sizes[witness.name] = newest.checkpoint.size
        return None

    def _cosignature(
        self, witness: PolicyWitness, newest: Cosigned, body: bytes
    ) -> Cosignature | Failed:
        try:
            found = cosignatures(text_of(newest.note), body.decode("utf-8"), [witness.key])
        except (NoteInvalid, UnicodeDecodeError):
            return Failed("signature_does_not_hold")
        if not found:
            return Failed("did_not_sign")
        one = max(found, key=lambda one: one.at)
        if one.at > (self._now() + CLOCK_LEEWAY).timestamp():
            return Failed("clock_ahead")
        return one

    async def _longer(self, told: int) -> Failed | None:
        """Look again: another process may have shown it a newer checkpoint meanwhile."""
        newest = await newest_checkpoint(self._reader, self._policy.logs, [])
        if newest is not None and newest.checkpoint.size >= told:
            return None
        return Failed("saw_a_longer_log", disagrees=True)


def _size_of(body: bytes) -> int | None:
    match = _SIZE.match(body)
    return None if match is None or int(match[1]) > MAX_SIZE else int(match[1])


class OneOfHost:
    """A lock on the file *path*: one process of a host asks, another takes over when it ends."""

    def __init__(self, path: Path) -> None:
        """Take nothing yet."""
        self._path = path
        self._lock: int | None = None

    def take(self) -> bool:
        """Tell whether this process is the one.

        Raises:
            OSError: the file cannot be made.
        """
        if self._lock is not None:
            return True
        lock = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def close(self) -> None:
        """Let another process be the one."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


async def cosign_forever(
    cosigner: Cosigner,
    lock: OneOfHost,
    *,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Ask every witness until cancelled, while this process is the one of its host."""
    try:
        async with asyncio.TaskGroup() as group:
            for witness in cosigner.asked:
                group.create_task(_ask_forever(cosigner, witness, lock, pause))
    finally:
        lock.close()


async def _ask_forever(
    cosigner: Cosigner,
    witness: PolicyWitness,
    lock: OneOfHost,
    pause: Callable[[float], Awaitable[object]],
) -> None:
    seconds = INTERVAL
    while True:
        try:
            well = not lock.take() or await cosigner.turn(witness)
        except OSError as error:
            _log.error("cosignature_not_stored", witness=witness.name, error=type(error).__name__)
            well = False
        seconds = INTERVAL if well else min(2 * seconds, LONGEST_PAUSE)
        await pause(seconds)
