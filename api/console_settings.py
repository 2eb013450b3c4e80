"""What the settings say of the console: how people sign in to it, and whether GraphiQL is there."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from api.casework.browser_sessions import BrowserSessions
from api.casework.house import House
from api.console.application import Console
from api.console.graphiql import GraphiQL
from api.console.overview import overview
from api.console.providers import Provider, provider_of
from api.errors import PerisaiError, RefusesToStart
from api.identity.browser import Browsers
from api.identity.sign_in import Door, SignIn
from api.schema.http import Terms, new_request_id
from api.settings import ConsoleClientSettings, Settings

#: Where the console is, without its slash.
CONSOLE = "/console"

#: A longer secret is no secret of a client, characters.
_SECRET_MOST = 1024


def browsers_of(settings: Settings, house: House) -> Browsers | None:
    """Make what reads the sessions of browsers; None: the settings have no console.

    Raises:
        RefusesToStart: it would not be reached by TLS.
    """
    if not settings.console_clients:
        return None
    return Browsers(BrowserSessions(house), settings.reached_at, demo=settings.demo)


def console_of(
    settings: Settings, door: Door, browsers: Browsers, terms: Terms, outward: Any = None
) -> Console:
    """Make the console.

    Args:
        terms: those of the faces, whose points its pages take, too.
        outward: how issuers are reached, a transport of httpx; None: over the network.

    Raises:
        RefusesToStart: a secret cannot be read, or GraphiQL is not where the settings say.
    """
    refuse: Callable[[PerisaiError, str], Awaitable[None]] = door.refusals.append
    return Console(
        browsers,
        sign_in=SignIn(door, "console", CONSOLE, browsers, guarded=False),
        officer=SignIn(door, "oversight", CONSOLE, browsers, guarded=False),
        faces=settings.faces,
        verifier=door.verifier,
        refuse=refuse,
        providers=[_provider(settings, one, outward) for one in settings.console_clients],
        look=partial(overview, door.house),
        spend=terms.allowances.spend,
        strong=_strong(settings),
        graphiql=None if settings.graphiql is None else GraphiQL.at(settings.graphiql),
        request_id=new_request_id,
    )


def _strong(settings: Settings) -> dict[str, str]:
    """Give what an issuer is asked for a strong and fresh sign-in (RFC 9470, 4)."""
    if not settings.strong_acr:
        return {}
    seconds = settings.strong_sign_in_minutes * 60
    return {"acr_values": " ".join(settings.strong_acr), "max_age": str(seconds)}


def _provider(settings: Settings, client: ConsoleClientSettings, outward: Any) -> Provider:
    [issuer] = [i.url for i in settings.issuers if i.organisation == client.organisation]
    secret = None if client.client_secret_file is None else _secret(client.client_secret_file)
    return provider_of(
        client.organisation,
        issuer,
        client.client_id,
        secret,
        metadata=client.metadata,
        scope=client.scope,
        resource=client.resource,
        transport=outward,
    )


def _secret(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise RefusesToStart(f"Others can read {path}: set its permissions to 0600.")
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise RefusesToStart(
            f"The secret of a console's client at {path} cannot be read."
        ) from None
    if not 0 < len(secret) <= _SECRET_MOST:
        raise RefusesToStart(f"The file {path} holds no secret of a client.")
    return secret
