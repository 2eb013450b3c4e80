"""Facts about a case file for one caller, built from rows whose seals hold and from no others.

Of a case file of the own agency the agency's own seals decide. Of another's nothing in
the row can be proven here, where the other agency's keys are not: what decides is the
right that the caller's agency sealed itself when it accepted a referral.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from api.casework import rights
from api.casework.delegating import with_delegated
from api.casework.house import House
from api.casework.tying import excludes
from api.casework.unlocking import with_unlocked
from api.policies.facts import FIELD_TYPES, CaseFileFacts
from api.store.case_files import CaseFileRow, Link
from api.store.tables import RIGHTS
from api.vocabulary import Caller, Compartment, ReferralState, Sensitivity

_MEMBER = RIGHTS["assignment"].index("member")
_TIED = RIGHTS["tie"].index("member")


@dataclass(frozen=True, slots=True)
class Referred:
    """What another agency shares of a case file, proven by the caller's agency's own seal.

    Attributes:
        proposal: index of the giver's intent, to which the keys are bound.
    """

    referral: UUID
    case_file: UUID
    giver: str
    recipient: str
    purpose: str
    compartments: frozenset[Compartment]
    defenders: tuple[UUID, ...]
    sensitivity: int
    until: datetime
    proposal: int


def facts_of(
    house: House, caller: Caller, row: CaseFileRow, together: UUID | None = None
) -> CaseFileFacts | None:
    """Build the facts about one case file for one caller, from rows whose seals hold.

    A tie counts whether its seal holds or not: it gives nothing, it keeps out.
    None: the row of the case file itself is not as its agency sealed it.

    Args:
        together: the case file at whose whereabouts a colleague looks with the caller in this
            reading, as `looks` has proven; None: there is no second person.
    """
    facts = _granted(house, caller, row)
    if facts is not None and row.id == together:
        facts = looking_together(facts)
    own = [cells for cells in row.ties if cells[_TIED] == caller.member]
    if facts is None or not any(excludes(house, cells, row) for cells in own):
        return facts
    return replace(facts, tied=True)


def looking_together(facts: CaseFileFacts) -> CaseFileFacts:
    """Give *facts* as they are while a colleague looks with the caller."""
    return replace(facts, second_person=True)


#: Of what an agency keeps itself about a case file nothing was referred.
_NOT_REFERRED: dict[str, Any] = {
    name: False
    for name in FIELD_TYPES[CaseFileFacts.polar_name]
    if name.startswith(("referred", "shares_"))
}


def as_own(facts: CaseFileFacts, agency: str) -> CaseFileFacts:
    """Give *facts* as they are of what *agency* keeps itself about the case file, as a measure.

    What a referral shares bounds what was referred, and this never was. Who is assigned,
    cleared or tied stays as it is.
    """
    return replace(facts, lead_agency=agency, **_NOT_REFERRED)


def _granted(house: House, caller: Caller, row: CaseFileRow) -> CaseFileFacts | None:
    lead = row.lead_agency
    if lead != caller.organisation:
        return _of_another(house, caller, row)
    values = (row.id, lead, row.sensitivity, row.event)
    if not rights.holds(house, lead, "case_file", values, row.seal):
        return None
    facts = _facts(lead, row.sensitivity, *_assigned(house, caller, row))
    facts = with_delegated(house, caller, row, facts)
    return with_unlocked(house, caller, row, facts)


def _of_another(house: House, caller: Caller, row: CaseFileRow) -> CaseFileFacts:
    referred = referred_of(house, caller, row)
    if referred is None:
        # These facts can only lead to a refusal. The other agency's seals are not
        # looked at, so that how many there are cannot be told from the time it takes.
        return _facts(row.lead_agency, int(Sensitivity.EXTREME), False, False)
    facts = _facts_as_referred(
        referred.giver,
        referred.sensitivity,
        *_assigned(house, caller, row),
        referred.compartments,
    )
    facts = with_delegated(house, caller, row, facts)
    return with_unlocked(house, caller, row, facts)


def _assigned(house: House, caller: Caller, row: CaseFileRow) -> tuple[bool, bool]:
    """Tell whether the caller, and whether a colleague, is assigned, by the agency's seals."""
    assigned = supervising = False
    for cells in row.assignments:
        if not rights.holds(house, caller.organisation, "assignment", cells[:-1], cells[-1]):
            continue
        if cells[_MEMBER] == caller.member:
            assigned = True
        else:
            supervising = True
    return assigned, supervising


def referred_of(house: House, caller: Caller, row: CaseFileRow) -> Referred | None:
    """Give what of *row*, of another agency, the caller's agency accepted, if it did.

    Where several rights hold, which `accept` does not let happen, the newest one counts
    alone: two referrals never add up to more than either gave.
    """
    proven = []
    for cells in row.referrals:
        if not rights.holds(house, caller.organisation, "referral_right", cells[:-1], cells[-1]):
            continue
        right = dict(zip(RIGHTS["referral_right"], cells, strict=False))
        if (
            right["giver"] == row.lead_agency
            and right["recipient"] == caller.organisation
            and right["answer"] == ReferralState.ACCEPTED.value
            and right["ended_at"] is None
        ):
            proven.append(right)
    if not proven:
        return None
    newest = max(proven, key=lambda right: right["event"])
    return Referred(
        newest["referral"],
        newest["case_file"],
        newest["giver"],
        newest["recipient"],
        newest["purpose"],
        compartments_of(newest["compartments"]),
        defenders_of(newest["defenders"]),
        newest["sensitivity"],
        newest["until"],
        newest["proposal"],
    )


def compartments_of(text: str) -> frozenset[Compartment]:
    """Read what a referral's column says; the row's seal must hold."""
    return frozenset(map(Compartment, text.split(",")))


def defenders_of(text: str) -> tuple[UUID, ...]:
    """Read what a referral's column says; the row's seal must hold."""
    return tuple(map(UUID, text.split(",")))


#: Facts are checked when they are made; there are few different ones. Typed, since
#: True is not 1.
_facts = lru_cache(maxsize=1024, typed=True)(CaseFileFacts)
_facts_as_referred = lru_cache(maxsize=1024, typed=True)(CaseFileFacts.as_referred)


#: No record is changed so often. A thousand records of longer revisions fit into no leaf.
_REVISIONS = 2**31


def counts(revision: object) -> bool:
    """Tell whether it is a revision; one that was forged must not keep an event from the log."""
    return type(revision) is int and 0 <= revision < _REVISIONS


def link_holds(house: House, caller: Caller, row: CaseFileRow, link: Link) -> bool:
    """Tell whether the agency itself put this defender into this case file, or referred it."""
    if row.lead_agency != caller.organisation:
        referred = referred_of(house, caller, row)
        return referred is not None and link.defender in referred.defenders
    return rights.holds(house, row.lead_agency, "case_file_defender", link.seal_values, link.seal)
