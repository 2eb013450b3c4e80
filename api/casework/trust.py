"""Whose public keys count here: those that the agency compared and sealed, and no others.

A public key is read from the database, where an administrator may have put another one.
So an operator compares its fingerprint with what the other agency tells by another way,
and the agency's own seal pins it.
"""

from dataclasses import dataclass
from typing import Any

from api.accesslog.event import Event
from api.casework import rights
from api.casework.house import House
from api.casework.recording import recorded
from api.crypto.fingerprints import fingerprint, same_fingerprint
from api.crypto.owner_secrets import SHARING, SIGNING
from api.database import Connection
from api.errors import PeerNotTrusted
from api.store import public_keys
from api.store.tables import RIGHTS
from api.vocabulary import Action, Decision, Phase, Role

_SEALED = RIGHTS["trusted_key"]


@dataclass(frozen=True, slots=True)
class Pinned:
    """The public keys of another agency, as this one pinned them."""

    signing: bytes
    sharing: bytes


async def pinned(house: House, connection: Connection, owner: str, peer: str) -> Pinned:
    """Give the keys of *peer* that *owner* has pinned.

    Raises:
        PeerNotTrusted: it has not, or the rows are not as it sealed them.
    """
    keys: dict[str, bytes] = {}
    for row in await public_keys.pinned(connection, owner, peer):
        values = [row[name] for name in _SEALED]
        if rights.holds(house, owner, "trusted_key", values, row["seal"]):
            keys[row["kind"]] = bytes.fromhex(row["key"])
    try:
        return Pinned(keys[SIGNING], keys[SHARING])
    except KeyError:
        raise PeerNotTrusted from None


async def fingerprint_of(house: House, connection: Connection, owner: str) -> str | None:
    """Give the fingerprint of an organisation: of its own keys where they are here.

    None: it publishes none.
    """
    if owner in house.keyring.owners:
        own = house.keyring.public_keys(owner)
        return fingerprint(owner, own[SIGNING], own[SHARING])
    keys = await public_keys.published(connection, owner)
    if not {SIGNING, SHARING} <= keys.keys():
        return None
    return fingerprint(owner, keys[SIGNING], keys[SHARING])


async def trust(house: House, owner: str, peer: str, told: str) -> bool:
    """Pin the published keys of *peer* for *owner* if their fingerprint is the one *told*."""
    async with house.records.look() as connection:
        keys = await public_keys.published(connection, peer)
    if owner == peer or not {SIGNING, SHARING} <= keys.keys():
        return False
    if not same_fingerprint(fingerprint(peer, keys[SIGNING], keys[SHARING]), told):
        return False

    async def do(intent: int) -> None:
        rows: list[dict[str, Any]] = [
            {"owner": owner, "peer": peer, "kind": kind, "key": keys[kind].hex(), "event": intent}
            for kind in (SIGNING, SHARING)
        ]
        async with house.records.change() as change:
            await public_keys.pin(
                change,
                owner,
                peer,
                [rights.sealed_row(house, owner, "trusted_key", row) for row in rows],
            )

    event = Event(
        at=house.now(),
        request="trust",
        actor=None,
        organisation=owner,
        role=Role.OPERATOR,
        action=Action.TRUST_ORGANISATION,
        phase=Phase.INTENT,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=tuple(sorted((owner, peer))),
    )
    await recorded(house, event, do)
    return True
