"""What proves the steps of a change of the lead: each agency seals and signs its own.

The giver's process proves the recipient's acceptance, and the recipient's the giver's proposal
and handover, by signatures under the keys that they have pinned.
"""

from api.casework import rights
from api.casework.house import House
from api.casework.trust import Pinned
from api.crypto.rights import Cell, signed_message
from api.crypto.signatures import signature_holds
from api.errors import ValueInvalid
from api.store.leads import Row
from api.store.tables import RIGHTS

PROPOSAL, ACCEPTANCE, HANDOVER = "lead_proposal", "lead_acceptance", "lead_handover"

#: Whose step each is: the column that names the agency.
_BY = {PROPOSAL: "giver", ACCEPTANCE: "recipient", HANDOVER: "giver"}


def sealed(house: House, table: str, row: Row) -> Row:
    """Give *row* with the seal and the signature of the agency whose step it is."""
    agency = row[_BY[table]]
    signing = house.keyring.signing_key(agency)
    signature = signing.sign(signed_message(table, _cells(table, row)))
    return {**rights.sealed_row(house, agency, table, row), "signature": signature}


def holds(house: House, table: str, row: Row) -> bool:
    """Tell whether its agency, whose keys are here, sealed the step as it stands."""
    return rights.holds(house, row[_BY[table]], table, _cells(table, row), row["seal"])


def is_signed(table: str, row: Row, peer: Pinned) -> bool:
    """Tell whether its agency, whose keys are elsewhere, signed the step as it stands."""
    try:
        message = signed_message(table, _cells(table, row))
    except (OverflowError, TypeError, ValueInvalid):
        return False  # Of a kind that no signed row has.
    return signature_holds(peer.signing, row["signature"], message)


def _cells(table: str, row: Row) -> list[Cell]:
    return [row.get(name) for name in RIGHTS[table]]


def is_of(step: Row, referral: Row) -> bool:
    """Tell whether *step* names the referral that its giver made, and its sides."""
    return (
        step["referral"] == referral["id"]
        and (step["case_file"], step["giver"], step["recipient"])
        == (referral["case_file"], referral["giver"], referral["recipient"])
        and step.get("proposal", referral["event"]) == referral["event"]
    )


def proposes(step: Row | None, referral: Row) -> bool:
    """Tell whether *step* is the proposal that was made with *referral*; proves no seal."""
    return step is not None and is_of(step, referral) and step["event"] == referral["event"]
