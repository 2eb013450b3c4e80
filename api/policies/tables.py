"""Tables that a lawyer can read and that a policy must agree with, row by row.

A table is a CSV file with one question and its expected answer a row:

    who       "case officer of Komnas HAM; clearance 3; trained". Who is given a clearance
              is taken for a caseworker, whatever the role; without one only a "partner"
              and a "security officer of LPSK" can be named.
    record    "case file of LPSK; sensitivity 3", "release" or "event"
    ground    how the record stands to the caller, joined with "; ", or "none": "assigned",
              "colleague assigned", "referral with identity, contact", "delegation with
              identity, contact", "glass broken for identity, contact" (or "nothing"),
              "second person" (a colleague looks together with the caller), "closed", "tied";
              of a release "made for the caller", "live", "for the purpose", "tied"; of an
              event "own actor", "own record", "emergency access to review"
    purpose   as declared with the request; empty for a security officer
    act       "see", "open", or what is to be done, as "add note"
    compartment  what is to be opened
    expected  "allowed: assigned" or "refused: not assigned"
    even if   a slip in the policy under which the answer must be the same, or nothing
    why       the reason, for a person, with the law or rule it stands on
"""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from api.errors import PolicyFailed, PolicyRefused
from api.policies.facts import (
    FIELD_TYPES,
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    Row,
    SecurityOfficerFacts,
    Who,
)
from api.policies.gate import Allowed, Refused, Verdict
from api.vocabulary import Action, Compartment, Ground, Reason, Role

#: The head of every table.
COLUMNS: Final = (
    "who", "record", "ground", "purpose", "act", "compartment", "expected", "even if", "why",
)  # fmt: skip

#: Words for a fact -> the field that is then true.
_CASE_FILE_GROUNDS: Final = {
    "assigned": "assigned",
    "closed": "closed",
    "colleague assigned": "supervising",
    "second person": "second_person",
    "tied": "tied",
}
_RELEASE_GROUNDS: Final = {
    "made for the caller": "addressed",
    "live": "live",
    "for the purpose": "for_purpose",
    "tied": "tied",
}
_EVENT_GROUNDS: Final = {
    "own actor": "own_actor",
    "own record": "own_record",
    "emergency access to review": "break_glass",
}

#: Words for a right that names compartments -> its field, and the fields of what it names.
_NAMING_GROUNDS: Final = {
    "referral with": ("referred", "shares"),
    "delegation with": ("delegated", "delegates"),
    "glass broken for": ("break_glass", "unlocks"),
}

_WHO: Final = re.compile(r"(?P<role>[a-z ]+?)(?: of (?P<agency>[A-Za-z -]+))?(?:; (?P<more>.+))?")
_CLEARED: Final = re.compile(r"clearance ([1-4])(; trained)?")
_CASE_FILE: Final = re.compile(r"case file of ([A-Za-z -]+); sensitivity ([1-4])")
_NAMING: Final = re.compile(rf"({'|'.join(_NAMING_GROUNDS)}) (.+)")

_E = TypeVar("_E", Action, Compartment, Ground, Reason, Role)


class Case(NamedTuple):
    """One row of a table.

    Attributes:
        place: "komnas-ham.csv:12", to be found again.
        asked: a compartment to open, an action to do, or None: to see the record.
        even_if: slips, as `editing.slipped` takes them; "" for the policy as it is.
    """

    place: str
    who: Who
    row: Row
    asked: Compartment | Action | None
    expected: Verdict
    even_if: str
    why: str


class _Unreadable(Exception):
    """A cell that says nothing that is known. Never leaves this module."""


def read_tables(folder: Path) -> list[Case]:
    """Read every table (*.csv) in *folder*, in order of their names.

    Raises:
        PolicyRefused: there is none, or a row says nothing that is known; names each.
    """
    tables = sorted(folder.glob("*.csv"))
    if not tables:
        raise PolicyRefused(f"There is no table (*.csv) in {folder}.")
    cases: list[Case] = []
    wrong: list[str] = []
    for table in tables:
        for place, cells in _rows(table):
            try:
                cases.append(_case(place, cells))
            except (_Unreadable, PolicyFailed) as error:
                # Facts refuse, without a word, what is not in the vocabulary.
                wrong.append(f"{place}: {str(error) if type(error) is _Unreadable else 'no facts'}")
    if wrong:
        raise PolicyRefused("\n".join(wrong))
    return cases


def question(
    who: str, record: str, ground: str, purpose: str, act: str, compartment: str
) -> tuple[Who, Row, Compartment | Action | None]:
    """Read one question in the words of a table.

    Raises:
        PolicyRefused: a word says nothing that is known.
    """
    try:
        return _who(who, purpose), _row(record, ground), _asked(act, compartment)
    except (_Unreadable, PolicyFailed) as error:
        said = str(error) if type(error) is _Unreadable else "these are no facts"
        raise PolicyRefused(f"This is not written as in a table: {said}.") from None


def _rows(table: Path) -> Iterator[tuple[str, list[str]]]:
    with table.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            if tuple(next(reader, ())) != COLUMNS:
                raise PolicyRefused(f"{table.name}:1: the columns are {', '.join(COLUMNS)}.")
            for cells in reader:
                yield f"{table.name}:{reader.line_num}", cells
        except csv.Error as error:
            raise PolicyRefused(f"{table.name}:{reader.line_num}: {error}.") from None


def _case(place: str, cells: list[str]) -> Case:
    if len(cells) != len(COLUMNS):
        raise _Unreadable(f"a row has {len(COLUMNS)} cells")
    who, record, ground, purpose, act, compartment, expected, even_if, why = cells
    if not why:
        raise _Unreadable("a row says why")
    return Case(
        place,
        _who(who, purpose),
        _row(record, ground),
        _asked(act, compartment),
        _verdict(expected),
        even_if,
        why,
    )


def _who(text: str, purpose: str) -> Who:
    found = _WHO.fullmatch(text)
    if found is None:
        raise _Unreadable(f"who is `{text}`?")
    role = _word(Role, found["role"])
    agency = _slug(found["agency"]) if found["agency"] else ""
    if found["more"] is None:
        if role is Role.PARTNER and not agency:
            return PartnerFacts(_spelled(purpose))
        if role is Role.SECURITY_OFFICER and agency and not purpose:
            return SecurityOfficerFacts(agency)
        raise _Unreadable(f"`{text}` has no clearance")
    cleared = _CLEARED.fullmatch(found["more"])
    if cleared is None or not agency:
        raise _Unreadable(f"who is `{text}`?")
    return CaseworkerFacts(
        agency, role.value, int(cleared[1]), cleared[2] is not None, _spelled(purpose)
    )


def _row(record: str, ground: str) -> Row:
    grounds = [] if ground == "none" else ground.split("; ")
    if record == "release":
        flags = _flags(_RELEASE_GROUNDS, grounds)
        return ReleaseFacts(**dict.fromkeys(_RELEASE_GROUNDS.values(), False) | flags)
    if record == "event":
        return EventFacts(
            **dict.fromkeys(_EVENT_GROUNDS.values(), False) | _flags(_EVENT_GROUNDS, grounds)
        )
    found = _CASE_FILE.fullmatch(record)
    if found is None:
        raise _Unreadable(f"what is `{record}`?")
    flags = _flags(_CASE_FILE_GROUNDS, [each for each in grounds if not _NAMING.match(each)])
    flags = {"assigned": False, "supervising": False} | flags
    for named in filter(None, map(_NAMING.fullmatch, grounds)):
        right, names = _NAMING_GROUNDS[named[1]]
        if right in flags:
            raise _Unreadable("of several referrals, delegations or emergencies one counts")
        flags |= {right: True} | _named(names, named[2])
    return CaseFileFacts(_slug(found[1]), int(found[2]), **flags)


def _named(names: str, compartments: str) -> dict[str, bool]:
    flags = {}
    for each in [] if compartments == "nothing" else compartments.split(", "):
        name = f"{names}_{_word(Compartment, each).value}"
        if name not in FIELD_TYPES[CaseFileFacts.polar_name]:
            raise _Unreadable(f"`{each}` is not named so")
        flags[name] = True
    return flags


def _flags(known: dict[str, str], grounds: Iterable[str]) -> dict[str, bool]:
    flags = {}
    for each in grounds:
        if each not in known:
            raise _Unreadable(f"what is the ground `{each}`?")
        flags[known[each]] = True
    return flags


def _asked(act: str, compartment: str) -> Compartment | Action | None:
    if act == "open":
        return _word(Compartment, compartment)
    if compartment:
        raise _Unreadable("a compartment stands with `open` only")
    return None if act == "see" else _word(Action, act)


def _verdict(text: str) -> Verdict:
    answer, _, word = text.partition(": ")
    if answer == "allowed":
        return Allowed(_word(Ground, word))
    if answer == "refused":
        return Refused(_word(Reason, word))
    raise _Unreadable(f"`{text}` is neither `allowed: ground` nor `refused: reason`")


def _word(kind: type[_E], text: str) -> _E:
    try:
        return kind(_spelled(text))
    except ValueError:
        raise _Unreadable(f"`{text}` is no {kind.__name__.lower()}") from None


def _spelled(text: str) -> str:
    """Spell plain words as the vocabulary does; what it already spells so is no plain word."""
    if "_" in text:
        raise _Unreadable(f"`{text}` is not written in plain words")
    return text.replace(" ", "_")


def _slug(agency: str) -> str:
    return agency.lower().replace(" ", "-")
