"""The timeline of a case file: what its rows say of when something happened, and who did it.

It tells of what is sealed only that it was written, and of nothing more than its readers
see elsewhere: who was assigned, and to whom it was referred, is told where `life` lets.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any, Final
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.casework.views import TimelineEntry
from api.database import Connection
from api.store import timelines
from api.store.case_files import CaseFileRow
from api.store.notes import NoteRow
from api.store.tables import RIGHTS
from api.vocabulary import CaseStatus, Happened

Row = dict[str, Any]

#: The most that is told, as of each kind of row.
TOLD_MOST: Final = 100


def sorted_entries(found: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Give the newest of what was found, newest first."""
    return sorted(found, key=lambda one: (one.at, one.record_id), reverse=True)[:TOLD_MOST]


async def opening_of(snapshot: Connection, file: CaseFileRow) -> list[TimelineEntry]:
    """Say on which day the case file was opened: more than the day is not kept."""
    day = await timelines.opened_on(snapshot, file.id)
    at = datetime.combine(day, time(), UTC)
    return [TimelineEntry(at, Happened.OPENED, None, file.id)]


async def parts_of(
    house: House, snapshot: Connection, agency: str, file: CaseFileRow
) -> list[TimelineEntry]:
    """Say who of *agency* was assigned, and what it referred or was referred of *file*."""

    async def proven(table: str) -> list[Row]:
        rows = await timelines.newest(snapshot, table, file.id, agency)
        return [
            row
            for row in rows
            if rights.holds(house, agency, table, [row[c] for c in RIGHTS[table]], row["seal"])
        ]

    told = [
        TimelineEntry(
            row["starts_at"],
            Happened.ASSIGNED,
            row["assigned_by"],
            row["id"],
            subject=row["member"],
        )
        for row in await proven("assignment")
    ]
    if file.lead_agency == agency:
        found = [(row["id"], row["proposed_by"]) for row in await proven("referral")]
    else:
        found = [(row["referral"], row["answered_by"]) for row in await proven("referral_right")]
    for referral, actor in found:
        at = _made_at(referral)
        if at is not None:
            told.append(TimelineEntry(at, Happened.REFERRED, actor, referral))
    return told


def entries(
    closings: Sequence[Row],
    incidents: Sequence[Row],
    assessments: Sequence[Row],
    steps: Sequence[Row],
    notes: Sequence[NoteRow],
) -> Iterator[TimelineEntry]:
    """Say what was written about the case file; every row is proven."""
    for row in closings:
        yield TimelineEntry(
            row["requested_at"], Happened.CLOSING_REQUESTED, row["requested_by"], row["id"]
        )
        if row["declined_at"] is not None:
            yield TimelineEntry(
                row["declined_at"], Happened.CLOSING_DECLINED, row["declined_by"], row["id"]
            )
    for row in incidents:
        first = row["version"] == 1
        kind = Happened.INCIDENT_RECORDED if first else Happened.INCIDENT_CORRECTED
        yield TimelineEntry(row["written_at"], kind, row["author"], row["id"])
    for row in assessments:
        yield TimelineEntry(row["written_at"], Happened.RISK_ASSESSED, row["author"], row["id"])
    for row in steps:
        yield TimelineEntry(
            row["taken_at"],
            Happened.STATUS_CHANGED,
            row["member"],
            row["id"],
            CaseStatus(row["became"]),
        )
    for note in notes:
        yield TimelineEntry(note.written_at, Happened.NOTE_ADDED, note.author, note.id)


def _made_at(record: UUID) -> datetime | None:
    """Give the moment that stands in an id (RFC 9562, version 7), where it is such a one."""
    if record.version != 7:
        return None
    return datetime.fromtimestamp((record.int >> 80) / 1000, UTC)
