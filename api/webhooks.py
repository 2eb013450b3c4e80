"""The webhooks of agencies: the addresses and secrets of the settings, and the calls to them.

What is sent holds no value of a record. Nothing of an answer counts but its status: its body is
not read, a redirect is not followed, and it has a bounded time.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from api.crypto.webhook_signatures import WebhookSecret
from api.errors import RefusesToStart
from api.settings import Settings, WebhookSettings

#: Seconds that a call may take in full.
TIME_OUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Target:
    url: str
    signer: WebhookSecret
    client: httpx.AsyncClient


class Webhooks:
    """Sends to the webhooks of the settings; `close` at the end."""

    def __init__(self, settings: Sequence[WebhookSettings], time_out: float = TIME_OUT) -> None:
        """Call nobody yet.

        Raises:
            RefusesToStart: a secret or a CA file cannot be used.
        """
        self._time_out = time_out
        self._targets = {
            one.organisation: _Target(one.url, _secret(one.secret_file), self._client(one.ca_file))
            for one in settings
        }

    def _client(self, ca_file: Path | None) -> httpx.AsyncClient:
        try:
            trust = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        except OSError:  # An SSLError is one, too.
            raise RefusesToStart(
                f"The CA file {ca_file} is missing or holds no certificate."
            ) from None
        return httpx.AsyncClient(
            verify=trust, timeout=self._time_out, trust_env=False, follow_redirects=False
        )

    @property
    def agencies(self) -> Collection[str]:
        """Which agencies have one."""
        return self._targets.keys()

    async def send(self, agency: str, message: str, at: datetime, body: bytes) -> str | None:
        """Send *body* once.

        Args:
            message: id of the message, by which a receiver knows it again.
            at: the moment of this attempt.

        Returns:
            None: the receiver took it (2xx). Else `unreachable`, `time_out` or `status_` and a
            number.
        """
        target = self._targets[agency]
        headers = target.signer.headers(message, int(at.timestamp()), body)
        headers["content-type"] = "application/json"
        try:
            async with (
                asyncio.timeout(self._time_out),
                target.client.stream("POST", target.url, content=body, headers=headers) as answer,
            ):
                return None if answer.is_success else f"status_{answer.status_code}"
        except (TimeoutError, httpx.TimeoutException):
            return "time_out"
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return "unreachable"

    async def close(self) -> None:
        """Close the connections."""
        for target in self._targets.values():
            await target.client.aclose()


@asynccontextmanager
async def webhooks_of(settings: Settings) -> AsyncIterator[Webhooks]:
    """Open the webhooks of the settings; close them at the end.

    Raises:
        RefusesToStart: one is of an organisation whose alerts this process does not make; or as
            `Webhooks`.
    """
    if not {one.organisation for one in settings.webhooks} <= set(settings.owners):
        raise RefusesToStart("A webhook in the settings is of none of the `owners`.")
    webhooks = Webhooks(settings.webhooks)
    try:
        yield webhooks
    finally:
        await webhooks.close()


def _secret(path: Path) -> WebhookSecret:
    try:
        if path.stat().st_mode & 0o077:
            raise RefusesToStart(f"The secret of a webhook {path} is open to others: chmod 600 it.")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):  # The latter's error holds what it could not decode.
        raise RefusesToStart(f"The secret of a webhook {path} cannot be read.") from None
    return WebhookSecret(text)
