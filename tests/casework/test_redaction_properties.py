"""Of 500 invented case files nothing sealed is left in what a partner would read."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from random import Random

import pytest

from api.casework.redaction import Sought, redact
from api.casework.redaction_kinds import LABELS, Value, values_of
from api.casework.release_profiles import Facts, Profile, coarser, load_profiles
from api.demo.synthetic import Synthetic, SyntheticCaseFile, SyntheticDefender, synthetic
from tests.casework.writing_variants import traces, variants

TODAY = date(2026, 3, 2)
PROFILES = load_profiles()
LABEL = re.compile("|".join(re.escape(t) for x in LABELS.values() for t in (x.id, x.en)))

COLUMNS = (
    "full_name aliases nik family_card date_of_birth phones emails home_address present_location"
)


@cache
def records(size: int) -> Synthetic:
    return synthetic(7, TODAY, size)


def case_files(size: int) -> Iterator[tuple[SyntheticCaseFile, list[SyntheticDefender]]]:
    known = {person.id: person for person in records(size).defenders}
    for case_file in records(size).case_files:
        yield case_file, [known[defender] for defender in case_file.defenders]


def sealed_of(people: Sequence[SyntheticDefender]) -> list[Value]:
    return [v for p in people for v in values_of({c: getattr(p, c) for c in COLUMNS.split()})]


def facts_of(case_file: SyntheticCaseFile, people: Sequence[SyntheticDefender]) -> Facts:
    born = people[0].date_of_birth if len(people) == 1 else None
    return Facts(
        age=None if born is None else (TODAY - born).days // 365,
        day=case_file.opened_on,
        province=case_file.province,
        categories=sorted({c for p in people for c in (*p.categories, *p.sealed_categories)}),
        incident_kinds=case_file.incident_kinds,
        adversary_kinds=case_file.adversary_kinds,
        needs=case_file.measure_kinds,
    )


def narrative(random: Random, account: str, people: Sequence[SyntheticDefender]) -> str:
    words = account.split(" ")
    for variant in variants(random, people):
        words.insert(
            random.randint(0, len(words)), random.choice(("{}", "({})", "{},")).format(variant)
        )
    return " ".join(words)


def check_narratives(size: int, rounds: int) -> None:
    random = Random(size)
    for case_file, people in case_files(size):
        sought = Sought(sealed_of(people))
        for _ in range(rounds):
            text = narrative(random, case_file.account, people)
            result = redact(text, sought.find(text), random.choice(("id", "en")))
            assert sought.find(result) == []
            assert traces(LABEL.sub("\x00", result), people) == [], result
            assert len(LABEL.findall(result)) > 1


def check_contents(size: int) -> None:
    for case_file, people in case_files(size):
        facts = facts_of(case_file, people)
        for profile in PROFILES.profiles.values():
            view: Profile | None = profile
            while view is not None:
                content = PROFILES.generalise(view, facts)
                told = [content.age, content.day, content.province, *content.categories]
                told += [*content.incident_kinds, *content.adversary_kinds, *content.needs]
                codes = "\x00".join(code for code in told if code is not None)
                assert traces(codes, people) == []
                assert str(case_file.opened_on) not in codes
                assert not {c for p in people for c in p.sealed_categories} & set(told)
                view = coarser(view)


def test_nothing_sealed_is_left_in_a_narrative() -> None:
    check_narratives(25, rounds=1)


def test_nothing_sealed_is_in_what_a_profile_tells() -> None:
    check_contents(10)


@pytest.mark.long
def test_nothing_sealed_is_left_in_500_narratives() -> None:
    check_narratives(500, rounds=3)


@pytest.mark.long
def test_nothing_sealed_is_in_what_profiles_tell_of_500_case_files() -> None:
    check_contents(500)


def test_the_search_for_traces_finds_what_was_not_redacted() -> None:
    random = Random(3)
    for case_file, people in case_files(10):
        assert traces(narrative(random, case_file.account, people), people) != []
