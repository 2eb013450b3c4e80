"""Who was refused at the door: one event each, and above a limit one that counts the rest.

A flood of bad tokens must not fill the log, so each process appends at most
REFUSALS_A_MINUTE of them one by one; of those above, one event for each code says at
the end of the minute how many there were. Who proved an organisation is named and
counted apart: garbage hides nobody's attempts.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api.accesslog.event import Event
from api.casework.house import House
from api.errors import LogUnavailable, PerisaiError
from api.vocabulary import Action, Decision, Phase, Role

_log = structlog.get_logger("perisai.sign_in")

REFUSALS_A_MINUTE = 60
MINUTE = timedelta(minutes=1)
#: Seconds between two looks whether a minute is over.
FLUSH_EVERY = 5.0


@dataclass(slots=True)
class _Minute:
    since: datetime
    appended: int = 0
    #: Public error code -> refusals that got no event of their own.
    beyond: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Known:
    """What was proven of somebody before the refusal: at least the organisation."""

    organisation: str
    member: UUID | None = None
    role: Role | None = None


class Refusals:
    """Appends refused sign-ins, within the limit for each organisation. One a process.

    Whoever makes it flushes it: when a minute is over, and at the end.
    """

    def __init__(self, house: House) -> None:
        """Start with empty minutes."""
        self._house = house
        self._minutes: dict[str | None, _Minute] = {}

    async def append(self, error: PerisaiError, request: str, known: Known | None = None) -> None:
        """Append that a sign-in was refused with *error*, or count it.

        Raises:
            LogUnavailable: the event is not durable.
        """
        now = self._house.now()
        organisation = None if known is None else known.organisation
        minute = self._minutes.get(organisation)
        if minute is not None and _is_over(minute, now):
            await self._end(organisation, minute)
            minute = self._minutes.get(organisation)
        if minute is None:
            minute = self._minutes[organisation] = _Minute(now)
        if minute.appended >= REFUSALS_A_MINUTE:
            minute.beyond[error.code] += 1
            return
        minute.appended += 1
        await self._house.ledger.append(
            self._event(
                request,
                error.code,
                organisation,
                None if known is None else known.member,
                None if known is None else known.role,
            )
        )

    async def flush(self, *, ending: bool = False) -> None:
        """Append what was counted in each minute that is over; *ending*: in every one.

        Raises:
            LogUnavailable: not all of it is durable; what is not is still counted.
        """
        now = self._house.now()
        for organisation, minute in list(self._minutes.items()):
            if ending or _is_over(minute, now):
                await self._end(organisation, minute)

    async def flush_forever(
        self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Flush each minute soon after it is over, until cancelled."""
        while True:
            await pause(FLUSH_EVERY)
            try:
                await self.flush()
            except LogUnavailable:
                self._warn()

    async def close(self) -> None:
        """Flush what is left; what cannot be written any more is told to the operators."""
        try:
            await self.flush(ending=True)
        except LogUnavailable:
            self._warn()

    async def _end(self, organisation: str | None, minute: _Minute) -> None:
        """Write down what *minute* counted, then forget it.

        Taken out before it is written, so that nobody writes it twice; put back if it
        could not be. Refusals that come meanwhile begin a new minute.
        """
        if self._minutes.get(organisation) is minute:
            del self._minutes[organisation]
        try:
            for code in sorted(minute.beyond):
                count = minute.beyond.pop(code)
                try:
                    await self._house.ledger.append(
                        self._event("counted", code, organisation, count=count)
                    )
                except LogUnavailable:
                    minute.beyond[code] = count
                    raise
        except BaseException:
            # Who is cancelled leaves its event in the ledger's queue: only the others are kept.
            kept = self._minutes.setdefault(organisation, minute)
            if kept is not minute:
                kept.beyond += minute.beyond
            raise

    def _warn(self) -> None:
        left = sum(sum(minute.beyond.values()) for minute in self._minutes.values())
        _log.warning("sign_ins_refused", not_in_the_log=left)

    def _event(
        self,
        request: str,
        code: str,
        organisation: str | None,
        member: UUID | None = None,
        role: Role | None = None,
        *,
        count: int | None = None,
    ) -> Event:
        return Event(
            at=self._house.now(),
            request=request,
            actor=member,
            organisation=organisation,
            role=role,
            action=Action.SIGN_IN,
            phase=Phase.WHOLE,
            purpose=None,
            basis=None,
            decision=Decision.REFUSED,
            code=code,
            policy=None,
            agencies=(),
            count=count,
        )


def _is_over(minute: _Minute, now: datetime) -> bool:
    return now - minute.since >= MINUTE
