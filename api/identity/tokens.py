"""Verify access tokens: JWTs in the profile of RFC 9068, signed by one of our issuers.

Every reason to refuse looks the same from outside, save an expired token. Nothing
of a token is ever logged, put in an error or shown by a repr.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

from api.errors import NotSignedIn, TokenExpired
from api.identity.jwks import JwksSource
from api.identity.signed import LEEWAY, Signed, read_name, read_time
from api.vocabulary import Organisation

#: A longer token is refused unread, bytes.
TOKEN_MOST = 8 * 1024

#: So many verified tokens are remembered.
REMEMBERED_MOST = 4096

#: Verified tokens are checked again this often, so that a withdrawn key ends here too.
REMEMBERED_FOR = timedelta(minutes=5)

#: RFC 9068, 2.1, compared without case (RFC 2045, 5.1).
_TYPES = frozenset({"at+jwt", "application/at+jwt"})

#: The header parameters that a token may have. "jwk", "jku", "x5u" and "x5c" would let
#: the token choose its key; "crit" and "b64" would change what is verified.
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})

_T = TypeVar("_T")

#: RFC 6750, 2.1 and RFC 9449, 7.1.
_CREDENTIALS = re.compile(r"(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)

#: A SHA-256 thumbprint of a JWK (RFC 7638): 32 bytes in base64url.
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Scheme(Enum):
    """How a token was presented."""

    BEARER = "bearer"
    DPOP = "dpop"


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it was sent."""

    scheme: Scheme
    token: str = field(repr=False)


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
        acr, auth_time: how and when the person signed in (RFC 9068, 2.2.1), the latter in
            UTC; None where the token does not say it, or not in a form that counts.
        key_thumbprint: the thumbprint of the key without which the token counts for nothing
            (`cnf.jkt`, RFC 9449, 6.1); None: it is good for whoever bears it.
    """

    issuer: str
    organisation: Organisation
    subject: str = field(repr=False)
    token_id: str = field(repr=False)
    expires_at: datetime
    acr: str | None = None
    auth_time: datetime | None = None
    key_thumbprint: str | None = None


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
        claims = await self._verify(token)
        now = self._clock()
        self._remembered[digest] = _Remembered(
            claims, until=min(claims.expires_at + LEEWAY, now + REMEMBERED_FOR)
        )
        if len(self._remembered) > REMEMBERED_MOST:
            self._remembered.popitem(last=False)
        return claims

    async def _verify(self, token: str) -> Claims:
        signed = Signed.read(token, most=TOKEN_MOST)
        kid = _checked_header(signed.header)
        url = signed.claims.get("iss")
        issuer = self._issuers.get(url) if isinstance(url, str) else None
        if issuer is None:
            raise NotSignedIn
        key = await issuer.jwks.key(kid, signed.algorithm)
        if key is None:
            raise NotSignedIn
        signed.check(key)
        return self._checked_claims(issuer, signed.claims)

    def _checked_claims(self, issuer: Issuer, said: dict[str, Any]) -> Claims:
        """Check what a token with a good signature says (RFC 9068, 4; RFC 7519, 4.1)."""
        now = self._clock().timestamp()
        leeway = LEEWAY.total_seconds()
        audience = said.get("aud")
        addressees = audience if isinstance(audience, list) else [audience]
        expires, issued = read_time(said.get("exp")), read_time(said.get("iat"))
        if self._audience not in addressees or issued > now + leeway:
            raise NotSignedIn
        if "nbf" in said and read_time(said["nbf"]) > now + leeway:
            raise NotSignedIn
        subject, token_id = read_name(said.get("sub")), read_name(said.get("jti"))
        read_name(said.get("client_id"))
        key_thumbprint = _key_thumbprint(said)
        if expires <= now - leeway:
            raise TokenExpired
        return Claims(
            issuer=issuer.url,
            organisation=issuer.organisation,
            subject=subject,
            token_id=token_id,
            expires_at=datetime.fromtimestamp(expires, UTC),
            acr=_said(read_name, said.get("acr")),
            auth_time=_said(_moment, said.get("auth_time")),
            key_thumbprint=key_thumbprint,
        )


def presented(authorization: Sequence[str]) -> Presented:
    """Take the token out of the values of all Authorization headers.

    Raises:
        NotSignedIn: there is not exactly one header, or it holds no token.
    """
    if len(authorization) != 1:
        raise NotSignedIn
    found = _CREDENTIALS.fullmatch(authorization[0])
    if found is None:
        raise NotSignedIn
    return Presented(Scheme(found[1].lower()), found[2])


def _checked_header(header: dict[str, Any]) -> str:
    """Give the key id of a header that has nothing else than it may have."""
    kind = header.get("typ")
    if not _HEADER.issuperset(header):
        raise NotSignedIn
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise NotSignedIn
    return read_name(header.get("kid"))


def _key_thumbprint(said: dict[str, Any]) -> str | None:
    """Read which key the token is bound to (RFC 7800, 3.1; RFC 9449, 6.1).

    A binding that is not understood cannot be held to, so such a token is refused.
    """
    if "cnf" not in said:
        return None
    confirmation = said["cnf"]
    if not isinstance(confirmation, dict) or confirmation.keys() != {"jkt"}:
        raise NotSignedIn
    thumbprint = confirmation["jkt"]
    if not isinstance(thumbprint, str) or _THUMBPRINT.fullmatch(thumbprint) is None:
        raise NotSignedIn
    return thumbprint


def _moment(value: object) -> datetime:
    return datetime.fromtimestamp(read_time(value), UTC)


def _said(read: Callable[[object], _T], value: object) -> _T | None:
    """Read a claim that few changes ask for; malformed, it is as good as none."""
    try:
        return read(value)
    except NotSignedIn:
        return None
