"""Which agency is there for what: data of the mechanism, which proposes and never decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from api.code_lists.labels import Labels


@dataclass(frozen=True, slots=True)
class Mandate:
    """One thing that an agency is there for; one of these in a complaint is enough.

    Attributes:
        why: whole sentences for the person who takes the complaint in.
        of_list: code list -> codes of it.
        yes: questions of triage that were answered with yes.
    """

    agency: str
    why: Labels
    source: str
    of_list: Mapping[str, frozenset[str]]
    yes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bar:
    """What keeps an agency from taking a complaint on, and where that goes instead.

    Attributes:
        yes: the question that was answered with yes.
        instead: agency -> why it is proposed in its place.
        measures: codes of measures that are proposed in its place.
    """

    agency: str
    yes: str
    why: Labels
    source: str
    instead: Mapping[str, Labels]
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mandates:
    """All of them, in the order in which agencies are proposed.

    Attributes:
        otherwise: what is proposed where nothing else is.
    """

    entries: tuple[Mandate, ...]
    bars: tuple[Bar, ...]
    otherwise: Mandate


def mandates_of(file: dict[str, Any]) -> Mandates:
    """Read what the file says."""
    return Mandates(
        tuple(_mandate(row) for row in file["entries"]),
        tuple(_bar(row) for row in file["bars"]),
        _mandate(file["otherwise"]),
    )


def _mandate(row: dict[str, Any]) -> Mandate:
    of_list = {name: frozenset(codes) for name, codes in row.get("of_list", {}).items()}
    return Mandate(
        row["agency"],
        _labels(row),
        row["source"],
        MappingProxyType(of_list),
        frozenset(row.get("yes", ())),
    )


def _bar(row: dict[str, Any]) -> Bar:
    instead = {agency: _labels(why) for agency, why in row["instead"].items()}
    return Bar(
        row["agency"],
        row["yes"],
        _labels(row),
        row["source"],
        MappingProxyType(instead),
        tuple(row["measures"]),
    )


def _labels(row: dict[str, str]) -> Labels:
    return Labels(row["id"], row["en"])
