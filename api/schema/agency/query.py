"""What an agency asks. Each root field is one reading: one decision, one event, one opening."""

from typing import Annotated, cast

import strawberry

from api.casework import case_files, search
from api.casework.search import By
from api.schema.agency import types
from api.schema.agency.access_review import AccessReviewQueries
from api.schema.agency.case_life import life_asked
from api.schema.agency.deadlines import DeadlineQueries
from api.schema.agency.erasures import ErasureQueries
from api.schema.agency.explaining import ExplainQueries
from api.schema.agency.leads import LeadQuery
from api.schema.agency.matching import MatchQueries
from api.schema.agency.merges import MergeQueries
from api.schema.agency.overrides import OverrideQueries
from api.schema.agency.protection import wanted
from api.schema.agency.referrals import ReferralQuery
from api.schema.agency.statistics import StatisticsQueries
from api.schema.agency.triage import TriageQueries
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import names_below, requested
from api.vocabulary import CaseFileOrder, CaseStatus, Urgency


@strawberry.input(description="What narrows a list of case files; all that is given must hold.")
class CaseFileFilter:
    """See `casework.case_files.Filters`."""

    status: list[CaseStatus] | None = strawberry.field(default=None, description="Any of these.")
    urgency: list[Urgency] | None = strawberry.field(default=None, description="Any of these.")
    lead_agency: str | None = strawberry.field(default=None, description="Slug of the agency.")
    province: str | None = strawberry.field(
        default=None, description="Code of the province, two digits."
    )
    assigned_to_me: bool | None = strawberry.field(
        default=None, description="true: only those to which you are assigned."
    )
    reference: str | None = strawberry.field(
        default=None, description="A whole reference, or a text anywhere in it, in any case."
    )


@strawberry.type(description="What a caseworker may ask.")
class Query(
    AccessReviewQueries,
    DeadlineQueries,
    ErasureQueries,
    ExplainQueries,
    LeadQuery,
    MatchQueries,
    MergeQueries,
    OverrideQueries,
    ReferralQuery,
    StatisticsQueries,
    TriageQueries,
):
    """The root of the agency face."""

    @strawberry.field(description="You, as this service knows you. Opens nothing.")
    def viewer(self, info: PerisaiInfo) -> types.Viewer:
        """Say who the caller is."""
        caller = info.context.caller
        return types.Viewer(
            member_id=strawberry.ID(str(caller.member)),
            organisation=caller.organisation,
            role=caller.role,
            purpose=caller.purpose,
            legal_basis=caller.basis,
        )

    @strawberry.field(
        description=(
            "The case files that exist for you, a page at a time. "
            "One event in the access log names all of the page."
        )
    )
    async def case_files(
        self,
        info: PerisaiInfo,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")],
        after: Annotated[
            str | None, strawberry.argument(description="`endCursor` of the page before.")
        ] = None,
        filter: Annotated[  # noqa: A002  # the name in the schema
            CaseFileFilter | None, strawberry.argument(description="What narrows the list.")
        ] = None,
        order_by: Annotated[
            CaseFileOrder, strawberry.argument(description="The order of the list.")
        ] = CaseFileOrder.NEWEST,
    ) -> types.CaseFileConnection:
        """List case files."""
        context = info.context
        asked = requested(info)
        edges = asked["edges"]
        node = edges["node"]
        given = filter or CaseFileFilter()
        page = await case_files.page(
            context.house,
            context.caller,
            first=first,
            after=after,
            filters=case_files.Filters(
                given.status,
                given.urgency,
                given.lead_agency,
                given.province,
                given.assigned_to_me,
                given.reference,
            ),
            order=order_by,
            case_file=node.names,
            defender=names_below(node, "defenders"),
        )
        with_cursors = "cursor" in edges.names
        return types.CaseFileConnection(
            edges=[
                types.CaseFileEdge(
                    cursor=page.cursors.seal(item.sort_key, item.id) if with_cursors else "",
                    node=cast(types.CaseFile, item),
                )
                for item in page.items
            ],
            page_info=types.PageInfo(
                has_next_page=page.has_next,
                end_cursor=page.cursors.seal(*page.end) if page.end else None,
            ),
        )

    @strawberry.field(description="One case file; the error NOT_FOUND where none is in reach.")
    async def case_file(
        self,
        info: PerisaiInfo,
        id: Annotated[  # noqa: A002  # the name in the schema
            strawberry.ID, strawberry.argument(description="Id of the case file.")
        ],
    ) -> types.CaseFile | None:
        """Open one case file."""
        context = info.context
        asked = requested(info)
        view = await case_files.one(
            context.house,
            context.caller,
            uuid_of(id),
            case_file=asked.names,
            defender=names_below(asked, "defenders"),
            notes=names_below(asked, "notes"),
            attachments=names_below(asked, "attachments"),
            reasons=names_below(asked, "reasons"),
            triage=names_below(asked, "triage"),
            delegations="delegations" in asked.names,
            looks="looksWaiting" in asked.names,
            consents="consents" in asked.names,
            life=life_asked(asked),
            protections=wanted(asked),
        )
        return cast(types.CaseFile, view)

    @strawberry.field(description="One defender; the error NOT_FOUND where none is in reach.")
    async def defender(
        self,
        info: PerisaiInfo,
        id: Annotated[  # noqa: A002  # the name in the schema
            strawberry.ID, strawberry.argument(description="Id of the defender.")
        ],
    ) -> types.Defender | None:
        """Open one defender."""
        context = info.context
        view = await case_files.defender(
            context.house, context.caller, uuid_of(id), asked=requested(info).names
        )
        return cast(types.Defender, view)

    @strawberry.field(
        description=(
            "Find defenders among those whose searched compartment you may open: "
            "by name, tolerant of spelling, or by an exact NIK, family card, telephone "
            "number or e-mail address."
        )
    )
    async def find_defenders(
        self,
        info: PerisaiInfo,
        by: Annotated[By, strawberry.argument(description="What the value is.")],
        value: Annotated[str, strawberry.argument(description="What to search for.")],
        first: Annotated[int, strawberry.argument(description="The most hits, 1 to 20.")],
    ) -> list[types.DefenderMatch]:
        """Search."""
        context = info.context
        hits = await search.find_defenders(
            context.house,
            context.caller,
            search.Query(by, value),
            first=first,
            asked=requested(info)["defender"].names,
        )
        return cast(list[types.DefenderMatch], hits)

    @strawberry.field(description="A code list, for labels and choices. Opens nothing.")
    def code_list(
        self,
        info: PerisaiInfo,
        name: Annotated[
            str,
            strawberry.argument(
                description="adversary_kinds, closing_reasons, defender_categories, "
                "incident_kinds, measure_kinds, provinces, requirements, risk_impacts, "
                "risk_likelihoods or sexual_violence_forms."
            ),
        ],
    ) -> list[types.Code] | None:
        """Give the codes in use."""
        codes = info.context.house.codes
        if name not in codes.lists:
            return None
        return [
            types.Code(
                code=code,
                label_id=codes.labels(name, code).id,
                label_en=codes.labels(name, code).en,
            )
            for code in codes.codes(name)
        ]
