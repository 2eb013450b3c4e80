"""Decide a whole reading in one pass: facts from proven rows, a verdict per kind of row.

Rows with equal facts share one bundle, so the policy is asked once per kind and
compartment, not per row and field. A bundle also knows which event its rows
belong to and what of them is copied, opened or withheld.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework.asked import Asked, Steps, steps_of
from api.casework.chunks import Record, chunks
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.recording import event_of
from api.casework.unlocking import grants_named
from api.errors import NotFound
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused, Verdict
from api.store.attachments import AttachmentRow
from api.store.case_files import CaseFileRow, LedBy, Link
from api.store.sealed_fields import NOTE_BODY, SealedField
from api.vocabulary import (
    Action,
    Caller,
    Compartment,
    Decision,
    Ground,
    Reason,
    RecordKind,
)

_log = structlog.get_logger("perisai.deciding")


@dataclass(slots=True)
class Bundle:
    """What holds alike for all rows with equal facts.

    Attributes:
        notes: their texts are asked for, and can be proven: another agency's cannot.
        reasons: the same, field by field; of what else belongs to the life of it, too.
        reasons: the same of reasons and of the triage, field by field.
    """

    assigned: bool
    notes: bool
    reasons: tuple[SealedField, ...]
    see: Verdict
    opens: dict[Compartment, Verdict]
    case_file: Steps
    defender: Steps
    case_files: list[Record] = field(default_factory=list)
    defenders: list[Record] = field(default_factory=list)
    #: What the caller broke glass for among them; every event of what it opened names it.
    unlocked: set[Record] = field(default_factory=set)
    #: The same for records that were erased; None until there is one.
    erased: "Bundle | None" = None

    def of(self, erased: bool) -> "Bundle":
        """Give what holds for a record of these facts, erased or not."""
        if not erased:
            return self
        if self.erased is None:
            raise ValueError("no record of these facts was erased")
        return self.erased


class Deciding:
    """One pass over the rows of one reading. Feed it rows; then ask for events."""

    def __init__(
        self,
        house: House,
        caller: Caller,
        who: CaseworkerFacts,
        action: Action,
        asked: Asked,
        together: UUID | None = None,
    ) -> None:
        """*asked* must be the one that belongs to the rows' shape; *together*: see `facts_of`."""
        self._house = house
        self._caller = caller
        self._who = who
        self._action = action
        self._asked = asked
        self._together = together
        # Taken with the decisions: the policy may be swapped while the event is written.
        self._policy = house.gate.policy_hash
        self._bundles: dict[CaseFileFacts, Bundle] = {}
        #: The facts of the row before: most rows have the same, and a look by all their
        #: fields takes longer than to see that they are these very ones.
        self._latest: tuple[CaseFileFacts, Bundle] | None = None
        self._broken: list[Record] = []
        self._refused: list[tuple[Record, Reason]] = []
        self._agencies: set[str] = set()
        self._elsewhere = LedBy((), False)
        self._attached: Sequence[AttachmentRow] = ()
        self._attached_to: Bundle | None = None
        self._beside: dict[tuple[UUID, Compartment], Verdict] = {}
        self._touched_beside: list[Touched] = []
        #: Rows that the caller may see, with their bundle and the links that hold.
        self.seen: list[tuple[CaseFileRow, Bundle, list[Link]]] = []
        #: Record and compartment of every key that is to be opened, and no other.
        self.permitted: set[tuple[UUID, Compartment]] = set()

    def feed(self, row: CaseFileRow) -> None:
        """Decide one row."""
        record = (RecordKind.CASE_FILE, row.id, row.revision)
        if not counts(row.revision):
            self._broken.append((RecordKind.CASE_FILE, row.id, 0))
            self._agencies.add(row.lead_agency)
            return
        facts = facts_of(self._house, self._caller, row, self._together)
        if facts is None:
            self._broken.append(record)
            self._agencies.add(row.lead_agency)
            return
        bundle = self._bundle_of(facts)
        if row.erased or any(link.erased for link in row.links):
            self._also_erased(bundle)
        if type(bundle.see) is Refused:
            # The scope is derived from the same text; where they differ, one is wrong.
            _log.error("scope_and_decision_differ", policy=self._house.gate.policy_hash)
            if row.lead_agency == self._caller.organisation:
                self._agencies.add(row.lead_agency)
                self._refused.append((record, bundle.see.reason))
            return
        self._agencies.add(row.lead_agency)
        links = []
        for link in row.links:
            if not counts(link.revision):
                self._broken.append((RecordKind.DEFENDER, link.defender, 0))
            elif link_holds(self._house, self._caller, row, link):
                links.append(link)
            else:
                self._broken.append((RecordKind.DEFENDER, link.defender, link.revision))
        itself = bundle.of(row.erased)
        itself.case_files.append(record)
        bundle.unlocked.update(grants_named(self._house, self._caller, row, Ground.BREAK_GLASS))
        self.permitted.update([(row.id, c) for c in itself.case_file.compartments])
        if bundle.notes and type(itself.opens[NOTE_BODY.compartment]) is Allowed:
            self.permitted.add((row.id, NOTE_BODY.compartment))
        for one in bundle.reasons:
            if type(itself.opens[one.compartment]) is Allowed:
                self.permitted.add((row.id, one.compartment))
        for link in links:
            person = bundle.of(link.erased)
            person.defenders.append((RecordKind.DEFENDER, link.defender, link.revision))
            self.permitted.update([(link.defender, c) for c in person.defender.compartments])
        self.seen.append((row, bundle, links))

    def attach(self, rows: Sequence[AttachmentRow]) -> None:
        """Take the attachments of the one case file that was fed: they open as it does."""
        self._attached = rows
        [(file, bundle, _)] = self.seen
        self._attached_to = bundle.of(file.erased)
        opens = self._attached_to.opens
        opened = {
            f.compartment
            for f in self._asked.attachment or ()
            if type(opens[f.compartment]) is Allowed
        }
        self.permitted.update((attachment.id, c) for attachment in rows for c in opened)

    def also(
        self, verdicts: Mapping[tuple[UUID, Compartment], Verdict], touched: Iterable[Touched]
    ) -> None:
        """Take what was decided beside the rows: the keys to be opened, and what events say."""
        self._beside.update(verdicts)
        self.permitted.update(verdicts)
        self._touched_beside += touched

    def allows(self, action: Action) -> bool:
        """Tell whether the caller may do *action* to the one case file that was fed.

        Only where it is seen: of a row without facts nothing can be asked.
        """
        [facts] = self._bundles
        return type(self._house.gate.change(self._who, action, facts)) is Allowed

    def _bundle_of(self, facts: CaseFileFacts) -> Bundle:
        if self._latest is not None and self._latest[0] is facts:
            return self._latest[1]
        bundle = self._bundles.get(facts)
        if bundle is None:
            bundle = self._bundles[facts] = self._decide(facts)
        self._latest = facts, bundle
        return bundle

    def _decide(self, facts: CaseFileFacts) -> Bundle:
        gate = self._house.gate
        see = gate.see(self._who, facts)
        opens = {c: gate.open(self._who, c, facts) for c in sorted(self._asked.compartments)}
        notes = self._asked.note_bodies and not facts.referred
        reasons = () if facts.referred else self._asked.beside_notes
        return self._bundle(facts.assigned, notes, reasons, see, opens)

    def _bundle(
        self,
        assigned: bool,
        notes: bool,
        reasons: tuple[SealedField, ...],
        see: Verdict,
        opens: dict[Compartment, Verdict],
    ) -> Bundle:
        return Bundle(
            assigned,
            notes,
            reasons,
            see,
            opens,
            steps_of(self._asked.case_file, opens),
            steps_of(self._asked.defender, opens),
        )

    def _also_erased(self, bundle: Bundle) -> None:
        """Of an erased record nothing is opened; what the policy refuses keeps its reason."""
        if bundle.erased is None:
            gone = Refused(Reason.ERASED)
            opens = {c: gone if type(v) is Allowed else v for c, v in bundle.opens.items()}
            bundle.erased = self._bundle(
                bundle.assigned, bundle.notes, bundle.reasons, bundle.see, opens
            )

    def elsewhere(self, led_by: LedBy) -> None:
        """Take who leads the record that was asked for and not seen, for the event.

        Only where nothing was seen: the event of one record must not tell an agency's
        officers of another agency's record of the same person.
        """
        self._elsewhere = led_by

    def verdicts(self) -> dict[tuple[UUID, Compartment], Verdict]:
        """Give the verdict behind each key that is to be opened, for the permit.

        A defender may be in several case files; one that opens is enough.
        """
        found: dict[tuple[UUID, Compartment], Verdict] = {}
        for row, bundle, links in self.seen:
            attached = (attachment.id for attachment in self._attached)
            for record in (row.id, *(link.defender for link in links), *attached):
                for compartment, verdict in bundle.opens.items():
                    if type(verdict) is Allowed and (record, compartment) in self.permitted:
                        found[record, compartment] = verdict
        return found | self._beside

    def events(self, target: tuple[RecordKind, UUID] | None) -> list[Event]:
        """Say what was decided: at least one event, each with at most 1,000 records.

        Args:
            target: the one record that was asked for, if one was. Where nothing is
                seen the event names it alone and in the same words whether it is not
                there or not in reach: the log of one agency may not tell either. Only a
                tie of the caller's own is told: it says that somebody tried.
        """
        if target is not None and not self.seen:
            tied = self._elsewhere.tied
            reason = Reason.CONFLICT_OF_INTEREST if tied else Reason.NOT_IN_REACH
            gone = Touched(Decision.WITHHELD, None, reason, (), (), ((*target, 0),))
            return [self._event((gone,), refused=True)]
        # What was unlocked goes first: then it is never cut apart from the grant it names.
        bundles = sorted(self._bundles.values(), key=lambda one: not one.unlocked)
        touched = [
            *(t for one in bundles for t in self._touched(one)),
            *(t for one in self._bundles.values() if one.erased for t in self._touched(one.erased)),
            *self._touched_beside,
            *_withheld(self._refused),
            *_withheld([(record, Reason.SEAL_BROKEN) for record in self._broken]),
        ]
        return [self._event(chunk, refused=False) for chunk in chunks(touched)]

    def _event(self, touched: tuple[Touched, ...], refused: bool) -> Event:
        return event_of(
            self._house,
            self._caller,
            self._action,
            Decision.WITHHELD if refused else Decision.DISCLOSED,
            touched,
            agencies=tuple(
                sorted(self._agencies.union(self._elsewhere.agencies if refused else ()))
            ),
            code=NotFound.code if refused else None,
            policy=self._policy,
        )

    def _touched(self, bundle: Bundle) -> Iterator[Touched]:
        if type(bundle.see) is not Allowed:
            return
        seen = [*bundle.case_files]
        if not any(cell.sealed for cell in self._asked.defender):
            # No group below names them, and the log is asked who saw a defender.
            seen += bundle.defenders
        if seen:
            yield Touched(Decision.DISCLOSED, bundle.see.ground, None, (), (), tuple(seen))
        notes = (NOTE_BODY,) if bundle.notes else ()
        mine = self._attached if bundle is self._attached_to else ()
        attached = [(RecordKind.ATTACHMENT, row.id, 0) for row in mine]
        for cells, extra, records in (
            (self._asked.case_file, (*notes, *bundle.reasons), bundle.case_files),
            (self._asked.defender, (), bundle.defenders),
            ((), self._asked.attachment or (), attached),
        ):
            sealed = [c.sealed for c in cells if c.sealed] + list(extra)
            by_verdict: dict[Verdict, list[SealedField]] = {}
            for one in sealed:
                by_verdict.setdefault(bundle.opens[one.compartment], []).append(one)
            for verdict, fields in by_verdict.items():
                ground = verdict.ground if type(verdict) is Allowed else None
                # First, so that it stays with its records where a group is cut.
                broke = sorted(bundle.unlocked) if ground is Ground.BREAK_GLASS else ()
                if records:
                    yield Touched(
                        Decision.DISCLOSED if type(verdict) is Allowed else Decision.WITHHELD,
                        ground,
                        verdict.reason if type(verdict) is Refused else None,
                        tuple(sorted({f.compartment for f in fields})),
                        tuple(sorted(f.name for f in fields)),
                        (*broke, *records),
                    )


def _withheld(refused: Sequence[tuple[Record, Reason]]) -> Iterator[Touched]:
    by_reason: dict[Reason, list[Record]] = {}
    for record, reason in refused:
        by_reason.setdefault(reason, []).append(record)
    for reason, records in by_reason.items():
        yield Touched(Decision.WITHHELD, None, reason, (), (), tuple(records))
