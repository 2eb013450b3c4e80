"""What the rotations of all keys have in common: their pace, their events, what they report.

A rotation is resumed by running it again: what is left is read from the rows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework.house import House
from api.errors import LogUnavailable, StoreUnavailable
from api.store import rotations
from api.store.sealed_fields import SealedField
from api.vocabulary import (
    Action,
    Compartment,
    Decision,
    Ground,
    Outcome,
    Phase,
    Reason,
    RecordKind,
    Role,
)

T = TypeVar("T")

#: Told how many of how many are done.
Progress = Callable[[int, int], None]

#: Seconds before a step is tried again that the database did not let through.
_AGAIN = 1.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How large the steps of a rotation are, and how it rests between them.

    Attributes:
        wraps: rewrapped in one transaction.
        records: sealed or tagged anew in one transaction, locked meanwhile: some 50 ms.
        rest: seconds of rest for each second of work, so that the machine, the database
            and SQLite's one writer are left to others most of the time. At 2 a page took
            up to 1.5 times as long while a rotation ran (benchmarks/rotation.py).
        pause: how to rest.
    """

    wraps: int = 500
    records: int = 50
    rest: float = 4.0
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def step(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do one step of *work*, again if the database did not answer, and rest.

        *work* must find out by itself what it did already.

        Raises:
            StoreUnavailable: not at the third try either.
        """
        for _ in range(_TRIES - 1):
            start = time.perf_counter()
            with suppress(StoreUnavailable):
                done = await work()
                await self.pause((time.perf_counter() - start) * self.rest)
                return done
            await self.pause(_AGAIN)
        return await work()


@dataclass(slots=True)
class Rotated:
    """How a rotation ended.

    Attributes:
        done: rows, or records, that were taken over.
        rows_left: by table, those under an older version; somebody tampered with them.
        broken: records that do not hold and were left as they are.
        given_again: records that are shared with who is not served here: the new keys
            are given as the old ones were.
        behind: processes that did not take the new version over, so nothing was done.
    """

    done: int = 0
    rows_left: dict[str, int] = field(default_factory=dict)
    broken: list[UUID] = field(default_factory=list)
    given_again: list[UUID] = field(default_factory=list)
    behind: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing was left."""
        return not (self.rows_left or self.broken or self.behind)


async def start(house: House, owner: str, kind: str, least: int = 1) -> int:
    """Give the number of the rotation that was cut off, or begin the next one."""
    async with house.records.change() as change:
        return await rotations.start(change, owner, kind, least, house.now())


async def finish(house: House, owner: str, kind: str, number: int) -> None:
    """Say that the rotation is over; the next run begins another one."""
    async with house.records.change() as change:
        await rotations.finish(change, owner, kind, number, house.now())


def event_of(house: House, action: Action, owner: str, touched: Sequence[Touched] = ()) -> Event:
    """Make the whole event of something that the operators' commands do with keys."""
    return Event(
        at=house.now(),
        request="rotation",
        actor=None,
        organisation=owner,
        role=Role.OPERATOR,
        action=action,
        phase=Phase.WHOLE,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=(owner,),
        touched=tuple(touched),
    )


def touched_by(
    fields: Sequence[SealedField],
    kind: RecordKind,
    records: Sequence[UUID],
    reason: Reason | None = None,
    content: tuple[str, ...] = (),
) -> Touched:
    """Name *records* and the fields that are opened of them; with a *reason*, those left.

    Args:
        content: what is opened besides, and is in no column.
    """
    return Touched(
        Decision.ALLOWED if reason is None else Decision.WITHHELD,
        Ground.OWN_AGENCY if reason is None else None,
        reason,
        tuple({Compartment(f.compartment) for f in fields}),
        (*{f.name for f in fields}, *content),
        # No revision: a rotation changes none, and opens the one that it finds.
        tuple((kind, record, 0) for record in records),
    )


async def told(house: House, event: Event, do: Callable[[], Awaitable[T]]) -> T:
    """Append *event* as an intent, do, append how it ended: done, or unknown after an error.

    Raises:
        LogUnavailable: no intent, so nothing was done; or no outcome.
        Whatever *do* raises: part of it may have been done.
    """
    intent = await house.ledger.append(replace(event, phase=Phase.INTENT))
    ended = replace(event, phase=Phase.OUTCOME, intent=intent)
    try:
        result = await do()
    except Exception:
        with suppress(LogUnavailable):
            await house.ledger.append(replace(ended, at=house.now(), outcome=Outcome.UNKNOWN))
        raise
    await house.ledger.append(replace(ended, at=house.now(), outcome=Outcome.DONE))
    return result
