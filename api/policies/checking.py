"""Is a policy what it is meant to be? Its tables row by row, and every decision's invariants.

Run by people and by the tests before a policy is put in force; the service itself is
content when a policy loads.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from api.errors import PolicyFailed, PolicyRefused
from api.policies.asking import Asked
from api.policies.editing import Rules, slipped, texts_of
from api.policies.engine import GROUND, Policy
from api.policies.facts import FIELD_TYPES, CaseworkerFacts, Facts
from api.policies.gate import Allowed, Gate, Refused, Verdict
from api.policies.invariants import broken
from api.policies.situations import CAP, cut_of, situations, thinned
from api.policies.tables import Case
from api.vocabulary import Action, Compartment

#: One fault stands for all of its kind; more of them only hide the next kind.
_SHOWN_EACH: Final = 3


class Everywhere(NamedTuple):
    """What the exhaustive check found.

    Attributes:
        decisions: how many were checked.
        put: how many questions the engine was asked for them.
        step: 1 in how many of all; 1 where none was left out.
        faults: a sentence for each invariant and situation that does not hold, at most
            three an invariant.
        broken: how many situations do not hold in all.
    """

    decisions: int
    put: int
    step: int
    faults: list[str]
    broken: int


class Tables:
    """The cases of all tables, asked of one policy and of the same policy with slips."""

    def __init__(self, rules: Rules) -> None:
        """Take the *rules* of a policy that loads.

        Raises:
            PolicyRefused: it does not.
        """
        self._rules = rules
        self._loaded: dict[str, tuple[Policy, Gate]] = {"": _load(rules)}

    def faults(self, cases: Sequence[Case], *, slips_must_exist: bool = True) -> Iterator[str]:
        """Give a sentence for each of *cases* that is not as it says.

        Args:
            slips_must_exist: a slip that the policy has no place for is a fault; else
                its cases are passed over.
        """
        for case in cases:
            try:
                policy, gate = self._under(case.even_if)
            except PolicyRefused as error:
                if slips_must_exist:
                    yield f"{case.place}: {error}"
                continue
            said = _asked(policy, gate, case)
            if said is not None:
                yield f"{case.place}: {said} (why: {case.why})"

    def _under(self, slips: str) -> tuple[Policy, Gate]:
        if slips not in self._loaded:
            self._loaded[slips] = _load(slipped(self._rules, slips))
        return self._loaded[slips]


def _load(rules: Rules) -> tuple[Policy, Gate]:
    policy = Policy.load(texts_of(rules))
    return policy, Gate(policy)


def _asked(policy: Policy, gate: Gate, case: Case) -> str | None:
    """Tell how the answer differs from the expected one, or None."""
    try:
        verdict = decided(gate, case)
        if verdict != case.expected:
            return f"expected {spoken(case.expected)}, found {spoken(verdict)}"
        # The gate asks first whether the record exists; no rule may lean on that, since the
        # scope in SQL asks the rule alone.
        if isinstance(verdict, Refused) and _rule_allows(policy, case):
            return "refused by the gate, and allowed by the rule itself"
    except PolicyFailed:
        return "the policy could not decide"
    return None


def decided(gate: Gate, case: Case) -> Verdict:
    """Put the question of *case* to *gate*."""
    match case.asked:
        case Compartment():
            return gate.open(case.who, case.asked, case.row)
        case Action():
            return gate.change(case.who, case.asked, case.row)
        case None:
            return gate.see(case.who, case.row)


def _rule_allows(policy: Policy, case: Case) -> bool:
    match case.asked:
        case Compartment():
            asked = policy.answers("open", case.who, case.asked.value, case.row, GROUND)
        case Action():
            asked = policy.answers("change", case.who, case.asked.value, case.row, GROUND)
        case None:
            asked = policy.answers("see", case.who, case.row, GROUND)
    return bool(asked)


def _silently(_done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def check_everywhere(
    rules: Rules,
    progress: Callable[[int, int], None] = _silently,
    every: int = 1,
    cap: int = CAP,
) -> Everywhere:
    """Ask the policy of *rules* about all meaningful facts and look for broken invariants.

    Args:
        progress: is told how many situations are done, of how many.
        every: ask only about every so-manieth situation.
        cap: how many decisions at the most; over that the situations are thinned evenly.

    Raises:
        PolicyRefused: it does not load.
        PolicyFailed: it fails on a question, or facts are not enumerated.
    """
    policy, _ = _load(rules)
    asked = Asked(policy, rules)
    some, step = thinned(cut_of(rules), asked.decisions_each, cap)
    some = some[::every]
    found: dict[str, list[str]] = {}
    count = 0
    for it in situations(asked, some, lambda done: progress(done, len(some))):
        for what in broken(it):
            count += 1
            of_this = found.setdefault(what, [])
            if len(of_this) < _SHOWN_EACH:
                of_this.append(f"{what}: not so for {in_words(it.who)} and {in_words(it.row)}")
    faults = [fault for each in found.values() for fault in each]
    return Everywhere(len(some) * asked.decisions_each, asked.put, step * every, faults, count)


def spoken(verdict: Verdict) -> str:
    """Say *verdict* as the tables do."""
    if isinstance(verdict, Allowed):
        return f"allowed: {verdict.ground.replace('_', ' ')}"
    return f"refused: {verdict.reason.replace('_', ' ')}"


def in_words(facts: Facts) -> str:
    """Write facts for a person: they name nobody. A flag stands where it holds."""
    cells = []
    for name in FIELD_TYPES[facts.polar_name]:
        value = getattr(facts, name)
        plain = name.replace("_", " ")
        if value is True:
            cells.append(plain)
        elif value is not False:
            cells.append(f"{plain} {value}")
    kind = "caseworker" if isinstance(facts, CaseworkerFacts) else facts.polar_name
    return f"{kind} ({', '.join(cells)})"
