"""What an agency may be told as it happens: that something changed, and nothing of what it is."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import case_file_changes
from api.errors import EventStreamNeeded
from api.schema.agency.deadlines import AlertSubscription
from api.schema.context import PerisaiInfo, uuid_of


@strawberry.type(description="How a case file stands for you. It holds no value; ask for those.")
class CaseFileChange:
    """See `casework.case_file_changes.CaseFileChange`."""

    id: strawberry.ID = strawberry.field(description="Id of the case file.")
    revision: int = strawberry.field(
        description="Grows with each change that you see of the case file, its defenders, notes "
        "and attachments, until it is erased."
    )
    at: datetime = strawberry.field(description="When it was looked at.")


@strawberry.type(description="What a caseworker may be told as it happens, as a stream of events.")
class Subscription(AlertSubscription):
    """The root of subscriptions of the agency face.

    Its fields are resolved like those of a query, anew for each event; a resolver tells the
    stream what wakes it.
    """

    @strawberry.field(
        description=(
            "How a case file stands, at once and after each change that you may see; the error "
            "NOT_FOUND where none is in reach. Each event is one in the access log. The stream "
            "ends when your token does, or when the case file is out of your reach."
        )
    )
    async def case_file_changed(
        self,
        info: PerisaiInfo,
        id: Annotated[  # noqa: A002  # the name in the schema
            strawberry.ID, strawberry.argument(description="Id of the case file.")
        ],
    ) -> CaseFileChange | None:
        """Tell how it stands, if that is new."""
        context, stream, case_file = info.context, info.context.stream, uuid_of(id)
        if stream is None:
            raise EventStreamNeeded
        change = await case_file_changes.change_of(
            context.house, context.caller, case_file, stream.told
        )
        if change is None:
            stream.silent = True
            return None
        if stream.told is None:
            following = context.house.following
            stream.until_closed(following.follow(case_file, change.mark, stream.wake))
        stream.told = change
        return cast(CaseFileChange, change)
