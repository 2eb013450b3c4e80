"""What `make bench` says and when it fails; the benchmarks themselves are not run here."""

import pytest

from benchmarks.__main__ import RUNS, kept
from benchmarks.turns import in_turns
from benchmarks.values import Benchmark, Value


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (Value("name", 1.99, "x", limit=2.0), None),
        (Value("name", 2.0, "x", limit=2.0), None),
        (Value("name", 2.01, "x", limit=2.0), "OVER THE LIMIT of 2.0"),
        (Value("name", 1.01, "x", above=1.0), None),
        (Value("name", 1.0, "x", above=1.0), "NOT ABOVE 1.0"),
        (Value("name", 0.5, "x", above=1.0), "NOT ABOVE 1.0"),
        (Value("name", 1.4, "x", at_least=1.4), None),
        (Value("name", 1.39, "x", at_least=1.4), "BELOW 1.4"),
        (Value("name", 1000.0, "x"), None),
    ],
)
def test_a_value_says_on_which_side_of_its_bound_it_is(value: Value, fault: str | None) -> None:
    assert value.fault == fault


@pytest.mark.parametrize(
    ("only", "means"),
    [
        (None, True),
        ("sealing", True),
        ("sealing.page", True),
        ("seal", False),
        ("sealing.pag", False),
        ("sealing.page.more", False),
        ("", False),
    ],
)
def test_a_benchmark_answers_to_its_name_and_to_what_stands_before_a_dot(
    only: str | None, means: bool
) -> None:
    async def run() -> list[Value]:
        raise AssertionError

    assert Benchmark("sealing.page", run).answers_to(only) is means


async def test_steps_in_turns_are_measured_by_the_same_clock_and_take_turns_to_begin() -> None:
    now = 0.0
    taken: list[str] = []

    async def first() -> None:
        nonlocal now
        now += 3.0
        taken.append("first")

    async def second() -> None:
        nonlocal now
        now += 2.0
        taken.append("second")

    measured = await in_turns(first, second, warm_up=1, rounds=2, clock=lambda: now)

    assert measured == (1.5, 3.0, 2.0)
    assert taken == ["second", "first", "first", "second", "second", "first"]


@pytest.mark.parametrize(
    ("measured", "gives", "runs"),
    [
        ([1.9], 1.9, 1),
        ([2.1, 1.8], 1.8, 2),
        ([2.1, 2.3, 1.9], 1.9, 3),
        ([2.1, 2.3, 2.2, 1.0], 2.2, 3),
    ],
)
async def test_what_misses_its_bound_is_measured_again_and_each_time_is_said(
    measured: list[float], gives: float, runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = 0

    async def run() -> list[Value]:
        nonlocal asked
        asked += 1
        return [
            Value("a", measured[asked - 1], "x", limit=2.0),
            Value("b", float(asked), "x", limit=5.0),
        ]

    values = await kept(Benchmark("a", run))

    assert [(value.name, value.value) for value in values] == [("a", gives), ("b", 1.0)]
    assert asked == runs <= RUNS
    assert capsys.readouterr().out.splitlines() == [
        f"# a {value:.2f} x  OVER THE LIMIT of 2.0: once more" for value in measured[: runs - 1]
    ]
