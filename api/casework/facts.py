"""Facts about a case file for one caller, built from rows whose seals hold and from no others."""

from functools import lru_cache

from api.casework import rights
from api.casework.house import House
from api.policies.facts import CaseFileFacts
from api.store.case_files import CaseFileRow, Link
from api.store.tables import RIGHTS
from api.vocabulary import Caller, Sensitivity

_MEMBER = RIGHTS["assignment"].index("member")


def facts_of(house: House, caller: Caller, row: CaseFileRow) -> CaseFileFacts | None:
    """Build the facts about one case file for one caller, from rows whose seals hold.

    None: the row of the case file itself is not as its agency sealed it.
    """
    lead = row.lead_agency
    values = (row.id, lead, row.sensitivity, row.event)
    if lead != caller.organisation:
        # The policy gives no ground outside the lead agency, so these facts can only
        # lead to a refusal; the other agency's seals are not looked at, so that how
        # many there are cannot be told from the time it takes.
        return _facts(lead, int(Sensitivity.EXTREME), False, False)
    if not rights.holds(house, lead, "case_file", values, row.seal):
        return None
    assigned = supervising = False
    for cells in row.assignments:
        if not rights.holds(house, lead, "assignment", cells[:-1], cells[-1]):
            continue
        if cells[_MEMBER] == caller.member:
            assigned = True
        else:
            supervising = True
    return _facts(lead, row.sensitivity, assigned, supervising)


#: Facts are checked when they are made; there are few different ones. Typed, since
#: True is not 1.
_facts = lru_cache(maxsize=1024, typed=True)(CaseFileFacts)


def counts(revision: object) -> bool:
    """Tell whether it is a revision; one that was forged must not keep an event from the log."""
    return type(revision) is int and revision >= 0


def link_holds(house: House, row: CaseFileRow, link: Link) -> bool:
    """Tell whether the agency itself put this defender into this case file."""
    return rights.holds(house, row.lead_agency, "case_file_defender", link.seal_values, link.seal)
