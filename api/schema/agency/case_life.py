"""How the work on a case file goes on, ends and begins again."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.casework import case_life, closings
from api.casework.life_asked import LifeAsked
from api.errors import (
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    StepNotAllowed,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import Selection, names_below
from api.vocabulary import CaseFileId, CaseStatus, ClosingId

words.define()

#: Errors that the caller's person can mend; all others fail the field. One of a case file
#: that is closed is a `NotAllowed`.
MENDABLE = (
    NotAllowed,
    NotFound,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    StepNotAllowed,
    ValueInvalid,
)

_REVISION = "The revision of the case file that you read."


def life_asked(asked: Selection) -> LifeAsked | None:
    """Give what is asked of the life of a case file; None: nothing."""
    found = LifeAsked(
        closings="closings" in asked.names,
        incidents=names_below(asked, "incidents"),
        adversaries=names_below(asked, "adversaries"),
        assessments=names_below(asked, "riskAssessments"),
        timeline="timeline" in asked.names,
    )
    return None if found == LifeAsked() else found


@strawberry.input(description="One step in the life of a case file.")
class AdvanceCaseFileInput:
    """See `casework.case_life.advance_case_file`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    revision: int = strawberry.field(description=_REVISION)
    to: CaseStatus = strawberry.field(
        description="From INTAKE to TRIAGE, from TRIAGE to ACTIVE, from ACTIVE to MONITORING, or "
        "back from there."
    )
    reason_text: str | None = strawberry.field(default=None, description=REASON_TEXT)


@strawberry.input(description="A case file that is to be closed, and why.")
class RequestClosingInput:
    """See `casework.closings.request_closing`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    reason: str = strawberry.field(description="Code of the list closing_reasons.")
    reason_text: str | None = strawberry.field(default=None, description=REASON_TEXT)


@strawberry.input(description="A request to close a case file that is to be approved.")
class ApproveClosingInput:
    """See `casework.closings.approve_closing`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    closing_id: strawberry.ID = strawberry.field(description="Id of the request.")
    revision: int = strawberry.field(description=_REVISION)


@strawberry.input(description="A request to close a case file that is to be declined.")
class DeclineClosingInput:
    """See `casework.closings.decline_closing`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    closing_id: strawberry.ID = strawberry.field(description="Id of the request.")
    reason_text: str | None = strawberry.field(default=None, description=REASON_TEXT)


@strawberry.input(description="A closed case file that is to be reopened.")
class ReopenCaseFileInput:
    """See `casework.closings.reopen_case_file`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    revision: int = strawberry.field(description=_REVISION)
    reason_text: str = strawberry.field(description=REASON_TEXT)


@strawberry.type(description="How a step in the life of a case file went.")
class CaseFileStepPayload:
    """Payload."""

    revision: int | None = strawberry.field(description="The new revision of the case file.")
    status: CaseStatus | None = strawberry.field(description="Where it stands now.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How a step towards the closing of a case file went.")
class ClosingPayload:
    """Payload."""

    closing_id: strawberry.ID | None = strawberry.field(description="Id of the request.")
    revision: int | None = strawberry.field(
        description="The new revision of the case file, where it was closed."
    )
    at: datetime | None = strawberry.field(
        description="When it was closed, or the request declined; null where it was only asked for."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


InputOf = strawberry.argument(description="The change.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


def _not_stepped(error: PerisaiError) -> CaseFileStepPayload:
    return CaseFileStepPayload(revision=None, status=None, errors=_errors(error))


def _not_closed(error: PerisaiError) -> ClosingPayload:
    return ClosingPayload(closing_id=None, revision=None, at=None, errors=_errors(error))


@strawberry.type(description="Steps in the life of case files.")
class CaseLifeChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(description="Take a case file on which you work one step on.")
    async def advance_case_file(
        self,
        info: PerisaiInfo,
        input: Annotated[AdvanceCaseFileInput, InputOf],  # noqa: A002
    ) -> CaseFileStepPayload:
        """Take a step."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        try:
            revision = await case_life.advance_case_file(
                context.house, context.caller, file, input.revision, input.to, input.reason_text
            )
        except MENDABLE as error:
            return _not_stepped(error)
        return CaseFileStepPayload(revision=revision, status=input.to, errors=[])

    @strawberry.mutation(
        description="Ask that a case file on which you work be closed. It stays open until a "
        "supervisor or the agency's lead, who is somebody else, approves."
    )
    async def request_closing(
        self,
        info: PerisaiInfo,
        input: Annotated[RequestClosingInput, InputOf],  # noqa: A002
    ) -> ClosingPayload:
        """Ask."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        try:
            made = await closings.request_closing(
                context.house, context.caller, file, input.reason, input.reason_text
            )
        except MENDABLE as error:
            return _not_closed(error)
        return ClosingPayload(
            closing_id=strawberry.ID(str(made)), revision=None, at=None, errors=[]
        )

    @strawberry.mutation(
        description="Approve what a colleague asked for: the case file is closed. See "
        "`CaseFile.closings`."
    )
    async def approve_closing(
        self,
        info: PerisaiInfo,
        input: Annotated[ApproveClosingInput, InputOf],  # noqa: A002
    ) -> ClosingPayload:
        """Approve and close."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        closing = ClosingId(uuid_of(input.closing_id))
        try:
            done = await closings.approve_closing(
                context.house, context.caller, file, closing, input.revision
            )
        except MENDABLE as error:
            return _not_closed(error)
        return ClosingPayload(
            closing_id=strawberry.ID(str(closing)), revision=done.revision, at=done.at, errors=[]
        )

    @strawberry.mutation(
        description="Decline what a colleague asked for: the case file stays open."
    )
    async def decline_closing(
        self,
        info: PerisaiInfo,
        input: Annotated[DeclineClosingInput, InputOf],  # noqa: A002
    ) -> ClosingPayload:
        """Decline."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        closing = ClosingId(uuid_of(input.closing_id))
        try:
            at = await closings.decline_closing(
                context.house, context.caller, file, closing, input.reason_text
            )
        except MENDABLE as error:
            return _not_closed(error)
        return ClosingPayload(
            closing_id=strawberry.ID(str(closing)), revision=None, at=at, errors=[]
        )

    @strawberry.mutation(description="Take a closed case file back to ACTIVE.")
    async def reopen_case_file(
        self,
        info: PerisaiInfo,
        input: Annotated[ReopenCaseFileInput, InputOf],  # noqa: A002
    ) -> CaseFileStepPayload:
        """Reopen."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        try:
            done = await closings.reopen_case_file(
                context.house, context.caller, file, input.revision, input.reason_text
            )
        except MENDABLE as error:
            return _not_stepped(error)
        return CaseFileStepPayload(revision=done.revision, status=CaseStatus.ACTIVE, errors=[])
