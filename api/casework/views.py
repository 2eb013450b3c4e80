"""What leaves casework: plain objects whose withheld fields are None and named.

Only what was asked for is set; the rest stays None and is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from api.casework.protection_views import EmergencyView, MeasureView, PlanStepView
from api.vocabulary import (
    CaseStatus,
    Compartment,
    ConsentForm,
    Happened,
    LoweringReason,
    Purpose,
    Reason,
    TriageAnswer,
    Urgency,
)


@dataclass(frozen=True, slots=True)
class Withheld:
    """One field that the caller asked for and did not get.

    Attributes:
        field: its name in the schema.
        reason: why.
        how_to_ask: a sentence that says what the caller can do about it.
    """

    field: str
    compartment: Compartment
    reason: Reason
    how_to_ask: str


@dataclass
class DefenderView:
    """A defender as far as one caller may see it."""

    id: UUID
    revision: int
    agency: str | None = field(default=None, init=False)
    categories: list[str] | None = field(default=None, init=False)
    full_name: str | None = field(default=None, init=False, repr=False)
    aliases: list[str] | None = field(default=None, init=False, repr=False)
    nik: str | None = field(default=None, init=False, repr=False)
    family_card: str | None = field(default=None, init=False, repr=False)
    date_of_birth: date | None = field(default=None, init=False, repr=False)
    gender: str | None = field(default=None, init=False, repr=False)
    nationality: str | None = field(default=None, init=False, repr=False)
    sealed_categories: list[str] | None = field(default=None, init=False, repr=False)
    phones: list[str] | None = field(default=None, init=False, repr=False)
    emails: list[str] | None = field(default=None, init=False, repr=False)
    home_address: str | None = field(default=None, init=False, repr=False)
    present_location: str | None = field(default=None, init=False, repr=False)
    merged_into: UUID | None = field(default=None, init=False)
    merged_from: Sequence[UUID] = field(default=(), init=False)
    withheld: list[Withheld] = field(init=False)


@dataclass
class NoteView:
    """A note on a case file."""

    id: UUID
    author: UUID
    written_at: datetime
    body: str | None = field(default=None, repr=False)


@dataclass
class ReasonView:
    """Why somebody changed something, in words; *event* is the index of the intent."""

    id: UUID
    record: UUID
    author: UUID
    written_at: datetime
    event: int
    text: str | None = field(default=None, repr=False)
    opening: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A question of triage, by its code, and what was answered."""

    question: str
    answer: TriageAnswer


@dataclass
class TriageView:
    """What was answered at the door; *lowered* says why the urgency was set below *proposed*."""

    author: UUID
    written_at: datetime
    proposed: Urgency
    lowered: LoweringReason | None
    answers: list[AnswerView] | None = field(default=None, repr=False)


@dataclass
class AttachmentView:
    """An attachment of a case file, without its bytes."""

    id: UUID
    author: UUID
    written_at: datetime
    name: str | None = field(default=None, repr=False)
    media_type: str | None = field(default=None, repr=False)
    size: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DelegationView:
    """Who handed what of a case file to whom, until when; both by pseudonym."""

    id: UUID
    giver: UUID
    receiver: UUID
    compartments: list[Compartment]
    until: datetime


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What a defender agreed to; *recorded_by* by pseudonym.

    Attributes:
        recipient: slug; None: every agency of the mechanism.
        event: index of the intent that recorded it; its conditions have the same.
        stop_by: by when, after it was withdrawn, its use must have stopped everywhere.
        stands: neither withdrawn nor over.
    """

    id: UUID
    defender: UUID
    recipient: str | None
    compartments: list[Compartment]
    purpose: Purpose
    until: datetime
    form: ConsentForm
    recorded_by: UUID
    recorded_at: datetime
    event: int
    withdrawn_at: datetime | None
    stop_by: datetime | None
    stands: bool


@dataclass(frozen=True, slots=True)
class LookView:
    """A look at whereabouts for which a colleague waits; *requested_by* by pseudonym."""

    id: UUID
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClosingView:
    """A request to close a case file, and how it ended; members by pseudonym."""

    id: UUID
    reason: str
    requested_by: UUID
    requested_at: datetime
    approved_by: UUID | None
    closed_at: datetime | None
    declined_by: UUID | None
    declined_at: datetime | None
    reopened_by: UUID | None
    reopened_at: datetime | None


@dataclass
class IncidentView:
    """A version of an incident; sealed fields None where withheld."""

    id: UUID
    incident_id: UUID
    version: int
    newest: bool
    author: UUID
    written_at: datetime
    kind: str
    happened_from: date
    happened_to: date
    province: str | None
    adversaries: list[UUID]
    incident_account: str | None = field(default=None, repr=False)
    incident_forms: list[str] | None = field(default=None, repr=False)


@dataclass
class AdversaryView:
    """Who threatens, as reported; sealed fields None where withheld."""

    id: UUID
    author: UUID
    written_at: datetime
    kind: str
    adversary_name: str | None = field(default=None, repr=False)
    adversary_institution: str | None = field(default=None, repr=False)
    adversary_unit: str | None = field(default=None, repr=False)
    adversary_relation: str | None = field(default=None, repr=False)


@dataclass
class AssessmentView:
    """An assessment of the risk; its account None where withheld."""

    id: UUID
    author: UUID
    written_at: datetime
    likelihood: int
    impact: int
    urgency: Urgency
    risk_account: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to a case file; members by pseudonym.

    Attributes:
        actor: who did it, if that is told.
        record_id: what it is about: the step, the incident, the referral, ...
        status: to which the case file came, of a step.
        subject: who was assigned.
    """

    at: datetime
    kind: Happened
    actor: UUID | None
    record_id: UUID
    status: CaseStatus | None = None
    subject: UUID | None = None


@dataclass
class CaseFileView:
    """A case file as far as one caller may see it."""

    id: UUID
    revision: int
    sort_key: object = field(repr=False)
    reference: str | None = field(default=None, init=False)
    lead_agency: str | None = field(default=None, init=False)
    status: CaseStatus | None = field(default=None, init=False)
    urgency: Urgency | None = field(default=None, init=False)
    sensitivity: int | None = field(default=None, init=False)
    province: str | None = field(default=None, init=False)
    opened_on: date | None = field(default=None, init=False)
    respond_by: datetime | None = field(default=None, init=False)
    incident_kinds: list[str] | None = field(default=None, init=False)
    adversary_kinds: list[str] | None = field(default=None, init=False)
    measure_kinds: list[str] | None = field(default=None, init=False)
    account: str | None = field(default=None, init=False, repr=False)
    sexual_violence_forms: list[str] | None = field(default=None, init=False, repr=False)
    adversary_institutions: list[str] | None = field(default=None, init=False, repr=False)
    assigned_to_me: bool = field(default=False, init=False)
    defenders: list[DefenderView] = field(init=False)
    notes: list[NoteView] = field(init=False)
    reasons: list[ReasonView] = field(init=False)
    triage: TriageView | None = field(default=None, init=False)
    attachments: list[AttachmentView] = field(init=False)
    delegations: list[DelegationView] = field(init=False)
    looks_waiting: list[LookView] = field(init=False)
    consents: list[ConsentView] = field(init=False)
    closings: list[ClosingView] = field(init=False)
    incidents: list[IncidentView] = field(init=False)
    adversaries: list[AdversaryView] = field(init=False)
    risk_assessments: list[AssessmentView] = field(init=False)
    happened: list[TimelineEntry] = field(init=False)
    measures: list[MeasureView] = field(init=False)
    emergency_protections: list[EmergencyView] = field(init=False)
    plan: list[PlanStepView] = field(init=False)
    withheld: list[Withheld] = field(init=False)


#: What a caller can do about each reason.
HOW_TO_ASK = {
    Reason.CASE_FILE_CLOSED: "The case file is closed. Ask its supervisor to reopen it.",
    Reason.CLEARANCE_TOO_LOW: (
        "The case file is more sensitive than your clearance. Ask your agency lead."
    ),
    Reason.COMPARTMENT_NOT_HELD: (
        "This compartment is open to fewer people. Ask a colleague of the team that holds it."
    ),
    # Who is tied is told of nothing: this never reaches anybody.
    Reason.CONFLICT_OF_INTEREST: "This record is not within your reach.",
    Reason.ERASED: "The record was erased, and nothing of it is left to open. Nobody can give it.",
    Reason.LOG_NOT_WITNESSED: (
        "The access log has no witnesses at the moment, so this opens for nobody. It opens again "
        "by itself; in an emergency take the sealed envelope."
    ),
    Reason.NOT_ASSIGNED: (
        "You are not assigned to this case file. Ask its supervisor to assign you."
    ),
    Reason.NOT_IN_REACH: "This record is not within your reach.",
    Reason.OPENINGS_EXHAUSTED: "More people than an hour allows. Ask for fewer, or wait.",
    Reason.PURPOSE_DOES_NOT_FIT: (
        "The purpose that you declared does not open this. Declare the one you work for."
    ),
    Reason.ROLE_DOES_NOT_FIT: "Your role does not open this. Ask the supervisor of the case file.",
    Reason.SEAL_BROKEN: "The sealed value does not hold. Tell your security officer.",
}
