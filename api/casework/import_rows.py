"""One row of a file becomes a case file to be, with its defenders, or a list of faults.

Everything is checked as in an intake, by the same functions. A fault has a code and the
name of the column as the mapping gives it, and never the value.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from api.casework import values
from api.casework.import_mapping import CASE_FILE, ISO_DATE, ImportMapping, Source
from api.casework.import_table import Line
from api.casework.institutions import normalise
from api.casework.resealing import Value
from api.code_lists import CodeLists
from api.errors import PerisaiError, ValueInvalid
from api.vocabulary import CaseStatus, Sensitivity, Urgency

#: Codes of faults that are no errors of a request.
FORMULA = "CELL_FORMULA"
MISSING = "VALUE_MISSING"
UNEVEN = "ROW_MALFORMED"

#: What a spreadsheet takes for a formula: it would run in whatever shows the value later.
#: A number with a sign is none, nor is a name with an @ before it or a line that a dash begins.
_FORMULA = re.compile(r"\s*(=|[+@-](?!\s+[A-Za-z]).*[(|!])", re.DOTALL)
_TELEPHONE = re.compile(r"\s*\+?[\d\s().-]*")

#: No record is older: who was helped before is in no table.
_OLDEST = date(1950, 1, 1)

#: Field of a defender -> its sealed column.
_COLUMNS = {
    "aliases": "aliases",
    "dateOfBirth": "date_of_birth",
    "emails": "emails",
    "familyCard": "family_card",
    "fullName": "full_name",
    "gender": "gender",
    "homeAddress": "home_address",
    "nationality": "nationality",
    "nik": "nik",
    "phones": "phones",
    "presentLocation": "present_location",
}
_SEVERAL = {
    "adversaryInstitutions",
    "adversaryKinds",
    "aliases",
    "categories",
    "emails",
    "incidentKinds",
    "phones",
    "sexualViolenceForms",
}
_DATES = {"dateOfBirth", "openedOn"}
_LEVELS = {str(level.value): level.value for level in Sensitivity}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row; *column* None: with all of it."""

    code: str
    column: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """A defender to be: categories in clear, and column -> value to be sealed."""

    categories: Sequence[str]
    values: Mapping[str, Value] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was read; with faults it has nothing else.

    Attributes:
        clear, sealed: of the case file, column -> value; all but its reference.
        institutions: who is reported, for the tags of ties.
    """

    number: int
    faults: tuple[Fault, ...] = ()
    clear: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sealed: Mapping[str, Value] = field(default_factory=dict, repr=False)
    institutions: Sequence[str] = field(default=(), repr=False)
    people: Sequence[Person] = field(default=(), repr=False)


class RowReader:
    """Reads the rows of one file."""

    def __init__(
        self, codes: CodeLists, mapping: ImportMapping, positions: Mapping[str, int], today: date
    ) -> None:
        """*positions* has the place of every column that *mapping* names."""
        self._codes = codes
        self._mapping = mapping
        self._positions = positions
        self._today = today

    def read(self, line: Line) -> Row:
        """Read one row."""
        if line.cells is None:
            return Row(line.number, (Fault(UNEVEN, None),))
        faults: list[Fault] = []
        file = self._fields(line.cells, self._mapping.case_file, self._of_case_file, faults)
        people = [
            self._fields(line.cells, fields, self._of_defender, faults)
            for fields in self._mapping.defenders
        ]
        faulty = {fault.column for fault in faults}
        needed = [name for name, always in CASE_FILE.items() if always and name not in file]
        columns = [self._mapping.case_file[name].column for name in needed]
        faults += [Fault(MISSING, column) for column in columns if column not in faulty]
        known = [one for one in people if any(name in _COLUMNS for name in one)]
        if not known:  # An alias or a phone is enough; nothing at all is nobody.
            faults.append(Fault(MISSING, None))
        if any(one and one not in known for one in people):
            faults.append(Fault(MISSING, None))  # Categories of nobody.
        if faults:
            return Row(line.number, tuple(dict.fromkeys(faults)))
        return self._row(line.number, file, known)

    def _fields(
        self,
        cells: Sequence[str],
        fields: Mapping[str, Source],
        check: Callable[[str, Any], Any],
        faults: list[Fault],
    ) -> dict[str, Any]:
        """Give the values of *fields* that are there and sound; add to *faults*."""
        found = {}
        for name, source in fields.items():
            text = self._text(cells, source)
            if text in self._mapping.empty:
                continue
            if source.column is not None and _is_formula(text, source.separator):
                faults.append(Fault(FORMULA, source.column))
                continue
            try:
                found[name] = check(name, self._meant(name, text, source))
            except PerisaiError as error:
                faults.append(Fault(error.code, source.column))
        return found

    def _text(self, cells: Sequence[str], source: Source) -> str:
        if source.column is None:
            return source.constant or ""
        return cells[self._positions[source.column]].strip()

    def _meant(self, name: str, text: str, source: Source) -> Any:
        """Take several values apart, put our words for the file's, and read dates."""
        if name in _SEVERAL:
            parts = [part.strip() for part in text.split(source.separator)]
            return [source.values.get(part, part) for part in parts if part]
        word = source.values.get(text, text)
        if name not in _DATES:
            return word
        # A spreadsheet's own dates come in the first form; no other reads it otherwise.
        for form in (ISO_DATE, source.date_form):
            with suppress(ValueError):
                return datetime.strptime(word, form).replace(tzinfo=UTC).date()
        raise ValueInvalid

    def _of_case_file(self, name: str, value: Any) -> Any:
        codes = self._codes
        match name:
            case "account":
                return values.text(value)
            case "adversaryInstitutions":
                found = values.lines(value)
                for one in found:
                    normalise(one)  # It must have a tag, for ties.
                return found
            case "adversaryKinds":
                return values.codes_of(codes, "adversary_kinds", value)
            case "incidentKinds":
                return values.parted(codes, "incident_kinds", value)
            case "sexualViolenceForms":
                return values.parted(codes, "sexual_violence_forms", value)
            case "openedOn":
                return _checked(value, _OLDEST <= value <= self._today)
            case "province":
                return _checked(value, codes.has("provinces", value))
            case "sensitivity":
                return int(_member(Sensitivity, _LEVELS.get(value)))
            case "status":
                return _member(CaseStatus, value.lower()).value
            case _:
                return _member(Urgency, value.lower())

    def _of_defender(self, name: str, value: Any) -> Any:
        if name == "categories":
            return values.parted(self._codes, "defender_categories", value)
        column = _COLUMNS[name]
        return values.defender_values({column: value}, self._today)[column]

    def _row(
        self, number: int, file: Mapping[str, Any], people: Sequence[Mapping[str, Any]]
    ) -> Row:
        violence, forms = file.get("sexualViolenceForms", ([], []))
        kinds, hidden = file.get("incidentKinds", ([], []))
        institutions = file.get("adversaryInstitutions", [])
        urgency, opened = file["urgency"], file["openedOn"]
        first_response = self._codes.clocks[f"first_response_{urgency.value}"].length
        clear = {
            "status": file["status"],
            "urgency": urgency,
            "sensitivity": file["sensitivity"],
            "province": file["province"],
            "opened_on": opened,
            "respond_by": datetime.combine(opened, time(), UTC) + first_response,
            "incident_kinds": sorted({*kinds, *violence}),
            "adversary_kinds": file.get("adversaryKinds", []),
            "measure_kinds": [],
        }
        sealed = {
            "account": file.get("account"),
            # A kind that may not stand in clear is kept here, beside its forms.
            "sexual_violence_forms": sorted({*forms, *hidden}),
            "adversary_institutions": institutions,
        }
        return Row(number, (), clear, sealed, institutions, [_person(one) for one in people])


def _person(known: Mapping[str, Any]) -> Person:
    clear, hidden = known.get("categories", ([], []))
    sealed = {_COLUMNS[name]: value for name, value in known.items() if name in _COLUMNS}
    return Person(clear, {**sealed, "sealed_categories": hidden})


def _is_formula(text: str, separator: str) -> bool:
    """Tell whether a cell, or one of the values in it, would run as a formula."""
    parts = text.split(separator)
    if all(map(_TELEPHONE.fullmatch, parts)):
        return False
    return any(map(_FORMULA.match, (text, *parts)))


def _checked(value: Any, holds: bool) -> Any:
    if not holds:
        raise ValueInvalid
    return value


def _member(words: Callable[[Any], Any], value: Any) -> Any:
    with suppress(ValueError):
        return words(value)
    raise ValueInvalid  # Here, so that it does not hold the other error, which shows the value.
