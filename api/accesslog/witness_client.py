"""Calls to witnesses over HTTP (C2SP tlog-witness): a bounded answer in bounded time.

What is sent is public: sizes, hashes, signatures. Nothing of an answer is trusted here.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from api.errors import RefusesToStart

#: Seconds that a call may take in full.
TIME_OUT: Final = 5.0
#: Bytes of an answer: a few lines of signatures.
_ANSWER_MOST: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer that can be used: `why` is `unreachable`, `time_out` or `too_long`."""

    why: str


def check_url(url: str) -> None:
    """Check the address below which a witness is asked (its submission prefix).

    Raises:
        RefusesToStart: it is not https, or http on a loopback address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        known = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        host, known = "", False
    # The address itself is not shown: one with a password in it would be in the terminal.
    if not known or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise RefusesToStart(
            "The address of a witness in the policy is not like https://witness.example/w1."
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise RefusesToStart("A witness in the policy is on another machine: use https.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class WitnessClient:
    """Asks witnesses; one for a process. `close` at the end."""

    def __init__(
        self,
        addresses: Iterable[str],
        ca_file: Path | None = None,
        time_out: float = TIME_OUT,
    ) -> None:
        """Call nobody yet.

        Args:
            addresses: of the witnesses that will be asked.
            ca_file: certificates that those of witnesses are checked with; else the system's.

        Raises:
            RefusesToStart: an address cannot be used, or the file cannot be read.
        """
        for address in addresses:
            check_url(address)
        try:
            trust = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        except OSError:  # An SSLError is one, too.
            raise RefusesToStart(
                f"The CA file {ca_file} is missing or holds no certificate."
            ) from None
        self._time_out = time_out
        self._client = httpx.AsyncClient(
            verify=trust,
            timeout=time_out,
            headers={"accept-encoding": "identity"},
            trust_env=False,
            follow_redirects=False,
        )

    async def add_checkpoint(self, url: str, body: bytes) -> Reply | Silence:
        """Ask the witness at *url* to cosign."""
        address = f"{url.rstrip('/')}/add-checkpoint"
        try:
            async with (
                asyncio.timeout(self._time_out),
                self._client.stream("POST", address, content=body) as answer,
            ):
                content = bytearray()
                # Raw: what is small on its way must not be large here.
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > _ANSWER_MOST:
                        return Silence("too_long")
                return Reply(answer.status_code, bytes(content))
        except (TimeoutError, httpx.TimeoutException):
            return Silence("time_out")
        except (httpx.HTTPError, OSError):
            return Silence("unreachable")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
