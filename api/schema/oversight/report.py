"""The access report of one defender: who reached it, when, what and why."""

from datetime import datetime
from uuid import UUID

import strawberry

from api.casework.access_report import Access, Report
from api.schema import words
from api.schema.oversight.types import PageInfo, id_or_none
from api.vocabulary import (
    Action,
    Compartment,
    Decision,
    Ground,
    LegalBasis,
    Outcome,
    Phase,
    Purpose,
    Reason,
    Role,
)

words.define()


@strawberry.type(description="What one access reached of the defender, with one outcome.")
class ReachedPart:
    """A group of the event, without the other records in it."""

    decision: Decision = strawberry.field(description="What was decided.")
    ground: Ground | None = strawberry.field(description="The ground, if it was allowed.")
    reason: Reason | None = strawberry.field(description="The reason, if it was not.")
    compartments: list[Compartment] = strawberry.field(description="Compartments concerned.")
    fields: list[str] = strawberry.field(description="Names of the protected fields concerned.")


@strawberry.type(description="One event of the access log, as far as it is about the defender.")
class DefenderAccess:
    """See `casework.access_report.Access`."""

    index: int = strawberry.field(description="Position in the log, for `inclusionProof`.")
    at: datetime = strawberry.field(description="When.")
    request_id: str = strawberry.field(description="Id of the request, as in its answer.")
    actor: strawberry.ID | None = strawberry.field(description="Who: pseudonym of the member.")
    organisation: str | None = strawberry.field(description="Organisation of the actor.")
    role: Role | None = strawberry.field(description="Role of the actor.")
    action: Action = strawberry.field(description="What was done.")
    phase: Phase = strawberry.field(description="A reading is whole; a change has two events.")
    outcome: Outcome | None = strawberry.field(description="How the change ended.")
    purpose: Purpose | None = strawberry.field(description="Why: the declared purpose.")
    legal_basis: LegalBasis | None = strawberry.field(description="Why: the legal basis.")
    decision: Decision = strawberry.field(description="What was decided on the whole.")
    code: str | None = strawberry.field(description="The error code of a refusal.")
    break_glass: bool = strawberry.field(description="Whether need overrode the rules.")
    reached: list[ReachedPart] = strawberry.field(description="What: fields by their outcome.")
    case_file: strawberry.ID | None = strawberry.field(
        description="The case file that the event names beside, where it is exactly one."
    )


@strawberry.type(description="An access in a list, and its position.")
class DefenderAccessEdge:
    """An edge."""

    cursor: str = strawberry.field(description="Its position; see `endCursor`.")
    node: DefenderAccess = strawberry.field(description="The access.")


@strawberry.type(description="One page of accesses, newest first (Relay).")
class DefenderAccessConnection:
    """A connection."""

    edges: list[DefenderAccessEdge] = strawberry.field(description="The accesses of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")


@strawberry.type(description="What one member did in one role.")
class ActorTotal:
    """See `casework.access_report.ByActor`."""

    actor: strawberry.ID | None = strawberry.field(description="Pseudonym of the member.")
    organisation: str | None = strawberry.field(description="Organisation of the actor.")
    role: Role | None = strawberry.field(description="Role of the actor.")
    events: int = strawberry.field(description="How many events.")
    disclosing: int = strawberry.field(
        description="How many of them disclosed a protected field of the defender."
    )
    first_at: datetime = strawberry.field(description="The first of them.")
    last_at: datetime = strawberry.field(description="The last of them.")


@strawberry.type(description="How many events allowed something on one ground.")
class GroundTotal:
    """A ground and its events."""

    ground: Ground = strawberry.field(description="The ground.")
    events: int = strawberry.field(description="How many events.")


@strawberry.type(
    description=(
        "Who reached one defender, when, what and why. Totals are over all accesses that you "
        "may see, on every page. It is empty for a defender who is not within your reach."
    )
)
class AccessReport:
    """See `casework.access_report.Report`."""

    defender: strawberry.ID = strawberry.field(description="The id that was asked for.")
    events: int = strawberry.field(description="How many accesses there are.")
    actors: list[ActorTotal] = strawberry.field(description="Totals by member, newest first.")
    grounds: list[GroundTotal] = strawberry.field(description="Totals by ground.")
    case_files: list[strawberry.ID] = strawberry.field(
        description="The case files that accesses name beside the defender."
    )
    accesses: DefenderAccessConnection = strawberry.field(description="A page of the accesses.")


def report_of(defender: strawberry.ID, made: Report, member: UUID) -> AccessReport:
    """Show a report; *member*: whose cursors they are."""
    edges = [
        DefenderAccessEdge(cursor=made.cursors.seal(one.index, member), node=_access_of(one))
        for one in made.items
    ]
    return AccessReport(
        defender=defender,
        events=made.events,
        actors=[
            ActorTotal(
                actor=id_or_none(by.actor),
                organisation=by.organisation,
                role=by.role,
                events=by.events,
                disclosing=by.disclosing,
                first_at=by.first_at,
                last_at=by.last_at,
            )
            for by in made.actors.values()
        ],
        grounds=[
            GroundTotal(ground=ground, events=events)
            for ground, events in sorted(made.grounds.items())
        ],
        case_files=[strawberry.ID(str(file)) for file in sorted(made.case_files)],
        accesses=DefenderAccessConnection(
            edges=edges,
            page_info=PageInfo.of(
                [edge.cursor for edge in edges], made.has_next, made.has_previous
            ),
        ),
    )


def _access_of(access: Access) -> DefenderAccess:
    event = access.event
    return DefenderAccess(
        index=access.index,
        at=event.at,
        request_id=event.request,
        actor=id_or_none(event.actor),
        organisation=event.organisation,
        role=event.role,
        action=event.action,
        phase=event.phase,
        outcome=event.outcome,
        purpose=event.purpose,
        legal_basis=event.basis,
        decision=event.decision,
        code=event.code,
        break_glass=any(group.ground is Ground.BREAK_GLASS for group in access.groups),
        reached=[
            ReachedPart(
                decision=group.decision,
                ground=group.ground,
                reason=group.reason,
                compartments=list(group.compartments),
                fields=list(group.fields),
            )
            for group in access.groups
        ],
        case_file=id_or_none(access.case_file),
    )
