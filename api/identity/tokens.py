"""Verify access tokens: JWTs in the profile of RFC 9068, signed by one of our issuers.

Every reason to refuse looks the same from outside, save an expired token. Nothing
of a token is ever logged, put in an error or shown by a repr.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from joserfc import jws
from joserfc.errors import JoseError

from api.errors import NotSignedIn, TokenExpired
from api.identity.jwks import ALGORITHMS, JwksSource
from api.vocabulary import Organisation

#: Clocks of issuers may differ from ours by this much.
LEEWAY = timedelta(seconds=30)

#: A longer token is refused unread, bytes.
TOKEN_MOST = 8 * 1024

#: A subject, client id or token id is at most this long, characters.
NAME_MOST = 255

#: So many verified tokens are remembered.
REMEMBERED_MOST = 4096

#: Verified tokens are checked again this often, so that a withdrawn key ends here too.
REMEMBERED_FOR = timedelta(minutes=5)

#: RFC 9068, 2.1, compared without case (RFC 2045, 5.1).
_TYPES = frozenset({"at+jwt", "application/at+jwt"})

#: The header parameters that a token may have. "jwk", "jku", "x5u" and "x5c" would let
#: the token choose its key; "crit" and "b64" would change what is verified.
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs the access tokens of one organisation.

    Attributes:
        url: the `iss` claim, compared byte for byte.
        jwks: its keys; they verify no other issuer's tokens.
    """

    url: str
    organisation: Organisation
    jwks: JwksSource


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says.

    Attributes:
        organisation: whose issuer signed it; from our settings, not from the token.
        expires_at: UTC.
    """

    issuer: str
    organisation: Organisation
    subject: str = field(repr=False)
    token_id: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Remembered:
    claims: Claims
    until: datetime


class TokenVerifier:
    """Verify tokens of the issuers it was made with, for one audience."""

    def __init__(
        self, issuers: Sequence[Issuer], audience: str, clock: Callable[[], datetime]
    ) -> None:
        """*clock* tells the time in UTC.

        Raises:
            ValueError: two issuers have one address.
        """
        self._issuers = {issuer.url: issuer for issuer in issuers}
        if len(self._issuers) != len(issuers):
            raise ValueError("Two issuers have the same address.")
        self._audience = audience
        self._clock = clock
        self._registry = _Registry(algorithms=list(ALGORITHMS))
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()

    async def verify(self, token: str) -> Claims:
        """Give the claims of *token*, after its signature and every claim held.

        Raises:
            NotSignedIn: it does not hold, whatever the reason.
            TokenExpired: it held until its time was over.
            SignInUnavailable: the keys of its issuer cannot be had.
        """
        if not token.isascii() or len(token) > TOKEN_MOST:
            raise NotSignedIn
        digest = hashlib.sha256(token.encode()).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None and self._clock() < remembered.until:
            self._remembered.move_to_end(digest)
            return remembered.claims
        self._remembered.pop(digest, None)
        claims = await self._verify(token.encode())
        now = self._clock()
        self._remembered[digest] = _Remembered(
            claims, until=min(claims.expires_at + LEEWAY, now + REMEMBERED_FOR)
        )
        if len(self._remembered) > REMEMBERED_MOST:
            self._remembered.popitem(last=False)
        return claims

    async def _verify(self, token: bytes) -> Claims:
        try:
            signed = jws.extract_compact(token, None, self._registry)
            header = signed.headers()
            said = json.loads(
                signed.payload.decode("utf-8"),
                object_pairs_hook=_no_doubles,
                parse_constant=_no_constant,
            )
        except (JoseError, ValueError, TypeError, RecursionError):
            raise NotSignedIn from None
        if not isinstance(header, dict) or not isinstance(said, dict):
            raise NotSignedIn
        kid, algorithm = _checked_header(header)
        url = said.get("iss")
        issuer = self._issuers.get(url) if isinstance(url, str) else None
        if issuer is None:
            raise NotSignedIn
        key = await issuer.jwks.key(kid, algorithm)
        if key is None:
            raise NotSignedIn
        try:
            holds = jws.validate_compact(signed, key, registry=self._registry)
        except (JoseError, ValueError, TypeError):
            raise NotSignedIn from None
        if not holds:
            raise NotSignedIn
        return self._checked_claims(issuer, said)

    def _checked_claims(self, issuer: Issuer, said: dict[str, Any]) -> Claims:
        """Check what a token with a good signature says (RFC 9068, 4; RFC 7519, 4.1)."""
        now = self._clock().timestamp()
        leeway = LEEWAY.total_seconds()
        audience = said.get("aud")
        addressees = audience if isinstance(audience, list) else [audience]
        expires, issued = _time(said.get("exp")), _time(said.get("iat"))
        if self._audience not in addressees or issued > now + leeway:
            raise NotSignedIn
        if "nbf" in said and _time(said["nbf"]) > now + leeway:
            raise NotSignedIn
        subject, token_id = _name(said.get("sub")), _name(said.get("jti"))
        _name(said.get("client_id"))
        if expires <= now - leeway:
            raise TokenExpired
        return Claims(
            issuer=issuer.url,
            organisation=issuer.organisation,
            subject=subject,
            token_id=token_id,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )


def bearer_token(authorization: Sequence[str]) -> str:
    """Take the token out of the values of all Authorization headers (RFC 6750, 2.1).

    Raises:
        NotSignedIn: there is not exactly one header, or it holds no bearer token.
    """
    if len(authorization) != 1:
        raise NotSignedIn
    found = _BEARER.fullmatch(authorization[0])
    if found is None:
        raise NotSignedIn
    return found[1]


class _Registry(jws.JWSRegistry):
    """The listed algorithms, without a warning for each token that says "EdDSA".

    RFC 9864 retires that name because it leaves the curve open; `ALGORITHMS` fixes it.
    """

    def get_alg(self, name: str) -> Any:  # joserfc does not export the type of its algorithms.
        if name not in ALGORITHMS:
            raise NotSignedIn
        return self.algorithms[name]


def _checked_header(header: dict[str, Any]) -> tuple[str, str]:
    kid, algorithm, kind = header.get("kid"), header.get("alg"), header.get("typ")
    if not _HEADER.issuperset(header):
        raise NotSignedIn
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise NotSignedIn
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise NotSignedIn
    return _name(kid), algorithm


def _time(value: object) -> float:
    """Read a NumericDate, from 1970 and before the year 9999, where dates of Python end."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotSignedIn
    if not 0 <= value <= 253_370_764_800:  # False for NaN too.
        raise NotSignedIn
    return float(value)


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_MOST:
        raise NotSignedIn
    if not value.isprintable():
        raise NotSignedIn
    return value


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError
    return said


def _no_constant(_: str) -> NoReturn:
    raise ValueError
