"""Why a recipient declined: sealed by it, and signed, since the giver is to read it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.casework.trust import Pinned
from api.crypto.rights import signed_message
from api.crypto.signatures import signature_holds
from api.errors import ValueInvalid
from api.store.referrals import Row
from api.store.tables import RIGHTS
from api.vocabulary import DeclineReason

_COLUMNS = RIGHTS["referral_decline"]


def sealed(house: House, referral: UUID, agency: str, reason: DeclineReason, event: int) -> Row:
    """Make the row that says why *agency* declined *referral*."""
    row: Row = {"referral": referral, "agency": agency, "reason": reason.value, "event": event}
    message = signed_message("referral_decline", [row[name] for name in _COLUMNS])
    signature = house.keyring.signing_key(agency).sign(message)
    return {
        **rights.sealed_row(house, agency, "referral_decline", row),
        "signature": signature,
    }


def reason_in(
    house: House, row: Mapping[str, Any] | None, theirs: Row | None, recipient: Pinned | None
) -> DeclineReason | None:
    """Read why it was declined; None: it was not said, or nothing proves who said it.

    Args:
        theirs: the recipient's side of the referral, with which the row must have been made.
        recipient: its keys as pinned here; None where the recipient is the caller's agency.
    """
    if row is None or theirs is None:
        return None
    if (row["agency"], row["event"]) != (theirs["recipient"], theirs["event"]):
        return None
    values = [row[name] for name in _COLUMNS]
    if recipient is None:
        proven = rights.holds(house, row["agency"], "referral_decline", values, row["seal"])
    else:
        try:
            message = signed_message("referral_decline", values)
        except (OverflowError, TypeError, ValueInvalid):
            return None  # Of a kind that no sealed row has.
        proven = signature_holds(recipient.signing, row["signature"], message)
    try:
        return DeclineReason(row["reason"]) if proven else None
    except ValueError:
        return None  # Signed, and of a word that is not known here.
