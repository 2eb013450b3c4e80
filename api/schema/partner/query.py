"""What a partner reads: releases that were made, redacted and sealed for it."""

from base64 import b64encode
from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import release_papers, releases
from api.casework.releases import ReleaseView
from api.schema import words
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import requested
from api.vocabulary import Language, Partner, Purpose

words.define()


@strawberry.type(description="What a release says. Each fact was generalised before sealing.")
class ReleaseContent:
    """See `casework.releases.ReleaseContent`."""

    province: str = strawberry.field(description="Code of the province, two digits.")
    month: str = strawberry.field(description="The month in which the case was opened, YYYY-MM.")
    categories: list[str] = strawberry.field(description="Codes of what the persons defend.")
    incident_kinds: list[str] = strawberry.field(description="Codes of what happened.")
    adversary_kinds: list[str] = strawberry.field(description="Codes of who threatens.")
    needs: list[str] = strawberry.field(description="Codes of the measures asked of you.")
    summary: str = strawberry.field(description="Summary, redacted by a person.")


@strawberry.type(description="A redacted view of one case, made for your organisation.")
class Release:
    """See `casework.releases.ReleaseView`."""

    id: strawberry.ID = strawberry.field(description="Opaque id; it names no case.")
    agency: str = strawberry.field(description="Slug of the agency that released it.")
    profile: str = strawberry.field(description="Name of the view, such as legal_aid.")
    purpose: Purpose = strawberry.field(description="The only purpose for which you may use it.")
    until: datetime = strawberry.field(description="When it ends.")
    content: ReleaseContent | None = strawberry.field(
        description="What it says; null where it could not be opened."
    )
    mark: str | None = strawberry.field(
        description=(
            "The mark of this copy: by it the copy can be traced to you. Ask for it with the "
            "content, and keep it with whatever you make of that; null where there is none."
        )
    )


@strawberry.type(description="One copy of a release as PDF, made for you.")
class ReleasePaper:
    """See `casework.release_papers.ReleasePaper`."""

    id: strawberry.ID = strawberry.field(description="Id of the release.")
    mark: str = strawberry.field(
        description="The mark of this copy, which stands on each page: see `Release.mark`."
    )
    pdf: str = strawberry.field(description="The PDF (PDF/UA-1, A4), in base64.")


@strawberry.type(description="A release in a list, and its position.")
class ReleaseEdge:
    """An edge."""

    cursor: str = strawberry.field(description="Its position; see `endCursor`.")
    node: Release = strawberry.field(description="The release.")


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    """Page info."""

    has_next_page: bool = strawberry.field(description="Whether more follows.")
    end_cursor: str | None = strawberry.field(description="Send it as `after` for the next page.")


@strawberry.type(description="One page of releases (Relay).")
class ReleaseConnection:
    """A connection."""

    edges: list[ReleaseEdge] = strawberry.field(description="The releases of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")


@strawberry.type(description="You, as this service knows you.")
class Viewer:
    """The caller."""

    member_id: strawberry.ID = strawberry.field(description="Your pseudonym in the access log.")
    organisation: str = strawberry.field(description="Slug of your organisation.")
    purpose: Purpose | None = strawberry.field(description="The purpose that you declared.")


@strawberry.type(description="What a partner may ask.")
class Query:
    """The root of the partner face."""

    @strawberry.field(description="You, as this service knows you. Opens nothing.")
    def viewer(self, info: PerisaiInfo) -> Viewer:
        """Say who the caller is."""
        caller = info.context.caller
        return Viewer(
            member_id=strawberry.ID(str(caller.member)),
            organisation=caller.organisation,
            purpose=caller.purpose,
        )

    @strawberry.field(description="Your releases, those that end first before the others.")
    async def releases(
        self,
        info: PerisaiInfo,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")],
        after: Annotated[
            str | None, strawberry.argument(description="`endCursor` of the page before.")
        ] = None,
    ) -> ReleaseConnection:
        """List releases."""
        context = info.context
        page = await releases.page(
            context.house,
            cast(Partner, context.caller),
            first=first,
            after=after,
            content="content" in requested(info)["edges"]["node"],
        )
        edges = [
            ReleaseEdge(cursor=page.cursors.seal(r.until, r.id), node=_release(r))
            for r in page.items
        ]
        return ReleaseConnection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=page.has_next,
                end_cursor=page.cursors.seal(*page.end) if page.end else None,
            ),
        )

    @strawberry.field(description="One release; the error NOT_FOUND where none is yours.")
    async def release(
        self,
        info: PerisaiInfo,
        id: Annotated[  # noqa: A002  # the name in the schema
            strawberry.ID, strawberry.argument(description="Id of the release.")
        ],
    ) -> Release | None:
        """Open one release."""
        context = info.context
        return _release(
            await releases.one(
                context.house,
                cast(Partner, context.caller),
                uuid_of(id),
                content="content" in requested(info),
            )
        )

    @strawberry.field(
        description=(
            "One release as PDF that a screen reader reads; NOT_FOUND where none is yours."
        )
    )
    async def release_paper(
        self,
        info: PerisaiInfo,
        id: Annotated[  # noqa: A002  # the name in the schema
            strawberry.ID, strawberry.argument(description="Id of the release.")
        ],
        language: Annotated[
            Language, strawberry.argument(description="Of headings and codes, not of the summary.")
        ],
    ) -> ReleasePaper | None:
        """Set one release."""
        context = info.context
        made = await release_papers.paper(
            context.house, cast(Partner, context.caller), uuid_of(id), language
        )
        return ReleasePaper(
            id=strawberry.ID(str(made.id)), mark=made.mark, pdf=b64encode(made.pdf).decode()
        )


def _release(view: ReleaseView) -> Release:
    return cast(Release, view)
