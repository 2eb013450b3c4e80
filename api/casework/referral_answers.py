"""Answer a referral, as the agency to which it was made: decide, intend, lock, decide again.

The case file is another agency's: before the referral is accepted it does not exist for
the caller. So what is decided on is the referral, proven by the giver's signature under
the key that is pinned here, and the facts are those of the case file as it would be.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import NoReturn
from uuid import UUID

from api.accesslog.event import Touched
from api.casework import lead_proofs, referral_declines, rights, tying
from api.casework.closed import offered_closed
from api.casework.facts import Referred
from api.casework.house import House
from api.casework.lead_proofs import ACCEPTANCE, PROPOSAL
from api.casework.recording import event_of, recorded
from api.casework.referral_parts import lock
from api.casework.referred import given_is_signed, referred_in, sealed_theirs, theirs_holds
from api.casework.trust import Pinned, pinned
from api.database import Connection
from api.errors import (
    CaseFileClosed,
    LeadProposed,
    NotAllowed,
    NotFound,
    PeerNotTrusted,
    PerisaiError,
    ReferralNotOpen,
)
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed, Refused
from api.store import leads, referrals
from api.store import referral_declines as declines
from api.store.referrals import Row, Sides
from api.vocabulary import (
    Action,
    Caller,
    Decision,
    DeclineReason,
    Ground,
    Reason,
    RecordKind,
    ReferralState,
)

_ACTIONS = {
    ReferralState.ACCEPTED: Action.ACCEPT_REFERRAL,
    ReferralState.DECLINED: Action.DECLINE_REFERRAL,
}

#: What gives the recipient anything.
_ACCEPTING = (Action.ACCEPT_LEAD, Action.ACCEPT_REFERRAL)

Write = Callable[[Connection, Sides, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _May:
    """It is allowed, on these proven sides."""

    sides: Sides
    referred: Referred
    ground: Ground


@dataclass(frozen=True, slots=True)
class _No:
    """Why not, for the caller and for the log; *referred* where something was proven."""

    error: type[PerisaiError]
    reason: Reason
    referred: Referred | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """What the recipient does about one referral."""

    house: House
    caller: Caller
    referral: UUID
    action: Action

    async def do(self, write: Write) -> None:
        """Do *write* (transaction, sides, index of the intent) if it is allowed, twice.

        Raises:
            NotFound: no such referral to the caller's agency, or nobody signed it.
            NotAllowed: the policy refuses. Either leaves one event and no row.
            CaseFileClosed, LeadProposed, PeerNotTrusted, ReferralNotOpen: as `NotAllowed`.
        """
        async with self.house.records.snapshot() as snapshot:
            first = await self._decide(snapshot)
        if isinstance(first, _No):
            await self._refuse(first)
        may = first

        async def writing(intent: int) -> None:
            async with self.house.records.change() as transaction:
                await lock(transaction, may.referred)
                again = await self._decide(transaction)
                if isinstance(again, _No):
                    raise again.error
                if again.referred != may.referred:
                    raise ReferralNotOpen
                await write(transaction, again.sides, intent)

        touched = self._touched(Decision.ALLOWED, may.ground, None, may.referred)
        event = event_of(
            self.house,
            self.caller,
            self.action,
            Decision.ALLOWED,
            (touched,),
            agencies=(may.referred.giver, may.referred.recipient),
        )
        await recorded(self.house, event, writing)

    async def _decide(self, connection: Connection) -> _May | _No:
        house, caller = self.house, self.caller
        who = await rights.caseworker(house, connection, caller)
        sides = await referrals.one_of(connection, self.referral, caller.organisation)
        if sides is None or sides.given["recipient"] != caller.organisation:
            return _No(NotFound, Reason.NOT_IN_REACH)
        try:
            giver = await pinned(house, connection, caller.organisation, sides.given["giver"])
        except PeerNotTrusted:
            return _No(PeerNotTrusted, Reason.SEAL_BROKEN)
        if not given_is_signed(sides.given, giver):
            return _No(NotFound, Reason.SEAL_BROKEN)
        referred = referred_in(sides.given, proposal=True)
        facts = CaseFileFacts.as_referred(
            referred.giver, referred.sensitivity, False, False, referred.compartments
        )
        if await tying.member_tied(
            house, connection, caller.organisation, caller.member, referred.case_file
        ):
            facts = replace(facts, tied=True)
        verdict = house.gate.change(who, self.action, facts)
        if isinstance(verdict, Refused):
            seen = isinstance(house.gate.see(who, facts), Allowed)
            return _No(NotAllowed if seen else NotFound, verdict.reason, referred)
        if not await self._is_open(connection, sides, referred):
            return _No(ReferralNotOpen, Reason.NOT_IN_REACH, referred)
        if self.action in _ACCEPTING:
            leading = await self._is_to_lead(connection, sides.given, giver)
            if leading != (self.action is Action.ACCEPT_LEAD):
                error = LeadProposed if leading else ReferralNotOpen
                return _No(error, Reason.NOT_IN_REACH, referred)
            if await offered_closed(connection, referred.case_file):
                return _No(CaseFileClosed, Reason.CASE_FILE_CLOSED, referred)
        return _May(sides, referred, verdict.ground)

    async def _is_to_lead(self, connection: Connection, given: Row, giver: Pinned) -> bool:
        """Tell whether the giver proposed with it that the recipient leads the case file."""
        row = (await leads.steps_of(connection, self.referral)).proposal
        return (
            row is not None
            and lead_proofs.proposes(row, given)
            and lead_proofs.is_signed(PROPOSAL, row, giver)
        )

    async def _is_open(self, connection: Connection, sides: Sides, referred: Referred) -> bool:
        given, theirs = sides
        now = self.house.now()
        if given["ended_at"] is not None or referred.until <= now:
            return False
        if self.action is Action.END_REFERRAL:
            return (
                theirs is not None
                and theirs["answer"] == ReferralState.ACCEPTED.value
                and theirs["ended_at"] is None
                and theirs_holds(self.house, theirs)
            )
        return (
            theirs is None
            # An agency accepts no right on what it leads itself: it would take keys of it.
            and await referrals.led_elsewhere(
                connection, referred.giver, referred.case_file, referred.defenders
            )
            and not await referrals.accepted_here(
                connection, referred.recipient, referred.case_file, now
            )
        )

    async def _refuse(self, no: _No) -> NoReturn:
        agencies = () if no.referred is None else (no.referred.giver, no.referred.recipient)
        touched = self._touched(Decision.REFUSED, None, no.reason, no.referred)
        await self.house.ledger.append(
            event_of(
                self.house,
                self.caller,
                self.action,
                Decision.REFUSED,
                (touched,),
                agencies=agencies,
                code=no.error.code,
            )
        )
        raise no.error

    def _touched(
        self,
        decision: Decision,
        ground: Ground | None,
        reason: Reason | None,
        referred: Referred | None,
    ) -> Touched:
        file = () if referred is None else ((RecordKind.CASE_FILE, referred.case_file, 0),)
        compartments = () if referred is None else tuple(sorted(referred.compartments))
        records = ((RecordKind.REFERRAL, self.referral, 0), *file)
        return Touched(decision, ground, reason, compartments, (), records)


async def refuse(house: House, caller: Caller, action: Action, referral_id: UUID) -> NoReturn:
    """Refuse what is nobody's referral: one event.

    Raises:
        NotFound: always.
    """
    await Answering(house, caller, referral_id, action)._refuse(_No(NotFound, Reason.SEAL_BROKEN))


async def answer(
    house: House,
    caller: Caller,
    referral_id: UUID,
    said: ReferralState,
    reason: DeclineReason | None = None,
    *,
    to_lead: bool = False,
) -> None:
    """Write the recipient's side: ACCEPTED gives its agency the right, DECLINED ends it.

    Args:
        reason: why it is declined; kept beside the answer, for the giver.
        to_lead: what is accepted is to lead the case file.

    Raises:
        As `Answering.do`.
    """

    async def write(transaction: Connection, sides: Sides, intent: int) -> None:
        given = sides.given
        declined = said is ReferralState.DECLINED
        row: Row = {
            "referral": given["id"],
            **{
                name: given[name]
                for name in (
                    "case_file",
                    "giver",
                    "recipient",
                    "purpose",
                    "compartments",
                    "defenders",
                    "sensitivity",
                    "until",
                )
            },
            "proposal": given["event"],
            "answer": said.value,
            "answered_by": caller.member,
            "event": intent,
            "ended_at": house.now() if declined else None,
            "ended_event": intent if declined else None,
            "closed_at": None,
        }
        await referrals.insert_right(transaction, sealed_theirs(house, row))
        if to_lead:
            acceptance: Row = {
                **{name: row[name] for name in ("referral", "case_file", "giver", "recipient")},
                "proposal": given["event"],
                "accepted_by": caller.member,
                "event": intent,
                "taken_at": None,
                "taken_event": None,
            }
            await leads.insert_acceptance(
                transaction, lead_proofs.sealed(house, ACCEPTANCE, acceptance)
            )
        if reason is not None:
            why = referral_declines.sealed(house, referral_id, row["recipient"], reason, intent)
            await declines.insert_row(transaction, why)

    action = Action.ACCEPT_LEAD if to_lead else _ACTIONS[said]
    await Answering(house, caller, referral_id, action).do(write)
