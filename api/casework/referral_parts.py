"""What both sides of a referral share: what it covers, its locks, its events."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import product
from uuid import UUID

import structlog

from api.accesslog.event import Event, Touched
from api.casework.facts import Referred
from api.casework.house import House
from api.casework.recording import recorded
from api.casework.said_by_log import was_done
from api.crypto.data_keys import WrappedKey
from api.database import Connection
from api.store import assignments, defenders, key_wraps
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.vocabulary import Action, Compartment, Decision, Ground, Phase, RecordKind

_log = structlog.get_logger("perisai.referral_parts")

Place = tuple[UUID, Compartment]

#: What ends a referral, whoever does it.
_ENDING = (Action.END_REFERRAL, Action.TAKE_LEAD, Action.WITHDRAW_CONSENT)


def fields_of(compartments: Collection[Compartment]) -> list[str]:
    """Name every field that *compartments* share, of case files and defenders; no note."""
    fields = (*CASE_FILE_FIELDS.values(), *DEFENDER_FIELDS.values())
    return sorted(field.name for field in fields if field.compartment in compartments)


def covered(referred: Referred) -> list[Place]:
    """Name every record and compartment that a referral covers, whether it has a key or not."""
    records = (referred.case_file, *referred.defenders)
    return list(product(records, sorted(referred.compartments)))


async def newest_wraps(
    connection: Connection, owner: str, referred: Referred
) -> dict[Place, WrappedKey]:
    """Read the newest wrap that *owner* has of each place that is covered."""
    places = covered(referred)
    stored = await key_wraps.of_records(
        connection, owner, {record for record, _ in places}, referred.compartments
    )
    wraps = sorted((wrap for wrap, _ in stored), key=lambda wrap: wrap.version)
    return {(wrap.record, wrap.compartment): wrap for wrap in wraps}


def same_keys(mine: Mapping[Place, WrappedKey], theirs: Mapping[Place, WrappedKey]) -> bool:
    """Tell whether two agencies have wraps of the same keys; under which KEK does not matter."""
    keys = [
        {place: (wrap.version, wrap.commitment) for place, wrap in side.items()}
        for side in (mine, theirs)
    ]
    return keys[0] == keys[1]


async def ended_by_log(house: House, referred: Referred, agency: str) -> bool:
    """Tell whether the access log says that either agency ended it, whatever the rows say.

    Asked before a key goes or comes.
    """
    ended = await was_done(house, referred.referral, _ENDING, agency)
    if ended:
        _log.error("seal_broken", table="referral", owner=referred.giver)
    return ended


async def lock(change: Connection, referred: Referred) -> None:
    """Take the locks of every record that is covered, always in one order."""
    await assignments.lock_case_file(change, referred.case_file)
    for defender_id in sorted(referred.defenders):
        await defenders.lock(change, defender_id)


async def part(
    house: House,
    action: Action,
    referred: Referred,
    organisation: str,
    places: Sequence[Place],
    do: Callable[[int], Awaitable[None]],
    others: Sequence[tuple[RecordKind, UUID]] = (),
) -> None:
    """Do it between an intent and an outcome that name the referral and what it is about.

    Args:
        others: what else is.
    """
    people = set(referred.defenders) & {record for record, _ in places}
    touched = Touched(
        Decision.ALLOWED,
        Ground.REFERRAL_ACCEPTED,
        None,
        tuple(sorted({compartment for _, compartment in places})),
        (),
        (
            (RecordKind.REFERRAL, referred.referral, 0),
            (RecordKind.CASE_FILE, referred.case_file, 0),
            *((RecordKind.DEFENDER, person, 0) for person in sorted(people)),
            *((*other, 0) for other in others),
        ),
    )
    event = Event(
        at=house.now(),
        request="sharing",
        actor=None,
        organisation=organisation,
        role=None,
        action=action,
        phase=Phase.INTENT,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=tuple(sorted((referred.giver, referred.recipient))),
        touched=(touched,),
    )
    await recorded(house, event, do)
