"""Open a case file: what is known goes in sealed, and who took it in may go on with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from api.accesslog.event import Touched
from api.casework import rights, tying, values
from api.casework.house import House
from api.casework.recording import event_of, recorded
from api.casework.resealing import Value
from api.casework.triage import Answered, Proposal
from api.casework.triaging import Triaged, triaged
from api.casework.writing import Batch, NewDefender, seal_batch, write_batch
from api.code_lists import CodeLists
from api.errors import NotAllowed, ValueInvalid
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed
from api.store import case_files, ties
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS, TRIAGE_FIELDS
from api.vocabulary import (
    Action,
    Caller,
    CaseStatus,
    Decision,
    RecordKind,
    Sensitivity,
    Urgency,
)

#: How long who took a case in may work on it before a supervisor must assign.
INTAKE_ASSIGNMENT = timedelta(days=7)

#: A case file names at most this many defenders when it is opened.
DEFENDERS_MOST = 20

_SEALED = (*CASE_FILE_FIELDS.values(), *DEFENDER_FIELDS.values())
_COMPARTMENTS = tuple(sorted({f.compartment for f in _SEALED}))
_FIELDS = tuple(sorted(f.name for f in _SEALED))


@dataclass(frozen=True, slots=True)
class KnownDefender:
    """What is known of one defender, as typed: column -> value."""

    categories: Sequence[str] = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Intake:
    """What is known when a case file is opened.

    Attributes:
        urgency: None: what triage proposes.
        triage: what was answered at the door; None: nothing was asked.
    """

    urgency: Urgency | None
    sensitivity: Sensitivity
    province: str
    incident_kinds: Sequence[str]
    adversary_kinds: Sequence[str]
    adversary_institutions: Sequence[str] = field(repr=False)
    sexual_violence_forms: Sequence[str] = field(repr=False)
    account: str | None = field(repr=False)
    defenders: Sequence[KnownDefender] = field(repr=False)
    triage: Answered | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A case file that was opened, with its urgency, and what triage proposes."""

    case_file: UUID
    urgency: Urgency
    proposal: Proposal | None


async def open_case_file(house: House, caller: Caller, intake: Intake) -> Opened:
    """Open a case file in the caller's agency.

    The caller is assigned to it for INTAKE_ASSIGNMENT.

    Raises:
        NotAllowed: not a role or purpose that takes cases in; one event.
        NikInvalid, PhoneInvalid, UrgencyTooLow, ValueInvalid: nothing was written and
            nothing logged.
    """
    clear, sealed_values = _checked(house.codes, intake)
    urgency, asked = _triaged(house.codes, intake)
    clear["urgency"] = urgency
    tags = {
        tying.tag_of(house, caller.organisation, name) for name in intake.adversary_institutions
    }
    today = house.now().date()
    people = {uuid7(): _person(house.codes, known, today) for known in intake.defenders}
    agency = caller.organisation
    case_file_id = uuid7()
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
    facts = CaseFileFacts(agency, int(intake.sensitivity), False, False)
    verdict = house.gate.change(who, Action.OPEN_CASE_FILE, facts)
    if not isinstance(verdict, Allowed):
        refusal = Touched(Decision.REFUSED, None, verdict.reason, _COMPARTMENTS, (), ())
        await house.ledger.append(
            event_of(
                house,
                caller,
                Action.OPEN_CASE_FILE,
                Decision.REFUSED,
                (refusal,),
                agencies=(agency,),
                code=NotAllowed.code,
            )
        )
        raise NotAllowed
    now = house.now()
    assignment_id = uuid7()
    batch = Batch(
        {case_file_id: sealed_values},
        people,
        [(case_file_id, person, position) for position, person in enumerate(people)],
        [
            {
                "id": assignment_id,
                "case_file": case_file_id,
                "member": caller.member,
                "assigned_by": None,
                "starts_at": now,
                "ends_at": now + INTAKE_ASSIGNMENT,
                "ended_at": None,
            }
        ],
        triage=[] if asked is None else [asked.row(case_file_id, caller.member, now)],
    )

    async def do(intent: int) -> None:
        sealed = await seal_batch(house, agency, batch)
        async with house.records.change() as change:
            again = await rights.caseworker(house, change, caller)
            if house.gate.change(again, Action.OPEN_CASE_FILE, facts) != verdict:
                raise NotAllowed
            reference = await case_files.next_reference(change, agency, now.year)
            columns = {
                **clear,
                "reference": reference,
                "status": CaseStatus.INTAKE.value,
                "opened_on": now.date(),
                "respond_by": now + house.codes.clocks[_CLOCK[urgency]].length,
                "measure_kinds": [],
            }
            await write_batch(house, change, agency, sealed, {case_file_id: columns}, intent)
            await ties.insert_tags(
                change,
                [{"agency": agency, "tag": tag, "case_file": case_file_id} for tag in tags],
            )

    touched = Touched(
        Decision.ALLOWED,
        verdict.ground,
        None,
        _COMPARTMENTS,
        _FIELDS if asked is None else (*_FIELDS, *TRIAGE_FIELDS),
        (
            (RecordKind.CASE_FILE, case_file_id, 1),
            *((RecordKind.DEFENDER, person, 1) for person in people),
            (RecordKind.ASSIGNMENT, assignment_id, 0),
            (RecordKind.MEMBER, caller.member, 0),
        ),
    )
    await recorded(
        house,
        event_of(
            house, caller, Action.OPEN_CASE_FILE, Decision.ALLOWED, (touched,), agencies=(agency,)
        ),
        do,
    )
    return Opened(case_file_id, urgency, None if asked is None else asked.proposal)


def _triaged(codes: CodeLists, intake: Intake) -> tuple[Urgency, Triaged | None]:
    """Give the urgency of the case file, and what triage came to, where there was one."""
    if intake.triage is None:
        if intake.urgency is None:
            raise ValueInvalid
        return intake.urgency, None
    kinds = {*intake.incident_kinds, *(["sexual_violence"] if intake.sexual_violence_forms else [])}
    categories = {category for one in intake.defenders for category in one.categories}
    asked = triaged(codes, intake.triage, intake.urgency, kinds, categories)
    return asked.urgency, asked


#: Urgency -> the clock of the first response.
_CLOCK = {urgency: f"first_response_{urgency.value}" for urgency in Urgency}


def _checked(codes: CodeLists, intake: Intake) -> tuple[dict[str, Any], dict[str, Value]]:
    """Check what is said of the case file: its columns in clear, and those to be sealed."""
    if not 1 <= len(intake.defenders) <= DEFENDERS_MOST:
        raise ValueInvalid
    if not codes.has("provinces", intake.province):
        raise ValueInvalid
    violence, forms = values.parted(codes, "sexual_violence_forms", intake.sexual_violence_forms)
    institutions = values.lines(intake.adversary_institutions)
    kinds, hidden = values.parted(codes, "incident_kinds", intake.incident_kinds)
    return (
        {
            "sensitivity": int(intake.sensitivity),
            "province": intake.province,
            "incident_kinds": sorted({*kinds, *violence}),
            "adversary_kinds": values.codes_of(codes, "adversary_kinds", intake.adversary_kinds),
        },
        {
            "account": None if intake.account is None else values.text(intake.account),
            # A kind that may not stand in clear is kept here, beside its forms.
            "sexual_violence_forms": sorted({*forms, *hidden}),
            "adversary_institutions": institutions,
        },
    )


def _person(codes: CodeLists, known: KnownDefender, today: date) -> NewDefender:
    if not known.values:
        raise ValueInvalid  # An alias or a phone is enough; nothing at all is nobody.
    clear, sealed = values.parted(codes, "defender_categories", known.categories)
    return NewDefender(
        clear, {**values.defender_values(known.values, today), "sealed_categories": sealed}
    )
