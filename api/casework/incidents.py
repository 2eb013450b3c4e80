"""Record what happened, and correct it: each correction is a new version beside the older ones.

Kind, days and province stand in clear, as far as they may: what a kind says of sexual
violence is sealed with its forms. The kinds of a case file follow and only grow: what was
reported once was reported.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import resealing, rights, values
from api.casework.changing import Changing, Situation, change
from api.casework.house import House
from api.casework.resealing import Value
from api.code_lists import CodeLists
from api.database import Connection
from api.errors import NotFound, SealBroken, StaleRevision, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import adversaries, incidents, steps
from api.store.incidents import Row
from api.store.sealed_fields import INCIDENT_FIELDS
from api.store.tables import RIGHTS
from api.vocabulary import Action, Caller, CaseFileId, Compartment, IncidentId, RecordKind

_BY_COLUMN = {f.column: f for f in INCIDENT_FIELDS.values()}

#: What need not be said of an incident.
_PERHAPS: Final = ("happened_to", "province", "adversaries", "account", "forms")

#: No incident is older; a slip of the keyboard.
_EARLIEST: Final = date(1900, 1, 1)


class Written(NamedTuple):
    """A version that was written, and the new revision of the case file."""

    incident: UUID
    version: int
    revision: int


class Checked(NamedTuple):
    """What is said of an incident, checked.

    Attributes:
        clear: columns in clear; the days are compared once all are known.
        sealed: columns to be sealed.
        kinds: codes for the case file.
    """

    clear: dict[str, Any]
    sealed: dict[str, Value]
    kinds: set[str]


async def record_incident(
    house: House, caller: Caller, case_file_id: CaseFileId, given: Mapping[str, Any]
) -> Written:
    """Record an incident.

    Args:
        given: `kind` and `happened_from`; perhaps `happened_to`, `province`, `adversaries`
            (ids), `account`, `forms`.

    Raises:
        NotFound, NotAllowed, CaseFileClosed, RecordErased: see `change`; NotFound also for an
            adversary who was not recorded in this case file.
        ValueInvalid: a code, a day or a text that is none; nothing logged.
    """
    whole = {**dict.fromkeys(_PERHAPS), **given}
    checked = _checked(house.codes, whole)
    _check_days(checked.clear, house.now().date())
    incident_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> Written:
        await _check_adversaries(transaction, case_file_id, whole["adversaries"])
        row = {**checked.clear, "id": incident_id, "incident": incident_id, "version": 1}
        sealed = await resealing.seal_under(
            house,
            transaction,
            situation.row.lead_agency,
            case_file_id,
            incident_id,
            {_BY_COLUMN[column]: value for column, value in checked.sealed.items()},
        )
        return await _write(
            house, transaction, caller, situation, intent, {**row, **sealed}, checked.kinds
        )

    # What is sealed is named whether there is something in it or not.
    return await change(
        house,
        caller,
        _changing(Action.RECORD_INCIDENT, case_file_id, incident_id, set(_BY_COLUMN)),
        _ask(house, Action.RECORD_INCIDENT, bool(checked.sealed["incident_forms"])),
        write,
    )


async def correct_incident(
    house: House,
    caller: Caller,
    case_file_id: CaseFileId,
    incident_id: IncidentId,
    version: int,
    given: Mapping[str, Any],
) -> Written:
    """Write a new version of an incident: what is not *given* stays as it was.

    Args:
        version: the newest that the caller read.
        given: as of `record_incident`; None empties what may be empty.

    Raises:
        NotFound, NotAllowed, RecordErased: see `change`; NotFound also for no such incident
            of this case file, or no such adversary.
        StaleRevision: *version* is not the newest.
        SealBroken: the version before is not as its agency sealed it.
        ValueInvalid: as of `record_incident`, or nothing is given.
    """
    if not given:
        raise ValueInvalid
    checked = _checked(house.codes, given)
    row_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> Written:
        before = await incidents.newest(transaction, incident_id, case_file_id)
        if before is None:
            raise NotFound
        agency = situation.row.lead_agency
        covered = [before[column] for column in RIGHTS["incident"]]
        if not rights.holds(house, agency, "incident", covered, before["seal"]):
            raise SealBroken
        if before["version"] != version:
            raise StaleRevision(before["version"])
        await _check_adversaries(transaction, case_file_id, given.get("adversaries"))
        row = {**before, **checked.clear, "id": row_id, "version": version + 1}
        _check_days(row, situation.now.date())
        sealed = await resealing.seal_under(
            house,
            transaction,
            agency,
            case_file_id,
            row_id,
            {_BY_COLUMN[column]: value for column, value in checked.sealed.items()},
        )
        kept = await resealing.carry_over(
            house,
            transaction,
            agency,
            case_file_id,
            (before["id"], row_id),
            {f: before[c] for c, f in _BY_COLUMN.items() if c not in checked.sealed},
        )
        return await _write(
            house, transaction, caller, situation, intent, {**row, **sealed, **kept}, checked.kinds
        )

    return await change(
        house,
        caller,
        _changing(Action.CORRECT_INCIDENT, case_file_id, row_id, set(checked.sealed)),
        _ask(house, Action.CORRECT_INCIDENT, "incident_forms" in checked.sealed),
        write,
    )


def _checked(codes: CodeLists, given: Mapping[str, Any]) -> Checked:
    clear: dict[str, Any] = {}
    sealed: dict[str, Value] = {}
    kinds: set[str] = set()
    hidden: list[str] = []
    if "kind" in given:
        if given["kind"] is None:
            raise ValueInvalid
        [clear["kind"]], hidden = values.parted(codes, "incident_kinds", [given["kind"]])
        kinds.add(clear["kind"])
    if hidden and "forms" not in given:
        raise ValueInvalid  # It is sealed with them: what they are must be said together.
    if "forms" in given:
        wider, forms = values.parted(codes, "sexual_violence_forms", given["forms"] or [])
        kinds.update(wider)
        sealed["incident_forms"] = sorted({*forms, *hidden})
    if "account" in given:
        text = given["account"]
        sealed["incident_account"] = None if text is None else values.text(text)
    if "province" in given:
        if given["province"] is not None and not codes.has("provinces", given["province"]):
            raise ValueInvalid
        clear["province"] = given["province"]
    if "adversaries" in given:
        named = given["adversaries"] or []
        if len(named) > values.SEVERAL_MOST:
            raise ValueInvalid
        clear["adversaries"] = ",".join(sorted({one.hex for one in named}))
    if "happened_from" in given:
        if given["happened_from"] is None:
            raise ValueInvalid
        clear["happened_from"] = given["happened_from"]
        # One day, unless an end is said.
        clear["happened_to"] = given["happened_from"]
    if given.get("happened_to") is not None:
        clear["happened_to"] = given["happened_to"]
    return Checked(clear, sealed, kinds)


def _check_days(row: Mapping[str, Any], today: date) -> None:
    if not _EARLIEST <= row["happened_from"] <= row["happened_to"] <= today:
        raise ValueInvalid


async def _check_adversaries(
    change: Connection, case_file_id: UUID, named: Sequence[UUID] | None
) -> None:
    if named and not await adversaries.all_there(change, case_file_id, set(named)):
        raise NotFound


async def _write(
    house: House,
    change: Connection,
    caller: Caller,
    situation: Situation,
    intent: int,
    row: Row,
    kinds: set[str],
) -> Written:
    file = situation.row
    row = {
        **row,
        "case_file": file.id,
        "author": caller.member,
        "written_at": situation.now,
        "event": intent,
    }
    await incidents.insert_row(change, rights.sealed_row(house, file.lead_agency, "incident", row))
    kinds = kinds.union(await steps.kinds_of(change, file.id, "incident_kinds"))
    columns = {"incident_kinds": sorted(kinds)}
    if not await steps.change_case_file(change, file.id, situation.revision, columns):
        raise StaleRevision
    return Written(row["incident"], row["version"], situation.revision + 1)


def _changing(action: Action, file: CaseFileId, row: UUID, columns: set[str]) -> Changing:
    fields = [_BY_COLUMN[column] for column in columns]
    return Changing(
        action,
        (RecordKind.CASE_FILE, file),
        tuple(sorted({f.compartment for f in fields})),
        tuple(sorted(f.name for f in fields)),
        ((RecordKind.INCIDENT, row),),
    )


def _ask(
    house: House, action: Action, forms: bool
) -> Callable[[CaseworkerFacts, CaseFileFacts], Sequence[Verdict]]:
    """Ask for what is written: who says something of its forms must be one who reads them."""
    compartments = [Compartment.NARRATIVE, *([Compartment.GENDER_VIOLENCE] if forms else [])]

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, action, facts),
            *(house.gate.open(who, compartment, facts) for compartment in compartments),
        ]

    return ask
