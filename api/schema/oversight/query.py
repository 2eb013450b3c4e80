"""What a security officer reads: events, reports, the checkpoint, and proofs. No identity."""

from base64 import b64encode
from typing import Annotated, cast

import strawberry

from api.casework import access_report, access_review, oversight
from api.schema.access_review import AccessReview, review_of
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.oversight.break_glass import BreakGlassQueries
from api.schema.oversight.report import AccessReport, report_of
from api.schema.oversight.types import (
    AccessEventConnection,
    AccessEventEdge,
    AccessEventFilter,
    ConsistencyProof,
    InclusionProof,
    PageInfo,
    ProvenEvent,
    event_of,
    filters_of,
)
from api.vocabulary import Compartment, SecurityOfficer

_First = Annotated[int, strawberry.argument(description="How many, 1 to 100.")]
_After = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before.")]


@strawberry.type(description="What a security officer may ask. Each look is itself an event.")
class Query(BreakGlassQueries):
    """The root of the oversight face."""

    @strawberry.field(description="Events of your agency's members and records, newest first.")
    async def access_events(
        self,
        info: PerisaiInfo,
        first: _First,
        after: _After = None,
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
            filters=filters_of(filter or AccessEventFilter()),
        )
        edges = [
            AccessEventEdge(
                cursor=page.cursors.seal(index, context.caller.member), node=event_of(index, event)
            )
            for index, event in page.items
        ]
        cursors = [edge.cursor for edge in edges]
        return AccessEventConnection(
            edges=edges, page_info=PageInfo.of(cursors, page.has_next, page.has_previous)
        )

    @strawberry.field(
        description=(
            "Who reached one defender, when, what and why: what your members did, and what "
            "anybody did to a case file that your agency leads."
        )
    )
    async def access_report(
        self,
        info: PerisaiInfo,
        defender: Annotated[strawberry.ID, strawberry.argument(description="Id of the defender.")],
        first: _First,
        after: _After = None,
    ) -> AccessReport:
        """Report on one defender."""
        context = info.context
        made = await access_report.report(
            context.house,
            cast(SecurityOfficer, context.caller),
            uuid_of(defender),
            first=first,
            after=after,
        )
        return report_of(defender, made, context.caller.member)

    @strawberry.field(
        description=(
            "Which members of your agency could open what of a defender in a case that it "
            "leads, now. Opens nothing; the error NOT_FOUND where there is no such defender."
        )
    )
    async def who_can_see(
        self,
        info: PerisaiInfo,
        defender_id: Annotated[
            strawberry.ID, strawberry.argument(description="Id of the defender.")
        ],
        first: _First,
        after: _After = None,
        compartment: Annotated[
            Compartment | None, strawberry.argument(description="Only this one.")
        ] = None,
    ) -> AccessReview | None:
        """Review who could open what."""
        context = info.context
        asked = access_review.Asked(uuid_of(defender_id), compartment, first, after)
        found = await access_review.for_officer(
            context.house, cast(SecurityOfficer, context.caller), asked
        )
        return review_of(found)

    @strawberry.field(
        description=(
            "The events behind one answer, oldest first, with their proofs: send what that "
            "answer, to a member of your organisation, has in `extensions.accessLog`."
        )
    )
    async def access_receipt(
        self,
        info: PerisaiInfo,
        token: Annotated[str, strawberry.argument(description="The receipt.")],
    ) -> list[ProvenEvent]:
        """Turn a receipt into events."""
        context = info.context
        found = await oversight.by_receipt(
            context.house, cast(SecurityOfficer, context.caller), token
        )
        return [
            ProvenEvent(
                event=event_of(one.index, one.event),
                proof=None
                if one.proof is None
                else InclusionProof(index=one.index, text=str(one.proof)),
            )
            for one in found
        ]

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

    @strawberry.field(
        description="Proof that the log at one checkpoint continues that at an older one."
    )
    async def consistency_proof(
        self,
        info: PerisaiInfo,
        old: Annotated[int, strawberry.argument(description="Size of the older checkpoint.")],
        new: Annotated[int, strawberry.argument(description="Size of the newer checkpoint.")],
    ) -> ConsistencyProof:
        """Prove that a checkpoint continues an older one."""
        context = info.context
        hashes = await oversight.consistency_proof(
            context.house, cast(SecurityOfficer, context.caller), old, new
        )
        return ConsistencyProof(
            old=old, new=new, hashes=[b64encode(one).decode() for one in hashes]
        )
