"""The composition root: settings become engines, keyring, gate, ledger and, last, a service.

`open_house` makes everything that casework needs and closes it again; the service
and the operators' commands both stand on it. Nothing is served before the log
was compared with what was signed for.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

import structlog
from sqlalchemy.engine import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from api.accesslog.event import Event
from api.accesslog.ledger import Ledger, Writer
from api.accesslog.ledger_postgresql import PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.reader import LogReader
from api.accesslog.signer import Signer, sign_forever
from api.casework.house import House
from api.casework.sign_in import Refusals
from api.code_lists import load
from api.crypto.file_key_service import FileKeyService
from api.crypto.keyring import Keyring
from api.crypto.signatures import SigningKey
from api.database import Records, engine_of
from api.errors import PerisaiError, RefusesToStart
from api.identity.jwks import JwksSource
from api.identity.sign_in import SignIn
from api.identity.tokens import Issuer, TokenVerifier
from api.logs import configure_logs
from api.migrations import check_revision
from api.policies.engine import Policy
from api.policies.gate import Gate
from api.schema.context import Context
from api.schema.faces import schema_of
from api.schema.http import Face
from api.settings import Settings, read_settings
from api.store import key_wraps
from api.vocabulary import Action, Decision, Organisation, Phase

_log = structlog.get_logger("perisai.app")

#: How far the clocks of two processes of one service may be apart.
CLOCK_LEEWAY = timedelta(minutes=2)


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def passphrase(settings: Settings) -> str:
    """Read the passphrase of the key file.

    Raises:
        RefusesToStart: it cannot be read, or others can read it too.
    """
    path = settings.key_passphrase_file
    try:
        if path.stat().st_mode & 0o077:
            raise RefusesToStart(f"The passphrase file {path} is open to others: chmod 600 it.")
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise RefusesToStart(
            f"The passphrase file {settings.key_passphrase_file} cannot be read."
        ) from None


def key_service(settings: Settings) -> FileKeyService:
    """Open the key file, for the owners of this process only.

    Raises:
        RefusesToStart: it does not open.
    """
    return FileKeyService.open(settings.key_file, passphrase(settings), settings.owners)


def log_writer(url: str) -> Writer:
    """Give the writer of the access log at *url*."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteWriter(Path(parsed.database or ""))
    return PostgresqlWriter(url)


@asynccontextmanager
async def open_house(
    settings: Settings, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[House]:
    """Open everything; close it at the end, whatever happened.

    Raises:
        RefusesToStart: a setting or a state under which serving would be unsafe.
    """
    async with AsyncExitStack() as closing:
        engine = engine_of(settings.records_url.get_secret_value())
        records = Records(engine)
        closing.push_async_callback(records.close)
        await check_revision(records)
        service = key_service(settings)
        async with records.snapshot() as snapshot:
            secrets = await key_wraps.secrets_of(snapshot, settings.owners)
        keyring = await Keyring.start(service, secrets)
        missing = sorted(set(settings.owners) - keyring.owners)
        if missing:
            raise RefusesToStart(
                f"These owners are not in the database yet: {', '.join(missing)}. "
                "Add each with `perisai organisations add`."
            )
        reader_engine = engine_of(settings.log_reader_url.get_secret_value())
        closing.push_async_callback(reader_engine.dispose)
        log_url = settings.log_url.get_secret_value()
        # The signer has a connection of its own: it never makes an event wait.
        source = log_writer(log_url)
        await source.open()
        closing.push_async_callback(source.close)
        signer = Signer(
            settings.log_state, SigningKey.load(settings.log_signing_key), settings.log_origin
        )
        await signer.start(source)
        closing.callback(signer.close)
        log = LogReader(reader_engine)
        await _clock_is_right(log, now)
        ledger = Ledger(log_writer(log_url))
        await ledger.start()
        signing = asyncio.create_task(
            sign_forever(signer, source, broken=lambda _: ledger.shut()), name="signer"
        )
        closing.push_async_callback(_end, signing, signer, source)
        closing.push_async_callback(ledger.close)
        gate = Gate(Policy.shipped())
        house = House(records, keyring, gate, ledger, log, load(), now)
        await ledger.append(_started(house))
        yield house


async def _clock_is_right(log: LogReader, now: Callable[[], datetime]) -> None:
    """Refuse a clock that is behind the log: what had ended would open again."""
    size = (await log.head()).size
    newest = await log.event(size - 1) if size else None
    if newest is not None and now() < newest.at - CLOCK_LEEWAY:
        raise RefusesToStart(
            f"The clock says {now():%Y-%m-%d %H:%M}, but the access log has an event of "
            f"{newest.at:%Y-%m-%d %H:%M}. Set the clock."
        )


async def _end(signing: "asyncio.Task[None]", signer: Signer, source: Writer) -> None:
    """Stop signing, after one checkpoint more: it holds the last event of this process."""
    signing.cancel()
    await asyncio.wait([signing])
    try:
        await signer.sign(source)
    except (PerisaiError, OSError) as error:
        _log.error("checkpoint_not_signed", error=type(error).__name__)


def _started(house: House) -> Event:
    return Event(
        at=house.now(),
        request="start",
        actor=None,
        organisation=None,
        role=None,
        action=Action.START,
        phase=Phase.WHOLE,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=(),
    )


class _Door:
    """One face's place in the routes; it answers once the house is open, and says so."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.face: Face | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.face is None:
            raise RuntimeError("a request came before the service was open")
        start = time.perf_counter()
        said: dict[str, object] = {}

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                said["status"] = message["status"]
                said["request"] = dict(message["headers"]).get(b"x-request-id", b"").decode()
            await send(message)

        await self.face(scope, receive, noting)
        ms = round((time.perf_counter() - start) * 1000, 1)
        _log.info("request", face=self._name, ms=ms, **said)


def create_app(
    settings: Settings | None = None,
    now: Callable[[], datetime] = utc_now,
    log_to: TextIO | None = None,
) -> Starlette:
    """Make the service. Servers call it without arguments: settings are then read once.

    Args:
        log_to: where the service's own log goes; else to stderr.

    Raises:
        RefusesToStart: the settings are incomplete; or, when the service starts, a
            state under which serving would be unsafe.
    """
    chosen = read_settings() if settings is None else settings
    configure_logs(log_to or sys.stderr)
    doors: dict[str, _Door] = {face: _Door(face) for face in chosen.faces}
    opened: list[House] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with open_house(chosen, now) as house:
            opened.append(house)
            for name, face in faces_of(house, chosen, now).items():
                doors[name].face = face
            yield

    async def healthy(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_request: Request) -> Response:
        try:
            for house in opened:
                await house.records.health()
                await house.ledger.health()
        except PerisaiError as error:
            return JSONResponse({"status": "not ready", "code": error.code}, 503)
        return JSONResponse({"status": "ready"})

    routes: list[BaseRoute] = [Route("/healthz", healthy), Route("/readyz", ready)]
    routes += [Route(f"/graphql/{name}", door, methods=None) for name, door in doors.items()]
    return Starlette(routes=routes, lifespan=lifespan)


def faces_of(house: House, settings: Settings, now: Callable[[], datetime]) -> dict[str, Face]:
    """Make the faces that *settings* name, all with one verifier and one count of refusals."""
    verifier = TokenVerifier(
        [Issuer(i.url, Organisation(i.organisation), JwksSource(i.jwks)) for i in settings.issuers],
        settings.audience,
        now,
    )
    refusals = Refusals(house)
    return {
        name: Face(
            schema_of(name),
            authenticate=SignIn(house, verifier, name, refusals),
            make_context=lambda caller, _request: Context(house, caller),
        )
        for name in settings.faces
    }
