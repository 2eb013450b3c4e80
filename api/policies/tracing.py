"""By which rule is something allowed, or which condition of which rule does not hold?

The rules are walked as they are written; each condition that asks another rule is put to
the engine, so that a trace cannot say anything else than the decision does.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from polar.variable import Variable as Unknown

from api.policies.editing import rules_of
from api.policies.engine import Policy
from api.policies.facts import Facts
from api.policies.grammar import Call, Comparison, Constant, Path, Rule, Variable, said

#: The rules that are told of what is allowed; the rest are tables and parts of these.
_TOLD: Final = frozenset({"change", "exists", "ground", "open", "opens", "see"})

#: An argument of a question; None is left open.
Argument = Facts | Constant | None

_Bindings = Mapping[str, Argument]


class Told(NamedTuple):
    """One rule of a trace.

    Attributes:
        file: without ".polar".
        line: of the rule.
        name: of the rule.
        condition: its first condition that does not hold, as it is written; None: all hold.
        condition_line: of that condition.
    """

    file: str
    line: int
    name: str
    condition: str | None = None
    condition_line: int | None = None

    @property
    def place(self) -> str:
        """Where the rule is, as `base.polar:12`."""
        return f"{self.file}.polar:{self.line}"

    @property
    def condition_place(self) -> str | None:
        """Where the condition is."""
        at = self.condition_line
        return None if at is None else f"{self.file}.polar:{at}"


def trace(policy: Policy, question: str, *args: Argument) -> tuple[Told, ...]:
    """Tell the rules that answer *question*, or those that come nearest to it.

    Where it holds: each rule by which it does, and what that asks of the other questions.
    Where not: of the rules that get furthest the condition at which they stop, and in the
    same way why that one does not hold, from the question down to the fact.

    Raises:
        PolicyFailed: the engine raised.
    """
    tracer = _Tracer(policy, _by_name(policy))
    found = list(tracer.holding(question, args)) or list(tracer.stopping(question, args))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4)
def _by_name(policy: Policy) -> Mapping[str, Sequence[tuple[str, Rule]]]:
    found: dict[str, list[tuple[str, Rule]]] = {}
    for file, rules in rules_of(policy.texts).items():
        for rule in rules:
            found.setdefault(rule.name, []).append((file, rule))
    return found


class _Tracer:
    def __init__(self, policy: Policy, rules: Mapping[str, Sequence[tuple[str, Rule]]]) -> None:
        self._policy = policy
        self._rules = rules

    def holding(self, name: str, args: Sequence[Argument]) -> Iterator[Told]:
        """Tell the rules of this name that hold."""
        for file, rule, done, states in self._tried(name, args):
            if done < len(rule.goals):
                continue
            yield Told(file, rule.line, name)
            for goal in rule.goals:
                if isinstance(goal, Call) and goal.rule in _TOLD:
                    for state in states:
                        yield from self.holding(goal.rule, _arguments(goal, state))

    def stopping(self, name: str, args: Sequence[Argument]) -> Iterator[Told]:
        """Tell where the rules of this name stop that get furthest; none of them holds."""
        tried = [each for each in self._tried(name, args) if each[2] < len(each[1].goals)]
        furthest = max((done for _, _, done, _ in tried), default=0)
        for file, rule, done, states in tried:
            if done < furthest:
                continue
            goal = rule.goals[done]
            yield Told(file, rule.line, name, said(goal), goal.line)
            if isinstance(goal, Call):
                for state in states:
                    yield from self.stopping(goal.rule, _arguments(goal, state))

    def _tried(
        self, name: str, args: Sequence[Argument]
    ) -> Iterator[tuple[str, Rule, int, list[_Bindings]]]:
        """Give each rule whose head fits, how many of its conditions hold, and for what."""
        for file, rule in self._rules.get(name, ()):
            bound = _bound(rule, args)
            if bound is None:
                continue
            states: list[_Bindings] = [bound]
            done = 0
            for goal in rule.goals:
                further = [after for state in states for after in self._after(goal, state)]
                if not further:
                    break
                states, done = further, done + 1
            yield file, rule, done, states

    def _after(self, goal: Call | Comparison, state: _Bindings) -> Iterator[_Bindings]:
        """Give *state* with what *goal* adds to it, once for each way in which it holds."""
        if isinstance(goal, Comparison):
            if _compared(goal, state):
                yield state
            return
        args = _arguments(goal, state)
        unknown = [place for place, value in enumerate(args) if value is None]
        asked = [Unknown(f"v{at}") if value is None else value for at, value in enumerate(args)]
        for answer in sorted(self._policy.answers(goal.rule, *asked)):
            names = [goal.arguments[place] for place in unknown]
            yield {
                **state,
                **{
                    argument.name: value
                    for argument, value in zip(names, answer, strict=True)
                    if isinstance(argument, Variable) and argument.name != "_"
                },
            }


def _bound(rule: Rule, args: Sequence[Argument]) -> _Bindings | None:
    """Bind the variables of the head to *args*; None: the head does not fit them."""
    if len(args) != len(rule.parameters):
        return None
    bound: dict[str, Argument] = {}
    for parameter, value in zip(rule.parameters, args, strict=True):
        if parameter.constant is not None:
            if value is not None and not _same(parameter.constant, value):
                return None
            continue
        if parameter.polar_class is not None and not (
            isinstance(value, Facts)
            and value.polar_name == parameter.polar_class
            and all(_same(wanted, getattr(value, name)) for name, wanted in parameter.values)
        ):
            return None
        bound[parameter.variable] = value
    return bound


def _arguments(goal: Call, state: _Bindings) -> list[Argument]:
    return [_value(argument, state) for argument in goal.arguments]


def _value(term: object, state: _Bindings) -> Argument:
    match term:
        case Variable(name):
            return state.get(name)
        case Path(variable, name):
            value: Constant = getattr(state[variable], name)
            return value
        case str() | int():
            return term
        case _:
            raise TypeError


def _same(one: object, other: object) -> bool:
    """Tell whether they are the same to Polar, to which True is not 1."""
    return type(one) is type(other) and one == other


def _compared(goal: Comparison, state: _Bindings) -> bool:
    left, right = _value(goal.left, state), _value(goal.right, state)
    if goal.operator == "=":
        return _same(left, right)
    if type(left) is not int or type(right) is not int:
        return False
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[goal.operator]
