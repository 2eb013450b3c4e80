from datetime import date, datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import (
    BreakGlassReason,
    CaseStatus,
    Compartment,
    LoweringReason,
    OverrideReason,
    Purpose,
    TriageAnswer,
    Urgency,
)


class AddNoteInput(BaseModel):
    """A note on a case file."""

    case_file_id: str = Field(alias="caseFileId")
    "Id of the case file."
    body: str
    "The text, up to 20,000 characters; sealed."


class BreakGlassInput(BaseModel):
    """What is to be unlocked for you, and why it cannot wait."""

    case_file_id: str = Field(alias="caseFileId")
    "Id of the case file."
    reason: BreakGlassReason
    "The danger, as a code."
    compartments: list[Compartment]
    "What you need, 1 to 7; nothing else opens."
    text: Optional[str] = None
    "Why, in your own words, 1 to 2,000 characters; read by whoever may open the narrative of the case file, and erased with the record. Needed where your agency leads the case file, and left out where another one does, which alone could keep it."


class CaseFileFilter(BaseModel):
    """What narrows a list of case files; all that is given must hold."""

    status: Optional[list[CaseStatus]] = None
    "Any of these."
    urgency: Optional[list[Urgency]] = None
    "Any of these."
    lead_agency: Optional[str] = Field(alias="leadAgency", default=None)
    "Slug of the agency."
    province: Optional[str] = None
    "Code of the province, two digits."
    assigned_to_me: Optional[bool] = Field(alias="assignedToMe", default=None)
    "true: only those to which you are assigned."
    reference: Optional[str] = None
    "A whole reference, or a text anywhere in it, in any case."


class ConsentOverrideInput(BaseModel):
    """Why somebody is referred without their consent."""

    reason: OverrideReason
    "Why, as a code."
    text: str
    "Why, in words of at most 2,000 characters; sealed with the case file."


class DefenderInput(BaseModel):
    """What is known of a defender. All of it is sealed but categories."""

    full_name: Optional[str] = Field(alias="fullName", default=None)
    "Full name."
    aliases: Optional[list[str]] = None
    "Other names."
    nik: Optional[str] = None
    "NIK, 16 digits."
    family_card: Optional[str] = Field(alias="familyCard", default=None)
    "KK, 16 digits."
    date_of_birth: Optional[date] = Field(alias="dateOfBirth", default=None)
    "Date of birth."
    gender: Optional[str] = None
    "As the person states it."
    nationality: Optional[str] = None
    "Nationality."
    phones: Optional[list[str]] = None
    "Telephone numbers, as 0812..., 62812... or +62812..."
    emails: Optional[list[str]] = None
    "E-mail addresses."
    home_address: Optional[str] = Field(alias="homeAddress", default=None)
    "Home address."
    present_location: Optional[str] = Field(alias="presentLocation", default=None)
    "Where the person is now."
    categories: Optional[list[str]] = None
    "Codes of the list defender_categories."


class OpenCaseFileInput(BaseModel):
    """A new case file."""

    urgency: Optional[Urgency] = None
    "How fast the first response must come; left out: what `triage` asks for. One of the two must be there."
    sensitivity: int
    "1 (low) to 4 (extreme)."
    province: str
    "Code of the province, two digits."
    defenders: list["DefenderInput"]
    "The persons at risk, 1 to 20; an alias and a phone are enough."
    incident_kinds: Optional[list[str]] = Field(alias="incidentKinds", default=None)
    "Codes of the list incident_kinds."
    adversary_kinds: Optional[list[str]] = Field(alias="adversaryKinds", default=None)
    "Codes of the list adversary_kinds."
    sexual_violence_forms: Optional[list[str]] = Field(
        alias="sexualViolenceForms", default=None
    )
    "Codes of the list sexual_violence_forms; sealed."
    adversary_institutions: Optional[list[str]] = Field(
        alias="adversaryInstitutions", default=None
    )
    "Names of the institutions that are reported as adversaries, at most 20; sealed. Who is tied to one of them is kept out."
    account: Optional[str] = None
    "What happened, up to 20,000 characters; sealed."
    triage: Optional["TriageInput"] = None
    "What was answered at the door; see the query `triage`."


class ReferCaseFileInput(BaseModel):
    """What is referred, to whom, for what and until when."""

    case_file_id: str = Field(alias="caseFileId")
    "Id of a case file you lead."
    recipient: str
    "Slug of another agency."
    purpose: Purpose
    "What the recipient is asked for."
    compartments: list[Compartment]
    "What is shared of the case file and its defenders; only what you may open."
    until: datetime
    "When it ends by itself, with its zone, at most 366 days ahead."
    override: Optional["ConsentOverrideInput"] = None
    "In place of consents, in the vital interest of who is referred: counts only with the header 'Perisai-Legal-Basis: vital_interest', and is listed for a second person's review."


class ReferralInput(BaseModel):
    """Which referral."""

    referral_id: str = Field(alias="referralId")
    "Id of the referral."


class TriageAnswerInput(BaseModel):
    """One answer of a triage."""

    question: str
    "Code of the question; see `triage`."
    answer: TriageAnswer
    "What was answered."


class TriageInput(BaseModel):
    """What was asked at the door, and what the person asks for."""

    answers: list["TriageAnswerInput"]
    "One for each question that was asked; all others count as UNKNOWN. Sealed."
    needs: Optional[list[str]] = None
    "Codes of the list measure_kinds that the person asks for. They serve to propose agencies, and are not kept."
    lowered_because: Optional[LoweringReason] = Field(
        alias="loweredBecause", default=None
    )
    "Why `urgency` is lower than the answers ask for; only where it is."


OpenCaseFileInput.model_rebuild()
ReferCaseFileInput.model_rebuild()
TriageInput.model_rebuild()
