"""The words of the domain, as types. It imports nothing of ours and holds no behaviour.

Members of each enumeration are in alphabetical order unless the order means
something; a retired value stays, marked, because old events name it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NewType
from uuid import UUID

#: Slug of an organisation: an agency ("komnas-ham") or a partner. Agencies are
#: data, not an enumeration: a fourth one is a policy file, a key and a row.
Organisation = NewType("Organisation", str)

#: What a DPoP proof may be signed with (RFC 9449). No RSA: who sends the proof chooses its
#: key, and could make us work with one as large as a header holds.
DPOP_ALGORITHMS = ("ES256", "Ed25519", "EdDSA")

MemberId = NewType("MemberId", UUID)
CaseFileId = NewType("CaseFileId", UUID)
DefenderId = NewType("DefenderId", UUID)
AssignmentId = NewType("AssignmentId", UUID)
AdversaryId = NewType("AdversaryId", UUID)
BreakGlassId = NewType("BreakGlassId", UUID)
ConsentId = NewType("ConsentId", UUID)
MatchId = NewType("MatchId", UUID)
ClosingId = NewType("ClosingId", UUID)
DelegationId = NewType("DelegationId", UUID)
EmergencyProtectionId = NewType("EmergencyProtectionId", UUID)
ErasureId = NewType("ErasureId", UUID)
IncidentId = NewType("IncidentId", UUID)
LegalHoldId = NewType("LegalHoldId", UUID)
MeasureId = NewType("MeasureId", UUID)
MergeId = NewType("MergeId", UUID)
NoteId = NewType("NoteId", UUID)
PlanStepId = NewType("PlanStepId", UUID)
ReferralId = NewType("ReferralId", UUID)
ReleaseId = NewType("ReleaseId", UUID)
RequirementId = NewType("RequirementId", UUID)
TieId = NewType("TieId", UUID)


class Compartment(StrEnum):
    """A group of sealed fields with one key and one need-to-know rule."""

    ADVERSARY = "adversary"
    CONTACT = "contact"
    DOCUMENTS = "documents"
    GENDER_VIOLENCE = "gender_violence"
    IDENTITY = "identity"
    NARRATIVE = "narrative"
    RELEASE = "release"
    WHEREABOUTS = "whereabouts"


class Purpose(StrEnum):
    """Why a record is opened. Declared with every request, written in every event."""

    ASSESSMENT = "assessment"
    EMERGENCY = "emergency"
    INTAKE = "intake"
    PROTECTION = "protection"
    QUALITY_REVIEW = "quality_review"
    REFERRAL = "referral"
    SUBJECT_REQUEST = "subject_request"
    SUPERVISION = "supervision"


class LegalBasis(StrEnum):
    """Why the processing is lawful (UU PDP 27/2022, art. 20)."""

    CONSENT = "consent"
    LEGAL_DUTY = "legal_duty"
    PUBLIC_TASK = "public_task"
    VITAL_INTEREST = "vital_interest"


class Role(StrEnum):
    """What a member does in its organisation."""

    AGENCY_LEAD = "agency_lead"
    CASE_OFFICER = "case_officer"
    INTAKE_OFFICER = "intake_officer"
    OPERATOR = "operator"
    PARTNER = "partner"
    PROTECTION_OFFICER = "protection_officer"
    SECURITY_OFFICER = "security_officer"
    SUPERVISOR = "supervisor"


#: The roles that do casework; no other role has a ground on a sealed field.
CASEWORK_ROLES = frozenset(
    {
        Role.AGENCY_LEAD,
        Role.CASE_OFFICER,
        Role.INTAKE_OFFICER,
        Role.PROTECTION_OFFICER,
        Role.SUPERVISOR,
    }
)


class Sensitivity(IntEnum):
    """How much harm a leak would do; a clearance is a value of the same scale."""

    LOW = 1
    MODERATE = 2
    HIGH = 3
    EXTREME = 4


class Urgency(StrEnum):
    """How fast the first response must come, fastest first."""

    IMMEDIATE = "immediate"
    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"


class Language(StrEnum):
    """The languages of papers, as BCP 47 names them."""

    EN = "en"
    ID = "id"


class CaseFileOrder(StrEnum):
    """The orders of a list of case files; each ends with the id, so that it is total."""

    MOST_URGENT = "most_urgent"
    NEWEST = "newest"
    OLDEST = "oldest"
    REFERENCE = "reference"


class CaseStatus(StrEnum):
    """Where a case file stands, in the order of its life."""

    INTAKE = "intake"
    TRIAGE = "triage"
    ACTIVE = "active"
    MONITORING = "monitoring"
    CLOSED = "closed"


class Happened(StrEnum):
    """What the timeline of a case file tells."""

    ASSIGNED = "assigned"
    CLOSING_DECLINED = "closing_declined"
    CLOSING_REQUESTED = "closing_requested"
    INCIDENT_CORRECTED = "incident_corrected"
    INCIDENT_RECORDED = "incident_recorded"
    NOTE_ADDED = "note_added"
    OPENED = "opened"
    REFERRED = "referred"
    RISK_ASSESSED = "risk_assessed"
    STATUS_CHANGED = "status_changed"


class Ground(StrEnum):
    """The reason in the policy for which something was disclosed or allowed."""

    ADDRESSEE = "addressee"
    ASSIGNED = "assigned"
    BREAK_GLASS = "break_glass"
    DELEGATED = "delegated"
    MANDATED = "mandated"
    OVERSIGHT = "oversight"
    OWN_AGENCY = "own_agency"
    REFERRAL_ACCEPTED = "referral_accepted"
    SUPERVISING = "supervising"


class Reason(StrEnum):
    """Why something was withheld."""

    CASE_FILE_CLOSED = "case_file_closed"
    CLEARANCE_TOO_LOW = "clearance_too_low"
    COMPARTMENT_NOT_HELD = "compartment_not_held"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    ERASED = "erased"
    LOG_NOT_WITNESSED = "log_not_witnessed"
    NOT_ASSIGNED = "not_assigned"
    NOT_IN_REACH = "not_in_reach"
    OPENINGS_EXHAUSTED = "openings_exhausted"
    PURPOSE_DOES_NOT_FIT = "purpose_does_not_fit"
    ROLE_DOES_NOT_FIT = "role_does_not_fit"
    SEAL_BROKEN = "seal_broken"


class ErasureReason(StrEnum):
    """Why a record is to be erased (UU PDP 27/2022, art. 43)."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    PURPOSE_ENDED = "purpose_ended"
    SUBJECT_REQUEST = "subject_request"
    UNLAWFUL = "unlawful"


class BreakGlassReason(StrEnum):
    """Why somebody opens what is closed to them: each is a danger that cannot wait."""

    ASSIGNEE_UNREACHABLE = "assignee_unreachable"
    CONTACT_LOST = "contact_lost"
    EVACUATION = "evacuation"
    LIFE_IN_DANGER = "life_in_danger"
    MEDICAL_EMERGENCY = "medical_emergency"


class BreakGlassFinding(StrEnum):
    """What another agency found when it reviewed a break-glass use."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
    TOO_BROAD = "too_broad"


class ConsentForm(StrEnum):
    """How a defender gave a consent."""

    ORAL_WITNESSED = "oral_witnessed"
    RECORDED = "recorded"
    WRITTEN = "written"


class DeclineReason(StrEnum):
    """Why an agency does not take up what was referred to it."""

    CONFLICT_OF_INTEREST = "conflict_of_interest"
    INFORMATION_MISSING = "information_missing"
    NO_CAPACITY = "no_capacity"
    OUTSIDE_MANDATE = "outside_mandate"


class EmergencyGround(StrEnum):
    """Why protection cannot wait for its papers."""

    LEGAL_PROCESS = "legal_process"
    THREAT_TO_LIFE = "threat_to_life"


class EmergencyState(StrEnum):
    """Where an emergency protection stands, in the order of its life."""

    PROPOSED = "proposed"
    RUNNING = "running"
    ABOUT_TO_LAPSE = "about_to_lapse"
    RATIFIED = "ratified"
    REJECTED = "rejected"
    LAPSED = "lapsed"


class MeasureStatus(StrEnum):
    """Where a measure stands, in the order of its life."""

    REQUESTED = "requested"
    APPROVED = "approved"
    RUNNING = "running"
    ENDED = "ended"


class HoldReason(StrEnum):
    """Why a record must be kept whoever asks for its erasure (UU PDP 27/2022, art. 44)."""

    COURT_PROCEEDING = "court_proceeding"
    DISPUTE = "dispute"
    INVESTIGATION = "investigation"
    RETENTION_DUTY = "retention_duty"


class AlertKind(StrEnum):
    """What is told: a deadline comes soon or has passed, or another agency knows a person."""

    DUE = "due"
    MATCH = "match"
    OVERDUE = "overdue"


class LeadObstacle(StrEnum):
    """What an agency must end before another one leads the case file in its place."""

    CLOSING = "closing"
    DEFENDER = "defender"
    EMERGENCY_PROTECTION = "emergency_protection"
    ERASURE = "erasure"
    LEGAL_HOLD = "legal_hold"
    MEASURE = "measure"
    MERGE = "merge"
    PLAN_STEP = "plan_step"
    REFERRAL = "referral"
    REQUIREMENT = "requirement"


class OverrideReason(StrEnum):
    """Why somebody is referred without their consent, in their vital interest."""

    CANNOT_BE_ASKED = "cannot_be_asked"
    CANNOT_DECIDE = "cannot_decide"
    LIFE_IN_DANGER = "life_in_danger"


class MatchReason(StrEnum):
    """Why an agency asks another one whether it knows a person, too."""

    CONTACT_LOST = "contact_lost"
    JOINT_PROTECTION = "joint_protection"
    LIFE_IN_DANGER = "life_in_danger"
    SAME_COMPLAINT = "same_complaint"


class MatchAnswer(StrEnum):
    """What the agency that was asked does about a person it knows. Only the first is told."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"
    REFER = "refer"


class MatchState(StrEnum):
    """What the agency that asked is told, in the order of its life."""

    SENT = "sent"
    LINKED = "linked"


class MergeState(StrEnum):
    """Where a merge of two records of one person stands, in the order of its life."""

    WAITING = "waiting"
    STANDS = "stands"
    UNDONE = "undone"


class TieKind(StrEnum):
    """How somebody is tied to a reported adversary."""

    BUSINESS = "business"
    FAMILY = "family"
    SAME_INSTITUTION = "same_institution"


class Statistic(StrEnum):
    """What case files are counted by, over all agencies."""

    DEFENDER_CATEGORY = "defender_category"
    INCIDENT_KIND = "incident_kind"
    LEAD_AGENCY = "lead_agency"
    PROVINCE = "province"
    RESPONSE_BY_AGENCY = "response_by_agency"
    RESPONSE_BY_URGENCY = "response_by_urgency"
    URGENCY = "urgency"


class Responded(StrEnum):
    """How the first response to a case file compares with its deadline."""

    MET = "met"
    LATE = "late"
    OPEN = "open"


class TriageAnswer(StrEnum):
    """What was answered to a question of triage; what was not asked is unknown."""

    NO = "no"
    UNKNOWN = "unknown"
    YES = "yes"


class LoweringReason(StrEnum):
    """Why a case file was opened as less urgent than its triage proposes."""

    ALREADY_PROTECTED = "already_protected"
    ANSWERS_DOUBTFUL = "answers_doubtful"
    DANGER_PASSED = "danger_passed"
    PERSON_ASKS = "person_asks"


class EpochReason(StrEnum):
    """Why the access log goes on from an older copy of itself."""

    DISK_FAILURE = "disk_failure"
    OPERATING_ERROR = "operating_error"
    SIGNER_LOST = "signer_lost"
    SITE_LOST = "site_lost"
    TAMPERING = "tampering"


class Action(StrEnum):
    """What an event is about."""

    ACCEPT_LEAD = "accept_lead"
    ACCEPT_REFERRAL = "accept_referral"
    ADD_ATTACHMENT = "add_attachment"
    ADD_KEYS = "add_keys"
    ADD_NOTE = "add_note"
    ADD_PLAN_STEP = "add_plan_step"
    ADVANCE_CASE_FILE = "advance_case_file"
    ALERT = "alert"
    ANSWER_MATCH = "answer_match"
    APPROVE_BREAK_GLASS = "approve_break_glass"
    APPROVE_CLOSING = "approve_closing"
    APPROVE_EMERGENCY_PROTECTION = "approve_emergency_protection"
    APPROVE_ERASURE = "approve_erasure"
    APPROVE_LOOK = "approve_look"
    APPROVE_MEASURE = "approve_measure"
    APPROVE_MERGE = "approve_merge"
    ASSESS_RISK = "assess_risk"
    ASSIGN_CASEWORKER = "assign_caseworker"
    BACK_UP_KEYS = "back_up_keys"
    BREAK_GLASS = "break_glass"
    CHANGE_LOG_KEY = "change_log_key"
    CLOCK_STEP = "clock_step"
    COMPLETE_PLAN_STEP = "complete_plan_step"
    CORRECT_INCIDENT = "correct_incident"
    CREATE_KEYS = "create_keys"
    CREATE_LOG_KEY = "create_log_key"
    DECLARE_TIE = "declare_tie"
    DECLINE_CLOSING = "decline_closing"
    DECLINE_ERASURE = "decline_erasure"
    DECLINE_REFERRAL = "decline_referral"
    DELEGATE_CASE_FILE = "delegate_case_file"
    DISABLE_MEMBER = "disable_member"
    END_BREAK_GLASS = "end_break_glass"
    END_DELEGATION = "end_delegation"
    END_MEASURE = "end_measure"
    END_REFERRAL = "end_referral"
    EXPLAIN = "explain"
    EXPORT_LOG = "export_log"
    GIVE_KEYS = "give_keys"
    GRANT_EMERGENCY_PROTECTION = "grant_emergency_protection"
    HAND_OVER_LEAD = "hand_over_lead"
    HEARTBEAT = "heartbeat"
    IMPORT = "import"
    LIFT_LEGAL_HOLD = "lift_legal_hold"
    LINK_RECORD = "link_record"
    LIST = "list"
    LOOK = "look"
    LOOK_UP_MATCH = "look_up_match"
    MEET_REQUIREMENT = "meet_requirement"
    MERGE_DEFENDERS = "merge_defenders"
    NEW_EPOCH = "new_epoch"
    OPEN_CASE_FILE = "open_case_file"
    PLACE_LEGAL_HOLD = "place_legal_hold"
    POLICY_CHANGE = "policy_change"
    PREVIEW_ERASURE = "preview_erasure"
    PREVIEW_LEAD = "preview_lead"
    PROPOSE_LEAD = "propose_lead"
    PROVISION_MEMBER = "provision_member"
    RATIFY_EMERGENCY_PROTECTION = "ratify_emergency_protection"
    READ = "read"
    READ_LOG = "read_log"
    READ_STATISTICS = "read_statistics"
    RECORD_ADVERSARY = "record_adversary"
    RECORD_CONSENT = "record_consent"
    RECORD_INCIDENT = "record_incident"
    REFER_CASE_FILE = "refer_case_file"
    RELEASE = "release"
    RENEW_KEYS = "renew_keys"
    REOPEN_CASE_FILE = "reopen_case_file"
    REPEAT_ERASURE = "repeat_erasure"
    REQUEST_CLOSING = "request_closing"
    REQUEST_ERASURE = "request_erasure"
    REQUEST_LOOK = "request_look"
    REQUEST_MATCH = "request_match"
    REQUEST_MEASURE = "request_measure"
    RESTORE_KEYS = "restore_keys"
    RETIRE_KEYS = "retire_keys"
    REVIEW_ACCESS = "review_access"
    REVIEW_BREAK_GLASS = "review_break_glass"
    REVIEW_OVERRIDE = "review_override"
    ROTATE_DATA_KEYS = "rotate_data_keys"
    ROTATE_INDEX_KEY = "rotate_index_key"
    ROTATE_KEK = "rotate_kek"
    SEARCH = "search"
    SIGN_IN = "sign_in"
    START = "start"
    START_MEASURE = "start_measure"
    TAKE_KEYS = "take_keys"
    TAKE_LEAD = "take_lead"
    TRUST_ORGANISATION = "trust_organisation"
    UNASSIGN_CASEWORKER = "unassign_caseworker"
    UNDO_MERGE = "undo_merge"
    UPDATE_DEFENDER = "update_defender"
    VERIFY_LOG = "verify_log"
    WITHDRAW_CONSENT = "withdraw_consent"
    WITHDRAW_TIE = "withdraw_tie"


class Phase(StrEnum):
    """Where an event stands in its action: reads are whole, a change has two events."""

    WHOLE = "whole"
    INTENT = "intent"
    OUTCOME = "outcome"


class Decision(StrEnum):
    """What the policy and the log let happen."""

    DISCLOSED = "disclosed"
    WITHHELD = "withheld"
    ALLOWED = "allowed"
    REFUSED = "refused"


class Outcome(StrEnum):
    """How a change ended, said by its outcome event."""

    DONE = "done"
    FAILED = "failed"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


class RecordKind(StrEnum):
    """The kinds of record that an event can name."""

    ADVERSARY = "adversary"
    ALERT = "alert"
    ASSESSMENT = "assessment"
    ASSIGNMENT = "assignment"
    ATTACHMENT = "attachment"
    BREAK_GLASS = "break_glass"
    CASE_FILE = "case_file"
    CLOSING = "closing"
    CONSENT = "consent"
    DEFENDER = "defender"
    DELEGATION = "delegation"
    EMERGENCY_PROTECTION = "emergency_protection"
    ERASURE = "erasure"
    INCIDENT = "incident"
    LEGAL_HOLD = "legal_hold"
    LOOK = "look"
    MATCH = "match"
    MEASURE = "measure"
    MEMBER = "member"
    MERGE = "merge"
    NOTE = "note"
    PLAN_STEP = "plan_step"
    REASON = "reason"
    REFERRAL = "referral"
    RELEASE = "release"
    REQUIREMENT = "requirement"
    STEP = "step"
    TIE = "tie"


class ReferralState(StrEnum):
    """Where a referral stands, in the order of its life."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request, proven by a token and a live member row.

    Attributes:
        member: id of the row; the pseudonym under which the log knows the person.
        purpose: declared for this request; None until one is needed.
        acr: how the issuer says that the person signed in; None where it does not say.
        auth_time: when, likewise, in UTC.
        signed_in_until: when the token ends, in UTC; None: nothing is told after the answer.
    """

    member: MemberId
    organisation: Organisation
    role: Role
    purpose: Purpose | None
    basis: LegalBasis | None
    request: str
    acr: str | None = None
    auth_time: datetime | None = None
    signed_in_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caseworker(Caller):
    """A member of an agency who works on case files."""


@dataclass(frozen=True, slots=True)
class Partner(Caller):
    """A person of an external partner: receives releases, nothing else."""


@dataclass(frozen=True, slots=True)
class SecurityOfficer(Caller):
    """Reads the access log of the own agency, never a sealed field."""


@dataclass(frozen=True, slots=True)
class Operator(Caller):
    """Runs the service; reads neither records nor the log."""


#: Purpose -> the legal basis that stands where the caller names none.
DEFAULT_BASIS = {
    Purpose.ASSESSMENT: LegalBasis.PUBLIC_TASK,
    Purpose.EMERGENCY: LegalBasis.VITAL_INTEREST,
    Purpose.INTAKE: LegalBasis.PUBLIC_TASK,
    Purpose.PROTECTION: LegalBasis.PUBLIC_TASK,
    Purpose.QUALITY_REVIEW: LegalBasis.PUBLIC_TASK,
    Purpose.REFERRAL: LegalBasis.CONSENT,
    Purpose.SUBJECT_REQUEST: LegalBasis.LEGAL_DUTY,
    Purpose.SUPERVISION: LegalBasis.PUBLIC_TASK,
}
