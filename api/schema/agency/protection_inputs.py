"""What is sent with a change of measures, emergency protection or the plan."""

from datetime import date

import strawberry

from api.vocabulary import EmergencyGround


@strawberry.input(
    description="A measure to be given. What it truly is, by whom and at what cost "
    "is sealed for your agency alone."
)
class MeasureInput:
    """See `casework.measures.NewMeasure`."""

    kind: str = strawberry.field(
        description="Code of the list measure_kinds: the true one, which is sealed where it may "
        "not stand in clear."
    )
    starts_on: date = strawberry.field(description="Its first day, today or later.")
    ends_on: date = strawberry.field(
        description="Its last day, at most 366 days after the first: then it is over by itself."
    )
    provider: str | None = strawberry.field(
        default=None, description="Who gives it, or where, up to 300 characters; sealed."
    )
    cost: str | None = strawberry.field(
        default=None, description="Rupiah, 1 to 15 decimal digits; sealed."
    )


@strawberry.input(description="A measure that your agency is to give.")
class RequestMeasureInput:
    """See `casework.measures.request_measure`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    measure: MeasureInput = strawberry.field(description="The measure.")


@strawberry.input(description="Which measure, as you read it.")
class MeasureStepInput:
    """See `casework.measures`."""

    measure_id: strawberry.ID = strawberry.field(description="Id of the measure.")
    revision: int = strawberry.field(description="The revision that you read.")


@strawberry.input(description="Protection that cannot wait for its papers.")
class GrantEmergencyProtectionInput:
    """See `casework.emergency_protections.Proposal`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    ground: EmergencyGround = strawberry.field(description="Why it cannot wait.")
    measures: list[MeasureInput] = strawberry.field(
        description="What is given at once when the quorum has signed, 1 to 10."
    )
    suspect: bool = strawberry.field(
        description="Whether a person to be protected is a suspect or defendant: then this is "
        "answered with the way that is open to them. It is kept nowhere."
    )
    words: str = strawberry.field(
        description="Why, in your own words, 1 to 2,000 characters; sealed for your agency alone."
    )
    requirements: list[str] | None = strawberry.field(
        default=None,
        description="Codes of the list requirements that may come later; the consent of the person "
        "who is protected always may, and is awaited.",
    )


@strawberry.input(description="Which emergency protection you sign.")
class ApproveEmergencyProtectionInput:
    """See `casework.emergency_protections.approve_emergency_protection`."""

    emergency_protection_id: strawberry.ID = strawberry.field(
        description="Id of the emergency protection."
    )


@strawberry.input(description="What the plenary decided.")
class RatifyEmergencyProtectionInput:
    """See `casework.emergency_protections.ratify_emergency_protection`."""

    emergency_protection_id: strawberry.ID = strawberry.field(
        description="Id of the emergency protection."
    )
    votes_for: int = strawberry.field(description="Votes for it, 0 to 99.")
    votes_against: int = strawberry.field(
        description="Votes against it, 0 to 99; as many as for it reject it."
    )
    decided_on: date = strawberry.field(description="The day of the decision.")


@strawberry.input(description="Which paper is there now.")
class MeetRequirementInput:
    """See `casework.emergency_protections.meet_requirement`."""

    requirement_id: strawberry.ID = strawberry.field(description="Id of the requirement.")


@strawberry.input(description="A step of the joint plan.")
class AddPlanStepInput:
    """See `casework.plan_steps.NewStep`."""

    case_file_id: strawberry.ID = strawberry.field(description="Id of the case file.")
    what: str = strawberry.field(
        description="What is to be done, 1 to 2,000 characters; sealed with the narrative."
    )
    owner: str = strawberry.field(description="Slug of the agency that is to do it.")
    due_on: date = strawberry.field(description="The last day on which it is in time.")


@strawberry.input(description="Which step was done.")
class CompletePlanStepInput:
    """See `casework.plan_steps.complete_plan_step`."""

    plan_step_id: strawberry.ID = strawberry.field(description="Id of the step.")
