"""Who could open what of a defender, now? For supervisors, officers, and by command.

Nothing is opened, and members are pseudonyms, as in the access log. Who asks leaves an
event with the defender's id before the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from api.accesslog.event import Touched
from api.casework import elsewhere, rights
from api.casework.case_files import Cursors, check_page_size
from api.casework.changing import Changing, No, Situation, allowed, refused
from api.casework.could_open import (
    COMPARTMENTS,
    AgencyAccess,
    MemberAccess,
    Openings,
    shared_with,
)
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.looking import Look, check_officer, looked
from api.casework.recording import event_of_service
from api.database import Connection
from api.errors import NotAllowed, NotFound
from api.policies.facts import CaseFileFacts, EventFacts, SecurityOfficerFacts
from api.policies.gate import Allowed, Verdict
from api.store import case_files, members
from api.store.case_file_statements import LED_HERE, SCOPE, Shape, Which
from api.store.case_files import CaseFileRow, LedBy
from api.store.members import MemberRow
from api.vocabulary import (
    CASEWORK_ROLES,
    Action,
    Caller,
    Compartment,
    Decision,
    Ground,
    MemberId,
    Organisation,
    Reason,
    RecordKind,
    Role,
    SecurityOfficer,
)

#: Members that are read for one page, whether or not they could open anything.
MEMBERS_MOST: Final = 500

_SHAPE: Final = Shape(Which.OF_DEFENDER, frozenset(), frozenset(), oversees=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question.

    Attributes:
        compartment: only this one; None: all.
        after: the cursor where the last page ended.
    """

    defender: UUID
    compartment: Compartment | None
    first: int
    after: str | None

    @property
    def compartments(self) -> tuple[Compartment, ...]:
        """All that is asked about."""
        return COMPARTMENTS if self.compartment is None else (self.compartment,)

    @property
    def target(self) -> tuple[RecordKind, UUID]:
        """The record, as events name it."""
        return RecordKind.DEFENDER, self.defender


@dataclass(frozen=True, slots=True)
class Review:
    """One page of the members who could open something, by their ids.

    Attributes:
        end: cursor of the next page; None: there is none.
        agencies: to which it was referred; on every page.
    """

    members: list[MemberAccess]
    end: str | None
    agencies: list[AgencyAccess]


async def for_supervisor(house: House, caller: Caller, asked: Asked) -> Review:
    """Review the members of the caller's agency, which leads the case or took it over.

    Raises:
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotFound, NotAllowed: one event.
        PageSizeInvalid, MalformedCursor: nothing was asked.
    """
    page = _Page(house, caller, asked)
    changing = Changing(Action.REVIEW_ACCESS, asked.target)
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        scope = house.gate.scope(who, "see", SCOPE)
        rows = await case_files.read(snapshot, scope, _SHAPE, page.parameters)
        led_by = LedBy(tuple(sorted({row.lead_agency for row in rows})), False)
        if not rows:
            led_by = await elsewhere.led_by(house, snapshot, caller, who, asked.target, page.now)

        def ask(facts: CaseFileFacts) -> tuple[Verdict, Verdict]:
            seen = house.gate.see(who, facts)
            return seen, house.gate.change(who, Action.REVIEW_ACCESS, facts)

        kept, no = _kept(house, caller, rows, ask, led_by)
        if kept:
            await page.read(snapshot, [row for row, _, _ in kept])
    if not kept:
        await house.ledger.append(refused(house, caller, changing, no))
        raise no.error
    review = await page.review()
    row, facts, ground = kept[0]
    situation = Situation(row, facts, ground, page.now, row.links[0].revision, {})
    event = allowed(house, caller, changing, situation)
    leads = {each.lead_agency for each, _, _ in kept}
    await house.ledger.append(replace(event, agencies=tuple(sorted({*event.agencies, *leads}))))
    return review


def _kept(
    house: House,
    caller: Caller,
    rows: list[CaseFileRow],
    ask: Callable[[CaseFileFacts], tuple[Verdict, Verdict]],
    led_by: LedBy,
) -> tuple[list[tuple[CaseFileRow, CaseFileFacts, Ground]], No]:
    """Give the proven rows that may be reviewed, or why there is none."""
    kept = []
    gone = Reason.CONFLICT_OF_INTEREST if led_by.tied else Reason.NOT_IN_REACH
    no = No(NotFound, gone, led_by.agencies)
    for row in rows:
        facts = _proven(house, caller, row)
        if facts is None:
            continue
        seen, verdict = ask(facts)
        if isinstance(seen, Allowed) and isinstance(verdict, Allowed):
            kept.append((row, facts, verdict.ground))
        elif isinstance(seen, Allowed) and not isinstance(verdict, Allowed):
            no = No(NotAllowed, verdict.reason, led_by.agencies)
    return kept, no


def _proven(house: House, caller: Caller, row: CaseFileRow) -> CaseFileFacts | None:
    if not all(counts(n) for n in (row.revision, *(link.revision for link in row.links))):
        return None
    if not all(link_holds(house, caller, row, link) for link in row.links):
        return None
    return facts_of(house, caller, row)


async def for_officer(house: House, caller: SecurityOfficer, asked: Asked) -> Review:
    """Review the members of the officer's agency, about a defender in a case that it leads.

    Raises:
        NotFound: no such defender; one event.
        PageSizeInvalid, MalformedCursor: nothing was asked.
    """
    page = _Page(house, caller, asked)
    await check_officer(house, caller)
    look = Look("whoCanSee", page.filters, (asked.defender,), Action.REVIEW_ACCESS)
    # What an officer may know of a record is what the events about it tell.
    facts = EventFacts(own_actor=False, own_record=True)
    may = house.gate.see(SecurityOfficerFacts(caller.organisation), facts)
    if not (isinstance(may, Allowed) and await page.read_led_here(caller)):
        await looked(house, caller, look, refused=NotFound)
        raise NotFound
    review = await page.review()
    await looked(house, caller, look, len(review.members))
    return review


async def for_operator(house: House, agency: str, defender: UUID) -> list[Review] | None:
    """Review all members of *agency*, whose keys are here, page by page; None: not its case.

    The event has the operator's role and the defender's id.
    """
    # Nobody: an operator has no pseudonym, and takes no cursor out of this process.
    caller = SecurityOfficer(
        MemberId(UUID(int=0)), Organisation(agency), Role.OPERATOR, None, None, "operation"
    )
    reviews: list[Review] = []
    after: str | None = None
    while True:
        page = _Page(house, caller, Asked(defender, None, 100, after))
        if not await page.read_led_here(caller):
            break
        reviews.append(await page.review())
        if (after := reviews[-1].end) is None:
            break
    decision = Decision.ALLOWED if reviews else Decision.REFUSED
    touched = Touched(
        decision,
        None,
        None if reviews else Reason.NOT_IN_REACH,
        (),
        (),
        ((RecordKind.DEFENDER, defender, 0),),
    )
    event = event_of_service(
        Action.REVIEW_ACCESS,
        house.now(),
        request="operation",
        policy=house.gate.policy_hash,
        agencies=(agency,),
        role=Role.OPERATOR,
    )
    code = None if reviews else NotFound.code
    await house.ledger.append(replace(event, decision=decision, code=code, touched=(touched,)))
    return reviews or None


class _Page:
    """What is read for one page in the snapshot, and decided after it."""

    def __init__(self, house: House, caller: Caller, asked: Asked) -> None:
        check_page_size(asked.first)
        self._house = house
        self._agency = caller.organisation
        self._me = caller.member
        self._asked = asked
        word = "" if asked.compartment is None else asked.compartment.value
        self._cursors = Cursors(house, caller, "whoCanSee", asked.defender.hex, word)
        self._after = None if asked.after is None else self._cursors.open(asked.after)[1]
        self._rows: list[CaseFileRow] = []
        self._members: list[MemberRow] = []
        self._agencies: list[AgencyAccess] = []
        self.now: datetime = house.now()

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of what narrows it."""
        return () if self._asked.compartment is None else ("compartment",)

    @property
    def parameters(self) -> dict[str, object]:
        """What the statement about the case files needs."""
        return {
            "id": self._asked.defender,
            "me": self._me,
            "agency": self._agency,
            "now": self.now,
        }

    async def read_led_here(self, caller: Caller) -> bool:
        """Read what the caller's agency leads of the defender; tell whether it is anything."""
        async with self._house.records.snapshot() as snapshot:
            read = await case_files.read(snapshot, LED_HERE, _SHAPE, self.parameters)
            rows = [row for row in read if _proven(self._house, caller, row) is not None]
            if rows:
                await self.read(snapshot, rows)
        return bool(rows)

    async def read(self, snapshot: Connection, rows: list[CaseFileRow]) -> None:
        """Read the members, and what of *rows* was referred."""
        asked = self._asked
        await case_files.read_of_all(snapshot, rows, self._agency, self.now)
        self._rows = rows
        roles = {role.value for role in CASEWORK_ROLES}
        self._members = await members.live_of(
            snapshot, self._agency, roles, self._after, MEMBERS_MOST + 1
        )
        self._agencies = await shared_with(
            self._house, snapshot, self._agency, rows, asked.compartments, self.now
        )

    async def review(self) -> Review:
        """Ask about one member after the other until the page is full."""
        openings = Openings(self._house, self._agency, self._rows, self._asked.compartments)
        shown: list[MemberAccess] = []
        last: UUID | None = None
        for member in self._members[:MEMBERS_MOST]:
            if len(shown) == self._asked.first:
                break
            last = member.id
            access = await openings.of(member)
            if access is not None:
                shown.append(access)
        more = last is not None and last != self._members[-1].id
        end = self._cursors.seal("", last) if more and last is not None else None
        return Review(shown, end, self._agencies)
