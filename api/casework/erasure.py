"""Erase one record: one person asks, another approves, and everything of it goes at once.

An erasure is of exactly one record: a defender, or a case file with its notes. Of a
defender nothing else goes in the case files where they stand; a case file goes only
when every defender who is in no other one has gone before, so that nobody is left
behind whom nobody looks for any more.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from api.casework import holding, reasons, rights
from api.casework.changing import Changing, Situation, change
from api.casework.erasable import Target, asking, check_own, erasable
from api.casework.house import House
from api.database import Connection
from api.errors import (
    DefendersRemain,
    NotFound,
    SealBroken,
    SecondPersonNeeded,
    StoreUnavailable,
)
from api.store import erasing, erasures, members
from api.vocabulary import Action, Caller, ErasureReason, MemberId, RecordKind, Role

_log = structlog.get_logger("perisai.erasure")

#: Who may have asked for an erasure that is approved now.
_ASKERS = frozenset({Role.SUPERVISOR, Role.AGENCY_LEAD})


async def request_erasure(
    house: House, caller: Caller, target: Target, reason: ErasureReason, words: str | None = None
) -> UUID:
    """Ask that *target* be erased; give the id of the request. Nothing goes yet.

    Args:
        words: why, in the caller's words; see `reasons.given`.

    Raises:
        ValueInvalid: such words.
        NotFound, NotAllowed, RecordErased: see `change`.
        LegalHoldStands: it must be kept.
    """
    kind, record = erasable(target)
    given = reasons.given(words)
    erasure_id = uuid7()

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        await erasures.lock(transaction)
        await check_own(transaction, target, situation)
        await holding.check_free(house, transaction, kind, record, situation.now)
        row = {
            "id": erasure_id,
            "kind": kind.value,
            "record": record,
            "agency": situation.row.lead_agency,
            "requested_by": caller.member,
            "requested_at": situation.now,
            "reason": reason.value,
            "approved_by": None,
            "done_at": None,
            "withdrawn_by": None,
            "withdrawn_at": None,
            "event": intent,
        }
        agency = situation.row.lead_agency
        await erasures.insert_erasure(transaction, rights.sealed_row(house, agency, "erasure", row))
        return erasure_id

    return await change(
        house,
        caller,
        _changing(Action.REQUEST_ERASURE, target, erasure_id, given),
        asking(house, Action.REQUEST_ERASURE),
        write,
    )


async def approve_erasure(
    house: House, caller: Caller, target: Target, erasure_id: UUID
) -> datetime:
    """Approve what another person asked for, and erase *target* at once; give the moment.

    Keys, tags and manifests go and every sealed column is emptied in one transaction
    under the record's lock: nobody reads a part of it.

    Raises:
        NotFound: no such request that is open; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SecondPersonNeeded: the caller asked for it, or who asked no longer may.
        LegalHoldStands, DefendersRemain: it must not go now.
        SealBroken: the request is not as its agency sealed it.
    """
    kind, record = erasable(target)

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        now = situation.now
        await erasures.lock(transaction)
        await check_own(transaction, target, situation)
        row = await _open(house, transaction, situation, erasure_id, record)
        await _check_asker(house, transaction, caller, situation, row["requested_by"])
        await holding.check_free(house, transaction, kind, record, now)
        if kind is RecordKind.CASE_FILE and await erasures.defenders_only_in(transaction, record):
            raise DefendersRemain
        await erasing.lock(transaction, kind, record)
        await erasing.take(transaction, kind, record, now)
        await _end(
            house, transaction, row, {"approved_by": caller.member, "done_at": now, "event": intent}
        )
        return now

    done = await change(
        house,
        caller,
        _changing(Action.APPROVE_ERASURE, target, erasure_id),
        asking(house, Action.APPROVE_ERASURE),
        write,
    )
    await sweep(house)
    return done


async def decline_erasure(
    house: House, caller: Caller, target: Target, erasure_id: UUID
) -> datetime:
    """Withdraw a request of one's own, or decline another's; give the moment.

    Raises:
        NotFound: no such request that is open; or see `change`.
        NotAllowed: see `change`.
        SealBroken: the request is not as its agency sealed it.
    """
    _, record = erasable(target)

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        await erasures.lock(transaction)
        await check_own(transaction, target, situation)
        row = await _open(house, transaction, situation, erasure_id, record)
        ended = {"withdrawn_by": caller.member, "withdrawn_at": situation.now, "event": intent}
        await _end(house, transaction, row, ended)
        return situation.now

    return await change(
        house,
        caller,
        _changing(Action.DECLINE_ERASURE, target, erasure_id),
        asking(house, Action.DECLINE_ERASURE),
        write,
    )


async def sweep(house: House) -> None:
    """Take what was erased out of SQLite's write-ahead log; the erasure stands in any case."""
    try:
        if await house.records.sweep():
            return
    except StoreUnavailable:
        pass
    # A reader kept the old pages; the next checkpoint, or `erasure clean`, takes them.
    _log.warning("erasure_not_swept")


def _changing(
    action: Action, target: Target, erasure_id: UUID, reason: reasons.Given | None = None
) -> Changing:
    return Changing(action, target, others=((RecordKind.ERASURE, erasure_id),), reason=reason)


async def _open(
    house: House, change: Connection, situation: Situation, erasure_id: UUID, record: UUID
) -> dict[str, Any]:
    """Read an open request of the agency in whose name is decided."""
    agency = situation.row.lead_agency
    found = await erasures.erasure_of(change, erasure_id, record)
    if found is None or found.values["agency"] != agency:
        raise NotFound
    if not rights.holds(house, agency, "erasure", found.seal_values, found.seal):
        raise SealBroken
    row = dict(found.values)
    if row["done_at"] is not None or row["withdrawn_at"] is not None:
        raise NotFound
    return row


async def _check_asker(
    house: House, change: Connection, caller: Caller, situation: Situation, asker: MemberId
) -> None:
    """Pass where somebody else asked, who still may."""
    person = await members.by_id(change, asker)
    if (
        asker == caller.member
        or person is None
        or not person.live
        or person.organisation != situation.row.lead_agency
        or person.role not in _ASKERS
        or person.clearance < situation.row.sensitivity
        or not rights.holds(house, person.organisation, "member", person.seal_values, person.seal)
    ):
        raise SecondPersonNeeded


async def _end(
    house: House, change: Connection, row: dict[str, Any], ended: dict[str, Any]
) -> None:
    whole = rights.sealed_row(house, row["agency"], "erasure", {**row, **ended})
    await erasures.end(change, "erasure", whole)
