"""Merge two records of one person within an agency, which takes two persons, and undo it.

Nothing is moved and nothing is opened: a sealed row says that one record is kept and that the
other is a duplicate of it. So nothing is lost, undoing it leaves both as they were, and who may
open one of them gets nothing of the other. The duplicate is not changed while it is merged.

The duplicate is what such a change is about. Of the record that is kept the same is asked:
before the intent, so that a refusal leaves one event, and again in the transaction.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import merged, reasons, rights
from api.casework.changing import Ask, Changing, No, Situation, change, decide, refused
from api.casework.house import House
from api.casework.second_persons import may_still
from api.database import Connection
from api.errors import (
    MergeFinal,
    MergeNotOpen,
    MergeNotPossible,
    NotFound,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import merges
from api.store.merges import Row
from api.vocabulary import Action, Caller, Compartment, MergeId, Purpose, RecordKind

T = TypeVar("T")

#: The one purpose for which records are merged (`merges` in base.polar).
_PURPOSE = Purpose.SUPERVISION


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records of one person, by their ids, or what is said of each."""

    kept: UUID
    duplicate: UUID


@dataclass(frozen=True, slots=True)
class Revisions:
    """What the caller read of both before they decided."""

    kept: int
    duplicate: int


@dataclass(frozen=True, slots=True)
class Approved:
    """Since when a merge stands, and until when it can be undone."""

    merged_at: datetime
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class _Merging:
    """What is done about which merge."""

    action: Action
    merge: UUID
    pair: Pair
    reason: reasons.Given | None = field(default=None, repr=False)


async def merge_defenders(
    house: House, caller: Caller, pair: Pair, revisions: Revisions, words: str
) -> UUID:
    """Ask that *pair* be merged; give the id. Nothing is merged before a colleague approves.

    Args:
        words: why, in the caller's words; sealed with a case file of the duplicate.

    Raises:
        ValueInvalid: a record with itself, or such words; nothing was logged.
        NotFound, NotAllowed, RecordErased: of either, see `change`; also where the caller may
            not open the identity in both.
        StaleRevision: of either there is a newer revision; the error has that of the first.
        MergeNotPossible: see `_check_free`.
    """
    if pair.kept == pair.duplicate:
        raise ValueInvalid
    merge_id = uuid7()
    merging = _Merging(Action.MERGE_DEFENDERS, merge_id, pair, reasons.given(words))

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        agency = caller.organisation
        await _check_free(house, transaction, agency, merging, revisions)
        row: Row = {
            **dict.fromkeys(merges.COLUMNS),
            "id": merge_id,
            "agency": agency,
            "kept": pair.kept,
            "duplicate": pair.duplicate,
            "requested_by": caller.member,
            "requested_at": situation.now,
            "event": intent,
        }
        whole = rights.sealed_row(house, agency, "defender_merge", row)
        await merges.insert_row(transaction, whole)
        return merge_id

    return await _change(house, caller, merging, write)


async def approve_merge(
    house: House, caller: Caller, merge_id: MergeId, revisions: Revisions
) -> Approved:
    """Approve what a colleague asked for: the records are merged.

    Raises:
        NotFound: no such merge of the caller's agency; or see `change`.
        NotAllowed, RecordErased, StaleRevision, MergeNotPossible: see `merge_defenders`.
        MergeNotOpen: it waits for nobody.
        SecondPersonNeeded: the caller asked for it, or who asked no longer may.
    """
    merging = await _known(house, caller, Action.APPROVE_MERGE, merge_id)

    async def write(transaction: Connection, situation: Situation, intent: int) -> Approved:
        row = await _row(house, transaction, caller, merging)
        if not merged.waits(row):
            raise MergeNotOpen
        await _check_free(house, transaction, caller.organisation, merging, revisions)
        await _check_asker(house, transaction, caller, merging.pair, row["requested_by"])
        until = situation.now + house.merge_undo
        approved = {
            "approved_by": caller.member,
            "merged_at": situation.now,
            "undo_until": until,
            "event": intent,
        }
        await _renew(house, transaction, {**row, **approved})
        return Approved(situation.now, until)

    return await _change(house, caller, merging, write)


async def undo_merge(house: House, caller: Caller, merge_id: MergeId) -> datetime:
    """Undo a merge, or take back or decline one that waits; give the moment.

    Raises:
        NotFound: no such merge of the caller's agency; or see `change`.
        NotAllowed, RecordErased: see `merge_defenders`.
        MergeNotOpen: it was undone.
        MergeFinal: the days in which it could be undone have passed.
    """
    merging = await _known(house, caller, Action.UNDO_MERGE, merge_id)

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        row = await _row(house, transaction, caller, merging)
        if row["undone_at"] is not None:
            raise MergeNotOpen
        if row["undo_until"] is not None and row["undo_until"] <= situation.now:
            raise MergeFinal
        undone = {"undone_by": caller.member, "undone_at": situation.now, "event": intent}
        await _renew(house, transaction, {**row, **undone})
        return situation.now

    return await _change(house, caller, merging, write)


async def _known(house: House, caller: Caller, action: Action, merge_id: MergeId) -> _Merging:
    """Read which records a merge is about.

    What is not there, or another agency's, or nobody sealed, names records that are not there
    either.
    """
    async with house.records.snapshot() as snapshot:
        row = await merges.one(snapshot, caller.organisation, merge_id)
    if row is None or not merged.proven(house, caller.organisation, row):
        return _Merging(action, merge_id, Pair(merge_id, merge_id))
    return _Merging(action, merge_id, Pair(row["kept"], row["duplicate"]))


async def _change(
    house: House,
    caller: Caller,
    merging: _Merging,
    write: Callable[[Connection, Situation, int], Awaitable[T]],
) -> T:
    """Do *write*, with the rows of both records locked, where the caller may of both."""
    ask = _ask(house, merging.action)
    pair = merging.pair
    of_kept = _changing(merging, pair.kept, pair.duplicate)
    async with house.records.snapshot() as snapshot:
        first = await decide(house, snapshot, caller, of_kept, ask)
    if isinstance(first, No):
        await house.ledger.append(refused(house, caller, of_kept, first))
        raise first.error

    async def locked(transaction: Connection, situation: Situation, intent: int) -> T:
        again = await decide(house, transaction, caller, of_kept, ask)
        if isinstance(again, No):
            raise again.error
        if (again.row.id, again.ground) != (first.row.id, first.ground):
            raise StaleRevision
        return await write(transaction, situation, intent)

    of_duplicate = _changing(merging, pair.duplicate, pair.kept, first.row.id)
    return await change(house, caller, of_duplicate, ask, locked)


def _changing(merging: _Merging, target: UUID, other: UUID, file: UUID | None = None) -> Changing:
    """Say what changes: *target*, with the *other* record and the case *file* of that one."""
    others = [(RecordKind.MERGE, merging.merge), (RecordKind.DEFENDER, other)]
    if file is not None:
        others.append((RecordKind.CASE_FILE, file))
    return Changing(
        merging.action,
        (RecordKind.DEFENDER, target),
        others=tuple(others),
        reason=merging.reason,
        # Not of the duplicate: it is told to who may know of the merge (`disclosure`).
        reason_of=merging.merge,
    )


def _ask(house: House, action: Action) -> Ask:
    """Ask for *action*, and whether the identity opens: nobody merges whom they cannot compare."""

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> list[Verdict]:
        gate = house.gate
        return [gate.change(who, action, facts), gate.open(who, Compartment.IDENTITY, facts)]

    return ask


async def _check_free(
    house: House, change: Connection, agency: str, merging: _Merging, revisions: Revisions
) -> None:
    """Lock both records, and pass where they are the agency's, as they were read, and free.

    The duplicate may be in no other merge, and the kept one in none as a duplicate: then there
    are no chains to follow and no cycles. One that waits counts as one that stands.

    Raises:
        MergeNotPossible, StaleRevision: not so.
    """
    pair = merging.pair
    locked = await merges.lock(change, (pair.kept, pair.duplicate))
    for record, revision in ((pair.kept, revisions.kept), (pair.duplicate, revisions.duplicate)):
        if record not in locked or locked[record].agency != agency:
            raise MergeNotPossible
        if locked[record].revision != revision:
            raise StaleRevision(locked[record].revision)
    for row in await merges.of_people(change, agency, (pair.kept, pair.duplicate)):
        if row["id"] == merging.merge or row["undone_at"] is not None:
            continue
        # One that somebody wrote by hand keeps nobody from merging.
        if not merged.proven(house, agency, row):
            continue
        if pair.duplicate in (row["kept"], row["duplicate"]) or pair.kept == row["duplicate"]:
            raise MergeNotPossible


async def _row(house: House, change: Connection, caller: Caller, merging: _Merging) -> Row:
    """Lock both records and read the merge again, which may have ended meanwhile."""
    pair = merging.pair
    await merges.lock(change, (pair.kept, pair.duplicate))
    row = await merges.one(change, caller.organisation, merging.merge)
    if row is None or not merged.proven(house, caller.organisation, row):
        raise NotFound
    if Pair(row["kept"], row["duplicate"]) != pair:
        raise NotFound
    return row


async def _check_asker(
    house: House, change: Connection, caller: Caller, pair: Pair, asker: UUID
) -> None:
    """Pass where somebody else asked, who still may of both records."""
    if asker == caller.member:
        raise SecondPersonNeeded
    ask = _ask(house, Action.MERGE_DEFENDERS)
    for record in (pair.kept, pair.duplicate):
        part = Changing(Action.MERGE_DEFENDERS, (RecordKind.DEFENDER, record)), ask
        if not await may_still(house, change, caller, asker, _PURPOSE.value, part):
            raise SecondPersonNeeded


async def _renew(house: House, change: Connection, row: Row) -> None:
    whole = rights.sealed_row(house, row["agency"], "defender_merge", row)
    await merges.renew(change, whole)
