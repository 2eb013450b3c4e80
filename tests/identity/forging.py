"""Forges tokens and proofs of every kind, with the keys of an installation and with others."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, RSAKey, import_key

from api.demo.install import AUDIENCE
from api.demo.issuer import DemoIssuer
from api.demo.synthetic import RATNA, SARI
from tests.identity.conftest import ANYTHING
from tests.world import World

#: Order of the group of P-256 (NIST SP 800-186, 3.2.1.3).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Sent = list[tuple[str, str | bytes]]

HAM, PARTNER = "komnas-ham", "lbh-nusantara"


def part(value: object) -> str:
    """Encode *value*, or bytes as they are, as a part of a JWS."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def stranger(kind: str = "EC") -> Key:
    """Give a key that nobody published."""
    if kind == "RSA":
        return RSAKey.generate_key(2048)
    return ECKey.generate_key("P-384" if kind == "P-384" else "P-256")


@dataclass(frozen=True)
class Forger:
    """Knows what an attacker may know, and signs with the right keys where one must."""

    world: World

    @property
    def now(self) -> int:
        return int(self.world.clock().timestamp())

    def key(self, organisation: str = HAM) -> ECKey:
        file = self.world.folder / "issuers" / f"{organisation}.key.json"
        return ECKey.import_key(json.loads(file.read_bytes()))

    @property
    def client(self) -> ECKey:
        """The key of the partner's application."""
        file = self.world.folder / "issuers" / "partner-client.key.json"
        return ECKey.import_key(json.loads(file.read_bytes()))

    def claims(self, **changes: Any) -> dict[str, Any]:
        said = {
            "iss": DemoIssuer.url(HAM),
            "aud": AUDIENCE,
            "sub": SARI,
            "client_id": "perisai-demo",
            "iat": self.now,
            "exp": self.now + 600,
            "jti": "forged-token-id",
            **changes,
        }
        return {name: value for name, value in said.items() if value is not ...}

    def token(
        self,
        header: Mapping[str, Any] | None = None,
        *,
        key: Any = None,
        payload: bytes | None = None,
        **changes: Any,
    ) -> str:
        """Sign a token of Sari's with the key of her issuer, but for what is said."""
        head = {"alg": "ES256", "typ": "at+jwt", "kid": self.key().kid, **(header or {})}
        body = json.dumps(self.claims(**changes)).encode() if payload is None else payload
        return _signed(head, body, key or self.key())

    def bound(self, **changes: Any) -> str:
        """Sign a token of Ratna's, bound to the key of her application."""
        issuer, jkt = self.key(PARTNER), self.client.thumbprint()
        said = {"iss": DemoIssuer.url(PARTNER), "sub": RATNA, "cnf": {"jkt": jkt}, **changes}
        return self.token({"kid": issuer.kid}, key=issuer, **said)

    def proof(
        self,
        header: Mapping[str, Any] | None = None,
        *,
        of: str | None = None,
        key: Any = None,
        payload: bytes | None = None,
        **changes: Any,
    ) -> str:
        """Sign a proof for a request with the token *of*, but for what is said."""
        jwk = self.client.as_dict(private=False)
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk, **(header or {})}
        said = self.proven(of or self.bound(), **changes)
        body = json.dumps(said).encode() if payload is None else payload
        return _signed(head, body, key or self.client)

    def proven(self, token: str, **changes: Any) -> dict[str, Any]:
        said = {
            "jti": f"forged-proof-{self.now}",
            "htm": "POST",
            "htu": self.at("/graphql/partner"),
            "iat": self.now,
            "ath": part(hashlib.sha256(token.encode()).digest()),
            **changes,
        }
        return {name: value for name, value in said.items() if value is not ...}

    def at(self, path: str) -> str:
        return self.world.settings.reached_at + path

    def dpop(self, token: str, proof: str | bytes) -> Sent:
        return [("authorization", f"DPoP {token}"), ("dpop", proof)]


def bearer(token: str | bytes) -> Sent:
    return [("authorization", b"Bearer " + (token.encode() if isinstance(token, str) else token))]


def secret(text: str | bytes) -> OctKey:
    return OctKey.import_key(text)


def with_signature(token: str, signature: bytes) -> str:
    return f"{token.rpartition('.')[0]}.{part(signature)}"


def with_header(token: str, header: object) -> str:
    """Put another header before a signature that was made for the old one."""
    return f"{part(header)}.{token.partition('.')[2]}"


def in_der(token: str) -> str:
    """Write the signature as ASN.1, as X.509 and TLS do (RFC 7518, 3.4 does not)."""
    signature = bytes_of(token.rpartition(".")[2])
    numbers = b""
    for half in (signature[:32], signature[32:]):
        number = half.lstrip(b"\0")
        number = b"\0" + number if number[0] & 0x80 else number
        numbers += bytes((2, len(number))) + number
    return with_signature(token, bytes((0x30, len(numbers))) + numbers)


def mirrored(token: str) -> str:
    """Write the same ES256 signature in its other way: s and -s both hold."""
    signature = bytes_of(token.rpartition(".")[2])
    s = ORDER - int.from_bytes(signature[32:])
    return with_signature(token, signature[:32] + s.to_bytes(32))


def _signed(header: dict[str, Any], body: bytes, key: Key) -> str:
    header = {name: value for name, value in header.items() if value is not ...}
    return _signed_once(json.dumps(header), body, json.dumps(key.as_dict(private=True)))


@cache
def _signed_once(header: str, body: bytes, jwk: str) -> str:
    """Sign; equal claims give the same token, though ECDSA would sign them anew each time."""
    key = import_key(json.loads(jwk))
    return jws.serialize_compact(json.loads(header), body, key, registry=ANYTHING)
