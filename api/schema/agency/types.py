"""The objects that an agency reads. A protected field is nullable and named in `withheld`.

Resolvers return casework's views as they are: fields are plain attributes of
the same names, so that an answer costs no await per field.
"""

from datetime import date, datetime
from typing import Annotated, cast

import strawberry

from api.casework import case_files
from api.casework.views import CaseFileView
from api.schema import words
from api.schema.agency.protection_types import EmergencyProtection, Measure, PlanStep
from api.vocabulary import (
    CaseStatus,
    Compartment,
    ConsentForm,
    Happened,
    LegalBasis,
    LoweringReason,
    Purpose,
    Reason,
    Role,
    TriageAnswer,
    Urgency,
)

words.define()


@strawberry.type(description="A protected field that was asked for and is null, and why.")
class Withheld:
    """A protected field that was asked for and is null, and why."""

    field: str = strawberry.field(description="The name of the field.")
    compartment: Compartment = strawberry.field(
        description="The compartment in which it is sealed."
    )
    reason: Reason = strawberry.field(description="Why it was withheld.")
    how_to_ask: str = strawberry.field(description="What you can do to be given access.")


@strawberry.type(description="A person at risk for defending human rights.")
class Defender:
    """A person at risk for defending human rights."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    revision: int = strawberry.field(
        description="Counts the changes; send it back with the next one."
    )
    agency: str | None = strawberry.field(description="Slug of the agency that holds the record.")
    categories: list[str] | None = strawberry.field(
        description="Codes of what they defend, as far as these may stand in clear."
    )
    full_name: str | None = strawberry.field(
        description="Full name. Protected; null when withheld."
    )
    aliases: list[str] | None = strawberry.field(
        description="Other names. Protected; null when withheld."
    )
    nik: str | None = strawberry.field(
        description="National identity number (NIK), 16 digits. Protected; null when withheld."
    )
    family_card: str | None = strawberry.field(
        description="Family card number (KK), 16 digits. Protected; null when withheld."
    )
    date_of_birth: date | None = strawberry.field(
        description="Date of birth. Protected; null when withheld."
    )
    gender: str | None = strawberry.field(
        description="Gender as the person states it. Protected; null when withheld."
    )
    nationality: str | None = strawberry.field(
        description="Nationality. Protected; null when withheld."
    )
    sealed_categories: list[str] | None = strawberry.field(
        description=(
            "Categories that may not stand in clear, such as orientation or health. "
            "Protected; null when withheld."
        )
    )
    phones: list[str] | None = strawberry.field(
        description="Telephone numbers in the form +62... Protected; null when withheld."
    )
    emails: list[str] | None = strawberry.field(
        description="E-mail addresses. Protected; null when withheld."
    )
    home_address: str | None = strawberry.field(
        description="Home address. Protected; null when withheld."
    )
    present_location: str | None = strawberry.field(
        description="Where the person is now: stricter than a name. Protected; null when withheld."
    )
    merged_into: strawberry.ID | None = strawberry.field(
        description="Id of the record of the same person into which this one was merged; null "
        "where it was not, or where you may not open the identity in both."
    )
    merged_from: list[strawberry.ID] = strawberry.field(
        description="Ids of the records that were merged into this one, likewise."
    )
    withheld: list[Withheld] = strawberry.field(
        description="The protected fields that you asked for and did not get."
    )


@strawberry.type(description="A note on a case file.")
class Note:
    """A note on a case file."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    author: strawberry.ID = strawberry.field(description="Member who wrote it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was written.")
    body: str | None = strawberry.field(description="The text. Protected; null when withheld.")


@strawberry.type(
    description="Why a case file, or a defender in it, was changed, in words. The leaf of the "
    "access log at `event` commits to the text; with `opening` anybody can check it."
)
class ReasonInWords:
    """See `casework.reasons`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    record: strawberry.ID = strawberry.field(description="The record that was changed.")
    author: strawberry.ID = strawberry.field(description="Member who gave it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was given.")
    event: int = strawberry.field(description="Index of the change's intent in the access log.")
    text: str | None = strawberry.field(description="The text. Protected; null when withheld.")
    opening: str | None = strawberry.field(
        description="What opens the commitment, 32 bytes in hex. Protected; null when withheld."
    )


@strawberry.type(description="A question of triage, and what was answered.")
class Answer:
    """See `casework.triage`."""

    question: str = strawberry.field(description="Code of the question; see `triage`.")
    answer: TriageAnswer = strawberry.field(description="What was answered.")


@strawberry.type(description="What was answered at the door, and the urgency that it came to.")
class Triage:
    """See `casework.triage`."""

    author: strawberry.ID = strawberry.field(description="Member who asked, by pseudonym.")
    written_at: datetime = strawberry.field(description="When the case file was opened.")
    proposed: Urgency = strawberry.field(description="What the answers asked for at the least.")
    lowered: LoweringReason | None = strawberry.field(
        description="Why the case file was opened as less urgent; null: it was not."
    )
    answers: list[Answer] | None = strawberry.field(
        description="The answers to all questions. Protected; null when withheld."
    )


@strawberry.type(description="A file that belongs to a case file; its bytes are at /attachments.")
class Attachment:
    """A file that belongs to a case file, without its bytes."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    author: strawberry.ID = strawberry.field(description="Member who added it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was added.")
    name: str | None = strawberry.field(
        description="The name of the file. Protected; null when withheld."
    )
    media_type: str | None = strawberry.field(
        description="What its bytes are, as the service found. Protected; null when withheld."
    )
    size: int | None = strawberry.field(
        description="How many bytes it has. Protected; null when withheld."
    )


@strawberry.type(
    description="What an assignee handed to a colleague for a while: never more than they may open."
)
class Delegation:
    """See `casework.delegations`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    giver: strawberry.ID = strawberry.field(description="Member who gave it, by pseudonym.")
    receiver: strawberry.ID = strawberry.field(description="Member who has it, by pseudonym.")
    compartments: list[Compartment] = strawberry.field(description="What was named.")
    until: datetime = strawberry.field(description="When it ends by itself.")


@strawberry.type(
    description="A look at the whereabouts for which a colleague waits; `approveLook` agrees to it."
)
class WaitingLook:
    """See `casework.looks_waiting`."""

    id: strawberry.ID = strawberry.field(description="Id of the look.")
    requested_by: strawberry.ID = strawberry.field(
        description="Member who asked for it, by pseudonym."
    )
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    expires_at: datetime = strawberry.field(description="Until when it can be approved.")


@strawberry.type(
    description="What a defender agreed to. The conditions that they set are in the "
    "`reasons` of the case file, with the same `event`."
)
class Consent:
    """See `casework.consents`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    defender: strawberry.ID = strawberry.field(description="Id of the defender.")
    recipient: str | None = strawberry.field(
        description="Slug of who may be told; null: every agency of the mechanism, no partner."
    )
    compartments: list[Compartment] = strawberry.field(description="What may be shared.")
    purpose: Purpose = strawberry.field(description="For what.")
    until: datetime = strawberry.field(description="Until when.")
    form: ConsentForm = strawberry.field(description="How it was given.")
    recorded_by: strawberry.ID = strawberry.field(
        description="Member who recorded it, by pseudonym."
    )
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event: int = strawberry.field(description="Index of its intent in the access log.")
    withdrawn_at: datetime | None = strawberry.field(
        description="When it was withdrawn, if it was."
    )
    stop_by: datetime | None = strawberry.field(
        description="By when, after that, its use must have stopped everywhere (UU PDP 27/2022, "
        "art. 40)."
    )
    stands: bool = strawberry.field(description="Whether it is neither withdrawn nor over.")


@strawberry.type(
    description="A request to close a case file, and how it ended; members by pseudonym."
)
class Closing:
    """See `casework.closings`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    reason: str = strawberry.field(description="Code of the list closing_reasons.")
    requested_by: strawberry.ID = strawberry.field(description="Who asked for it.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    approved_by: strawberry.ID | None = strawberry.field(description="Who approved it.")
    closed_at: datetime | None = strawberry.field(description="When the case file was closed.")
    declined_by: strawberry.ID | None = strawberry.field(description="Who declined it.")
    declined_at: datetime | None = strawberry.field(description="When it was declined.")
    reopened_by: strawberry.ID | None = strawberry.field(description="Who reopened the case file.")
    reopened_at: datetime | None = strawberry.field(description="When it was reopened.")


@strawberry.type(description="A version of an incident: a threat or violation that happened.")
class Incident:
    """See `casework.incidents`."""

    id: strawberry.ID = strawberry.field(description="Opaque id of this version.")
    incident_id: strawberry.ID = strawberry.field(description="Opaque id of all its versions.")
    version: int = strawberry.field(
        description="Counts the corrections, from 1; send it back with the next one."
    )
    newest: bool = strawberry.field(description="Whether no correction came after it.")
    author: strawberry.ID = strawberry.field(description="Member who wrote it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was written.")
    kind: str = strawberry.field(
        description="Code of the list incident_kinds, as far as it may stand in clear."
    )
    happened_from: date = strawberry.field(description="The day on which it happened or began.")
    happened_to: date = strawberry.field(description="The day on which it ended.")
    province: str | None = strawberry.field(description="Code of the province, two digits.")
    adversaries: list[strawberry.ID] = strawberry.field(
        description="Ids of those who did it; see `CaseFile.adversaries`."
    )
    incident_account: str | None = strawberry.field(
        description="What happened. Protected; null when withheld."
    )
    incident_forms: list[str] | None = strawberry.field(
        description="Codes of forms of sexual violence. Protected; null when withheld."
    )


@strawberry.type(description="Somebody who threatens, as it was reported.")
class Adversary:
    """See `casework.adversaries`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    author: strawberry.ID = strawberry.field(description="Member who wrote it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was written.")
    kind: str = strawberry.field(description="Code of the list adversary_kinds.")
    adversary_name: str | None = strawberry.field(
        description="The name. Protected; null when withheld."
    )
    adversary_institution: str | None = strawberry.field(
        description="The institution. Protected; null when withheld."
    )
    adversary_unit: str | None = strawberry.field(
        description="The unit in it. Protected; null when withheld."
    )
    adversary_relation: str | None = strawberry.field(
        description="The relation to the defender. Protected; null when withheld."
    )


@strawberry.type(description="How large somebody judged the risk to be.")
class RiskAssessment:
    """See `casework.risk`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    author: strawberry.ID = strawberry.field(description="Member who wrote it, by pseudonym.")
    written_at: datetime = strawberry.field(description="When it was written.")
    likelihood: int = strawberry.field(
        description="1 to 4: the place in the list risk_likelihoods."
    )
    impact: int = strawberry.field(description="1 to 4: the place in the list risk_impacts.")
    urgency: Urgency = strawberry.field(description="What follows for the case file.")
    risk_account: str | None = strawberry.field(
        description="On what it rests. Protected; null when withheld."
    )


@strawberry.type(description="One thing that happened to a case file; members by pseudonym.")
class TimelineEntry:
    """See `casework.timeline`."""

    at: datetime = strawberry.field(
        description="When. Of OPENED only the day is known: this is its beginning, in UTC."
    )
    kind: Happened = strawberry.field(description="What happened.")
    actor: strawberry.ID | None = strawberry.field(
        description="Who did it; null where that is not kept."
    )
    record_id: strawberry.ID = strawberry.field(
        description="Id of what it is about: the version of an incident, the note, the step, ..."
    )
    status: CaseStatus | None = strawberry.field(
        description="Of STATUS_CHANGED: where the case file stood then."
    )
    subject: strawberry.ID | None = strawberry.field(description="Of ASSIGNED: who was assigned.")


@strawberry.type(description="One situation of risk, with one or more defenders.")
class CaseFile:
    """One situation of risk, with one or more defenders."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    revision: int = strawberry.field(description="Counts the changes of what stands in clear.")
    reference: str | None = strawberry.field(
        description="Case reference for people, such as KH-2026-0001."
    )
    lead_agency: str | None = strawberry.field(
        description="Slug of the agency that leads the case."
    )
    status: CaseStatus | None = strawberry.field(description="Where the case stands.")
    urgency: Urgency | None = strawberry.field(description="How fast the first response must come.")
    sensitivity: int | None = strawberry.field(
        description="How much harm a leak would do, 1 (low) to 4 (extreme)."
    )
    province: str | None = strawberry.field(description="Code of the province, two digits.")
    opened_on: date | None = strawberry.field(description="The day on which the case was opened.")
    respond_by: datetime | None = strawberry.field(
        description="The deadline of the first response."
    )
    incident_kinds: list[str] | None = strawberry.field(
        description="Codes of what happened, as far as these may stand in clear."
    )
    adversary_kinds: list[str] | None = strawberry.field(description="Codes of who threatens.")
    measure_kinds: list[str] | None = strawberry.field(
        description="Codes of the measures, as far as these may stand in clear."
    )
    account: str | None = strawberry.field(
        description="Account of what happened. Protected; null when withheld."
    )
    sexual_violence_forms: list[str] | None = strawberry.field(
        description="Codes of forms of sexual violence. Protected; null when withheld."
    )
    adversary_institutions: list[str] | None = strawberry.field(
        description="Institutions that are reported as adversaries. Protected; null when withheld."
    )
    assigned_to_me: bool = strawberry.field(description="Whether you have a live assignment to it.")
    defenders: list[Defender] = strawberry.field(description="The persons at risk.")
    notes: list[Note] = strawberry.field(
        description="The newest notes, at most 100. Only where one case file is asked for."
    )
    reasons: list[ReasonInWords] = strawberry.field(
        description="The newest reasons for changes, at most 100. Only where one case file is "
        "asked for."
    )
    triage: Triage | None = strawberry.field(
        description="What was answered when it was opened; null where nothing was asked. Only "
        "where one case file is asked for, and of your own agency."
    )
    attachments: list[Attachment] = strawberry.field(
        description="The newest attachments, at most 100. Only where one case file is asked for."
    )
    delegations: list[Delegation] = strawberry.field(
        description="What is delegated of it within your agency now: of which you are the giver or "
        "the receiver or, as its supervisor or the lead, all. Only where one case file is asked "
        "for."
    )
    looks_waiting: list[WaitingLook] = strawberry.field(
        description="Looks at the whereabouts for which colleagues wait, and which you may "
        "approve. Only where one case file is asked for."
    )
    consents: list[Consent] = strawberry.field(
        description="What its defenders agreed to, the newest 100, withdrawn ones too: for who "
        "may record that. Only where one case file is asked for."
    )
    incidents: list[Incident] = strawberry.field(
        description="What happened: the newest versions of incidents, at most 100, with those "
        "that were corrected. Only where one case file is asked for."
    )
    adversaries: list[Adversary] = strawberry.field(
        description="Who threatens: the newest that were recorded, at most 100. Only where one "
        "case file is asked for."
    )
    risk_assessments: list[RiskAssessment] = strawberry.field(
        description="The newest assessments of the risk, at most 100; the first one holds. Only "
        "where one case file is asked for."
    )
    closings: list[Closing] = strawberry.field(
        description="The newest requests to close it, at most 100. Only where one case file is "
        "asked for."
    )

    @strawberry.field(
        description="What happened to it, newest first, as far as you may know of it. Only where "
        "one case file is asked for."
    )
    def timeline(
        self,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")],
    ) -> list[TimelineEntry]:
        """Give the newest entries of casework's view."""
        return timeline_of(self, first)

    measures: list[Measure] = strawberry.field(
        description="The newest measures, at most 100: those of your agency and of the one that "
        "leads the case file, which sees everybody's. Only where one case file is asked for."
    )
    emergency_protections: list[EmergencyProtection] = strawberry.field(
        description="The newest emergency protections, at most 20, of the same agencies. Only "
    )
    plan: list[PlanStep] = strawberry.field(
        description="The joint plan, at most 100 steps, by their last day. Only where one case "
        "file is asked for."
    )
    withheld: list[Withheld] = strawberry.field(
        description="The protected fields that you asked for and did not get."
    )


def timeline_of(file: object, first: int) -> list[TimelineEntry]:
    """Give the newest *first* of what happened to *file*, a view of casework.

    Raises:
        PageSizeInvalid: not 1 to 100.
    """
    case_files.check_page_size(first)
    view = cast(CaseFileView, file)
    return cast(list[TimelineEntry], view.happened[:first])


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    """Where a page stands in its list (Relay)."""

    has_next_page: bool = strawberry.field(description="Whether more follows.")
    end_cursor: str | None = strawberry.field(
        description=(
            "Send it as `after` for the next page. Good for you and this list only, for 12 hours."
        )
    )


@strawberry.type(description="A case file in a list, and its position.")
class CaseFileEdge:
    """A case file in a list, and its position."""

    cursor: str = strawberry.field(description="Its position; see `PageInfo.endCursor`.")
    node: CaseFile = strawberry.field(description="The case file.")


@strawberry.type(description="One page of case files (Relay).")
class CaseFileConnection:
    """One page of case files (Relay)."""

    edges: list[CaseFileEdge] = strawberry.field(
        description="The case files of this page, in order."
    )
    page_info: PageInfo = strawberry.field(description="Where the page stands.")


@strawberry.type(description="The name of a case file; ask `caseFile` for what it says.")
class CaseFileName:
    """What a search tells of a case file."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    reference: str = strawberry.field(description="Case reference for people.")


@strawberry.type(description="A defender that a search found, and why.")
class DefenderMatch:
    """A defender that a search found, and why."""

    defender: Defender = strawberry.field(description="The defender.")
    case_files: list[CaseFileName] = strawberry.field(
        description="The case files through which you may open it."
    )
    score: int = strawberry.field(description="How well it fits, 0 to 100.")
    likeness: str = strawberry.field(
        description="How it fits: exact, spelling_variant, part_of_the_name or similar."
    )


@strawberry.type(description="You, as this service knows you.")
class Viewer:
    """You, as this service knows you."""

    member_id: strawberry.ID = strawberry.field(description="Your pseudonym in the access log.")
    organisation: str = strawberry.field(description="Slug of your organisation.")
    role: Role = strawberry.field(description="Your role.")
    purpose: Purpose | None = strawberry.field(
        description="The purpose that this request declares."
    )
    legal_basis: LegalBasis | None = strawberry.field(
        description="The legal basis of this request."
    )


@strawberry.type(description="An entry of a code list.")
class Code:
    """An entry of a code list."""

    code: str = strawberry.field(description="The code.")
    label_id: str = strawberry.field(description="Label in Indonesian.")
    label_en: str = strawberry.field(description="Label in English.")
