"""How people are protected: measures, protection first and papers later, the joint plan."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.casework import emergency_protections, measures, plan_steps
from api.casework.emergency_protections import Proposal, Votes
from api.casework.measures import NewMeasure
from api.casework.plan_steps import NewStep
from api.casework.protections import Wanted
from api.errors import (
    NotAllowed,
    NotFound,
    PerisaiError,
    ProtectionNotForSuspects,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    StepNotPossible,
    ValueInvalid,
)
from api.schema.agency.changes import ChangeError, told
from api.schema.agency.protection_inputs import (
    AddPlanStepInput,
    ApproveEmergencyProtectionInput,
    CompletePlanStepInput,
    GrantEmergencyProtectionInput,
    MeasureInput,
    MeasureStepInput,
    MeetRequirementInput,
    RatifyEmergencyProtectionInput,
    RequestMeasureInput,
)
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import Selection
from api.vocabulary import CaseFileId, EmergencyState, MeasureStatus

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    NotAllowed,
    NotFound,
    ProtectionNotForSuspects,
    RecordErased,
    SealBroken,
    SecondPersonNeeded,
    StaleRevision,
    StepNotPossible,
    ValueInvalid,
)

InputOf = strawberry.argument(description="The change.")


def wanted(asked: Selection) -> Wanted | None:
    """Say what is asked of a case file's protection; None: nothing."""
    given = {
        name: asked[field].names if field in asked.names else None
        for name, field in (
            ("measures", "measures"),
            ("emergencies", "emergencyProtections"),
            ("plan", "plan"),
        )
    }
    return None if all(names is None for names in given.values()) else Wanted(**given)


@strawberry.type(description="How a step of a measure went.")
class MeasurePayload:
    """Payload."""

    measure_id: strawberry.ID | None = strawberry.field(description="Id of the measure.")
    revision: int | None = strawberry.field(description="Its revision now.")
    status: MeasureStatus | None = strawberry.field(description="Where it stands now.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How a step of an emergency protection went.")
class EmergencyProtectionPayload:
    """Payload."""

    emergency_protection_id: strawberry.ID | None = strawberry.field(
        description="Id of the emergency protection."
    )
    state: EmergencyState | None = strawberry.field(description="Where it stands now.")
    signatures_missing: int | None = strawberry.field(
        description="How many leads are still to sign."
    )
    ratify_by: datetime | None = strawberry.field(
        description="Until when the plenary must ratify it; null before it is granted."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How it went that a paper came in.")
class MeetRequirementPayload:
    """Payload."""

    met_at: datetime | None = strawberry.field(description="When it was met.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


@strawberry.type(description="How the writing of a step of the plan went.")
class AddPlanStepPayload:
    """Payload."""

    plan_step_id: strawberry.ID | None = strawberry.field(description="Id of the new step.")
    errors: list[ChangeError] = strawberry.field(description="Why it was not written.")


@strawberry.type(description="How it went to say that a step was done.")
class CompletePlanStepPayload:
    """Payload."""

    completed_at: datetime | None = strawberry.field(description="When it was done.")
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


def _errors(error: PerisaiError) -> list[ChangeError]:
    return [told(error)]


def _measure(stands: measures.Stands) -> MeasurePayload:
    return MeasurePayload(
        measure_id=strawberry.ID(str(stands.id)),
        revision=stands.revision,
        status=stands.status,
        errors=[],
    )


def _no_measure(error: PerisaiError) -> MeasurePayload:
    return MeasurePayload(measure_id=None, revision=None, status=None, errors=_errors(error))


def _emergency(stands: emergency_protections.Stands) -> EmergencyProtectionPayload:
    return EmergencyProtectionPayload(
        emergency_protection_id=strawberry.ID(str(stands.id)),
        state=stands.state,
        signatures_missing=stands.missing,
        ratify_by=stands.ratify_by,
        errors=[],
    )


def _no_emergency(error: PerisaiError) -> EmergencyProtectionPayload:
    return EmergencyProtectionPayload(
        emergency_protection_id=None,
        state=None,
        signatures_missing=None,
        ratify_by=None,
        errors=_errors(error),
    )


def _given(one: MeasureInput) -> NewMeasure:
    return NewMeasure(one.kind, one.provider, one.cost, one.starts_on, one.ends_on)


@strawberry.type(description="Measures, emergency protection and the joint plan.")
class ProtectionChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description="Request a measure of your agency for the people in a case file."
    )
    async def request_measure(
        self,
        info: PerisaiInfo,
        input: Annotated[RequestMeasureInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> MeasurePayload:
        """Request one."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        try:
            return _measure(
                await measures.request_measure(
                    context.house, context.caller, file, _given(input.measure)
                )
            )
        except MENDABLE as error:
            return _no_measure(error)

    @strawberry.mutation(
        description="Approve a measure that a colleague requested, as a supervisor or lead."
    )
    async def approve_measure(
        self,
        info: PerisaiInfo,
        input: Annotated[MeasureStepInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> MeasurePayload:
        """Approve one."""
        context = info.context
        measure_id = uuid_of(input.measure_id)
        try:
            return _measure(
                await measures.approve_measure(
                    context.house, context.caller, measure_id, input.revision
                )
            )
        except MENDABLE as error:
            return _no_measure(error)

    @strawberry.mutation(
        description="Say that an approved measure has begun; see `CaseFile.measureKinds`."
    )
    async def start_measure(
        self,
        info: PerisaiInfo,
        input: Annotated[MeasureStepInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> MeasurePayload:
        """Start one."""
        context = info.context
        measure_id = uuid_of(input.measure_id)
        try:
            return _measure(
                await measures.start_measure(
                    context.house, context.caller, measure_id, input.revision
                )
            )
        except MENDABLE as error:
            return _no_measure(error)

    @strawberry.mutation(description="End a measure before its last day, begun or not.")
    async def end_measure(
        self,
        info: PerisaiInfo,
        input: Annotated[MeasureStepInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> MeasurePayload:
        """End one."""
        context = info.context
        measure_id = uuid_of(input.measure_id)
        try:
            return _measure(
                await measures.end_measure(
                    context.house, context.caller, measure_id, input.revision
                )
            )
        except MENDABLE as error:
            return _no_measure(error)

    @strawberry.mutation(
        description=(
            "Propose protection that cannot wait for its papers, as a lead of the agency with "
            "the mandate, and sign it as the first. Its measures run at once when the quorum "
            "has signed."
        )
    )
    async def grant_emergency_protection(
        self,
        info: PerisaiInfo,
        input: Annotated[GrantEmergencyProtectionInput, InputOf],  # noqa: A002  # as above
    ) -> EmergencyProtectionPayload:
        """Propose and sign."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        proposal = Proposal(
            input.ground,
            [_given(one) for one in input.measures],
            input.requirements or [],
            input.suspect,
            input.words,
        )
        try:
            return _emergency(
                await emergency_protections.grant_emergency_protection(
                    context.house, context.caller, file, proposal
                )
            )
        except MENDABLE as error:
            return _no_emergency(error)

    @strawberry.mutation(
        description="Sign the emergency protection that another lead proposed, within 24 hours."
    )
    async def approve_emergency_protection(
        self,
        info: PerisaiInfo,
        input: Annotated[ApproveEmergencyProtectionInput, InputOf],  # noqa: A002  # as above
    ) -> EmergencyProtectionPayload:
        """Sign."""
        context = info.context
        emergency_id = uuid_of(input.emergency_protection_id)
        try:
            return _emergency(
                await emergency_protections.approve_emergency_protection(
                    context.house, context.caller, emergency_id
                )
            )
        except MENDABLE as error:
            return _no_emergency(error)

    @strawberry.mutation(
        description=(
            "Record what the plenary decided on an emergency protection, as a lead who did not "
            "propose it. Without this it lapses by itself at `ratifyBy`."
        )
    )
    async def ratify_emergency_protection(
        self,
        info: PerisaiInfo,
        input: Annotated[RatifyEmergencyProtectionInput, InputOf],  # noqa: A002  # as above
    ) -> EmergencyProtectionPayload:
        """Record the plenary's decision."""
        context = info.context
        emergency_id = uuid_of(input.emergency_protection_id)
        votes = Votes(input.votes_for, input.votes_against, input.decided_on)
        try:
            return _emergency(
                await emergency_protections.ratify_emergency_protection(
                    context.house, context.caller, emergency_id, votes
                )
            )
        except MENDABLE as error:
            return _no_emergency(error)

    @strawberry.mutation(description="Say that a paper is there that might come later.")
    async def meet_requirement(
        self,
        info: PerisaiInfo,
        input: Annotated[MeetRequirementInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> MeetRequirementPayload:
        """Take a paper in."""
        context = info.context
        requirement_id = uuid_of(input.requirement_id)
        try:
            met = await emergency_protections.meet_requirement(
                context.house, context.caller, requirement_id
            )
        except MENDABLE as error:
            return MeetRequirementPayload(met_at=None, errors=_errors(error))
        return MeetRequirementPayload(met_at=met, errors=[])

    @strawberry.mutation(
        description="Add a step to the joint plan, which all agencies read that work on the case "
        "file; its words open to who may open the narrative."
    )
    async def add_plan_step(
        self,
        info: PerisaiInfo,
        input: Annotated[AddPlanStepInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> AddPlanStepPayload:
        """Plan a step."""
        context = info.context
        file = CaseFileId(uuid_of(input.case_file_id))
        given = NewStep(input.what, input.owner, input.due_on)
        try:
            made = await plan_steps.add_plan_step(context.house, context.caller, file, given)
        except MENDABLE as error:
            return AddPlanStepPayload(plan_step_id=None, errors=_errors(error))
        return AddPlanStepPayload(plan_step_id=strawberry.ID(str(made)), errors=[])

    @strawberry.mutation(
        description="Say that a step of the plan was done that your agency was to do."
    )
    async def complete_plan_step(
        self,
        info: PerisaiInfo,
        input: Annotated[CompletePlanStepInput, InputOf],  # noqa: A002  # the name in the schema
    ) -> CompletePlanStepPayload:
        """Complete one."""
        context = info.context
        step_id = uuid_of(input.plan_step_id)
        try:
            done = await plan_steps.complete_plan_step(context.house, context.caller, step_id)
        except MENDABLE as error:
            return CompletePlanStepPayload(completed_at=None, errors=_errors(error))
        return CompletePlanStepPayload(completed_at=done, errors=[])
