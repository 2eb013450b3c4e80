"""The referrals that an agency gave and received, as a list: names of fields, never a value."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.accesslog.event import Touched
from api.casework import lead_proofs, referral_declines, rights, tying
from api.casework.chunks import chunks
from api.casework.facts import compartments_of
from api.casework.house import House
from api.casework.lead_proofs import PROPOSAL
from api.casework.recording import append_all, event_of
from api.casework.referral_parts import fields_of
from api.casework.referred import given_holds, given_is_signed, state_of
from api.casework.trust import Pinned, pinned
from api.database import Connection
from api.errors import NotAllowed, PeerNotTrusted, PerisaiError
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed
from api.store import leads, referrals
from api.store import referral_declines as declines
from api.store.referrals import Row, Sides
from api.vocabulary import (
    Action,
    Caller,
    Compartment,
    Decision,
    DeclineReason,
    Ground,
    Purpose,
    RecordKind,
    ReferralState,
)


@dataclass(frozen=True, slots=True)
class ReferralView:
    """A referral as the two agencies see it.

    Attributes:
        fields: the names of all fields that it shares, and of no others.
        decline_reason: why the recipient declined, where it said so and that can be proven.
        lead: the recipient is to lead the case file.
    """

    id: UUID
    case_file: UUID
    giver: str
    recipient: str
    purpose: Purpose
    compartments: list[Compartment]
    fields: list[str]
    defenders: int
    sensitivity: int
    until: datetime
    state: ReferralState
    decline_reason: DeclineReason | None
    lead: bool


async def listed(house: House, caller: Caller, state: ReferralState | None) -> list[ReferralView]:
    """List the newest referrals of the caller's agency, given and received, in one *state*.

    Shows what a supervisor needs to answer, and of a record its id only.

    Raises:
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotAllowed: the caller's role or purpose has no part in referrals; one event.
    """
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        read = await referrals.of_agency(snapshot, caller.organisation)
        found = [sides for sides in read if await _is_proven(house, snapshot, caller, sides.given)]
        files = {sides.given["case_file"] for sides in found}
        tied = await tying.tied_files(house, snapshot, caller.organisation, caller.member, files)
        why = await _declined(house, snapshot, caller, found)
        leading = await _leading(house, snapshot, caller, found)
    # Whoever may end one may see that it is there, up to the own clearance.
    shown = [
        view
        for sides in found
        if sides.given["case_file"] not in tied
        and (view := _view(house, caller, who, sides, why, leading)) is not None
        and state in (None, view.state)
    ]
    asked = CaseFileFacts(caller.organisation, 1, False, False)
    verdict = house.gate.change(who, Action.END_REFERRAL, asked)
    allowed = type(verdict) is Allowed
    records = tuple((RecordKind.REFERRAL, view.id, 0) for view in shown)
    touched = Touched(Decision.DISCLOSED, Ground.OWN_AGENCY, None, (), (), records)
    events = [
        event_of(
            house,
            caller,
            Action.LIST,
            Decision.DISCLOSED if allowed else Decision.REFUSED,
            chunk,
            agencies=(caller.organisation,),
            code=None if allowed else NotAllowed.code,
        )
        for chunk in chunks([touched] if allowed and shown else [])
    ]
    await append_all(house, events)
    if not allowed:
        raise NotAllowed
    return shown


async def _is_proven(house: House, snapshot: Connection, caller: Caller, given: Row) -> bool:
    """Tell whether its giver wrote it: sealed by this agency, or signed by another.

    What came from an agency whose keys are not pinned is not shown either.
    """
    if given["giver"] == caller.organisation:
        return given_holds(house, given)
    try:
        giver = await pinned(house, snapshot, caller.organisation, given["giver"])
    except PeerNotTrusted:
        return False
    return given_is_signed(given, giver)


async def _declined(
    house: House, snapshot: Connection, caller: Caller, found: Sequence[Sides]
) -> dict[UUID, DeclineReason]:
    """Read why those of *found* were declined of which that can be proven here."""
    answered = {
        sides.given["id"]: sides.theirs
        for sides in found
        if sides.theirs is not None and sides.theirs["answer"] == ReferralState.DECLINED.value
    }
    reasons = {}
    for referral_id, row in (await declines.of_referrals(snapshot, answered)).items():
        theirs = answered[referral_id]
        try:
            peer = await _recipient(house, snapshot, caller, theirs)
        except PeerNotTrusted:
            continue
        reason = referral_declines.reason_in(house, row, theirs, peer)
        if reason is not None:
            reasons[referral_id] = reason
    return reasons


async def _leading(
    house: House, snapshot: Connection, caller: Caller, found: Sequence[Sides]
) -> set[UUID]:
    """Name those of *found* of which it is proven here that the recipient is to lead."""
    given = {sides.given["id"]: sides.given for sides in found}
    leading = set()
    for referral_id, row in (await leads.proposals_of(snapshot, given)).items():
        mine = row["giver"] == caller.organisation
        if lead_proofs.proposes(row, given[referral_id]) and (
            lead_proofs.holds(house, PROPOSAL, row)
            if mine
            else lead_proofs.is_signed(
                PROPOSAL,
                row,
                await pinned(house, snapshot, caller.organisation, row["giver"]),
            )
        ):
            leading.add(referral_id)
    return leading


async def _recipient(
    house: House, snapshot: Connection, caller: Caller, theirs: Row
) -> Pinned | None:
    if theirs["recipient"] == caller.organisation:
        return None
    return await pinned(house, snapshot, caller.organisation, theirs["recipient"])


def _view(
    house: House,
    caller: Caller,
    who: CaseworkerFacts,
    sides: Sides,
    declined: Mapping[UUID, DeclineReason],
    leading: Collection[UUID],
) -> ReferralView | None:
    given = sides.given
    try:
        compartments = sorted(compartments_of(given["compartments"]))
        facts = (
            CaseFileFacts(given["giver"], given["sensitivity"], False, False)
            if given["giver"] == caller.organisation
            else CaseFileFacts.as_referred(
                given["giver"], given["sensitivity"], False, False, compartments
            )
        )
        view = ReferralView(
            given["id"],
            given["case_file"],
            given["giver"],
            given["recipient"],
            Purpose(given["purpose"]),
            compartments,
            fields_of(compartments),
            len(given["defenders"].split(",")),
            given["sensitivity"],
            given["until"],
            state_of(*sides, house.now()),
            declined.get(given["id"]),
            given["id"] in leading,
        )
    except (PerisaiError, ValueError):
        return None  # Signed, and of words that are not known here.
    verdict = house.gate.change(who, Action.END_REFERRAL, facts)
    return view if type(verdict) is Allowed else None
