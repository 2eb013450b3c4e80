"""The composition root: settings become engines, keyring, gate, ledger and, last, a service.

`open_house` makes everything that casework needs and closes it again; the service
and the operators' commands both stand on it. Nothing is served before the log
was compared with what was signed for.
"""

import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.accesslog.reader import LogReader
from api.accesslog.watched_ledger import WatchedLedger
from api.casework import (
    alert_deliveries,
    break_glass_watch,
    erasure_replay,
    idempotency_keys,
    key_use,
    operations,
    policy_change,
    unfinished,
)
from api.casework.alert_watch import AlertWatch
from api.casework.budgets import Budgets
from api.casework.clock_watch import ClockWatch
from api.casework.explained import Explained
from api.casework.heartbeat import Heartbeat
from api.casework.house import House
from api.casework.match_limits import MatchLimits
from api.casework.match_settling import settle_matches_forever
from api.casework.policy_in_force import PolicyInForce
from api.casework.reconciliation import Reconciliation
from api.casework.recording import event_of_service
from api.casework.sharing import settle_forever
from api.casework.sign_in import Refusals
from api.casework.strong_sign_in import StrongSignIn
from api.casework.used_proofs import UsedProofs
from api.code_lists import CodeLists, load
from api.console_settings import CONSOLE, browsers_of, console_of
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_service import KeyKind, KeyService
from api.crypto.keyring import Keyring
from api.crypto.opened_keys import OpenedKeys
from api.crypto.refreshing import refresh_forever
from api.database import Records, engine_of
from api.errors import PerisaiError, RefusesToStart
from api.front_settings import around, documents_of, terms_of
from api.identity.jwks import JwksSource
from api.identity.sign_in import BROWSED, Door, SignIn
from api.identity.tokens import Issuer, TokenVerifier
from api.key_settings import key_file_path, openbao, passphrase
from api.log_settings import log_writer
from api.log_signing import beside, signing
from api.logs import configure_logs
from api.migrations import check_log_revision, check_revision
from api.policies.gate import Gate
from api.policy_settings import policy_signers
from api.process import keep_what_is_here, leave_nothing, when_told_to_end
from api.schema.attachments import ADD, READ, Attachments
from api.schema.context import Exchange
from api.schema.faces import schema_of
from api.schema.http import Face, Terms
from api.schema.imports import IMPORTS, Imports
from api.settings import Settings, read_settings
from api.store import key_wraps
from api.vocabulary import Action, Organisation
from api.webhooks import webhooks_of
from api.witnessing import cosigning, watching

_log = structlog.get_logger("perisai.app")

#: How often a process looks what referrals leave to do for its agencies: the longest that
#: the keys of an accepted referral are on their way.
SETTLE_EVERY = timedelta(seconds=2)

#: How far the clocks of two processes of one service may be apart.
CLOCK_LEEWAY = timedelta(minutes=2)


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def key_service(settings: Settings, now: Callable[[], datetime] = utc_now) -> KeyService:
    """Give the key service of the settings, for the owners of this process only.

    Whoever asks closes it. Of `openbao` nothing is asked yet; `refresh` does.

    Raises:
        RefusesToStart: the key file does not open, or a setting cannot be used.
    """
    if settings.key_service == "openbao":
        return OpenedKeys(openbao(settings), seconds=settings.key_cache_seconds)
    return FileKeyService.open(
        key_file_path(settings), partial(passphrase, settings), settings.owners, now=now
    )


@asynccontextmanager
async def open_house(
    settings: Settings, now: Callable[[], datetime] = utc_now, *, replaying: bool = False
) -> AsyncIterator[House]:
    """Open everything; close it at the end, whatever happened.

    Args:
        replaying: to erase again what a restored database brought back; else that is refused.

    Raises:
        RefusesToStart: a setting or a state under which serving would be unsafe.
    """
    async with AsyncExitStack() as closing:
        engine = engine_of(settings.records_url.get_secret_value())
        records = Records(engine)
        closing.push_async_callback(records.close)
        await check_revision(records)
        service = key_service(settings, now)
        closing.push_async_callback(service.close)
        await service.refresh()
        async with records.snapshot() as snapshot:
            secrets = await key_wraps.secrets_of(snapshot, settings.owners)
        keyring = await Keyring.start(service, secrets)
        explained = Explained()
        for secret in secrets:
            explained.add(secret.owner, 1)
        missing = sorted(set(settings.owners) - keyring.owners)
        if missing:
            raise RefusesToStart(
                f"These owners are not in the database yet: {', '.join(missing)}. "
                "Add each with `perisai organisations add`."
            )
        reader_engine = engine_of(settings.log_reader_url.get_secret_value())
        closing.push_async_callback(reader_engine.dispose)
        await check_log_revision(reader_engine)
        log = LogReader(reader_engine)
        watch = await closing.enter_async_context(signing(settings, log, now))
        await _clock_is_right(log, now)
        ledger = WatchedLedger(log_writer(settings.log_url.get_secret_value()), watch)
        await ledger.start()
        closing.push_async_callback(ledger.close)
        await closing.enter_async_context(beside(refresh_forever(service)))
        if settings.log_signer == "embedded":
            await closing.enter_async_context(cosigning(settings.signer(), now))
        witnesses = await closing.enter_async_context(watching(settings, log, now))
        policies, in_force = await PolicyInForce.start(records, log, policy_signers(settings))
        gate = Gate(
            in_force,
            witnessed=(lambda: True) if witnesses is None else witnesses.witnessed,
            unwitnessed_stops=settings.unwitnessed_stops,
        )
        strong = StrongSignIn(
            settings.strong_acr, timedelta(minutes=settings.strong_sign_in_minutes)
        )
        budgets = Budgets(
            settings.openings_per_caller, settings.openings_per_process, settings.openings_alarm
        )
        house = House(
            records,
            keyring,
            gate,
            ledger,
            log,
            code_lists(settings),
            now,
            witnesses,
            budgets,
            explained,
            policies,
            strong,
            emergency_quorum=settings.emergency_quorum,
            matches=MatchLimits(settings.matches_per_member, settings.matches_per_agency),
            merge_undo=timedelta(days=settings.merge_undo_days),
        )
        if not replaying:
            erased = await erasure_replay.searched(log)
            await erasure_replay.check(records, erased)
            await erasure_replay.finish(house, erased)
        await operations.tell(house, _noted(settings))
        await policy_change.tell_at_start(house, policies.signed.words if policies.signed else ())
        await unfinished.finish(house)
        started = await ledger.append(
            event_of_service(Action.START, now(), request="start", policy=house.gate.policy_hash)
        )
        if settings.log_signer == "process":
            # Only a signer that accepts this log signs for it: one that was restored from
            # a backup, with its checkpoints, is not served.
            await watch.covered(started + 1)
        yield house


def code_lists(settings: Settings) -> CodeLists:
    """Give the code lists, with the lengths of clocks that the settings say.

    Raises:
        RefusesToStart: of a clock that is not there, or longer than the law lets it be.
    """
    try:
        return load().with_hours({one.code: one.hours for one in settings.clocks})
    except (KeyError, ValueError):
        raise RefusesToStart(
            "A length in `clocks` is of no clock that has one, or longer than the law says."
        ) from None


def _noted(settings: Settings) -> list[Path]:
    """Name the files beside which operators' commands note what no log could take yet."""
    return [path for path in (settings.log_state, settings.key_file) if path is not None]


@asynccontextmanager
async def telling_key_use(
    house: House, kinds: Sequence[KeyKind] = tuple(KeyKind)
) -> AsyncIterator[None]:
    """Say, while the block runs, which versions of the keys of *kinds* this process uses.

    Raises:
        KeysUnavailable, StoreUnavailable: it cannot be said, so the block does not begin.
    """
    process = uuid4()
    await key_use.tell(house, process, kinds)
    try:
        async with beside(key_use.tell_forever(house, process, kinds)):
            yield
    finally:
        await key_use.forget(house, process)


async def _clock_is_right(log: LogReader, now: Callable[[], datetime]) -> None:
    """Refuse a clock that is behind the log: what had ended would open again."""
    size = (await log.head()).size
    newest = await log.event(size - 1) if size else None
    if newest is not None and now() < newest.at - CLOCK_LEEWAY:
        raise RefusesToStart(
            f"The clock says {now():%Y-%m-%d %H:%M}, but the access log has an event of "
            f"{newest.at:%Y-%m-%d %H:%M}. Set the clock."
        )


class _Door:
    """One address in the routes; it answers once the house is open, and says so."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.face: ASGIApp | None = None

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
    settle_every: timedelta | None = SETTLE_EVERY,
) -> Starlette:
    """Make the service. Servers call it without arguments: settings are then read once.

    Args:
        log_to: where the service's own log goes; else to stderr.
        settle_every: how often it looks after referrals; None: whoever calls does, and
            nothing else happens by itself either: no heartbeat, no look at the clock.

    Raises:
        RefusesToStart: the settings are incomplete; or, when the service starts, a
            state under which serving would be unsafe.
    """
    the_server = settings is None  # So what holds for the whole process may be set.
    if the_server:
        leave_nothing()
    chosen = read_settings() if settings is None else settings
    configure_logs(log_to or sys.stderr)
    doors = {path: _Door(name) for path, name in addresses(chosen).items()}
    opened: list[House] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            webhooks_of(chosen) as webhooks,
            open_house(chosen, now) as house,
            telling_key_use(house),
        ):
            opened.append(house)
            refusals, terms = Refusals(house), terms_of(chosen)
            app.state.streams = terms.streams
            for path, face in served(house, chosen, now, refusals, terms).items():
                doors[path].face = face
            async with AsyncExitStack() as working:
                working.push_async_callback(terms.allowances.close)
                working.push_async_callback(refusals.close)
                working.callback(terms.streams.close)
                if settle_every is not None:
                    for work in (
                        settle_forever(house, settle_every),
                        settle_matches_forever(house, settle_every),
                        refusals.flush_forever(),
                        house.following.look_forever(house.records),
                        Reconciliation(house).look_forever(),
                        *_about_the_log(house),
                        AlertWatch(house, lead_of(chosen)).look_forever(),
                        house.alerts.look_forever(house.records),
                        alert_deliveries.deliver_forever(house, webhooks),
                        idempotency_keys.forget_forever(house),
                    ):
                        await working.enter_async_context(beside(work))
                if the_server:
                    working.enter_context(when_told_to_end(terms.streams.close))
                    keep_what_is_here()
                yield

    async def healthy(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_request: Request) -> Response:
        said: dict[str, object] = {}
        try:
            for house in opened:
                await house.records.health()
                if isinstance(house.policies, PolicyInForce):
                    fault = await house.policies.look(house.records)
                    said |= {} if fault is None else {"policy": fault.value}
                await house.ledger.health()
                await house.keyring.health()
        except PerisaiError as error:
            return JSONResponse({"status": "not ready", "code": error.code}, 503)
        watches = [house.witnesses for house in opened if house.witnesses is not None]
        if watches:
            said["witnessed"] = all(watch.witnessed() for watch in watches)
        return JSONResponse({"status": "ready", **said})

    routes: list[BaseRoute] = [Route("/healthz", healthy), Route("/readyz", ready)]
    routes += [Route(path, door, methods=None) for path, door in doors.items()]
    app = Starlette(routes=routes, middleware=around(chosen), lifespan=lifespan)
    # Else "/graphql/agency/" would send the body once more, to what the Host header names, and
    # in clear where a proxy ends TLS.
    app.router.redirect_slashes = False
    return app


def lead_of(settings: Settings) -> timedelta:
    """Tell how long before a deadline an alert is made."""
    return timedelta(hours=settings.alert_lead_hours)


def addresses(settings: Settings) -> dict[str, str]:
    """Name what this process serves: path -> name in its log."""
    faces: dict[str, str] = {f"/graphql/{face}": face for face in settings.faces}
    if settings.console_clients:
        faces |= {CONSOLE: "console", f"{CONSOLE}/{{rest:path}}": "console"}
    if "agency" not in settings.faces:
        return faces
    # The bytes of attachments are part of what an agency is served, and so are imports.
    return faces | {ADD: "attachments", READ: "attachments", IMPORTS: "imports"}


def _about_the_log(house: House) -> list[Coroutine[Any, Any, None]]:
    """Give what a process says by itself: that it lives, and that its clock jumped."""
    ledger = house.ledger
    if not isinstance(ledger, WatchedLedger):
        raise RuntimeError("the house was opened with another ledger")
    return [
        ClockWatch(house, time.monotonic, back=ledger.shut).look_forever(),
        Heartbeat(house, lambda: ledger.last, time.monotonic).beat_forever(),
        break_glass_watch.tell_forever(house),
    ]


def served(
    house: House,
    settings: Settings,
    now: Callable[[], datetime],
    refusals: Refusals | None = None,
    terms: Terms | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    outward: Any = None,
) -> dict[str, ASGIApp]:
    """Make what answers at each of `addresses`, all with one verifier and one count of refusals.

    Args:
        refusals: the count, which the caller flushes; None: one that nobody does.
        terms: those of `terms_of`, which the caller closes; None: of the settings.
        monotonic: tells, in seconds, how old the keys of issuers are.
        outward: stands in for the network between the console and issuers, where it is given.
    """
    issuers = [
        Issuer(i.url, Organisation(i.organisation), JwksSource(i.jwks, monotonic=monotonic))
        for i in settings.issuers
    ]
    verifier = TokenVerifier(issuers, settings.audience, now)
    terms = terms or terms_of(settings)
    door = Door(
        house, verifier, settings.reached_at, refusals or Refusals(house), UsedProofs(house)
    )
    attachments = Attachments(house, {path: SignIn(door, "agency", path) for path in (ADD, READ)})
    browsers = browsers_of(settings, house)
    faces: dict[str, ASGIApp] = {
        name: Face(
            schema_of(name),
            authenticate=SignIn(door, name, path, browsers if name in BROWSED else None),
            begin=lambda caller, _request: Exchange(house, caller),
            terms=terms,
            documents=documents_of(settings, name),
        )
        for path, name in addresses(settings).items()
        if name in settings.faces
    }
    beside: dict[str, ASGIApp] = {
        "attachments": attachments,
        "imports": Imports(house, SignIn(door, "agency", IMPORTS)),
    }
    if browsers is not None:
        beside["console"] = console_of(settings, door, browsers, terms, outward)
    return {path: (faces | beside)[name] for path, name in addresses(settings).items()}
