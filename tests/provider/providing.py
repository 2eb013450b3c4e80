"""An identity provider in a process of its own, and applications that get tokens from it.

The provider is the npm package oidc-provider, which `make test-long` installs from the lock
beside this file; it runs on loopback only, with the node of the tests' environment.
"""

import base64
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")

#: How clients name the service to their provider (RFC 8707), and another service.
RESOURCE, ANOTHER = "https://perisai.example/graphql", "https://another.example/"

#: Where the provider sends a browser back to; nothing is there.
RETURN = "https://kasus.komnas-ham.example/kembali"

#: Seconds that a provider may take to end by itself.
END_LIMIT = 10.0


def for_people(client_id: str, **more: Any) -> dict[str, Any]:
    """Describe an application that people sign in to (RFC 7591): a public client."""
    return {
        "client_id": client_id,
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [RETURN],
        **more,
    }


def for_itself(client_id: str, key: ECKey) -> dict[str, Any]:
    """Describe a machine, which gets tokens in its own name and proves itself by *key*."""
    return {
        "client_id": client_id,
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [key.as_dict(private=False)]},
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": [],
    }


@dataclass
class Provider:
    """A provider that runs.

    Attributes:
        issuer: its address, which is the `iss` of its tokens.
        told: where to each endpoint is (OpenID Connect Discovery 1.0, 3).
    """

    issuer: str
    told: Mapping[str, Any]
    _process: "subprocess.Popen[str]" = field(repr=False)

    def rotate(self, *keys: str, algorithm: str | None = None) -> None:
        """Publish the keys of these ids, new ones where there are none; the first signs.

        Args:
            algorithm: of the new keys and all signatures; None: the one of before.
        """
        other = {} if algorithm is None else {"algorithm": algorithm}
        _say(self._process, {"keys": keys, **other})


@contextmanager
def provider(
    folder: Path, *, audience: str, algorithm: str, clients: Sequence[Mapping[str, Any]]
) -> Iterator[Provider]:
    """Run a provider, with the key "first", until the block ends; it complains to *folder*."""
    assert (HERE / "node_modules").is_dir(), "make test-long installs the provider"
    settings = {
        "audience": audience,
        "resource": RESOURCE,
        "algorithm": algorithm,
        "keys": ["first"],
        "clients": clients,
    }
    with (folder / f"provider-{algorithm}").open("w") as complaints:
        process = subprocess.Popen(
            [NODE, HERE / "provider.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,
        )
    try:
        issuer = _say(process, settings)["issuer"]
        told = httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).json()
        assert told["issuer"] == issuer
        yield Provider(issuer, told, process)
    finally:
        stdin, stdout = _pipes(process)
        stdin.close()
        try:
            process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            # Its group, which is its own: node from a wheel runs beneath a process of Python.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stdout.close()


@dataclass
class Application:
    """A client of a provider, with the browser of one person, which keeps the session there.

    Attributes:
        key: what its tokens get bound to (RFC 9449); None: to nothing.
        id_token: what the provider told of the last sign-in.
    """

    provider: Provider
    client_id: str
    browser: httpx.AsyncClient = field(repr=False)
    key: ECKey | None = None
    id_token: str | None = None

    async def sign_in(self, account: str, *, acr: str = "pwd", **asked: str | int) -> str:
        """Get a token by code and PKCE (RFC 7636).

        Args:
            account: who is in front of the browser.
            acr: how they sign in, if the provider asks them to.
            asked: more parameters of the request; `resource` is RESOURCE without them.
        """
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe()
        digest = hashlib.sha256(verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": RETURN,
            "scope": "openid records",
            "resource": RESOURCE,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **asked,
        }
        at = f"{self.provider.told['authorization_endpoint']}?{urlencode(parameters)}"
        while not at.startswith(RETURN):
            answer = await self.browser.get(at)
            if answer.status_code == httpx.codes.OK:  # A page.
                assert answer.json()["name"] == "login", answer.text
                answer = await self.browser.post(at, data={"account": account, "acr": acr})
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
            at = urljoin(at, answer.headers["location"])
        back = parse_qs(urlsplit(at).query)
        assert (back["state"], back["iss"]) == ([state], [self.provider.issuer])  # RFC 9207
        given = {
            "grant_type": "authorization_code",
            "code": back["code"][0],
            "redirect_uri": RETURN,
            "client_id": self.client_id,
            "code_verifier": verifier,
        }
        return await self._token(given)

    async def by_itself(self, key: ECKey) -> str:
        """Get a token in its own name (RFC 6749, 4.4), with no secret (RFC 7523, 2.2)."""
        now = int(time.time())
        said = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.provider.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": uuid.uuid4().hex,
        }
        given = {
            "grant_type": "client_credentials",
            "scope": "records",
            "resource": RESOURCE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "ES256"}, said, key, algorithms=["ES256"]),
        }
        return await self._token(given)

    async def _token(self, given: Mapping[str, str]) -> str:
        endpoint = self.provider.told["token_endpoint"]
        headers = {} if self.key is None else {"dpop": proof(self.key, endpoint)}
        answer = await self.browser.post(endpoint, data=given, headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        said = answer.json()
        assert said["token_type"] == ("Bearer" if self.key is None else "DPoP")
        self.id_token = said.get("id_token")
        token: str = said["access_token"]
        return token


@asynccontextmanager
async def application(
    of: Provider, client_id: str, key: ECKey | None = None
) -> AsyncIterator[Application]:
    """Open the application *client_id*, with a browser that nobody signed in with yet."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        yield Application(of, client_id, browser, key)


def proof(key: ECKey, address: str) -> str:
    """Prove *key* for one POST without a token to *address* (RFC 9449, 4.2)."""
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    said = {"jti": uuid.uuid4().hex, "htm": "POST", "htu": address, "iat": int(time.time())}
    return jwt.encode(header, said, key, algorithms=["ES256"])


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _say(process: "subprocess.Popen[str]", line: Mapping[str, Any]) -> dict[str, Any]:
    """Send one line, and give the line that answers it."""
    stdin, stdout = _pipes(process)
    stdin.write(json.dumps(line) + "\n")
    stdin.flush()
    answer = stdout.readline()
    assert answer, "the provider ended"
    said: dict[str, Any] = json.loads(answer)
    return said
