"""The merges of an agency, for who may approve and undo them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.casework import merged, merges_seen, rights
from api.casework.house import House
from api.casework.match_reach import reached, told
from api.errors import PageSizeInvalid
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed, Verdict
from api.store import merges
from api.store.merges import Row
from api.vocabulary import Action, Caller, Compartment, MergeState, RecordKind

PAGE_MOST = 100


@dataclass(frozen=True, slots=True)
class MergeView:
    """A merge of two records; members by pseudonym."""

    id: UUID
    kept_id: UUID
    duplicate_id: UUID
    state: MergeState
    requested_by: UUID
    requested_at: datetime
    approved_by: UUID | None
    merged_at: datetime | None
    undo_until: datetime | None
    undone_by: UUID | None
    undone_at: datetime | None


async def merges_of(house: House, caller: Caller, first: int) -> list[MergeView]:
    """List the newest merges of the caller's agency, where they may open both identities.

    Raises:
        PageSizeInvalid: *first* is not 1 to PAGE_MOST.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotAllowed: the caller's role or purpose has no part in it; one event.
    """
    if not 1 <= first <= PAGE_MOST:
        raise PageSizeInvalid
    agency = caller.organisation

    def may(facts: CaseFileFacts) -> Verdict:
        verdict = house.gate.change(who, Action.UNDO_MERGE, facts)
        if not isinstance(verdict, Allowed):
            return verdict
        return house.gate.open(who, Compartment.IDENTITY, facts)

    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        read = await merges.newest(snapshot, agency)
        rows = [row for row in read if merged.proven(house, agency, row)]
        people = {row[side] for row in rows for side in ("kept", "duplicate")}
        places = await reached(house, snapshot, caller, who, people, may) if people else set()
    shown = merges_seen.with_both(rows, {person for _, person in places})[:first]
    own = CaseFileFacts(agency, 1, False, False)
    await told(
        house,
        caller,
        [(row["id"], row[side], ()) for row in shown for side in ("kept", "duplicate")],
        house.gate.change(who, Action.UNDO_MERGE, own),
        RecordKind.MERGE,
    )
    return [_view(row) for row in shown]


def _view(row: Row) -> MergeView:
    if row["undone_at"] is not None:
        state = MergeState.UNDONE
    else:
        state = MergeState.WAITING if merged.waits(row) else MergeState.STANDS
    return MergeView(
        row["id"],
        row["kept"],
        row["duplicate"],
        state,
        row["requested_by"],
        row["requested_at"],
        row["approved_by"],
        row["merged_at"],
        row["undo_until"],
        row["undone_by"],
        row["undone_at"],
    )
