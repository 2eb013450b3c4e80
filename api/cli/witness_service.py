"""A witness as a service of its own: its settings, and what answers over HTTP.

It holds one signing key, one small file of what it has seen, and nothing of any agency.
"""

import asyncio
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.accesslog.note import VerifierKey
from api.accesslog.witness import MAX_REQUEST, TEXT, Answer, Witness
from api.accesslog.witness_state import WitnessState
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid, RefusesToStart, WitnessUnavailable
from api.logs import configure_logs
from api.process import leave_nothing

#: Names the settings file for the process that a server starts.
CONFIG: Final = "PERISAI_WITNESS_CONFIG"
#: Seconds for the bytes of a request to come.
READING_LIMIT: Final = 10.0

_log = structlog.get_logger("perisai.witness")


class LogSettings(BaseModel):
    """One log that is cosigned: its origin, and the verifier keys that sign for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    keys: tuple[str, ...] = Field(min_length=1)


class WitnessSettings(BaseModel):
    """The settings of one witness.

    Attributes:
        name: under which it cosigns; never changes.
        key: path of its Ed25519 key.
        state: path of what it has seen; never restored over a newer one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    key: Path
    state: Path
    logs: tuple[LogSettings, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8464

    def verifier_keys(self) -> list[VerifierKey]:
        """Give the keys of the logs.

        Raises:
            RefusesToStart: one is malformed, or is not of the origin that it is listed under.
        """
        keys = []
        for log in self.logs:
            for text in log.keys:
                try:
                    key = VerifierKey.parse(text)
                except NoteInvalid:
                    raise RefusesToStart("A listed key of a log is no verifier key.") from None
                if key.name != log.origin:
                    raise RefusesToStart("A listed key of a log is not of its origin.")
                keys.append(key)
        return keys

    def witness(self, state: WitnessState, now: Callable[[], datetime]) -> Witness:
        """Make the witness that answers from *state*.

        Raises:
            RefusesToStart: something of the settings cannot be used.
        """
        return Witness(self.name, SigningKey.load(self.key), self.verifier_keys(), state, now)


def read_witness_settings(path: Path) -> WitnessSettings:
    """Read the settings of a witness.

    Raises:
        RefusesToStart: names each setting that is missing or unusable, never a value.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Malformed TOML is a ValueError, too.
        raise RefusesToStart(f"The witness settings {path} cannot be read as TOML.") from None
    try:
        return WitnessSettings.model_validate(content)
    except ValidationError as error:
        names = sorted({".".join(map(str, e["loc"])) for e in error.errors()})
        raise RefusesToStart(
            f"These settings of the witness are missing or unusable: {', '.join(names)}. "
            "See docs/operations.md."
        ) from None


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def create_app(
    settings: WitnessSettings | None = None,
    now: Callable[[], datetime] = utc_now,
    log_to: TextIO | None = None,
    reading_limit: float = READING_LIMIT,
) -> Starlette:
    """Make the service. Servers call it without arguments: settings are then read once.

    Args:
        log_to: where the service's own log goes; else to stderr.
        reading_limit: seconds for the bytes of a request to come.

    Raises:
        RefusesToStart: a setting or a state under which it would be unsafe to cosign.
    """
    if settings is None:
        leave_nothing()  # The process is the server's, so what holds for all of it may be set.
        settings = read_witness_settings(Path(os.environ.get(CONFIG, "")))
    configure_logs(log_to or sys.stderr)
    state = WitnessState(settings.state)
    witness = settings.witness(state, now)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            state.close()

    async def add_checkpoint(request: Request) -> Response:
        answer = await _answer(witness, request, reading_limit)
        _log.info("add_checkpoint", status=answer.status)
        # Starlette would add a charset to the kind; C2SP names it without.
        return Response(answer.text, answer.status, {"content-type": answer.media_type})

    async def healthy(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/healthz", healthy),
        ],
        lifespan=lifespan,
    )


async def _answer(witness: Witness, request: Request, reading_limit: float) -> Answer:
    body = bytearray()
    try:
        async with asyncio.timeout(reading_limit):
            async for part in request.stream():
                body += part
                if len(body) > MAX_REQUEST:
                    return Answer(413, "The request is over 64 KiB.\n", TEXT)
    except (TimeoutError, ClientDisconnect):
        return Answer(408, "The request did not come in time.\n", TEXT)
    try:
        # Apart from the loop: it waits for the disk.
        return await asyncio.to_thread(witness.add_checkpoint, bytes(body))
    except WitnessUnavailable as error:
        _log.error("witness_state_failed", error=type(error).__name__)
        return Answer(error.status, f"{error}\n", TEXT)
