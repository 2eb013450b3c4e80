"""Whatever is asked for by whomever in whatever order: nobody is shown what nobody gave them.

Members of all roles and agencies send random changes, of every kind that there is, over HTTP while
the clock moves. At the end the keys of each agency are those of its own records and of what is
shared with it, no intent is without an outcome, and the log verifies.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.scenarios.any_work import CHANGES, AllWork
from tests.scenarios.test_authorisation import SCHEMAS, operations
from tests.world import Template

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("PERISAI_TEST_ORDERS", "4"))
STEPS = 50


def test_every_change_of_every_face_is_among_the_work() -> None:
    there = {n for s in SCHEMAS.values() for kind, n, _ in operations(s) if kind == "mutation"}
    assert sorted(CHANGES) == sorted(there), "give it a rule in any_work, and then its name"


def test_whatever_is_done_in_whatever_order(
    template: Template, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    numbers = itertools.count()
    counted = [0, 0, 0]
    kinds: tuple[set[str], set[str]] = set(), set()
    ours = type(
        "AllWorkHere",
        (AllWork,),
        {
            "template": template,
            "folders": staticmethod(lambda: tmp_path / str(next(numbers))),
            "counted": counted,
            "kinds": kinds,
        },
    )
    run_state_machine_as_test(
        ours,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    asked, done, shown = counted
    tell(
        f"{asked} changes of {len(kinds[0])} kinds in random order on {template.kind}, "
        f"{done} of {len(kinds[1])} kinds done, "
        f"and {shown} compartments shown that were given"
    )
    assert kinds[0] <= CHANGES
    assert done > EXAMPLES
