"""Events as casework writes them: of one caller, of the service, and the pair of a change."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from api.accesslog.event import Event, Touched
from api.casework.house import House
from api.errors import ChangeUnconfirmed, LogUnavailable, PerisaiError, StoreUnavailable
from api.vocabulary import Action, Caller, Decision, Outcome, Phase, Role

T = TypeVar("T")


def event_of(
    house: House,
    caller: Caller,
    action: Action,
    decision: Decision,
    touched: tuple[Touched, ...],
    *,
    agencies: tuple[str, ...],
    code: str | None = None,
    policy: str | None = None,
) -> Event:
    """Make the whole event of something that *caller* did or was refused, now.

    Args:
        policy: the hash under which was decided, where time has passed since.
    """
    return Event(
        at=house.now(),
        request=caller.request,
        actor=caller.member,
        organisation=caller.organisation,
        role=caller.role,
        action=action,
        phase=Phase.WHOLE,
        purpose=caller.purpose,
        basis=caller.basis,
        decision=decision,
        code=code,
        policy=policy or house.gate.policy_hash,
        agencies=agencies,
        touched=touched,
    )


def event_of_service(
    action: Action,
    at: datetime,
    *,
    request: str,
    policy: str | None,
    agencies: Sequence[str] = (),
    role: Role | None = None,
    count: int | None = None,
    step: int | None = None,
    previous: str | None = None,
) -> Event:
    """Make the whole event of something that the service, or its operator, did by itself.

    Args:
        role: `OPERATOR` where a command did it. An operator has no pseudonym: the name of
            an account would be personal data, and it proves nothing.
    """
    return Event(
        at=at,
        request=request,
        actor=None,
        organisation=None,
        role=role,
        action=action,
        phase=Phase.WHOLE,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=policy,
        agencies=tuple(agencies),
        count=count,
        step=step,
        previous=previous,
    )


async def append_all(house: House, events: Sequence[Event]) -> None:
    """Append *events*, all durable when this returns; they share a commit where they can.

    Raises:
        LogUnavailable: not all of them are durable.
    """
    if len(events) == 1:
        await house.ledger.append(events[0])
    else:
        await asyncio.gather(*(house.ledger.append(event) for event in events))


async def recorded(house: House, event: Event, do: Callable[[int], Awaitable[T]]) -> T:
    """Append *event* as an intent, do (index of the intent), append how it ended.

    Raises:
        LogUnavailable: no intent, so nothing was done.
        ChangeUnconfirmed: it was done and its outcome is not in the log, which shows an
            intent without outcome; or the database went away and it may have been done.
        Whatever else *do* raises: it was not done.
    """
    intent = await house.ledger.append(replace(event, phase=Phase.INTENT))
    try:
        result = await do(intent)
    except StoreUnavailable:
        # The answer to the commit may be what was lost.
        await _end(house, event, intent, Outcome.UNKNOWN)
        raise ChangeUnconfirmed from None
    except Exception as error:
        ended = Outcome.NOTHING if isinstance(error, PerisaiError) else Outcome.FAILED
        await house.ledger.append(_outcome(house, event, intent, ended))
        raise
    await _end(house, event, intent, Outcome.DONE)
    return result


async def _end(house: House, event: Event, intent: int, ended: Outcome) -> None:
    try:
        await house.ledger.append(_outcome(house, event, intent, ended))
    except LogUnavailable:
        raise ChangeUnconfirmed from None


def _outcome(house: House, event: Event, intent: int, ended: Outcome) -> Event:
    return replace(event, at=house.now(), phase=Phase.OUTCOME, intent=intent, outcome=ended)
