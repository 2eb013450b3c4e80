"""What proves the two sides of a referral, and what both sign and seal.

Each agency decides on the side that it sealed itself, and takes the other's only with a
signature under the key that it has pinned.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from api.casework import rights
from api.casework.facts import Referred, compartments_of, defenders_of
from api.casework.house import House
from api.casework.trust import Pinned
from api.crypto.rights import signed_message
from api.crypto.signatures import signature_holds
from api.errors import ValueInvalid
from api.store.referrals import Row
from api.store.tables import RIGHTS, SIGNED_REFERRAL
from api.vocabulary import Compartment, ReferralState

_GIVEN = RIGHTS["referral"]
_THEIRS = RIGHTS["referral_right"]

#: What the recipient's side repeats of the giver's, under the same names.
_REPEATED = tuple(name for name in SIGNED_REFERRAL if name not in ("id", "event"))


def text_of(words: Iterable[Compartment] | Iterable[UUID]) -> str:
    """Write compartments or ids as a referral's column holds them: sorted, once each."""
    return ",".join(sorted({word.hex if isinstance(word, UUID) else word.value for word in words}))


def signed_given(row: Row) -> bytes:
    """Give the message that the giver signs of its side."""
    return signed_message("referral", [row[name] for name in SIGNED_REFERRAL])


def right_message(referred: Referred) -> bytes:
    """Give the same message from the side that the recipient sealed itself."""
    return signed_message(
        "referral",
        [
            referred.referral,
            referred.case_file,
            referred.giver,
            referred.recipient,
            referred.purpose,
            text_of(referred.compartments),
            text_of(referred.defenders),
            referred.sensitivity,
            referred.until,
            referred.proposal,
        ],
    )


def sealed_given(house: House, row: Row) -> Row:
    """Give the giver's side with its seal."""
    return rights.sealed_row(house, row["giver"], "referral", row)


def sealed_theirs(house: House, row: Row) -> Row:
    """Give the recipient's side with its seal, and its signature for the giver."""
    values = [row[name] for name in _THEIRS]
    signing = house.keyring.signing_key(row["recipient"])
    signature = signing.sign(signed_message("referral_right", values))
    return {
        **rights.sealed_row(house, row["recipient"], "referral_right", row),
        "signature": signature,
    }


def given_holds(house: House, row: Row) -> bool:
    """Tell whether the giver, whose keys are here, sealed its side as it stands."""
    values = [row[name] for name in _GIVEN]
    return rights.holds(house, row["giver"], "referral", values, row["seal"])


def given_is_signed(row: Row, giver: Pinned) -> bool:
    """Tell whether the giver, whose keys are elsewhere, signed what it gives."""
    try:
        message = signed_given(row)
    except (OverflowError, TypeError, ValueInvalid):
        return False  # Of a kind that no sealed row has.
    return signature_holds(giver.signing, row["signature"], message)


def theirs_holds(house: House, row: Row) -> bool:
    """Tell whether the recipient, whose keys are here, sealed its side as it stands."""
    values = [row[name] for name in _THEIRS]
    return rights.holds(house, row["recipient"], "referral_right", values, row["seal"])


def theirs_is_signed(given: Row, theirs: Row, recipient: Pinned) -> bool:
    """Tell whether the recipient answered this very referral, as the giver wrote it."""
    same = (
        theirs["referral"] == given["id"]
        and theirs["proposal"] == given["event"]
        and all(theirs[name] == given[name] for name in _REPEATED)
    )
    try:
        message = signed_message("referral_right", [theirs[name] for name in _THEIRS])
    except (OverflowError, TypeError, ValueInvalid):
        return False
    return same and signature_holds(recipient.signing, theirs["signature"], message)


def referred_in(row: Row, *, proposal: bool) -> Referred:
    """Read what is referred from a side that was proven; *proposal*: the giver's side."""
    return Referred(
        row["id"] if proposal else row["referral"],
        row["case_file"],
        row["giver"],
        row["recipient"],
        row["purpose"],
        compartments_of(row["compartments"]),
        defenders_of(row["defenders"]),
        row["sensitivity"],
        row["until"],
        row["event"] if proposal else row["proposal"],
    )


def state_of(given: Row, theirs: Row | None, now: datetime) -> ReferralState:
    """Say where a referral stands at *now*, by both sides; proves nothing.

    What is over by its date is told so whether its end was written already or not.
    """
    ended = given["ended_at"]
    if theirs is None:
        if ended is not None and ended < given["until"]:
            return ReferralState.WITHDRAWN
        over = ended is not None or given["until"] <= now
        return ReferralState.EXPIRED if over else ReferralState.PROPOSED
    if theirs["answer"] == ReferralState.DECLINED.value:
        return ReferralState.DECLINED
    over = ended is not None or theirs["ended_at"] is not None or given["until"] <= now
    return ReferralState.ENDED if over else ReferralState(theirs["answer"])
