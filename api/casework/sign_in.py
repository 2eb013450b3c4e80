"""Who was refused at the door: one event each, until there are too many of them.

A flood of bad tokens must not fill the log, so each process appends at most
REFUSALS_A_MINUTE of them and counts the rest where the operators see it.
"""

from datetime import datetime, timedelta

import structlog

from api.accesslog.event import Event
from api.casework.house import House
from api.errors import PerisaiError
from api.vocabulary import Action, Decision, Phase

_log = structlog.get_logger("perisai.sign_in")

REFUSALS_A_MINUTE = 60


class Refusals:
    """Appends refused sign-ins, within the limit. One a process."""

    def __init__(self, house: House) -> None:
        """Start an empty minute."""
        self._house = house
        self._minute: datetime | None = None
        self._appended = 0
        self._dropped = 0

    async def append(self, error: PerisaiError, request: str) -> None:
        """Append that a sign-in was refused with *error*; nobody is named.

        Raises:
            LogUnavailable: the event is not durable.
        """
        now = self._house.now()
        if self._minute is None or now - self._minute >= timedelta(minutes=1):
            if self._dropped:
                _log.warning("sign_ins_refused", not_in_the_log=self._dropped)
            self._minute, self._appended, self._dropped = now, 0, 0
        if self._appended >= REFUSALS_A_MINUTE:
            self._dropped += 1
            return
        self._appended += 1
        await self._house.ledger.append(
            Event(
                at=now,
                request=request,
                actor=None,
                organisation=None,
                role=None,
                action=Action.SIGN_IN,
                phase=Phase.WHOLE,
                purpose=None,
                basis=None,
                decision=Decision.REFUSED,
                code=error.code,
                policy=None,
                agencies=(),
            )
        )
