"""A policy that is asked everything, each question once for all facts that are the same to it.

How questions are spared, and why nothing is lost by it:

- a fact that no rule mentions to which a question can lead cannot matter to it. A rule
  whose head has another word than is asked for is not led to, nor is one with a condition
  that no head fits;
- actions that no rule tells apart are asked as one: to put one in the place of the other
  gives the same policy. One that no rule names is allowed by none, since the lint lets no
  head fit any word.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from api.policies.editing import Rules
from api.policies.engine import COMPARTMENT, GROUND, Policy
from api.policies.facts import FIELD_TYPES, Facts, Row, Who
from api.policies.grammar import Call, Parameter, Path, Rule, Variable
from api.vocabulary import Action, Compartment

#: What is known of an argument: a text, or nothing.
_Known = str | None

#: The rule that is asked, and what is known of its arguments.
_Question = tuple[str, tuple[_Known, ...]]


class Situation(NamedTuple):
    """One caller before one row, and all that the rules themselves allow.

    Attributes:
        see: grounds.
        opens: compartment and ground.
        changes: action and ground.
        purpose_fits: the caller may declare this purpose.
    """

    who: Who
    row: Row
    see: frozenset[str]
    opens: frozenset[tuple[str, ...]]
    changes: frozenset[tuple[str, ...]]
    purpose_fits: bool


class Asked:
    """A policy and what it answered."""

    def __init__(self, policy: Policy, rules: Rules) -> None:
        """*rules* are those of *policy*."""
        self._policy = policy
        self._kept: dict[tuple[str, str, str, str], frozenset[tuple[str, ...]]] = {}
        every = [rule for each in rules.values() for rule in each]
        named: dict[str, list[Rule]] = {}
        for rule in every:
            named.setdefault(rule.name, []).append(rule)
        #: The actions that the rules name: no other is ever allowed.
        self.actions = _actions(every)
        #: The first of each group that no rule tells apart -> the group.
        self.alike = _alike(self.actions, every)
        self._see = mentioned(named, "see", None, None, None)
        self._open = mentioned(named, "open", None, None, None, None)
        self._change = {
            action: mentioned(named, "change", None, action, None, None) for action in self.alike
        }
        self.put = 0

    def situation(self, who: Who, row: Row) -> Situation:
        """Ask all that can be asked about *row* for *who*."""
        return Situation(
            who,
            row,
            frozenset(g for (g,) in self._ask("see", "", self._see, who, row, who, row, GROUND)),
            self._ask("open", "", self._open, who, row, who, COMPARTMENT, row, GROUND),
            frozenset(self._changes(who, row)),
            bool(self._ask("purpose_fits", "", None, who, None, who)),
        )

    def _changes(self, who: Who, row: Row) -> list[tuple[str, str]]:
        return [
            (action, ground)
            for one, alike in self.alike.items()
            for (ground,) in self._ask(
                "change", one, self._change[one], who, row, who, one, row, GROUND
            )
            for action in alike
        ]

    def _ask(
        self,
        rule: str,
        action: str,
        matters: frozenset[str] | None,
        who: Who,
        row: Row | None,
        *args: object,
    ) -> frozenset[tuple[str, ...]]:
        key = (rule, action, _pinned(who, matters), "" if row is None else _pinned(row, matters))
        if key not in self._kept:
            self.put += 1
            self._kept[key] = self._policy.answers(rule, *args)
        return self._kept[key]

    @property
    def decisions_each(self) -> int:
        """How many decisions one situation is: to see, each compartment, each action."""
        return 1 + len(Compartment) + len(self.actions)


def _pinned(facts: Facts, matters: frozenset[str] | None) -> str:
    """Give a key that is the same for facts that differ only in what does not matter."""
    if matters is None:
        return facts.key
    names = FIELD_TYPES[facts.polar_name]
    values = [(name, getattr(facts, name)) for name in names if name in matters]
    return f"{facts.polar_name}{values!r}"


def mentioned(rules: Mapping[str, Sequence[Rule]], question: str, *known: _Known) -> frozenset[str]:
    """Name the fields of facts that a rule reads to which the question can lead.

    Args:
        rules: by their name.
        known: each argument, where it is a text that is known; else None.
    """
    found: set[str] = set()
    seen: set[_Question] = set()
    todo: list[_Question] = [(question, known)]
    while todo:
        asked = todo.pop()
        if asked in seen:
            continue
        seen.add(asked)
        for rule in _fitting(rules, asked):
            bound = _bound(rule, asked)
            calls = [_call(goal, bound) for goal in rule.goals if isinstance(goal, Call)]
            if not all(any(True for _ in _fitting(rules, call)) for call in calls):
                continue
            todo += calls
            found |= {field for parameter in rule.parameters for field, _ in parameter.values}
            for goal in rule.goals:
                terms = goal.arguments if isinstance(goal, Call) else (goal.left, goal.right)
                found |= {term.field for term in terms if isinstance(term, Path)}
    return frozenset(found)


def _fitting(rules: Mapping[str, Sequence[Rule]], asked: _Question) -> list[Rule]:
    """Give the rules whose head can fit."""
    name, known = asked
    return [
        rule
        for rule in rules.get(name, ())
        if len(rule.parameters) == len(known) and all(map(_fits, rule.parameters, known))
    ]


def _fits(parameter: Parameter, known: _Known) -> bool:
    return known is None or parameter.constant in (None, known)


def _bound(rule: Rule, asked: _Question) -> dict[str, str]:
    pairs = zip(rule.parameters, asked[1], strict=True)
    return {p.variable: known for p, known in pairs if p.constant is None and known is not None}


def _call(goal: Call, bound: Mapping[str, str]) -> _Question:
    def known(term: object) -> _Known:
        if isinstance(term, Variable):
            return bound.get(term.name)
        return term if isinstance(term, str) else None

    return goal.rule, tuple(map(known, goal.arguments))


def _actions(rules: Sequence[Rule]) -> tuple[str, ...]:
    named = {text for rule in rules for text in _texts(rule)}
    return tuple(sorted(action.value for action in Action if action.value in named))


def _texts(rule: Rule) -> set[object]:
    """Give the texts in *rule*, its name and those of classes and variables left out."""
    found: set[object] = {parameter.constant for parameter in rule.parameters}
    found |= {value for parameter in rule.parameters for _, value in parameter.values}
    for goal in rule.goals:
        found |= set(goal.arguments) if isinstance(goal, Call) else {goal.right}
    return {text for text in found if type(text) is str}


def _alike(actions: Sequence[str], rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """Group *actions*: the first of each group, which stands for all, with the group."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for action in actions:
        # What is said of it, with the word itself left open.
        said = sorted(
            repr(_without_lines(rule)).replace(repr(action), "ACTION")
            for rule in rules
            if action in _texts(rule)
        )
        groups.setdefault(tuple(said), []).append(action)
    return {group[0]: tuple(group) for group in groups.values()}


def _without_lines(rule: Rule) -> Rule:
    return rule._replace(line=0, goals=tuple(goal._replace(line=0) for goal in rule.goals))
