"""The public keys of one issuer: fetched, cached, and fetched again when a key is unknown.

It holds only keys that can verify a signature of an algorithm in `ALGORITHMS`.
It never follows an address that a token names; the location is a setting.
"""

import asyncio
import base64
import ipaddress
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from api.errors import RefusesToStart, SignInUnavailable

#: Algorithm -> the type and, where it has one, the curve of its keys (RFC 7518, RFC 8037,
#: RFC 9864). Nothing symmetric, and no "none": whoever verifies must be unable to sign.
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "ES256": ("EC", "P-256"),
    "Ed25519": ("OKP", "Ed25519"),
    "EdDSA": ("OKP", "Ed25519"),
    "PS256": ("RSA", None),
    "RS256": ("RSA", None),
}

#: A refetch for an unknown key, or after a failure, at most this often, seconds.
REFETCH_INTERVAL = 10.0

#: Keys are used without asking again for this long, seconds: a withdrawn key ends then.
FRESH = 300.0

#: While the issuer does not answer, its last keys are trusted for this long, seconds.
STALE_MOST = 3600.0

#: The issuer has this long to answer in full, seconds.
TIME_OUT = 3.0

#: A document of more bytes is not a key set.
DOCUMENT_MOST = 64 * 1024

#: NIST SP 800-131A: the smallest RSA modulus, bits.
RSA_BITS_LEAST = 2048

#: What a fetch may raise: network, file system, or an answer that is no key set.
_FETCH_FAILURES = (OSError, ValueError, RecursionError, httpx.HTTPError, httpx.InvalidURL)

_log = structlog.get_logger("perisai.identity")

_Keys = Mapping[tuple[str, str], Key]


class JwksSource:
    """The keys at one location, an https address or the path of a file.

    Plain http is accepted on a loopback address only: who can change the answer
    on its way can sign in as anybody.
    """

    def __init__(
        self,
        location: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """*transport* stands in for the network where it is given.

        Raises:
            RefusesToStart: the location is plain http to another machine.
        """
        self._location = location
        self._remote = _is_remote(location)
        self._monotonic = monotonic
        self._transport = transport
        self._keys: _Keys = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        """Name the location."""
        return f"<JwksSource {self._location}>"

    async def key(self, kid: str, algorithm: str) -> Key | None:
        """Find the key *kid* that may verify *algorithm*; None if the issuer has none.

        Raises:
            SignInUnavailable: no keys, or none young enough to be trusted.
        """
        key = self._find(kid, algorithm)
        if key is None or not self._younger_than(FRESH):
            await self._refresh()
            key = self._find(kid, algorithm)
        if not self._younger_than(STALE_MOST):
            raise SignInUnavailable
        return key

    def _find(self, kid: str, algorithm: str) -> Key | None:
        if not self._younger_than(STALE_MOST):
            return None
        kty, curve = ALGORITHMS[algorithm]
        key = self._keys.get((kid, kty))
        if key is None or key.alg not in (None, algorithm):
            return None
        if curve is not None and key.get("crv") != curve:
            return None
        return key

    def _younger_than(self, seconds: float) -> bool:
        return self._fetched is not None and self._monotonic() - self._fetched < seconds

    def _may_fetch(self) -> bool:
        return self._tried is None or self._monotonic() - self._tried >= REFETCH_INTERVAL

    async def _refresh(self) -> None:
        """Wait for the fetch that is under way, or for a new one if it is time for that."""
        if self._fetching is None or self._fetching.done():
            if not self._may_fetch():
                return
            self._fetching = asyncio.create_task(self._fetch())
        # A caller that goes away must not take the fetch of all others with it.
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        """Replace all keys by those at the location; keep the old ones if that fails."""
        self._tried = self._monotonic()
        try:
            async with asyncio.timeout(TIME_OUT):
                document = await (self._download() if self._remote else self._read())
            keys = keys_of(document)
        except _FETCH_FAILURES as error:
            _log.warning("jwks_failed", location=self._location, error=type(error).__name__)
            return
        self._keys = keys
        self._fetched = self._monotonic()

    async def _download(self) -> bytes:
        async with (
            httpx.AsyncClient(transport=self._transport, timeout=TIME_OUT) as client,
            client.stream("GET", self._location, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ValueError
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > DOCUMENT_MOST:
                    raise ValueError
            return bytes(body)

    async def _read(self) -> bytes:
        document = await asyncio.to_thread(_read_file, Path(self._location))
        if len(document) > DOCUMENT_MOST:
            raise ValueError
        return document


def keys_of(document: bytes) -> _Keys:
    """Take the usable signature keys out of a JWK set (RFC 7517), by key id and type.

    Keys of other kinds and uses are passed over, as RFC 7517, 5 asks. A private
    key is passed over too: it was published, so anybody may hold it.

    Raises:
        ValueError: not a key set, or one without a single usable key.
    """
    parsed = json.loads(document)
    members = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(members, list):
        raise ValueError
    keys: dict[tuple[str, str], Key] = {}
    for member in members:
        try:
            key = _usable(member)
        except (JoseError, AttributeError, TypeError, ValueError):
            continue  # One malformed key does not take the others with it.
        if key is not None and key.kid:
            keys.setdefault((key.kid, key.key_type), key)
    if not keys:
        raise ValueError
    return keys


def _usable(member: dict[str, Any]) -> Key | None:
    return public_key(member) if isinstance(member.get("kid"), str) else None


def public_key(member: dict[str, Any]) -> Key | None:
    """Take a public key that may verify a signature of ALGORITHMS; None: it is no such key.

    Raises:
        JoseError, AttributeError, TypeError, ValueError: it is malformed.
    """
    if "d" in member or "k" in member:
        return None
    if member.get("use", "sig") != "sig" or "verify" not in member.get("key_ops", ["verify"]):
        return None
    if member.get("alg") not in (None, *ALGORITHMS):
        return None
    match member.get("kty"):
        case "EC" if member.get("crv") == "P-256":
            return ECKey.import_key(member)
        case "OKP" if member.get("crv") == "Ed25519":
            return OKPKey.import_key(member)
        case "RSA" if _bits(member.get("n")) >= RSA_BITS_LEAST:
            return RSAKey.import_key(member)
        case _:
            return None


def _bits(modulus: object) -> int:
    if not isinstance(modulus, str):
        return 0
    padded = modulus + "=" * (-len(modulus) % 4)
    return int.from_bytes(base64.urlsafe_b64decode(padded)).bit_length()


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(DOCUMENT_MOST + 1)


def _is_remote(location: str) -> bool:
    address = urlsplit(location)
    if address.scheme == "https" and address.hostname:
        return True
    if address.scheme != "http":
        return False
    if not _is_loopback(address.hostname or ""):
        raise RefusesToStart(
            f"The keys of an issuer are at {location}, which can be changed on its way. "
            "Use an https address or a path."
        )
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
