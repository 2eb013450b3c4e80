"""The one way to a sealed field: read, decide, append, open, return.

Facts, wraps and sealed bytes come from one snapshot, which is closed before the
event is written. The event is durable before anything is opened: a crash may
overstate the log, never understate it. Nothing here outlives its request.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog

from api.accesslog.event import Event
from api.casework import rights
from api.casework.asked import Asked, Steps, asked_of, withheld_field
from api.casework.deciding import Bundle, Deciding
from api.casework.house import House
from api.casework.views import CaseFileView, DefenderView, NoteView, Withheld
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.sealed import Sealed
from api.crypto.sealing import key_version, open_sealed
from api.database import Connection
from api.errors import SealBroken
from api.policies.facts import CaseworkerFacts
from api.policies.gate import Allowed, Refused
from api.store import case_files, key_wraps, notes
from api.store.case_file_statements import SCOPE, Shape
from api.store.case_files import CaseFileRow, Link
from api.store.notes import NoteRow
from api.store.sealed_fields import NOTE_BODY, SealedField
from api.vocabulary import Action, Caller, Compartment, Reason, RecordKind, Role

_log = structlog.get_logger("perisai.disclosure")

#: The roles for which assignments of others are a ground, and are therefore read.
OVERSEEING = frozenset({Role.SUPERVISOR, Role.AGENCY_LEAD})

#: What a wrap that was tampered with ends in; the last two where it is not even of the
#: types of a wrap, which SQLite lets somebody write.
_NO_WRAP = (SealBroken, AttributeError, TypeError)

Keys = Mapping[tuple[UUID, Compartment, int], DataKey]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read.

    Attributes:
        parameters: values for the shape; `me` and `now` are added here.
        target: the one record that is asked for, so that its absence can be logged.
        compartment: the scope is what the caller may open of it, not what exists.
        notes: also the newest notes of the one case file.
        note_bodies: open what they say.
    """

    action: Action
    shape: Shape
    parameters: Mapping[str, Any]
    target: tuple[RecordKind, UUID] | None = None
    compartment: Compartment | None = None
    notes: bool = False
    note_bodies: bool = False


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What was disclosed.

    Attributes:
        more: the shape's limit cut something off.
        end: sort key and id of the last row that was decided, shown or not.
    """

    case_files: list[CaseFileView]
    more: bool
    end: tuple[object, UUID] | None


async def disclose(house: House, caller: Caller, reading: Reading) -> Disclosed:
    """Disclose case files and their defenders, as far as the policy lets.

    Raises:
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        LogUnavailable, StoreUnavailable, KeysUnavailable, PolicyFailed, PermitExpired:
            nothing was disclosed.
    """
    now = house.now()
    asked = _asked(reading.shape, reading.note_bodies)
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        rows = await read_rows(house, snapshot, caller, who, reading, now)
        limit = reading.shape.limit
        # One more than the page is read, to know whether there is more; it is neither
        # decided nor disclosed, so the event does not name it.
        more = limit is not None and len(rows) == limit
        rows = rows[:-1] if more else rows
        deciding = Deciding(house, caller, who, reading.action, asked)
        for row in rows:
            deciding.feed(row)
        wraps = await wraps_of(snapshot, caller.organisation, deciding.permitted)
        written = (
            await notes.of_case_file(snapshot, deciding.seen[0][0].id)
            if reading.notes and deciding.seen
            else []
        )
    proven = [
        note
        for note in written
        if rights.holds(house, caller.organisation, "note", note.seal_values, note.seal)
    ]
    permit = house.gate.permit(deciding.verdicts())
    await append_all(house, deciding.events(reading.target))
    permit.check(*deciding.permitted)
    keys = await open_keys(house, caller.organisation, wraps)
    permit.check()  # The key service may have been slow.
    views = [
        _case_file(keys, asked, row, bundle, links, proven) for row, bundle, links in deciding.seen
    ]
    if len(proven) < len(written):
        views[0].withheld = [*views[0].withheld, withheld_field(NOTE_BODY, Reason.SEAL_BROKEN)]
    return Disclosed(views, more, (rows[-1].sort_key, rows[-1].id) if rows else None)


@lru_cache(maxsize=256)
def _asked(shape: Shape, note_bodies: bool) -> Asked:
    return asked_of(shape, note_bodies)


async def read_rows(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    reading: Reading,
    now: datetime,
) -> list[CaseFileRow]:
    """Read the rows of *reading*: the policy's scope narrows, or stands beside, the rows."""
    scope = house.gate.scope(
        who, "see" if reading.compartment is None else "open", SCOPE, reading.compartment
    )
    return await case_files.read(
        snapshot,
        scope,
        replace(reading.shape, oversees=caller.role in OVERSEEING),
        {**reading.parameters, "me": caller.member, "now": now},
    )


async def wraps_of(
    snapshot: Connection, owner: str, permitted: Collection[tuple[UUID, Compartment]]
) -> list[WrappedKey]:
    """Read the wraps of exactly the *permitted* records and compartments."""
    wraps = await key_wraps.of_records(
        snapshot, owner, {record for record, _ in permitted}, {c for _, c in permitted}
    )
    return [w for w in wraps if (w.record, w.compartment) in permitted]


async def open_keys(house: House, owner: str, wraps: Sequence[WrappedKey]) -> Keys:
    """Open *wraps*; one that was tampered with is left out, and what it seals withheld.

    Raises:
        KeysUnavailable: the key service does not serve *owner* now.
    """
    try:
        return await house.keyring.open_keys(owner, wraps)
    except _NO_WRAP:
        keys: dict[tuple[UUID, Compartment, int], DataKey] = {}
        for wrap in wraps:
            try:
                keys |= await house.keyring.open_keys(owner, [wrap])
            except _NO_WRAP:
                _log.error("seal_broken", table="data_key", owner=owner)
        return keys


async def append_all(house: House, events: Sequence[Event]) -> None:
    """Append *events*, all durable when this returns; they share a commit where they can."""
    if len(events) == 1:
        await house.ledger.append(events[0])
    else:
        await asyncio.gather(*(house.ledger.append(event) for event in events))


def _fill(
    view: CaseFileView | DefenderView,
    keys: Keys,
    steps: Steps,
    record: UUID,
    values: tuple[Any, ...],
) -> None:
    """Set on *view* what *steps* says of *values*; what does not open is withheld."""
    into = view.__dict__
    broken: list[Withheld] = []
    for cell in steps.plain:
        into[cell.attribute] = values[cell.position]
    for cell, sealed in steps.opened:
        try:
            into[cell.attribute] = open_one(keys, sealed, record, record, values[cell.position])
        except SealBroken:
            broken.append(withheld_field(sealed, Reason.SEAL_BROKEN))
    view.withheld = steps.withheld + broken if broken else steps.withheld


def open_one(keys: Keys, sealed: SealedField, record: UUID, row: UUID, value: Sealed) -> Any:
    """Open one value of *record* that stands in *row*, with the keys of this pass.

    Raises:
        SealBroken: no such key, or the value was changed or moved; it is reported.
    """
    try:
        key = keys.get((record, sealed.place.compartment, key_version(value)))
        if key is None:
            raise SealBroken
        return open_sealed(key, sealed.place, row, value)
    except SealBroken:
        _log.error("seal_broken", table=sealed.place.table, column=sealed.column)
        raise


def _case_file(
    keys: Keys,
    asked: Asked,
    row: CaseFileRow,
    bundle: Bundle,
    links: Sequence[Link],
    written: Sequence[NoteRow],
) -> CaseFileView:
    view = CaseFileView(row.id, row.revision, row.sort_key)
    _fill(view, keys, bundle.case_file, row.id, row.values)
    view.assigned_to_me = bundle.assigned
    view.defenders = []
    for link in links:
        defender = DefenderView(link.defender, link.revision)
        _fill(defender, keys, bundle.defender, link.defender, link.values)
        view.defenders.append(defender)
    view.notes = []
    verdict = bundle.opens[NOTE_BODY.compartment] if asked.note_bodies else None
    if isinstance(verdict, Refused):
        view.withheld = [*view.withheld, withheld_field(NOTE_BODY, verdict.reason)]
    for note in written:
        shown = NoteView(note.id, note.author, note.written_at)
        if isinstance(verdict, Allowed):
            try:
                shown.body = open_one(keys, NOTE_BODY, row.id, note.id, note.body)
            except SealBroken:
                view.withheld = [*view.withheld, withheld_field(NOTE_BODY, Reason.SEAL_BROKEN)]
        view.notes.append(shown)
    return view
