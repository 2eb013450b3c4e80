"""Keys are fetched when they are needed, never too often, and never trusted for too long."""

import asyncio
import json

import httpx
import pytest
import structlog
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from api.errors import RefusesToStart, SignInUnavailable
from api.identity.jwks import DOCUMENT_MOST, JwksSource, keys_of

ADDRESS = "https://login.komnas-ham.test/jwks"


def public(key, **more) -> dict:
    return key.as_dict(private=False) | more


def ec(kid: str, **more) -> dict:
    return public(ECKey.generate_key("P-256"), kid=kid, **more)


class Server:
    """Answers with the keys it has, and counts how often it was asked."""

    def __init__(self, *keys) -> None:
        self.document = json.dumps({"keys": list(keys)}).encode()
        self.asked = 0
        self.status = 200
        self.fault: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.location: str | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        headers = {"location": self.location} if self.location else {}
        return httpx.Response(self.status, content=self.document, headers=headers)

    def publish(self, *keys) -> None:
        self.document = json.dumps({"keys": list(keys)}).encode()

    def source(self, clock) -> JwksSource:
        transport = httpx.MockTransport(self)
        return JwksSource(ADDRESS, monotonic=clock.monotonic, transport=transport)


async def test_keys_are_fetched_once_and_kept(clock):
    server = Server(ec("a"))
    source = server.source(clock)

    assert (await source.key("a", "ES256")).kid == "a"
    clock.move(minutes=4)
    assert (await source.key("a", "ES256")).kid == "a"
    assert server.asked == 1


async def test_an_unknown_key_is_asked_for_every_ten_seconds_at_most(clock):
    server = Server(ec("a"))
    source = server.source(clock)
    await source.key("a", "ES256")

    for _ in range(50):
        assert await source.key("b", "ES256") is None
    assert server.asked == 1

    server.publish(ec("a"), ec("b"))
    clock.move(seconds=10)
    assert (await source.key("b", "ES256")).kid == "b"
    assert server.asked == 2


async def test_callers_share_one_fetch(clock):
    server = Server(ec("a"))
    server.gate = asyncio.Event()
    source = server.source(clock)
    callers = [asyncio.create_task(source.key("a", "ES256")) for _ in range(20)]
    await server.reached.wait()
    server.gate.set()

    assert {key.kid for key in await asyncio.gather(*callers)} == {"a"}
    assert server.asked == 1


async def test_a_caller_that_goes_away_does_not_end_the_fetch_of_others(clock):
    server = Server(ec("a"))
    server.gate = asyncio.Event()
    source = server.source(clock)
    leaving = asyncio.create_task(source.key("a", "ES256"))
    staying = asyncio.create_task(source.key("a", "ES256"))
    await server.reached.wait()
    leaving.cancel()
    server.gate.set()

    assert (await staying).kid == "a"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_withdrawn_key_ends_when_the_keys_are_no_longer_fresh(clock):
    server = Server(ec("a"))
    source = server.source(clock)
    await source.key("a", "ES256")
    server.publish(ec("b"))
    clock.move(minutes=5)

    assert await source.key("a", "ES256") is None


@pytest.mark.parametrize(
    "break_it",
    [
        lambda s: setattr(s, "status", 500),
        lambda s: setattr(s, "fault", httpx.ConnectError("no route")),
        lambda s: setattr(s, "fault", httpx.ReadTimeout("slow")),
        lambda s: setattr(s, "document", b"<html>"),
        lambda s: setattr(s, "document", b"{}"),
        lambda s: setattr(s, "document", b"[" * 50_000),
        lambda s: setattr(s, "document", b'{"keys": []}'),
        lambda s: setattr(s, "document", b" " * (DOCUMENT_MOST + 1)),
    ],
    ids=["500", "network", "time-out", "html", "no keys", "deep", "empty", "too large"],
)
async def test_while_the_issuer_fails_its_last_keys_hold_for_an_hour(clock, break_it):
    server = Server(ec("a"))
    source = server.source(clock)
    await source.key("a", "ES256")
    break_it(server)

    clock.move(minutes=59)
    assert (await source.key("a", "ES256")).kid == "a"
    assert server.asked == 2
    clock.move(minutes=1)
    with pytest.raises(SignInUnavailable):
        await source.key("a", "ES256")


async def test_a_failing_issuer_is_asked_every_ten_seconds_at_most(clock):
    server = Server()
    source = server.source(clock)
    for _ in range(20):
        with pytest.raises(SignInUnavailable):
            await source.key("a", "ES256")

    assert server.asked == 1


async def test_an_issuer_that_never_answers_is_given_up(clock, monkeypatch):
    monkeypatch.setattr("api.identity.jwks.TIME_OUT", 0.01)
    server = Server(ec("a"))
    server.gate = asyncio.Event()

    with pytest.raises(SignInUnavailable):
        await server.source(clock).key("a", "ES256")


async def test_a_redirection_is_not_followed(clock):
    server = Server(ec("a"))
    server.status, server.location = 302, "https://evil.test/jwks"

    with pytest.raises(SignInUnavailable):
        await server.source(clock).key("a", "ES256")
    assert server.asked == 1


async def test_a_failure_is_logged_without_its_text(clock):
    server = Server()
    server.fault = httpx.ConnectError("secret text")
    with structlog.testing.capture_logs() as logs, pytest.raises(SignInUnavailable):
        await server.source(clock).key("a", "ES256")

    assert [entry["error"] for entry in logs] == ["ConnectError"]
    assert "secret" not in str(logs)


async def test_a_file_is_read_again_for_an_unknown_key(clock, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [ec("a")]}))
    source = JwksSource(str(path), monotonic=clock.monotonic)
    assert (await source.key("a", "ES256")).kid == "a"

    path.write_text(json.dumps({"keys": [ec("b")]}))
    assert await source.key("b", "ES256") is None
    clock.move(seconds=10)
    assert (await source.key("b", "ES256")).kid == "b"


@pytest.mark.parametrize("address", ["http://login.test/jwks", "http://10.0.0.1/", "http:///x"])
def test_plain_http_to_another_machine_is_refused(address):
    with pytest.raises(RefusesToStart, match="https"):
        JwksSource(address)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]", "localhost"])
def test_plain_http_to_this_machine_is_accepted(host):
    JwksSource(f"http://{host}/jwks")


def test_only_public_signature_keys_of_listed_algorithms_are_kept():
    private = ECKey.generate_key("P-256", {"kid": "private"})
    keys = keys_of(
        json.dumps(
            {
                "keys": [
                    ec("good", use="sig", alg="ES256", key_ops=["verify"]),
                    ec("encryption", use="enc"),
                    ec("encrypts", key_ops=["encrypt"]),
                    ec("other algorithm", alg="ES384"),
                    ec("odd algorithm", alg=["ES256"]),
                    ec("odd use", use=["sig"]),
                    ec("odd operations", key_ops=7),
                    public(ECKey.generate_key("P-256"), kid=7),
                    {k: v for k, v in ec("x").items() if k != "kid"},
                    public(ECKey.generate_key("P-384"), kid="P-384"),
                    public(OKPKey.generate_key("X25519"), kid="X25519"),
                    public(OKPKey.generate_key("Ed448"), kid="Ed448"),
                    private.as_dict(private=True),
                    OctKey.generate_key(256).as_dict(private=True) | {"kid": "secret"},
                    {"kty": "AKP", "kid": "post-quantum", "pub": "AAAA"},
                    {"kty": "EC", "crv": "P-256", "kid": "off the curve", "x": "AAAA", "y": "AAAA"},
                    {"kty": "RSA", "kid": "odd modulus", "n": "!!", "e": "AQAB"},
                    {"kty": "RSA", "kid": "short modulus", "n": "AAAA" * 40, "e": "AQAB"},
                    "no object",
                    None,
                ]
            }
        ).encode()
    )

    assert {kid for kid, _ in keys} == {"good"}


def test_a_short_rsa_key_is_passed_over():
    long = public(RSAKey.generate_key(2048), kid="long")
    with pytest.warns(Warning, match="2048"):
        short = public(RSAKey.generate_key(1024), kid="short")

    assert {kid for kid, _ in keys_of(json.dumps({"keys": [long, short]}).encode())} == {"long"}
