"""Would somebody notice? Take each rule and each condition out of a policy, one at a time.

Each mutant must be refused at load or give an answer that a table or an invariant does
not allow. The inline tests are taken out first, so the tables stand by themselves. A
mutant that nobody notices is a rule that no row exercises, or one that does nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from api.errors import PolicyFailed, PolicyRefused
from api.policies.checking import Tables, check_everywhere
from api.policies.editing import Edit, Rules, edits
from api.policies.facts import FIELD_TYPES
from api.policies.gate import Allowed
from api.policies.tables import Case

_WORD: Final = re.compile(r'"([^"]+)"')


@dataclass(slots=True)
class Score:
    """How the mutants ended.

    Attributes:
        refused: at load, by the lint or the engine.
        by_tables: a row of a table was no longer so.
        by_invariants: no row noticed and an invariant did.
        survivors: nobody noticed; each with its place.
    """

    refused: int = 0
    by_tables: int = 0
    by_invariants: int = 0
    survivors: list[Edit] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.refused + self.by_tables + self.by_invariants

    @property
    def total(self) -> int:
        """How many there were."""
        return self.killed + len(self.survivors)

    def __str__(self) -> str:
        """Say it in a line."""
        share = 100 * self.killed / self.total if self.total else 0.0
        return (
            f"{self.killed} of {self.total} mutants are noticed ({share:.1f}%): {self.refused} at "
            f"load, {self.by_tables} by a table, {self.by_invariants} by an invariant"
        )


def score(
    rules: Rules,
    cases: Sequence[Case],
    progress: Callable[[int, int], None],
    every: int = 1,
    everywhere: int = 1,
) -> Score:
    """Make every mutant of *rules* and see who notices.

    Args:
        cases: of the tables, which the policy itself must agree with.
        every: make only every so-manieth mutant.
        everywhere: hold what no table noticed to the invariants in every so-manieth
            situation only.
    """
    found = Score()
    mutants = list(edits(rules))[::every]
    for done, mutant in enumerate(mutants, 1):
        _judge(mutant, cases, found, everywhere)
        progress(done, len(mutants))
    return found


def _judge(mutant: Edit, cases: Sequence[Case], found: Score, everywhere: int) -> None:
    try:
        tables = Tables(mutant.rules)
    except PolicyRefused:
        found.refused += 1
        return
    likeliest = _likeliest_first(mutant, cases)
    if next(tables.faults(likeliest, slips_must_exist=False), None) is not None:
        found.by_tables += 1
        return
    try:
        noticed = bool(check_everywhere(mutant.rules, every=everywhere).broken)
    except PolicyFailed:
        noticed = True
    if noticed:
        found.by_invariants += 1
    else:
        found.survivors.append(mutant)


def _likeliest_first(mutant: Edit, cases: Sequence[Case]) -> list[Case]:
    """Put first the cases that have the words of *mutant* in them: most mutants die of those.

    Without a rule something is refused that was allowed; without a condition the other
    way round. Cases with a slip come last, since each slip is a policy to be loaded.
    """
    words = {*_WORD.findall(mutant.what), mutant.file}
    narrower = mutant.what.startswith("without the rule")

    def unlikely(case: Case) -> tuple[bool, int, bool]:
        values = {
            getattr(facts, name)
            for facts in (case.who, case.row)
            for name, kind in FIELD_TYPES[facts.polar_name].items()
            if kind is str
        }
        if case.asked is not None:
            values.add(case.asked.value)
        if isinstance(case.expected, Allowed):
            values.add(case.expected.ground.value)
        return (
            bool(case.even_if),
            -len(words & values),
            isinstance(case.expected, Allowed) is not narrower,
        )

    return sorted(cases, key=unlikely)
