"""Rows as the store gives them, sealed by keys of the test, for who builds facts from them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from api.casework.house import House
from api.crypto.rights import RightsKey
from api.policies.engine import Policy
from api.policies.gate import Gate
from api.store.case_files import CaseFileRow, Link
from api.store.delegations import Delegation
from api.store.members import row_of
from api.store.tables import RIGHTS
from api.vocabulary import (
    Caller,
    Caseworker,
    LegalBasis,
    MemberId,
    Organisation,
    Purpose,
    Role,
)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FILE, DEFENDER, ME, COLLEAGUE = (UUID(int=n) for n in (1, 2, 3, 4))
OWN, OTHER = "komnas-ham", "lpsk"
KEYS = {owner: RightsKey(bytes([n]) * 32) for n, owner in enumerate((OWN, OTHER, "partner"))}
POLICY = Policy.shipped()


def house(gate: Gate | None = None) -> House:
    """Give as much of a house as building facts needs: it holds the keys of all owners."""
    parts = SimpleNamespace(
        keyring=SimpleNamespace(rights=KEYS.__getitem__),
        policies=None,
        gate=gate or Gate(POLICY),
        now=lambda: NOON,
    )
    return cast("House", parts)


def caller(
    role: Role = Role.CASE_OFFICER,
    purpose: Purpose | None = Purpose.PROTECTION,
    organisation: str = OWN,
    kind: type[Caller] = Caseworker,
) -> Caller:
    return kind(
        MemberId(ME), Organisation(organisation), role, purpose, LegalBasis.PUBLIC_TASK, "r"
    )


def sealed(owner: str, table: str, values: Sequence[Any]) -> bytes:
    return KEYS[owner].seal(table, values)


def broken(seal: bytes) -> bytes:
    """Flip one bit."""
    return bytes([seal[0] ^ 1]) + seal[1:]


def cells_of(owner: str, table: str, forged: bool, **values: Any) -> tuple[Any, ...]:
    """Give the cells of a row that grants something, with its seal last."""
    cells = tuple(values[name] for name in RIGHTS[table])
    seal = sealed(owner, table, cells)
    return (*cells, broken(seal) if forged else seal)


def assignment(
    member: UUID = ME, by: str = OWN, forged: bool = False, **changed: Any
) -> tuple[Any, ...]:
    values = {
        "id": UUID(int=9),
        "case_file": FILE,
        "member": member,
        "agency": by,
        "assigned_by": COLLEAGUE,
        "starts_at": NOON - DAY,
        "ends_at": NOON + DAY,
        "ended_at": None,
        "event": 5,
    }
    return cells_of(by, "assignment", forged, **{**values, **changed})


def delegation(
    by: str = OWN,
    forged: bool = False,
    rests: dict[str, Any] | None = None,
    giver: dict[str, Any] | None = None,
    **changed: Any,
) -> Delegation:
    """Give what COLLEAGUE handed to ME, but for what is *changed* in it or on what it rests.

    Args:
        rests, giver: changes of the giver's assignment and row; `forged` and `by` among them.
    """
    values = {
        "id": UUID(int=10),
        "case_file": FILE,
        "agency": OWN,
        "giver": COLLEAGUE,
        "assignment": UUID(int=9),
        "receiver": ME,
        "compartments": "contact,gender_violence,identity",
        "starts_at": NOON - DAY,
        "ends_at": NOON + DAY,
        "ended_by": None,
        "ended_at": None,
        "event": 8,
    }
    member = {
        "id": COLLEAGUE,
        "organisation": OWN,
        "subject": "rizal",
        "role": "case_officer",
        "clearance": 3,
        "trained": 0,
        "disabled_at": None,
        "event": 1,
        **(giver or {}),
    }
    return Delegation(
        cells_of(by, "delegation", forged, **{**values, **changed}),
        assignment(**{"member": COLLEAGUE, **(rests or {})}),
        row_of(cells_of(member.pop("by", OWN), "member", member.pop("forged", False), **member)),
        False,
    )


def referral(by: str = OWN, forged: bool = False, **changed: Any) -> tuple[Any, ...]:
    """Give a live right of OWN to a case file of OTHER, but for what is *changed*."""
    values = {
        "referral": UUID(int=7),
        "case_file": FILE,
        "giver": OTHER,
        "recipient": OWN,
        "purpose": "protection",
        "compartments": "contact,identity",
        "defenders": str(DEFENDER),
        "sensitivity": 2,
        "until": NOON + DAY,
        "proposal": 3,
        "answer": "accepted",
        "answered_by": ME,
        "event": 6,
        "ended_at": None,
        "ended_event": None,
    }
    return cells_of(by, "referral_right", forged, **{**values, **changed})


def tie(member: UUID = ME, forged: bool = False, **changed: Any) -> tuple[Any, ...]:
    """Give a tie of *member* to what is reported in FILE, but for what is *changed*."""
    values = {
        "id": UUID(int=8),
        "agency": OWN,
        "member": member,
        "partner": None,
        "kind": "family",
        "case_file": FILE,
        "tag": None,
        "declared_by": COLLEAGUE,
        "declared_at": NOON - DAY,
        "withdrawn_by": None,
        "withdrawn_at": None,
        "event": 7,
    }
    return cells_of(OWN, "tie", forged, **{**values, **changed})


def link(owner: str = OWN, forged: bool = False, **changed: Any) -> Link:
    values = (FILE, DEFENDER, 0, 5)
    seal = sealed(owner, "case_file_defender", values)
    cells = {"revision": 1, "erased": False, "values": (), "defender": DEFENDER, **changed}
    return Link(seal_values=values, seal=broken(seal) if forged else seal, **cells)


def case_file(lead: str = OWN, forged: bool = False, **changed: Any) -> CaseFileRow:
    seal = sealed(lead, "case_file", (FILE, lead, 3, 4))
    cells = {
        "sensitivity": 3,
        "revision": 1,
        "erased": False,
        "sort_key": None,
        "values": (),
        **changed,
    }
    return CaseFileRow(
        id=FILE, lead_agency=lead, event=4, seal=broken(seal) if forged else seal, **cells
    )
