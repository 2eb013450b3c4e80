"""Random work of members of all roles and agencies, and a model of what was given to whom.

The model knows nothing of the policy: it holds who was assigned, whom somebody delegated to, what
was referred and accepted, who broke glass. After each change the log has one intent with its
outcome, or one refusal; between them somebody reads, and what opens must have been given.
`any_work` adds what else there is to do.
"""

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from api.accesslog.event import Event
from api.accesslog.verify import verify
from api.casework.sharing import settle
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Action, Decision, Outcome, Role
from api.vocabulary import Phase as Stage
from tests.conftest import NOON
from tests.inside import exchanged
from tests.scenarios import breaking_glass, delegating, erasing, referring, tying
from tests.scenarios.asking import led_by
from tests.scenarios.delegating import MARIA
from tests.scenarios.referring import ENDANG, HARTONO, HASAN, INDAH, SURYA
from tests.world import Answer, Clock, Template, World, opened

WHO = [SARI, MARIA, "dewi", BUDI, HARTONO, WAYAN, SURYA, "andi", HASAN, INDAH, ENDANG, "kartini"]
BOSSES = [BUDI, HARTONO, HASAN, INDAH, ENDANG, "kartini"]
COMPARTMENTS = ["IDENTITY", "CONTACT", "NARRATIVE"]
AGENCIES = ["komnas-ham", "lpsk", "komnas-perempuan"]
PURPOSES = ["protection", "supervision", "emergency", "referral", "assessment"]

UNASSIGN = """mutation ($input: UnassignCaseworkerInput!) {
  unassignCaseworker(input: $input) { assignmentId errors { code } } }"""
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
UPDATE = """mutation ($id: ID!, $revision: Int!) { updateDefender(input: {
  id: $id, revision: $revision, gender: "x"}) { defender { id revision } errors { code } } }"""
READ = """query ($id: ID!) { caseFile(id: $id) { account
  defenders { id revision fullName phones withheld { field reason } } } }"""

T = TypeVar("T")
who, boss = st.sampled_from(WHO), st.sampled_from(BOSSES)
#: Mostly somebody of the agency that the change is for, else anybody.
fitting = st.sampled_from([True, True, True, False])
place, number = st.integers(0, 4), st.integers(0, 30)
some = st.lists(st.sampled_from(COMPARTMENTS), min_size=1, max_size=3, unique=True)
days = st.sampled_from([1, 3, 20])


@dataclasses.dataclass
class Given:
    """What was given to somebody, or to an agency, of one case file, until a moment.

    Attributes:
        to: a member's name, or an agency's slug.
        of: compartments; None: whatever the policy opens to an assignee.
        by: on whose own right it rests.
    """

    to: str
    file: UUID
    of: frozenset[str] | None
    until: datetime
    by: str = ""
    over: bool = False


class Model:
    """What was given, as the answers told it."""

    def __init__(self, world: World) -> None:
        self.world = world
        chosen = [
            *led_by(world, "komnas-ham")[-3:-1],
            *led_by(world, "lpsk")[-3:-1],
            led_by(world, "komnas-perempuan")[-1],
        ]
        #: Each as it was made, but for the agency that leads it, which may change.
        self.files: list[Any] = [
            SimpleNamespace(
                id=f.id, reference=f.reference, lead_agency=f.lead_agency, defenders=f.defenders
            )
            for f in chosen
        ]
        names = {m.id: m.subject for m in world.records.members}
        pool = {f.id for f in self.files}
        self.assigned = [
            Given(names[a.member], a.case_file, None, a.ends_at, over=a.ended_at is not None)
            for a in world.records.assignments
            if a.case_file in pool
        ]
        self.delegated: dict[str, Given] = {}
        self.glass: dict[str, Given] = {}
        self.referred: dict[str, Given] = {}
        self.accepted: set[str] = set()
        self.erasures: dict[str, UUID] = {}
        self.closed: set[UUID] = set()
        self.erased: set[UUID] = set()

    def live(self, given: Given) -> bool:
        return not given.over and self.world.clock() < given.until

    def agency(self, name: str) -> str:
        return str(self.world.records.member(name).organisation)

    def reaches(self, name: str, file: Any, compartment: str) -> bool:
        """Tell whether the agency of *name* has that compartment: its own, or shared with it."""
        own = self.agency(name)
        return file.lead_agency == own or any(
            one.to == own
            and one.file == file.id
            and one.of is not None
            and compartment in one.of
            and self.live(one)
            for key, one in self.referred.items()
            if key in self.accepted
        )

    def shared(self) -> set[tuple[str, UUID, str]]:
        """Name whose keys another agency may hold: (agency, record, compartment)."""
        return {
            (one.to, record, compartment.lower())
            for key, one in self.referred.items()
            if key in self.accepted and self.live(one) and one.of is not None
            for file in self.files
            if file.id == one.file
            for record in (file.id, *file.defenders)
            for compartment in one.of
        }

    def assignees(self, file: UUID) -> set[str]:
        return {one.to for one in self.assigned if one.file == file and self.live(one)}

    def needs(self, name: str, file: UUID, compartment: str, purpose: str) -> bool:
        """Tell whether somebody gave *name* that compartment, or it is theirs to oversee."""
        given = [one for one in self.delegated.values() if one.by in self.assignees(file)]
        if purpose == "emergency":
            given += self.glass.values()
        if any(
            (one.to, one.file) == (name, file)
            and one.of is not None
            and compartment in one.of
            and self.live(one)
            for one in given
        ):
            return True
        role = self.world.records.member(name).role
        others = {n for n in self.assignees(file) if self.agency(n) == self.agency(name)} - {name}
        oversees = role in (Role.SUPERVISOR, Role.AGENCY_LEAD) and bool(others)
        return oversees or name in self.assignees(file)


class AnyOrder(RuleBasedStateMachine):
    """Random work; what is only declared here is set by the test."""

    template: Template
    folders: Callable[[], Path]
    counted: list[int]
    #: Names of the changes that were asked for, and of those that were made.
    kinds: tuple[set[str], set[str]]
    model_of: type[Model] = Model

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opening = opened(self.template, type(self).folders(), Clock(NOON))
        self.world = self.run(self.opening.__aenter__())
        self.model = self.model_of(self.world)
        self.seen = self.run(self.world.size())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def change(self, work: Coroutine[Any, Any, Answer]) -> dict[str, Any] | None:
        """Ask for one change; give its payload, or None where it was refused or failed."""
        answer = self.run(work)
        events = self.run(self.world.events(self.seen))
        self.seen += len(events)
        self.counted[0] += 1
        payload = None
        if "errors" not in answer.body:
            self.kinds[0].update(answer.data)
            [payload] = answer.data.values()
        done = payload is not None and not payload["errors"]
        self.one_change(events, done=done, text=answer.text)
        self.counted[1] += done
        if done:
            self.kinds[1].update(answer.data)
        return payload if done else None

    @staticmethod
    def one_change(events: list[Event], *, done: bool, text: str) -> None:
        mine = [e for e in events if e.actor is not None]
        if done or len(mine) > 1:
            intent, outcome = mine[:2]
            assert (intent.phase, outcome.phase) == (Stage.INTENT, Stage.OUTCOME), text
            assert (outcome.outcome is Outcome.DONE) is done, text
            # Whoever changed a defender is shown it, as by a reading.
            assert {e.action for e in mine[2:]} <= {Action.READ, Action.LOOK}, text
        else:
            assert len(mine) <= 1, text
            assert all(e.decision is Decision.REFUSED for e in mine), text

    def file(self, at: int) -> Any:
        return self.model.files[at]

    def of(self, agency: str, drawn: str, among: list[str], fit: bool) -> str:
        """Give somebody of *agency*, or who was *drawn*."""
        theirs = [name for name in among if self.model.agency(name) == agency]
        return theirs[among.index(drawn) % len(theirs)] if fit else drawn

    def still_open(self, by: str, file: Any) -> None:
        """Assert that the case file takes somebody or something new, as far as its agency says."""
        if self.model.agency(by) == file.lead_agency:
            assert file.id not in self.model.closed, (by, file.reference)

    def gave(self, made: dict[str, Any], by: str, one: Given, file: Any) -> None:
        """Take up that a case file was referred."""
        assert self.model.agency(by) == file.lead_agency != one.to
        self.still_open(by, file)
        self.model.referred[made["referralId"]] = one

    def pick(self, of: dict[str, T], at: int) -> str:
        """Give the id of one of *of*; of nothing, where there is none."""
        return list(of)[at % len(of)] if of else str(UUID(int=at))

    def until(self, in_days: int) -> datetime:
        return self.world.clock() + timedelta(days=in_days)

    # -- what they do ---------------------------------------------------------------

    @rule(by=boss, to=who, at=place, in_days=days, fit=fitting)
    def assign(self, by: str, to: str, at: int, in_days: int, fit: bool) -> None:
        file, until = self.file(at), self.until(in_days)
        by, to = (self.of(file.lead_agency, *one, fit) for one in ((by, BOSSES), (to, WHO)))
        given = {
            "caseFileId": str(file.id),
            "memberId": tying.id_of(self.world, to),
            "until": until.isoformat(),
        }
        asked = self.world.ask(by, referring.ASSIGN, {"input": given}, purpose="supervision")
        if self.change(asked):
            assert by != to
            self.still_open(by, file)
            self.model.assigned.append(Given(to, file.id, None, until))

    @rule(by=boss, to=who, at=place, fit=fitting)
    def unassign(self, by: str, to: str, at: int, fit: bool) -> None:
        file = self.file(at)
        by, to = (self.of(file.lead_agency, *one, fit) for one in ((by, BOSSES), (to, WHO)))
        given = {"caseFileId": str(file.id), "memberId": tying.id_of(self.world, to)}
        if self.change(self.world.ask(by, UNASSIGN, {"input": given}, purpose="supervision")):
            for one in self.model.assigned:
                one.over |= (one.to, one.file) == (to, file.id)

    @rule(by=boss, to=st.sampled_from(AGENCIES), at=place, of=some, in_days=days, fit=fitting)
    def refer(self, by: str, to: str, at: int, of: list[str], in_days: int, fit: bool) -> None:
        file, until = self.file(at), self.until(in_days)
        by = self.of(file.lead_agency, by, BOSSES, fit)
        made = self.change(
            referring.refer(self.world, by=by, file=file.id, to=to, compartments=of, until=until)
        )
        if made:
            self.gave(made, by, Given(to, file.id, frozenset(of), until), file)

    @rule(by=boss, at=number, fit=fitting)
    def accept(self, by: str, at: int, fit: bool) -> None:
        chosen = self.pick(self.model.referred, at)
        if chosen in self.model.referred:
            by = self.of(self.model.referred[chosen].to, by, BOSSES, fit)
        if self.change(referring.say(self.world, referring.ACCEPT, chosen, by=by)):
            one = self.model.referred[chosen]
            assert self.model.agency(by) == one.to
            assert self.model.live(one)
            self.model.accepted.add(chosen)

    @rule(by=boss, at=number, what=st.sampled_from([referring.DECLINE, referring.END]))
    def end_referral(self, by: str, at: int, what: str) -> None:
        chosen = self.pick(self.model.referred, at)
        if self.change(referring.say(self.world, what, chosen, by=by)):
            self.model.referred[chosen].over = True

    @rule(by=who, to=who, at=place, of=some, in_days=days, fit=fitting)
    def delegate(self, by: str, to: str, at: int, of: list[str], in_days: int, fit: bool) -> None:
        file, lasting = self.file(at), timedelta(days=in_days)
        may = sorted(self.model.assignees(file.id) & set(WHO))
        by = may[len(by) % len(may)] if fit and may else by
        to = self.of(self.model.agency(by), to, WHO, fit)
        made = self.change(
            delegating.delegate(
                self.world, by=by, to=to, file=file.id, compartments=of, lasting=lasting
            )
        )
        if made:
            assert by in self.model.assignees(file.id)
            self.still_open(by, file)
            assert self.model.agency(by) == self.model.agency(to)
            until = self.world.clock() + lasting
            given = Given(to, file.id, frozenset(of), until, by)
            self.model.delegated[made["delegationId"]] = given

    @rule(by=who, at=number, fit=fitting)
    def end_delegation(self, by: str, at: int, fit: bool) -> None:
        chosen = self.pick(self.model.delegated, at)
        if fit and chosen in self.model.delegated:
            by = self.model.delegated[chosen].by
        if self.change(delegating.end(self.world, chosen, by=by)):
            self.model.delegated[chosen].over = True

    @rule(by=who, at=place, of=some, fit=fitting)
    def break_glass(self, by: str, at: int, of: list[str], fit: bool) -> None:
        file = self.file(at)
        by = self.of(file.lead_agency, by, WHO, fit)
        text = "Banjir." if file.lead_agency == self.model.agency(by) else None
        made = self.change(
            breaking_glass.broken(self.world, by=by, file=file.id, compartments=of, text=text)
        )
        if made:
            until = self.world.clock() + timedelta(hours=4)
            waits = made["endsAt"] is None
            given = Given(by, file.id, frozenset(of), until, over=waits)
            self.model.glass[made["breakGlassId"]] = given

    @rule(by=boss, at=number)
    def approve_glass(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.glass, at)
        if self.change(breaking_glass.approve(self.world, chosen, by=by)):
            one = self.model.glass[chosen]
            assert one.to != by
            one.over, one.until = False, self.world.clock() + timedelta(hours=4)

    @rule(by=who, at=number)
    def end_glass(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.glass, at)
        if self.change(breaking_glass.end(self.world, chosen, by=by)):
            self.model.glass[chosen].over = True

    @rule(by=who, at=place, purpose=st.sampled_from(PURPOSES), fit=fitting)
    def note(self, by: str, at: int, purpose: str, fit: bool) -> None:
        file = self.file(at)
        by = self.of(file.lead_agency, by, WHO, fit)
        if self.change(self.world.ask(by, NOTE, {"id": str(file.id)}, purpose=purpose)):
            assert self.model.needs(by, file.id, "NARRATIVE", purpose), by

    @rule(by=who, at=place, revision=st.integers(1, 3), fit=fitting)
    def update(self, by: str, at: int, revision: int, fit: bool) -> None:
        file = self.file(at)
        by = self.of(file.lead_agency, by, WHO, fit)
        given = {"id": str(file.defenders[0]), "revision": revision}
        if self.change(self.world.ask(by, UPDATE, given)):
            assert file.lead_agency == self.model.agency(by)
            assert self.model.needs(by, file.id, "IDENTITY", "protection"), by

    @rule(by=boss, at=place, fit=fitting)
    def ask_for_erasure(self, by: str, at: int, fit: bool) -> None:
        file = self.file(at)
        by = self.of(file.lead_agency, by, BOSSES, fit)
        made = self.change(erasing.request(self.world, erasing.CASE_FILE, file.id, by=by))
        if made:
            assert file.lead_agency == self.model.agency(by)
            self.model.erasures[made["erasureId"]] = file.id

    @rule(by=boss, at=number)
    def decline_erasure(self, by: str, at: int) -> None:
        chosen = self.pick(self.model.erasures, at)
        file = self.model.erasures.get(chosen, UUID(int=0))
        self.change(
            erasing.end(self.world, erasing.DECLINE, erasing.CASE_FILE, file, chosen, by=by)
        )

    @rule(hours=st.sampled_from([1, 5, 30, 100]))
    def time_passes(self, hours: int) -> None:
        self.world.clock.move(timedelta(hours=hours))

    # -- what they are shown --------------------------------------------------------

    @rule(by=who, at=place, purpose=st.sampled_from(PURPOSES))
    def read(self, by: str, at: int, purpose: str) -> None:
        self.counted[2] += self.shown(by, at, purpose)

    @rule(by=who)
    def read_all(self, by: str) -> None:
        for at, purpose in itertools.product(range(5), PURPOSES[:3]):
            self.counted[2] += self.shown(by, at, purpose)

    def shown(self, by: str, at: int, purpose: str) -> int:
        """Read one case file; what opens was given. Gives how many compartments opened."""
        file = self.file(at)
        answer = self.run(self.world.ask(by, READ, {"id": str(file.id)}, purpose=purpose))
        self.seen = self.run(self.world.size())
        if answer.codes:
            return 0
        told = answer.data["caseFile"]
        for one in told["defenders"]:
            if UUID(one["id"]) in self.model.erased:
                assert (one["fullName"], one["phones"]) == (None, None), file.reference
        person = next((d for d in told["defenders"] if d["id"] == str(file.defenders[0])), None)
        values = {"NARRATIVE": told["account"]}
        if person is not None:
            values |= {"IDENTITY": person["fullName"], "CONTACT": person["phones"]}
        shown = [name for name, value in values.items() if value is not None]
        for name in shown:
            assert self.model.reaches(by, file, name), (by, file.reference, name, purpose)
            assert self.model.needs(by, file.id, name, purpose), (by, file.reference, name, purpose)
        return len(shown)

    # -- at the end -----------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self.run(self.ends_well())
        finally:
            self.run(self.opening.__aexit__(None, None, None))
            self.runner.close()

    async def ends_well(self) -> None:
        world, model = self.world, self.model
        async with exchanged(world) as inside:
            await settle(inside.house)
        shared = model.shared()
        leads = {r: f.lead_agency for f in model.files for r in (f.id, *f.defenders)}
        for record, compartment, owner in await world.run(
            "select record, compartment, owner from data_key"
        ):
            of = UUID(str(record))
            if of in leads and owner != leads[of]:
                assert (owner, of, compartment) in shared, (owner, compartment)
        reader = world.reader()
        found = await verify(reader, [world.log_key])
        intents = {n for n, e in enumerate(await world.events()) if e.phase is Stage.INTENT}
        ended = {e.intent for e in await world.events() if e.phase is Stage.OUTCOME}
        assert intents == ended
        assert found.size == await world.size()
