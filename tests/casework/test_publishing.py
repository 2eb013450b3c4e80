"""What is published of counts gives no suppressed cell away: by sums, and by knowing the rules."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.casework.publishing import (
    ROUNDED_TO,
    SMALLEST,
    Published,
    publish,
    publish_groups,
    total,
)

CODES = ("a", "b", "c", "d")
#: Mostly small, as the counts of a mechanism of hundreds of cases a year are.
COUNT = st.integers(0, 12) | st.integers(0, 200)
MONTH = st.fixed_dictionaries(dict.fromkeys(CODES, COUNT))
YEAR = st.lists(MONTH, min_size=12, max_size=12)


def cells(found: Published) -> list[int | None]:
    columns = [*found.months, *([found.year] if found.year is not None else [])]
    return [cell for column in columns for cell in column.values()]


@given(YEAR, st.booleans())
def test_what_is_published_is_a_multiple_of_five_near_the_count_and_never_small(
    months: list[dict[str, int]], whole: bool
) -> None:
    found = publish(months, whole)

    assert all(c is None or (c >= SMALLEST and c % ROUNDED_TO == 0) for c in cells(found))
    counted = [month[code] for month in months for code in CODES]
    shown = [column[code] for column in found.months for code in CODES]
    for count, cell in zip(counted, shown, strict=True):
        assert cell is None or (count >= SMALLEST and abs(cell - count) <= 2)
    assert (found.year is not None) == whole


@given(YEAR)
def test_no_column_has_one_cell_alone_that_is_suppressed(months: list[dict[str, int]]) -> None:
    found = publish(months, whole_year=True)

    for column in (*found.months, found.year or {}):
        assert list(column.values()).count(None) != 1


@given(YEAR)
def test_a_year_less_its_months_leaves_every_small_month_anything_under_five(
    months: list[dict[str, int]],
) -> None:
    """An attacker knows the rounding, and even which cells were left out for being small."""
    found = publish(months, whole_year=True)

    assert found.year is not None
    for code in CODES:
        year = found.year[code]
        if year is None:
            continue
        bounds = []
        for month, column in zip(months, found.months, strict=True):
            cell = column[code]
            if cell is not None:
                bounds.append((cell - 2, cell + 2))
            else:
                bounds.append((0, 4) if month[code] < SMALLEST else (SMALLEST, 10_000))
        for place, month in enumerate(months):
            if month[code] < SMALLEST:
                others = bounds[:place] + bounds[place + 1 :]
                assert year - 2 - sum(high for _, high in others) <= 0
                assert year + 2 - sum(low for low, _ in others) >= SMALLEST - 1


@given(YEAR, st.integers(0, 11))
def test_a_month_says_the_same_alone_and_in_its_year(
    months: list[dict[str, int]], place: int
) -> None:
    """Two answers about one month tell no more than one of them."""
    assert (
        publish(months[place : place + 1], False).months[0] == publish(months, True).months[place]
    )


@given(YEAR)
def test_a_year_differs_from_its_count_by_six_at_the_most(months: list[dict[str, int]]) -> None:
    year = publish(months, whole_year=True).year

    assert year is not None
    for code, cell in year.items():
        assert cell is None or abs(cell - sum(month[code] for month in months)) <= 6


@given(MONTH)
def test_a_total_is_the_sum_of_what_is_published(month: dict[str, int]) -> None:
    [column] = publish([month], False).months

    shown = [cell for cell in column.values() if cell is not None]
    assert total(column) == (sum(shown) if shown else None)


#: Shapes that are small enough to think of every world: codes, months, the most of a count,
#: which ends what one published number stands for.
SHAPES = [(3, 1, 17), (2, 2, 12), (1, 2, 22), (1, 3, 17), (1, 4, 12)]


@pytest.mark.parametrize(("codes", "months", "most"), SHAPES)
@pytest.mark.parametrize("whole", [False, True])
def test_who_knows_the_rules_and_thinks_of_every_world_cannot_tell_a_small_count(
    codes: int, months: int, most: int, whole: bool
) -> None:
    """Worlds that are published alike: in each a small cell may be other small counts, too."""
    alike: dict[tuple[int | None, ...], list[tuple[int, ...]]] = defaultdict(list)
    for world in product(range(most + 1), repeat=codes * months):
        rows = [
            {CODES[code]: world[month * codes + code] for code in range(codes)}
            for month in range(months)
        ]
        found = publish(rows, whole)
        alike[tuple(cells(found))].append(world)
    for published, worlds in alike.items():
        if codes > 1 and any(cell is not None and cell > most for cell in published):
            continue  # A large cell may be suppressed with a small one: not all worlds are here.
        for place in range(codes * months):
            values = {world[place] for world in worlds}
            if min(values) < SMALLEST:
                assert len(values & set(range(SMALLEST))) == SMALLEST


@settings(max_examples=20)
@given(YEAR)
def test_counts_are_not_changed(months: list[Mapping[str, int]]) -> None:
    before = [dict(month) for month in months]

    publish(months, whole_year=True)

    assert [dict(month) for month in months] == before


def test_in_no_group_that_adds_up_to_a_known_number_is_one_cell_suppressed_alone() -> None:
    months = [{"a:met": 30, "a:late": 12, "a:open": 3, "b:met": 9, "b:late": 8, "b:open": 7}]
    groups = [["a:met", "a:late", "a:open"], ["b:met", "b:late", "b:open"]]

    published = publish_groups(months, groups, whole_year=False)

    assert published.year is None
    assert published.months == [
        {"a:met": 30, "a:late": None, "a:open": None, "b:met": 10, "b:late": 10, "b:open": 5}
    ]
    together = publish_groups(months * 12, groups, whole_year=True)
    assert together.year is not None
    assert list(together.year) == list(months[0])
    assert together.year["b:met"] == 12 * 9 // 5 * 5 + 5
    for group in groups:
        assert sum(together.year[code] is None for code in group) != 1
