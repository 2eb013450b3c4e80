"""Why is a record, or a part of it, open or closed to this caller, and what would open it?

Nothing is opened. Only what exists for the caller is explained; of anything else there is
one answer, and what lies in the caller's own role or purpose is told whatever was asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework import elsewhere, rights
from api.casework.chunks import Record
from api.casework.disclosure import Reading, read_rows
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.recording import event_of, event_of_service
from api.casework.unlocking import grants_named
from api.database import Connection
from api.errors import NotFound, ValueInvalid
from api.policies.explaining import Explanation
from api.policies.explaining import explain as explained_by
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Refused
from api.policies.plain_words import Said as Said  # the schema names it
from api.policies.tracing import Told as Told  # the schema names it
from api.store import members
from api.store.case_file_statements import Shape, Which
from api.store.case_files import CaseFileRow, LedBy
from api.store.sealed_fields import (
    ADVERSARY_FIELDS,
    ASSESSMENT_FIELDS,
    ATTACHMENT_FIELDS,
    CASE_FILE_FIELDS,
    DEFENDER_FIELDS,
    INCIDENT_FIELDS,
    NOTE_BODY,
    TRIAGE_FIELDS,
)
from api.vocabulary import (
    CASEWORK_ROLES,
    DEFAULT_BASIS,
    Action,
    Caller,
    Caseworker,
    Compartment,
    Decision,
    Ground,
    MemberId,
    Organisation,
    Purpose,
    Reason,
    RecordKind,
    Role,
    Sensitivity,
)

_FIELDS = {
    **DEFENDER_FIELDS,
    **CASE_FILE_FIELDS,
    **ATTACHMENT_FIELDS,
    NOTE_BODY.name: NOTE_BODY,
    **INCIDENT_FIELDS,
    **ADVERSARY_FIELDS,
    **ASSESSMENT_FIELDS,
    **TRIAGE_FIELDS,
}
_OF_A_DEFENDER = frozenset(field.compartment for field in DEFENDER_FIELDS.values())

#: What lies in the caller alone, so that it can be told of any record, there or not.
_OF_THE_CALLER = frozenset({Reason.PURPOSE_DOES_NOT_FIT, Reason.ROLE_DOES_NOT_FIT})


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained.

    Attributes:
        target: a case file or a defender.
        compartment: None: whether the record exists for the caller.
        field: the protected field that was asked about, if one was.
    """

    target: tuple[RecordKind, UUID]
    compartment: Compartment | None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer, in words of the vocabulary and in sentences.

    Attributes:
        grounds: all on which it is open.
        rules: by which it is open, or those that come nearest.
        remedies: each would open it.
        case_file: on which it rests; None: on the caller alone.
    """

    ground: Ground | None
    grounds: tuple[Ground, ...]
    reason: Reason | None
    said: Said
    rules: tuple[Told, ...]
    remedies: tuple[Said, ...]
    case_file: UUID | None
    policy: str
    records: tuple[Record, ...]
    agencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Unknown:
    """No such record exists for the caller; for the log: who leads it, if it is there."""

    led_by: LedBy

    @property
    def agencies(self) -> tuple[str, ...]:
        """Who leads it."""
        return self.led_by.agencies


def question_of(
    target: tuple[RecordKind, UUID], compartment: Compartment | None, field: str | None
) -> Question:
    """Make a question; the field's name gives the compartment.

    Raises:
        ValueInvalid: another kind of record, no protected field, or not of that compartment.
    """
    if target[0] not in (RecordKind.CASE_FILE, RecordKind.DEFENDER):
        raise ValueInvalid
    if field is None:
        return Question(target, compartment)
    if field not in _FIELDS or compartment not in (None, _FIELDS[field].compartment):
        raise ValueInvalid
    return Question(target, _FIELDS[field].compartment, field)


async def explain(house: House, caller: Caller, question: Question) -> Explained:
    """Explain to *caller*; one event, whatever the answer.

    Raises:
        PurposeMissing, NotForThisFace: see `rights.caseworker`.
        NotFound: no such record exists for the caller.
        LogUnavailable: nothing was explained.
    """
    async with house.records.snapshot() as snapshot:
        found = await _explained(house, snapshot, caller, question)
    decision, code, touched = _told(question, found)
    await house.ledger.append(
        event_of(
            house,
            caller,
            Action.EXPLAIN,
            decision,
            (touched,),
            agencies=tuple(sorted({*found.agencies, caller.organisation})),
            code=code,
        )
    )
    if isinstance(found, _Unknown):
        raise NotFound
    return found


async def as_member(house: House, member: UUID, purpose: Purpose) -> Caseworker | None:
    """Give the caseworker whom an operator asks about; None: nobody whose seal holds here."""
    async with house.records.look() as connection:
        row = await members.by_id(connection, MemberId(member))
    if (
        row is None
        or not row.live
        or row.role not in CASEWORK_ROLES
        or row.organisation not in house.keyring.owners
        or not rights.holds(house, row.organisation, "member", row.seal_values, row.seal)
    ):
        return None
    return Caseworker(
        MemberId(member),
        Organisation(row.organisation),
        Role(row.role),
        purpose,
        DEFAULT_BASIS[purpose],
        "operation",
    )


async def explain_to_operator(house: House, caller: Caller, question: Question) -> Explained:
    """Explain to an operator how it stands for the member *caller*; the event says so.

    Raises: as `explain`.
    """
    async with house.records.snapshot() as snapshot:
        found = await _explained(house, snapshot, caller, question)
    decision, code, touched = _told(question, found)
    about = replace(touched, records=(*touched.records, (RecordKind.MEMBER, caller.member, 0)))
    event: Event = event_of_service(
        Action.EXPLAIN,
        house.now(),
        request=caller.request,
        policy=house.gate.policy_hash,
        agencies=sorted({*found.agencies, caller.organisation}),
        role=Role.OPERATOR,
    )
    await house.ledger.append(replace(event, decision=decision, code=code, touched=(about,)))
    if isinstance(found, _Unknown):
        raise NotFound
    return found


async def _explained(
    house: House, snapshot: Connection, caller: Caller, question: Question
) -> Explained | _Unknown:
    who = await rights.caseworker(house, snapshot, caller)
    of_the_caller = _of_the_caller(house, who)
    if of_the_caller is not None:
        led_by = await elsewhere.led_by(
            house, snapshot, caller, who, question.target, house.now(), looked=False
        )
        return _view(house, caller, question, of_the_caller, None, led_by.agencies)
    rows = await _rows(house, snapshot, caller, who, question)
    found = [
        (_of_row(house, who, facts, row, question), row)
        for row in rows
        if (facts := _facts(house, caller, who, row)) is not None
    ]
    if not found:
        # A statement more, where nothing is shown: for what is there and for what is not.
        if rows:
            return _Unknown(LedBy(tuple(row.lead_agency for row in rows), False))
        led_by = await elsewhere.led_by(house, snapshot, caller, who, question.target, house.now())
        return _Unknown(led_by)
    # A defender may stand in several case files: one that opens is enough.
    explanation, row = min(found, key=lambda each: _nearness(each[0]))
    return _view(house, caller, question, explanation, row, (row.lead_agency,))


def _of_the_caller(house: House, who: CaseworkerFacts) -> Explanation | None:
    """Explain what keeps *who* from every record alike, if something does."""
    # As for a case file of the agency that anybody there may know of.
    facts = CaseFileFacts(who.agency, int(Sensitivity.LOW), False, False)
    verdict = house.gate.see(who, facts)
    if isinstance(verdict, Refused) and verdict.reason in _OF_THE_CALLER:
        return explained_by(house.gate, who, facts, None)
    return None


async def _rows(
    house: House, snapshot: Connection, caller: Caller, who: CaseworkerFacts, question: Question
) -> list[CaseFileRow]:
    """Read the record's case files as a reading of it would, but for its fields."""
    kind, record = question.target
    shape = (
        Shape(Which.OF_DEFENDER, frozenset(), frozenset())
        if kind is RecordKind.DEFENDER
        else Shape(Which.ONE, frozenset(), None)
    )
    reading = Reading(Action.EXPLAIN, shape, {"id": record})
    return await read_rows(house, snapshot, caller, who, reading, house.now())


def _facts(
    house: House, caller: Caller, who: CaseworkerFacts, row: CaseFileRow
) -> CaseFileFacts | None:
    """Give the facts of a row that is proven whole and exists for the caller."""
    if not all(counts(n) for n in (row.revision, *(link.revision for link in row.links))):
        return None
    facts = facts_of(house, caller, row)
    if facts is None or not isinstance(house.gate.see(who, facts), Allowed):
        return None
    return facts if all(link_holds(house, caller, row, link) for link in row.links) else None


def _of_row(
    house: House,
    who: CaseworkerFacts,
    facts: CaseFileFacts,
    row: CaseFileRow,
    question: Question,
) -> Explanation:
    explanation = explained_by(house.gate, who, facts, question.compartment)
    if not isinstance(explanation.verdict, Allowed) or question.compartment is None:
        return explanation
    erased = row.erased
    if question.target[0] is RecordKind.DEFENDER and question.compartment in _OF_A_DEFENDER:
        erased = any(link.erased for link in row.links)
    if not erased:
        return explanation
    return replace(explanation, verdict=Refused(Reason.ERASED), grounds=())


def _nearness(explanation: Explanation) -> tuple[bool, bool]:
    return not isinstance(explanation.verdict, Allowed), not explanation.remedies


def _view(
    house: House,
    caller: Caller,
    question: Question,
    explanation: Explanation,
    row: CaseFileRow | None,
    agencies: Sequence[str],
) -> Explained:
    verdict = explanation.verdict
    kind, record = question.target
    records: list[Record] = [(kind, record, 0)]
    if row is not None and kind is not RecordKind.CASE_FILE:
        records.append((RecordKind.CASE_FILE, row.id, 0))
    if row is not None and isinstance(verdict, Allowed):
        records += grants_named(house, caller, row, verdict.ground)
    return Explained(
        verdict.ground if isinstance(verdict, Allowed) else None,
        explanation.grounds,
        verdict.reason if isinstance(verdict, Refused) else None,
        explanation.said,
        explanation.rules,
        tuple(remedy.said for remedy in explanation.remedies),
        None if row is None else row.id,
        house.gate.policy_hash,
        tuple(records),
        tuple(agencies),
    )


def _told(question: Question, found: Explained | _Unknown) -> tuple[Decision, str | None, Touched]:
    """Say what was decided, the code of the refusal, and what the event names."""
    if isinstance(found, _Unknown):
        gone = ((*question.target, 0),)
        tied = found.led_by.tied
        reason = Reason.CONFLICT_OF_INTEREST if tied else Reason.NOT_IN_REACH
        touched = Touched(Decision.REFUSED, None, reason, (), (), gone)
        return Decision.REFUSED, NotFound.code, touched
    touched = Touched(
        # Of what is explained nothing is disclosed, though it may be open.
        Decision.REFUSED if found.ground is None else Decision.ALLOWED,
        found.ground,
        found.reason,
        () if question.compartment is None else (question.compartment,),
        () if question.field is None else (question.field,),
        found.records,
    )
    return Decision.ALLOWED, None, touched
