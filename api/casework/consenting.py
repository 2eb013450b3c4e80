"""What defenders agreed to, from rows that hold: what stands, what it covers, what rests on it.

A consent opens nothing. It lets its agency refer, and its end takes that back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from api.casework import rights
from api.casework.facts import compartments_of, defenders_of
from api.casework.house import House
from api.casework.said_by_log import was_done
from api.casework.views import ConsentView
from api.database import Connection
from api.errors import ConsentMissing
from api.store import consents
from api.store.consents import Row
from api.store.tables import RIGHTS
from api.vocabulary import (
    Action,
    Caller,
    Compartment,
    ConsentForm,
    LegalBasis,
    Purpose,
)

_log = structlog.get_logger("perisai.consenting")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a consent must cover for something to rest on it."""

    recipient: str
    compartments: frozenset[Compartment]
    purpose: Purpose
    until: datetime


def holds(house: House, row: Row) -> bool:
    """Tell whether its agency, whose keys are here, sealed the consent as it stands."""
    values = [row[name] for name in RIGHTS["consent"]]
    return rights.holds(house, row["agency"], "consent", values, row["seal"])


def stands(row: Row, now: datetime) -> bool:
    """Tell whether the consent was not withdrawn and is not over."""
    return row["withdrawn_at"] is None and now < row["until"]


def chosen(
    house: House, rows: Iterable[Row], people: Collection[UUID], terms: Terms, now: datetime
) -> list[UUID]:
    """Choose for each of *people* the consent that covers *terms* and lasts longest; sorted.

    Each covers all of them: two consents never add up to more than either gives.

    Raises:
        ConsentMissing: somebody gave none that does.
    """
    best: dict[UUID, Row] = {}
    for row in sorted(rows, key=lambda each: (each["until"], each["id"])):
        if _covers(row, terms) and stands(row, now) and holds(house, row):
            best[row["defender"]] = row
    if not best.keys() >= set(people):
        raise ConsentMissing
    return sorted(best[person]["id"] for person in people)


def _covers(row: Row, terms: Terms) -> bool:
    return (
        row["recipient"] in (None, terms.recipient)
        and row["purpose"] == terms.purpose.value
        and terms.until <= row["until"]
        and {each.value for each in terms.compartments} <= set(row["compartments"].split(","))
    )


async def check_by_log(house: House, agency: str, ids: Iterable[UUID]) -> None:
    """Ask the access log whether one of *ids* was withdrawn, whatever the rows say.

    Raises:
        ConsentMissing: one was.
    """
    for consent in ids:
        if await was_done(house, consent, [Action.WITHDRAW_CONSENT], agency):
            _log.error("seal_broken", table="consent", owner=agency)
            raise ConsentMissing


def basis_holds(house: House, row: Row) -> bool:
    """Tell whether the giver, whose keys are here, sealed what its referral rests on."""
    values = [row[name] for name in RIGHTS["referral_basis"]]
    return rights.holds(house, row["agency"], "referral_basis", values, row["seal"])


def rests_on(house: House, basis: Row | None, referral: Row, consent: Row) -> bool:
    """Tell whether *referral* must end with *consent*.

    One that does not prove what else it rests on rests on every consent of its people.
    """
    if basis is None or basis["referral"] != referral["id"] or not basis_holds(house, basis):
        try:
            return consent["defender"] in defenders_of(referral["defenders"])
        except (AttributeError, ValueError):
            return True  # Written by hand: it names nobody, and so everybody.
    # Of one in a vital interest there are none.
    return consent["id"].hex in basis["consents"].split(",")


async def consents_shown(
    house: House, snapshot: Connection, caller: Caller, case_file: UUID, now: datetime
) -> list[ConsentView]:
    """Give the newest consents for a case file of the caller's agency, over or not.

    The caller must be one who may record them: what people agreed to shows what there is.
    """
    return [
        ConsentView(
            row["id"],
            row["defender"],
            row["recipient"],
            sorted(compartments_of(row["compartments"])),
            Purpose(row["purpose"]),
            row["until"],
            ConsentForm(row["form"]),
            row["recorded_by"],
            row["recorded_at"],
            row["event"],
            row["withdrawn_at"],
            row["stop_by"],
            stands(row, now),
        )
        for row in await consents.of_case_file(snapshot, case_file, caller.organisation)
        if holds(house, row)
    ]


def basis_row(
    referral: UUID,
    caller: Caller,
    rests: Sequence[UUID],
    override: str | None,
    of: Mapping[str, object],
) -> Row:
    """Make the row that says what a referral rests on: *rests*, or *override* in their place."""
    basis = LegalBasis.CONSENT if override is None else LegalBasis.VITAL_INTEREST
    return {
        "referral": referral,
        "agency": caller.organisation,
        "basis": basis.value,
        "consents": ",".join(sorted(each.hex for each in rests)),
        "override": override,
        "decided_by": caller.member,
        "reviewed_by": None,
        "reviewed_at": None,
        "reviewed_event": None,
        **of,
    }
