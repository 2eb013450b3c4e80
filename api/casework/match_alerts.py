"""An alert for each request of an emergency, and who of the agency that was asked is told of it.

One is made whether the agency knows the person or not: the rows, the log and what is sent must
tell nobody else. It names the request and the asker's case file, which stand in the request
itself; what was found stays sealed in the hit, and is opened when somebody is to be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from api.accesslog.event import Event, Touched
from api.casework.chunks import Record, chunks
from api.casework.house import House
from api.casework.match_reach import reached
from api.casework.matched import Found, found_in
from api.casework.recording import event_of, event_of_service
from api.database import Connection
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Verdict
from api.store import alerts, matching
from api.store.alerts import Alert
from api.store.matching import Row
from api.vocabulary import (
    Action,
    AlertKind,
    Caller,
    Decision,
    Ground,
    Purpose,
    RecordKind,
    Sensitivity,
)

#: By when it is to be answered; see the code list of clocks.
CLOCK = "match_answer"


class Told(NamedTuple):
    """That another agency asks for a person, to somebody who may answer.

    Attributes:
        case_file: of the own agency, in which the caller may answer.
    """

    alert: Alert
    case_file: UUID


async def make(house: House, change: Connection, hit: Row, case_file: UUID) -> None:
    """Make the alert of a *hit* that is written in the same transaction, if it is of an emergency.

    Args:
        case_file: the asker's, as in the request.

    Raises:
        LogUnavailable: nothing is to be committed.
    """
    if hit["purpose"] != Purpose.EMERGENCY.value:
        return
    at = hit["looked_at"]
    row = {
        "id": uuid7(),
        "agency": hit["agency"],
        "case_file": case_file,
        "record": hit["request"],
        "member": None,
        "clock": CLOCK,
        "kind": AlertKind.MATCH.value,
        "counted_from": at,
        "due_at": hit["until"],
        "made_at": at,
        "next_at": at,
    }
    for one in await alerts.add(change, [row]):
        event = event_of_service(
            Action.ALERT,
            at,
            request="alert",
            policy=house.gate.policy_hash,
            agencies=[hit["agency"]],
        )
        records = ((RecordKind.MATCH, one["record"], 0), (RecordKind.ALERT, one["id"], 0))
        touched = Touched(Decision.ALLOWED, None, None, (), (), records)
        await house.ledger.append(replace(event, touched=(touched,)))


def may_answer(house: House, who: CaseworkerFacts) -> bool:
    """Tell whether *who* has any part in what other agencies ask."""
    own = CaseFileFacts(who.agency, int(Sensitivity.LOW), False, False)
    return isinstance(house.gate.change(who, Action.ANSWER_MATCH, own), Allowed)


async def seen(
    house: House,
    snapshot: Connection,
    caller: Caller,
    who: CaseworkerFacts,
    found: Sequence[Alert],
    now: datetime,
) -> tuple[dict[UUID, Told], list[Event]]:
    """Give those of *found* of which the caller may answer, by id, and the events that say so.

    What nobody was found for, what was answered, and what is over is told to nobody.
    """

    def may(facts: CaseFileFacts) -> Verdict:
        return house.gate.change(who, Action.ANSWER_MATCH, facts)

    hits = await _hits(house, snapshot, caller.organisation, found)
    people = {
        one.id: person
        for one in found
        if (pair := hits.get(one.record)) is not None and (person := _waits(*pair, now)) is not None
    }
    if not people:
        return {}, []
    places = sorted(await reached(house, snapshot, caller, who, set(people.values()), may))
    told: dict[UUID, Told] = {}
    records: list[Record] = []
    for one in found:
        files = [file for file, person in places if person == people.get(one.id)]
        if files:
            told[one.id] = Told(one, files[0])
            records += [
                (RecordKind.ALERT, one.id, 0),
                (RecordKind.MATCH, one.record, 0),
                (RecordKind.DEFENDER, people[one.id], 0),
                (RecordKind.CASE_FILE, files[0], 0),
            ]
    touched = Touched(Decision.DISCLOSED, Ground.OWN_AGENCY, None, (), (), tuple(records))
    events = [
        event_of(
            house,
            caller,
            Action.LIST,
            Decision.DISCLOSED,
            chunk,
            agencies=(caller.organisation,),
        )
        for chunk in chunks([touched] if records else [])
    ]
    return told, events


async def is_known(house: House, connection: Connection, agency: str, request: UUID) -> bool:
    """Tell whether *agency*, whose keys are here, found somebody for a request."""
    row = await matching.hit_of(connection, request, agency)
    found = None if row is None else found_in(house, row)
    return found is not None and found.defender is not None


async def _hits(
    house: House, connection: Connection, agency: str, found: Sequence[Alert]
) -> Mapping[UUID, tuple[Row, Found]]:
    """Read what the agency found for what *found* is about, of rows that are as it sealed them."""
    if not found:
        return {}
    rows = await matching.hits_among(connection, agency, {one.record for one in found})
    opened = ((row, found_in(house, row)) for row in rows)
    return {row["request"]: (row, hit) for row, hit in opened if hit is not None}


def _waits(row: Row, found: Found, now: datetime) -> UUID | None:
    """Give the person whom somebody asked for in an emergency, and nobody answered about yet."""
    waits = (
        row["purpose"] == Purpose.EMERGENCY.value and found.answer is None and now < row["until"]
    )
    return found.defender if waits else None
