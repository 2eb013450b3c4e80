"""What protects the people in a case file, as an agency reads it."""

from datetime import date, datetime

import strawberry

from api.schema import words
from api.vocabulary import EmergencyGround, EmergencyState, MeasureStatus

words.define()


@strawberry.type(
    description="A protection or assistance that one agency gives. Who works for another agency "
    "sees the kind in clear, where it stands and its days."
)
class Measure:
    """See `casework.protection_views.MeasureView`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    agency: str = strawberry.field(description="Slug of the agency that gives it.")
    kind: str = strawberry.field(
        description="Code of the list measure_kinds, as far as it may stand in clear."
    )
    status: MeasureStatus = strawberry.field(description="Where it stands.")
    emergency_protection_id: strawberry.ID | None = strawberry.field(
        description="The emergency protection with which it stands and falls, if it does."
    )
    requested_by: strawberry.ID = strawberry.field(
        description="Member who requested it, by pseudonym."
    )
    requested_at: datetime = strawberry.field(description="When it was requested.")
    starts_on: date = strawberry.field(description="Its first day.")
    ends_on: date = strawberry.field(description="Its last day, after which it is over by itself.")
    ended_at: datetime | None = strawberry.field(
        description="Since when it is over, whether somebody ended it or it lapsed by itself."
    )
    revision: int = strawberry.field(
        description="Counts the changes; send it back with the next one."
    )
    true_kind: str | None = strawberry.field(
        description="Code of what it truly is. Protected; null when withheld."
    )
    provider: str | None = strawberry.field(
        description="Who gives it, or where. Protected; null when withheld."
    )
    cost: str | None = strawberry.field(
        description="Rupiah, in decimal digits. Protected; null when withheld."
    )


@strawberry.type(description="A paper or step that may come after protection was granted.")
class Requirement:
    """See `casework.protection_views.RequirementView`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    code: str = strawberry.field(description="Code of the list requirements.")
    due_at: datetime = strawberry.field(description="Until when it is due.")
    met_at: datetime | None = strawberry.field(description="When it was met.")
    overdue: bool = strawberry.field(description="Whether it is due and not met.")


@strawberry.type(
    description="Protection first, papers later: several leads grant it together, the plenary "
    "ratifies it, or it lapses by itself and its measures with it."
)
class EmergencyProtection:
    """See `casework.protection_views.EmergencyView`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    agency: str = strawberry.field(description="Slug of the agency that decides.")
    ground: EmergencyGround = strawberry.field(description="Why it cannot wait.")
    state: EmergencyState = strawberry.field(description="Where it stands, at this moment.")
    quorum: int = strawberry.field(description="How many leads must sign.")
    proposed_by: strawberry.ID = strawberry.field(
        description="Member who proposed it and signed first, by pseudonym."
    )
    proposed_at: datetime = strawberry.field(description="When it was proposed.")
    approve_by: datetime = strawberry.field(
        description="Until when the quorum must have signed, or it lapses."
    )
    granted_at: datetime | None = strawberry.field(description="When the quorum had signed.")
    warn_from: datetime | None = strawberry.field(
        description="From when on it is about to lapse, if the plenary has not decided."
    )
    ratify_by: datetime | None = strawberry.field(
        description="Until when the plenary must ratify it, or it lapses by itself."
    )
    decided_on: date | None = strawberry.field(description="The day on which the plenary decided.")
    votes_for: int | None = strawberry.field(description="Votes of the plenary for it.")
    votes_against: int | None = strawberry.field(description="Votes of the plenary against it.")
    requirements: list[Requirement] = strawberry.field(
        description="What may come later, by its deadline; none before it is granted."
    )
    words: str | None = strawberry.field(
        description="Why it was proposed. Protected; null when withheld."
    )


@strawberry.type(description="A step of the joint plan of all agencies that work on the case file.")
class PlanStep:
    """See `casework.protection_views.PlanStepView`."""

    id: strawberry.ID = strawberry.field(description="Opaque id.")
    agency: str = strawberry.field(description="Slug of the agency that wrote it.")
    owner: str = strawberry.field(description="Slug of the agency that is to do it.")
    due_on: date = strawberry.field(description="The last day on which it is in time.")
    added_at: datetime = strawberry.field(description="When it was written.")
    completed_at: datetime | None = strawberry.field(description="When it was done.")
    overdue: bool = strawberry.field(description="Whether the day is over and it is not done.")
    what: str | None = strawberry.field(
        description="What is to be done. Protected; null when withheld."
    )
