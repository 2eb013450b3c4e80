"""Why is this allowed or refused, by which rule, and what would open it?

Pure, over facts. Advice is found by asking the gate about changed facts, one change at a
time and then two together, so it cannot go out of step with the rules: what is advised is
what the policy would allow. Which changes can be advised stands in plain_words.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, NamedTuple

from api.policies.engine import GROUND
from api.policies.facts import Row, Who
from api.policies.gate import Allowed, Gate, Verdict
from api.policies.plain_words import BOTH, FACTS, GROUNDS, REASONS, Fact, Said, value_said
from api.policies.tracing import Argument, Told, trace
from api.vocabulary import Action, Compartment, Ground

#: What is asked about: a compartment to open, an action to do, None: whether it exists.
Asked = Compartment | Action | None

#: Most changes of one advice; who needs more is told what is missing, not how to get it.
_MOST_CHANGES: Final = 2


class Change(NamedTuple):
    """One fact that would have to be another.

    Attributes:
        values: any one of them would do.
    """

    polar_class: str
    field: str
    values: tuple[str | int | bool, ...]


class Remedy(NamedTuple):
    """Changes that would open it together."""

    changes: tuple[Change, ...]

    @property
    def said(self) -> Said:
        """Say it in a sentence or two, in both languages."""
        parts = [
            FACTS[change.polar_class, change.field].said.of(
                *(value_said(change.field, value) for value in change.values)
            )
            for change in self.changes
        ]
        if len(parts) > 1:
            parts.insert(0, BOTH)
        return Said(
            " ".join(part.indonesian for part in parts), " ".join(part.english for part in parts)
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the policy says, and why.

    Attributes:
        grounds: all on which it is allowed; the verdict names the narrowest.
        rules: by which it is allowed, or those that come nearest, with what they lack.
        remedies: what would open it; none where it is open, or where no two changes would.
    """

    verdict: Verdict
    grounds: tuple[Ground, ...]
    rules: tuple[Told, ...]
    remedies: tuple[Remedy, ...]

    @property
    def said(self) -> Said:
        """Say the decision in a sentence, in both languages."""
        if isinstance(self.verdict, Allowed):
            return GROUNDS[self.verdict.ground]
        return REASONS[self.verdict.reason]


def explain(gate: Gate, who: Who, row: Row, asked: Asked) -> Explanation:
    """Explain what *gate* says of *asked*.

    Raises:
        PolicyFailed: the policy could not decide.
    """
    verdict = decided(gate, who, row, asked)
    allowed = isinstance(verdict, Allowed)
    question, args = _question(who, row, asked)
    answers = gate.policy.answers(question, *args, GROUND) if allowed else frozenset()
    return Explanation(
        verdict,
        tuple(sorted(Ground(ground) for (ground,) in answers)),
        trace(gate.policy, question, *args, None),
        () if allowed else remedies(gate, who, row, asked),
    )


def decided(gate: Gate, who: Who, row: Row, asked: Asked) -> Verdict:
    """Put *asked* to *gate*."""
    match asked:
        case Compartment():
            return gate.open(who, asked, row)
        case Action():
            return gate.change(who, asked, row)
        case None:
            return gate.see(who, row)


def _question(who: Who, row: Row, asked: Asked) -> tuple[str, tuple[Argument, ...]]:
    """Give the rule that answers *asked*, and its arguments but for the ground."""
    match asked:
        case Compartment():
            return "open", (who, asked.value, row)
        case Action():
            return "change", (who, asked.value, row)
        case None:
            return "see", (who, row)


class _Step(NamedTuple):
    """One fact that is changed to one value."""

    polar_class: str
    field: str
    value: str | int | bool

    @property
    def fact(self) -> Fact:
        return FACTS[self.polar_class, self.field]


def remedies(gate: Gate, who: Who, row: Row, asked: Asked) -> tuple[Remedy, ...]:
    """Find the fewest changes, one or two, after which *gate* would allow *asked*.

    What is advised only where nothing else helps is tried last.
    """
    steps = list(_steps(who, row, asked))
    for tried in ([step for step in steps if not step.fact.last], steps):
        for size in range(1, _MOST_CHANGES + 1):
            found = [
                combination
                for combination in combinations(tried, size)
                if len({step[:2] for step in combination}) == size
                and _helps(gate, who, row, asked, combination)
            ]
            if found:
                return _gathered(found)
    return ()


def _steps(who: Who, row: Row, asked: Asked) -> Iterator[_Step]:
    """Give every single change that can be advised to *who* about *row*."""
    own = getattr(row, "lead_agency", None) == getattr(who, "agency", None)
    for (polar_class, field), fact in FACTS.items():
        of = next((facts for facts in (who, row) if facts.polar_name == polar_class), None)
        if of is None or fact.compartment not in (None, asked) or (fact.elsewhere and own):
            continue
        now = getattr(of, field)
        for value in fact.wanted:
            # Less of a number is never more of a right.
            if value != now and not (type(value) is int and value < now):
                yield _Step(polar_class, field, value)


def _helps(gate: Gate, who: Who, row: Row, asked: Asked, steps: Sequence[_Step]) -> bool:
    """Tell whether *gate* allows *asked* once all of *steps* are taken."""
    changed: dict[str, dict[str, Any]] = {}
    for step in steps:
        of_it = changed.setdefault(step.polar_class, {})
        of_it |= {step.field: step.value, **dict(step.fact.along)}
    then_who = replace(who, **changed.get(who.polar_name, {}))
    then_row = replace(row, **changed.get(row.polar_name, {}))
    return isinstance(decided(gate, then_who, then_row, asked), Allowed)


def _gathered(found: Sequence[Sequence[_Step]]) -> tuple[Remedy, ...]:
    """Say as one what differs in one value only; of a number the least is enough."""
    made = [tuple(Change(s.polar_class, s.field, (s.value,)) for s in steps) for steps in found]
    for _, field in FACTS:
        groups: dict[tuple[Change, ...], list[Change]] = {}
        plain: list[tuple[Change, ...]] = []
        for changes in made:
            mine = next((c for c in changes if c.field == field), None)
            if mine is None:
                plain.append(changes)
            else:
                rest = tuple(c for c in changes if c is not mine)
                groups.setdefault(rest, []).append(mine)
        made = plain + [
            tuple(sorted((*rest, _one_of(same)), key=_place)) for rest, same in groups.items()
        ]
    return tuple(Remedy(changes) for changes in sorted(made, key=lambda m: [*map(_place, m)]))


def _one_of(same: Sequence[Change]) -> Change:
    values = tuple(dict.fromkeys(value for change in same for value in change.values))
    if all(type(value) is int for value in values):
        values = (min(values),)
    return same[0]._replace(values=values)


_ORDER: Final = {key: place for place, key in enumerate(FACTS)}


def _place(change: Change) -> int:
    return _ORDER[change.polar_class, change.field]
