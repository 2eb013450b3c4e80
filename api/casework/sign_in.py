"""Who was refused at the door: one event each, until there are too many of them.

A flood of bad tokens must not fill the log, so each process appends at most
REFUSALS_A_MINUTE of them and counts the rest where the operators see it. Who proved
an organisation is named and counted apart: garbage hides nobody's attempts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api.accesslog.event import Event
from api.casework.house import House
from api.errors import PerisaiError
from api.vocabulary import Action, Decision, Phase, Role

_log = structlog.get_logger("perisai.sign_in")

REFUSALS_A_MINUTE = 60


@dataclass(slots=True)
class _Minute:
    since: datetime
    appended: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What was proven of somebody before the refusal: at least the organisation."""

    organisation: str
    member: UUID | None = None
    role: Role | None = None


class Refusals:
    """Appends refused sign-ins, within the limit for each organisation. One a process."""

    def __init__(self, house: House) -> None:
        """Start with empty minutes."""
        self._house = house
        self._minutes: dict[str | None, _Minute] = {}

    async def append(self, error: PerisaiError, request: str, known: Known | None = None) -> None:
        """Append that a sign-in was refused with *error*.

        Raises:
            LogUnavailable: the event is not durable.
        """
        now = self._house.now()
        organisation = None if known is None else known.organisation
        minute = self._minutes.get(organisation)
        if minute is None or now - minute.since >= timedelta(minutes=1):
            if minute is not None and minute.dropped:
                _log.warning("sign_ins_refused", not_in_the_log=minute.dropped)
            minute = self._minutes[organisation] = _Minute(now)
        if minute.appended >= REFUSALS_A_MINUTE:
            minute.dropped += 1
            return
        minute.appended += 1
        await self._house.ledger.append(
            Event(
                at=now,
                request=request,
                actor=None if known is None else known.member,
                organisation=organisation,
                role=None if known is None else known.role,
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
