"""The words of the domain, as types. It imports nothing of ours and holds no behaviour.

Members of each enumeration are in alphabetical order unless the order means
something; a retired value stays, marked, because old events name it.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType
from uuid import UUID

#: Slug of an organisation: an agency ("komnas-ham") or a partner. Agencies are
#: data, not an enumeration: a fourth one is a policy file, a key and a row.
Organisation = NewType("Organisation", str)

MemberId = NewType("MemberId", UUID)
CaseFileId = NewType("CaseFileId", UUID)
DefenderId = NewType("DefenderId", UUID)
AssignmentId = NewType("AssignmentId", UUID)
NoteId = NewType("NoteId", UUID)
ReleaseId = NewType("ReleaseId", UUID)


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


class Ground(StrEnum):
    """The reason in the policy for which something was disclosed or allowed."""

    ADDRESSEE = "addressee"
    ASSIGNED = "assigned"
    OVERSIGHT = "oversight"
    OWN_AGENCY = "own_agency"
    SUPERVISING = "supervising"


class Reason(StrEnum):
    """Why something was withheld."""

    CLEARANCE_TOO_LOW = "clearance_too_low"
    COMPARTMENT_NOT_HELD = "compartment_not_held"
    NOT_ASSIGNED = "not_assigned"
    NOT_IN_REACH = "not_in_reach"
    PURPOSE_DOES_NOT_FIT = "purpose_does_not_fit"
    ROLE_DOES_NOT_FIT = "role_does_not_fit"
    SEAL_BROKEN = "seal_broken"


class Action(StrEnum):
    """What an event is about."""

    ADD_NOTE = "add_note"
    ASSIGN_CASEWORKER = "assign_caseworker"
    DISABLE_MEMBER = "disable_member"
    IMPORT = "import"
    LIST = "list"
    OPEN_CASE_FILE = "open_case_file"
    PROVISION_MEMBER = "provision_member"
    READ = "read"
    READ_LOG = "read_log"
    RELEASE = "release"
    SEARCH = "search"
    SIGN_IN = "sign_in"
    START = "start"
    UNASSIGN_CASEWORKER = "unassign_caseworker"
    UPDATE_DEFENDER = "update_defender"


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

    ASSIGNMENT = "assignment"
    CASE_FILE = "case_file"
    DEFENDER = "defender"
    MEMBER = "member"
    NOTE = "note"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request, proven by a token and a live member row.

    Attributes:
        member: id of the row; the pseudonym under which the log knows the person.
        purpose: declared for this request; None until one is needed.
    """

    member: MemberId
    organisation: Organisation
    role: Role
    purpose: Purpose | None
    basis: LegalBasis | None
    request: str


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
