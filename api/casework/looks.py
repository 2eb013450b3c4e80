"""Two persons look at the whereabouts together, once: one asks, a colleague agrees, one looks.

Only here, and only for the one reading of the one case file, is it a fact that there is a
second person. Each step is a change of its own, so a look is marked as used in a
transaction that is committed before anything opens: whatever fails after that, it shows
nothing a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import rights
from api.casework.changing import Ask, Changing, Situation, change
from api.casework.disclosure import Reading, disclose
from api.casework.facts import looking_together
from api.casework.house import House
from api.casework.second_persons import may_still
from api.casework.views import DefenderView
from api.database import Connection
from api.errors import (
    LookOver,
    NotFound,
    SealBroken,
    SecondPersonNeeded,
    TooManyStand,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import looks as rows
from api.store.case_file_statements import Shape, Which
from api.store.looks import Row
from api.store.sealed_fields import DEFENDER_FIELDS
from api.store.tables import RIGHTS
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    Compartment,
    RecordKind,
)

_WHEREABOUTS = Compartment.WHEREABOUTS
_FIELDS = tuple(
    sorted(name for name, of in DEFENDER_FIELDS.items() if of.compartment is _WHEREABOUTS)
)

#: A colleague in the next room, or on the telephone, answers in this time; what lies longer
#: is asked again by somebody who still needs it.
APPROVE_WITHIN = timedelta(minutes=10)
#: The two are at it together: this is one sign-in, one page, and no more.
LOOK_WITHIN = timedelta(minutes=5)
#: Of one member at one case file: more would hide those of colleagues.
STANDING_MOST = 5


@dataclass(frozen=True, slots=True)
class Look:
    """A look, and until when its next step can be taken."""

    id: UUID
    expires_at: datetime


async def request_look(house: House, caller: Caller, case_file_id: CaseFileId) -> Look:
    """Ask for a look at the whereabouts in a case file; nothing is open yet.

    Raises:
        NotFound, NotAllowed, RecordErased: see `change`; also where two could not look
            either: not shared, or while the log has no witnesses.
        TooManyStand: the caller has STANDING_MOST that are neither used nor over.
    """
    made = uuid7()
    changing = _changing(Action.REQUEST_LOOK, case_file_id, made)

    async def write(transaction: Connection, situation: Situation, intent: int) -> Look:
        standing = await rows.standing(transaction, situation.row.id, caller.member, situation.now)
        if standing >= STANDING_MOST:
            raise TooManyStand
        expires = situation.now + APPROVE_WITHIN
        row: Row = {
            "id": made,
            "case_file": situation.row.id,
            "agency": caller.organisation,
            "requested_by": caller.member,
            "requested_at": situation.now,
            "approved_by": None,
            "approved_for": None,
            "approved_at": None,
            "used_at": None,
            "expires_at": expires,
            "event": intent,
        }
        sealed = rights.sealed_row(house, caller.organisation, "look", row)
        await rows.insert_row(transaction, sealed)
        return Look(made, expires)

    return await change(house, caller, changing, _as_two(house, Action.REQUEST_LOOK), write)


async def approve_look(house: House, caller: Caller, look_id: UUID) -> Look:
    """Agree to look together with a colleague who asked for it and now has LOOK_WITHIN for it.

    Raises:
        NotFound: none of the caller's agency; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SecondPersonNeeded: the caller asked for it.
        LookOver: it was approved or used, or nobody did in time.
        SealBroken: it is not as its agency sealed it.
    """
    row = await _found(house, caller, look_id)
    changing = _changing(Action.APPROVE_LOOK, _file(row, look_id), look_id)

    async def write(transaction: Connection, situation: Situation, intent: int) -> Look:
        row = await _locked(house, transaction, caller, situation, look_id)
        if row["requested_by"] == caller.member:
            raise SecondPersonNeeded
        if row["approved_by"] is not None or row["expires_at"] <= situation.now:
            raise LookOver
        expires = situation.now + LOOK_WITHIN
        await _renew(
            house,
            transaction,
            row,
            approved_by=caller.member,
            # By it is decided again, when the other one looks.
            approved_for=None if caller.purpose is None else caller.purpose.value,
            approved_at=situation.now,
            expires_at=expires,
            event=intent,
        )
        return Look(look_id, expires)

    return await change(house, caller, changing, _may_approve(house), write)


async def look_at_whereabouts(
    house: House, caller: Caller, look_id: UUID, asked: frozenset[str]
) -> Sequence[DefenderView]:
    """Show the defenders of the case file once, with their whereabouts, to who asked for it.

    Args:
        asked: names of the fields of a defender; whereabouts are read in any case, all
            others as far as the caller may open them alone.

    Raises:
        NotFound: the caller asked for none of this id; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SecondPersonNeeded: nobody agreed yet, or who did no longer may.
        LookOver: it was used, or its time has passed.
        SealBroken: it is not as its agency sealed it.
        OpeningsExhausted, KeysUnavailable and what else `disclose` raises: the look is used.
    """
    row = await _found(house, caller, look_id)
    mine = row if row is not None and row["requested_by"] == caller.member else None
    file = _file(mine, look_id)
    changing = _changing(Action.LOOK, file, look_id)

    async def write(transaction: Connection, situation: Situation, intent: int) -> None:
        row = await _locked(house, transaction, caller, situation, look_id)
        check_ready(row, caller, situation.now)
        await _check_colleague(house, transaction, caller, row)
        await _renew(house, transaction, row, used_at=situation.now, event=intent)

    await change(house, caller, changing, _as_two(house, Action.LOOK), write)
    shown = await disclose(
        house,
        caller,
        Reading(
            Action.LOOK,
            Shape(Which.ONE, frozenset(), asked.union(_FIELDS)),
            {"id": file},
            target=(RecordKind.CASE_FILE, file),
            together=file,
        ),
    )
    if not shown.case_files:  # The case file went out of reach since the transaction.
        raise NotFound
    return shown.case_files[0].defenders


def check_ready(row: Row, caller: Caller, now: datetime) -> None:
    """Pass where *row*, which is proven, lets the caller look now, if the colleague still may.

    Raises:
        NotFound: another member asked for it.
        LookOver: it was used, or its time has passed.
        SecondPersonNeeded: nobody agreed yet.
    """
    if row["requested_by"] != caller.member:
        raise NotFound
    if row["used_at"] is not None or row["expires_at"] <= now:
        raise LookOver
    if row["approved_by"] is None or row["approved_by"] == caller.member:
        raise SecondPersonNeeded


async def _check_colleague(house: House, transaction: Connection, caller: Caller, row: Row) -> None:
    """Pass where who agreed may still agree: the same question, on the facts of this moment."""
    approving = _changing(Action.APPROVE_LOOK, row["case_file"], row["id"])
    part = approving, _may_approve(house)
    member, purpose = row["approved_by"], row["approved_for"]
    if not await may_still(house, transaction, caller, member, purpose, part):
        raise SecondPersonNeeded


def _as_two(house: House, action: Action) -> Ask:
    """Ask whether the caller may do *action*, and would open the whereabouts with a colleague."""

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [
            house.gate.change(who, action, facts),
            house.gate.open(who, _WHEREABOUTS, looking_together(facts)),
        ]

    return ask


def _may_approve(house: House) -> Ask:
    return lambda who, facts: [house.gate.change(who, Action.APPROVE_LOOK, facts)]


def _changing(action: Action, case_file: UUID, look_id: UUID) -> Changing:
    return Changing(
        action,
        (RecordKind.CASE_FILE, case_file),
        compartments=(_WHEREABOUTS,),
        fields=_FIELDS,
        others=((RecordKind.LOOK, look_id),),
    )


def _file(row: Row | None, look_id: UUID) -> UUID:
    """Say which case file is meant. What is not there names one that is not there either."""
    file: UUID = look_id if row is None else row["case_file"]
    return file


async def _found(house: House, caller: Caller, look_id: UUID) -> Row | None:
    async with house.records.snapshot() as snapshot:
        return await rows.of_agency(snapshot, look_id, caller.organisation)


async def _locked(
    house: House, transaction: Connection, caller: Caller, situation: Situation, look_id: UUID
) -> Row:
    """Read one of the caller's agency and of this case file, as it was sealed."""
    await rows.lock(transaction, look_id)
    row = await rows.of_agency(transaction, look_id, caller.organisation)
    if row is None or row["case_file"] != situation.row.id:
        raise NotFound
    values = [row[name] for name in RIGHTS["look"]]
    if not rights.holds(house, caller.organisation, "look", values, row["seal"]):
        raise SealBroken
    return row


async def _renew(house: House, transaction: Connection, row: Row, **changed: object) -> None:
    whole = rights.sealed_row(house, row["agency"], "look", {**row, **changed})
    await rows.renew(transaction, whole)
