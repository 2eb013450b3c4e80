"""What referrals leave to do between two processes that hold none of each other's keys.

Each process does its own part, whenever it looks, and each part may be done again
without harm:

- the giver gives the keys that a live, accepted referral covers and the recipient lacks;
- the recipient takes them: checks the giver's signature, opens, wraps under its own KEK;
- the giver ends what is over, or what the recipient ended, and exchanges the data keys;
- the recipient seals the end of what the giver closed, and its own wraps go;
- where the recipient is to lead: the giver signs what goes over, the recipient takes the case
  file, and the giver lets go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from uuid import UUID

import structlog

from api.casework.giving import end_over, give_keys, renew
from api.casework.handing import hand_over, let_go
from api.casework.house import House
from api.casework.leading import take_lead
from api.casework.referral_parts import covered
from api.casework.referred import referred_in
from api.casework.taking import seal_end, take_keys
from api.errors import PerisaiError
from api.store import key_wraps, leads, referrals
from api.store.referrals import Sides

_log = structlog.get_logger("perisai.sharing")

Part = Callable[[House, UUID], Awaitable[None]]


async def settle(house: House, only: Iterable[UUID] | None = None) -> None:
    """Do what this process has to do about the referrals of its agencies, or about *only* some.

    Five statements say what there is to do; each part then looks for itself, under its
    lock. What fails is reported and left for the next time; nothing opens by a failure.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    async with house.records.snapshot() as snapshot:
        found = await referrals.unfinished(snapshot, house.keyring.owners)
        if only is not None:
            wanted = set(only)
            found = [sides for sides in found if sides.given["id"] in wanted]
        open_ones = {sides.given["id"]: _places(sides) for sides in found if _is_open(sides)}
        records = {record for places in open_ones.values() for record, _ in places}
        versions = await key_wraps.newest_versions(snapshot, records)
        sent = await referrals.on_their_way(snapshot)
        proposed = await leads.proposals_of(snapshot, [sides.given["id"] for sides in found])
    for sides in found:
        referral_id = sides.given["id"]
        lacking = any(
            versions.get((*place, sides.given["giver"]))
            != versions.get((*place, sides.given["recipient"]))
            for place in open_ones.get(referral_id, ())
        )
        parts = _due(house, sides, lacking=lacking, sent=referral_id in sent)
        if referral_id in proposed:
            parts += (hand_over, take_lead, let_go)
        for part in parts:
            try:
                await part(house, referral_id)
            except PerisaiError as error:
                _log.error("referral_not_settled", part=part.__name__, code=error.code)


async def settle_forever(house: House, every: timedelta) -> None:
    """Do this process's part of the referrals of its agencies, again and again."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await settle(house)
        except Exception as error:  # By its kind only: its text may hold what was asked.
            _log.error("referrals_not_settled", error=type(error).__name__)


def _due(house: House, sides: Sides, *, lacking: bool, sent: bool) -> list[Part]:
    """Say which parts may have something to do, by what nothing proves yet.

    In this order one process that serves both agencies is done after one look.
    """
    given, theirs = sides
    answered = theirs is not None and theirs["ended_at"] is not None
    over = given["until"] <= house.now() or answered
    parts: list[Part] = []
    if given["ended_at"] is None and over:
        parts.append(end_over)
    if given["ended_at"] is None and lacking:
        parts.append(give_keys)
    if sent or lacking:
        parts.append(take_keys)
    closed = over or given["ended_at"] is not None
    if theirs is not None and not answered and (closed or theirs["closed_at"] is not None):
        parts.append(seal_end)
    if given["renewed_event"] is None and closed:
        parts.append(renew)
    return parts


def _is_open(sides: Sides) -> bool:
    given, theirs = sides
    return theirs is not None and theirs["ended_at"] is None and given["ended_at"] is None


def _places(sides: Sides) -> list[tuple[UUID, str]]:
    """Name what a referral says that it covers; nothing where it cannot be read."""
    try:
        referred = referred_in(sides.given, proposal=True)
    except (AttributeError, TypeError, ValueError):
        return []  # Written by hand; the parts would find that its seal does not hold.
    return [(record, compartment.value) for record, compartment in covered(referred)]
