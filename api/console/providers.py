"""The issuers at which people sign in, each through the console's client there.

authlib does the protocol: code and PKCE (RFC 7636), state, nonce and the ID token (OpenID Connect
Core 1.0, 3.1). What it is told here is held narrower than it would be: one issuer as the settings
name it, endpoints of TLS or of this machine, and algorithms that our own verifier takes.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import structlog
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from starlette.requests import Request
from starlette.responses import Response

from api.errors import SignInFailed, SignInUnavailable
from api.identity.jwks import ALGORITHMS
from api.vocabulary import Organisation

#: Seconds in which an issuer has to answer: each call, and all of one step of a sign-in.
TIME_OUT: Final = 3.0
STEP_MOST: Final = 10.0

#: Seconds by which its clock may differ from ours.
LEEWAY: Final = 30

#: What is kept of what an issuer says of itself: authlib would take the rest for settings, too.
_KEPT: Final = frozenset(
    {
        "_loaded_at",
        "authorization_endpoint",
        "authorization_response_iss_parameter_supported",
        "id_token_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "token_endpoint",
    }
)
_ENDPOINTS: Final = ("authorization_endpoint", "jwks_uri", "token_endpoint")
_SAFE_ADDRESS: Final = re.compile(
    r"(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)(/\S*)?"
)

_log = structlog.get_logger("perisai.console")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What an issuer gave at the end of a sign-in.

    Attributes:
        subject: who it was, by the ID token.
        access_token: not verified yet.
    """

    subject: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """One organisation's issuer, and the console's client at it."""

    organisation: Organisation
    issuer: str
    client: StarletteOAuth2App = field(repr=False)
    #: One asks at a time: whoever is no member can make us ask.
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def send_there(self, request: Request, back: str, more: Mapping[str, str]) -> Response:
        """Answer with the way to the issuer, whose person then comes to the address *back*.

        What authlib has to remember until then is in the session of *request* afterwards.

        Args:
            more: parameters of the request besides.

        Raises:
            SignInUnavailable: the issuer does not say where that is.
        """
        async with _step():
            await self._metadata()
            response: Response = await self.client.authorize_redirect(request, back, **more)
            return response

    async def take_back(self, request: Request) -> SignedIn:
        """Exchange the code that a person brought for what the issuer says of them.

        Raises:
            SignInFailed: the answer is not to what was asked, or does not hold.
            SignInUnavailable: the issuer does not answer.
        """
        async with _step():
            metadata = await self._metadata()
            self._check_issuer(request, metadata)
            try:
                given = await self.client.authorize_access_token(
                    request,
                    claims_options={
                        "iss": {"essential": True, "values": [self.issuer]},
                        "aud": {"essential": True, "values": [self.client.client_id]},
                    },
                    leeway=LEEWAY,
                )
                if "id_token" not in given:
                    # authlib then takes `userinfo` of the answer itself: no nonce, no signature.
                    raise SignInFailed
                return SignedIn(given["userinfo"]["sub"], given["access_token"])
            except TimeoutError:
                raise
            except Exception as error:
                # Of many kinds, of authlib and joserfc; their texts may hold what was sent.
                _log.warning(
                    "console_sign_in", organisation=self.organisation, error=type(error).__name__
                )
                if isinstance(error, httpx2.HTTPError):
                    raise SignInUnavailable from None
                raise SignInFailed from None

    def _check_issuer(self, request: Request, metadata: dict[str, Any]) -> None:
        """Refuse an answer of another issuer (RFC 9207, 2.4)."""
        said = request.query_params.getlist("iss")
        if said == [] and not metadata.get("authorization_response_iss_parameter_supported"):
            return
        if said != [self.issuer]:
            raise SignInFailed

    async def _metadata(self) -> dict[str, Any]:
        """Give what the issuer says of itself; it is asked until it did, and then never again."""
        told: dict[str, Any] = self.client.server_metadata
        async with self._asking:
            if "_loaded_at" in told:
                return told
            try:
                await self.client.load_server_metadata()
                _check(told, self.issuer)
            except BaseException as error:
                told.clear()
                if not isinstance(error, Exception):
                    raise
                _log.warning(
                    "console_issuer", organisation=self.organisation, error=type(error).__name__
                )
                raise SignInUnavailable from None
            return told


@asynccontextmanager
async def _step() -> AsyncIterator[None]:
    """End what takes an issuer too long, as one that does not answer."""
    try:
        async with asyncio.timeout(STEP_MOST):
            yield
    except TimeoutError:
        raise SignInUnavailable from None


def _check(told: dict[str, Any], issuer: str) -> None:
    """Keep of *told* what is used, and refuse it where that cannot be.

    Raises:
        ValueError: it is of another issuer, or names an address that others can read.
    """
    for name in told.keys() - _KEPT:
        del told[name]
    if told.get("issuer") != issuer:
        raise ValueError("another issuer")
    for name in _ENDPOINTS:
        address = told.get(name)
        if not isinstance(address, str) or not _SAFE_ADDRESS.fullmatch(address):
            raise ValueError(name)
    named = told.get("id_token_signing_alg_values_supported", ["RS256"])
    told["id_token_signing_alg_values_supported"] = [one for one in named if one in ALGORITHMS]
    if not told["id_token_signing_alg_values_supported"]:
        raise ValueError("no algorithm that we take")


def provider_of(
    organisation: str,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    *,
    metadata: str | None,
    scope: str,
    resource: str | None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Provider:
    """Make the client of the console at one issuer; nothing is asked of it yet.

    Args:
        metadata: where it says its endpoints; None: at its address.
        transport: stands in for the network where it is given.
    """
    at = metadata or f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    more = {} if resource is None else {"resource": resource}
    client = OAuth().register(
        organisation,
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=at,
        authorize_params=more,
        access_token_params=more,
        client_kwargs={
            "scope": scope,
            "code_challenge_method": "S256",
            "timeout": TIME_OUT,
            "follow_redirects": False,
            # What is on this machine is not reached by way of a proxy.
            "trust_env": urlsplit(at).scheme == "https",
            **({} if client_secret else {"token_endpoint_auth_method": "none"}),
            **({} if transport is None else {"transport": transport}),
        },
    )
    return Provider(Organisation(organisation), issuer, client)
