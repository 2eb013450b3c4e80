"""Legal holds: what must be kept although somebody asks for its erasure.

The agency's lead places one; another person lifts it. A hold on a case file also keeps
its defenders, and one on a defender keeps the case files where they stand.
"""

from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import reasons, rights
from api.casework.changing import Changing, Situation, change
from api.casework.erasable import Target, asking, check_own, erasable
from api.casework.house import House
from api.database import Connection
from api.errors import NotFound, SealBroken, SecondPersonNeeded, ValueInvalid
from api.store import erasures
from api.vocabulary import Action, Caller, HoldReason, RecordKind


async def place_legal_hold(
    house: House,
    caller: Caller,
    target: Target,
    reason: HoldReason,
    until: datetime | None,
    words: str | None = None,
) -> UUID:
    """Forbid the erasure of *target* until the hold is lifted or *until* comes; give its id.

    Args:
        words: why, in the caller's words; see `reasons.given`.

    Raises:
        NotFound, NotAllowed, RecordErased: see `change`.
        ValueInvalid: *until* is over, or such words.
    """
    kind, record = erasable(target)
    if until is not None and until <= house.now():
        raise ValueInvalid
    given = reasons.given(words)
    hold_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        await erasures.lock(transaction)
        await check_own(transaction, target, situation)
        agency = situation.row.lead_agency
        row = {
            "id": hold_id,
            "kind": kind.value,
            "record": record,
            "agency": agency,
            "placed_by": caller.member,
            "placed_at": situation.now,
            "reason": reason.value,
            "until": until,
            "lifted_by": None,
            "lifted_at": None,
            "event": intent,
        }
        await erasures.insert_hold(transaction, rights.sealed_row(house, agency, "legal_hold", row))
        return hold_id

    return await change(
        house,
        caller,
        _changing(Action.PLACE_LEGAL_HOLD, target, hold_id, given),
        asking(house, Action.PLACE_LEGAL_HOLD),
        write,
    )


async def lift_legal_hold(house: House, caller: Caller, target: Target, hold_id: UUID) -> datetime:
    """End a hold that another person placed on *target*; give the moment.

    Raises:
        NotFound: no such hold that stands; or see `change`.
        NotAllowed: see `change`.
        SecondPersonNeeded: the caller placed it.
        SealBroken: it is not as its agency sealed it; it stands.
    """
    kind, record = erasable(target)

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        await erasures.lock(transaction)
        await check_own(transaction, target, situation)
        agency = situation.row.lead_agency
        rows = await erasures.holds_on(transaction, kind, record)
        found = next((r for r in rows if r.values["id"] == hold_id), None)
        if found is None or (found.values["record"], found.values["agency"]) != (record, agency):
            raise NotFound
        if not rights.holds(house, agency, "legal_hold", found.seal_values, found.seal):
            raise SealBroken
        if found.values["lifted_at"] is not None:
            raise NotFound
        if found.values["placed_by"] == caller.member:
            raise SecondPersonNeeded
        lifted = {"lifted_by": caller.member, "lifted_at": situation.now, "event": intent}
        whole = rights.sealed_row(house, agency, "legal_hold", {**found.values, **lifted})
        await erasures.end(transaction, "legal_hold", whole)
        return situation.now

    return await change(
        house,
        caller,
        _changing(Action.LIFT_LEGAL_HOLD, target, hold_id),
        asking(house, Action.LIFT_LEGAL_HOLD),
        write,
    )


def _changing(
    action: Action, target: Target, hold_id: UUID, reason: reasons.Given | None = None
) -> Changing:
    return Changing(action, target, others=((RecordKind.LEGAL_HOLD, hold_id),), reason=reason)
