"""Where the demo's people sign in by browser: a page to pick one of them, without a password.

It does what the console needs of an issuer (OpenID Connect, code and PKCE) and no more. It signs
anybody in, so it stands beside the demo, on loopback, under the names that loopback has: a page of
elsewhere that had its own name lead here could sign somebody in as well.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api.demo.issuer import TOKEN_LIFETIME, DemoIssuer

#: Where it is served, without its slash.
AT: Final = "/demo-issuer"

#: By which it knows the console.
CONSOLE_ID: Final = "perisai-demo-console"

#: A code is exchanged at once.
CODE_LIFETIME: Final = timedelta(minutes=1)

#: The most that a request for a token may have, bytes.
BODY_MOST: Final = 8 * 1024

_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}

_PAGE = Environment(autoescape=True).from_string("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Who are you? · the demo of Perisai</title></head>
<body>
<main>
<h1>Who are you? <span lang="id">/ Siapa Anda?</span></h1>
<p>This page stands in for the sign-in of {{ organisation }}. Everybody here is invented, so there
are no passwords. Breaking glass asks for a sign-in with a security key.</p>
<ul>
{% for one in people %}
<li><a href="?{{ one.asked }}">{{ one.subject }}</a>, {{ one.role }}
(<a href="?{{ one.asked_strong }}">as with a security key</a>)</li>
{% endfor %}
</ul>
</main>
</body>
</html>
""")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be picked."""

    organisation: str
    subject: str
    role: str


@dataclass(frozen=True, slots=True)
class _Code:
    """What a code stands for, until it is exchanged or over."""

    person: Person
    strong: bool
    back: str
    challenge: str
    nonce: str = field(repr=False)
    until: datetime


class IssuerPages:
    """The issuers of all organisations that have somebody to pick."""

    def __init__(
        self,
        issuer: DemoIssuer,
        people: Sequence[Person],
        address: str,
        clock: Callable[[], datetime],
        *,
        strong_acr: str,
    ) -> None:
        """Serve *people*, who come from the console at *address*, and go back there.

        Args:
            address: of the service, which serves this as well.
            strong_acr: what a sign-in with a security key says of itself.
        """
        self._issuer = issuer
        self._people = people
        self._address = address.rstrip("/")
        self._clock = clock
        self._strong_acr = strong_acr
        self._codes: dict[str, _Code] = {}

    def metadata(self, organisation: str) -> str:
        """Give where the issuer of *organisation* says its endpoints."""
        return f"{self._at(organisation)}/.well-known/openid-configuration"

    def routes(self) -> list[BaseRoute]:
        """Give what is to be served."""
        before = f"{AT}/{{organisation}}"
        return [
            Route(f"{before}/.well-known/openid-configuration", self._told),
            Route(f"{before}/jwks", self._keys),
            Route(f"{before}/authorize", self._pick),
            Route(f"{before}/token", self._token, methods=["POST"]),
        ]

    async def _told(self, request: Request) -> Response:
        organisation = self._organisation(request)
        if organisation is None:
            return _nothing()
        at = self._at(organisation)
        return JSONResponse(
            {
                "issuer": self._issuer.url(organisation),
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "authorization_response_iss_parameter_supported": True,
            },
            headers=_HEADERS,
        )

    async def _keys(self, request: Request) -> Response:
        organisation = self._organisation(request)
        if organisation is None:
            return _nothing()
        path: Path = self._issuer.jwks_path(organisation)
        return Response(path.read_bytes(), 200, _HEADERS, "application/jwk-set+json")

    async def _pick(self, request: Request) -> Response:
        organisation = self._organisation(request)
        if organisation is None:
            return _nothing()
        asked = dict(request.query_params)
        if not self._is_of_the_console(asked, organisation):
            return _refused()
        picked = asked.pop("picked", None)
        if picked is None:
            people = [
                {
                    "subject": one.subject,
                    "role": one.role,
                    "asked": urlencode({**asked, "picked": one.subject}),
                    "asked_strong": urlencode({**asked, "picked": one.subject, "strong": "1"}),
                }
                for one in self._people
                if one.organisation == organisation
            ]
            text = _PAGE.render(organisation=organisation, people=people)
            return Response(text, 200, _HEADERS, "text/html")
        found = [p for p in self._people if (p.organisation, p.subject) == (organisation, picked)]
        if not found:
            return _refused()
        code = secrets.token_urlsafe(32)
        self._forget()
        self._codes[code] = _Code(
            found[0],
            "strong" in asked,
            asked["redirect_uri"],
            asked["code_challenge"],
            asked["nonce"],
            self._clock() + CODE_LIFETIME,
        )
        back = {"code": code, "state": asked["state"], "iss": self._issuer.url(organisation)}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303, _HEADERS)

    async def _token(self, request: Request) -> Response:
        organisation = self._organisation(request)
        if organisation is None:
            return _nothing()
        given = await _form(request)
        self._forget()
        code = self._codes.pop(given.get("code", ""), None)  # It counts once, right or wrong.
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            code is None
            or code.person.organisation != organisation
            or given.get("grant_type") != "authorization_code"
            or given.get("client_id") != CONSOLE_ID
            or given.get("redirect_uri") != code.back
            or not hmac.compare_digest(challenge.encode(), code.challenge.encode())
        ):
            return JSONResponse({"error": "invalid_grant"}, 400, _HEADERS)
        subject = code.person.subject
        access = self._issuer.mint(
            organisation,
            subject,
            acr=self._strong_acr if code.strong else None,
            auth_time=self._clock() if code.strong else None,
        )
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": int(TOKEN_LIFETIME.total_seconds()),
                "id_token": self._issuer.identify(
                    organisation, subject, client_id=CONSOLE_ID, nonce=code.nonce
                ),
            },
            headers=_HEADERS,
        )

    def _organisation(self, request: Request) -> str | None:
        """Give the organisation whose issuer is asked; None: there is none, or by another name."""
        organisation: str = request.path_params["organisation"]
        if not _by_its_own_name(request.headers, self._address):
            return None
        known = any(one.organisation == organisation for one in self._people)
        return organisation if known else None

    def _is_of_the_console(self, asked: Mapping[str, str], organisation: str) -> bool:
        return (
            asked.get("client_id") == CONSOLE_ID
            and asked.get("redirect_uri") == f"{self._address}/console/signed-in/{organisation}"
            and asked.get("response_type") == "code"
            and asked.get("code_challenge_method") == "S256"
            and all(asked.get(name) for name in ("code_challenge", "nonce", "state"))
        )

    def _forget(self) -> None:
        now = self._clock()
        self._codes = {text: code for text, code in self._codes.items() if now < code.until}

    def _at(self, organisation: str) -> str:
        return f"{self._address}{AT}/{organisation}"


def _by_its_own_name(headers: Headers, address: str) -> bool:
    """Tell whether a request names the host of *address*, and not one that only leads here."""
    return headers.getlist("host") == [address.partition("://")[2]]


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MOST:
            return {}
    return dict(parse_qsl(body.decode("ascii", "replace"), max_num_fields=16))


def _nothing() -> Response:
    return PlainTextResponse("There is nothing here.", 404, _HEADERS)


def _refused() -> Response:
    return PlainTextResponse("Start at the console.", 400, _HEADERS)
