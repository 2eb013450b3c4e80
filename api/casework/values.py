"""What people type into a defender or a case file, checked and in normal form.

The normal form is what is sealed and searched. Every check raises a typed error
that names the kind of mistake and never the value.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from unicodedata import category, normalize

from api.casework.identifiers import Nik, parse_email, parse_kk, parse_phone
from api.casework.resealing import Value
from api.code_lists import CodeLists
from api.errors import ValueInvalid

#: Characters of a line (a name, an address) and of a text (an account, a note).
LINE_MOST = 300
TEXT_MOST = 20_000

#: Characters of a file's name, so that it fits the 255 bytes of most file systems, or nearly.
FILE_NAME_MOST = 200

#: How many phones, aliases, ... one defender has at the most.
SEVERAL_MOST = 20


def line(value: str) -> str:
    """Check one line of text."""
    value = " ".join(value.split())
    if not value or len(value) > LINE_MOST or not value.isprintable():
        raise ValueInvalid
    return value


def word(value: str) -> str:
    """Check a word to look for: no database takes a NUL, and no code holds one."""
    if len(value) > LINE_MOST or not value.isprintable():
        raise ValueInvalid
    return value


def text(value: str) -> str:
    """Check a longer text."""
    value = value.strip()
    if not value or len(value) > TEXT_MOST or "\x00" in value:
        raise ValueInvalid
    return value


def file_name(value: str) -> str:
    """Check the name of a file: one part of a path, that shows as it is.

    Marks that turn the direction of writing, so that "exe" looks like "txt", and other
    invisible ones go; so do dots and blanks at the end, which some systems pass over.
    """
    value = "".join(c for c in normalize("NFC", value) if category(c) != "Cf")
    value = " ".join(value.split()).rstrip(". ")
    if not value or len(value) > FILE_NAME_MOST or not value.isprintable():
        raise ValueInvalid
    if "/" in value or "\\" in value:
        raise ValueInvalid
    return value


def _several(parse: Callable[[str], str]) -> Callable[[Sequence[str]], list[str]]:
    def check(values: Sequence[str]) -> list[str]:
        if len(values) > SEVERAL_MOST:
            raise ValueInvalid
        return list(dict.fromkeys(parse(v) for v in values))

    return check


#: Sealed column of a defender -> what checks it.
DEFENDER: Mapping[str, Callable[[Any], Value]] = {
    "full_name": line,
    "aliases": _several(line),
    "nik": lambda value: Nik.parse(value).digits,
    "family_card": parse_kk,
    "gender": line,
    "nationality": line,
    "phones": _several(parse_phone),
    "emails": _several(parse_email),
    "home_address": line,
    "present_location": line,
}


#: Checks at most SEVERAL_MOST lines, each once.
lines = _several(line)


def defender_values(given: Mapping[str, Any], today: date) -> dict[str, Value]:
    """Check the columns that are given; None empties one. Nobody is born after *today*.

    Raises:
        NikInvalid, PhoneInvalid, ValueInvalid
    """
    checked: dict[str, Value] = {}
    for column, value in given.items():
        if value is None:
            checked[column] = None
        elif column == "date_of_birth":
            checked[column] = _born(value, today)
        else:
            checked[column] = DEFENDER[column](value)
    return checked


def _born(value: date, today: date) -> date:
    if value.year < 1900 or value > today:  # nobody older lives; a slip of the keyboard
        raise ValueInvalid
    return value


def codes_of(codes: CodeLists, name: str, given: Sequence[str]) -> list[str]:
    """Check codes of list *name* that stand in clear as they are."""
    clear, _ = parted(codes, name, given)
    return clear


def parted(codes: CodeLists, name: str, given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Check codes of list *name*, and part them: what stands in clear, what is sealed."""
    if len(given) > SEVERAL_MOST or not all(codes.has(name, code) for code in given):
        raise ValueInvalid
    parted = codes.split(name, given)
    return list(parted.clear), list(parted.sealed)
