"""Verify DPoP proofs: that who presents a token holds the key it is bound to (RFC 9449).

A proof is good for one token, one method, one address and a minute. That it is used once
is not decided here: `casework.used_proofs` keeps what was used, for all processes.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import Key

from api.errors import DpopProofInvalid, DpopRequired, NotSignedIn
from api.identity.jwks import ALGORITHMS, public_key
from api.identity.signed import LEEWAY, Signed, read_name, read_time
from api.identity.tokens import Claims, Presented, Scheme
from api.vocabulary import DPOP_ALGORITHMS

#: The header that a proof is sent in.
PROOF_HEADER = "dpop"

#: A longer proof is refused unread, characters.
PROOF_MOST = 4 * 1024

#: A proof is made for one request, so it is at most this old, seconds, beside the leeway.
PROOF_SECONDS = 60.0

#: RFC 9449, 4.2. "kid", "jku" and the like would name a key that is not the one in "jwk".
_HEADER = frozenset({"typ", "alg", "jwk"})

#: The characters of a URI (RFC 3986, 2), of which urlsplit drops and moves none.
_URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})", re.ASCII)
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]", re.ASCII)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds, if it was not used before.

    Attributes:
        digest: names it among all proofs, and tells nothing of it: SHA-256 of the key's
            thumbprint and of the proof's own id. Not of the proof as it was sent, since
            an ECDSA signature can be written in two ways.
    """

    digest: bytes = field(repr=False)


def proof_of(
    presented: Presented,
    claims: Claims,
    proofs: Sequence[str],
    *,
    method: str,
    address: str,
    now: datetime,
) -> Proof | None:
    """Hold the bearer of a verified token to the key that it is bound to, if it is to one.

    Args:
        claims: what *presented* says, verified.
        proofs: the values of all headers PROOF_HEADER.
        address: where callers send this request, as `normal_address` gives it.

    Raises:
        DpopRequired: a bound token as a bearer token, an unbound one with a proof, or a
            proof of another key.
        DpopProofInvalid: there is not exactly one proof, or it does not hold.
    """
    key_thumbprint = claims.key_thumbprint
    if presented.scheme is Scheme.BEARER:
        if key_thumbprint is not None:
            raise DpopRequired
        return None
    if key_thumbprint is None:
        raise DpopRequired
    if len(proofs) != 1:
        raise DpopProofInvalid
    try:
        thumbprint, said = _verified(proofs[0])
        token_id = read_name(said.get("jti"))
        issued = read_time(said.get("iat"))
    except NotSignedIn:
        raise DpopProofInvalid from None
    age, leeway = now.timestamp() - issued, LEEWAY.total_seconds()
    if said.get("htm") != method or normal_address(said.get("htu")) != address:
        raise DpopProofInvalid
    if not -leeway <= age <= PROOF_SECONDS + leeway:
        raise DpopProofInvalid
    if not _equal(said.get("ath"), _digest_of(presented.token)):
        raise DpopProofInvalid
    if not _equal(thumbprint, key_thumbprint):
        raise DpopRequired
    # A thumbprint has one length, so the two cannot be cut apart in another place.
    return Proof(hashlib.sha256(f"{thumbprint}.{token_id}".encode()).digest())


def normal_address(uri: object) -> str | None:
    """Give *uri* without query and fragment, so that equal addresses are equal texts.

    RFC 9449, 4.3 and RFC 3986, 6.2.2 and 6.2.3: case of scheme, host and escapes, escapes
    that need not be, and the port that goes without saying.

    Returns:
        None: no http address, or one with a user, or with dots for segments, which no
        client sends.
    """
    if not isinstance(uri, str) or _URI.fullmatch(uri) is None:
        return None
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    path = _ESCAPED.sub(_unescaped, parts.path) or "/"
    if {".", ".."} & set(path.split("/")):
        return None
    name = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{name}{shown}{path}"


def _verified(proof: str) -> tuple[str, dict[str, Any]]:
    """Give the thumbprint of the key that signed *proof*, and what it says.

    Raises:
        NotSignedIn: it does not hold.
    """
    signed = Signed.read(proof, most=PROOF_MOST)
    if signed.header.keys() != _HEADER or signed.header["typ"] != "dpop+jwt":
        raise NotSignedIn
    key = _key(signed.header["jwk"], signed.algorithm)
    signed.check(key)
    return key.thumbprint(), signed.claims


def _key(jwk: object, algorithm: str) -> Key:
    if algorithm not in DPOP_ALGORITHMS or not isinstance(jwk, dict):
        raise NotSignedIn
    if (jwk.get("kty"), jwk.get("crv")) != ALGORITHMS[algorithm]:
        raise NotSignedIn
    if jwk.get("alg", algorithm) != algorithm:
        raise NotSignedIn
    try:
        key = public_key(jwk)
    except (JoseError, AttributeError, TypeError, ValueError):
        raise NotSignedIn from None
    if key is None:
        raise NotSignedIn
    return key


def _digest_of(token: str) -> str:
    """Give the `ath` of *token* (RFC 9449, 4.2)."""
    digest = hashlib.sha256(token.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _equal(said: object, known: str) -> bool:
    return isinstance(said, str) and said.isascii() and hmac.compare_digest(said, known)


def _unescaped(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
