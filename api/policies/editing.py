"""The same policy with something taken away or added: what a slip of the pen would make of it.

Used by the tools around a policy, never to decide. What is edited are the rules; the
inline tests are left out, so that they cannot speak for the tables.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from api.errors import PolicyRefused
from api.policies.grammar import (
    Call,
    Comparison,
    NotInGrammar,
    Parameter,
    Path,
    Rule,
    Variable,
    read,
    said,
    written,
)

#: File without ".polar" -> its rules, in order.
Rules = Mapping[str, tuple[Rule, ...]]

_ASKS_NOTHING: Final = re.compile(r"(\w+) asks nothing")
_DOES_NOT_ASK: Final = re.compile(r"(\w+) does not ask (\w+)")
_ADDED: Final = re.compile(r"there is a line (.+)")
_TAKEN_OUT: Final = re.compile(r"there is no line (.+)")


class Edit(NamedTuple):
    """One thing that was taken away: where, what, and the rules without it."""

    file: str
    line: int
    what: str
    rules: Rules

    def __str__(self) -> str:
        """Write it as `base.polar:12: what`."""
        return f"{self.file}.polar:{self.line}: {self.what}"


def rules_of(texts: Mapping[str, str]) -> Rules:
    """Read the rules of *texts* (name without ".polar" -> Polar text).

    Raises:
        PolicyRefused: a text is not in the grammar.
    """
    try:
        return {
            name: tuple(part for part in read(text) if isinstance(part, Rule))
            for name, text in texts.items()
        }
    except NotInGrammar as stop:
        raise PolicyRefused(f"Line {stop.line}: {stop.what}.") from None


def texts_of(rules: Rules) -> dict[str, str]:
    """Write *rules* as texts that load: name without ".polar" -> Polar text."""
    return {name: written(each) for name, each in rules.items()}


def edits(rules: Rules) -> Iterator[Edit]:
    """Take away each rule, each condition after `if`, and each condition within a head."""
    for file, each in rules.items():
        for at, rule in enumerate(each):
            for what, changed in _edits_of(rule):
                kept = [*each[:at], *([changed] if changed else []), *each[at + 1 :]]
                yield Edit(file, rule.line, what, {**rules, file: tuple(kept)})


def _edits_of(rule: Rule) -> Iterator[tuple[str, Rule | None]]:
    """Give what is said of each edit, with the rule that is left of *rule*, if one is."""
    yield f"without the rule {said(rule)}", None
    for at, goal in enumerate(rule.goals):
        goals = (*rule.goals[:at], *rule.goals[at + 1 :])
        yield f"{rule.name} without `{said(goal)}`", _tidy(rule._replace(goals=goals))
    for at, parameter in enumerate(rule.parameters):
        for name, value in parameter.values:
            values = tuple(pair for pair in parameter.values if pair[0] != name)
            changed = (
                *rule.parameters[:at],
                parameter._replace(values=values),
                *rule.parameters[at + 1 :],
            )
            yield f"{rule.name} without `{name}: {value}`", rule._replace(parameters=changed)


def _tidy(rule: Rule) -> Rule:
    """Blank the variables that are used no more, as whoever edits the rule would have to.

    Else the engine's warning would refuse the edit for its style. A variable without a
    class cannot be blanked: the lint refuses the rule.
    """
    used = {
        term.name if isinstance(term, Variable) else term.variable
        for goal in rule.goals
        for term in _terms(goal)
        if isinstance(term, Variable | Path)
    }

    def tidied(parameter: Parameter) -> Parameter:
        blank = parameter.polar_class is not None and parameter.variable not in used
        return parameter._replace(variable="_") if blank else parameter

    return rule._replace(parameters=tuple(map(tidied, rule.parameters)))


def _terms(goal: Call | Comparison) -> tuple[object, ...]:
    return goal.arguments if isinstance(goal, Call) else (goal.left, goal.right)


def slipped(rules: Rules, slips: str) -> Rules:
    """Make the slips that *slips* names, joined with "; ", in plain words.

    - `<rule> asks nothing`: all rules of that name lose all their conditions;
    - `<rule> does not ask <rule>`: they lose that one;
    - `there is a line <rule>`: base has one more;
    - `there is no line <rule>`: no file has it any more.

    Raises:
        PolicyRefused: there is nothing of the kind in *rules*.
    """
    for slip in slips.split("; "):
        made = _slipped(rules, slip)
        if made == rules:
            raise PolicyRefused(f"The policy has nothing that this slip could be about: {slip}.")
        rules = made
    return rules


def _slipped(rules: Rules, slip: str) -> Rules:
    if found := _ASKS_NOTHING.fullmatch(slip):
        name = found[1]
        return _each(rules, lambda r: _tidy(r._replace(goals=())) if r.name == name else r)
    if found := _DOES_NOT_ASK.fullmatch(slip):
        name, asked = found[1], found[2]

        def without(rule: Rule) -> Rule:
            goals = tuple(g for g in rule.goals if not (isinstance(g, Call) and g.rule == asked))
            return _tidy(rule._replace(goals=goals)) if rule.name == name else rule

        return _each(rules, without)
    if found := _ADDED.fullmatch(slip):
        return {**rules, "base": (*rules.get("base", ()), *rules_of({"": f"{found[1]};"})[""])}
    if found := _TAKEN_OUT.fullmatch(slip):
        line = found[1]
        return {
            name: tuple(rule for rule in each if said(rule) != line) for name, each in rules.items()
        }
    return rules


def _each(rules: Rules, change: Callable[[Rule], Rule]) -> Rules:
    return {name: tuple(map(change, each)) for name, each in rules.items()}
