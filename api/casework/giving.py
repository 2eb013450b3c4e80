"""The giver's part of a referral: give the keys that the other agency lacks; end; exchange keys.

Decides on its own seal and, of the recipient's side, on a signature under the key that it
has pinned. Holds no key of the recipient's.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from api.casework.closed import closed_since
from api.casework.facts import Referred
from api.casework.house import House
from api.casework.key_exchange import exchange
from api.casework.key_opening import open_keys
from api.casework.referral_parts import covered, ended_by_log, lock, newest_wraps, part
from api.casework.referred import (
    given_holds,
    referred_in,
    right_message,
    sealed_given,
    theirs_is_signed,
)
from api.casework.trust import pinned
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.sharing import Share, give
from api.database import Connection
from api.errors import StaleRevision
from api.store import key_wraps, leads, referrals
from api.store.key_wraps import StoredKey
from api.store.referrals import Row, ShareRow, Sides
from api.store.sealed_records import CASE_FILES, DEFENDERS
from api.vocabulary import Action, ReferralState

_log = structlog.get_logger("perisai.giving")


async def give_keys(house: House, referral_id: UUID) -> None:
    """As the giver, seal to the recipient what it lacks."""
    async with house.records.snapshot() as snapshot:
        due, referred = await _lacking(house, snapshot, referral_id)
    if referred is None or not due:
        return
    if await ended_by_log(house, referred, referred.giver):
        return

    async def do(_intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            again, still = await _lacking(house, change, referral_id)
            if still != referred:
                raise StaleRevision  # Another process came first, or it ended meanwhile.
            house.explained.add(referred.giver, len(again))
            opened = await open_keys(house, referred.giver, [StoredKey(w) for w in again])
            keys = opened.keys
            shares = await _shares(house, change, referred, keys)
            await referrals.delete_shares(change, referral_id, await _stale(change, referred, keys))
            await referrals.insert_shares(change, shares)

    places = [(w.record, w.compartment) for w in due]
    await part(house, Action.GIVE_KEYS, referred, referred.giver, places, do)


async def _lacking(
    house: House, connection: Connection, referral_id: UUID
) -> tuple[Sequence[WrappedKey], Referred | None]:
    """Give the giver's newest wraps of which the recipient has no equal, nor one on its way."""
    sides = await referrals.one(connection, referral_id)
    if sides is None or not await is_accepted(house, connection, sides):
        return (), None
    referred = referred_in(sides.given, proposal=True)
    newest = await newest_wraps(connection, referred.giver, referred)
    has = {
        (w.record, w.compartment, w.version)
        for w in (await newest_wraps(connection, referred.recipient, referred)).values()
    } | {
        (share.record, share.compartment, share.version)
        for share in await referrals.shares_of(connection, referral_id)
    }
    return [w for w in newest.values() if (w.record, w.compartment, w.version) not in has], referred


async def is_accepted(house: House, connection: Connection, sides: Sides) -> bool:
    """Tell, as the giver, whether the recipient accepted this very referral and it lasts."""
    given, theirs = sides
    return (
        given["giver"] in house.keyring.owners
        and theirs is not None
        and theirs["answer"] == ReferralState.ACCEPTED.value
        and theirs["ended_at"] is None
        and given["ended_at"] is None
        and given_holds(house, given)
        and house.now() < given["until"]
        and await _answered(house, connection, given, theirs)
        and not await _answered_closed(house, connection, given, theirs)
    )


async def _answered(house: House, connection: Connection, given: Row, theirs: Row) -> bool:
    peer = await pinned(house, connection, given["giver"], given["recipient"])
    if theirs_is_signed(given, theirs, peer):
        return True
    _log.error("seal_broken", table="referral_right", owner=given["recipient"])
    return False


async def _answered_closed(house: House, connection: Connection, given: Row, theirs: Row) -> bool:
    """Tell whether the case file had been closed when the recipient accepted it.

    What was accepted before goes on to its own end.
    """
    since = await closed_since(house, connection, given["giver"], given["case_file"])
    return since is not None and since < theirs["event"]


async def _shares(
    house: House, change: Connection, referred: Referred, keys: Sequence[DataKey]
) -> list[Share]:
    peer = await pinned(house, change, referred.giver, referred.recipient)
    signing = house.keyring.signing_key(referred.giver)
    right = right_message(referred)
    return [
        give(
            key,
            referred.giver,
            referred.recipient,
            (referred.referral, referred.proposal),
            right,
            signing,
            peer.sharing,
        )
        for key in keys
    ]


async def _stale(change: Connection, referred: Referred, keys: Sequence[DataKey]) -> list[ShareRow]:
    """Find the keys on their way of older versions: nobody needs them any more."""
    given = {(key.record, key.compartment.value) for key in keys}
    shares = await referrals.shares_of(change, referred.referral)
    return [share for share in shares if (share.record, share.compartment) in given]


async def end_over(house: House, referral_id: UUID) -> None:
    """As the giver, end what is over by its date, and what the recipient declined or ended."""
    async with house.records.snapshot() as snapshot:
        over = await _over(house, snapshot, referral_id)
    if over is None:
        return
    referred = referred_in(over.given, proposal=True)

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            again = await _over(house, change, referral_id)
            if again is None:
                raise StaleRevision  # Another process came first.
            await end_given(house, change, again, intent)

    await part(house, Action.END_REFERRAL, referred, referred.giver, [], do)


async def _over(house: House, connection: Connection, referral_id: UUID) -> Sides | None:
    sides = await referrals.one(connection, referral_id)
    if sides is None:
        return None
    given, theirs = sides
    if given["giver"] not in house.keyring.owners or given["ended_at"] is not None:
        return None
    # Of what it does not lead any more nothing is taken from who does (`handing`).
    if not await leads.is_led_by(connection, given["case_file"], given["giver"]):
        return None
    if not given_holds(house, given):
        return None
    if given["until"] <= house.now():
        return sides
    if theirs is None or (
        theirs["ended_at"] is None and theirs["answer"] == ReferralState.ACCEPTED.value
    ):
        return None
    return sides if await _answered(house, connection, given, theirs) else None


async def end_given(house: House, change: Connection, sides: Sides, intent: int) -> None:
    """End the giver's side, whose seal holds and whose case file is locked.

    The recipient's wraps and what is on its way go at once, which needs no key; the data
    keys are exchanged after it (`settle`). Where nothing was ever given none is exchanged.
    """
    given, theirs = sides
    referred = referred_in(given, proposal=True)
    row = {**given, "ended_at": house.now(), "ended_event": intent}
    if theirs is None or theirs["answer"] != ReferralState.ACCEPTED.value:
        row["renewed_event"] = intent
    await referrals.end_referral(change, sealed_given(house, row))
    await referrals.close_right(change, referred.referral, row["ended_at"])
    await referrals.delete_shares(change, referred.referral)
    for record, compartment in covered(referred):
        await key_wraps.delete_wraps(change, record, compartment, referred.recipient)


async def renew(house: House, referral_id: UUID) -> None:
    """As the giver, exchange the data keys that an ended referral had shared."""
    async with house.records.snapshot() as snapshot:
        given = await _to_renew(house, snapshot, referral_id)
    if given is None:
        return
    referred = referred_in(given, proposal=True)

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            again = await _to_renew(house, change, referral_id)
            if again is None:
                raise StaleRevision  # Another process came first.
            for of, records in (
                (CASE_FILES, [referred.case_file]),
                (DEFENDERS, referred.defenders),
            ):
                # Of every other agency too: to whom it is still shared it is given again.
                await key_wraps.delete_of_others(change, referred.giver, records)
                exchanged = await exchange(house, change, of, referred.giver, records)
                if exchanged.broken:
                    # It opens for nobody as it is; the recipient's wraps are gone.
                    _log.error("seal_broken", table="data_key", owner=referred.giver)
            row = {**again, "renewed_event": intent}
            await referrals.end_referral(change, sealed_given(house, row))

    await part(house, Action.RENEW_KEYS, referred, referred.giver, covered(referred), do)


async def _to_renew(house: House, connection: Connection, referral_id: UUID) -> Row | None:
    sides = await referrals.one(connection, referral_id)
    if sides is None:
        return None
    given = sides.given
    due = (
        given["giver"] in house.keyring.owners
        and given["ended_at"] is not None
        and given["renewed_event"] is None
        and given_holds(house, given)
        and await leads.is_led_by(connection, given["case_file"], given["giver"])
    )
    return given if due else None
