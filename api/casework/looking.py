"""Every look at the log, whatever at: who may look, what is shown, and the event of it.

The event names the question, the filters by their names, the ids that were asked for
and how many events are shown; it is durable before any of them is. The ids are words and
not its records: a look reaches no record, and is not found among those who did. What an
officer sees is the gate's to decide, event by event.
"""

from dataclasses import dataclass
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework import rights
from api.casework.house import House
from api.casework.recording import event_of
from api.errors import PerisaiError
from api.policies.facts import EventFacts, SecurityOfficerFacts
from api.policies.gate import Allowed
from api.vocabulary import Action, Decision, Ground, SecurityOfficer


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at.

    Attributes:
        query: name of the question.
        filters: NAMES of what narrows it, never values.
        asked: the ids that were asked for.
        action: READ_LOG, or another question that an officer may put.
    """

    query: str
    filters: tuple[str, ...] = ()
    asked: tuple[UUID, ...] = ()
    action: Action = Action.READ_LOG


async def check_officer(house: House, caller: SecurityOfficer) -> None:
    """Read the caller's own row again, before anything is read for it.

    Raises:
        NotForThisFace: see `rights.member_of`.
    """
    async with house.records.snapshot() as snapshot:
        await rights.member_of(house, snapshot, caller)


async def looked(
    house: House,
    caller: SecurityOfficer,
    look: Look,
    shown: int = 0,
    refused: type[PerisaiError] | None = None,
) -> None:
    """Append that the caller looks at *shown* events, or members, or was refused to.

    Raises:
        LogUnavailable: the event is not durable, so nothing may be shown.
    """
    decision = Decision.DISCLOSED if refused is None else Decision.WITHHELD
    touched = Touched(
        decision,
        Ground.OVERSIGHT if refused is None else None,
        None,
        (),
        (
            f"query:{look.query}",
            f"shown:{shown}",
            *(f"filter:{name}" for name in look.filters),
            *(f"asked:{one.hex}" for one in look.asked),
        ),
        (),
    )
    await house.ledger.append(
        event_of(
            house,
            caller,
            look.action,
            decision,
            (touched,),
            agencies=(caller.organisation,),
            code=None if refused is None else refused.code,
        )
    )


def may_see(house: House, caller: SecurityOfficer, event: Event) -> bool:
    """Ask the gate whether the caller may see *event*."""
    facts = EventFacts(
        own_actor=event.organisation == caller.organisation,
        own_record=caller.organisation in event.agencies,
    )
    who = SecurityOfficerFacts(caller.organisation)
    return isinstance(house.gate.see(who, facts), Allowed)
