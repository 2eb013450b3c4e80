"""What is about one person counts once in a month, and nothing else is taken away."""

from datetime import date
from uuid import UUID

import pytest

from api.casework.counted_once import Linked, counted_twice

A, B, C, D = (UUID(int=n) for n in range(1, 5))


def file(number: int, day: date, people: set[UUID], *codes: str) -> Linked:
    return Linked(UUID(int=number), day, frozenset(people), frozenset(codes))


MARCH, LATER, APRIL = date(2021, 3, 1), date(2021, 3, 9), date(2021, 4, 1)


def test_of_two_the_one_that_was_opened_first_counts() -> None:
    files = [file(1, LATER, {A}, "33"), file(2, MARCH, {B}, "31")]
    assert counted_twice(files, [(A, B)], several=False) == {("33", 3): 1}


def test_of_several_codes_each_counts_once() -> None:
    files = [
        file(1, MARCH, {A}, "raid", "threat"),
        file(2, LATER, {B}, "threat", "smear"),
        file(3, LATER, {C}, "smear"),
    ]
    pairs = [(A, B), (B, C)]
    assert counted_twice(files, pairs, several=True) == {("threat", 3): 1, ("smear", 3): 1}


def test_another_month_is_something_new() -> None:
    files = [file(1, MARCH, {A}, "33"), file(2, APRIL, {B}, "33")]
    assert counted_twice(files, [(A, B)], several=False) == {}


@pytest.mark.parametrize("pairs", [[], [(A, C)], [(C, D)]])
def test_who_is_in_no_pair_with_another_counts(pairs: list[tuple[UUID, UUID]]) -> None:
    found = [file(1, MARCH, {A}, "33"), file(2, MARCH, {B}, "33")]
    assert counted_twice(found, pairs, several=False) == {}


def test_who_is_one_through_a_third_is_one() -> None:
    files = [file(n, MARCH, {who}, "33") for n, who in enumerate((A, B, C, D), start=1)]
    pairs = [(A, B), (C, D), (B, C)]
    assert counted_twice(files, pairs, several=False) == {("33", 3): 3}


def test_persons_of_one_case_file_bring_it_together_with_those_of_each() -> None:
    files = [
        file(1, LATER, {A, B}, "33"),
        file(2, MARCH, {C}, "31"),
        file(3, LATER, {D}, "94"),
    ]
    pairs = [(A, C), (B, D)]
    assert counted_twice(files, pairs, several=False) == {("33", 3): 1, ("94", 3): 1}


def test_several_case_files_of_one_record_stay_several() -> None:
    files = [
        file(1, MARCH, {A}, "33"),
        file(2, LATER, {B}, "33"),
        file(3, LATER, {B}, "33"),
    ]
    assert counted_twice(files, [(A, B)], several=False) == {("33", 3): 1}


def test_more_is_never_taken_away_than_was_counted() -> None:
    files = [file(n, MARCH, {UUID(int=n)}, "33", "31") for n in range(1, 9)]
    pairs = [(UUID(int=n), UUID(int=n % 8 + 1)) for n in range(1, 9)]
    for several in (False, True):
        assert counted_twice(files, pairs, several) == {("33", 3): 7, ("31", 3): 7}
