"""Who could open what of a defender: the types that the agency's and the officers' face share."""

from datetime import datetime

import strawberry

from api.casework.access_review import Review
from api.schema import words
from api.vocabulary import Compartment, Ground, Purpose, Role

words.define()


@strawberry.type(description="A compartment that a member could open on one ground.")
class Opening:
    """See `casework.could_open.Opening`."""

    compartment: Compartment = strawberry.field(description="The compartment.")
    ground: Ground = strawberry.field(description="The ground.")
    purposes: list[Purpose] = strawberry.field(
        description="The purposes for which it opens so; any one of them."
    )


@strawberry.type(description="A member of your agency who could open something, now.")
class MemberAccess:
    """See `casework.could_open.MemberAccess`."""

    member: strawberry.ID = strawberry.field(description="Pseudonym of the member.")
    role: Role = strawberry.field(description="Role of the member.")
    openings: list[Opening] = strawberry.field(description="What this member could open.")


@strawberry.type(
    description=(
        "Another agency that has compartments by a referral which it accepted. Who works there "
        "is its own secret."
    )
)
class AgencyAccess:
    """See `casework.could_open.AgencyAccess`."""

    agency: str = strawberry.field(description="Slug of the agency.")
    compartments: list[Compartment] = strawberry.field(description="What was shared.")
    until: datetime = strawberry.field(description="When the referral ends by itself.")


@strawberry.type(
    description=(
        "Who could open what of a defender, now: a page of your members, by their ids, and the "
        "agencies to which it was referred. Nothing was opened."
    )
)
class AccessReview:
    """See `casework.access_review.Review`."""

    members: list[MemberAccess] = strawberry.field(
        description="Members who could open something; who could open nothing is left out."
    )
    agencies: list[AgencyAccess] = strawberry.field(
        description="Where your agency leads the case; the same on every page."
    )
    end_cursor: str | None = strawberry.field(
        description=(
            "Send it as `after` for the next page; null: all members were asked about. A page "
            "looks at 500 members at most, so it may be short, or empty, and not the last."
        )
    )


def review_of(review: Review) -> AccessReview:
    """Show a page."""
    return AccessReview(
        members=[
            MemberAccess(
                member=strawberry.ID(str(access.member)),
                role=access.role,
                openings=[
                    Opening(
                        compartment=opening.compartment,
                        ground=opening.ground,
                        purposes=list(opening.purposes),
                    )
                    for opening in access.openings
                ],
            )
            for access in review.members
        ],
        agencies=[
            AgencyAccess(
                agency=access.agency,
                compartments=list(access.compartments),
                until=access.until,
            )
            for access in review.agencies
        ],
        end_cursor=review.end,
    )
