"""Deadlines that come soon or have passed become alerts, each once, whoever looks.

Nothing of it is in memory: the rows say what was alerted, so it survives the process, and
where several look at once the first one's row stands. The event of an alert is durable before
its row is: an alert that is told is in the log.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog
from uuid_utils.compat import uuid7

from api.accesslog.event import Touched
from api.casework.house import House
from api.casework.recording import event_of_service
from api.store import alerts, deadlines
from api.store.deadlines import SOURCES, Asked, Deadline, Position
from api.vocabulary import Action, AlertKind, Decision, RecordKind

_log = structlog.get_logger("perisai.alerts")

#: Seconds between two looks: the longest that a deadline waits to become an alert.
LOOK_EVERY = 30.0

#: Alerts that are made in one transaction.
AT_ONCE = 100

#: No alert comes before only this part of its clock's length is left: of one that runs for
#: three hours, a day's notice would come when it starts.
PART_OF_LENGTH = 0.25

#: What is told of a deadline; the other kinds are made where they come to be.
_KINDS = (AlertKind.DUE, AlertKind.OVERDUE)

Row = dict[str, Any]


class AlertWatch:
    """Makes the alerts of this process's agencies; one a process."""

    def __init__(self, house: House, lead: timedelta) -> None:
        """Alert so long before a deadline, at the most."""
        self._house = house
        self._leads = {source.clock: self._lead(source.clock, lead) for source in SOURCES}

    def _lead(self, clock: str, lead: timedelta) -> timedelta:
        length = self._house.codes.clocks[clock].length
        return min(lead, length * PART_OF_LENGTH) if length else lead

    async def look(self) -> int:
        """Make what alerts are missing; give how many this process made.

        Raises:
            LogUnavailable, StoreUnavailable: the next look goes on.
        """
        made = 0
        for agency in sorted(self._house.keyring.owners):
            for kind in _KINDS:
                while found := await self._missing(agency, kind):
                    mine = await self._make(found, kind)
                    made += mine
                    if len(found) < AT_ONCE or not mine:
                        break  # Nothing is left, or another process is at it.
        return made

    async def look_forever(
        self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Look at once and then again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # By its kind only: its text may hold what was read.
                _log.error("alerts_not_made", error=type(error).__name__)
            await pause(LOOK_EVERY)

    async def _missing(self, agency: str, kind: AlertKind) -> list[Deadline]:
        now = self._house.now()
        after, until = self._window(kind, now)
        asked = Asked(tuple(self._leads), unalerted=True, limit=AT_ONCE)
        given = {"agency": agency, "now": now, "kind": kind.value}
        async with self._house.records.look() as connection:
            return await deadlines.read(connection, self._house.codes, asked, after, until, given)

    def _window(self, kind: AlertKind, now: datetime) -> tuple[Position, Mapping[str, datetime]]:
        """Say when the deadlines are that are to be told as *kind* now."""
        if kind is AlertKind.OVERDUE:
            return deadlines.START, dict.fromkeys(self._leads, now)
        # What has passed already is told as that, and not as coming.
        until = {clock: now + lead for clock, lead in self._leads.items()}
        return deadlines.after_all_at(now), until

    async def _make(self, found: Sequence[Deadline], kind: AlertKind) -> int:
        now = self._house.now()
        rows = [_row(one, kind, now) for one in found]
        leads = {row["id"]: one.lead_agency for row, one in zip(rows, found, strict=True)}
        async with self._house.records.change() as change:
            # Whoever comes second finds the rows there and tells nothing.
            made = await alerts.add(change, rows)
            await self._append(made, leads, now)
        return len(made)

    async def _append(self, made: list[Row], leads: Mapping[Any, str], now: datetime) -> None:
        """Append an event for each agency that has to act and each that leads the case files."""

        def officers(row: Row) -> tuple[str, str]:
            return row["agency"], leads[row["id"]]

        for agencies, rows in groupby(sorted(made, key=officers), officers):
            records = tuple(
                record
                for row in rows
                for record in (
                    (RecordKind.CASE_FILE, row["case_file"], 0),
                    (RecordKind.ALERT, row["id"], 0),
                )
            )
            event = event_of_service(
                Action.ALERT,
                now,
                request="alert",
                policy=self._house.gate.policy_hash,
                agencies=sorted(set(agencies)),
            )
            touched = Touched(Decision.ALLOWED, None, None, (), (), records)
            await self._house.ledger.append(replace(event, touched=(touched,)))


def _row(one: Deadline, kind: AlertKind, now: datetime) -> Row:
    return {
        "id": uuid7(),
        "agency": one.agency,
        "case_file": one.case_file,
        "record": one.record,
        "member": one.member,
        "clock": one.clock,
        "kind": kind.value,
        "counted_from": one.counted_from,
        "due_at": one.due_at,
        "made_at": now,
        "next_at": now,
    }
