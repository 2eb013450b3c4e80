"""Events as casework writes them: who, what and why of one caller, and the pair of a change."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from api.accesslog.event import Event, Touched
from api.casework.house import House
from api.errors import PerisaiError
from api.vocabulary import Action, Caller, Decision, Outcome, Phase

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


async def recorded(house: House, event: Event, do: Callable[[int], Awaitable[T]]) -> T:
    """Append *event* as an intent, do (index of the intent), append how it ended.

    Raises:
        LogUnavailable: before: nothing was done. After: what was done stands, and the
            log shows an intent without outcome until it is reconciled.
        Whatever *do* raises, after its outcome.
    """
    intent = await house.ledger.append(replace(event, phase=Phase.INTENT))
    try:
        result = await do(intent)
    except Exception as error:
        ended = Outcome.NOTHING if isinstance(error, PerisaiError) else Outcome.FAILED
        await house.ledger.append(_outcome(house, event, intent, ended))
        raise
    await house.ledger.append(_outcome(house, event, intent, Outcome.DONE))
    return result


def _outcome(house: House, event: Event, intent: int, ended: Outcome) -> Event:
    return replace(event, at=house.now(), phase=Phase.OUTCOME, intent=intent, outcome=ended)
