"""The giver's part of a change of the lead: hand over what it proved, and let go of the rest.

What is handed over is signed with the keys of attachments, which no referral shares. It decides
on its own seals and, of the recipient's side, on signatures under the key that it has pinned.
"""

from typing import NamedTuple
from uuid import UUID

from api.casework import lead_proofs, rights
from api.casework.closed import closed_since
from api.casework.consenting import basis_holds
from api.casework.facts import Referred
from api.casework.giving import is_accepted
from api.casework.house import House
from api.casework.key_opening import open_keys
from api.casework.lead_inventory import check_handed, digest_of, obstacles, taken_stock
from api.casework.lead_proofs import ACCEPTANCE, HANDOVER, PROPOSAL
from api.casework.referral_parts import (
    covered,
    ended_by_log,
    lock,
    newest_wraps,
    part,
    same_keys,
)
from api.casework.referred import given_holds, referred_in, right_message, sealed_given
from api.casework.trust import pinned
from api.crypto.data_keys import WrappedKey
from api.crypto.sharing import Share, give
from api.database import Connection
from api.errors import SealBroken, StaleRevision
from api.store import assignments, delegations, leads, referral_bases, referrals, releases
from api.store.key_wraps import StoredKey
from api.store.leads import Steps
from api.store.referrals import Row
from api.store.tables import RIGHTS
from api.vocabulary import Action, RecordKind


class _Due(NamedTuple):
    """What is to be handed over: the rows are named by their digest."""

    referred: Referred
    acceptance: int
    digest: str
    attachments: tuple[WrappedKey, ...]


async def hand_over(house: House, referral_id: UUID) -> None:
    """As the giver, sign what goes over once the recipient has all keys that a referral gives.

    Raises:
        SealBroken: what would be handed over is not all as this agency sealed it.
    """
    async with house.records.snapshot() as snapshot:
        due = await _due(house, snapshot, referral_id)
    if due is None or await ended_by_log(house, due.referred, due.referred.giver):
        return
    referred = due.referred

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            if await _due(house, change, referral_id) != due:
                raise StaleRevision  # Somebody changed the case file meanwhile, or came first.
            row: Row = {
                "referral": referral_id,
                "case_file": referred.case_file,
                "giver": referred.giver,
                "recipient": referred.recipient,
                "acceptance": due.acceptance,
                "digest": due.digest,
                "event": intent,
            }
            shares = await _shares(house, change, due)
            await leads.replace_handover(change, lead_proofs.sealed(house, HANDOVER, row), shares)

    await part(house, Action.HAND_OVER_LEAD, referred, referred.giver, covered(referred), do)


async def _due(house: House, connection: Connection, referral_id: UUID) -> _Due | None:
    """Say what is to be signed; None: nothing, or not yet, or it stands signed as it is."""
    sides = await referrals.one(connection, referral_id)
    if sides is None or not await is_accepted(house, connection, sides):
        return None
    given = sides.given
    steps = await leads.steps_of(connection, referral_id)
    acceptance = await _accepted_to_lead(house, connection, given, steps)
    if acceptance is None:
        return None
    if not await _is_founded(house, connection, given):
        return None
    referred = referred_in(given, proposal=True)
    mine = await newest_wraps(connection, referred.giver, referred)
    theirs = await newest_wraps(connection, referred.recipient, referred)
    if not mine or not same_keys(mine, theirs):
        return None
    if await closed_since(
        house, connection, referred.giver, referred.case_file
    ) is not None or await leads.people_of(connection, referred.case_file) != sorted(
        referred.defenders
    ):
        return None
    inventory = await taken_stock(connection, referred.case_file, referred.giver)
    if obstacles(house, inventory, referred.giver, referral_id, house.now()):
        return None
    check_handed(house, inventory, referred.giver)
    digest = digest_of(inventory)
    old = steps.handover
    if (
        old is not None
        and (old["digest"], old["acceptance"]) == (digest, acceptance["event"])
        and lead_proofs.is_of(old, given)
        and lead_proofs.holds(house, HANDOVER, old)
    ):
        return None
    return _Due(referred, acceptance["event"], digest, tuple(inventory.attachments))


async def _is_founded(house: House, connection: Connection, given: Row) -> bool:
    """Tell whether it rests on consents, or a second person saw why it rests on none.

    Once the other agency leads, nobody of this one could review that any more.
    """
    basis = await referral_bases.one_of(connection, given["id"], given["giver"])
    if basis is None or not basis_holds(house, basis):
        return False
    return basis["override"] is None or basis["reviewed_at"] is not None


async def _accepted_to_lead(
    house: House, connection: Connection, given: Row, steps: Steps
) -> Row | None:
    """Give the other agency's acceptance of what this one proposed, until it took it."""
    proposal, acceptance = steps.proposal, steps.acceptance
    accepted = (
        proposal is not None
        and acceptance is not None
        and acceptance["taken_event"] is None
        and lead_proofs.proposes(proposal, given)
        and lead_proofs.holds(house, PROPOSAL, proposal)
        and lead_proofs.is_of(acceptance, given)
        and lead_proofs.is_signed(
            ACCEPTANCE,
            acceptance,
            await pinned(house, connection, given["giver"], given["recipient"]),
        )
    )
    return acceptance if accepted else None


async def _shares(house: House, change: Connection, due: _Due) -> list[Share]:
    referred = due.referred
    house.explained.add(referred.giver, len(due.attachments))
    stored = [StoredKey(wrap) for wrap in due.attachments]
    opened = await open_keys(house, referred.giver, stored)
    if len(opened.keys) < len(stored):
        raise SealBroken
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
        for key in opened.keys
    ]


async def let_go(house: House, referral_id: UUID) -> None:
    """As the giver, end what is left here of a case file that the recipient took over."""
    async with house.records.snapshot() as snapshot:
        given = await _taken(house, snapshot, referral_id)
        if given is None:
            return
        shown = await releases.going_to(snapshot, given["giver"], given["case_file"], None)
    referred = referred_in(given, proposal=True)

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await lock(change, referred)
            again = await _taken(house, change, referral_id)
            if again is None:
                raise StaleRevision  # Another process came first.
            await _end_work(house, change, referred, intent)
            # Who withdraws a consent with the next lead must find nothing of this one open.
            await releases.stop(change, shown, house.now())
            row = {
                **again,
                "ended_at": house.now(),
                "ended_event": intent,
                # The keys are the recipient's, which exchanged them when it took the lead.
                "renewed_event": intent,
            }
            await referrals.end_referral(change, sealed_given(house, row))
            await referrals.close_right(change, referral_id, row["ended_at"])
            await referrals.delete_shares(change, referral_id)

    others = [(RecordKind.RELEASE, one) for one in shown]
    await part(house, Action.END_REFERRAL, referred, referred.giver, [], do, others)


async def _taken(house: House, connection: Connection, referral_id: UUID) -> Row | None:
    """Give the giver's side of what the recipient says, signed, that it took over."""
    sides = await referrals.one(connection, referral_id)
    if sides is None or sides.given["giver"] not in house.keyring.owners:
        return None
    given = sides.given
    acceptance = (await leads.steps_of(connection, referral_id)).acceptance
    if given["renewed_event"] is not None or acceptance is None or not given_holds(house, given):
        return None
    taken = (
        acceptance["taken_event"] is not None
        and lead_proofs.is_of(acceptance, given)
        and lead_proofs.is_signed(
            ACCEPTANCE,
            acceptance,
            await pinned(house, connection, given["giver"], given["recipient"]),
        )
    )
    return given if taken else None


async def _end_work(house: House, change: Connection, referred: Referred, intent: int) -> None:
    """End the assignments and delegations that the agency sealed; others count for nothing."""
    agency = referred.giver
    now = house.now()
    ends = {"ended_at": now, "event": intent}
    for row in await assignments.open_of(change, referred.case_file, agency):
        if _is_own(house, agency, "assignment", row):
            ended = rights.sealed_row(house, agency, "assignment", {**row, **ends})
            await assignments.end(change, row["id"], now, intent, ended["seal"])
    for row in await delegations.open_of(change, referred.case_file, agency):
        if _is_own(house, agency, "delegation", row):
            ended = rights.sealed_row(house, agency, "delegation", {**row, **ends})
            await delegations.end(change, ended)


def _is_own(house: House, agency: str, table: str, row: Row) -> bool:
    return rights.holds(house, agency, table, [row[n] for n in RIGHTS[table]], row["seal"])
