"""What of a case file goes to which kind of partner, each fact generalised. Pure functions.

The profiles are data (api/code_lists/release_profiles.json), checked when they are read: a
profile names facts of `Facts` and nothing else, and there is no fact of identity, contact or
whereabouts that it could name. Codes that may not stand in clear never go out, whatever is
handed in. A view under which too few case files look the same is to be made coarser.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from api import code_lists
from api.code_lists import CodeLists
from api.code_lists.labels import Labels

#: A fact that may go out -> how it may go out, finest first; "none": not at all.
LEVELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "age": ("ten_years", "generation", "none"),
        "day": ("month", "quarter", "year", "none"),
        "province": ("province", "island_group", "none"),
        "categories": ("kind", "group", "none"),
        "incident_kinds": ("kind", "group", "none"),
        "adversary_kinds": ("kind", "group", "none"),
        "needs": ("kind", "group", "none"),
    }
)

#: Fact -> the list that its codes are of.
_LIST_OF: Final = MappingProxyType(
    {
        "province": "provinces",
        "categories": "defender_categories",
        "incident_kinds": "incident_kinds",
        "adversary_kinds": "adversary_kinds",
        "needs": "measure_kinds",
    }
)
#: What others can know of a case file, and find it by. What is asked of the partner is decided
#: here and told to nobody else, so that it tells no two case files apart to them.
LINKING: Final = tuple(fact for fact in LEVELS if fact != "needs")
_SEVERAL: Final = ("categories", "incident_kinds", "adversary_kinds", "needs")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case file and may go out once it is generalised.

    Attributes:
        age: of the person at risk, in whole years; None: not known, or several persons.
        day: on which it happened, or the case file was opened.
        needs: codes of the measures that the partner is asked for.
    """

    age: int | None = field(repr=False)
    day: date
    province: str
    categories: Sequence[str]
    incident_kinds: Sequence[str]
    adversary_kinds: Sequence[str]
    needs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a partner is told: codes of lists, of groups and of bands; None or (): not told.

    Attributes:
        day: as 2026-03, 2026-Q1 or 2026.
    """

    age: str | None
    day: str | None
    province: str | None
    categories: tuple[str, ...]
    incident_kinds: tuple[str, ...]
    adversary_kinds: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """One view of a case file.

    Attributes:
        levels: fact -> how it goes out; one that is not here does not.
        steps: (fact, level), by which the view is made coarser, the next one first.
        least: how many case files must look the same.
        summary: whether a redacted text may go with it.
    """

    name: str
    labels: Labels
    levels: Mapping[str, str]
    steps: tuple[tuple[str, str], ...]
    least: int
    summary: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Several codes of one list under one code that is in no list."""

    code: str
    labels: Labels
    of: frozenset[str]


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Ages from `since` years on, up to the next band."""

    code: str
    labels: Labels
    since: int


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles of one version, with what they generalise by.

    Attributes:
        profiles: by name.
        groups: fact -> groups that hold each code of its list once.
        age_bands: level -> bands, the youngest first.
    """

    version: int
    profiles: Mapping[str, Profile]
    groups: Mapping[str, tuple[Group, ...]]
    age_bands: Mapping[str, tuple[AgeBand, ...]]
    lists: CodeLists

    def generalise(self, profile: Profile, facts: Facts) -> Content:
        """Give what of *facts* goes out under *profile*.

        A code that is in no list is a KeyError, a fault of the caller.
        """
        several = {name: self._codes(profile, name, getattr(facts, name)) for name in _SEVERAL}
        province = self._codes(profile, "province", [facts.province])
        return Content(
            age=self._age(profile, facts.age),
            day=_period(profile.levels.get("day", "none"), facts.day),
            province=province[0] if province else None,
            **several,
        )

    def labels(self, fact: str, code: str) -> Labels:
        """Give the labels of a code in a Content; the one of a period is the period itself."""
        if fact == "day":
            return Labels(code, code)
        if fact == "age":
            bands = (band for level in self.age_bands.values() for band in level)
            return next(band.labels for band in bands if band.code == code)
        for group in self.groups[fact]:
            if group.code == code:
                return group.labels
        return self.lists.labels(_LIST_OF[fact], code)

    def _codes(self, profile: Profile, fact: str, codes: Iterable[str]) -> tuple[str, ...]:
        level = profile.levels.get(fact, "none")
        if level == "none":
            return ()
        clear = self.lists.split(_LIST_OF[fact], codes).clear
        if level in ("kind", "province"):
            return clear
        return tuple(sorted({g.code for g in self.groups[fact] if not g.of.isdisjoint(clear)}))

    def _age(self, profile: Profile, age: int | None) -> str | None:
        level = profile.levels.get("age", "none")
        if level == "none" or age is None:
            return None
        return [band.code for band in self.age_bands[level] if band.since <= age][-1]


def look_alikes(profile: Profile, content: Content, all_contents: Iterable[Content]) -> int:
    """Count the case files that look the same under *profile* (k of k-anonymity), by LINKING.

    Args:
        all_contents: of every case file under the same profile, this one with them; of one
            person's case files only one, since a person is no crowd.
    """
    told = [fact for fact in LINKING if profile.levels.get(fact, "none") != "none"]
    return sum(
        all(getattr(content, fact) == getattr(other, fact) for fact in told)
        for other in all_contents
    )


def coarser(profile: Profile) -> Profile | None:
    """Give the next coarser view of the same name; None: there is none, nothing may go."""
    if not profile.steps:
        return None
    (fact, level), *steps = profile.steps
    levels = MappingProxyType({**profile.levels, fact: level})
    return replace(profile, levels=levels, steps=tuple(steps))


@cache
def load_profiles() -> Profiles:
    """Read the profiles that ship with this version; the result cannot change."""
    text = resources.files(code_lists).joinpath("release_profiles.json").read_text("utf-8")
    return profiles_of(json.loads(text), code_lists.load())


def profiles_of(file: Mapping[str, Any], lists: CodeLists) -> Profiles:
    """Read and check what the file says.

    Raises:
        ValueError, KeyError: a profile names what is no fact that may go out, a level that the
            fact does not have, or a step that makes nothing coarser; or the groups and bands
            leave out a code or an age.
    """
    profiles = [_profile(row) for row in file["profiles"]]
    by_name = {profile.name: profile for profile in profiles}
    if len(by_name) != len(profiles):
        raise ValueError("two profiles have one name")
    groups = {fact: _groups(rows) for fact, rows in file["groups"].items()}
    for fact, name in _LIST_OF.items():
        _check_groups(groups[fact], lists, name)
    bands = {level: _bands(rows) for level, rows in file["age_bands"].items()}
    if set(bands) != set(LEVELS["age"]) - {"none"} or groups.keys() != _LIST_OF.keys():
        raise ValueError("groups or age bands are of no fact")
    return Profiles(
        version=int(file["version"]),
        profiles=MappingProxyType(by_name),
        groups=MappingProxyType(groups),
        age_bands=MappingProxyType(bands),
        lists=lists,
    )


def _profile(row: Mapping[str, Any]) -> Profile:
    levels: dict[str, str] = dict(row["facts"])
    for fact, level in levels.items():
        if fact not in LEVELS:
            raise ValueError("a profile names what is no fact that may go out")
        if level not in LEVELS[fact]:
            raise ValueError("a profile names a level that the fact does not have")
    reached = dict(levels)
    steps = tuple((str(fact), str(level)) for fact, level in row["coarser"])
    for fact, level in steps:
        if LEVELS[fact].index(level) <= LEVELS[fact].index(reached[fact]):
            raise ValueError("a step makes nothing coarser")
        reached[fact] = level
    if row["source"] not in ("V", "N", "P") or row["least"] < 2 or not levels:
        raise ValueError("a profile has no source, no fact, or lets one case file stand alone")
    return Profile(
        name=row["name"],
        labels=Labels(row["id"], row["en"]),
        levels=MappingProxyType(levels),
        steps=steps,
        least=row["least"],
        summary=row["summary"] is True,
    )


def _groups(rows: Iterable[Mapping[str, Any]]) -> tuple[Group, ...]:
    return tuple(
        Group(row["code"], Labels(row["id"], row["en"]), frozenset(row["of"])) for row in rows
    )


def _check_groups(groups: Sequence[Group], lists: CodeLists, name: str) -> None:
    grouped = [code for group in groups for code in group.of]
    if sorted(grouped) != sorted(lists.lists[name]):
        raise ValueError("groups do not hold each code of a list once")
    if not lists.lists[name].keys().isdisjoint(group.code for group in groups):
        raise ValueError("a group is called as a code of its list")


def _bands(rows: Iterable[Mapping[str, Any]]) -> tuple[AgeBand, ...]:
    bands = [AgeBand(row["code"], Labels(row["id"], row["en"]), row["from"]) for row in rows]
    since = [band.since for band in bands]
    if since != sorted(set(since)) or since[0] != 0:
        raise ValueError("age bands do not follow each other from birth on")
    return tuple(bands)


def _period(level: str, day: date) -> str | None:
    if level == "month":
        return f"{day:%Y-%m}"
    if level == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return str(day.year) if level == "year" else None
