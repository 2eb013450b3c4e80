"""What an agency changes. What a person can mend comes back as typed errors in the payload."""

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from api.casework import assignments, case_files, defenders, intake, notes
from api.casework.intake import Intake, KnownDefender
from api.errors import (
    AssigneeInvalid,
    NikInvalid,
    NotAllowed,
    NotAssigned,
    NotFound,
    PerisaiError,
    PhoneInvalid,
    StaleRevision,
    ValueInvalid,
)
from api.schema.agency import types
from api.schema.agency.query import names_below
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import Selection, requested
from api.vocabulary import CaseFileId, MemberId, Sensitivity, Urgency

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    AssigneeInvalid,
    NikInvalid,
    NotAllowed,
    NotAssigned,
    NotFound,
    PhoneInvalid,
    StaleRevision,
    ValueInvalid,
)


@strawberry.type(description="Why a change was not made, in words for the person who asked.")
class ChangeError:
    """One error of a payload."""

    code: str = strawberry.field(description="Stable code; see docs/errors.md.")
    message: str = strawberry.field(description="What is wrong and what to do.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [ChangeError(code=error.code, message=error.message)]


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

    urgency: Urgency = strawberry.field(description="How fast the first response must come.")
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
    account: str | None = strawberry.field(
        default=None, description="What happened, up to 20,000 characters; sealed."
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


def _given(values: Any, *, without: frozenset[str]) -> dict[str, Any]:
    """Give what was sent of an input object, by column."""
    return {
        name: value
        for name, value in vars(values).items()
        if name not in without and value is not strawberry.UNSET
    }


def _known(one: DefenderInput) -> KnownDefender:
    given = _given(one, without=frozenset({"categories"}))
    present = {name: value for name, value in given.items() if value is not None}
    return KnownDefender(one.categories or [], present)


def _sensitivity(level: int) -> Sensitivity:
    try:
        return Sensitivity(level)
    except ValueError:
        raise ValueInvalid from None


async def _read_back(
    info: PerisaiInfo, case_file_id: UUID, asked: Selection
) -> types.CaseFile | None:
    """Read what was just written, as a reading of its own, in the same request.

    None where that fails: what was written stands, and must not look undone.
    """
    try:
        view = await case_files.one(
            info.context.house,
            info.context.caller,
            case_file_id,
            case_file=asked.names,
            defender=names_below(asked, "defenders"),
            notes=names_below(asked, "notes"),
        )
    except PerisaiError:
        return None
    return cast(types.CaseFile, view)


InputOf = strawberry.argument(description="The change.")


@strawberry.type(description="What a caseworker may change. Each leaves an intent and an outcome.")
class Mutation:
    """The root of changes."""

    @strawberry.mutation(description="Open a case file in your agency; you are assigned 7 days.")
    async def open_case_file(
        self,
        info: PerisaiInfo,
        input: Annotated[OpenCaseFileInput, InputOf],  # noqa: A002
    ) -> OpenCaseFilePayload:
        """Open a case file."""
        context = info.context
        try:
            opened = await intake.open_case_file(
                context.house,
                context.caller,
                Intake(
                    input.urgency,
                    _sensitivity(input.sensitivity),
                    input.province,
                    input.incident_kinds or [],
                    input.adversary_kinds or [],
                    input.sexual_violence_forms or [],
                    input.account,
                    [_known(one) for one in input.defenders],
                ),
            )
        except MENDABLE as error:
            return OpenCaseFilePayload(case_file_id=None, case_file=None, errors=_errors(error))
        asked = requested(info)
        view = await _read_back(info, opened, asked["caseFile"]) if "caseFile" in asked else None
        return OpenCaseFilePayload(
            case_file_id=strawberry.ID(str(opened)), case_file=view, errors=[]
        )

    @strawberry.mutation(description="Change what is known of a defender.")
    async def update_defender(
        self,
        info: PerisaiInfo,
        input: Annotated[UpdateDefenderInput, InputOf],  # noqa: A002
    ) -> UpdateDefenderPayload:
        """Change a defender."""
        context = info.context
        defender_id = uuid_of(input.id)
        try:
            revision = await defenders.update_defender(
                context.house,
                context.caller,
                defender_id,
                input.revision,
                _given(input, without=frozenset({"id", "revision"})),
            )
        except MENDABLE as error:
            return UpdateDefenderPayload(revision=None, defender=None, errors=_errors(error))
        asked = requested(info)
        view = None
        if "defender" in asked:
            with suppress(PerisaiError):  # as in `_read_back`
                view = await case_files.defender(
                    context.house, context.caller, defender_id, asked=asked["defender"].names
                )
        return UpdateDefenderPayload(
            revision=revision, defender=cast(types.Defender | None, view), errors=[]
        )

    @strawberry.mutation(description="Assign a caseworker of your agency to a case file.")
    async def assign_caseworker(
        self,
        info: PerisaiInfo,
        input: Annotated[AssignCaseworkerInput, InputOf],  # noqa: A002
    ) -> AssignmentPayload:
        """Assign somebody."""
        context = info.context
        case_file_id = CaseFileId(uuid_of(input.case_file_id))
        member_id = MemberId(uuid_of(input.member_id))
        try:
            if input.until.tzinfo is None:
                raise ValueInvalid
            made = await assignments.assign_caseworker(
                context.house, context.caller, case_file_id, member_id, input.until
            )
        except MENDABLE as error:
            return AssignmentPayload(assignment_id=None, errors=_errors(error))
        return AssignmentPayload(assignment_id=strawberry.ID(str(made)), errors=[])

    @strawberry.mutation(description="End the assignments of a caseworker to a case file.")
    async def unassign_caseworker(
        self,
        info: PerisaiInfo,
        input: Annotated[UnassignCaseworkerInput, InputOf],  # noqa: A002
    ) -> AssignmentPayload:
        """End somebody's assignments."""
        context = info.context
        case_file_id = CaseFileId(uuid_of(input.case_file_id))
        member_id = MemberId(uuid_of(input.member_id))
        try:
            await assignments.unassign_caseworker(
                context.house, context.caller, case_file_id, member_id
            )
        except MENDABLE as error:
            return AssignmentPayload(assignment_id=None, errors=_errors(error))
        return AssignmentPayload(assignment_id=None, errors=[])

    @strawberry.mutation(description="Write a note on a case file.")
    async def add_note(
        self,
        info: PerisaiInfo,
        input: Annotated[AddNoteInput, InputOf],  # noqa: A002
    ) -> AddNotePayload:
        """Write a note."""
        context = info.context
        case_file_id = CaseFileId(uuid_of(input.case_file_id))
        try:
            made = await notes.add_note(context.house, context.caller, case_file_id, input.body)
        except MENDABLE as error:
            return AddNotePayload(note_id=None, errors=_errors(error))
        return AddNotePayload(note_id=strawberry.ID(str(made)), errors=[])
