"""The types of the oversight face: events and what narrows them, reports, proofs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from api.casework.oversight import Event, Filters
from api.casework.values import word
from api.errors import ValueInvalid
from api.schema import words
from api.schema.context import uuid_of
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
    RecordKind,
    Role,
)

words.define()


@strawberry.type(description="A record that an event names.")
class NamedRecord:
    """Kind, id and revision."""

    kind: RecordKind = strawberry.field(description="Its kind.")
    id: strawberry.ID = strawberry.field(description="Its id.")
    revision: int = strawberry.field(description="The revision that was read; 0 where none was.")


@strawberry.type(description="Records of one event with one and the same outcome.")
class Touched:
    """See `accesslog.event.Touched`."""

    decision: Decision = strawberry.field(description="What was decided about them.")
    ground: Ground | None = strawberry.field(description="The ground, if it was allowed.")
    reason: Reason | None = strawberry.field(description="The reason, if it was not.")
    compartments: list[Compartment] = strawberry.field(description="Compartments concerned.")
    fields: list[str] = strawberry.field(description="Names of the protected fields concerned.")
    records: list[NamedRecord] = strawberry.field(description="The records.")


@strawberry.type(description="One event of the access log. It holds no value of any record.")
class AccessEvent:
    """See `accesslog.event.Event`."""

    index: int = strawberry.field(description="Position in the log, from 0, without gaps.")
    at: datetime = strawberry.field(description="When.")
    request_id: str = strawberry.field(description="Id of the request, as in its answer.")
    actor: strawberry.ID | None = strawberry.field(
        description="Pseudonym of the member; null where nobody was signed in."
    )
    organisation: str | None = strawberry.field(description="Organisation of the actor.")
    role: Role | None = strawberry.field(description="Role of the actor.")
    action: Action = strawberry.field(description="What it is about.")
    phase: Phase = strawberry.field(description="A reading is whole; a change has two events.")
    purpose: Purpose | None = strawberry.field(description="The declared purpose.")
    legal_basis: LegalBasis | None = strawberry.field(description="The legal basis.")
    decision: Decision = strawberry.field(description="What was decided.")
    code: str | None = strawberry.field(description="The error code of a refusal.")
    policy: str | None = strawberry.field(
        description="SHA-256 of the policy text in force, in hex."
    )
    agencies: list[str] = strawberry.field(
        description="The agencies that lead the records concerned."
    )
    intent: int | None = strawberry.field(description="Index of the intent of an outcome.")
    outcome: Outcome | None = strawberry.field(description="How the change ended.")
    touched: list[Touched] = strawberry.field(description="What it touched, and how.")


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    """Page info."""

    has_next_page: bool = strawberry.field(description="Whether older ones follow.")
    has_previous_page: bool = strawberry.field(
        description="Whether newer ones go before: true on every page but the first."
    )
    start_cursor: str | None = strawberry.field(description="The position of the first item.")
    end_cursor: str | None = strawberry.field(description="Send it as `after` for the next page.")

    @classmethod
    def of(cls, cursors: Sequence[str], has_next: bool, has_previous: bool) -> "PageInfo":
        """Describe the page of the items with these *cursors*."""
        return cls(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


@strawberry.type(description="An event in a list, and its position.")
class AccessEventEdge:
    """An edge."""

    cursor: str = strawberry.field(description="Its position; see `endCursor`.")
    node: AccessEvent = strawberry.field(description="The event.")


@strawberry.type(description="One page of events, newest first (Relay).")
class AccessEventConnection:
    """A connection."""

    edges: list[AccessEventEdge] = strawberry.field(description="The events of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")


@strawberry.input(
    description=(
        "What narrows a list of events; all that is given must hold. Of what an event has "
        "several of, such as fields, one that fits is enough."
    )
)
class AccessEventFilter:
    """See `accesslog.finding.Filters`."""

    actor: strawberry.ID | None = strawberry.field(
        default=None, description="Pseudonym of the member who did it."
    )
    organisation: str | None = strawberry.field(
        default=None, description="Organisation of the actor."
    )
    role: Role | None = strawberry.field(default=None, description="Role of the actor.")
    agency: str | None = strawberry.field(
        default=None, description="The agency that leads a record that it concerns."
    )
    record: strawberry.ID | None = strawberry.field(
        default=None, description="Id of a record that the event names."
    )
    compartment: Compartment | None = strawberry.field(
        default=None, description="A compartment that it opened or withheld."
    )
    field: str | None = strawberry.field(
        default=None, description="Name of a protected field that it opened or withheld."
    )
    action: Action | None = strawberry.field(default=None, description="What it is about.")
    decision: Decision | None = strawberry.field(default=None, description="What was decided.")
    ground: Ground | None = strawberry.field(
        default=None, description="A ground on which something was allowed."
    )
    purpose: Purpose | None = strawberry.field(default=None, description="The purpose.")
    break_glass: bool | None = strawberry.field(
        default=None,
        description="True: only with the ground BREAK_GLASS; false: only without it.",
    )
    since: datetime | None = strawberry.field(
        default=None, description="From this moment on, with its zone."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Before this moment, with its zone."
    )


@strawberry.type(description="Proof that an event is in the log (C2SP tlog-proof).")
class InclusionProof:
    """See `accesslog.proofs.TlogProof`."""

    index: int = strawberry.field(description="Position of the event.")
    text: str = strawberry.field(
        description="The tlog-proof file: the hashes, and the checkpoint that they lead to."
    )


@strawberry.type(
    description=(
        "Proof that the log of the newer size continues that of the older one (RFC 6962, 2.1.2): "
        "together with the roots of two checkpoints it shows that nothing was changed between."
    )
)
class ConsistencyProof:
    """The hashes of `accesslog.proofs.consistency_path`."""

    old: int = strawberry.field(description="Size of the older checkpoint.")
    new: int = strawberry.field(description="Size of the newer checkpoint.")
    hashes: list[str] = strawberry.field(description="The hashes in base64, in order.")


@strawberry.type(description="An event behind an answer, and the proof that it is in the log.")
class ProvenEvent:
    """See `casework.oversight.Proven`."""

    event: AccessEvent = strawberry.field(description="The event.")
    proof: InclusionProof | None = strawberry.field(
        description=(
            "Its proof under the newest checkpoint; null while that does not hold it, which "
            "takes a second."
        )
    )


def filters_of(given: AccessEventFilter) -> Filters:
    """Read the filter.

    Raises:
        MalformedId, ValueInvalid: something in it that nothing can match.
    """
    for moment in (given.since, given.until):
        if moment is not None and moment.tzinfo is None:
            raise ValueInvalid
    return Filters(
        actor=None if given.actor is None else uuid_of(given.actor),
        organisation=None if given.organisation is None else word(given.organisation),
        role=given.role,
        agency=None if given.agency is None else word(given.agency),
        record=None if given.record is None else uuid_of(given.record),
        compartment=given.compartment,
        field=None if given.field is None else word(given.field),
        action=given.action,
        decision=given.decision,
        ground=given.ground,
        purpose=given.purpose,
        break_glass=given.break_glass,
        since=given.since,
        until=given.until,
    )


def id_or_none(member: UUID | None) -> strawberry.ID | None:
    """Write an id that may be missing."""
    return None if member is None else strawberry.ID(str(member))


def event_of(index: int, event: Event) -> AccessEvent:
    """Show the event at *index*."""
    return AccessEvent(
        index=index,
        at=event.at,
        request_id=event.request,
        actor=id_or_none(event.actor),
        organisation=event.organisation,
        role=event.role,
        action=event.action,
        phase=event.phase,
        purpose=event.purpose,
        legal_basis=event.basis,
        decision=event.decision,
        code=event.code,
        policy=event.policy,
        agencies=list(event.agencies),
        intent=event.intent,
        outcome=event.outcome,
        touched=[
            Touched(
                decision=t.decision,
                ground=t.ground,
                reason=t.reason,
                compartments=list(t.compartments),
                fields=list(t.fields),
                records=[
                    NamedRecord(kind=kind, id=strawberry.ID(str(record)), revision=revision)
                    for kind, record, revision in t.records
                ],
            )
            for t in event.touched
        ],
    )
