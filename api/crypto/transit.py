"""Calls to the Transit engine of an OpenBao or Vault server, over HTTP.

It knows addresses, the token and what an answer looks like, and no key. Nothing of
an answer's text, and no text of the HTTP library, leaves it: an error that is raised
or logged here names a kind of failure. The token is in no repr.
"""

import asyncio
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import httpx
import structlog

from api.crypto.transit_trust import checked_address, token_of, trust, trust_nobody
from api.errors import KeysUnavailable, RefusesToStart

#: Seconds that a call may take in full: less than the 3 s that a permit lives.
TIME_OUT = 2.0

#: Bytes of an answer: 200 results have 60 kB.
_ANSWER_MOST = 1 << 20

#: Seconds until a renewal that failed is tried again.
_RENEW_AGAIN = 10.0

_SEGMENT = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)

_log = structlog.get_logger("perisai.keys")


class Transit:
    """One Transit engine, as one token may use it."""

    def __init__(
        self,
        address: str,
        token_file: Path,
        *,
        mount: str = "transit",
        ca_file: Path | None = None,
        time_out: float = TIME_OUT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the token; nothing is called yet.

        Raises:
            RefusesToStart: the address is no https address (or http on loopback), or a
                file cannot be read or is open to others.
        """
        if not _SEGMENT.fullmatch(mount):
            raise RefusesToStart("The mount of the Transit engine is not a path like `transit`.")
        base = checked_address(address)
        self._mount = mount
        self._token_file = token_file
        self._token = token_of(token_file)
        self._time_out = time_out
        self._monotonic = monotonic
        self._renew_at = -math.inf
        self._client = httpx.AsyncClient(
            base_url=f"{base}/v1/",
            # Over plain http nothing is verified, so nothing is trusted either.
            verify=trust(ca_file) if base.startswith("https:") else trust_nobody(),
            timeout=time_out,
            headers={"accept-encoding": "identity"},
            trust_env=False,  # No proxy of the environment reads the token and the keys.
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
        )

    async def read(self, path: str) -> dict[str, Any] | None:
        """Read what stands at *path* below the mount; None where nothing does.

        Raises:
            KeysUnavailable: no answer, or none that can be used.
        """
        status, answer = await self._call("GET", f"{self._mount}/{path}", None)
        if status == httpx.codes.NOT_FOUND and answer.get("errors") == []:
            return None
        data = answer.get("data")
        if status != httpx.codes.OK or not isinstance(data, dict):
            _fail("refused", status)
        return data

    async def write(self, path: str, body: Mapping[str, Any]) -> None:
        """Post *body* to *path* below the mount.

        Raises:
            KeysUnavailable: no answer, or a refusal.
        """
        status, _ = await self._call("POST", f"{self._mount}/{path}", body)
        if status not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
            _fail("refused", status)

    async def batch(self, path: str, items: list[dict[str, Any]], **more: Any) -> list[Any]:
        """Post *items* as one batch; give one result for each, in order.

        A batch of which an item fails is answered 400 with the results of all: whoever
        calls looks at each.

        Raises:
            KeysUnavailable: no answer, or a refusal of the whole.
        """
        body = {"batch_input": items, **more}
        status, answer = await self._call("POST", f"{self._mount}/{path}", body)
        data = answer.get("data")
        results = data.get("batch_results") if isinstance(data, dict) else None
        if status not in (httpx.codes.OK, httpx.codes.BAD_REQUEST) or (
            not isinstance(results, list) or len(results) != len(items)
        ):
            _fail("refused", status)
        return results

    async def renew(self) -> None:
        """Renew the token where it can be; one that may not renew itself serves until its end.

        Raises:
            KeysUnavailable: no answer.
        """
        self._renew_at = self._monotonic() + _RENEW_AGAIN
        status, answer = await self._authorised("POST", "auth/token/renew-self", {})
        auth = answer.get("auth")
        seconds = auth.get("lease_duration") if isinstance(auth, dict) else None
        if status == httpx.codes.OK and isinstance(seconds, int) and seconds > 0:
            self._renew_at = self._monotonic() + seconds / 2
        elif status == httpx.codes.BAD_REQUEST:  # Of a kind that has no end, or a fixed one.
            self._renew_at = math.inf
        else:
            _log.warning("key_token_not_renewed", status=status)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        if self._monotonic() >= self._renew_at:
            await self.renew()
        status, answer = await self._authorised(method, path, body)
        if status == httpx.codes.FORBIDDEN:
            _fail("forbidden", status)
        return status, answer

    async def _authorised(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        """Send; a token that is refused may have been replaced in its file."""
        used = self._token
        status, answer = await self._send(method, path, body)
        if status == httpx.codes.FORBIDDEN and self._another_token(used):
            status, answer = await self._send(method, path, body)
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            _fail("sealed", status)
        return status, answer

    def _another_token(self, used: str) -> bool:
        """Take over the token file's content; tell whether it is other than *used*."""
        if self._token == used:
            try:
                self._token = token_of(self._token_file)
            except RefusesToStart:
                _log.error("key_token_unreadable")
                return False
            if self._token != used:
                self._renew_at = -math.inf
        return self._token != used

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        if self._client.is_closed:
            _fail("closed")
        try:
            async with (
                asyncio.timeout(self._time_out),
                self._client.stream(
                    method, path, json=body, headers={"x-vault-token": self._token}
                ) as answer,
            ):
                content = bytearray()
                # Raw: what is small on its way must not be large here.
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > _ANSWER_MOST:
                        raise ValueError
            parsed = json.loads(content) if content else {}
            if not isinstance(parsed, dict):
                raise ValueError
            return answer.status_code, parsed
        except (TimeoutError, httpx.TimeoutException):
            why = "time_out"
        except (httpx.HTTPError, OSError):
            why = "unreachable"
        except (ValueError, RecursionError):
            why = "malformed"
        # Outside of the handlers: what is raised holds no error of theirs, whose request
        # has the token and the keys.
        return _fail(why)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<transit>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a token is a leak."""
        raise TypeError("a token is not pickled or copied")


def _fail(why: str, status: int | None = None) -> NoReturn:
    _log.error("key_service_failed", why=why, status=status)
    raise KeysUnavailable
