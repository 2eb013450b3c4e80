"""Which merges may a caller know of? Those of which they may open both identities.

That two records are of one person tells the name in the one to who knows the other: so it is
told to nobody who may not open either anyhow. To all others the records stand side by side.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from uuid import UUID

from api.accesslog.event import Touched
from api.casework.facts import counts, facts_of, link_holds
from api.casework.house import House
from api.casework.views import DefenderView
from api.policies.facts import CaseFileFacts
from api.policies.gate import Allowed, Verdict
from api.store.case_files import CaseFileRow
from api.store.merges import Row
from api.vocabulary import Caller, Decision, Ground, RecordKind

#: Case file and defender.
Place = tuple[UUID, UUID]

#: The fields of a defender that tell of merges.
FIELDS = frozenset({"mergedFrom", "mergedInto"})


def places_in(
    house: House,
    caller: Caller,
    rows: Iterable[CaseFileRow],
    may: Callable[[CaseFileFacts], Verdict],
) -> set[Place]:
    """Give where people stand in those of *rows* about which *may* allows; opens nothing."""
    places: set[Place] = set()
    for row in rows:
        facts = facts_of(house, caller, row) if counts(row.revision) else None
        if facts is None or not isinstance(may(facts), Allowed):
            continue
        places |= {
            (row.id, link.defender)
            for link in row.links
            if not link.erased and link_holds(house, caller, row, link)
        }
    return places


def with_both(merges: Iterable[Row], people: Collection[UUID]) -> list[Row]:
    """Give those of *merges* of which both records are among *people*."""
    return [row for row in merges if row["kept"] in people and row["duplicate"] in people]


def touched(merges: Sequence[Row]) -> list[Touched]:
    """Say that *merges* are told, for the event; nothing where there are none."""
    records = [
        record
        for row in merges
        for record in (
            (RecordKind.MERGE, row["id"], 0),
            (RecordKind.DEFENDER, row["kept"], 0),
            (RecordKind.DEFENDER, row["duplicate"], 0),
        )
    ]
    if not records:
        return []
    fields = tuple(sorted(FIELDS))
    return [Touched(Decision.DISCLOSED, Ground.OWN_AGENCY, None, (), fields, tuple(records))]


def show(defenders: Iterable[DefenderView], merges: Sequence[Row]) -> None:
    """Put *merges* into the views of the records that are in them."""
    into = {row["duplicate"]: row["kept"] for row in merges}
    for view in defenders:
        view.merged_into = into.get(view.id)
        view.merged_from = [row["duplicate"] for row in merges if row["kept"] == view.id]
