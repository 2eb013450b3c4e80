"""Which colleague may be given work on a case file: by an assignment, or by a delegation."""

from uuid import UUID

from api.casework import rights, tying
from api.casework.house import House
from api.database import Connection
from api.errors import AssigneeInvalid
from api.store import members
from api.vocabulary import CASEWORK_ROLES, Caller, MemberId


async def check_colleague(
    house: House,
    transaction: Connection,
    caller: Caller,
    colleague: MemberId,
    case_file: UUID,
    sensitivity: int,
) -> None:
    """Pass who does casework in the caller's agency, is cleared and free, and not the caller.

    Raises:
        AssigneeInvalid: the caller, nobody of the agency who does casework, not cleared, or
            tied to the reported adversary.
    """
    person = await members.by_id(transaction, colleague)
    if (
        # Nobody gives to themself; the policy cannot know this, since facts hold no ids.
        colleague == caller.member
        or person is None
        or not person.live
        or person.organisation != caller.organisation
        or person.role not in CASEWORK_ROLES
        or person.clearance < sensitivity
        or not rights.holds(house, person.organisation, "member", person.seal_values, person.seal)
        or await tying.member_tied(house, transaction, caller.organisation, colleague, case_file)
    ):
        raise AssigneeInvalid
