"""Referrals without consent, in somebody's vital interest: a second person reviews each.

The words that were given for it are a reason of the case file (`CaseFile.reasons`), with the
index of the same event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.accesslog.event import Touched
from api.casework import rights, tying
from api.casework.case_files import check_page_size
from api.casework.changing import Changing, Situation, change
from api.casework.consenting import basis_holds
from api.casework.house import House
from api.casework.recording import append_all, event_of
from api.casework.referred import given_holds, state_of
from api.database import Connection
from api.errors import NotAllowed, NotFound, SecondPersonNeeded, StaleRevision
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Verdict
from api.store import referral_bases, referrals
from api.store.referrals import Row, Sides
from api.vocabulary import (
    Action,
    Caller,
    Decision,
    LegalBasis,
    OverrideReason,
    RecordKind,
    ReferralId,
    ReferralState,
    Sensitivity,
)


@dataclass(frozen=True, slots=True)
class OverrideView:
    """A referral without consent that waits for its review; *decided_by* by pseudonym.

    Attributes:
        event: index of the intent; the words that were given have the same.
    """

    referral: UUID
    case_file: UUID
    recipient: str
    reason: OverrideReason
    decided_by: UUID
    decided_at: datetime
    event: int
    state: ReferralState


async def to_review(house: House, caller: Caller, first: int) -> list[OverrideView]:
    """List what waits for a review in the caller's agency, longest waiting first.

    Raises:
        PageSizeInvalid: *first* is not 1 to 100.
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotAllowed: the caller's role or purpose reviews nothing; one event.
    """
    check_page_size(first)
    agency, action = caller.organisation, Action.REVIEW_OVERRIDE
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        # As for a case file of the agency that anybody there may know of.
        facts = CaseFileFacts(agency, int(Sensitivity.LOW), False, False)
        verdict = house.gate.change(who, action, facts)
        rows = (
            await referral_bases.unreviewed(snapshot, agency, first)
            if isinstance(verdict, Allowed)
            else []
        )
        given = await referrals.with_ids(snapshot, [row["referral"] for row in rows])
        files = {sides.given["case_file"] for sides in given.values()}
        tied = await tying.tied_files(house, snapshot, agency, caller.member, files)
    found = [
        view
        for row in rows
        if (sides := given.get(row["referral"])) is not None
        and sides.given["case_file"] not in tied
        and (view := _view(house, who, row, sides)) is not None
    ]
    allowed = isinstance(verdict, Allowed)
    touched = Touched(
        Decision.DISCLOSED if allowed else Decision.REFUSED,
        verdict.ground if isinstance(verdict, Allowed) else None,
        None if isinstance(verdict, Allowed) else verdict.reason,
        (),
        (),
        tuple((RecordKind.REFERRAL, view.referral, 0) for view in found),
    )
    await append_all(
        house,
        [
            event_of(
                house,
                caller,
                Action.LIST if allowed else action,
                touched.decision,
                (touched,),
                agencies=(agency,),
                code=None if allowed else NotAllowed.code,
            )
        ],
    )
    if not allowed:
        raise NotAllowed
    return found


def _view(house: House, who: CaseworkerFacts, row: Row, sides: Sides) -> OverrideView | None:
    """Give one that its giver sealed, up to the caller's clearance."""
    given = sides.given
    if given["giver"] != who.agency or not _proven(house, row, given):
        return None
    facts = CaseFileFacts(who.agency, given["sensitivity"], False, False)
    if not isinstance(house.gate.change(who, Action.REVIEW_OVERRIDE, facts), Allowed):
        return None
    return OverrideView(
        given["id"],
        given["case_file"],
        given["recipient"],
        OverrideReason(row["override"]),
        row["decided_by"],
        row["decided_at"],
        row["event"],
        state_of(*sides, house.now()),
    )


def _proven(house: House, row: Row, given: Row) -> bool:
    return (
        row["referral"] == given["id"]
        and row["agency"] == given["giver"]
        and basis_holds(house, row)
        and given_holds(house, given)
    )


async def review(house: House, caller: Caller, referral_id: ReferralId) -> datetime:
    """Say that a referral without consent was reviewed; give the moment.

    Who finds it wrong ends it besides.

    Raises:
        NotFound: no such referral of the caller's agency; or see `change`.
        NotAllowed, RecordErased: see `change`.
        SecondPersonNeeded: the caller made it.
        StaleRevision: somebody reviewed it before.
    """
    action = Action.REVIEW_OVERRIDE
    async with house.records.snapshot() as snapshot:
        found = await _own(house, snapshot, caller, referral_id)
    # What is not there names a case file that is not there either.
    file = referral_id if found is None else found[1]["case_file"]

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> datetime:
        again = await _own(house, transaction, caller, referral_id)
        if again is None or again[1]["case_file"] != situation.row.id:
            raise NotFound
        row, _ = again
        if row["reviewed_at"] is not None:
            raise StaleRevision
        if row["decided_by"] == caller.member:
            raise SecondPersonNeeded
        row |= {
            "reviewed_by": caller.member,
            "reviewed_at": situation.now,
            "reviewed_event": intent,
        }
        sealed = rights.sealed_row(house, caller.organisation, "referral_basis", row)
        await referral_bases.review(transaction, sealed)
        return situation.now

    changing = Changing(
        action, (RecordKind.CASE_FILE, file), others=((RecordKind.REFERRAL, referral_id),)
    )
    return await change(house, caller, changing, ask, write)


async def _own(
    house: House, connection: Connection, caller: Caller, referral_id: UUID
) -> tuple[Row, Row] | None:
    """Read basis and giver's side of a referral without consent that the agency gave."""
    sides = await referrals.one_of(connection, referral_id, caller.organisation)
    row = await referral_bases.one_of(connection, referral_id, caller.organisation)
    if sides is None or row is None or sides.given["giver"] != caller.organisation:
        return None
    if row["basis"] != LegalBasis.VITAL_INTEREST.value or not _proven(house, row, sides.given):
        return None
    return row, sides.given
