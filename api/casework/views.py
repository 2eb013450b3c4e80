"""What leaves casework: plain objects whose withheld fields are None and named.

Only what was asked for is set; the rest stays None and is never read.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from api.vocabulary import CaseStatus, Compartment, Reason, Urgency


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
    withheld: list[Withheld] = field(init=False)


@dataclass
class NoteView:
    """A note on a case file."""

    id: UUID
    author: UUID
    written_at: datetime
    body: str | None = field(default=None, repr=False)


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
    assigned_to_me: bool = field(default=False, init=False)
    defenders: list[DefenderView] = field(init=False)
    notes: list[NoteView] = field(init=False)
    withheld: list[Withheld] = field(init=False)


#: What a caller can do about each reason.
HOW_TO_ASK = {
    Reason.CLEARANCE_TOO_LOW: (
        "The case file is more sensitive than your clearance. Ask your agency lead."
    ),
    Reason.COMPARTMENT_NOT_HELD: (
        "This compartment is open to fewer people. Ask a colleague of the team that holds it."
    ),
    Reason.NOT_ASSIGNED: (
        "You are not assigned to this case file. Ask its supervisor to assign you."
    ),
    Reason.NOT_IN_REACH: "This record is not within your reach.",
    Reason.PURPOSE_DOES_NOT_FIT: (
        "The purpose that you declared does not open this. Declare the one you work for."
    ),
    Reason.ROLE_DOES_NOT_FIT: "Your role does not open this. Ask the supervisor of the case file.",
    Reason.SEAL_BROKEN: "The sealed value does not hold. Tell your security officer.",
}
