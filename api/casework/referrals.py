"""Refer a case file to another agency, answer a referral, end it: what people decide of it.

What the two processes then do about the keys is in `sharing`; nothing here touches one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import consenting, lead_proofs, reasons, rights
from api.casework.changing import Changing, Situation, change
from api.casework.consenting import Terms
from api.casework.delegating import in_office
from api.casework.giving import end_given
from api.casework.house import House
from api.casework.lead_inventory import obstacles, taken_stock
from api.casework.lead_proofs import PROPOSAL
from api.casework.referral_answers import Answering, answer, refuse
from api.casework.referral_parts import fields_of
from api.casework.referred import given_holds, sealed_given, signed_given, text_of
from api.casework.sharing import settle
from api.casework.taking import end_theirs
from api.casework.trust import pinned
from api.database import Connection
from api.errors import (
    LeadNotPossible,
    ReasonNotKept,
    ReferralInvalid,
    ReferralNotOpen,
    StaleRevision,
)
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import consents, leads, referral_bases, referrals
from api.store.referrals import Row, Sides
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    Compartment,
    DeclineReason,
    LegalBasis,
    OverrideReason,
    Purpose,
    RecordKind,
    ReferralId,
    ReferralState,
)

#: A referral ends by itself; who still works together refers again.
REFERRAL_MOST = timedelta(days=366)

#: What a proposal of another lead repeats of its referral.
_OF_A_PROPOSAL = ("case_file", "giver", "recipient", "event")


@dataclass(frozen=True, slots=True)
class Override:
    """Why somebody is referred whose consent there is not: a code, and words."""

    reason: OverrideReason
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewReferral:
    """What is to be referred: the compartments of a case file and of its defenders.

    Attributes:
        purpose: what the recipient is asked for.
        override: counts only where the caller declares the basis `vital_interest`.
        lead_at: the recipient is to lead the case file: its revision; None: to work on it, too.
    """

    case_file: CaseFileId
    recipient: str
    purpose: Purpose
    compartments: Sequence[Compartment]
    until: datetime
    override: Override | None = None
    lead_at: int | None = None


async def refer(house: House, caller: Caller, new: NewReferral) -> UUID:
    """Propose a referral; give its id. No key leaves before the other agency accepts.

    It rests on a consent of each defender, or on the vital interest of who cannot be asked.
    Who proposes another lead hands on nothing of their own, so nothing needs to open for them.

    Raises:
        ValueInvalid: the words of the override; see `reasons.given`.
        ConsentMissing: somebody agreed to no such thing, and nothing overrides it.
        NotFound, NotAllowed: see `change`; also where the caller may not open each of the
            compartments in person or as a supervisor: nobody hands out what they cannot
            open, or what was handed to them.
        ReferralInvalid: to no other agency, of nothing, too long, or there is one already.
        PeerNotTrusted: the keys of the recipient are not pinned.
        LeadNotPossible: the agency has to end something first, before another one leads.
        StaleRevision: the consents, or the case file where its revision was given, changed.
    """
    action = Action.REFER_CASE_FILE if new.lead_at is None else Action.PROPOSE_LEAD
    compartments = sorted(set(new.compartments))
    now = house.now()
    if (
        not compartments
        or Compartment.RELEASE in compartments
        or not now < new.until <= now + REFERRAL_MOST
        or new.recipient == caller.organisation
    ):
        raise ReferralInvalid
    override = new.override if caller.basis is LegalBasis.VITAL_INTEREST else None
    given = None if override is None else reasons.given(override.words)
    terms = Terms(new.recipient, frozenset(compartments), new.purpose, new.until)
    checked: list[UUID] = []
    referral_id = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        # What a colleague handed to the caller for a while is not theirs to hand on.
        own = in_office(facts)
        return [
            house.gate.change(who, action, own),
            *(
                house.gate.open(who, compartment, own)
                for compartment in (compartments if new.lead_at is None else ())
            ),
        ]

    async def resting(connection: Connection, situation: Situation) -> list[UUID]:
        if override is not None:
            return []
        rows = await consents.live(connection, new.case_file, caller.organisation, situation.now)
        return consenting.chosen(house, rows, _people(situation), terms, situation.now)

    async def prepare(situation: Situation) -> None:
        async with house.records.look() as connection:
            checked.extend(await resting(connection, situation))
        await consenting.check_by_log(house, caller.organisation, checked)

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        people = _people(situation)
        if (
            not people
            or not await referrals.is_agency(transaction, new.recipient)
            or await referrals.proposed_here(
                transaction, new.recipient, new.case_file, situation.now
            )
        ):
            raise ReferralInvalid
        if await resting(transaction, situation) != checked:
            raise StaleRevision  # The log was asked about others.
        if new.lead_at is not None:
            await _check_free(house, transaction, caller, situation, new.lead_at)
        await pinned(house, transaction, caller.organisation, new.recipient)
        row: Row = {
            "id": referral_id,
            "case_file": new.case_file,
            "giver": caller.organisation,
            "recipient": new.recipient,
            "purpose": new.purpose.value,
            "compartments": text_of(compartments),
            "defenders": text_of(people),
            "sensitivity": situation.facts.sensitivity,
            "until": new.until,
            "proposed_by": caller.member,
            "event": intent,
            "ended_at": None,
            "ended_event": None,
            "renewed_event": None,
        }
        row["signature"] = house.keyring.signing_key(caller.organisation).sign(signed_given(row))
        await referrals.insert_referral(transaction, sealed_given(house, row))
        if new.lead_at is not None:
            step = {"referral": referral_id, **{name: row[name] for name in _OF_A_PROPOSAL}}
            await leads.insert_proposal(transaction, lead_proofs.sealed(house, PROPOSAL, step))
        basis = consenting.basis_row(
            referral_id,
            caller,
            checked,
            None if override is None else override.reason.value,
            {"decided_at": situation.now, "event": intent},
        )
        await referral_bases.insert_row(
            transaction, rights.sealed_row(house, caller.organisation, "referral_basis", basis)
        )
        return referral_id

    return await change(
        house,
        caller,
        Changing(
            action,
            (RecordKind.CASE_FILE, new.case_file),
            tuple(compartments),
            tuple(fields_of(compartments)),
            ((RecordKind.REFERRAL, referral_id),),
            defenders=True,
            reason=given,
        ),
        ask,
        write,
        prepare,
    )


async def _check_free(
    house: House, transaction: Connection, caller: Caller, situation: Situation, revision: int
) -> None:
    """Pass where nothing keeps another agency from leading the locked case file.

    Raises:
        LeadNotPossible, StaleRevision: see `refer`.
    """
    if situation.revision != revision:
        raise StaleRevision(situation.revision)
    agency = caller.organisation
    inventory = await taken_stock(transaction, situation.row.id, agency)
    if obstacles(house, inventory, agency, None, situation.now):
        raise LeadNotPossible


def _people(situation: Situation) -> list[UUID]:
    """Name the defenders who would be referred."""
    return [link.defender for link in situation.row.links if not link.erased]


async def accept(
    house: House, caller: Caller, referral_id: ReferralId, *, to_lead: bool = False
) -> None:
    """Accept a referral: the right is sealed here, and the keys are asked for by it.

    Args:
        to_lead: the case file itself is taken over, once all keys are here.

    Raises:
        NotFound, NotAllowed: see `answer`.
        CaseFileClosed: its agency has closed the case file since.
        LeadProposed: the agency would lead it, and *to_lead* does not say so.
        ReferralNotOpen: answered or over, or one on the same case file is live.
        PeerNotTrusted: the keys of the giver are not pinned.
    """
    await answer(house, caller, referral_id, ReferralState.ACCEPTED, to_lead=to_lead)
    await settle(house, [referral_id])


async def decline(
    house: House, caller: Caller, referral_id: ReferralId, reason: DeclineReason | None = None
) -> None:
    """Decline a referral; no key was ever given for it.

    Args:
        reason: why, for the giver.

    Raises:
        As `accept`.
    """
    await answer(house, caller, referral_id, ReferralState.DECLINED, reason)
    await settle(house, [referral_id])


async def end(
    house: House, caller: Caller, referral_id: ReferralId, words: str | None = None
) -> None:
    """End a referral, as its giver at any time, as its recipient after it was accepted.

    It closes for the recipient at once; the data keys are exchanged after that.

    Args:
        words: why, in the giver's words; see `reasons.given`.

    Raises:
        ValueInvalid: such words.
        ReasonNotKept: there are any, and the caller's agency is the recipient.
        NotFound, NotAllowed: see `change`.
        ReferralNotOpen: it is over.
    """
    given = reasons.given(words)
    async with house.records.look() as connection:
        sides = await referrals.one_of(connection, referral_id, caller.organisation)
    if sides is not None and sides.given["giver"] == caller.organisation:
        await _end_as_giver(house, caller, sides.given, given)
    else:
        await _end_as_recipient(house, caller, referral_id, given)
    await settle(house, [referral_id])


async def withdraw(
    house: House, caller: Caller, referral_id: ReferralId, words: str | None = None
) -> None:
    """Take a referral back, as its giver, before the other agency answered.

    Args:
        words: why; see `reasons.given`.

    Raises:
        ValueInvalid: such words.
        NotFound: none that the caller's agency gave; or see `change`.
        NotAllowed: see `change`.
        ReferralNotOpen: it was answered, or it is over.
    """
    given = reasons.given(words)
    async with house.records.look() as connection:
        sides = await referrals.one_of(connection, referral_id, caller.organisation)
    mine = sides is not None and sides.given["giver"] == caller.organisation
    # What is not there names a case file that is not there either.
    file = sides.given["case_file"] if sides is not None and mine else referral_id
    await _end_given(house, caller, (referral_id, file), given, unanswered=True)


async def _end_as_giver(
    house: House, caller: Caller, given: Row, reason: reasons.Given | None
) -> None:
    if not given_holds(house, given):
        await refuse(house, caller, Action.END_REFERRAL, given["id"])
    await _end_given(house, caller, (given["id"], given["case_file"]), reason)


async def _end_given(
    house: House,
    caller: Caller,
    of: tuple[UUID, UUID],
    reason: reasons.Given | None,
    *,
    unanswered: bool = False,
) -> None:
    """End what the caller's agency gave: *of* is the referral and its case file."""
    referral_id, file = of

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, Action.END_REFERRAL, facts)]

    async def write(transaction: Connection, situation: Situation, intent: int) -> None:
        again = await referrals.one_of(transaction, referral_id, caller.organisation)
        if again is None or not given_holds(house, again.given):
            raise ReferralNotOpen
        if again.given["ended_at"] is not None or again.given["case_file"] != situation.row.id:
            raise ReferralNotOpen
        if unanswered and (again.theirs is not None or again.given["until"] <= situation.now):
            raise ReferralNotOpen
        await end_given(house, transaction, again, intent)

    await change(
        house,
        caller,
        Changing(
            Action.END_REFERRAL,
            (RecordKind.CASE_FILE, file),
            others=((RecordKind.REFERRAL, referral_id),),
            reason=reason,
        ),
        ask,
        write,
    )


async def _end_as_recipient(
    house: House, caller: Caller, referral_id: UUID, reason: reasons.Given | None
) -> None:
    async def write(transaction: Connection, sides: Sides, intent: int) -> None:
        if reason is not None:
            # The record is the giver's, and so is every key that could keep it there.
            raise ReasonNotKept
        if sides.theirs is None:
            raise ReferralNotOpen
        await end_theirs(house, transaction, sides.theirs, intent)

    await Answering(house, caller, referral_id, Action.END_REFERRAL).do(write)
