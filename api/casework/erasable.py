"""What can be erased, and kept, by itself: a defender or a case file."""

from collections.abc import Sequence
from uuid import UUID

from api.casework.changing import Ask, Situation
from api.casework.house import House
from api.database import Connection
from api.errors import NotFound, ValueInvalid
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import erasing
from api.vocabulary import Action, RecordKind

Target = tuple[RecordKind, UUID]


def erasable(target: Target) -> Target:
    """Give *target* if its kind is one that is erased, or kept, by itself.

    Raises:
        ValueInvalid: it is none.
    """
    if target[0] not in erasing.PARTS:
        raise ValueInvalid
    return target


def asking(house: House, action: Action) -> Ask:
    """Ask the policy for *action* alone: nothing is opened."""

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        return [house.gate.change(who, action, facts)]

    return ask


async def check_own(change: Connection, target: Target, situation: Situation) -> None:
    """Pass where the record is the own agency's, and not only in a case file of it.

    An erasure needs no key, so nothing else would keep one agency from erasing what is
    another's and stands in a case file of its own.

    Raises:
        NotFound: it is another agency's.
    """
    if await erasing.agency_of(change, *target) != situation.row.lead_agency:
        raise NotFound
