"""The rows for searching straight from leaf bytes, many times as fast as `event.decode`.

A leaf of the spelling that nearly all have is cut where its records stand. What is between
the time and the records says who did what, and is the same in very many leaves: it is read
once and remembered. Of any other leaf `decode` is the judge. So what this module must keep
is one thing: it takes no leaf that `decode` refuses, and reads the same in it
(tests/accesslog/test_scan.py).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from api.accesslog.event import MAX_LEAF
from api.accesslog.search import (
    AgencyCopy,
    EventRow,
    RecordRow,
    WordsRow,
    agency_copies,
    event_row,
    microseconds,
    read_event,
    record_rows,
    words_rows,
)
from api.vocabulary import (
    Action,
    Compartment,
    Decision,
    Ground,
    LegalBasis,
    Outcome,
    Phase,
    Purpose,
    Reason,
    RecordKind,
    Role,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the search tables hold of some events, one after another; else without order."""

    events: list[EventRow] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    agencies: list[AgencyCopy] = field(default_factory=list)
    words: list[WordsRow] = field(default_factory=list)


class Group(NamedTuple):
    """What one group of `touched` says before its records."""

    decision: str
    ground: str | None
    compartments: tuple[str, ...]
    fields: tuple[str, ...]


class Opening(NamedTuple):
    """What stands between the request and the first records, or, where none are, the end.

    Attributes:
        said: as `Event` has it: actor, organisation, role, action, purpose, decision, phase.
        agencies: those that it names, in order.
        head: what the first group says before its records, and in `group` is read.
        seen_by: what `_seen_by` gives if there is no other group.
    """

    said: tuple[str | None, str | None, str | None, str, str | None, str, str]
    agencies: tuple[str, ...]
    head: str | None
    group: Group | None
    seen_by: tuple[tuple[str, ...], str]


#: The longest part of a leaf that is remembered; of longer ones `decode` is the judge.
_REMEMBERED_MOST: Final = 8_000


def read_into(rows: Rows, index: int, body: bytes) -> None:
    """Read the leaf at *index*, its format checked to the last byte, and add what it says.

    Raises:
        LogBroken: it is not an event; nothing was added.
    """
    if not scan_into(rows, index, body):
        event = read_event(index, body)
        rows.events.append(event_row(index, event))
        rows.records.extend(record_rows(index, event))
        rows.agencies.extend(agency_copies(index, event))
        rows.words.extend(words_rows(index, event))


def scan_into(rows: Rows, index: int, body: bytes) -> bool:
    """Add the very rows that `decode` comes to; False: it is not of the common spelling."""
    text = body.decode("latin-1")  # No byte above 127 matches.
    begun = _BEGIN(text)
    if begun is None or len(body) > MAX_LEAF:
        return False
    first, *rest = text[begun.end() :].split(_RECORDS_OF)
    # Where no records are, the end stands behind the opening itself.
    last, _, end = (rest[-1] if rest else first).rpartition("]")
    said = first if rest else last
    opening = _opening(said) if len(said) <= _REMEMBERED_MOST else None
    ended, minute = _END(end), _minute(begun[1])
    if opening is None or ended is None or minute is None:
        return False
    groups: tuple[Group, ...] = ()
    records: list[RecordRow] = []
    head, group = opening.head, opening.group
    for part in (*rest[:-1], last) if rest else ():
        listed = _LISTED(part)
        if listed is None or group is None:
            return False
        groups = (*groups, group)
        records += [(hexed, index, kind, group.decision) for kind, hexed in _RECORD(listed[1])]
        head = listed[2]
        group = None if head is None or len(head) > _REMEMBERED_MOST else _group(head)
    if head is not None:  # Of a group without records.
        return False
    actor, organisation, role, action, purpose, decision, phase = opening.said
    at = minute + 1_000_000 * int(begun[2]) + int(begun[3])
    intent = None if ended[1] is None else int(ended[1])
    agencies, words = (
        opening.seen_by if len(groups) < 2 else _seen_by(organisation, opening.agencies, groups)
    )
    rows.events.append(
        (index, at, actor, organisation, role, action, purpose, decision, phase, intent)
    )
    rows.records.extend(records)
    for agency in agencies:
        rows.agencies.append((agency, index, True))
        if words:
            rows.words.append((agency, words, index, at, at))
    return True


@lru_cache(maxsize=4096)
def _opening(text: str) -> Opening | None:
    match = _OPENING(text)
    if match is None:
        return None
    actor, organisation, role, action, phase, purpose, decision, listed, head = match.groups()
    agencies, group = _set(listed), None if head is None else _group(head)
    if agencies is None or (group is None) != (head is None):
        return None
    said = (actor, organisation, role, action, purpose, decision, phase)
    seen_by = _seen_by(organisation, agencies, () if group is None else (group,))
    return Opening(said, agencies, head, group, seen_by)


@lru_cache(maxsize=4096)
def _seen_by(
    organisation: str | None, agencies: tuple[str, ...], groups: tuple[Group, ...]
) -> tuple[tuple[str, ...], str]:
    """Give whose officers may see the event, and its words as `words_rows` joins them."""
    words = {f"agency:{agency}" for agency in agencies}
    for group in groups:
        words.update([f"compartment:{compartment}" for compartment in group.compartments])
        words.update([f"field:{name}" for name in group.fields])
        if group.ground is not None:
            words.add(f"ground:{group.ground}")
    if organisation is not None and organisation not in agencies:
        agencies = (*agencies, organisation)
    return agencies, ",".join(sorted(words))


@lru_cache(maxsize=4096)
def _minute(text: str) -> int | None:
    """Give the beginning of a minute in microseconds since 1970; None if no calendar has it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    same = at.isoformat(timespec="minutes") == text
    return microseconds(at.replace(tzinfo=UTC)) if same else None


@lru_cache(maxsize=4096)
def _group(head: str) -> Group | None:
    """Read a group up to its records; None if it is none, or its sets are not in order."""
    match = _HEAD(head)
    if match is None:
        return None
    compartments, fields = _set(match[3]), _set(match[4])
    if compartments is None or fields is None:
        return None
    return Group(match[1], match[2], compartments, fields)


def _set(text: str) -> tuple[str, ...] | None:
    """Give the words of a set, quoted and with commas; None if they are not in their order."""
    words = tuple(text[1:-1].split('","')) if text else ()
    return words if list(words) == sorted(set(words)) else None


_WORD: Final = "[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}"
_WORDS: Final = f'(?:"{_WORD}"(?:,"{_WORD}")*)?'
_HEX: Final = "[0-9a-f]{32}"
# Longer numbers are for `decode`: how long an int may be is Python's to say.
_NUMBER: Final = "(?:0|[1-9][0-9]{0,17})"


def _one_of(words: type[StrEnum]) -> str:
    return f"(?:{'|'.join(re.escape(word.value) for word in words)})"


def _or_null(pattern: str) -> str:
    return f'(?:null|"{pattern}")'


def _kept_or_null(pattern: str) -> str:
    return f'(?:null|"({pattern})")'


_RECORDS_OF: Final = '"records":'
_BEGIN = re.compile(
    rf'\{{"v":1,"nonce":"{_HEX}"'
    r',"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])\.([0-9]{6})Z"'
    rf',"request":"{_WORD}",',
    re.ASCII,
).match
_OPENING = re.compile(
    rf'"actor":{_kept_or_null(_HEX)}'
    rf',"organisation":{_kept_or_null(_WORD)},"role":{_kept_or_null(_one_of(Role))}'
    rf',"action":"({_one_of(Action)})","phase":"({_one_of(Phase)})"'
    rf',"purpose":{_kept_or_null(_one_of(Purpose))},"basis":{_or_null(_one_of(LegalBasis))}'
    rf',"decision":"({_one_of(Decision)})","code":{_or_null(_WORD)}'
    rf',"policy":{_or_null(_WORD)},"agencies":\[({_WORDS})\],"touched":\[(\{{.*)?\Z',
    re.ASCII,
).match
_COMPARTMENT: Final = f'"{_one_of(Compartment)}"'
_HEAD = re.compile(
    rf'\{{"decision":"({_one_of(Decision)})","ground":{_kept_or_null(_one_of(Ground))}'
    rf',"reason":{_or_null(_one_of(Reason))}'
    rf',"compartments":\[((?:{_COMPARTMENT}(?:,{_COMPARTMENT})*)?)\],"fields":\[({_WORDS})\],\Z',
    re.ASCII,
).match
_ONE_RECORD: Final = rf'\["{_one_of(RecordKind)}","{_HEX}",{_NUMBER}\]'
#: The records of a group, and the head of the next one.
_LISTED = re.compile(
    rf"\[((?:{_ONE_RECORD}(?:,{_ONE_RECORD})*)?)\]\}}(?:,(\{{.*))?\Z", re.ASCII
).match
_END = re.compile(
    rf',"intent":(?:null|({_NUMBER})),"outcome":{_or_null(_one_of(Outcome))}\}}\Z', re.ASCII
).match
# It reads what was matched before, so that it can be loose.
_RECORD = re.compile(r'\["([^"]+)","([^"]+)"').findall
