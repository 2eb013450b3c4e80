"""The one way to a sealed field: read, decide, append, open, return.

Facts, wraps and sealed bytes come from one snapshot, which is closed before the
event is written. The event is durable before anything is opened: a crash may
overstate the log, never understate it. Nothing here outlives its request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import structlog

from api.casework import elsewhere, merged, merges_seen, openings, protections, rights
from api.casework.asked import Asked, Steps, asked_of, withheld_field
from api.casework.belongings import Belongings, belongings_of, show
from api.casework.consenting import consents_shown
from api.casework.deciding import Bundle, Deciding
from api.casework.delegating import shown
from api.casework.facts import facts_of
from api.casework.house import House
from api.casework.key_opening import NOTHING, OpenKeys, open_keys
from api.casework.life import life_of, show_life
from api.casework.life_asked import LifeAsked
from api.casework.looks_waiting import looks_waiting
from api.casework.protections import Wanted
from api.casework.recording import append_all
from api.casework.views import CaseFileView, DefenderView, Withheld
from api.crypto.manifest import MARK
from api.crypto.sealed import Sealed
from api.crypto.sealing import key_version, open_sealed
from api.database import Connection
from api.errors import SealBroken
from api.policies.facts import CaseworkerFacts
from api.store import case_files, key_wraps, merges, reasons
from api.store.case_file_statements import SCOPE, Shape, Which
from api.store.case_files import CaseFileRow, Link
from api.store.key_wraps import StoredKey
from api.store.merges import Row as Merge
from api.store.sealed_fields import MARKS, SealedField
from api.vocabulary import Action, Caller, Compartment, Reason, RecordKind, Role

_log = structlog.get_logger("perisai.disclosure")

#: The roles for which assignments of others are a ground, and are therefore read.
OVERSEEING = frozenset({Role.SUPERVISOR, Role.AGENCY_LEAD})


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read.

    Attributes:
        parameters: values for the shape; `me` and `now` are added here.
        target: the one record that is asked for, so that its absence can be logged.
        compartment: the scope is what the caller may open of it, not what exists.
        notes: also the newest notes of the one case file.
        note_bodies: open what they say.
        attachments, reasons, triage: names of the fields asked of these; None: not asked for.
        delegations: also those of the one case file that last, for who may know of them.
        looks: also the looks at the one case file's whereabouts that wait for the caller.
        consents: also what its defenders agreed to, for who may record that.
        life: also what belongs to the life of the one case file; None: nothing of it.
        protections: what is asked of its measures, emergency protections and plan.
        together: the case file at which a colleague looks with the caller; see `facts_of`.
    """

    action: Action
    shape: Shape
    parameters: Mapping[str, Any]
    target: tuple[RecordKind, UUID] | None = None
    compartment: Compartment | None = None
    notes: bool = False
    note_bodies: bool = False
    attachments: frozenset[str] | None = None
    reasons: frozenset[str] | None = None
    triage: frozenset[str] | None = None
    delegations: bool = False
    looks: bool = False
    consents: bool = False
    life: LifeAsked | None = None
    protections: Wanted | None = None
    together: UUID | None = None

    @property
    def belongings(self) -> bool:
        """Tell whether anything is asked that hangs on the one case file."""
        hanging = (self.attachments, self.reasons, self.triage)
        return self.notes or any(names is not None for names in hanging)


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
        LogUnavailable, StoreUnavailable, KeysUnavailable, PolicyFailed, PermitExpired,
            OpeningsExhausted: nothing was disclosed.
    """
    now = house.now()
    asked = _asked(
        reading.shape,
        reading.note_bodies,
        reading.attachments,
        reading.reasons,
        reading.life,
        reading.triage,
    )
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        rows = await read_rows(house, snapshot, caller, who, reading, now)
        limit = reading.shape.limit
        # One more than the page is read, to know whether there is more; it is neither
        # decided nor disclosed, so the event does not name it.
        more = limit is not None and len(rows) == limit
        rows = rows[:-1] if more else rows
        deciding = Deciding(house, caller, who, reading.action, asked, reading.together)
        for row in rows:
            deciding.feed(row)
        hanging = None
        if deciding.seen and reading.belongings:
            file = deciding.seen[0][0]
            hanging = await belongings_of(
                house,
                snapshot,
                caller.organisation,
                file.lead_agency,
                file.id,
                asked,
                reading.notes,
            )
            hanging = await _told(house, snapshot, caller, who, hanging, now)
            deciding.attach(hanging.attachments)
        handed = []
        if deciding.seen and reading.delegations:
            file = deciding.seen[0][0]
            facts = facts_of(house, caller, file)
            if facts is not None:
                handed = await shown(house, snapshot, caller, who, file, facts, now)
        waiting = None
        if deciding.seen and reading.looks and deciding.allows(Action.APPROVE_LOOK):
            file = deciding.seen[0][0]
            waiting = await looks_waiting(house, snapshot, caller, file.id, now)
        agreed = []
        if deciding.seen and reading.consents and deciding.allows(Action.RECORD_CONSENT):
            agreed = await consents_shown(house, snapshot, caller, deciding.seen[0][0].id, now)
        lived = None
        if deciding.seen and reading.life is not None:
            lived = await life_of(
                house,
                snapshot,
                caller,
                deciding.seen[0][0],
                deciding.seen[0][1].assigned or deciding.allows(Action.ASSIGN_CASEWORKER),
                reading.life,
            )
        protecting = None
        if deciding.seen and reading.protections is not None:
            file, bundle, _ = deciding.seen[0]
            facts = facts_of(house, caller, file)
            if facts is not None:
                protecting = await protections.protections_of(
                    house, snapshot, caller, who, file, facts, reading.protections, now
                )
                deciding.also(protecting.verdicts, protecting.touched(sorted(bundle.unlocked)))
        joined: list[Merge] = []
        if deciding.seen and merges_seen.FIELDS & (reading.shape.defender or frozenset()):
            joined = await _merges(house, snapshot, caller, who, deciding, now)
            deciding.also({}, merges_seen.touched(joined))
        if reading.target is not None and not deciding.seen:
            led_by = await elsewhere.led_by(house, snapshot, caller, who, reading.target, now)
            deciding.elsewhere(led_by)
        stored = await stored_keys(snapshot, caller.organisation, deciding.permitted)
    permit = house.gate.permit(deciding.verdicts())
    events = deciding.events(reading.target)
    if reading.action is not Action.SEARCH:  # It shows nobody; what is shown of hits is read.
        await openings.spend(house, caller, openings.people(deciding.permitted), events)
    await append_all(house, events)
    house.explained.add(caller.organisation, len(stored))
    permit.check(*deciding.permitted)
    keys = await open_keys(house, caller.organisation, stored)
    permit.check()  # The key service may have been slow.
    views = [_case_file(keys, row, bundle, links) for row, bundle, links in deciding.seen]
    if hanging is not None:
        row, bundle, _ = deciding.seen[0]
        show(views[0], hanging, asked, bundle.of(row.erased).opens, partial(open_one, keys))
    if lived is not None:
        row, bundle, _ = deciding.seen[0]
        show_life(views[0], lived, bundle.of(row.erased).opens, partial(open_one, keys))
    if handed:
        views[0].delegations = handed
    if protecting is not None:
        protections.show(views[0], protecting, partial(open_one, keys))
    if waiting is not None:
        views[0].looks_waiting = waiting
    if agreed:
        views[0].consents = agreed
    if joined:
        merges_seen.show((d for view in views for d in view.defenders), joined)
    return Disclosed(views, more, (rows[-1].sort_key, rows[-1].id) if rows else None)


@lru_cache(maxsize=256)
def _asked(
    shape: Shape,
    note_bodies: bool,
    attachments: frozenset[str] | None,
    reasons: frozenset[str] | None,
    life: LifeAsked | None,
    triage: frozenset[str] | None,
) -> Asked:
    fields = () if life is None else life.fields
    return asked_of(shape, note_bodies, attachments, reasons, fields, triage)


async def read_rows(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    reading: Reading,
    now: datetime,
) -> list[CaseFileRow]:
    """Read the rows of *reading* that are in the caller's scope by the policy."""
    scope = house.gate.scope(
        who, "see" if reading.compartment is None else "open", SCOPE, reading.compartment
    )
    return await case_files.read(
        snapshot,
        scope,
        replace(reading.shape, oversees=caller.role in OVERSEEING),
        {**reading.parameters, "me": caller.member, "agency": caller.organisation, "now": now},
    )


async def _merges(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    deciding: Deciding,
    now: datetime,
) -> list[Merge]:
    """Read the merges of who was seen, as far as the caller may know of them."""
    people = {link.defender for _, _, links in deciding.seen for link in links}
    standing = await merged.standing(house, snapshot, caller.organisation, people)
    return await _known(house, snapshot, caller, who, standing, now)


async def _known(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    some: Sequence[Merge],
    now: datetime,
) -> list[Merge]:
    """Give those of *some*, of the caller's agency, that the caller may know of."""
    if not some:
        return []
    both = sorted({row[side] for row in some for side in ("kept", "duplicate")})
    shape = Shape(Which.OF_DEFENDERS, frozenset(), frozenset())
    reading = Reading(Action.LIST, shape, {"ids": both})
    rows = await read_rows(house, snapshot, caller, who, reading, now)
    places = merges_seen.places_in(
        house, caller, rows, lambda facts: house.gate.open(who, Compartment.IDENTITY, facts)
    )
    return merges_seen.with_both(some, {person for _, person in places})


async def _told(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    hanging: Belongings,
    now: datetime,
) -> Belongings:
    """Leave out why records were merged, but for who may know that they were.

    A reason that is of no case file and no defender is of a merge, whatever became of its row.
    """
    others = {one.record for one in hanging.reasons} - {one.case_file for one in hanging.reasons}
    others = await reasons.of_no_person(snapshot, others)
    if not others:
        return hanging
    agency = caller.organisation
    found = await merges.among(snapshot, agency, others)
    mine = [row for row in found if merged.proven(house, agency, row)]
    untold = others - {row["id"] for row in await _known(house, snapshot, caller, who, mine, now)}
    return replace(hanging, reasons=[r for r in hanging.reasons if r.record not in untold])


async def stored_keys(
    snapshot: Connection, owner: str, permitted: Collection[tuple[UUID, Compartment]]
) -> list[StoredKey]:
    """Read wraps and manifests of exactly the *permitted* records and compartments."""
    stored = await key_wraps.of_records(
        snapshot, owner, {record for record, _ in permitted}, {c for _, c in permitted}
    )
    return [s for s in stored if (s.wrap.record, s.wrap.compartment) in permitted]


def fill(
    view: CaseFileView | DefenderView,
    keys: OpenKeys,
    steps: Steps,
    record: UUID,
    values: tuple[Any, ...],
) -> None:
    """Set on *view* what *steps* says of *values*; what does not open is withheld."""
    into = view.__dict__
    broken: list[Withheld] = []
    for cell in steps.plain:
        into[cell.attribute] = values[cell.position]
    proven = keys.proven.get(record, {})
    for compartment, cells in steps.opened.items():
        key, marks = proven.get(compartment, NOTHING)
        for position, attribute, sealed, at in cells:
            value = values[position]
            try:
                if key is None or marks[at] != value.data[-MARK:]:
                    raise SealBroken
                into[attribute] = open_sealed(key, sealed.place, key.record, value)
            except SealBroken:
                _report(sealed)
                broken.append(withheld_field(sealed, Reason.SEAL_BROKEN))
    view.withheld = steps.withheld + broken if broken else steps.withheld


def open_one(keys: OpenKeys, sealed: SealedField, record: UUID, row: UUID, value: Sealed) -> Any:
    """Open one value of *record* that stands in a *row* which never changes: no manifest has it.

    Raises:
        SealBroken: no such key, or the value was changed or moved; it is reported.
    """
    try:
        key = keys.of(record, sealed.compartment, key_version(value))
        if key is None or sealed in MARKS:  # `fill` opens what a manifest covers.
            raise SealBroken
        return open_sealed(key, sealed.place, row, value)
    except SealBroken:
        _report(sealed)
        raise


def _report(sealed: SealedField) -> None:
    _log.error("seal_broken", table=sealed.place.table, column=sealed.column)


def _case_file(
    keys: OpenKeys, row: CaseFileRow, bundle: Bundle, links: Sequence[Link]
) -> CaseFileView:
    view = CaseFileView(row.id, row.revision, row.sort_key)
    fill(view, keys, bundle.of(row.erased).case_file, row.id, row.values)
    view.assigned_to_me = bundle.assigned
    view.defenders = []
    for link in links:
        defender = DefenderView(link.defender, link.revision)
        fill(defender, keys, bundle.of(link.erased).defender, link.defender, link.values)
        view.defenders.append(defender)
    view.notes = []
    view.reasons = []
    view.attachments = []
    view.delegations = []
    view.looks_waiting = []
    view.consents = []
    view.closings = []
    view.incidents = []
    view.adversaries = []
    view.risk_assessments = []
    view.happened = []
    view.measures = []
    view.emergency_protections = []
    view.plan = []
    return view
