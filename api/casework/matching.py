"""Ask another agency whether it knows a person, too: sent, and nothing is answered by itself.

What is sent is sealed to that agency and signed. Nothing here reads what another agency holds,
so whoever asks gets the same answer in the same time, whether the person is known or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from api.casework import reasons
from api.casework.changing import Changing, Situation, change
from api.casework.delegating import in_office
from api.casework.house import House
from api.casework.key_opening import open_keys
from api.casework.match_limits import OPEN_FOR, WINDOW
from api.casework.matched import SENT, SENT_NAMES, seal_sent, signed_request
from api.casework.resealing import tagged_values
from api.casework.rights import sealed_row
from api.casework.trust import pinned
from api.database import Connection
from api.errors import KeysUnavailable, MatchesExhausted, MatchInvalid, PurposeMissing
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Verdict
from api.store import key_exchange, key_wraps, matching, referrals
from api.store.matching import Row
from api.store.sealed_records import DEFENDERS
from api.vocabulary import Action, Caller, Compartment, DefenderId, MatchReason, RecordKind

_COMPARTMENTS = (Compartment.CONTACT, Compartment.IDENTITY)


@dataclass(frozen=True, slots=True)
class NewMatch:
    """Whom another agency is asked for, and why.

    Attributes:
        words: why, in the asker's words, sealed with the case file here; never sent.
    """

    defender: DefenderId
    recipient: str
    reason: MatchReason
    words: str | None = None


async def request_match(house: House, caller: Caller, new: NewMatch) -> UUID:
    """Send it; give the id of the request.

    Raises:
        ValueInvalid: such words.
        NotFound, NotAllowed, RecordErased: see `change`; also where the caller may not open
            identity and contact in person or as a supervisor.
        MatchInvalid: to no other agency, or nothing is known that could be compared.
        MatchesExhausted: the caller, or the agency, asked too often within a day.
        PeerNotTrusted: the keys of the recipient are not pinned.
        SealBroken: what is to be sent does not open, or is not the newest.
    """
    if caller.purpose is None:
        raise PurposeMissing
    purpose = caller.purpose
    given = reasons.given(new.words)
    request_id = uuid7()

    def ask(who: CaseworkerFacts, facts: CaseFileFacts) -> Sequence[Verdict]:
        # What a colleague handed to the caller for a while is not theirs to send.
        own = in_office(facts)
        return [
            house.gate.change(who, Action.REQUEST_MATCH, own),
            *(house.gate.open(who, compartment, own) for compartment in _COMPARTMENTS),
        ]

    async def write(transaction: Connection, situation: Situation, intent: int) -> UUID:
        agency = caller.organisation
        if new.recipient == agency or not await referrals.is_agency(transaction, new.recipient):
            raise MatchInvalid
        peer = await pinned(house, transaction, agency, new.recipient)
        await _check_limits(house, transaction, caller, situation)
        identifiers = await _identifiers(house, transaction, agency, new.defender)
        if not identifiers:
            raise MatchInvalid
        row: Row = {
            "id": request_id,
            "asker": agency,
            "recipient": new.recipient,
            "case_file": situation.row.id,
            "defender": new.defender,
            "asked_by": caller.member,
            "asked_at": situation.now,
            "purpose": purpose.value,
            "reason": new.reason.value,
            "until": situation.now + OPEN_FOR,
            "event": intent,
        }
        row["sealed"] = seal_sent(identifiers, row, peer)
        row["signature"] = house.keyring.signing_key(agency).sign(signed_request(row))
        await matching.insert_request(transaction, sealed_row(house, agency, "match_request", row))
        return request_id

    return await change(
        house,
        caller,
        Changing(
            Action.REQUEST_MATCH,
            (RecordKind.DEFENDER, new.defender),
            _COMPARTMENTS,
            SENT_NAMES,
            ((RecordKind.MATCH, request_id),),
            reason=given,
        ),
        ask,
        write,
    )


async def _check_limits(
    house: House, transaction: Connection, caller: Caller, situation: Situation
) -> None:
    await matching.lock_agency(transaction, caller.organisation)
    mine, ours = await matching.asked_since(
        transaction, caller.organisation, caller.member, situation.now - WINDOW
    )
    if mine >= house.matches.per_member or ours >= house.matches.per_agency:
        raise MatchesExhausted


async def _identifiers(
    house: House, transaction: Connection, agency: str, defender_id: UUID
) -> list[tuple[str, str]]:
    """Open what is to be sent, of the locked record: field of tags, normal form."""
    rows = await key_exchange.lock(transaction, DEFENDERS, agency, [defender_id])
    stored = await key_wraps.of_records(transaction, agency, rows, _COMPARTMENTS)
    house.explained.add(agency, len(stored))  # By the intent of the change.
    keys = await open_keys(house, agency, stored)
    if defender_id not in rows or not keys.keys:
        raise KeysUnavailable
    values = tagged_values(keys, defender_id, rows[defender_id])
    pairs = []
    for column, field in SENT.items():
        value = values[column]
        several = [value] if isinstance(value, str) else value or ()
        pairs += [(field, str(one)) for one in several]  # type: ignore[union-attr]  # No date.
    return pairs
