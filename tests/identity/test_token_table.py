"""Every bad token and proof is refused with its status and challenge, and none is written down.

One world a database serves all of them over HTTP. Each row is a claim: what is sent, and
to what it is refused. The good ones that they are made from are good.
"""

import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import structlog
from joserfc import jwe
from joserfc.jwk import OctKey, OKPKey

from api.accesslog.event import decode
from api.accesslog.reader import LogReader
from api.casework.provisioning import disable_member
from api.casework.used_proofs import KEPT, UsedProofs
from api.demo.issuer import DemoIssuer
from api.demo.synthetic import RATNA, SARI, TUTI
from api.errors import DpopProofInvalid
from api.vocabulary import Action, Decision
from tests.conftest import NOON
from tests.identity.forging import (
    HAM,
    ORDER,
    PARTNER,
    Forger,
    Sent,
    bearer,
    bytes_of,
    in_der,
    mirrored,
    part,
    secret,
    stranger,
    with_header,
    with_signature,
)
from tests.inside import exchanged
from tests.world import Answer, Clock, Template, World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALGS = 'algs="ES256 Ed25519 EdDSA"'
NO_TOKEN = f"Bearer, DPoP {ALGS}"
BEARER = f'Bearer error="invalid_token", DPoP {ALGS}'
DPOP = f'DPoP error="invalid_token", {ALGS}'
PROOF = f'DPoP error="invalid_dpop_proof", {ALGS}'

QUERY = "{ viewer { memberId } }"


@dataclass(frozen=True)
class Served:
    """A world, its log, and the lines that the service has written."""

    world: World
    log: LogReader
    lines: io.StringIO


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    lines, folder = io.StringIO(), tmp_path_factory.mktemp("table") / "perisai"
    with keeping(lines):
        async with opened(template, folder, Clock(NOON)) as world:
            async with exchanged(world) as inside:
                assert await disable_member(inside.house, HAM, "maria")
            yield Served(world, world.reader(), lines)


@contextmanager
def keeping(lines: io.StringIO) -> Iterator[None]:
    """Let the service and its libraries write into *lines*."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level, configured = root.level, structlog.get_config()
    with redirect_stderr(lines), redirect_stdout(lines):
        yield
    root.handlers, root.level = before, level
    structlog.configure(**configured)


Make = Callable[[Forger], str]
Send = Callable[[Forger], Sent]


def public(f: Forger) -> dict[str, Any]:
    """Give the public key of Sari's issuer, as it publishes it."""
    jwk: dict[str, Any] = f.key().as_dict(private=False)
    return jwk


def unencoded(f: Forger) -> str:
    """Sign as RFC 7797 does: the payload as it stands."""
    head, body, _ = f.token().split(".")
    header = json.loads(bytes_of(head)) | {"b64": False, "crit": ["b64"]}
    return f"{part(header)}.{body}.{f.token().rpartition('.')[2]}"


def encrypted(f: Forger) -> str:
    header = {"alg": "dir", "enc": "A256GCM", "typ": "at+jwt", "kid": f.key().kid}
    return jwe.encrypt_compact(header, f.token(), OctKey.generate_key(256))


def twice(f: Forger, name: str, value: object) -> bytes:
    """Write the claims with a second *name* after the first."""
    return (
        json.dumps(f.claims()).encode()[:-1]
        + f", {json.dumps(name)}: ".encode()
        + (json.dumps(value).encode() + b"}")
    )


def header_twice(f: Forger, name: str, first: str) -> str:
    """Sign a header that says *name* twice; the second is the right one."""
    head = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": f.key().kid})
    raw = part(f"{{{json.dumps(name)}: {json.dumps(first)}, {head[1:]}".encode())
    body = part(f.claims())
    signer = f.token().split(".")
    return f"{raw}.{body}.{signer[2]}"


#: Tokens as Sari's, sent as bearer tokens: of nobody.
TOKENS: dict[str, Make] = {
    # Algorithms
    "alg none and no signature": lambda f: (
        f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': f.key().kid})}.{part(f.claims())}."
    ),
    "alg nOnE and no signature": lambda f: (
        f"{part({'alg': 'nOnE', 'typ': 'at+jwt', 'kid': f.key().kid})}.{part(f.claims())}."
    ),
    "alg none and the old signature": lambda f: with_header(
        f.token(), {"alg": "none", "typ": "at+jwt", "kid": f.key().kid}
    ),
    "HS256 with the public key in PEM as the secret": lambda f: f.token(
        {"alg": "HS256"}, key=secret(f.key().as_pem(private=False).replace(b"-----", b"====="))
    ),
    "HS256 with the public key in JSON as the secret": lambda f: f.token(
        {"alg": "HS256"}, key=secret(json.dumps(public(f)))
    ),
    "HS256 with the key id as the secret": lambda f: f.token(
        {"alg": "HS256"}, key=secret(str(f.key().kid))
    ),
    "ES384 of a key that nobody published": lambda f: f.token(
        {"alg": "ES384"}, key=stranger("P-384")
    ),
    "RS256 under the id of an EC key": lambda f: f.token({"alg": "RS256"}, key=stranger("RSA")),
    "an RSA signature that is called ES256": lambda f: with_header(
        f.token({"alg": "RS256"}, key=stranger("RSA")),
        {"alg": "ES256", "typ": "at+jwt", "kid": f.key().kid},
    ),
    "alg in small letters": lambda f: with_header(
        f.token(), {"alg": "es256", "typ": "at+jwt", "kid": f.key().kid}
    ),
    "alg in a list": lambda f: with_header(
        f.token(), {"alg": ["ES256"], "typ": "at+jwt", "kid": f.key().kid}
    ),
    "no alg": lambda f: with_header(f.token(), {"typ": "at+jwt", "kid": f.key().kid}),
    # Keys
    "another key under the same id": lambda f: f.token(key=stranger()),
    "the key of another issuer": lambda f: f.token({"kid": f.key("lpsk").kid}, key=f.key("lpsk")),
    "the key of another issuer under our id": lambda f: f.token(key=f.key("lpsk")),
    "our key for another issuer": lambda f: f.token(iss=DemoIssuer.url("lpsk")),
    "our key for another issuer under its id": lambda f: f.token(
        {"kid": f.key("lpsk").kid}, iss=DemoIssuer.url("lpsk")
    ),
    "a partner's issuer for an agency": lambda f: f.token(
        {"kid": f.key(PARTNER).kid}, key=f.key(PARTNER)
    ),
    "an unknown key id": lambda f: f.token({"kid": "tomorrow"}),
    "no key id": lambda f: f.token({"kid": ...}),
    "a key id that is a path": lambda f: f.token(
        {"alg": "HS256", "kid": "../../../dev/null"}, key=secret("\0" * 32)
    ),
    "a key id that is SQL": lambda f: f.token({"kid": "' or 1=1 --"}, key=stranger()),
    "a key id that is a number": lambda f: with_header(
        f.token(), {"alg": "ES256", "typ": "at+jwt", "kid": 1}
    ),
    "a key of its own": lambda f: f.token(
        {"jwk": stranger().as_dict(private=False)}, key=stranger()
    ),
    "its own key and no id": lambda f: f.token(
        {"jwk": stranger().as_dict(private=False), "kid": ...}, key=stranger()
    ),
    "the right key of its own": lambda f: f.token({"jwk": public(f)}),
    "an address of keys": lambda f: f.token({"jku": "https://evil.test/jwks"}, key=stranger()),
    "the right address of keys": lambda f: f.token({"jku": DemoIssuer.url(HAM)}),
    "an address of certificates": lambda f: f.token({"x5u": "https://evil.test/x"}),
    "a certificate of its own": lambda f: f.token({"x5c": ["MIIB"]}),
    # Header
    "critical parameters that nobody knows": lambda f: f.token({"crit": ["x"], "x": 1}),
    "a critical exp": lambda f: f.token({"crit": ["exp"], "exp": f.now + 600}),
    "an empty crit": lambda f: f.token({"crit": []}),
    "an unencoded payload": unencoded,
    "an id token": lambda f: f.token({"typ": "JWT"}),
    "no typ": lambda f: f.token({"typ": ...}),
    "a logout token": lambda f: f.token({"typ": "logout+jwt"}),
    "a proof for a token": lambda f: f.token({"typ": "dpop+jwt"}),
    "a nested token": lambda f: f.token({"cty": "JWT"}),
    "a packed payload": lambda f: f.token({"zip": "DEF"}),
    "alg twice in the header": lambda f: header_twice(f, "alg", "none"),
    "kid twice in the header": lambda f: header_twice(f, "kid", "other"),
    "a header that is a list": lambda f: with_header(f.token(), ["ES256"]),
    "a header that is no JSON": lambda f: with_header(f.token(), b"\xff\xfe"),
    "another header under the old signature": lambda f: with_header(
        f.token(), {"alg": "ES256", "typ": "AT+JWT", "kid": f.key().kid}
    ),
    # Signature
    "a signature cut in half": lambda f: with_signature(
        f.token(), bytes_of(f.token().rpartition(".")[2])[:32]
    ),
    "a signature with its last byte gone": lambda f: f.token()[:-2],
    "an empty signature": lambda f: with_signature(f.token(), b""),
    "no signature part": lambda f: f.token().rpartition(".")[0],
    "a signature in DER": lambda f: in_der(f.token()),
    "a signature of zeros": lambda f: with_signature(f.token(), bytes(64)),
    "a signature of the group's order": lambda f: with_signature(f.token(), ORDER.to_bytes(32) * 2),
    "a signature with r zero": lambda f: with_signature(
        f.token(), bytes(32) + bytes_of(f.token().rpartition(".")[2])[32:]
    ),
    "a signature with bytes after it": lambda f: with_signature(
        f.token(), bytes_of(f.token().rpartition(".")[2]) + b"\0"
    ),
    "a signature with padding": lambda f: f.token() + "==",
    "the signature of another token": lambda f: (
        f"{f.token(sub=TUTI).rpartition('.')[0]}.{f.token().rpartition('.')[2]}"
    ),
    "other claims under the old signature": lambda f: ".".join(
        (f.token().split(".")[0], part(f.claims(sub="budi")), f.token().split(".")[2])
    ),
    # Form
    "an encrypted token": encrypted,
    "four parts": lambda f: f"{f.token()}.x",
    "two tokens in a row": lambda f: f"{f.token()}.{f.token()}",
    "a token in the JSON form": lambda f: json.dumps({"payload": part(f.claims())}),
    "a token with a space": lambda f: f.token().replace(".", " .", 1),
    "a token in quotes": lambda f: f'"{f.token()}"',
    "a token in the alphabet of plain base64": lambda f: f"{f.token()[:-2]}+/",
    "an opaque token": lambda f: "2YotnFZFEjr1zCsicMWpAA",
    "an empty token": lambda f: "",
    "a good token that is too long": lambda f: f.token(more="x" * 8192),
    "a token of nothing but dots": lambda f: "." * 4000,
    # Payload
    "sub twice": lambda f: f.token(payload=twice(f, "sub", "budi")),
    "exp twice": lambda f: f.token(payload=twice(f, "exp", f.now + 10**6)),
    "iss twice": lambda f: f.token(payload=twice(f, "iss", DemoIssuer.url("lpsk"))),
    "cnf twice": lambda f: f.token(payload=twice(f, "cnf", {}).replace(b"{", b'{"cnf": {}, ', 1)),
    "a payload that is a list": lambda f: f.token(payload=b"[1]"),
    "a payload that is null": lambda f: f.token(payload=b"null"),
    "an empty payload": lambda f: f.token(payload=b""),
    "a payload after a byte order mark": lambda f: f.token(
        payload=b"\xef\xbb\xbf" + json.dumps(f.claims()).encode()
    ),
    "a payload that is not UTF-8": lambda f: f.token(payload=b'{"sub": "\xff"}'),
    "a payload without a floor": lambda f: f.token(payload=b"[" * 3000),
    "NaN in the payload": lambda f: f.token(exp=float("nan")),
    # Claims that are missing
    **{
        f"no {name}": lambda f, name=name: f.token(**{name: ...})
        for name in ("iss", "aud", "sub", "client_id", "iat", "exp", "jti")
    },
    # Claims of the wrong kind
    "iss is a list": lambda f: f.token(iss=[DemoIssuer.url(HAM)]),
    "iss is a number": lambda f: f.token(iss=7),
    "aud is a number": lambda f: f.token(aud=7),
    "aud is an object": lambda f: f.token(aud={f.claims()["aud"]: True}),
    "aud is in a list of lists": lambda f: f.token(aud=[[f.claims()["aud"]]]),
    "sub is a number": lambda f: f.token(sub=7),
    "sub is a list": lambda f: f.token(sub=[SARI]),
    "sub is null": lambda f: f.token(sub=None),
    "sub is empty": lambda f: f.token(sub=""),
    "sub is without end": lambda f: f.token(sub="s" * 256),
    "sub has two lines": lambda f: f.token(sub=f"{SARI}\nbudi"),
    "sub is half a character": lambda f: f.token(sub="\ud800"),
    "client_id is a number": lambda f: f.token(client_id=7),
    "client_id is empty": lambda f: f.token(client_id=""),
    "jti is a number": lambda f: f.token(jti=7),
    "jti is empty": lambda f: f.token(jti=""),
    "exp is text": lambda f: f.token(exp=str(f.now + 600)),
    "exp is true": lambda f: f.token(exp=True),
    "exp is null": lambda f: f.token(exp=None),
    "exp is before all time": lambda f: f.token(exp=-1),
    "exp is after all time": lambda f: f.token(exp=1e300),
    "exp is a number of 400 digits": lambda f: f.token(exp=10**400),
    "iat is text": lambda f: f.token(iat="now"),
    "nbf is text": lambda f: f.token(nbf="soon"),
    "nbf is null": lambda f: f.token(nbf=None),
    # Times
    "issued 31 s from now": lambda f: f.token(iat=f.now + 31),
    "not before 31 s from now": lambda f: f.token(nbf=f.now + 31),
    "issued tomorrow, over the day after": lambda f: f.token(
        iat=f.now + 86_400, exp=f.now + 172_800
    ),
    # Addressees
    "for another service": lambda f: f.token(aud="another-service"),
    "for nobody": lambda f: f.token(aud=[]),
    "for others only": lambda f: f.token(aud=["a", "b"]),
    "for us in capitals": lambda f: f.token(aud=f.claims()["aud"].upper()),
    "for us with a slash": lambda f: f.token(aud=f.claims()["aud"] + "/"),
    "for us within a text": lambda f: f.token(aud=f"a {f.claims()['aud']}"),
    # Issuers
    "an issuer with a slash more": lambda f: f.token(iss=DemoIssuer.url(HAM) + "/"),
    "an issuer in capitals": lambda f: f.token(iss=DemoIssuer.url(HAM).upper()),
    "an issuer over http": lambda f: f.token(iss=DemoIssuer.url(HAM).replace("https", "http")),
    "an issuer with its port": lambda f: f.token(
        iss=DemoIssuer.url(HAM).replace(".invalid", ".invalid:443")
    ),
    "an issuer that nobody named": lambda f: f.token(iss="https://evil.test", key=stranger()),
    # Bindings that cannot be held to
    "cnf is text": lambda f: f.token(cnf=f.client.thumbprint()),
    "cnf is null": lambda f: f.token(cnf=None),
    "cnf is empty": lambda f: f.token(cnf={}),
    "bound to a certificate": lambda f: f.token(cnf={"x5t#S256": f.client.thumbprint()}),
    "bound to a key and a certificate": lambda f: f.token(
        cnf={"jkt": f.client.thumbprint(), "x5t#S256": f.client.thumbprint()}
    ),
    "bound to a whole key": lambda f: f.token(cnf={"jwk": f.client.as_dict(private=False)}),
    "bound to a number": lambda f: f.token(cnf={"jkt": 7}),
    "bound to a thumbprint that is too short": lambda f: f.token(
        cnf={"jkt": f.client.thumbprint()[:-1]}
    ),
}

#: Other ways to send a good token, or none.
SENT: dict[str, tuple[Send, str]] = {
    "no token": (lambda f: [], NO_TOKEN),
    "a cookie": (lambda f: [("cookie", f"access_token={f.token()}")], NO_TOKEN),
    "a proof without a token": (lambda f: [("dpop", f.proof())], NO_TOKEN),
    "another scheme": (lambda f: [("authorization", f"Token {f.token()}")], BEARER),
    "Basic": (lambda f: [("authorization", "Basic c2FyaTpzYXJp")], BEARER),
    "no scheme": (lambda f: [("authorization", f.token())], BEARER),
    "two headers, both good": (lambda f: bearer(f.token()) * 2, BEARER),
    "two headers, the second good": (lambda f: bearer("a.b.c") + bearer(f.token()), BEARER),
    "two headers of two schemes": (
        lambda f: bearer(f.token()) + f.dpop(f.bound(), f.proof()),
        BEARER,
    ),
    "two tokens in one header": (lambda f: bearer(f"{f.token()}, Bearer {f.token()}"), BEARER),
    "bytes after the token": (lambda f: bearer(f.token().encode() + b"\xff"), BEARER),
    "a letter beyond ASCII": (lambda f: bearer("é".encode() + f.token().encode()), BEARER),
    "a token of 9,000 characters": (lambda f: bearer("x" * 9000), BEARER),
}

EXPIRED: dict[str, Make] = {
    "over for 30 s": lambda f: f.token(iat=f.now - 600, exp=f.now - 30),
    "over for a year": lambda f: f.token(iat=0, exp=f.now - 31_536_000),
}

#: Tokens that hold, of whom there is nobody at the agencies' face.
STRANGERS: dict[str, Make] = {
    "an unknown member": lambda f: f.token(sub="nobody"),
    "a member in capitals": lambda f: f.token(sub=SARI.upper()),
    "a member with a space": lambda f: f.token(sub=f"{SARI} "),
    "a member of another organisation": lambda f: f.token(
        {"kid": f.key("lpsk").kid}, key=f.key("lpsk"), iss=DemoIssuer.url("lpsk")
    ),
    "a disabled member": lambda f: f.token(sub="maria"),
    "an officer": lambda f: f.token(sub=TUTI),
    "an operator": lambda f: f.token(sub="eko"),
    "an unbound token of a partner": lambda f: f.bound(cnf=...),
    "a role that the token gives itself": lambda f: f.token(
        sub="nobody", role="agency_lead", organisation=HAM, clearance=4
    ),
}

#: Proofs that go with a good token of Ratna's and do not hold.
PROOFS: dict[str, Make] = {
    "an empty proof": lambda f: "",
    "no JWS": lambda f: "a.b.c",
    "the token for a proof": lambda f: f.bound(),
    "a proof that is too long": lambda f: f.proof(more="x" * 4096),
    "two proofs in one header": lambda f: f"{f.proof()}, {f.proof(jti='second-of-two')}",
    # Header
    "no typ": lambda f: f.proof({"typ": ...}),
    "typ JWT": lambda f: f.proof({"typ": "JWT"}),
    "typ at+jwt": lambda f: f.proof({"typ": "at+jwt"}),
    "alg none": lambda f: (
        f"{part({'typ': 'dpop+jwt', 'alg': 'none', 'jwk': f.client.as_dict(private=False)})}"
        f".{part(f.proven(f.bound()))}."
    ),
    "a shared secret": lambda f: f.proof(
        {"alg": "HS256", "jwk": {"kty": "oct", "k": part(b"0" * 32)}}, key=secret(b"0" * 32)
    ),
    "an RSA key": lambda f: f.proof(
        {"alg": "RS256", "jwk": stranger("RSA").as_dict(private=False)}, key=stranger("RSA")
    ),
    "a key of P-384": lambda f: f.proof(
        {"alg": "ES384", "jwk": stranger("P-384").as_dict(private=False)}, key=stranger("P-384")
    ),
    "a key of P-384 that is called ES256": lambda f: with_header(
        f.proof(),
        {"typ": "dpop+jwt", "alg": "ES256", "jwk": stranger("P-384").as_dict(private=False)},
    ),
    "a private key": lambda f: f.proof({"jwk": f.client.as_dict(private=True)}),
    "no key": lambda f: f.proof({"jwk": ...}),
    "a key that is text": lambda f: with_header(
        f.proof(), {"typ": "dpop+jwt", "alg": "ES256", "jwk": "key"}
    ),
    "a key off the curve": lambda f: with_header(
        f.proof(),
        {
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        },
    ),
    "a key for encryption": lambda f: f.proof(
        {"jwk": f.client.as_dict(private=False) | {"use": "enc"}}
    ),
    "a key id beside the key": lambda f: f.proof({"kid": "mine"}),
    "an address of keys beside the key": lambda f: f.proof({"jku": "https://evil.test"}),
    "critical parameters": lambda f: f.proof({"crit": ["x"], "x": 1}),
    # Signature
    "our key, signed with another": lambda f: f.proof(key=stranger()),
    "a signature cut off": lambda f: f.proof()[:-8],
    "a signature of zeros": lambda f: with_signature(f.proof(), bytes(64)),
    "a signature in DER": lambda f: in_der(f.proof()),
    "jti twice": lambda f: f.proof(
        payload=json.dumps(f.proven(f.bound())).encode()[:-1] + b', "jti": "other"}'
    ),
    # Method and address
    "for GET": lambda f: f.proof(htm="GET"),
    "for post": lambda f: f.proof(htm="post"),
    "for no method": lambda f: f.proof(htm=...),
    "for a list of methods": lambda f: f.proof(htm=["POST"]),
    "for no address": lambda f: f.proof(htu=...),
    "for a number": lambda f: f.proof(htu=7),
    "for the agencies' face": lambda f: f.proof(htu=f.at("/graphql/agency")),
    "for another host": lambda f: f.proof(htu="https://evil.test/graphql/partner"),
    "for the host that the request names": lambda f: f.proof(htu="http://perisai/graphql/partner"),
    "over https": lambda f: f.proof(htu=f.at("/graphql/partner").replace("http:", "https:")),
    "at another port": lambda f: f.proof(htu="http://127.0.0.1:80/graphql/partner"),
    "for another user": lambda f: f.proof(
        htu=f.at("/graphql/partner").replace("//", "//127.0.0.1@", 1)
    ),
    "for a path in capitals": lambda f: f.proof(htu=f.at("/GraphQL/partner")),
    "for a slash more": lambda f: f.proof(htu=f.at("/graphql/partner/")),
    "for two slashes": lambda f: f.proof(htu=f.at("//graphql/partner")),
    "for an escaped slash": lambda f: f.proof(htu=f.at("/graphql%2Fpartner")),
    "for a way round": lambda f: f.proof(htu=f.at("/graphql/agency/../partner")),
    "for a path alone": lambda f: f.proof(htu="/graphql/partner"),
    "for our address behind another": lambda f: f.proof(
        htu=f"https://evil.test//{f.at('/graphql/partner').partition('//')[2]}"
    ),
    "for an address with a line": lambda f: f.proof(htu=f.at("/graphql/\npartner")),
    # Time
    "91 s old": lambda f: f.proof(iat=f.now - 91),
    "31 s too early": lambda f: f.proof(iat=f.now + 31),
    "of no time": lambda f: f.proof(iat=...),
    "of a time in words": lambda f: f.proof(iat="now"),
    "of a time that is true": lambda f: f.proof(iat=True),
    # Id and token
    "no jti": lambda f: f.proof(jti=...),
    "an empty jti": lambda f: f.proof(jti=""),
    "a jti without end": lambda f: f.proof(jti="j" * 256),
    "a jti that is a number": lambda f: f.proof(jti=7),
    "no ath": lambda f: f.proof(ath=...),
    "the ath of another token": lambda f: f.proof(of=f.bound(jti="another-token")),
    "an ath in capitals": lambda f: f.proof(ath=f.proven(f.bound())["ath"].upper()),
    "an ath with padding": lambda f: f.proof(ath=f.proven(f.bound())["ath"] + "="),
    "an ath that is half a character": lambda f: f.proof(ath="\ud800"),
    "an ath that is a number": lambda f: f.proof(ath=7),
}


def of_stranger(f: Forger) -> str:
    """Make a proof that holds, of a key that is not the token's."""
    return f.proof({"jwk": stranger().as_dict(private=False)}, key=stranger())


def bound_sari(f: Forger) -> str:
    return f.token(cnf={"jkt": f.client.thumbprint()})


#: Tokens that hold, presented without the key that they, or partners, need: face, and what.
DOWNGRADED: dict[str, tuple[str, Send]] = {
    "a bound token as a bearer token": ("partner", lambda f: bearer(f.bound())),
    "a bound token as a bearer token, with its proof": (
        "partner",
        lambda f: [*bearer(f.bound()), ("dpop", f.proof())],
    ),
    "a partner's bearer token": ("partner", lambda f: bearer(f.bound(cnf=...))),
    "a partner's bearer token with a proof": (
        "partner",
        lambda f: [*bearer(f.bound(cnf=...)), ("dpop", f.proof(of=f.bound(cnf=...)))],
    ),
    "an unbound token with a proof": (
        "partner",
        lambda f: f.dpop(f.bound(cnf=...), f.proof(of=f.bound(cnf=...))),
    ),
    "a proof of another key": ("partner", lambda f: f.dpop(f.bound(), of_stranger(f))),
    "an officer's bound token as a bearer token": ("agency", lambda f: bearer(bound_sari(f))),
    "an officer's unbound token with a proof": (
        "agency",
        lambda f: f.dpop(f.token(), f.proof(of=f.token(), htu=f.at("/graphql/agency"))),
    ),
    "an officer's token with a proof of another key": (
        "agency",
        lambda f: f.dpop(
            bound_sari(f),
            f.proof(
                {"jwk": stranger().as_dict(private=False)},
                key=stranger(),
                of=bound_sari(f),
                htu=f.at("/graphql/agency"),
            ),
        ),
    ),
}

#: Bad tokens of Ratna's with proofs that fit them.
WITH_A_PROOF: dict[str, tuple[Make, str]] = {
    "a forged token with a proof": (
        lambda f: f.token({"kid": f.key(PARTNER).kid}, key=stranger()),
        "NOT_SIGNED_IN",
    ),
    "a token whose binding was exchanged": (
        lambda f: ".".join(
            (
                f.bound().split(".")[0],
                part(f.claims(cnf={"jkt": stranger().thumbprint()})),
                f.bound().split(".")[2],
            )
        ),
        "NOT_SIGNED_IN",
    ),
    "an expired token with a proof": (lambda f: f.bound(exp=f.now - 30), "TOKEN_EXPIRED"),
}

Row = tuple[str, Send, int, str, str | None]


def table() -> dict[str, Row]:
    """Give every row: face, what is sent, status, code, challenge."""
    rows: dict[str, Row] = {}

    def bears(make: Make) -> Send:
        return lambda f: bearer(make(f))

    for name, token in TOKENS.items():
        rows[f"token: {name}"] = ("agency", bears(token), 401, "NOT_SIGNED_IN", BEARER)
    for name, (send, challenge) in SENT.items():
        rows[f"sent: {name}"] = ("agency", send, 401, "NOT_SIGNED_IN", challenge)
    for name, token in EXPIRED.items():
        rows[f"expired: {name}"] = ("agency", bears(token), 401, "TOKEN_EXPIRED", BEARER)
    for name, token in STRANGERS.items():
        rows[f"stranger: {name}"] = ("agency", bears(token), 403, "NOT_FOR_THIS_FACE", None)
    for name, proof in PROOFS.items():
        send = lambda f, proof=proof: f.dpop(f.bound(), proof(f))  # noqa: E731
        rows[f"proof: {name}"] = ("partner", send, 401, "DPOP_PROOF_INVALID", PROOF)
    for name, (face, send) in DOWNGRADED.items():
        rows[f"downgraded: {name}"] = (face, send, 401, "DPOP_REQUIRED", DPOP)
    for name, (token, code) in WITH_A_PROOF.items():
        send = lambda f, token=token: f.dpop(token(f), f.proof(of=token(f)))  # noqa: E731
        rows[f"with a proof: {name}"] = ("partner", send, 401, code, DPOP)
    return rows


TABLE = table()


async def send(served: Served, face: str, sent: Sent) -> Answer:
    body = served.world.admitted(QUERY) if face == "partner" else {"query": QUERY}
    answer = await served.world.client.post(
        f"/graphql/{face}",
        content=json.dumps(body),
        headers=[("content-type", "application/json"), ("perisai-purpose", "protection"), *sent],
    )
    return Answer(answer.status_code, answer.headers, answer.text)


def parts_of(sent: Sent) -> set[str]:
    """Give what nobody may find: the parts of what was sent, and what they say."""
    parts: set[str] = set()
    for name, value in sent:
        text = value if isinstance(value, str) else value.decode("latin-1")
        if name in ("authorization", "cookie", "dpop"):
            parts |= {piece for word in text.split() for piece in word.split(".")}
    return {piece for piece in parts if len(piece) >= 8} | {"forged-token-id", "forged-proof-"}


@pytest.mark.parametrize("bad", TABLE)
async def test_a_bad_token_is_refused_with_its_challenge_and_nothing_of_it_is_kept(
    served: Served, bad: str
) -> None:
    face, make, status, code, challenge = TABLE[bad]
    world = served.world
    world.clock.move(timedelta(minutes=1))  # A new minute, so that no refusal is only counted.
    sent = make(Forger(world))
    before, written = (await served.log.head()).size, served.lines.tell()

    answer = await send(served, face, sent)

    assert (answer.status, answer.codes) == (status, [code]), answer.text
    assert answer.headers.get("www-authenticate") == challenge
    assert "data" not in answer.body
    entries = await served.log.entries(before, (await served.log.head()).size)
    [event] = [decode(entry.body) for entry in entries]
    assert (event.action, event.decision, event.code) == (
        Action.SIGN_IN,
        Decision.REFUSED,
        code,
    )
    assert (event.organisation is None) is (code in ("NOT_SIGNED_IN", "TOKEN_EXPIRED"))
    lines = served.lines.getvalue()[written:]
    assert "unexpected" not in lines
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    kept = b"".join(entry.body for entry in entries).decode("latin-1")
    for piece in parts_of(sent):
        assert piece not in lines
        assert piece not in answer.text + headers
        assert piece not in kept


async def test_what_was_refused_used_no_proof_up(served: Served) -> None:
    assert await served.world.run("select count(*) from used_proof") == [(0,)]


#: What the bad ones are made from, and the last that is let pass.
GOOD: dict[str, tuple[str, Send]] = {
    "a token": ("agency", lambda f: bearer(f.token())),
    "over for 29 s": ("agency", lambda f: bearer(f.token(exp=f.now - 29))),
    "issued 30 s from now": ("agency", lambda f: bearer(f.token(iat=f.now + 30))),
    "not before 30 s from now": ("agency", lambda f: bearer(f.token(nbf=f.now + 30))),
    "one addressee of several": ("agency", lambda f: bearer(f.token(aud=["a", f.claims()["aud"]]))),
    "times with fractions": ("agency", lambda f: bearer(f.token(iat=f.now - 0.5))),
    "claims that nobody asked for": ("agency", lambda f: bearer(f.token(role="agency_lead"))),
    "an officer's bound token with its proof": (
        "agency",
        lambda f: f.dpop(bound_sari(f), f.proof(of=bound_sari(f), htu=f.at("/graphql/agency"))),
    ),
    "a partner's": ("partner", lambda f: f.dpop(f.bound(), f.proof())),
    "a proof that is 90 s old": ("partner", lambda f: f.dpop(f.bound(), f.proof(iat=f.now - 90))),
    "a proof that is 30 s early": (
        "partner",
        lambda f: f.dpop(f.bound(), f.proof(iat=f.now + 30)),
    ),
    "a host in capitals, a query and a fragment": (
        "partner",
        lambda f: f.dpop(
            f.bound(), f.proof(htu=f.at("/graphql/partner?a=b#c").replace("http", "HTTP"))
        ),
    ),
    "a letter that is escaped": (
        "partner",
        lambda f: f.dpop(f.bound(), f.proof(htu=f.at("/graphql/%70artner"))),
    ),
    "an escape of the token's scheme in capitals": (
        "partner",
        lambda f: [("authorization", f"DPOP {f.bound()}"), ("dpop", f.proof())],
    ),
}


@pytest.mark.parametrize("good", GOOD)
async def test_what_the_bad_ones_are_made_from_is_let_pass(served: Served, good: str) -> None:
    served.world.clock.move(timedelta(minutes=1))
    face, make = GOOD[good]

    answer = await send(served, face, make(Forger(served.world)))

    assert (answer.status, answer.codes) == (200, []), answer.text


async def test_a_proof_with_an_ed25519_key_holds(served: Served) -> None:
    f, key = Forger(served.world), OKPKey.generate_key("Ed25519")
    token = f.bound(cnf={"jkt": key.thumbprint()})
    for number, algorithm in enumerate(("Ed25519", "EdDSA")):
        header = {"alg": algorithm, "jwk": key.as_dict(private=False)}
        proof = f.proof(header, key=key, of=token, jti=f"{algorithm}-{number}")

        assert (await send(served, "partner", f.dpop(token, proof))).status == 200


#: What a thief makes of a request that was answered.
AGAIN: dict[str, Callable[[Forger, str, str], Sent]] = {
    "as it was": lambda f, token, proof: f.dpop(token, proof),
    "with the signature written in its other way": lambda f, token, proof: f.dpop(
        token, mirrored(proof)
    ),
    "with another proof of the same id": lambda f, token, proof: f.dpop(
        token, f.proof(of=token, jti="once", iat=f.now)
    ),
    "with another token of the same key": lambda f, token, proof: f.dpop(
        f.bound(jti="second"), f.proof(of=f.bound(jti="second"), jti="once")
    ),
}


@pytest.mark.parametrize("how", AGAIN)
@pytest.mark.parametrize("later", [0, 89])
async def test_a_proof_is_good_once(served: Served, how: str, later: int) -> None:
    world = served.world
    world.clock.move(KEPT + timedelta(minutes=1))
    f = Forger(world)
    token, proof = f.bound(), f.proof(jti="once")
    assert (await send(served, "partner", f.dpop(token, proof))).status == 200
    world.clock.move(timedelta(seconds=later))
    before, written = await world.size(), served.lines.tell()

    answer = await send(served, "partner", AGAIN[how](f, token, proof))

    assert (answer.status, answer.codes) == (401, ["DPOP_PROOF_INVALID"])
    assert answer.headers["www-authenticate"] == PROOF
    [event] = await world.events(before)
    assert (event.actor, event.code) == (world.records.member(RATNA).id, "DPOP_PROOF_INVALID")
    assert served.lines.getvalue()[written:].count(proof.split(".")[1]) == 0


async def test_an_id_that_another_key_used_is_free(served: Served) -> None:
    f, key = Forger(served.world), stranger()
    token = f.bound(cnf={"jkt": key.thumbprint()})
    jwk = key.as_dict(private=False)
    own, others = f.proof(jti="shared"), f.proof({"jwk": jwk}, key=key, of=token, jti="shared")

    assert (await send(served, "partner", f.dpop(f.bound(), own))).status == 200
    assert (await send(served, "partner", f.dpop(token, others))).status == 200


async def test_a_proof_that_one_process_took_another_refuses(served: Served) -> None:
    async with exchanged(served.world) as inside:
        one, other = UsedProofs(inside.house), UsedProofs(inside.house)
        await one.use(b"d" * 32)
        for process in (one, other):
            with pytest.raises(DpopProofInvalid):
                await process.use(b"d" * 32)


async def test_used_proofs_are_forgotten_when_they_are_over(served: Served) -> None:
    f, clock = Forger(served.world), served.world.clock
    for _ in range(3):
        clock.move(KEPT)
        token, proof = f.bound(), f.proof()
        assert (await send(served, "partner", f.dpop(token, proof))).status == 200

    [(left,)] = await served.world.run("select count(*) from used_proof")
    assert left == 1


async def test_members_are_not_made_by_tokens(served: Served) -> None:
    f = Forger(served.world)
    before = await served.world.run("select count(*) from member")

    for _ in range(2):
        answer = await send(served, "agency", bearer(f.token(sub="somebody-new")))
        assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])

    assert await served.world.run("select count(*) from member") == before


async def test_a_partner_who_is_disabled_is_refused_with_the_next_request(
    served: Served,
) -> None:
    """The last test of the module: nobody enables a member again."""
    f = Forger(served.world)
    asking = f.dpop(f.bound(), f.proof(jti="before"))
    assert (await send(served, "partner", asking)).status == 200
    async with exchanged(served.world) as inside:
        assert await disable_member(inside.house, PARTNER, RATNA)

    answer = await send(served, "partner", f.dpop(f.bound(), f.proof(jti="after")))

    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])
