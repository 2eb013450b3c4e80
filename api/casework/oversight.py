"""What a security officer does: look at the events of the own agency, and at proofs.

Looking at the log is itself an event, durable before the answer. No identity is
here to be withheld: an event holds none.
"""

from dataclasses import dataclass

from api.accesslog.event import Event as Event  # the schema names it
from api.accesslog.finding import Filters as Filters  # the schema names it
from api.accesslog.proofs import TlogProof
from api.casework.case_files import Cursors, check_page_size
from api.casework.house import House
from api.casework.looking import Look, check_officer, looked, may_see
from api.casework.receipts import open_receipt
from api.errors import NotFound, ReceiptInvalid, SizesInvalid
from api.vocabulary import SecurityOfficer


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of events, newest first; each with its index in the log."""

    items: list[tuple[int, Event]]
    has_next: bool
    has_previous: bool
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
    await check_officer(house, caller)
    found = await house.log.find(
        filters, agency=caller.organisation, first=first + 1, after_idx=before
    )
    shown = [(index, event) for index, event in found if may_see(house, caller, event)][:first]
    await looked(house, caller, _look_of(filters), len(shown))
    return EventPage(shown, len(found) > first, after is not None, cursors)


def _look_of(filters: Filters) -> Look:
    asked = tuple(one for one in (filters.actor, filters.record) if one is not None)
    return Look("accessEvents", filters.used, asked)


async def checkpoint(house: House, caller: SecurityOfficer) -> str | None:
    """Give the newest checkpoint, a signed note; None before the first."""
    await check_officer(house, caller)
    await looked(house, caller, Look("checkpoint"))
    return await house.log.latest_checkpoint()


async def inclusion_proof(house: House, caller: SecurityOfficer, index: int) -> TlogProof | None:
    """Prove that one event is in the log; None while no checkpoint holds it yet.

    Raises:
        NotFound: no such event, or not one of the caller's agency.
    """
    await check_officer(house, caller)
    look = Look("inclusionProof")
    event = await house.log.event(index) if index >= 0 else None
    if event is None or not may_see(house, caller, event):
        await looked(house, caller, look, refused=NotFound)
        raise NotFound
    await looked(house, caller, look, 1)
    return await house.log.proof(index)


async def consistency_proof(
    house: House, caller: SecurityOfficer, old: int, new: int
) -> list[bytes]:
    """Prove that the log of *new* events continues that of *old*: two checkpoints' sizes.

    Raises:
        SizesInvalid: they are not in order, or the log is not that long.
    """
    await check_officer(house, caller)
    look = Look("consistencyProof")
    size = (await house.log.head()).size
    if not 0 <= old <= new <= size:
        await looked(house, caller, look, refused=SizesInvalid)
        raise SizesInvalid
    await looked(house, caller, look)
    return await house.log.consistency(old, new)


@dataclass(frozen=True, slots=True)
class Proven:
    """One event with its proof under the newest checkpoint; None where that is older."""

    index: int
    event: Event
    proof: TlogProof | None


async def by_receipt(house: House, caller: SecurityOfficer, token: str) -> list[Proven]:
    """Give the events that stand behind the answer with the receipt *token*, oldest first.

    Raises:
        ReceiptInvalid: see `open_receipt`; one event, nothing shown.
    """
    await check_officer(house, caller)
    try:
        noted = open_receipt(house, caller, token)
    except ReceiptInvalid:
        await looked(house, caller, Look("accessReceipt"), refused=ReceiptInvalid)
        raise
    found = [
        (index, event)
        async for index, event in house.log.between(noted.first, noted.last)
        if event.request == noted.request
        and event.actor == noted.member
        and may_see(house, caller, event)
    ]
    look = Look("accessReceipt", asked=(noted.member,))
    await looked(house, caller, look, len(found))
    proofs = await house.log.newest_proofs([index for index, _ in found])
    return [
        Proven(index, event, proof) for (index, event), proof in zip(found, proofs, strict=True)
    ]
