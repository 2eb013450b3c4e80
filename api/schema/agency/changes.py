"""What is sent with a change, and what comes back: inputs and payloads."""

from datetime import date, datetime

import strawberry

from api.casework.intake import Opened
from api.errors import PerisaiError, StaleRevision
from api.schema.agency import types
from api.schema.agency.triage import AgencyAndWhy, TriageInput, agencies
from api.vocabulary import Urgency


@strawberry.type(description="Why a change was not made, in words for the person who asked.")
class ChangeError:
    """One error of a payload."""

    code: str = strawberry.field(description="Stable code; see docs/errors.md.")
    message: str = strawberry.field(description="What is wrong and what to do.")
    current_revision: int | None = strawberry.field(
        default=None,
        description="Of `STALE_REVISION`: the revision, or version, that the record has now; null "
        "where it changed while this was being done.",
    )


def told(error: PerisaiError) -> ChangeError:
    """Tell *error* in a payload."""
    current = error.current if isinstance(error, StaleRevision) else None
    return ChangeError(code=error.code, message=error.message, current_revision=current)


@strawberry.input(description="What is known of a defender. All of it is sealed but categories.")
class DefenderInput:
    """A defender as typed."""

    full_name: str | None = strawberry.field(default=None, description="Full name.")
    aliases: list[str] | None = strawberry.field(default=None, description="Other names.")
    nik: str | None = strawberry.field(default=None, description="NIK, 16 digits.")
    family_card: str | None = strawberry.field(default=None, description="KK, 16 digits.")
    date_of_birth: date | None = strawberry.field(default=None, description="Date of birth.")
    gender: str | None = strawberry.field(default=None, description="As the person states it.")
    nationality: str | None = strawberry.field(default=None, description="Nationality.")
    phones: list[str] | None = strawberry.field(
        default=None, description="Telephone numbers, as 0812..., 62812... or +62812..."
    )
    emails: list[str] | None = strawberry.field(default=None, description="E-mail addresses.")
    home_address: str | None = strawberry.field(default=None, description="Home address.")
    present_location: str | None = strawberry.field(
        default=None, description="Where the person is now."
    )
    categories: list[str] | None = strawberry.field(
        default=None, description="Codes of the list defender_categories."
    )


@strawberry.input(description="A new case file.")
class OpenCaseFileInput:
    """See `casework.intake.Intake`."""

    urgency: Urgency | None = strawberry.field(
        default=None,
        description="How fast the first response must come; left out: what `triage` asks for. "
        "One of the two must be there.",
    )
    sensitivity: int = strawberry.field(description="1 (low) to 4 (extreme).")
    province: str = strawberry.field(description="Code of the province, two digits.")
    defenders: list[DefenderInput] = strawberry.field(
        description="The persons at risk, 1 to 20; an alias and a phone are enough."
    )
    incident_kinds: list[str] | None = strawberry.field(
        default=None, description="Codes of the list incident_kinds."
    )
    adversary_kinds: list[str] | None = strawberry.field(
        default=None, description="Codes of the list adversary_kinds."
    )
    sexual_violence_forms: list[str] | None = strawberry.field(
        default=None, description="Codes of the list sexual_violence_forms; sealed."
    )
    adversary_institutions: list[str] | None = strawberry.field(
        default=None,
        description=(
            "Names of the institutions that are reported as adversaries, at most 20; sealed. "
            "Who is tied to one of them is kept out."
        ),
    )
    account: str | None = strawberry.field(
        default=None, description="What happened, up to 20,000 characters; sealed."
    )
    triage: TriageInput | None = strawberry.field(
        default=None, description="What was answered at the door; see the query `triage`."
    )


@strawberry.input(description="Changes to a defender: what is given is written, null empties.")
class UpdateDefenderInput:
    """See `casework.defenders.update_defender`."""

    id: strawberry.ID = strawberry.field(description="Id of the defender.")
    revision: int = strawberry.field(description="The revision that you read.")
    full_name: str | None = strawberry.field(default=strawberry.UNSET, description="Full name.")
    aliases: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Other names."
    )
    nik: str | None = strawberry.field(default=strawberry.UNSET, description="NIK, 16 digits.")
    family_card: str | None = strawberry.field(
        default=strawberry.UNSET, description="KK, 16 digits."
    )
    date_of_birth: date | None = strawberry.field(
        default=strawberry.UNSET, description="Date of birth."
    )
    gender: str | None = strawberry.field(
        default=strawberry.UNSET, description="As the person states it."
    )
    nationality: str | None = strawberry.field(default=strawberry.UNSET, description="Nationality.")
    phones: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Telephone numbers."
    )
    emails: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="E-mail addresses."
    )
    home_address: str | None = strawberry.field(
        default=strawberry.UNSET, description="Home address."
    )
    present_location: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where the person is now."
    )


@strawberry.input(description="Who is to work on a case file, until when.")
class AssignCaseworkerInput:
    """See `casework.assignments.assign_caseworker`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    member_id: strawberry.ID = strawberry.field(
        description="Pseudonym of a caseworker of the lead agency; never yourself."
    )
    until: datetime = strawberry.field(
        description="End of the need to know, with its zone, at most 366 days ahead."
    )


@strawberry.input(description="Whose work on a case file ends.")
class UnassignCaseworkerInput:
    """See `casework.assignments.unassign_caseworker`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    member_id: strawberry.ID = strawberry.field(description="Pseudonym of the caseworker.")


#: Of an input that takes a reason in words.
REASON_TEXT = (
    "Why, in your own words, 1 to 2,000 characters; read by whoever may open the narrative of "
    "the case file, and erased with the record."
)


@strawberry.input(description="A note on a case file.")
class AddNoteInput:
    """See `casework.notes.add_note`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    body: str = strawberry.field(description="The text, up to 20,000 characters; sealed.")


@strawberry.type(description="How the opening of a case file ended.")
class OpenCaseFilePayload:
    """Payload."""

    case_file_id: strawberry.ID | None = strawberry.field(
        description="Id of the new case file: it stands, whatever else went wrong after."
    )
    case_file: types.CaseFile | None = strawberry.field(
        description="The new case file as you may read it; null where that failed."
    )
    urgency: Urgency | None = strawberry.field(description="The urgency that counts.")
    proposed_urgency: Urgency | None = strawberry.field(
        description="What the answers of the triage ask for at the least; null without one."
    )
    proposed_agencies: list[AgencyAndWhy] = strawberry.field(
        description="By the triage: agencies whose mandate fits, yours perhaps among them. "
        "A referral brings them in."
    )
    barred_agencies: list[AgencyAndWhy] = strawberry.field(
        description="By the triage: agencies that cannot take the case on, and why."
    )
    proposed_measures: list[str] = strawberry.field(
        description="Codes of measures that are proposed where an agency is barred."
    )
    errors: list[ChangeError] = strawberry.field(description="Why it was not opened.")


@strawberry.type(description="How a change of a defender ended.")
class UpdateDefenderPayload:
    """Payload."""

    revision: int | None = strawberry.field(
        description="The new revision: it stands, whatever else went wrong after."
    )
    defender: types.Defender | None = strawberry.field(
        description="The defender as you may read it now; null where that failed."
    )
    errors: list[ChangeError] = strawberry.field(description="Why it was not changed.")


@strawberry.type(description="How an assignment, or its end, went.")
class AssignmentPayload:
    """Payload."""

    assignment_id: strawberry.ID | None = strawberry.field(
        description="Id of the new assignment; null where one was ended."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How the writing of a note went.")
class AddNotePayload:
    """Payload."""

    note_id: strawberry.ID | None = strawberry.field(description="Id of the new note.")
    errors: list[ChangeError] = strawberry.field(description="Why it was not written.")


def opened_payload(
    opened: Opened | None, view: types.CaseFile | None, errors: list[ChangeError]
) -> OpenCaseFilePayload:
    """Say what was opened, if anything, and what its triage proposes."""
    proposal = None if opened is None else opened.proposal
    return OpenCaseFilePayload(
        case_file_id=None if opened is None else strawberry.ID(str(opened.case_file)),
        case_file=view,
        urgency=None if opened is None else opened.urgency,
        proposed_urgency=None if proposal is None else proposal.urgency,
        proposed_agencies=[] if proposal is None else agencies(proposal.agencies),
        barred_agencies=[] if proposal is None else agencies(proposal.barred),
        proposed_measures=[] if proposal is None else list(proposal.measures),
        errors=errors,
    )
