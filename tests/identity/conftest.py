"""An issuer of one test, a clock to move, and tokens of every kind."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from api.identity.jwks import ALGORITHMS, JwksSource
from api.identity.tokens import Issuer, TokenVerifier
from api.vocabulary import Organisation

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCE = "https://perisai.test"


@dataclass
class Clock:
    """Wall time and a monotonic clock that move together."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class _Anything(jws.JWSRegistry):
    """Signs whatever a forger may want to sign."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]

    def check_header(self, header: Any) -> None:
        pass


ANYTHING = _Anything()


def make_key(algorithm: str, kid: str) -> Key:
    kty, curve = ALGORITHMS[algorithm]
    parameters = {"kid": kid, "use": "sig"}
    if kty == "EC":
        return ECKey.generate_key("P-256", parameters)
    if kty == "OKP":
        assert curve == "Ed25519"
        return OKPKey.generate_key("Ed25519", parameters)
    return RSAKey.generate_key(2048, parameters)


@dataclass
class TestIssuer:
    """Signs tokens; its public keys are in a file."""

    __test__ = False

    url: str
    organisation: str
    path: Path
    keys: dict[str, Key] = field(default_factory=dict)

    def add(self, algorithm: str, kid: str) -> None:
        self.keys[kid] = make_key(algorithm, kid)

    def publish(self, *more: dict[str, Any]) -> None:
        public = [key.as_dict(private=False) for key in self.keys.values()]
        self.path.write_text(json.dumps({"keys": [*public, *more]}))

    def claims(self, **changes: Any) -> dict[str, Any]:
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "sari",
            "client_id": "frontend",
            "iat": int(NOON.timestamp()) - 60,
            "exp": int(NOON.timestamp()) + 600,
            "jti": "token-1",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def sign(
        self,
        header: dict[str, Any] | None = None,
        *,
        kid: str = "es",
        key: Any = None,
        payload: bytes | None = None,
        **changes: Any,
    ) -> str:
        full = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **(header or {})}
        full = {name: value for name, value in full.items() if value is not ...}
        body = json.dumps(self.claims(**changes)).encode() if payload is None else payload
        return jws.serialize_compact(full, body, key or self.keys[kid], registry=ANYTHING)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(tmp_path: Path) -> TestIssuer:
    made = TestIssuer("https://login.komnas-ham.test", "komnas-ham", tmp_path / "ham.json")
    made.add("ES256", "es")
    made.publish()
    return made


@pytest.fixture
def other(tmp_path: Path) -> TestIssuer:
    made = TestIssuer("https://login.lpsk.test", "lpsk", tmp_path / "lpsk.json")
    made.add("ES256", "other")
    made.publish()
    return made


@pytest.fixture
def make_verifier(clock: Clock) -> Callable[..., TokenVerifier]:
    def make(*issuers: TestIssuer) -> TokenVerifier:
        return TokenVerifier(
            [
                Issuer(
                    i.url,
                    Organisation(i.organisation),
                    JwksSource(str(i.path), monotonic=clock.monotonic),
                )
                for i in issuers
            ],
            AUDIENCE,
            clock,
        )

    return make


@pytest.fixture
def verifier(
    make_verifier: Callable[..., TokenVerifier], issuer: TestIssuer, other: TestIssuer
) -> TokenVerifier:
    return make_verifier(issuer, other)
