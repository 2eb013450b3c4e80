"""Which column of a file means which field: the mapping that is sent along with an import.

It is data of the agency and never a program: names of columns, constants, words for our
codes, one of a few forms of dates. What is wrong with it is said by place, in our own
words and positions, and never by a value.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from api.errors import ImportMappingInvalid

#: Bytes of a mapping at the most: some fields, and words for the codes of the lists.
MAPPING_MOST = 64 * 1024

#: A row makes at most this many defenders; intake takes in as many at once.
DEFENDERS_MOST = 20

#: Fields of a case file -> whether every row must have it.
CASE_FILE = {
    "account": False,
    "adversaryInstitutions": False,
    "adversaryKinds": False,
    "incidentKinds": False,
    "openedOn": True,
    "province": True,
    "sensitivity": True,
    "sexualViolenceForms": False,
    "status": True,
    "urgency": True,
}

#: Fields of a defender; any one of them is enough.
DEFENDER = {
    "aliases",
    "categories",
    "dateOfBirth",
    "emails",
    "familyCard",
    "fullName",
    "gender",
    "homeAddress",
    "nationality",
    "nik",
    "phones",
    "presentLocation",
}

ISO_DATE = "%Y-%m-%d"

#: Form of a date as it is named in a mapping -> as Python reads it.
DATE_FORMS = {
    "YYYY-MM-DD": ISO_DATE,
    "DD/MM/YYYY": "%d/%m/%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
}

DELIMITERS = (",", ";", "\t")

#: What stands in a cell of which nothing is known.
EMPTY = ("", "-")

_TOP = {"caseFile", "defenders", "delimiter", "empty", "leaveOut", "sheet", "skipFaultyRows"}
_SOURCE = {"column", "constant", "values", "dateForm", "separator"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of a field comes from: a column, or a constant.

    Attributes:
        values: word of the file -> what it means; a word that is not here means itself.
        separator: between several values in one cell.
    """

    column: str | None
    constant: str | None = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    date_form: str
    separator: str


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A mapping that holds.

    Attributes:
        defenders: the fields of the first defender of a row, of the second, ...
        delimiter: between cells; None: as the line of names shows.
        sheet: name of the one in a spreadsheet; None: the first.
        empty: what stands in a cell of which nothing is known.
        leave_out: numbers of rows that are not imported.
        skip_faulty: import what is sound though other rows are not.
    """

    case_file: Mapping[str, Source]
    defenders: Sequence[Mapping[str, Source]]
    delimiter: str | None
    sheet: str | None
    empty: frozenset[str]
    leave_out: frozenset[int]
    skip_faulty: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns that it needs, each once."""
        sources = [s for fields in (self.case_file, *self.defenders) for s in fields.values()]
        return tuple(dict.fromkeys(s.column for s in sources if s.column is not None))


def parse_mapping(line: bytes) -> ImportMapping:
    """Read the mapping out of its line of JSON.

    Raises:
        ImportMappingInvalid: it does not hold; see `faults`.
    """
    raw: Any = None
    # An error of it holds what was sent: ours is raised when that one is gone.
    with suppress(ValueError, RecursionError):
        raw = json.loads(line.decode("utf-8"))
    if next(faults(raw), None) is not None:
        raise ImportMappingInvalid
    return ImportMapping(
        _sources(raw["caseFile"]),
        tuple(_sources(one) for one in raw["defenders"]),
        raw.get("delimiter"),
        raw.get("sheet"),
        frozenset(raw.get("empty", EMPTY)) | {""},
        frozenset(raw.get("leaveOut", ())),
        raw.get("skipFaultyRows", False),
    )


def faults(raw: Any) -> Iterator[str]:
    """Say what is wrong with a mapping, by place; nothing: it holds."""
    if type(raw) is not dict:
        yield "the mapping is no table"
        return
    if set(raw) - _TOP:
        yield "a word that no mapping has"
    if "delimiter" in raw and raw["delimiter"] not in DELIMITERS:
        yield "delimiter: a comma, a semicolon or a tab"
    if type(raw.get("sheet", "")) is not str:
        yield "sheet: the name of one"
    if not _all(raw.get("empty", []), str):
        yield "empty: a list of texts"
    if not _all(raw.get("leaveOut", []), int):
        yield "leaveOut: a list of numbers of rows"
    if type(raw.get("skipFaultyRows", False)) is not bool:
        yield "skipFaultyRows: true or false"
    file = raw.get("caseFile")
    if type(file) is not dict:
        yield "caseFile is missing"
    else:
        yield from _of_fields("caseFile", file, set(CASE_FILE))
        missing = {name for name, needed in CASE_FILE.items() if needed} - set(file)
        yield from (f"caseFile.{name} is missing" for name in sorted(missing))
    people = raw.get("defenders")
    if type(people) is not list or not 1 <= len(people) <= DEFENDERS_MOST:
        yield f"defenders: 1 to {DEFENDERS_MOST} tables"
        return
    for place, one in enumerate(people):
        if type(one) is not dict or not one:
            yield f"defenders[{place}] is no table of fields"
        else:
            yield from _of_fields(f"defenders[{place}]", one, DEFENDER)


def _of_fields(place: str, given: dict[str, Any], known: set[str]) -> Iterator[str]:
    if set(given) - known:
        yield f"{place}: a field that is not imported"
    for name in sorted(set(given) & known):
        if not _is_source(given[name]):
            yield f"{place}.{name}: the name of a column, or a table that is known"


def _is_source(raw: Any) -> bool:
    if type(raw) is str:
        return bool(raw.strip())
    if type(raw) is not dict or set(raw) - _SOURCE:
        return False
    if ("column" in raw) is ("constant" in raw):
        return False
    texts = [raw[name] for name in ("column", "constant", "separator") if name in raw]
    values = raw.get("values", {})
    return (
        all(type(text) is str and text != "" for text in texts)
        and bool(raw.get("column", "x").strip())
        and type(values) is dict
        and all(type(meant) is str for meant in values.values())
        and raw.get("dateForm", "YYYY-MM-DD") in DATE_FORMS
    )


def _all(given: Any, kind: type) -> bool:
    return type(given) is list and all(type(one) is kind for one in given)


def _sources(given: Mapping[str, Any]) -> dict[str, Source]:
    return {name: _source(one) for name, one in given.items()}


def _source(raw: str | Mapping[str, Any]) -> Source:
    said: Mapping[str, Any] = {"column": raw} if isinstance(raw, str) else raw
    column = said.get("column")
    return Source(
        None if column is None else column.strip(),
        said.get("constant"),
        said.get("values", {}),
        DATE_FORMS[said.get("dateForm", "YYYY-MM-DD")],
        said.get("separator", "|"),
    )
