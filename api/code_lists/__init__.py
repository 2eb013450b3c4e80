"""The code lists: versioned data with Indonesian and English labels. Nothing here decides.

The JSON files beside this module are the only place where a code is defined.
Each entry says where it comes from (source V: read in a law or an official text,
N: press, P: our own proposal) and what of it may stand in clear: `clear_as` is the
code itself, a wider code, or None; where it is not the code itself, `sealed_in`
names the compartment that holds the true one. An entry marked retired stays,
because old records name it, but is offered no more.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from api.code_lists.labels import Labels
from api.code_lists.mandates import Mandates, mandates_of
from api.code_lists.questions import Triage, triage_of

#: The lists of coded values, each in a file of its name.
LISTS = (
    "adversary_kinds",
    "closing_reasons",
    "defender_categories",
    "incident_kinds",
    "measure_kinds",
    "provinces",
    "requirements",
    "risk_impacts",
    "risk_likelihoods",
    "sexual_violence_forms",
)

#: Files beside them, each of a form of its own.
_OF_THEIR_OWN = ("clocks", "mandates", "triage")


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of one list.

    Attributes:
        source: "V", "N" or "P", see the module.
        clear_as: the code that may stand in clear, in the list `clear_list`; None: nothing may.
        sealed_in: the compartment that holds the true code where it is not in clear.
        details_in: of a measure that stands so in clear, the compartment that holds the rest.
        always: of a requirement, that an emergency defers it whether it is named or not.
    """

    code: str
    labels: Labels
    source: str
    clear_as: str | None
    clear_list: str
    sealed_in: str | None
    retired: bool
    details_in: str
    always: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A length of time that a law or the mechanism sets.

    Attributes:
        legal_source: the article it comes from, or who proposed it.
        length: zero where whoever writes the record sets the date.
    """

    code: str
    labels: Labels
    source: str
    legal_source: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class Split:
    """Codes of one record, parted: what may stand in clear, what is sealed."""

    clear: tuple[str, ...]
    sealed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeLists:
    """All lists of one version each, the clocks, and what intake asks and proposes."""

    versions: Mapping[str, int]
    lists: Mapping[str, Mapping[str, Entry]]
    clocks: Mapping[str, Clock]
    mandates: Mandates
    triage: Triage

    def has(self, name: str, code: str) -> bool:
        """Tell whether *code* may be written into a record; a retired one may not."""
        entry = self.lists[name].get(code)
        return entry is not None and not entry.retired

    def entry(self, name: str, code: str) -> Entry:
        """Return the entry, retired or not; a KeyError is a fault of the caller."""
        return self.lists[name][code]

    def labels(self, name: str, code: str) -> Labels:
        """Return the labels, of retired codes too."""
        return self.lists[name][code].labels

    def codes(self, name: str) -> tuple[str, ...]:
        """Return the codes in use, in the order of the file."""
        return tuple(code for code, entry in self.lists[name].items() if not entry.retired)

    def split(self, name: str, codes: Iterable[str]) -> Split:
        """Part *codes* into what may stand in clear and what is sealed, each sorted.

        A code with a wider clear form appears in both: the wider form in clear,
        the true one sealed.
        """
        entries = [self.lists[name][code] for code in codes]
        clear = {entry.clear_as for entry in entries if entry.clear_as is not None}
        sealed = {entry.code for entry in entries if entry.clear_as != entry.code}
        return Split(tuple(sorted(clear)), tuple(sorted(sealed)))

    def with_hours(self, hours: Mapping[str, float]) -> "CodeLists":
        """Give the lists with other lengths of clocks: code -> hours.

        Raises:
            KeyError: there is no such clock.
            ValueError: it would be no time, or longer than the law lets it be; or it has no
                length, since whoever writes the record sets the date.
        """
        clocks = dict(self.clocks)
        for code, given in hours.items():
            clock, length = clocks[code], timedelta(hours=given)
            longest = clock.length if clock.source == "V" else length
            if not clock.length or not timedelta(0) < length <= longest:
                raise ValueError
            clocks[code] = replace(clock, length=length)
        return replace(self, clocks=MappingProxyType(clocks))


@cache
def load() -> CodeLists:
    """Read the lists that ship with this version; the result cannot change."""
    files = {name: _read(name) for name in (*LISTS, *_OF_THEIR_OWN)}
    return CodeLists(
        versions=MappingProxyType({name: file["version"] for name, file in files.items()}),
        lists=MappingProxyType({name: _entries(name, files[name]) for name in LISTS}),
        clocks=MappingProxyType(_clocks(files["clocks"])),
        mandates=mandates_of(files["mandates"]),
        triage=triage_of(files["triage"]),
    )


def _read(name: str) -> dict[str, Any]:
    text = resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _entries(name: str, file: dict[str, Any]) -> Mapping[str, Entry]:
    entries = [
        Entry(
            code=row["code"],
            labels=Labels(row["id"], row["en"]),
            source=row["source"],
            clear_as=row.get("clear_as", row["code"]),
            clear_list=file.get("clear_list", name),
            sealed_in=row.get("sealed_in"),
            retired=row.get("retired", False),
            details_in=row.get("details_in", "narrative"),
            always=row.get("always", False),
        )
        for row in file["entries"]
    ]
    return MappingProxyType({entry.code: entry for entry in entries})


def _clocks(file: dict[str, Any]) -> dict[str, Clock]:
    return {
        row["code"]: Clock(
            code=row["code"],
            labels=Labels(row["id"], row["en"]),
            source=row["source"],
            legal_source=row["legal_source"],
            length=timedelta(hours=row["hours"]),
        )
        for row in file["entries"]
    }
