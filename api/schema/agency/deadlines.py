"""Deadlines of case files, and alerts about them as they are made."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import alerts, deadlines
from api.errors import EventStreamNeeded
from api.schema import words
from api.schema.agency.types import PageInfo
from api.schema.context import PerisaiInfo, uuid_of
from api.schema.requested import requested
from api.vocabulary import AlertKind

words.define()


@strawberry.type(description="Something that must be done by a moment, and is not done.")
class Deadline:
    """See `casework.deadlines.DeadlineView`."""

    clock: str = strawberry.field(description="Code of the clock.")
    label_id: str = strawberry.field(description="What it is, in Indonesian.")
    label_en: str = strawberry.field(description="What it is, in English.")
    legal_source: str = strawberry.field(
        description="The article that sets the time, or who proposed it."
    )
    case_file: strawberry.ID = strawberry.field(description="Id of the case file.")
    due_at: datetime = strawberry.field(description="By when it must be done.")
    overdue: bool = strawberry.field(description="Whether that has passed.")


@strawberry.type(description="A deadline in a list, and its position.")
class DeadlineEdge:
    """A deadline in a list, and its position."""

    cursor: str = strawberry.field(description="Its position; see `PageInfo.endCursor`.")
    node: Deadline = strawberry.field(description="The deadline.")


@strawberry.type(description="One page of deadlines (Relay).")
class DeadlineConnection:
    """One page of deadlines (Relay)."""

    edges: list[DeadlineEdge] = strawberry.field(
        description="The deadlines of this page, first those that are due first."
    )
    page_info: PageInfo = strawberry.field(description="Where the page stands.")


@strawberry.input(description="What narrows a list of deadlines; all that is given must hold.")
class DeadlineFilter:
    """See `casework.deadlines.Filters`."""

    overdue: bool | None = strawberry.field(
        default=None, description="true: only those that have passed; false: only the others."
    )
    clock: str | None = strawberry.field(default=None, description="Code of the clock.")
    case_file_id: strawberry.ID | None = strawberry.field(
        default=None, description="Id of a case file."
    )


@strawberry.type(description="Questions about deadlines.")
class DeadlineQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description=(
            "What your agency must do by when, of the case files that exist for you, a page at a "
            "time. What is about a colleague's work is for them and for who may do something "
            "about it. One event in the access log names all of the page."
        )
    )
    async def deadlines(
        self,
        info: PerisaiInfo,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 100.")],
        after: Annotated[
            str | None, strawberry.argument(description="`endCursor` of the page before.")
        ] = None,
        filter: Annotated[  # noqa: A002  # the name in the schema
            DeadlineFilter | None, strawberry.argument(description="What narrows the list.")
        ] = None,
    ) -> DeadlineConnection:
        """List."""
        context = info.context
        given = filter or DeadlineFilter()
        of = None if given.case_file_id is None else uuid_of(given.case_file_id)
        page = await deadlines.page(
            context.house,
            context.caller,
            first=first,
            after=after,
            filters=deadlines.Filters(given.overdue, given.clock, of),
        )
        with_cursors = "cursor" in requested(info)["edges"].names
        return DeadlineConnection(
            edges=[
                DeadlineEdge(
                    cursor=page.cursor(item.position) if with_cursors else "",
                    node=cast(Deadline, item),
                )
                for item in page.items
            ],
            page_info=PageInfo(
                has_next_page=page.has_next,
                end_cursor=page.cursor(page.end) if page.end else None,
            ),
        )


@strawberry.type(
    description="That a deadline comes soon or has passed, or that another agency asks in an "
    "emergency for a person whom yours knows. Each is told once."
)
class Alert:
    """See `casework.alerts.AlertView`."""

    id: strawberry.ID = strawberry.field(description="Id of the alert.")
    kind: AlertKind = strawberry.field(
        description="Whether it comes soon or has passed, or is about a match."
    )
    clock: str = strawberry.field(description="Code of the clock.")
    label_id: str = strawberry.field(description="What it is, in Indonesian.")
    label_en: str = strawberry.field(description="What it is, in English.")
    case_file: strawberry.ID = strawberry.field(description="Id of the case file.")
    due_at: datetime = strawberry.field(description="By when it must be, or had to be, done.")
    made_at: datetime = strawberry.field(description="When the alert was made.")
    match_id: strawberry.ID | None = strawberry.field(
        description="Id of the match that you may answer (`answerMatch`); null: it is about a "
        "deadline."
    )


@strawberry.type(description="Alerts that are new since the event before.")
class Alerts:
    """See `casework.alerts.Told`."""

    alerts: list[Alert] = strawberry.field(
        description="In the order in which they were made; the first event may have none."
    )


@strawberry.type(description="Alerts, as they are made.")
class AlertSubscription:
    """Part of the root of subscriptions of the agency face."""

    @strawberry.field(
        description=(
            "The alerts of your agency that are about case files which exist for you, and about "
            "matches of an emergency that you may answer: those since "
            "`after`, or from now on; the error NOT_FOUND where `after` is no such alert. Each "
            "event is one in the access log. The stream ends when your token does."
        )
    )
    async def alerts(
        self,
        info: PerisaiInfo,
        first: Annotated[
            int, strawberry.argument(description="The most that one event tells, 1 to 100.")
        ],
        after: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Id of the last alert that you were told of."),
        ] = None,
    ) -> Alerts | None:
        """Tell what is new."""
        context, stream = info.context, info.context.stream
        last = None if after is None else uuid_of(after)
        if stream is None:
            raise EventStreamNeeded
        house, caller = context.house, context.caller
        if stream.told is None:
            told = await alerts.start(house, caller, last, first)
            follow = house.alerts.follow(caller.organisation, told.number, stream.wake)
            stream.until_closed(follow)
        else:
            told = await alerts.since(house, caller, stream.told, first)
            stream.silent = not told.alerts
        stream.told = told.number
        if told.more:
            stream.wake()
        return cast(Alerts, told)
