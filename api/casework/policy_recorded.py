"""What of the decisions that the log recorded would be another one under a new policy.

The log holds who, what and which record, and no facts. So each question is asked again on
the facts of today, from rows whose seals hold, of both policies; what is no more cannot be
asked. Nothing is opened, and nothing of a record is shown.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.accesslog.reader import LogReader
from api.casework import rights
from api.casework.disclosure import OVERSEEING
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.recording import event_of_service
from api.database import Connection
from api.policies.comparing import Changed, Gathered, difference
from api.policies.engine import Policy
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Gate, Verdict
from api.store import case_files, members
from api.store.case_file_statements import EVERYWHERE, Shape, Which
from api.vocabulary import (
    CASEWORK_ROLES,
    DEFAULT_BASIS,
    Action,
    Caseworker,
    Compartment,
    Decision,
    MemberId,
    Organisation,
    Phase,
    Purpose,
    Reason,
    RecordKind,
    Role,
)

_CHUNK = 1_000
#: Events of two processes may stand in another order than their moments.
_DISORDER = timedelta(minutes=10)

_CHANGES = frozenset({Decision.ALLOWED, Decision.REFUSED})
#: Refused for what no policy decides.
_NOT_THE_POLICYS = frozenset(
    {Reason.ERASED, Reason.LOG_NOT_WITNESSED, Reason.OPENINGS_EXHAUSTED, Reason.SEAL_BROKEN}
)
_YES = frozenset({Decision.ALLOWED, Decision.DISCLOSED})


class Lost(StrEnum):
    """Why a recorded decision cannot be asked again."""

    ERASED = "the record was erased"
    GONE = "the record is gone, or its seal does not hold"
    MEMBER = "the member is gone, or was changed by hand"
    NOT_HERE = "the keys of the member's agency are not here"
    OTHER = "no decision on a case file or defender: releases, events, refusals without a record"


class Question(NamedTuple):
    """What was decided, as far as the log tells.

    Attributes:
        what: see (None), open a compartment, or do.
        together: two persons looked.
    """

    actor: UUID
    organisation: str
    purpose: Purpose
    what: Compartment | Action | None
    kind: RecordKind
    record: UUID
    allowed: bool
    together: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it.

    Attributes:
        decisions: recorded ones that were asked again.
        otherwise: how many of these the old policy decides otherwise by the facts of today.
        lost: why -> how many could not be asked.
        events: how many events were looked at.
    """

    changes: list[Changed]
    decisions: int
    otherwise: int
    lost: Counter[Lost]
    events: int


async def compare_recorded(
    house: House,
    old: Policy | None,
    new: Policy,
    since: datetime,
    progress: Callable[[int, int], None],
) -> Recorded:
    """Ask again what was decided since that moment; that it was looked at is in the log first.

    Args:
        old: None: the policy in force.

    Raises:
        LogUnavailable, StoreUnavailable, PolicyFailed: nothing is said.
    """
    asked: Counter[Question] = Counter()
    lost: Counter[Lost] = Counter()
    looked = 0
    async for event in _events(house.log, since):
        looked += 1
        questions = list(_questions(event))
        asked.update(questions)
        if not questions and _is_decision(event):
            lost[Lost.OTHER] += 1
    await house.ledger.append(_look(house, looked))
    before = house.gate if old is None else house.gate.under(old)
    asking = _Asking(house, before, house.gate.under(new))
    for done, (question, times) in enumerate(asked.items(), 1):
        async with house.records.snapshot() as snapshot:
            missing = await asking.ask(snapshot, question, times)
        if missing is not None:
            lost[missing] += times
        progress(done, len(asked))
    return Recorded(asking.gathered.changes(), asking.decisions, asking.otherwise, lost, looked)


class _Asking:
    """Puts questions to two gates, and gathers what differs."""

    def __init__(self, house: House, before: Gate, after: Gate) -> None:
        self._house, self._before, self._after = house, before, after
        # What a delegation is worth depends on the policy, so facts are made under each.
        self._houses = replace(house, gate=before), replace(house, gate=after)
        self.gathered = Gathered()
        self.decisions = self.otherwise = 0

    async def ask(self, snapshot: Connection, question: Question, times: int) -> Lost | None:
        """Ask one question that was decided so many times, or say why it cannot be asked."""
        caller = await self._caller(snapshot, question)
        if isinstance(caller, Lost):
            return caller
        who, asker = caller
        facts = await self._facts(snapshot, asker, question)
        if isinstance(facts, Lost):
            return facts
        before, after = self._before, self._after
        answers = [
            (on_old, _answer(before, who, on_old, question), _answer(after, who, on_new, question))
            for on_old, on_new in facts
        ]
        # A defender may be in several case files; one that opens is enough.
        row, was, _ = next((a for a in answers if isinstance(a[1], Allowed)), answers[0])
        other, _, will_be = next((a for a in answers if isinstance(a[2], Allowed)), answers[0])
        self.decisions += times
        if isinstance(was, Allowed) is not question.allowed:
            self.otherwise += times
        on = row if isinstance(was, Allowed) else other
        kind = difference(who, on, _what(question), was, will_be)
        if kind is not None:
            self.gathered.add(kind, who, [asker.organisation], times)
        return None

    async def _caller(
        self, snapshot: Connection, question: Question
    ) -> tuple[CaseworkerFacts, Caseworker] | Lost:
        house = self._house
        if question.organisation not in house.keyring.owners:
            return Lost.NOT_HERE
        row = await members.by_id(snapshot, question.actor)
        if (
            row is None
            or not row.live
            or row.organisation != question.organisation
            or row.role not in CASEWORK_ROLES
            or not rights.holds(house, row.organisation, "member", row.seal_values, row.seal)
        ):
            return Lost.MEMBER
        purpose = question.purpose
        asker = Caseworker(
            MemberId(row.id),
            Organisation(row.organisation),
            Role(row.role),
            purpose,
            DEFAULT_BASIS[purpose],
            "policy-diff",
        )
        who = CaseworkerFacts(row.organisation, row.role, row.clearance, row.trained, purpose.value)
        return who, asker

    async def _facts(
        self, snapshot: Connection, asker: Caseworker, question: Question
    ) -> list[tuple[CaseFileFacts, CaseFileFacts]] | Lost:
        """Build the facts under each policy about each case file on which it can rest."""
        house, of_person = self._house, question.kind is RecordKind.DEFENDER
        shape = Shape(
            Which.OF_DEFENDER if of_person else Which.ONE,
            frozenset(),
            frozenset() if of_person else None,
        )
        rows = await case_files.read(
            snapshot,
            EVERYWHERE,
            replace(shape, oversees=asker.role in OVERSEEING),
            {
                "id": question.record,
                "me": asker.member,
                "agency": asker.organisation,
                "now": house.now(),
            },
        )
        found, erased = [], False
        for row in rows:
            if not counts(row.revision):
                continue
            together = row.id if question.together else None
            before, after = (facts_of(each, asker, row, together) for each in self._houses)
            if before is None or after is None:
                continue
            if not all(link_holds(house, asker, row, k) for k in row.links):
                continue
            if any(link.erased for link in row.links) or (row.erased and not of_person):
                erased = True
                continue
            found.append((before, after))
        return found or (Lost.ERASED if erased else Lost.GONE)


def _answer(gate: Gate, who: CaseworkerFacts, row: CaseFileFacts, question: Question) -> Verdict:
    match question.what:
        case Compartment():
            return gate.open(who, question.what, row)
        case Action():
            return gate.change(who, question.what, row)
        case None:
            return gate.see(who, row)


def _what(question: Question) -> str:
    match question.what:
        case Compartment():
            return f"open {question.what.value}"
        case Action():
            return question.what.value
        case None:
            return "see"


async def _events(log: LogReader, since: datetime) -> AsyncIterator[Event]:
    """Give the events since that moment, a thousand at a time from the newest back."""
    stop = (await log.head()).size
    while stop > 0:
        start = max(0, stop - _CHUNK)
        young = False
        async for _, event in log.between(start, stop - 1):
            young = young or event.at >= since - _DISORDER
            if event.at >= since:
                yield event
        if not young:
            return
        stop = start


def _is_decision(event: Event) -> bool:
    """Tell whether *event* says that a person was allowed or refused something."""
    return event.actor is not None and event.policy is not None and event.phase is not Phase.OUTCOME


def _is_change(event: Event) -> bool:
    """Tell whether *event* is of a change; an explanation asks what a reading would."""
    return event.decision in _CHANGES and event.action is not Action.EXPLAIN


def _questions(event: Event) -> Iterator[Question]:
    """Give what a caseworker's event says was decided, on case files and defenders."""
    if (
        not _is_decision(event)
        or event.actor is None
        or event.organisation is None
        or event.role not in CASEWORK_ROLES
        or event.purpose is None
    ):
        return
    groups = [touched for touched in event.touched if touched.reason not in _NOT_THE_POLICYS]
    if _is_change(event):
        groups = groups[:1]  # The others say what is sealed anew.
    for touched in groups:
        for what, kind, record in _asked(event, touched):
            yield Question(
                event.actor,
                event.organisation,
                event.purpose,
                what,
                kind,
                record,
                touched.decision in _YES,
                event.action is Action.LOOK,
            )


def _asked(
    event: Event, touched: Touched
) -> Iterator[tuple[Compartment | Action | None, RecordKind, UUID]]:
    records = [
        (kind, record)
        for kind, record, _ in touched.records
        if kind in (RecordKind.CASE_FILE, RecordKind.DEFENDER)
    ]
    if _is_change(event):
        for kind, record in records[:1]:
            yield event.action, kind, record
        return
    for kind, record in records:
        for compartment in touched.compartments or (None,):
            yield compartment, kind, record


def _look(house: House, looked: int) -> Event:
    """Make the event of the look at *looked* events."""
    event = event_of_service(
        Action.READ_LOG,
        house.now(),
        request="operation",
        policy=house.gate.policy_hash,
        agencies=sorted(house.keyring.owners),
        role=Role.OPERATOR,
        count=looked,
    )
    touched = Touched(Decision.DISCLOSED, None, None, (), ("query:policyDiff",), ())
    return replace(event, touched=(touched,))
