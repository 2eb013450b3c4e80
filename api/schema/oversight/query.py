"""What a security officer reads: events, the checkpoint, and proofs. No identity is in any."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import oversight
from api.casework.oversight import Event, Filters
from api.casework.values import word
from api.errors import ValueInvalid
from api.schema import words
from api.schema.context import PerisaiInfo, uuid_of
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
    SecurityOfficer,
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
    intent: int | None = strawberry.field(description="Index of the intent of an outcome.")
    outcome: Outcome | None = strawberry.field(description="How the change ended.")
    touched: list[Touched] = strawberry.field(description="What it touched, and how.")


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    """Page info."""

    has_next_page: bool = strawberry.field(description="Whether more follows.")
    end_cursor: str | None = strawberry.field(description="Send it as `after` for the next page.")


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


@strawberry.input(description="What narrows a list of events; all that is given must hold.")
class AccessEventFilter:
    """See `accesslog.search.Filters`."""

    actor: strawberry.ID | None = strawberry.field(default=None, description="Pseudonym.")
    organisation: str | None = strawberry.field(
        default=None, description="Organisation of the actor."
    )
    role: Role | None = strawberry.field(default=None, description="Role of the actor.")
    record: strawberry.ID | None = strawberry.field(
        default=None, description="Id of a record that the event names."
    )
    action: Action | None = strawberry.field(default=None, description="What it is about.")
    decision: Decision | None = strawberry.field(default=None, description="What was decided.")
    purpose: Purpose | None = strawberry.field(default=None, description="The purpose.")
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


@strawberry.type(description="What a security officer may ask. Each look is itself an event.")
class Query:
    """The root of the oversight face."""

    @strawberry.field(description="Events of your agency's members and records, newest first.")
    async def access_events(
        self,
        info: PerisaiInfo,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")],
        after: Annotated[
            str | None, strawberry.argument(description="`endCursor` of the page before.")
        ] = None,
        filter: Annotated[  # noqa: A002  # the name in the schema
            AccessEventFilter | None, strawberry.argument(description="What narrows the list.")
        ] = None,
    ) -> AccessEventConnection:
        """List events."""
        context = info.context
        page = await oversight.events(
            context.house,
            cast(SecurityOfficer, context.caller),
            first=first,
            after=after,
            filters=_filters(filter or AccessEventFilter()),
        )
        edges = [
            AccessEventEdge(
                cursor=page.cursors.seal(index, context.caller.member), node=_event(index, event)
            )
            for index, event in page.items
        ]
        return AccessEventConnection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=page.has_next, end_cursor=edges[-1].cursor if edges else None
            ),
        )

    @strawberry.field(
        description="The newest checkpoint, a C2SP signed note; null before the first."
    )
    async def checkpoint(self, info: PerisaiInfo) -> str | None:
        """Give the newest checkpoint."""
        context = info.context
        return await oversight.checkpoint(context.house, cast(SecurityOfficer, context.caller))

    @strawberry.field(
        description=(
            "Proof that one event of your agency is in the log; null while no "
            "checkpoint holds it yet, which takes a second."
        )
    )
    async def inclusion_proof(
        self,
        info: PerisaiInfo,
        index: Annotated[int, strawberry.argument(description="Position of the event.")],
    ) -> InclusionProof | None:
        """Prove one event."""
        context = info.context
        proof = await oversight.inclusion_proof(
            context.house, cast(SecurityOfficer, context.caller), index
        )
        return None if proof is None else InclusionProof(index=index, text=str(proof))


def _filters(given: AccessEventFilter) -> Filters:
    for moment in (given.since, given.until):
        if moment is not None and moment.tzinfo is None:
            raise ValueInvalid
    return Filters(
        actor=None if given.actor is None else uuid_of(given.actor),
        organisation=None if given.organisation is None else word(given.organisation),
        role=given.role,
        record=None if given.record is None else uuid_of(given.record),
        action=given.action,
        decision=given.decision,
        purpose=given.purpose,
        since=given.since,
        until=given.until,
    )


def _event(index: int, event: Event) -> AccessEvent:
    return AccessEvent(
        index=index,
        at=event.at,
        request_id=event.request,
        actor=None if event.actor is None else strawberry.ID(str(event.actor)),
        organisation=event.organisation,
        role=event.role,
        action=event.action,
        phase=event.phase,
        purpose=event.purpose,
        legal_basis=event.basis,
        decision=event.decision,
        code=event.code,
        policy=event.policy,
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
