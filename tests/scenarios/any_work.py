"""Random work on the case files themselves: what is recorded, agreed to, protected and closed.

Beside the rights of `any_order` the model holds who asked for what, so that nobody is a second
person to themself; what is closed, and gets nobody and nothing new; what was erased, and opens no
more; and who has a tie, and sees nothing. An emergency protection stands by two signatures.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from api.casework.leads import COMPARTMENTS
from api.casework.sharing import settle
from tests.inside import exchanged
from tests.scenarios import (
    breaking_glass,
    consenting,
    erasing,
    leading,
    living,
    looking,
    matching,
    merging,
    protecting,
    recording,
    referring,
    tying,
)
from tests.scenarios.any_order import (
    AGENCIES,
    BOSSES,
    PURPOSES,
    WHO,
    AnyOrder,
    Given,
    Model,
    boss,
    fitting,
    number,
    place,
    some,
    who,
)
from tests.scenarios.asking import as_key
from tests.scenarios.protecting import UTAMI
from tests.scenarios.referring import HARTONO, INDAH
from tests.world import World

#: UTAMI is a second lead of LPSK: an emergency protection takes two.
LEADS = [INDAH, UTAMI, HARTONO, "kartini"]
OFFICERS = ["tuti", "ketut"]

#: Every change of every face; what is not here yet needs a rule first.
_NAMES = """
acceptLead acceptReferral addNote addPlanStep advanceCaseFile answerMatch approveBreakGlass
approveClosing approveEmergencyProtection approveErasure approveLook approveMeasure
approveMerge assessRisk assignCaseworker breakGlass completePlanStep correctIncident declareTie
declineClosing declineErasure declineReferral delegateCaseFile endBreakGlass endDelegation
endMeasure endReferral grantEmergencyProtection liftLegalHold lookAtWhereabouts
meetRequirement mergeDefenders openCaseFile placeLegalHold proposeLead
ratifyEmergencyProtection recordAdversary
recordConsent recordIncident referCaseFile reopenCaseFile requestClosing requestErasure
requestLook requestMatch requestMeasure reviewBreakGlass reviewOverride startMeasure
unassignCaseworker undoMerge updateDefender withdrawConsent withdrawReferral withdrawTie
"""
CHANGES = frozenset(_NAMES.split())

T = TypeVar("T")
lead, officer = st.sampled_from(LEADS), st.sampled_from(OFFICERS)
agency = st.sampled_from(AGENCIES)
purposes = st.sampled_from(PURPOSES)
revision = st.integers(1, 3)

#: Where its case files stand in the model.
_OF_LPSK = (2, 3)

PLAN = {"what": "Jemput keluarga."}


def has(what: str) -> Callable[[T], T]:
    """Let a rule be chosen where there is something that it goes on with."""
    return precondition(lambda self: bool(getattr(self.model, what)))


@dataclasses.dataclass
class Made:
    """What somebody made of one case file.

    Attributes:
        by: whose second person somebody else must be.
        at: the moment until which it waits.
        signed: who else had a part in it.
        people: whom it is about, by id.
    """

    by: str
    file: Any
    at: datetime | None = None
    signed: set[str] = dataclasses.field(default_factory=set)
    revision: int = 1
    people: tuple[UUID, ...] = ()


class MoreModel(Model):
    """What was made, closed, erased and declared, as the answers told it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tied: dict[str, tuple[str, UUID]] = {}
        self.holds: dict[str, UUID] = {}
        self.looks: dict[str, Made] = {}
        self.measures: dict[str, Made] = {}
        self.emergencies: dict[str, Made] = {}
        self.steps: dict[str, Made] = {}
        self.incidents: dict[str, Made] = {}
        self.closings: dict[str, Made] = {}
        self.matches: dict[str, Made] = {}
        self.overrides: dict[str, Made] = {}
        self.leads: dict[str, Given] = {}
        self.leading: set[str] = set()
        self.merges: dict[str, Made] = {}
        self.agreed: dict[str, tuple[UUID, str | None, datetime]] = {
            str(c.id): (c.defender, None, c.until)
            for c in world.records.consents
            if c.case_file in {file.id for file in self.files}
        }

    def pending(self) -> list[Given]:
        """Give what another agency agreed to lead and does not lead yet."""
        return [one for key, one in self.leads.items() if key in self.leading and not one.over]

    def shared(self) -> set[tuple[str, UUID, str]]:
        """Name the same; who is about to lead has the keys before it does."""
        return super().shared() | {
            (one.to, record, compartment.value)
            for one in self.pending()
            for file in self.files
            if file.id == one.file
            for record in (file.id, *file.defenders)
            for compartment in COMPARTMENTS
        }

    def went_over(self, file: Any, one: Given) -> None:
        """Take up that another agency leads: the one before has no part in it any more."""
        before, file.lead_agency, one.over = file.lead_agency, one.to, True
        for right in (*self.assigned, *self.delegated.values(), *self.glass.values()):
            right.over |= right.file == file.id and self.agency(right.to) == before

    def needs(self, name: str, file: UUID, compartment: str, purpose: str) -> bool:
        """Tell the same; a tie keeps out whoever else let them in."""
        tied = (name, file) in self.tied.values()
        return not tied and super().needs(name, file, compartment, purpose)


class AllWork(AnyOrder):
    """Random work of every kind."""

    model: MoreModel
    model_of = MoreModel

    def __init__(self) -> None:
        super().__init__()
        self.run(erasing.add_lead(self.world, INDAH, UTAMI))

    def of_file(self, at: int, drawn: str, among: list[str], fit: bool) -> tuple[Any, str]:
        """Give a case file, and mostly somebody who works on it, if any of them may be meant."""
        file = self.file(at)
        workers = self.model.assignees(file.id) if among is WHO else set()
        theirs = sorted(n for n in workers & set(WHO) if self.model.agency(n) == file.lead_agency)
        if fit and theirs:
            return file, theirs[WHO.index(drawn) % len(theirs)]
        return file, self.of(file.lead_agency, drawn, among, fit)

    def other(self, agency: str, drawn: str, among: list[str], than: set[str], fit: bool) -> str:
        """Give somebody of *agency* who had no part in it yet, or who was *drawn*."""
        theirs = [n for n in among if self.model.agency(n) == agency and n not in than]
        return theirs[among.index(drawn) % len(theirs)] if fit and theirs else drawn

    def known(self, of: dict[str, Made], at: int) -> tuple[str, Made]:
        """Give one of *of*; where there is none, what is not there, at the first case file."""
        chosen = self.pick(of, at)
        return chosen, of.get(chosen, Made("", self.file(0)))

    def sees(self, by: str, file: Any, compartment: str, purpose: str) -> None:
        assert self.model.reaches(by, file, compartment), (by, file.reference)
        assert self.model.needs(by, file.id, compartment, purpose), (by, file.reference)

    # -- the life of a case file ----------------------------------------------------

    @rule(by=who)
    def take_in(self, by: str) -> None:
        given = {
            "urgency": "SOON",
            "sensitivity": 2,
            "province": "33",
            "defenders": [{"fullName": "Uji Coba"}],
        }
        self.change(self.world.ask(by, matching.OPEN, {"input": given}, purpose="intake"))

    @rule(by=who, at=place, to=st.sampled_from(["ACTIVE", "MONITORING"]), fit=fitting)
    def advance(self, by: str, at: int, to: str, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        if self.change(living.advance(self.world, file.id, to, by=by, text="Lanjut.")):
            self.still_open(by, file)

    @rule(by=who, at=place, fit=fitting)
    def ask_to_close(self, by: str, at: int, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        made = self.change(living.request(self.world, file.id, by=by))
        if made:
            self.still_open(by, file)
            self.model.closings[made["closingId"]] = Made(by, file)

    @has("closings")
    @rule(by=boss, at=number, what=st.sampled_from([living.approve, living.decline]), fit=fitting)
    def answer_closing(self, by: str, at: int, what: Any, fit: bool) -> None:
        chosen, one = self.known(self.model.closings, at)
        by = self.other(one.file.lead_agency, by, BOSSES, {one.by}, fit)
        if self.change(what(self.world, one.file.id, chosen, by=by)) and what is living.approve:
            assert by != one.by
            self.model.closed.add(one.file.id)

    @has("closed")
    @rule(by=boss, at=place, fit=fitting)
    def reopen(self, by: str, at: int, fit: bool) -> None:
        file, by = self.of_file(at, by, BOSSES, fit)
        if self.change(living.reopen(self.world, file.id, by=by)):
            assert file.id in self.model.closed
            self.model.closed.discard(file.id)

    # -- what is recorded -------------------------------------------------------------

    @rule(by=who, at=place, purpose=purposes, fit=fitting)
    def record_incident(self, by: str, at: int, purpose: str, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        made = self.change(recording.record(self.world, file.id, by=by, purpose=purpose))
        if made:
            self.still_open(by, file)
            self.sees(by, file, "NARRATIVE", purpose)
            self.model.incidents[made["incidentId"]] = Made(by, file)

    @has("incidents")
    @rule(by=who, at=number, version=revision, fit=fitting)
    def correct_incident(self, by: str, at: int, version: int, fit: bool) -> None:
        chosen, one = self.known(self.model.incidents, at)
        by = self.of(one.file.lead_agency, by, WHO, fit)
        asked = recording.correct(
            self.world, one.file.id, chosen, version, by=by, account="Dikoreksi."
        )
        if self.change(asked):
            assert version == one.revision
            one.revision += 1
            self.sees(by, one.file, "NARRATIVE", "protection")

    @rule(by=who, at=place, fit=fitting)
    def record_adversary(self, by: str, at: int, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        if self.change(recording.accuse(self.world, file.id, by=by)):
            self.still_open(by, file)

    @rule(by=who, at=place, seen=st.sampled_from([None, None, 1, 2]), fit=fitting)
    def assess(self, by: str, at: int, seen: int | None, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        stands = self.run(living.revision(self.world, file.id))
        if self.change(recording.assess(self.world, file.id, by=by, at=seen)):
            assert seen in (None, stands)
            self.still_open(by, file)
            self.sees(by, file, "NARRATIVE", "protection")

    # -- consents -------------------------------------------------------------------

    @rule(by=who, at=place, to=agency, of=some, fit=fitting)
    def agree(self, by: str, at: int, to: str, of: list[str], fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        until = self.until(60)
        made = self.change(
            consenting.record(
                self.world, by=by, file=file.id, defender=file.defenders[0], to=to,
                compartments=of, until=until,
            )
        )  # fmt: skip
        if made:
            assert self.model.agency(by) == file.lead_agency != to
            self.model.agreed[made["consentId"]] = (file.defenders[0], to, until)

    @rule(by=who, at=number, fit=fitting)
    def withdraw_consent(self, by: str, at: int, fit: bool) -> None:
        chosen = self.pick(self.model.agreed, at)
        of = self.model.agreed.get(chosen, (None,))[0]
        lead = next((f.lead_agency for f in self.model.files if of in f.defenders), AGENCIES[0])
        by = self.of(lead, by, WHO, fit)
        if self.change(consenting.withdraw(self.world, chosen, by=by)):
            del self.model.agreed[chosen]

    def agreed_to(self, file: Any, to: str) -> bool:
        """Tell whether every defender has a consent to that agency that stands."""
        return all(
            any(
                of == person and whom in (None, to) and self.world.clock() < until
                for of, whom, until in self.model.agreed.values()
            )
            for person in file.defenders
        )

    def gave(self, made: dict[str, Any], by: str, one: Given, file: Any) -> None:
        """Take up that a case file was referred: its defenders agreed, or it was overridden."""
        super().gave(made, by, one, file)
        if made["referralId"] not in self.model.overrides:
            assert self.agreed_to(file, one.to), (file.reference, one.to)

    @rule(by=boss, to=agency, at=place, of=some, fit=fitting)
    def refer_without(self, by: str, to: str, at: int, of: list[str], fit: bool) -> None:
        file, by = self.of_file(at, by, BOSSES, fit)
        until = self.until(20)
        made = self.change(
            referring.refer(
                self.world, by=by, file=file.id, to=to, compartments=of, until=until,
                **consenting.VITAL,
            )
        )  # fmt: skip
        if made:
            self.model.overrides[made["referralId"]] = Made(by, file)
            self.gave(made, by, Given(to, file.id, frozenset(of), until), file)

    @rule(by=boss, at=place, to=agency, fit=fitting)
    def propose_lead(self, by: str, at: int, to: str, fit: bool) -> None:
        file, by = self.of_file(at, by, BOSSES, fit)
        made = self.change(leading.propose(self.world, by=by, file=file.id, to=to))
        if made:
            assert self.model.agency(by) == file.lead_agency != to
            self.still_open(by, file)
            self.model.leads[made["referralId"]] = Given(to, file.id, None, self.until(30))
            self.model.overrides[made["referralId"]] = Made(by, file)

    @has("leads")
    @rule(by=boss, at=number, fit=fitting)
    def accept_lead(self, by: str, at: int, fit: bool) -> None:
        chosen = self.pick(self.model.leads, at)
        one = self.model.leads[chosen]
        by = self.of(one.to, by, BOSSES, fit)
        if self.change(leading.accept(self.world, chosen, by=by)):
            assert self.model.agency(by) == one.to
            assert self.model.live(one)
            self.model.leading.add(chosen)

    @invariant()
    def a_lead_changes_as_it_was_agreed(self) -> None:
        self.run(self.follow())

    async def follow(self) -> None:
        for one in self.model.pending():
            [file] = [file for file in self.model.files if file.id == one.file]
            if await leading.lead_of(self.world, file.id) != file.lead_agency:
                assert await leading.lead_of(self.world, file.id) == one.to
                assert file.id not in self.model.closed
                assert file.id not in self.model.holds.values()
                self.model.went_over(file, one)

    async def ends_well(self) -> None:
        async with exchanged(self.world) as inside:
            for _ in range(3):  # The keys, the signature, the taking over.
                await settle(inside.house)
        await self.follow()
        await super().ends_well()

    @has("overrides")
    @rule(by=boss, at=number)
    def review_override(self, by: str, at: int) -> None:
        chosen, one = self.known(self.model.overrides, at)
        given = {"id": chosen}
        if self.change(self.world.ask(by, consenting.REVIEW, given, purpose="supervision")):
            assert by != one.by

    @rule(by=boss, at=number)
    def take_back(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.referred, at)
        given = {"id": chosen}
        if self.change(self.world.ask(by, consenting.TAKE_BACK, given, purpose="referral")):
            one = self.model.referred[chosen]
            assert self.model.agency(by) != one.to
            one.over = True

    # -- protection -----------------------------------------------------------------

    @rule(by=who, at=place, fit=fitting)
    def request_measure(self, by: str, at: int, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        made = self.change(protecting.request(self.world, by=by, file=file.id))
        if made:
            self.still_open(by, file)
            self.model.measures[made["measureId"]] = Made(by, file)

    @has("measures")
    @rule(
        by=boss,
        at=number,
        what=st.sampled_from(["approve", "approve", "start", "end"]),
        of=st.sampled_from([0, 0, 0, 1]),
        fit=fitting,
    )
    def step_of_measure(self, by: str, at: int, what: str, of: int, fit: bool) -> None:
        chosen, one = self.known(self.model.measures, at)
        by = self.other(self.model.agency(one.by), by, BOSSES, {one.by}, fit)
        asked = protecting.step(self.world, what, chosen, one.revision + of, by=by)
        if self.change(asked):
            assert of == 0, "a revision that never was"
            assert self.model.agency(by) == self.model.agency(one.by)
            assert what != "approve" or by != one.by
            one.revision += 1

    @rule(by=lead, at=place, fit=fitting)
    def propose(self, by: str, at: int, fit: bool) -> None:
        file = self.file(_OF_LPSK[at % 2] if fit else at)
        by = self.of("lpsk", by, LEADS, fit)
        made = self.change(protecting.grant(self.world, by=by, file=file.id))
        if made:
            assert self.model.agency(by) == "lpsk"
            assert made["state"] == "PROPOSED"
            self.still_open(by, file)
            self.model.emergencies[made["emergencyProtectionId"]] = Made(by, file, signed={by})

    @has("emergencies")
    @rule(by=lead, at=number, fit=fitting)
    def sign(self, by: str, at: int, fit: bool) -> None:
        chosen, one = self.known(self.model.emergencies, at)
        by = self.other("lpsk", by, LEADS, one.signed, fit)
        made = self.change(protecting.approve(self.world, chosen, by=by))
        if made:
            assert by not in one.signed
            one.signed.add(by)
            # Who signed before may no longer do it: each is decided on again.
            granted = made["signaturesMissing"] == 0
            assert made["state"] == ("RUNNING" if granted else "PROPOSED")
            if granted:
                assert len(one.signed) >= 2
                one.at = datetime.fromisoformat(made["ratifyBy"])

    @has("emergencies")
    @rule(by=lead, at=number, votes=st.sampled_from([(6, 1), (2, 5)]), fit=fitting)
    def ratify(self, by: str, at: int, votes: tuple[int, int], fit: bool) -> None:
        chosen, one = self.known(self.model.emergencies, at)
        by = self.of("lpsk", by, LEADS, fit)
        if self.change(protecting.ratify(self.world, chosen, by=by, votes=votes)):
            assert one.at is not None, "nobody granted it"
            assert self.world.clock() < one.at, "it has lapsed by itself"

    @has("emergencies")
    @rule(by=who, at=number, fit=fitting)
    def meet(self, by: str, at: int, fit: bool) -> None:
        _, one = self.known(self.model.emergencies, at)
        by = self.of(one.file.lead_agency, by, WHO, fit)
        found = self.run(
            self.world.run(
                "select id from requirement where case_file = ? and met_at is null",
                [as_key(self.world, one.file.id)],
            )
        )
        chosen = str(UUID(str(found[at % len(found)][0]))) if found else str(UUID(int=at))
        given = {"input": {"requirementId": chosen}}
        self.change(self.world.ask(by, protecting.MEET, given))

    @rule(by=who, at=place, owner=agency, in_days=st.integers(0, 9), fit=fitting)
    def plan(self, by: str, at: int, owner: str, in_days: int, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        due = self.until(in_days).date().isoformat()
        given = {"caseFileId": str(file.id), **PLAN, "owner": owner, "dueOn": due}
        made = self.change(self.world.ask(by, protecting.ADD, {"input": given}))
        if made:
            self.still_open(by, file)
            self.model.steps[made["planStepId"]] = Made(owner, file)

    @has("steps")
    @rule(by=who, at=number, fit=fitting)
    def complete(self, by: str, at: int, fit: bool) -> None:
        chosen, one = self.known(self.model.steps, at)
        by = self.of(one.by, by, WHO, fit) if one.by else by
        given = {"input": {"planStepId": chosen}}
        if self.change(self.world.ask(by, protecting.COMPLETE, given)):
            assert self.model.agency(by) == one.by
            assert not one.signed, "it was done before"
            one.signed.add(by)

    # -- two persons look -------------------------------------------------------------

    @rule(by=who, at=place, fit=fitting)
    def ask_to_look(self, by: str, at: int, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        purpose = "supervision" if by in BOSSES else "protection"
        made = self.change(looking.request(self.world, by=by, file=file.id, purpose=purpose))
        if made:
            self.sees(by, file, "WHEREABOUTS", purpose)
            at_once = self.world.clock() + timedelta(minutes=10)
            self.model.looks[made["lookId"]] = Made(by, file, at_once)

    @has("looks")
    @rule(by=who, at=number, fit=fitting)
    def agree_to_look(self, by: str, at: int, fit: bool) -> None:
        chosen, one = self.known(self.model.looks, at)
        may = sorted(self.model.assignees(one.file.id) & set(WHO) - {one.by})
        by = may[at % len(may)] if fit and may else by
        purpose = "supervision" if by in BOSSES else "protection"
        if self.change(looking.approve(self.world, chosen, by=by, purpose=purpose)):
            assert by != one.by
            assert one.at is not None
            assert self.world.clock() < one.at
            assert not one.signed
            one.signed.add(by)
            one.at = self.world.clock() + timedelta(minutes=5)

    @has("looks")
    @rule(by=who, at=number, fit=fitting)
    def look(self, by: str, at: int, fit: bool) -> None:
        chosen, one = self.known(self.model.looks, at)
        by = one.by if fit and one.by else by
        purpose = "supervision" if by in BOSSES else "protection"
        made = self.change(looking.look(self.world, chosen, by=by, purpose=purpose))
        if made:
            assert by == one.by
            assert len(one.signed) == 1
            assert one.at is not None
            assert self.world.clock() < one.at
            self.sees(by, one.file, "WHEREABOUTS", purpose)
            self.counted[2] += len(made["defenders"])
            one.at = self.world.clock()  # Once.

    # -- duplicates -------------------------------------------------------------------

    @rule(by=boss, at=place, other=place, fit=fitting)
    def merge(self, by: str, at: int, other: int, fit: bool) -> None:
        file, by = self.of_file(at, by, BOSSES, fit)
        second = self.file(at ^ 1 if fit and at < len(self.model.files) - 1 else other)
        kept, duplicate = file.defenders[0], second.defenders[-1]
        asked = merging.merge(
            self.world, kept, duplicate, by=by, revisions=self.now_at(kept, duplicate)
        )
        made = self.change(asked)
        if made:
            assert kept != duplicate
            assert self.model.agency(by) == file.lead_agency == second.lead_agency
            self.sees(by, file, "IDENTITY", "supervision")
            self.sees(by, second, "IDENTITY", "supervision")
            self.model.merges[made["mergeId"]] = Made(by, file, people=(kept, duplicate))

    def now_at(self, *people: UUID) -> tuple[int, int]:
        """Give the revisions of two records."""
        one, other = (
            self.run(
                self.world.run(
                    "select revision from defender where id = ?", [as_key(self.world, person)]
                )
            )[0][0]
            for person in people
        )
        return one, other

    @has("merges")
    @rule(by=boss, at=number, fit=fitting)
    def approve_merge(self, by: str, at: int, fit: bool) -> None:
        chosen = self.pick(self.model.merges, at)
        one = self.model.merges[chosen]
        by = self.other(self.model.agency(one.by), by, BOSSES, {one.by}, fit)
        revisions = self.now_at(*one.people)
        if self.change(merging.approve(self.world, chosen, by=by, revisions=revisions)):
            assert by != one.by
            assert self.model.agency(by) == self.model.agency(one.by)
            one.at = self.until(30)

    @has("merges")
    @rule(by=boss, at=number, fit=fitting)
    def undo_merge(self, by: str, at: int, fit: bool) -> None:
        chosen = self.pick(self.model.merges, at)
        one = self.model.merges[chosen]
        by = self.of(self.model.agency(one.by), by, BOSSES, fit)
        if self.change(merging.undo(self.world, chosen, by=by)):
            assert self.model.agency(by) == self.model.agency(one.by)
            assert one.at is None or self.world.clock() < one.at
            del self.model.merges[chosen]

    # -- ties, matches, holds, erasure ------------------------------------------------

    @rule(by=who, at=place)
    def declare(self, by: str, at: int) -> None:
        file = self.file(at)
        made = self.change(tying.declare(self.world, by, caseFileId=str(file.id)))
        if made:
            self.model.tied[made["tieId"]] = (by, file.id)

    @has("tied")
    @rule(by=boss, at=number)
    def withdraw_tie(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.tied, at)
        if self.change(tying.withdraw(self.world, chosen, by=by)):
            assert self.model.tied[chosen][0] != by
            assert self.model.agency(self.model.tied[chosen][0]) == self.model.agency(by)
            del self.model.tied[chosen]

    @rule(by=who, at=place, to=agency, fit=fitting)
    def ask_another(self, by: str, at: int, to: str, fit: bool) -> None:
        file, by = self.of_file(at, by, WHO, fit)
        asked = matching.request(self.world, by=by, person=file.defenders[0], to=to)
        made = self.change(asked)
        if made:
            assert made["state"] == "SENT"
            assert self.model.agency(by) != to
            self.sees(by, file, "IDENTITY", "protection")
            self.model.matches[made["requestId"]] = Made(to, file)

    @has("matches")
    @rule(by=boss, at=number, said=st.sampled_from(["CONFIRM", "DISMISS"]), fit=fitting)
    def answer_another(self, by: str, at: int, said: str, fit: bool) -> None:
        self.run(matching.settled(self.world))
        self.seen = self.run(self.world.size())
        chosen, one = self.known(self.model.matches, at)
        by = self.of(one.by, by, BOSSES, fit) if one.by else by
        if self.change(matching.answer(self.world, chosen, said, by=by)):
            assert self.model.agency(by) == one.by

    @rule(by=lead, at=place, fit=fitting)
    def hold(self, by: str, at: int, fit: bool) -> None:
        file, by = self.of_file(at, by, LEADS, fit)
        made = self.change(erasing.place(self.world, erasing.CASE_FILE, file.id, by=by))
        if made:
            assert self.model.agency(by) == file.lead_agency
            self.model.holds[made["holdId"]] = file.id

    @has("holds")
    @rule(by=lead, at=number)
    def lift(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.holds, at)
        file = self.model.holds.get(chosen, UUID(int=0))
        if self.change(erasing.lift(self.world, erasing.CASE_FILE, file, chosen, by=by)):
            del self.model.holds[chosen]

    @rule(by=lead, at=place, second=lead, fit=fitting)
    def erase_a_person(self, by: str, at: int, second: str, fit: bool) -> None:
        """One asks and another approves: so seldom both at random that nothing would be erased."""
        file, by = self.of_file(_OF_LPSK[at % 2] if fit else at, by, LEADS, fit)
        second = self.other(file.lead_agency, second, LEADS, {by}, fit)
        person = file.defenders[-1]
        asked = erasing.request(self.world, erasing.DEFENDER, person, by=by)
        made = self.change(asked)
        chosen = made["erasureId"] if made else str(UUID(int=at))
        approving = erasing.end(
            self.world, erasing.APPROVE, erasing.DEFENDER, person, chosen, by=second
        )
        if self.change(approving):
            assert by != second
            assert self.model.agency(by) == self.model.agency(second) == file.lead_agency
            assert person not in self.model.erased
            assert file.id not in self.model.holds.values()
            self.model.erased.add(person)

    @has("glass")
    @rule(by=officer, at=number)
    def review_glass(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.glass, at)
        if self.change(breaking_glass.review(self.world, chosen, by=by)):
            used = self.model.glass[chosen]
            assert self.model.agency(by) != self.model.agency(used.to)
