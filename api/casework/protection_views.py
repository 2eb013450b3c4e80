"""What leaves casework of protection: measures, emergency protections, papers, the plan."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from api.vocabulary import EmergencyGround, EmergencyState, MeasureStatus


@dataclass
class MeasureView:
    """A measure; what may not stand in clear is None unless the caller may open it.

    Attributes:
        emergency_protection_id: with which it stands and falls, if it was granted in one.
        ended_at: when it ended, or lapsed by itself.
    """

    id: UUID
    agency: str
    kind: str
    status: MeasureStatus
    emergency_protection_id: UUID | None
    requested_by: UUID
    requested_at: datetime
    starts_on: date
    ends_on: date
    ended_at: datetime | None
    revision: int
    true_kind: str | None = field(default=None, repr=False)
    provider: str | None = field(default=None, repr=False)
    cost: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RequirementView:
    """A paper that may come later."""

    id: UUID
    code: str
    due_at: datetime
    met_at: datetime | None
    overdue: bool


@dataclass
class EmergencyView:
    """An emergency protection; the words are None unless the caller may open them."""

    id: UUID
    agency: str
    ground: EmergencyGround
    state: EmergencyState
    quorum: int
    proposed_by: UUID
    proposed_at: datetime
    approve_by: datetime
    granted_at: datetime | None
    warn_from: datetime | None
    ratify_by: datetime | None
    decided_on: date | None
    votes_for: int | None
    votes_against: int | None
    requirements: list[RequirementView]
    words: str | None = field(default=None, repr=False)


@dataclass
class PlanStepView:
    """A step of the joint plan; the words are None unless the caller may open the narrative."""

    id: UUID
    agency: str
    owner: str
    due_on: date
    added_at: datetime
    completed_at: datetime | None
    overdue: bool
    what: str | None = field(default=None, repr=False)
