"""What would change if another policy were in force, over all meaningful facts."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from api.policies.asking import Asked, Situation
from api.policies.editing import Rules, texts_of
from api.policies.engine import Policy
from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    Row,
    Who,
)
from api.policies.gate import Allowed, Verdict
from api.policies.situations import cut_of, thinned

_REFUSED = "refused"


class Kind(NamedTuple):
    """What changes in one and the same way.

    Attributes:
        role: in plain words.
        what: "see", "open identity", "add note".
        record: "a case file of the own agency", ...
        before: "refused", or "allowed: " and its grounds.
        after: the same under the other policy.
    """

    role: str
    what: str
    record: str
    before: str
    after: str


class Changed(NamedTuple):
    """One kind of change, and how much of it.

    Attributes:
        agencies: of the callers; empty for who has none.
        purposes: declared; empty for who declares none.
        decisions: how many decisions of the exhaustive table change so, for each agency
            that stands for others counted as often.
    """

    kind: Kind
    agencies: tuple[str, ...]
    purposes: tuple[str, ...]
    decisions: int


class Compared(NamedTuple):
    """All that changes.

    Attributes:
        changes: what is newly allowed first, then what is newly refused, then what is
            allowed on other grounds.
        decisions: how many were compared.
        step: 1 in how many of all.
    """

    changes: list[Changed]
    decisions: int
    step: int


def compare(old: Rules, new: Rules, progress: Callable[[int, int], None]) -> Compared:
    """Ask both policies about everything and gather what differs.

    Raises:
        PolicyRefused: one of them does not load.
        PolicyFailed: one of them fails on a question.
    """
    before = Asked(Policy.load(texts_of(old)), old)
    after = Asked(Policy.load(texts_of(new)), new)
    cut = cut_of(old, new)
    each = max(before.decisions_each, after.decisions_each)
    every, step = thinned(cut, each)
    gathered = Gathered()
    for done, (who, row) in enumerate(every, 1):
        agencies = cut.stands_for.get(getattr(who, "agency", ""), ())
        for kind in _kinds(before.situation(who, row), after.situation(who, row)):
            gathered.add(kind, who, agencies, max(1, len(agencies)))
        progress(done, len(every))
    return Compared(gathered.changes(), len(every) * each, step)


class Gathered:
    """What changes, gathered by kind."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._found: dict[Kind, tuple[set[str], set[str], list[int]]] = {}

    def add(self, kind: Kind, who: Who, agencies: Iterable[str], decisions: int) -> None:
        """Count *decisions* of *who*, which stands for callers of *agencies*."""
        of_agencies, purposes, counts = self._found.setdefault(kind, (set(), set(), []))
        of_agencies.update(agencies)
        purposes.update(filter(None, [getattr(who, "purpose", "")]))
        counts.append(decisions)

    def changes(self) -> list[Changed]:
        """Give them in the order of `Compared`."""
        changes = [
            Changed(kind, tuple(sorted(agencies)), tuple(sorted(purposes)), sum(counts))
            for kind, (agencies, purposes, counts) in self._found.items()
        ]
        changes.sort(key=lambda c: (c.kind.before != _REFUSED, c.kind.after != _REFUSED, c.kind))
        return changes


def difference(who: Who, row: Row, what: str, before: Verdict, after: Verdict) -> Kind | None:
    """Say how two verdicts on one question differ; None where both allow or both refuse alike.

    Args:
        what: as in `Kind`.
    """
    was, will_be = _grounds_of(before), _grounds_of(after)
    if was == will_be:
        return None
    words = what.replace("_", " ")
    return Kind(_role(who), words, _record(who, row), _answer(was), _answer(will_be))


def _grounds_of(verdict: Verdict) -> set[str]:
    return {verdict.ground.value} if isinstance(verdict, Allowed) else set()


def _kinds(before: Situation, after: Situation) -> Iterator[Kind]:
    role, record = _role(before.who), _record(before.who, before.row)
    old, new = _grounds(before), _grounds(after)
    for what in old.keys() | new.keys():
        was, will_be = old.get(what, set()), new.get(what, set())
        if was != will_be:
            yield Kind(role, what.replace("_", " "), record, _answer(was), _answer(will_be))


def _grounds(it: Situation) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"see": set(it.see)} if it.see else {}
    for compartment, ground in it.opens:
        found.setdefault(f"open {compartment}", set()).add(ground)
    for action, ground in it.changes:
        found.setdefault(action, set()).add(ground)
    return found


def _answer(grounds: set[str]) -> str:
    if not grounds:
        return _REFUSED
    return "allowed: " + ", ".join(sorted(ground.replace("_", " ") for ground in grounds))


def _role(who: Who) -> str:
    if isinstance(who, CaseworkerFacts):
        return who.role.replace("_", " ")
    return "partner" if isinstance(who, PartnerFacts) else "security officer"


def _record(who: Who, row: Row) -> str:
    if isinstance(row, CaseFileFacts):
        if row.lead_agency == getattr(who, "agency", None):
            return "a case file of the own agency"
        return "a case file that was referred" if row.referred else "a case file of another agency"
    return "an event" if isinstance(row, EventFacts) else "a release"
