"""Ask the budgets before people are opened for a caller; a refusal leaves its event.

Counted are people and their papers: a defender of whom the identity, the contact or the
whereabouts are opened, a defender who is shown as the hit of a search, and an attachment
whose bytes are read. What a search opens in memory to compare is not: what it shows is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework.house import House
from api.casework.recording import append_all, event_of
from api.errors import OpeningsExhausted
from api.vocabulary import Action, Caller, Compartment, Decision, Reason

_IDENTITY, _CONTACT, _WHEREABOUTS = (
    Compartment.IDENTITY,
    Compartment.CONTACT,
    Compartment.WHEREABOUTS,
)


def people(permitted: Iterable[tuple[UUID, Compartment]]) -> set[UUID]:
    """Give the defenders among what is to be opened, and the measures that show where one is."""
    return {
        record
        for record, c in permitted
        if c is _IDENTITY or c is _CONTACT or c is _WHEREABOUTS  # A hash of them costs more.
    }


async def spend(
    house: House, caller: Caller, records: Collection[UUID], events: Sequence[Event]
) -> None:
    """Count *records* as opened, all of them or none; to be asked before *events* are written.

    Raises:
        OpeningsExhausted: over a budget. What *events* would have disclosed is written as
            withheld, and nothing may be opened.
        LogUnavailable: the same, and it could not be written.
    """
    if not records:
        return
    try:
        house.budgets.spend(caller.member, records, house.now())
    except OpeningsExhausted:
        await append_all(house, [_stopped(event) for event in events])
        raise


async def check_search(house: House, caller: Caller, hits: int) -> None:
    """Refuse a search of which not all *hits* could be shown, before it opens a name.

    Asked only of what is found, a caller whose budget is spent would learn from the
    refusal itself that somebody is found.

    Raises:
        OpeningsExhausted, LogUnavailable: see `spend`.
    """
    try:
        house.budgets.check(caller.member, hits, house.now())
    except OpeningsExhausted:
        await append_all(house, [stopped_search(house, caller)])
        raise


def stopped_search(house: House, caller: Caller) -> Event:
    """Make the event of a search that was stopped; it names nobody."""
    touched = Touched(Decision.WITHHELD, None, Reason.OPENINGS_EXHAUSTED, (), (), ())
    return event_of(
        house,
        caller,
        Action.SEARCH,
        Decision.WITHHELD,
        (touched,),
        agencies=(caller.organisation,),
        code=OpeningsExhausted.code,
    )


def _stopped(event: Event) -> Event:
    """Turn the event of a disclosure into that of its refusal: of the same records."""
    touched = tuple(
        replace(t, decision=Decision.WITHHELD, ground=None, reason=Reason.OPENINGS_EXHAUSTED)
        if t.decision is Decision.DISCLOSED
        else t
        for t in event.touched
    )
    return replace(event, decision=Decision.WITHHELD, code=OpeningsExhausted.code, touched=touched)
