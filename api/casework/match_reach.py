"""Which people of a list of matches are within the caller's reach, and the event of the list."""

from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from api.accesslog.event import Touched
from api.casework.chunks import Record, chunks
from api.casework.disclosure import Reading, read_rows
from api.casework.house import House
from api.casework.merges_seen import Place, places_in
from api.casework.recording import append_all, event_of
from api.database import Connection
from api.errors import NotAllowed
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Verdict
from api.store.case_file_statements import Shape, Which
from api.vocabulary import Action, Caller, Decision, Ground, RecordKind

_OF_PEOPLE = Shape(Which.OF_DEFENDERS, frozenset(), frozenset())


async def reached(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    people: Collection[UUID],
    may: Callable[[CaseFileFacts], Verdict],
) -> set[Place]:
    """Give where *people* stand in case files about which *may* allows; opens nothing."""
    reading = Reading(Action.LIST, _OF_PEOPLE, {"ids": list(people)})
    rows = await read_rows(house, snapshot, caller, who, reading, house.now())
    return places_in(house, caller, rows, may)


async def told(
    house: House,
    caller: Caller,
    shown: Iterable[tuple[UUID, UUID, Iterable[UUID]]],
    verdict: Verdict,
    kind: RecordKind = RecordKind.MATCH,
) -> None:
    """Append that *shown* (of *kind*, defender, case files) is listed, or that it is refused.

    Raises:
        NotAllowed: *verdict* is a refusal; the event says so and names nobody.
    """
    records: list[Record] = []
    for listed, defender, case_files in shown:
        records += [(kind, listed, 0), (RecordKind.DEFENDER, defender, 0)]
        records += [(RecordKind.CASE_FILE, file, 0) for file in case_files]
    allowed = isinstance(verdict, Allowed)
    touched = Touched(Decision.DISCLOSED, Ground.OWN_AGENCY, None, (), (), tuple(records))
    events = [
        event_of(
            house,
            caller,
            Action.LIST,
            Decision.DISCLOSED if allowed else Decision.REFUSED,
            chunk,
            agencies=(caller.organisation,),
            code=None if allowed else NotAllowed.code,
        )
        for chunk in chunks([touched] if allowed and records else [])
    ]
    await append_all(house, events)
    if not allowed:
        raise NotAllowed
