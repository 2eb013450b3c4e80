"""The recipient's part of a referral: take what was given; seal the end, and let the keys go.

Decides on its own seal; of what the giver wrote only what is signed under the key that it
has pinned counts. Holds no key of the giver's.
"""

from collections.abc import Iterable
from uuid import UUID

import structlog

from api.casework.facts import Referred
from api.casework.house import House
from api.casework.referral_parts import covered, ended_by_log, lock, newest_wraps, part
from api.casework.referred import referred_in, right_message, sealed_theirs, theirs_holds
from api.casework.trust import pinned
from api.crypto.data_keys import DataKey
from api.crypto.sharing import Share, Terms, take
from api.database import Connection
from api.errors import SealBroken, StaleRevision
from api.store import key_wraps, referrals
from api.store.referrals import Row, ShareRow
from api.vocabulary import Action, Compartment, ReferralState

_log = structlog.get_logger("perisai.taking")


async def take_keys(house: House, referral_id: UUID) -> None:
    """As the recipient, take what was given, if its giver signed it for the right held here."""
    async with house.records.snapshot() as snapshot:
        shares, referred = await _to_take(house, snapshot, referral_id)
    if referred is None or not shares:
        return
    if await ended_by_log(house, referred, referred.recipient):
        return

    async def do(_intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            again, still = await _to_take(house, change, referral_id)
            if still != referred:
                raise StaleRevision  # Another process came first, or it ended meanwhile.
            keys = await _taken(house, change, referred, again.values())
            wraps = await house.keyring.wrap_all_for(referred.recipient, keys)
            await key_wraps.insert_wraps(change, wraps)
            await referrals.delete_shares(change, referral_id, list(again))

    places = [(share.terms.record, share.terms.compartment) for share in shares.values()]
    await part(house, Action.TAKE_KEYS, referred, referred.recipient, places, do)


async def _taken(
    house: House, change: Connection, referred: Referred, shares: Iterable[Share]
) -> list[DataKey]:
    peer = await pinned(house, change, referred.recipient, referred.giver)
    sharing = house.keyring.sharing_key(referred.recipient)
    right = right_message(referred)
    return [take(share, right, peer.signing, sharing) for share in shares]


async def _to_take(
    house: House, connection: Connection, referral_id: UUID
) -> tuple[dict[ShareRow, Share], Referred | None]:
    """Give the keys on their way that hold and for which there is a live right here.

    A key that does not hold stays where it is, is reported, and is never tried again as
    something else.
    """
    sides = await referrals.one(connection, referral_id)
    theirs = None if sides is None else sides.theirs
    if theirs is None or not is_live_here(house, theirs):
        return {}, None
    referred = referred_in(theirs, proposal=False)
    shares = await referrals.shares_of(connection, referral_id)
    # Of its own records an agency takes no key: it would seal under what another knows.
    if not shares or not await referrals.led_elsewhere(
        connection, referred.giver, referred.case_file, referred.defenders
    ):
        return {}, referred
    mine = await newest_wraps(connection, referred.recipient, referred)
    places = {(record, str(compartment)) for record, compartment in covered(referred)}
    found: dict[ShareRow, Share] = {}
    for row in shares:
        share = _share(referred, row) if (row.record, row.compartment) in places else None
        held = None if share is None else mine.get((share.terms.record, share.terms.compartment))
        if held is not None and (held.version, held.commitment) == (row.version, row.commitment):
            continue  # It came with another referral.
        try:
            if share is None or held is not None:
                raise SealBroken
            await _taken(house, connection, referred, [share])
        except SealBroken:
            _log.error("seal_broken", table="key_share", owner=referred.giver)
        else:
            found[row] = share
    return found, referred


def _share(referred: Referred, row: ShareRow) -> Share:
    """Read a share on the terms of the right held here: of the row, only what is its own."""
    terms = Terms(
        referred.giver,
        referred.recipient,
        referred.referral,
        referred.proposal,
        row.record,
        Compartment(row.compartment),
        row.version,
        row.commitment,
    )
    return Share(terms, row.sealed, row.signature)


def is_live_here(house: House, theirs: Row) -> bool:
    return (
        theirs["recipient"] in house.keyring.owners
        and theirs["answer"] == ReferralState.ACCEPTED.value
        and theirs["ended_at"] is None
        and theirs["closed_at"] is None
        and house.now() < theirs["until"]
        and theirs_holds(house, theirs)
    )


async def seal_end(house: House, referral_id: UUID) -> None:
    """As the recipient, seal the end of what the giver closed or what is over by its date."""
    async with house.records.snapshot() as snapshot:
        theirs = await _closed(house, snapshot, referral_id)
    if theirs is None:
        return
    referred = referred_in(theirs, proposal=False)

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            again = await _closed(house, change, referral_id)
            if again is None:
                raise StaleRevision  # Another process came first.
            await end_theirs(house, change, again, intent)

    await part(house, Action.END_REFERRAL, referred, referred.recipient, [], do)


async def _closed(house: House, connection: Connection, referral_id: UUID) -> Row | None:
    sides = await referrals.one(connection, referral_id)
    theirs = None if sides is None else sides.theirs
    if theirs is None:
        return None
    due = (
        theirs["recipient"] in house.keyring.owners
        and theirs["ended_at"] is None
        and (theirs["closed_at"] is not None or theirs["until"] <= house.now())
        and theirs_holds(house, theirs)
    )
    return theirs if due else None


async def end_theirs(house: House, change: Connection, theirs: Row, intent: int) -> None:
    """End the recipient's side, whose seal holds and whose case file is locked; its wraps go.

    What another referral still covers, its giver gives again.
    """
    referred = referred_in(theirs, proposal=False)
    row = {**theirs, "ended_at": house.now(), "ended_event": intent}
    await referrals.end_right(change, sealed_theirs(house, row))
    if theirs["answer"] == ReferralState.ACCEPTED.value:
        for record, compartment in covered(referred):
            await key_wraps.delete_wraps(change, record, compartment, referred.recipient)
