"""Bring alerts to the webhooks of their agencies, each at least once, from the rows alone.

What is sent holds ids, a code and moments: whoever receives it asks, as somebody, for more. A
process takes a row for some time before it sends; one that dies leaves it to the next. An alert
that nobody took for days is sent no more: it says what has passed long since.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from api.casework import match_alerts
from api.casework.house import House
from api.store import alerts
from api.store.alerts import Waiting
from api.vocabulary import AlertKind

_log = structlog.get_logger("perisai.webhooks")

#: Seconds between two looks at what is to be delivered.
LOOK_EVERY = 2.0

#: How long an attempt is a process's own; longer than any takes.
ATTEMPT = timedelta(minutes=2)

#: The wait after the first attempt that failed; each further one doubles it, up to a bound.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=2)

#: An alert that is older is delivered no more.
KEPT = timedelta(days=3)

#: Alerts of one agency that are sent before the next look.
AT_ONCE = 50


class Sends(Protocol):
    """What sends a body to the webhook of an agency."""

    @property
    def agencies(self) -> Collection[str]:
        """Which agencies have one."""

    async def send(self, agency: str, message: str, at: datetime, body: bytes) -> str | None:
        """Send it once; None: it was taken; else why not, in a word."""


async def deliver(house: House, webhooks: Sends) -> int:
    """Deliver what waits, of all agencies side by side; give how many were taken.

    Raises:
        StoreUnavailable: the database does not answer; what was sent may be sent again.
    """
    each = (_to(house, webhooks, agency) for agency in sorted(webhooks.agencies))
    # Each to its end: what fails for one agency is no reason to leave another's half done.
    taken = 0
    for result in await asyncio.gather(*each, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        taken += result
    return taken


async def deliver_forever(
    house: House,
    webhooks: Sends,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Deliver again and again, until cancelled."""
    while True:
        try:
            await deliver(house, webhooks)
        except Exception as error:  # By its kind only: its text may hold what was read.
            _log.error("webhooks_not_looked_at", error=type(error).__name__)
        await pause(LOOK_EVERY)


async def _to(house: House, webhooks: Sends, agency: str) -> int:
    now = house.now()
    async with house.records.look() as connection:
        found = await alerts.waiting(connection, agency, now, now - KEPT, AT_ONCE)
    taken = 0
    for one in found:
        async with house.records.change() as change:
            mine = await alerts.claim(change, one, house.now() + ATTEMPT)
        if not mine:
            continue  # Another process has it.
        body = await _body(house, agency, one)
        why = await webhooks.send(agency, str(one.id), house.now(), body)
        async with house.records.change() as change:
            if why is None:
                await alerts.delivered(change, one.id, house.now())
            else:
                await alerts.try_again(change, one.id, house.now() + wait_after(one.attempts))
        if why is not None:
            _log.warning("webhook_failed", agency=agency, why=why, attempts=one.attempts + 1)
            break  # Nor would it take the next one now.
        taken += 1
    return taken


def wait_after(attempts: int) -> timedelta:
    """Tell how long to wait after an attempt before which there were *attempts* others."""
    return min(FIRST_WAIT * (1 << min(attempts, 30)), LONGEST_WAIT)


async def _body(house: House, agency: str, one: Waiting) -> bytes:
    if one.kind != AlertKind.MATCH.value:
        return body_of(one)
    async with house.records.look() as connection:
        known = await match_alerts.is_known(house, connection, agency, one.record)
    return match_body_of(one, known=known)


def match_body_of(one: Waiting, *, known: bool) -> bytes:
    """Write the payload of a match; as long, and sent alike, whether anybody is known or not.

    So neither the rows of deliveries nor the traffic say it to who reads either.
    """
    payload = {
        "type": "match.urgent" if known else "match.nobody",
        "timestamp": _moment(one.made_at),
        "data": {
            "alert": str(one.id),
            "match": str(one.record),
            "clock": one.clock,
            "dueAt": _moment(one.due_at),
        },
    }
    return json.dumps(payload, separators=(",", ":")).encode("ascii")


def body_of(one: Waiting) -> bytes:
    """Write the payload of a deadline; the same bytes at each attempt."""
    payload = {
        "type": f"deadline.{one.kind}",
        "timestamp": _moment(one.made_at),
        "data": {
            "alert": str(one.id),
            "caseFile": str(one.case_file),
            "clock": one.clock,
            "kind": one.kind,
            "dueAt": _moment(one.due_at),
        },
    }
    return json.dumps(payload, separators=(",", ":")).encode("ascii")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
