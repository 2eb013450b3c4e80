"""Every rule and every condition of the shipped policy is needed: without it somebody notices."""

from pathlib import Path

import pytest

from api.policies.editing import edits, rules_of
from api.policies.engine import shipped_texts
from api.policies.mutation import score
from api.policies.tables import read_tables
from tests.policies import mutating_builders

CASES = read_tables(Path(__file__).parent)


def silent(_done: int, _total: int) -> None:
    pass


def test_a_sample_of_the_mutants_is_noticed() -> None:
    found = score(rules_of(shipped_texts()), CASES, silent, every=40)

    assert [str(survivor) for survivor in found.survivors] == []
    assert found.total == found.killed == len(list(edits(rules_of(shipped_texts())))[::40])


@pytest.mark.long
def test_every_mutant_of_the_policy_is_noticed() -> None:
    told = []
    found = score(rules_of(shipped_texts()), CASES, lambda now, total: told.append((now, total)))

    assert [str(survivor) for survivor in found.survivors] == []
    assert found.total == len(told) > 500
    assert str(found).startswith(f"{found.total} of {found.total} mutants are noticed (100.0%)")


def test_a_rule_that_no_row_exercises_survives_and_is_named() -> None:
    """Two lines that say the same: neither is needed while the other stands."""
    rules = rules_of(shipped_texts())
    twice = rules_of({"base": "\n" * 900 + 'opens_fields("assigned");'})["base"]
    more = {**rules, "base": (*rules["base"], *twice)}
    [line] = [n for n, edit in enumerate(edits(more)) if edit.line == 901]

    # Two mutants, the first rule of base and this one; the tables need the first.
    found = score(more, CASES, silent, every=line, everywhere=500)

    [survivor] = found.survivors
    assert str(survivor) == 'base.polar:901: without the rule opens_fields("assigned")'
    assert (found.total, found.killed) == (2, 1)


def test_every_builder_that_is_to_be_mutated_is_there() -> None:
    made = mutating_builders.mutants()

    assert len(made) > 90
    assert {mutant.module for mutant in made} == set(mutating_builders.BUILDERS)
    assert len({str(mutant) for mutant in made}) == len(made)
    for mutant in made:
        compile(mutant.source, str(mutant), "exec")


@pytest.mark.long
def test_every_mutant_of_the_builders_of_facts_is_noticed() -> None:
    """Without one of their conditions a test fails. Not forked here: threads may run."""
    ended = mutating_builders.in_a_process()

    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1].endswith("are noticed (100.0%).")
    assert ended.returncode == 0
