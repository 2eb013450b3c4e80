"""What an agency changes. What a person can mend comes back as typed errors in the payload."""

from contextlib import suppress
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from api.casework import assignments, case_files, defenders, intake, notes
from api.casework.intake import Intake, KnownDefender
from api.casework.triage import Answered
from api.errors import (
    AssigneeInvalid,
    DefenderMerged,
    NikInvalid,
    NotAllowed,
    NotAssigned,
    NotFound,
    PerisaiError,
    PhoneInvalid,
    RecordErased,
    StaleRevision,
    UrgencyTooLow,
    ValueInvalid,
)
from api.schema.agency import types
from api.schema.agency.break_glass import BreakGlassChanges
from api.schema.agency.case_life import CaseLifeChanges, life_asked
from api.schema.agency.changes import (
    AddNoteInput,
    AddNotePayload,
    AssignCaseworkerInput,
    AssignmentPayload,
    ChangeError,
    DefenderInput,
    OpenCaseFileInput,
    OpenCaseFilePayload,
    UnassignCaseworkerInput,
    UpdateDefenderInput,
    UpdateDefenderPayload,
    opened_payload,
    told,
)
from api.schema.agency.consents import ConsentChanges
from api.schema.agency.delegations import DelegationChanges
from api.schema.agency.erasure_changes import ErasureChanges
from api.schema.agency.incidents import IncidentChanges
from api.schema.agency.leads import LeadMutation
from api.schema.agency.looks import LookChanges
from api.schema.agency.matching import MatchChanges
from api.schema.agency.merges import MergeChanges
from api.schema.agency.overrides import OverrideChanges
from api.schema.agency.protection import ProtectionChanges
from api.schema.agency.referrals import ReferralMutation
from api.schema.agency.ties import TieChanges
from api.schema.agency.triage import TriageInput
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import Selection, names_below, requested
from api.vocabulary import CaseFileId, MemberId, Sensitivity

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    AssigneeInvalid,
    DefenderMerged,
    NikInvalid,
    NotAllowed,
    NotAssigned,
    NotFound,
    PhoneInvalid,
    RecordErased,
    StaleRevision,
    UrgencyTooLow,
    ValueInvalid,
)


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


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


def _answered(given: TriageInput | None) -> Answered | None:
    if given is None:
        return None
    answers = [(one.question, one.answer) for one in given.answers]
    return Answered(answers, given.needs or [], given.lowered_because)


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
            attachments=names_below(asked, "attachments"),
            reasons=names_below(asked, "reasons"),
            triage=names_below(asked, "triage"),
            delegations="delegations" in asked.names,
            life=life_asked(asked),
        )
    except PerisaiError:
        return None
    return cast(types.CaseFile, view)


InputOf = strawberry.argument(description="The change.")


@strawberry.type(description="What a caseworker may change. Each leaves an intent and an outcome.")
class Mutation(
    BreakGlassChanges,
    ConsentChanges,
    CaseLifeChanges,
    DelegationChanges,
    ErasureChanges,
    IncidentChanges,
    LeadMutation,
    LookChanges,
    OverrideChanges,
    ProtectionChanges,
    MatchChanges,
    MergeChanges,
    ReferralMutation,
    TieChanges,
):
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
                    input.adversary_institutions or [],
                    input.sexual_violence_forms or [],
                    input.account,
                    [_known(one) for one in input.defenders],
                    _answered(input.triage),
                ),
            )
        except MENDABLE as error:
            return opened_payload(None, None, _errors(error))
        asked = requested(info)
        view = None
        if "caseFile" in asked:
            view = await _read_back(info, opened.case_file, asked["caseFile"])
        return opened_payload(opened, view, [])

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
