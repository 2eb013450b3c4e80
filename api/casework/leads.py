"""Propose that another agency leads a case file in the place of the own one, and accept that.

It is a referral of everything: it rests on what a referral rests on, and is withdrawn, declined
and over as one. What the two processes then do is in `handing` and `leading`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.casework import referrals
from api.casework.changing import Changing, No, allowed, decide, refused
from api.casework.house import House
from api.casework.lead_inventory import obstacles, taken_stock
from api.casework.referral_parts import fields_of
from api.casework.referrals import NewReferral, Override
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import leads, releases
from api.vocabulary import (
    Action,
    Caller,
    CaseFileId,
    Compartment,
    LeadObstacle,
    Purpose,
    RecordKind,
    ReferralId,
)

#: All that a case file and its defenders have: who leads it has every one.
COMPARTMENTS = tuple(sorted(set(Compartment) - {Compartment.RELEASE}))


@dataclass(frozen=True, slots=True)
class Counted:
    """So many rows of a table."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go over, counted and never opened, and what is in the way.

    Attributes:
        revision: of the case file, for `propose`.
        fields: the names of all fields of the case file and its defenders.
        parts: the rows that go over, by table; what is written in them goes with them.
        releases: views of partners, which end.
        obstacles: what the agency has to end before.
    """

    revision: int
    compartments: list[Compartment]
    fields: list[str]
    parts: list[Counted]
    releases: int
    obstacles: list[LeadObstacle]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed; the attributes are those of a referral."""

    case_file: CaseFileId
    revision: int
    recipient: str
    purpose: Purpose
    until: datetime
    override: Override | None = None


async def preview(house: House, caller: Caller, case_file_id: CaseFileId) -> Preview:
    """Say what a change of the lead would hand over now. Nothing is changed or opened.

    Raises:
        NotFound, NotAllowed, RecordErased: one event.
    """
    changing = Changing(Action.PREVIEW_LEAD, (RecordKind.CASE_FILE, case_file_id))

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> list[Verdict]:
        return [house.gate.change(who, Action.PREVIEW_LEAD, facts)]

    async with house.records.snapshot() as snapshot:
        decided = await decide(house, snapshot, caller, changing, ask)
        if not isinstance(decided, No):
            agency = decided.row.lead_agency
            inventory = await taken_stock(snapshot, case_file_id, agency)
            people = await leads.people_of(snapshot, case_file_id)
            shown = await releases.going_to(snapshot, agency, case_file_id, None)
            parts = [Counted("defender", len(people))]
            parts += [Counted(name, len(rows)) for name, rows in inventory.handed.items()]
            found = Preview(
                decided.row.revision,
                list(COMPARTMENTS),
                fields_of(COMPARTMENTS),
                sorted(parts, key=lambda part: part.name),
                len(shown),
                obstacles(house, inventory, agency, None, decided.now),
            )
    if isinstance(decided, No):
        await house.ledger.append(refused(house, caller, changing, decided))
        raise decided.error
    await house.ledger.append(allowed(house, caller, changing, decided))
    return found


async def propose(house: House, caller: Caller, proposal: Proposal) -> UUID:
    """Propose another lead; give the id of the referral. Nothing leaves before it is accepted.

    Raises:
        LeadNotPossible: see `Preview.obstacles`.
        StaleRevision: *proposal* names another revision than the newest.
        Whatever else `referrals.refer` raises.
    """
    return await referrals.refer(
        house,
        caller,
        NewReferral(
            proposal.case_file,
            proposal.recipient,
            proposal.purpose,
            COMPARTMENTS,
            proposal.until,
            proposal.override,
            proposal.revision,
        ),
    )


async def accept(house: House, caller: Caller, referral_id: ReferralId) -> None:
    """Accept to lead: the keys are asked for, and with the last of them the case file comes over.

    Raises:
        As `referrals.accept`; ReferralNotOpen also where nobody proposed that.
    """
    await referrals.accept(house, caller, referral_id, to_lead=True)
