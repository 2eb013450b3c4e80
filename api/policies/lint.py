"""Refuse every policy that is not in the small part of Polar that is known to be sound.

Oso 0.27.3 grants too much, crashes or reaches Python on constructs that look
harmless (docs/decisions/0004). So a text is not searched for bad constructs: it
must be in the grammar of grammar.py, and then:

- a class is one of the facts, a field one of its fields, a constant of its type;
- a comparison has a field of the row on the left and a constant or a field of
  the caller on the right, and orders numbers only;
- every variable comes from the head; one without a class is passed on to
  another rule, no rule leads back to itself, so in the end a text names its value;
- every rule that is asked exists, with as many parameters;
- an agency's file has grounds of its own caseworkers and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final, NamedTuple

from api.policies.facts import DEFAULTED, FIELD_TYPES, ROW_OF
from api.policies.grammar import (
    Call,
    Comparison,
    Constant,
    InlineTest,
    Made,
    NotInGrammar,
    Parameter,
    Path,
    Rule,
    Variable,
    read,
)

#: Files that are not an agency's.
SHARED_FILES: Final = frozenset({"base", "oversight", "partners"})

#: What the gate asks: rule -> number of arguments.
QUESTIONS: Final = {
    "change": 4,
    "cleared": 2,
    "duty": 2,
    "grounded": 2,
    "grounded_to_change": 3,
    "open": 4,
    "purpose_fits": 1,
    "role_fits": 1,
    "see": 3,
    "serves": 2,
    "untied": 1,
}

_ROWS: Final = frozenset(row.polar_name for row in ROW_OF.values())
_CALLERS: Final = frozenset(caller.polar_name for caller in ROW_OF)
_FILE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Finding(NamedTuple):
    """What is wrong, and where."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """Write it as `base.polar:12: what`."""
        return f"{self.file}.polar:{self.line}: {self.what}"


def findings(texts: Mapping[str, str]) -> list[Finding]:
    """Check all *texts* (name without ".polar" -> text) together; an empty list is a pass."""
    found: list[Finding] = []
    parts: list[tuple[str, Rule | InlineTest]] = []
    for name in sorted(texts):
        if not _FILE_NAME.fullmatch(name):
            found.append(Finding(name, 1, "the name of a file is the slug of an agency"))
        try:
            parts += [(name, part) for part in read(texts[name])]
        except NotInGrammar as stop:
            found.append(Finding(name, stop.line, stop.what))
    if found:
        return found  # Without all rules the rest would say nothing true.
    rules = [(file, part) for file, part in parts if isinstance(part, Rule)]
    known = {(rule.name, len(rule.parameters)) for _, rule in rules}
    for file, part in parts:
        if isinstance(part, Rule):
            problems = _of_rule(part, known)
            if file not in SHARED_FILES:
                problems = [*problems, *_of_agency(file, part)]
        else:
            problems = list(_of_call(part.call, {}, known))
        found += [Finding(file, line, what) for line, what in problems]
    for question, arity in QUESTIONS.items():
        if (question, arity) not in known:
            found.append(Finding("base", 1, f"no rule answers {question} of {arity}"))
    found += _of_cycles(rules)
    return found


_Problem = tuple[int, str]
_Known = set[tuple[str, int]]


def _of_rule(rule: Rule, known: _Known) -> list[_Problem]:
    """Check one rule by itself. *known*: name and arity of every rule."""
    problems: list[_Problem] = []
    classes: dict[str, str | None] = {}  # variable of the head -> its class, if it has one
    for parameter in rule.parameters:
        problems += ((rule.line, what) for what in _of_parameter(parameter, classes))
    passed_on = {
        argument.name
        for goal in rule.goals
        if isinstance(goal, Call)
        for argument in goal.arguments
        if isinstance(argument, Variable)
    }
    for variable, polar_class in classes.items():
        if polar_class is None and variable not in passed_on:
            problems.append((rule.line, f"`{variable}` has no class and could be anything"))
    for goal in rule.goals:
        if isinstance(goal, Call):
            problems += _of_call(goal, classes, known)
        else:
            problems += ((goal.line, what) for what in _of_comparison(goal, classes))
    return problems


def _of_parameter(parameter: Parameter, classes: dict[str, str | None]) -> Iterator[str]:
    """Check one place of a head and note its variable in *classes*."""
    if parameter.constant is not None:
        return
    if parameter.variable in classes:
        yield f"`{parameter.variable}` stands twice in one head"
    if parameter.polar_class is not None:
        yield from _of_values(parameter.polar_class, parameter.values)
        if parameter.polar_class in _ROWS and parameter.values:
            yield "conditions on a row stand after `if`"
    if parameter.variable != "_":
        classes[parameter.variable] = parameter.polar_class


def _of_values(polar_class: str, values: tuple[tuple[str, Constant], ...]) -> Iterator[str]:
    types = FIELD_TYPES.get(polar_class)
    if types is None:
        yield f"there are no facts named {polar_class}"
        return
    for name, constant in values:
        if name not in types:
            yield f"{polar_class} has no field {name}"
        elif type(constant) is not types[name]:
            yield f"{polar_class}.{name} is compared with a constant of another type"


def _of_call(call: Call, classes: Mapping[str, str | None], known: _Known) -> Iterator[_Problem]:
    if (call.rule, len(call.arguments)) not in known:
        yield call.line, f"there is no rule {call.rule} with {len(call.arguments)} parameters"
    for argument in call.arguments:
        if isinstance(argument, Variable):
            if argument.name != "_" and argument.name not in classes:
                yield call.line, f"`{argument.name}` does not stand in the head"
        elif isinstance(argument, Path):
            polar_class, what = _class_and_type(argument, classes)
            if polar_class not in _CALLERS:
                yield call.line, what or "only a field of the caller is passed on, never of a row"
            elif what:
                yield call.line, what
        elif isinstance(argument, Made):
            for what in _of_values(argument.polar_class, argument.values):
                yield call.line, what
            expected = list(FIELD_TYPES.get(argument.polar_class, {}))
            left_out = DEFAULTED.get(argument.polar_class, frozenset())
            given = [name for name, _ in argument.values]
            if given != [n for n in expected if n in given or n not in left_out]:
                yield call.line, "a test gives every field once, in order"


def _of_comparison(goal: Comparison, classes: Mapping[str, str | None]) -> Iterator[str]:
    left_class, what = _class_and_type(goal.left, classes)
    if what:
        yield what
        return
    if left_class not in _ROWS:
        yield "the field of a row stands on the left of a comparison"
        return
    left_type = FIELD_TYPES[left_class][goal.left.field]
    if isinstance(goal.right, Path):
        right_class, what = _class_and_type(goal.right, classes)
        if what:
            yield what
            return
        if right_class not in _CALLERS:
            yield "a row is compared with a constant or with a field of the caller"
            return
        right_type = FIELD_TYPES[right_class][goal.right.field]
    else:
        right_type = type(goal.right)
    if left_type is not right_type:
        yield "the two sides of a comparison have different types"
    elif goal.operator != "=" and left_type is not int:
        yield "only numbers have an order"


def _class_and_type(path: Path, classes: Mapping[str, str | None]) -> tuple[str, str]:
    """Return the class of *path*'s variable and, if something is wrong, what."""
    polar_class = classes.get(path.variable)
    if polar_class is None:
        return "", f"`{path.variable}` has no class in the head"
    if path.field not in FIELD_TYPES.get(polar_class, {}):
        return polar_class, f"{polar_class} has no field {path.field}"
    return polar_class, ""


def _of_agency(agency: str, rule: Rule) -> Iterator[_Problem]:
    """In an agency's file: `ground(who: Caseworker{agency: "<slug>"}, "...", file: CaseFile)`."""
    shape = [(part.polar_class, part.values) for part in rule.parameters if part.constant is None]
    own = [("Caseworker", (("agency", agency),)), ("CaseFile", ())]
    if rule.name != "ground" or len(rule.parameters) != 3 or shape != own:
        yield rule.line, f"the file of {agency} gives grounds to its own caseworkers only"


def _of_cycles(rules: list[tuple[str, Rule]]) -> list[Finding]:
    """A rule that leads back to itself need not end and names no value."""
    graph: dict[str, set[str]] = {}
    for _, rule in rules:
        asked = {goal.rule for goal in rule.goals if isinstance(goal, Call)}
        graph.setdefault(rule.name, set()).update(asked)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        name = cycle.args[1][0]
        file, line = next((file, rule.line) for file, rule in rules if rule.name == name)
        return [Finding(file, line, f"{name} leads back to itself")]
    return []
