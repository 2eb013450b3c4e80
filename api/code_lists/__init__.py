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
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

#: The lists of coded values, each in a file of its name.
LISTS = (
    "adversary_kinds",
    "defender_categories",
    "incident_kinds",
    "measure_kinds",
    "provinces",
    "requirements",
    "sexual_violence_forms",
)


@dataclass(frozen=True, slots=True)
class Labels:
    """What a person reads instead of a code: `id` Indonesian, `en` English."""

    id: str
    en: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of one list.

    Attributes:
        source: "V", "N" or "P", see the module.
        clear_as: the code that may stand in clear, in the list `clear_list`; None: nothing may.
        sealed_in: the compartment that holds the true code where it is not in clear.
    """

    code: str
    labels: Labels
    source: str
    clear_as: str | None
    clear_list: str
    sealed_in: str | None
    retired: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A length of time that a law or the mechanism sets.

    Attributes:
        legal_source: the article it comes from, or who proposed it.
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
    """All lists of one version each, and the clocks."""

    versions: Mapping[str, int]
    lists: Mapping[str, Mapping[str, Entry]]
    clocks: Mapping[str, Clock]

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


@cache
def load() -> CodeLists:
    """Read the lists that ship with this version; the result cannot change."""
    files = {name: _read(name) for name in (*LISTS, "clocks")}
    return CodeLists(
        versions=MappingProxyType({name: file["version"] for name, file in files.items()}),
        lists=MappingProxyType({name: _entries(name, files[name]) for name in LISTS}),
        clocks=MappingProxyType(_clocks(files["clocks"])),
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
