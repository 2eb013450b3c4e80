"""The recipient's part of a change of the lead: take over what the giver proved and signed.

One transaction: every row is sealed anew by this agency, the keys of the other one go, and
the data keys are exchanged. Before it the giver leads, after it the recipient does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from api.casework import lead_proofs, resealing, rights, tying
from api.casework.facts import Referred
from api.casework.house import House
from api.casework.key_exchange import exchange
from api.casework.key_opening import OpenKeys, open_keys
from api.casework.lead_inventory import Inventory, digest_of, taken_stock
from api.casework.lead_proofs import ACCEPTANCE, HANDOVER, PROPOSAL
from api.casework.referral_parts import (
    Place,
    covered,
    ended_by_log,
    lock,
    newest_wraps,
    part,
    same_keys,
)
from api.casework.referred import referred_in, right_message, sealed_theirs
from api.casework.taking import is_live_here
from api.casework.trust import pinned
from api.crypto.data_keys import DataKey, WrappedKey
from api.crypto.sharing import Share, Terms, take
from api.database import Connection
from api.errors import SealBroken, StaleRevision, ValueInvalid
from api.store import key_exchange, key_wraps, leads, referrals, ties
from api.store.leads import HANDED
from api.store.referrals import Row, ShareRow
from api.store.sealed_fields import ADVERSARY_FIELDS, CASE_FILE_FIELDS
from api.store.sealed_records import CASE_FILES, DEFENDERS
from api.vocabulary import Action, Compartment

_log = structlog.get_logger("perisai.leading")

#: What is opened to make the tags by which this agency finds whom it leads now.
_TAGGED = (Compartment.CONTACT, Compartment.IDENTITY)

#: Where the names of institutions stand: of a case file, and of an adversary.
_REPORTED = tuple(
    field
    for field in (*CASE_FILE_FIELDS.values(), *ADVERSARY_FIELDS.values())
    if field.column in ("adversary_institutions", "adversary_institution")
)


class _Ready(NamedTuple):
    """What the giver handed over, as it stands in the rows.

    Attributes:
        event: of the handover.
        keys: which keys this agency has, by place.
    """

    referred: Referred
    theirs: Row
    acceptance: Row
    event: int
    inventory: Inventory
    shares: tuple[ShareRow, ...]
    keys: Mapping[Place, WrappedKey]


async def take_lead(house: House, referral_id: UUID) -> None:
    """As the recipient, take the case file over, if all of it is as the giver signed.

    Raises:
        SealBroken: a key or a value is not what it should be; nothing was changed.
    """
    async with house.records.snapshot() as snapshot:
        ready = await _ready(house, snapshot, referral_id)
    if ready is None or await ended_by_log(house, ready.referred, ready.referred.recipient):
        return
    referred = ready.referred

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            if await _ready(house, change, referral_id) != ready:
                raise StaleRevision  # Somebody changed the case file meanwhile, or came first.
            await _take_attachments(house, change, ready)
            await _seal_anew(house, change, ready, intent)
            await leads.move(change, referred.case_file, referred.giver, referred.recipient)
            await _take_keys(house, change, ready)
            await _end(house, change, ready, intent)

    places = covered(referred)
    await part(house, Action.TAKE_LEAD, referred, referred.recipient, places, do)


async def _ready(house: House, connection: Connection, referral_id: UUID) -> _Ready | None:
    sides = await referrals.one(connection, referral_id)
    steps = await leads.steps_of(connection, referral_id)
    proposal, acceptance, handover = steps
    if sides is None or sides.theirs is None or sides.given["ended_at"] is not None:
        return None
    if proposal is None or acceptance is None or handover is None:
        return None
    theirs = sides.theirs
    if not is_live_here(house, theirs) or not lead_proofs.holds(house, ACCEPTANCE, acceptance):
        return None
    referred = referred_in(theirs, proposal=False)
    giver = await pinned(house, connection, referred.recipient, referred.giver)
    # The steps must be of the referral that this agency sealed, whatever the giver's row says.
    own = {**theirs, "id": theirs["referral"], "event": theirs["proposal"]}
    whole = (
        acceptance["taken_event"] is None
        and lead_proofs.is_of(acceptance, own)
        and lead_proofs.proposes(proposal, own)
        and lead_proofs.is_of(handover, own)
        and handover["acceptance"] == acceptance["event"]
        and lead_proofs.is_signed(PROPOSAL, proposal, giver)
        and lead_proofs.is_signed(HANDOVER, handover, giver)
        and await referrals.led_elsewhere(
            connection, referred.giver, referred.case_file, referred.defenders
        )
    )
    if not whole:
        return None
    inventory = await taken_stock(connection, referred.case_file, referred.giver)
    if digest_of(inventory) != handover["digest"]:
        return None  # It was changed since: the giver signs anew.
    keys = await newest_wraps(connection, referred.recipient, referred)
    if not keys or not same_keys(keys, await newest_wraps(connection, referred.giver, referred)):
        return None
    return _Ready(
        referred,
        theirs,
        acceptance,
        handover["event"],
        inventory,
        tuple(await leads.shares_of(connection, referral_id)),
        keys,
    )


async def _take_attachments(house: House, change: Connection, ready: _Ready) -> None:
    """Take the keys of all attachments: exactly those that the giver signed.

    Raises:
        SealBroken: one is missing, or is not what its giver signed.
    """
    referred = ready.referred
    giver = await pinned(house, change, referred.recipient, referred.giver)
    sharing = house.keyring.sharing_key(referred.recipient)
    right = right_message(referred)
    keys: list[DataKey] = [
        take(_share(referred, row), right, giver.signing, sharing) for row in ready.shares
    ]
    signed = {(w.record, w.version, w.commitment) for w in ready.inventory.attachments}
    if {(row.record, row.version, row.commitment) for row in ready.shares} != signed:
        raise SealBroken
    wraps = await house.keyring.wrap_all_for(referred.recipient, keys)
    await key_wraps.delete_of_others(change, referred.recipient, [key.record for key in keys])
    await key_wraps.insert_wraps(change, wraps)
    await leads.delete_shares(change, referred.referral)


def _share(referred: Referred, row: ShareRow) -> Share:
    terms = Terms(
        referred.giver,
        referred.recipient,
        referred.referral,
        referred.proposal,
        row.record,
        Compartment.DOCUMENTS,
        row.version,
        row.commitment,
    )
    return Share(terms, row.sealed, row.signature)


async def _seal_anew(house: House, change: Connection, ready: _Ready, intent: int) -> None:
    """Give every row this agency's seal: its digest, which the giver signed, proves it."""
    agency = ready.referred.recipient
    for of in HANDED:
        table = of.table.name
        rows: list[dict[str, Any]] = []
        for row in ready.inventory.handed[table]:
            given: dict[str, Any] = {} if of.agency is None else {of.agency: agency}
            if of.table is CASE_FILES.table:
                given["event"] = intent
            rows.append(rights.sealed_row(house, agency, table, {**row, **given}))
        await leads.reseal(change, of, rows)


async def _take_keys(house: House, change: Connection, ready: _Ready) -> None:
    """Let go of the giver's wraps, make tags, and seal all anew under keys it never had.

    Raises:
        SealBroken: a ciphertext is not the newest, or does not open.
    """
    referred, agency = ready.referred, ready.referred.recipient
    records = [referred.case_file, *referred.defenders]
    await key_wraps.delete_of_others(change, agency, records)
    await _find(house, change, ready)
    for of, some in ((DEFENDERS, referred.defenders), (CASE_FILES, [referred.case_file])):
        exchanged = await exchange(house, change, of, agency, some)
        if exchanged.broken:
            _log.error("seal_broken", table=of.table.name, owner=agency)
            raise SealBroken


async def _find(house: House, change: Connection, ready: _Ready) -> None:
    """Make this agency's own tags of the defenders and of the institutions that are reported."""
    referred, agency = ready.referred, ready.referred.recipient
    people = await key_exchange.lock(change, DEFENDERS, agency, referred.defenders)
    keys = await _opened(house, change, agency, list(people), _TAGGED)
    values = {person: resealing.tagged_values(keys, person, row) for person, row in people.items()}
    tags = await resealing.tag_rows(house, agency, values)
    await key_exchange.replace_tags(change, agency, list(people), tags)
    file = referred.case_file
    keys = await _opened(house, change, agency, [file], (Compartment.ADVERSARY,))
    found = await key_exchange.lock(change, CASE_FILES, agency, [file])
    [of_adversaries] = [p for p in CASE_FILES.parts if p.table.name == "adversary"]
    rows = [
        (file, found[file], _REPORTED[0]),
        *(
            (row.id, row.values, _REPORTED[1])
            for row in await key_exchange.parts(change, of_adversaries, [file])
        ),
    ]
    named = resealing.texts(keys, file, rows)
    await ties.insert_tags(change, _institutions(house, agency, file, named))


def _institutions(
    house: House, agency: str, file: UUID, names: Sequence[str]
) -> list[dict[str, Any]]:
    tags = set()
    for name in names:
        try:
            tags.add(tying.tag_of(house, agency, name))
        except ValueInvalid:
            continue  # Of a form that no tie can name either.
    return [{"agency": agency, "tag": tag, "case_file": file} for tag in sorted(tags)]


async def _opened(
    house: House,
    change: Connection,
    agency: str,
    records: Sequence[UUID],
    compartments: Sequence[Compartment],
) -> OpenKeys:
    stored = await key_wraps.of_records(change, agency, records, compartments)
    house.explained.add(agency, len(stored))
    return await open_keys(house, agency, stored)


async def _end(house: House, change: Connection, ready: _Ready, intent: int) -> None:
    """End the right that the referral gave: who leads needs none."""
    ended = {**ready.theirs, "ended_at": house.now(), "ended_event": intent}
    await referrals.end_right(change, sealed_theirs(house, ended))
    taken = {**ready.acceptance, "taken_at": ended["ended_at"], "taken_event": intent}
    await leads.write_taken(change, lead_proofs.sealed(house, ACCEPTANCE, taken))
