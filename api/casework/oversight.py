"""What a security officer does: look at the events of the own agency, and at proofs.

Looking at the log is itself an event, durable before the answer. No identity is
here to be withheld: an event holds none.
"""

from dataclasses import dataclass

from api.accesslog.event import Event as Event  # the schema names it
from api.accesslog.event import Touched
from api.accesslog.proofs import TlogProof
from api.accesslog.search import Filters as Filters  # the schema names it
from api.casework import rights
from api.casework.case_files import Cursors, check_page_size
from api.casework.house import House
from api.casework.recording import event_of
from api.errors import NotFound
from api.policies.facts import EventFacts, SecurityOfficerFacts
from api.policies.gate import Allowed
from api.vocabulary import Action, Decision, Ground, SecurityOfficer


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of events, newest first; each with its index in the log."""

    items: list[tuple[int, Event]]
    has_next: bool
    cursors: Cursors


async def events(
    house: House, caller: SecurityOfficer, *, first: int, after: str | None, filters: Filters
) -> EventPage:
    """Show a page of the events of the caller's agency: its members', and its records'.

    The page stands still while events arrive: a cursor is an index, and only older
    events follow it.
    """
    check_page_size(first)
    cursors = Cursors(house, caller, "accessEvents", repr(filters))
    before = None if after is None else int(cursors.open(after)[0])
    await _looking(house, caller)
    found = await house.log.find(
        filters, agency=caller.organisation, first=first + 1, after_idx=before
    )
    shown = [(index, event) for index, event in found if _may_see(house, caller, event)]
    return EventPage(shown[:first], len(found) > first, cursors)


async def checkpoint(house: House, caller: SecurityOfficer) -> str | None:
    """Give the newest checkpoint, a signed note; None before the first."""
    await _looking(house, caller)
    return await house.log.latest_checkpoint()


async def inclusion_proof(house: House, caller: SecurityOfficer, index: int) -> TlogProof | None:
    """Prove that one event is in the log; None while no checkpoint holds it yet.

    Raises:
        NotFound: no such event, or not one of the caller's agency.
    """
    await _looking(house, caller)
    event = await house.log.event(index) if index >= 0 else None
    if event is None or not _may_see(house, caller, event):
        raise NotFound
    return await house.log.proof(index)


async def _looking(house: House, caller: SecurityOfficer) -> None:
    """Append that the caller looks at the log, after the caller's own row was read again."""
    async with house.records.snapshot() as snapshot:
        await rights.member_of(house, snapshot, caller)
    touched = Touched(Decision.DISCLOSED, Ground.OVERSIGHT, None, (), (), ())
    await house.ledger.append(
        event_of(
            house,
            caller,
            Action.READ_LOG,
            Decision.DISCLOSED,
            (touched,),
            agencies=(caller.organisation,),
        )
    )


def _may_see(house: House, caller: SecurityOfficer, event: Event) -> bool:
    facts = EventFacts(
        own_actor=event.organisation == caller.organisation,
        own_record=caller.organisation in event.agencies,
    )
    who = SecurityOfficerFacts(caller.organisation)
    return isinstance(house.gate.see(who, facts), Allowed)
