"""What a supervisor asks about colleagues: who could open what of a defender."""

from typing import Annotated

import strawberry

from api.casework import access_review
from api.schema.access_review import AccessReview, review_of
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import Compartment


@strawberry.type(description="Questions about who could open what.")
class AccessReviewQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description=(
            "Which members of your agency could open what of a defender, now. For supervisors "
            "and the agency's lead, for SUPERVISION, QUALITY_REVIEW or SUBJECT_REQUEST, up to "
            "their own clearance. Opens nothing; is in the access log."
        )
    )
    async def who_can_see(
        self,
        info: PerisaiInfo,
        defender_id: Annotated[
            strawberry.ID, strawberry.argument(description="Id of the defender.")
        ],
        first: Annotated[int, strawberry.argument(description="How many members, 1 to 100.")],
        after: Annotated[
            str | None, strawberry.argument(description="`endCursor` of the page before.")
        ] = None,
        compartment: Annotated[
            Compartment | None, strawberry.argument(description="Only this one.")
        ] = None,
    ) -> AccessReview | None:
        """Review."""
        context = info.context
        asked = access_review.Asked(uuid_of(defender_id), compartment, first, after)
        found = await access_review.for_supervisor(context.house, context.caller, asked)
        return review_of(found)
