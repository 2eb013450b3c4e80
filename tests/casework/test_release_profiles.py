"""A profile lets out facts only, generalised; no word in it can reach who or where somebody is."""

import copy
import json
from dataclasses import fields
from datetime import date
from importlib import resources
from typing import Any

import pytest

from api import code_lists
from api.casework.release_profiles import (
    LEVELS,
    LINKING,
    Content,
    Facts,
    Profile,
    coarser,
    load_profiles,
    look_alikes,
    profiles_of,
)
from api.casework.releases import ReleaseContent
from api.store.sealed_fields import ADVERSARY_FIELDS, CASE_FILE_FIELDS, DEFENDER_FIELDS

PROFILES = load_profiles()
NAMES = ("legal_aid", "medical", "relocation", "statistics", "appeal")
FACTS = Facts(
    age=41,
    day=date(2026, 5, 17),
    province="35",
    categories=("journalist", "lgbtiq", "environment"),
    incident_kinds=("sexual_violence", "raid"),
    adversary_kinds=("police", "company"),
    needs=("safe_house", "legal_aid"),
)

#: Fields of DOMAIN that no column holds yet, and other words for what columns hold.
MORE_FIELDS = (
    "name photo messaging_handles handles workplace family_contacts trusted_contacts safe_house "
    "travel_plan location address home_address email phone kk born birth date_of_birth gender sex "
    "nationality sealed_categories reference id village district regency account summary"
)


def file() -> dict[str, Any]:
    text = resources.files(code_lists).joinpath("release_profiles.json").read_text("utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def read(content: dict[str, Any]) -> object:
    return profiles_of(content, code_lists.load())


def test_the_profiles_are_those_of_the_partners() -> None:
    assert tuple(PROFILES.profiles) == NAMES
    assert PROFILES.version >= 1
    assert all(profile.labels.id and profile.labels.en for profile in PROFILES.profiles.values())


@pytest.mark.parametrize(
    "field",
    sorted(
        {
            *MORE_FIELDS.split(),
            *(f.column for f in DEFENDER_FIELDS.values()),
            *DEFENDER_FIELDS,
            *(f.column for f in (*CASE_FILE_FIELDS.values(), *ADVERSARY_FIELDS.values())),
            *CASE_FILE_FIELDS,
            *ADVERSARY_FIELDS,
        }
    ),
)
def test_no_profile_can_name_a_sealed_field(field: str) -> None:
    named = file()
    named["profiles"][0]["facts"][field] = "kind"
    widened = file()
    widened["profiles"][0]["coarser"].append([field, "none"])

    for changed in (named, widened):
        with pytest.raises((ValueError, KeyError)) as refused:
            read(changed)
        assert field not in LEVELS
        assert not isinstance(refused.value, KeyError) or changed is widened
    assert field not in {f.name for f in fields(Facts)} | {f.name for f in fields(Content)}


def test_what_may_go_out_is_what_facts_hold_and_content_tells() -> None:
    assert {f.name for f in fields(Facts)} == {f.name for f in fields(Content)} == set(LEVELS)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f["profiles"][0]["facts"].update(day="day"),
        lambda f: f["profiles"][0]["facts"].update(age="years"),
        lambda f: f["profiles"][0].update(facts={}),
        lambda f: f["profiles"][0].update(least=1),
        lambda f: f["profiles"][0].update(source="X"),
        lambda f: f["profiles"][0]["coarser"].insert(0, ["day", "month"]),
        lambda f: f["profiles"][0]["coarser"].append(["day", "quarter"]),
        lambda f: f["profiles"].append(copy.deepcopy(f["profiles"][0])),
        lambda f: f["groups"]["needs"][0]["of"].pop(),
        lambda f: f["groups"]["needs"][0]["of"].append("legal_aid"),
        lambda f: f["groups"]["incident_kinds"][0].update(code="violence"),
        lambda f: f["groups"].update(age=[]),
        lambda f: f["groups"].pop("province"),
        lambda f: f["age_bands"].pop("generation"),
        lambda f: f["age_bands"]["ten_years"].pop(0),
        lambda f: f["age_bands"]["ten_years"].reverse(),
    ],
)
def test_a_file_that_does_not_hold_is_refused(spoil: Any) -> None:
    spoiled = file()
    spoil(spoiled)

    with pytest.raises((ValueError, KeyError)):
        read(spoiled)


def test_each_fact_goes_out_as_its_profile_says() -> None:
    assert PROFILES.generalise(PROFILES.profiles["legal_aid"], FACTS) == Content(
        age="40-49",
        day="2026-05",
        province="35",
        categories=("environment", "journalist"),
        incident_kinds=("raid", "violence"),
        adversary_kinds=("company", "police"),
        needs=("legal_aid", "physical_protection"),
    )
    assert PROFILES.generalise(PROFILES.profiles["relocation"], FACTS) == Content(
        age="adult",
        day="2026-05",
        province="java",
        categories=(),
        incident_kinds=(),
        adversary_kinds=("company", "police"),
        needs=("legal_aid", "physical_protection"),
    )
    assert PROFILES.generalise(PROFILES.profiles["statistics"], FACTS) == Content(
        age="adult",
        day="2026-Q2",
        province="35",
        categories=("environment", "journalist"),
        incident_kinds=("raid", "violence"),
        adversary_kinds=("business", "state"),
        needs=(),
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_may_not_stand_in_clear_goes_out_under_no_profile(name: str) -> None:
    profile: Profile | None = PROFILES.profiles[name]
    while profile is not None:
        told = repr(PROFILES.generalise(profile, FACTS))
        for sealed in ("lgbtiq", "sexual", "safe_house", "equality", "17"):
            assert sealed not in told
        profile = coarser(profile)


@pytest.mark.parametrize(
    ("age", "ten_years", "generation"),
    [
        (0, "0-17", "child"),
        (17, "0-17", "child"),
        (18, "18-29", "adult"),
        (59, "50-59", "adult"),
        (60, "60+", "older"),
        (104, "60+", "older"),
        (None, None, None),
    ],
)
def test_an_age_goes_out_as_a_band(
    age: int | None, ten_years: str | None, generation: str | None
) -> None:
    known = Facts(age, FACTS.day, "35", (), (), (), ())

    assert PROFILES.generalise(PROFILES.profiles["legal_aid"], known).age == ten_years
    assert PROFILES.generalise(PROFILES.profiles["statistics"], known).age == generation


@pytest.mark.parametrize(("month", "quarter"), [(1, 1), (3, 1), (4, 2), (9, 3), (10, 4), (12, 4)])
def test_a_day_goes_out_as_its_quarter(month: int, quarter: int) -> None:
    facts = Facts(None, date(2025, month, 1), "35", (), (), (), ())

    told = PROFILES.generalise(PROFILES.profiles["statistics"], facts).day

    assert told == f"2025-Q{quarter}"


@pytest.mark.parametrize("name", NAMES)
def test_each_step_is_coarser_until_nothing_is_left_to_widen(name: str) -> None:
    profile = PROFILES.profiles[name]
    seen = [profile]
    while (following := coarser(seen[-1])) is not None:
        before = seen[-1]
        changed = {f for f in following.levels if following.levels[f] != before.levels[f]}
        assert len(changed) == 1
        [fact] = changed
        order = LEVELS[fact]
        assert order.index(following.levels[fact]) > order.index(before.levels[fact])
        assert (following.name, following.summary) == (profile.name, profile.summary)
        seen.append(following)
    assert len(seen) == len(profile.steps) + 1
    assert {seen[-1].levels[fact] for fact in LINKING if fact in profile.levels} <= {"none", "year"}


@pytest.mark.parametrize("name", NAMES)
def test_a_coarser_view_never_tells_two_apart_that_looked_the_same(name: str) -> None:
    other = Facts(44, date(2026, 5, 2), "35", FACTS.categories, FACTS.incident_kinds,
                  FACTS.adversary_kinds, FACTS.needs)  # fmt: skip
    far = Facts(71, date(2024, 1, 2), "94", ("labour",), ("smear",), ("mob",), ("mediation",))
    profile: Profile | None = PROFILES.profiles[name]
    counts = []
    while profile is not None:
        contents = [PROFILES.generalise(profile, facts) for facts in (FACTS, other, far)]
        counts.append(look_alikes(profile, contents[0], contents))
        profile = coarser(profile)

    assert counts[0] == 2
    assert counts == sorted(counts)


def test_look_alikes_count_what_is_told_and_nothing_else() -> None:
    profile = PROFILES.profiles["medical"]
    one = PROFILES.generalise(profile, FACTS)
    fuller = PROFILES.generalise(PROFILES.profiles["legal_aid"], FACTS)
    elsewhere = Content(one.age, one.day, "31", (), one.incident_kinds, (), one.needs)
    in_need = Content(one.age, one.day, "35", (), one.incident_kinds, (), ("escort",))

    assert look_alikes(profile, one, [one, fuller, elsewhere]) == 2
    assert look_alikes(profile, one, [one, in_need]) == 2
    assert look_alikes(profile, one, []) == 0


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_is_told_has_labels(name: str) -> None:
    profile: Profile | None = PROFILES.profiles[name]
    while profile is not None:
        content = PROFILES.generalise(profile, FACTS)
        for fact in LEVELS:
            told = getattr(content, fact)
            for code in (told,) if isinstance(told, str) else told or ():
                labels = PROFILES.labels(fact, code)
                assert labels.id
                assert labels.en
        profile = coarser(profile)


def test_content_can_become_what_releases_hold_today() -> None:
    content = PROFILES.generalise(PROFILES.profiles["legal_aid"], FACTS)
    release = ReleaseContent(
        province=content.province or "",
        month=content.day or "",
        categories=content.categories,
        incident_kinds=content.incident_kinds,
        adversary_kinds=content.adversary_kinds,
        needs=content.needs,
        summary="Seorang pembela HAM.",
    )

    assert ReleaseContent.load(release.dump()).month == "2026-05"
