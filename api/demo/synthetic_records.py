"""The invented records of the demo, as plain values: what api.demo.synthetic makes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from api.vocabulary import (
    AssignmentId,
    CaseFileId,
    CaseStatus,
    ConsentForm,
    ConsentId,
    DefenderId,
    MemberId,
    NoteId,
    Organisation,
    Purpose,
    ReleaseId,
    Role,
    Sensitivity,
    Urgency,
)


@dataclass(frozen=True, slots=True)
class SyntheticOrganisation:
    """An agency or a partner; `kind` is "agency" or "partner"."""

    slug: Organisation
    kind: str
    name: str
    reference_prefix: str | None


@dataclass(frozen=True, slots=True)
class SyntheticMember:
    """A person with an account; `trained`: for work with gender-based violence."""

    id: MemberId
    organisation: Organisation
    subject: str
    name: str
    role: Role
    clearance: Sensitivity
    trained: bool
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SyntheticDefender:
    """A person at risk; `categories` may stand in clear, all from `full_name` on is sealed."""

    id: DefenderId
    agency: Organisation
    categories: tuple[str, ...]
    full_name: str
    aliases: tuple[str, ...]
    nik: str | None
    family_card: str | None
    date_of_birth: date | None
    gender: str
    nationality: str
    sealed_categories: tuple[str, ...]
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    home_address: str | None
    present_location: str | None


@dataclass(frozen=True, slots=True)
class SyntheticCaseFile:
    """A case file; the kinds are those that may stand in clear, the account is sealed.

    Attributes:
        sexual_violence_forms: codes, for the compartment gender_violence.
        defenders: in the order of the file.
    """

    id: CaseFileId
    reference: str
    lead_agency: Organisation
    status: CaseStatus
    urgency: Urgency
    sensitivity: Sensitivity
    province: str
    opened_on: date
    respond_by: datetime
    incident_kinds: tuple[str, ...]
    adversary_kinds: tuple[str, ...]
    measure_kinds: tuple[str, ...]
    sexual_violence_forms: tuple[str, ...]
    account: str
    defenders: tuple[DefenderId, ...]


@dataclass(frozen=True, slots=True)
class SyntheticAssignment:
    """A need-to-know; live where starts_at <= now < ends_at and it was not ended."""

    id: AssignmentId
    case_file: CaseFileId
    member: MemberId
    assigned_by: MemberId
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class SyntheticNote:
    """A note of a caseworker; the body is sealed."""

    id: NoteId
    case_file: CaseFileId
    author: MemberId
    written_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class SyntheticConsent:
    """What a defender agreed to be told to every agency; what is not named was not asked."""

    id: ConsentId
    defender: DefenderId
    case_file: CaseFileId
    purpose: Purpose
    until: datetime
    form: ConsentForm
    recorded_by: MemberId
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SyntheticRelease:
    """What a partner is to receive of a case file; `summary` names nobody.

    Attributes:
        requested: measure kinds that the partner is asked to provide.
    """

    id: ReleaseId
    case_file: CaseFileId
    partner: Organisation
    agency: Organisation
    purpose: Purpose
    until: datetime
    revoked_at: datetime | None
    summary: str
    requested: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synthetic:
    """All records of a demo.

    Attributes:
        open_to_sari: a case file of Komnas HAM to which SARI is assigned.
        closed_to_sari: one to which she is not; both have a defender of whom all is known.
    """

    organisations: tuple[SyntheticOrganisation, ...]
    members: tuple[SyntheticMember, ...]
    defenders: tuple[SyntheticDefender, ...]
    case_files: tuple[SyntheticCaseFile, ...]
    assignments: tuple[SyntheticAssignment, ...]
    notes: tuple[SyntheticNote, ...]
    releases: tuple[SyntheticRelease, ...]
    consents: tuple[SyntheticConsent, ...]
    open_to_sari: CaseFileId
    closed_to_sari: CaseFileId

    def member(self, subject: str) -> SyntheticMember:
        """Return the member with this subject; no two organisations share one."""
        return next(member for member in self.members if member.subject == subject)

    def plaintexts(self) -> Iterator[str]:
        """Yield the sealed texts that are long and rare enough to search for in a leak test."""
        for person in self.defenders:
            yield from (person.full_name, *person.aliases, *person.phones, *person.emails)
            known = (person.nik, person.family_card, person.home_address, person.present_location)
            yield from (text for text in known if text is not None)
        yield from (case_file.account for case_file in self.case_files)
        yield from (note.body for note in self.notes)
        yield from (release.summary for release in self.releases)


def new_id(random: Random, day: date) -> UUID:
    """Return a UUID version 7 (RFC 9562, 5.7) of *day*; the same draws give the same id."""
    milliseconds = round(midnight(day).timestamp() * 1000)
    head = milliseconds << 80 | 0x7 << 76 | random.getrandbits(12) << 64
    return UUID(int=head | 0b10 << 62 | random.getrandbits(62))


def midnight(day: date) -> datetime:
    """Return the first instant of *day*, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
