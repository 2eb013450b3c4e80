"""What each member of an agency could open of some case files, by the gate and by proven rows.

A member whose seal does not hold could open nothing, so is not named. Of another agency,
to which a case file was referred, it tells what was shared and until when: who works there
is that agency's own secret.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from api.casework import rights
from api.casework.facts import compartments_of, defenders_of, facts_of
from api.casework.house import House
from api.casework.referred import given_holds, state_of, theirs_is_signed
from api.casework.trust import pinned
from api.database import Connection
from api.errors import PeerNotTrusted
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed
from api.store import referrals
from api.store.case_files import CaseFileRow
from api.store.members import MemberRow
from api.store.sealed_fields import DEFENDER_FIELDS
from api.vocabulary import (
    Caseworker,
    Compartment,
    Ground,
    MemberId,
    Organisation,
    Purpose,
    ReferralState,
    Role,
)

#: What stands in a case file or a defender: the release has no caseworker.
COMPARTMENTS: Final = tuple(sorted(set(Compartment) - {Compartment.RELEASE}))

_OF_A_DEFENDER = frozenset(sealed.compartment for sealed in DEFENDER_FIELDS.values())


@dataclass(frozen=True, slots=True)
class Opening:
    """One compartment that opens on one ground, for any of these purposes."""

    compartment: Compartment
    ground: Ground
    purposes: tuple[Purpose, ...]


@dataclass(frozen=True, slots=True)
class MemberAccess:
    """A member, by pseudonym, and all that this person could open."""

    member: UUID
    role: Role
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class AgencyAccess:
    """What another agency has by a referral that it accepted."""

    agency: str
    compartments: tuple[Compartment, ...]
    until: datetime


#: The facts about each row, and what of it is asked about.
_Facts = tuple[tuple[CaseFileFacts, frozenset[Compartment]], ...]
#: Role, clearance, training, and the facts: once for all purposes, or once for each.
_Kind = tuple[str, int, bool, tuple[_Facts, ...]]


class Openings:
    """Asks the gate about one member after the other, each kind of member once."""

    def __init__(
        self,
        house: House,
        agency: str,
        rows: Sequence[CaseFileRow],
        compartments: Collection[Compartment],
    ) -> None:
        """*rows* are proven, and hold every live assignment and delegation of *agency*."""
        self._house = house
        self._agency = agency
        self._rows = [(row, _left(row) & frozenset(compartments)) for row in rows]
        self._receivers = {one.receiver for row in rows for one in row.delegated}
        self._known: dict[_Kind, tuple[Opening, ...]] = {}

    async def of(self, member: MemberRow) -> MemberAccess | None:
        """Give what *member* could open now; None: nothing."""
        if not rights.holds(
            self._house, member.organisation, "member", member.seal_values, member.seal
        ):
            return None
        role = Role(member.role)
        # The facts are made as for a request of this member, so that they are the same.
        caller = Caseworker(
            MemberId(member.id), Organisation(member.organisation), role, None, None, ""
        )
        # What was delegated depends on the purpose: its giver might not open for this one.
        purposes = tuple(Purpose) if member.id in self._receivers else (None,)
        facts = tuple(self._facts(replace(caller, purpose=purpose)) for purpose in purposes)
        kind = (member.role, member.clearance, member.trained, facts)
        if kind not in self._known:
            self._known[kind] = self._decided(kind)
            await asyncio.sleep(0)  # A new kind may take the policy a while; others go on.
        openings = self._known[kind]
        return MemberAccess(member.id, role, openings) if openings else None

    def _facts(self, caller: Caseworker) -> _Facts:
        return tuple(
            (found, compartments)
            for row, compartments in self._rows
            if (found := facts_of(self._house, caller, row)) is not None
        )

    def _decided(self, kind: _Kind) -> tuple[Opening, ...]:
        role, clearance, trained, facts = kind
        found: dict[tuple[Compartment, Ground], list[Purpose]] = {}
        each = facts if len(facts) > 1 else facts * len(Purpose)
        for purpose, rows in zip(Purpose, each, strict=True):
            who = CaseworkerFacts(self._agency, role, clearance, trained, purpose.value)
            for of in dict.fromkeys(_opened(self._house, who, rows)):
                found.setdefault(of, []).append(purpose)
        return tuple(
            Opening(compartment, ground, tuple(purposes))
            for (compartment, ground), purposes in sorted(found.items())
        )


def _opened(
    house: House,
    who: CaseworkerFacts,
    rows: Sequence[tuple[CaseFileFacts, frozenset[Compartment]]],
) -> Iterator[tuple[Compartment, Ground]]:
    for facts, compartments in rows:
        for compartment in sorted(compartments):
            verdict = house.gate.open(who, compartment, facts)
            if isinstance(verdict, Allowed):
                yield compartment, verdict.ground


def _left(row: CaseFileRow) -> frozenset[Compartment]:
    """Give the compartments of which something is left: what was erased opens for nobody."""
    gone: set[Compartment] = set()
    if all(link.erased for link in row.links):
        gone |= _OF_A_DEFENDER
    if row.erased:
        gone |= set(COMPARTMENTS) - _OF_A_DEFENDER
    return frozenset(COMPARTMENTS) - gone


async def shared_with(
    house: House,
    snapshot: Connection,
    agency: str,
    rows: Sequence[CaseFileRow],
    compartments: Collection[Compartment],
    now: datetime,
) -> list[AgencyAccess]:
    """Name the agencies that have *compartments* of *rows*, which *agency* leads, by referral.

    A referral counts as far as *agency* sealed that it gives it and the recipient signed
    that it took it.
    """
    led = {row.id for row in rows if row.lead_agency == agency}
    if not led:
        return []
    found = []
    about = {link.defender for row in rows for link in row.links}
    for given, theirs in await referrals.given_of(snapshot, agency, led):
        if (
            theirs is None
            or theirs["closed_at"] is not None
            or state_of(given, theirs, now) is not ReferralState.ACCEPTED
            or not now < given["until"]
            or not given_holds(house, given)
            or about.isdisjoint(defenders_of(given["defenders"]))
        ):
            continue
        try:
            recipient = await pinned(house, snapshot, agency, given["recipient"])
        except PeerNotTrusted:
            continue
        shared = compartments_of(given["compartments"]) & frozenset(compartments)
        if shared and theirs_is_signed(given, theirs, recipient):
            access = AgencyAccess(given["recipient"], tuple(sorted(shared)), given["until"])
            found.append(access)
    return sorted(found, key=lambda access: (access.agency, access.until))
