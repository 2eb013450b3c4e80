"""What happened, as the bytes of one leaf: the only printer and parser of events.

FORMAT.md beside this file defines every key. A leaf holds ids, numbers and words
of fixed alphabets: there is no place in it for free text or for a value of a
record. `encode` refuses what `decode` would not read, so that no leaf that is
written can break the verification later.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from api.errors import LeafMalformed
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

#: Bytes. The entry bundles of C2SP tlog-tiles give a leaf a 16 bit length.
MAX_LEAF: Final = 65_535
#: Bytes of randomness in a leaf: its hash in a proof tells nothing about its content.
NONCE_SIZE: Final = 16

#: Slugs, field names, request ids: nothing that could carry a sentence.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z", re.ASCII)
_COMMITMENT = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
#: How many keys every leaf has.
_KEYS = 18
_ZERO = timedelta(0)
#: Actors come again and again; a verification reads each of their ids many times.
_id_of = lru_cache(maxsize=4096)(lambda text: UUID(int=int(text, 16)))
_SCAN = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Touched:
    """Records with one and the same outcome.

    Attributes:
        fields: names, never values.
        records: kind, id and the revision that was read or written.
    """

    decision: Decision
    ground: Ground | None
    reason: Reason | None
    compartments: tuple[Compartment, ...]
    fields: tuple[str, ...]
    records: tuple[tuple[RecordKind, UUID, int], ...]

    def __post_init__(self) -> None:
        """Bring the sets of words into their one order."""
        _in_order(self, "compartments", self.compartments)
        _in_order(self, "fields", self.fields)


@dataclass(frozen=True, slots=True)
class Event:
    """One decision, with all that it touched.

    Attributes:
        at: UTC.
        actor, organisation, role: None where nobody was signed in.
        code: the public error code of a refusal.
        policy: SHA-256 of the policy text in force, in hex.
        agencies: the lead agencies of the records concerned.
        intent: index of the intent event whose outcome this is.
        count: of how many alike this one event tells.
        step: milliseconds by which a clock jumped; less than 0: it was put back.
        previous: the policy before *policy*, where it changed.
        commitment: to a free text that is sealed elsewhere, in hex; see `commitment`.
    """

    at: datetime
    request: str
    actor: UUID | None
    organisation: str | None
    role: Role | None
    action: Action
    phase: Phase
    purpose: Purpose | None
    basis: LegalBasis | None
    decision: Decision
    code: str | None
    policy: str | None
    agencies: tuple[str, ...]
    touched: tuple[Touched, ...] = ()
    intent: int | None = None
    outcome: Outcome | None = None
    count: int | None = None
    step: int | None = None
    previous: str | None = None
    commitment: str | None = None

    def __post_init__(self) -> None:
        """Bring the agencies into their one order."""
        _in_order(self, "agencies", self.agencies)


def _in_order(holder: object, name: str, words: tuple[str, ...]) -> None:
    if len(words) > 1:
        object.__setattr__(holder, name, tuple(sorted(set(words))))


def encode(event: Event, nonce: bytes) -> bytes:
    """Write *event* down as one JSON object with a fixed order of keys.

    Raises:
        LeafMalformed: the event holds something that no leaf may hold, or is too long.
    """
    try:
        body = _write(event, nonce)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise LeafMalformed from None
    if len(body) > MAX_LEAF:
        raise LeafMalformed
    return body


def decode(body: bytes) -> Event:
    """Read a leaf. Strict: only the very bytes that `encode` writes are an event.

    Raises:
        LeafMalformed: anything else.
    """
    return decode_with_nonce(body)[0]


def decode_with_nonce(body: bytes) -> tuple[Event, bytes]:
    """Read a leaf and the randomness that is part of it, as `decode` does."""
    try:
        # Where the object ends needs no look: the comparison below sees what follows.
        fields, _end = _SCAN(body.decode("ascii"))
        event = _read(fields)
        nonce = bytes.fromhex(fields["nonce"])
        # Unknown, doubled or misplaced keys, spaces, other spellings of a number or
        # a letter: whatever a lenient parser lets pass is not what we would write.
        if _write(event, nonce) == body and len(body) <= MAX_LEAF:
            return event, nonce
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass
    raise LeafMalformed from None


# -- printer ----------------------------------------------------------------------


def _table(words: type[StrEnum]) -> dict[StrEnum | None, str]:
    """Give the JSON of each member; looking a word up is also the check that it is one."""
    return {None: "null", **{word: f'"{word.value}"' for word in words}}


_ACTION = _table(Action)
_BASIS = _table(LegalBasis)
_DECISION = _table(Decision)
_GROUND = _table(Ground)
_OUTCOME = _table(Outcome)
_PHASE = _table(Phase)
_PURPOSE = _table(Purpose)
_REASON = _table(Reason)
_ROLE = _table(Role)
_RECORD = {kind: f'["{kind.value}","' for kind in RecordKind}
for _required in (_ACTION, _DECISION, _PHASE):
    del _required[None]


def _write(event: Event, nonce: bytes) -> bytes:
    if len(nonce) != NONCE_SIZE:
        raise ValueError
    actor = "null" if event.actor is None else f'"{event.actor.int:032x}"'
    return (
        f'{{"v":1,"nonce":"{nonce.hex()}","at":"{_moment(event.at)}"'
        f',"request":{_word(event.request)},"actor":{actor}'
        f',"organisation":{_word_or_null(event.organisation)},"role":{_ROLE[event.role]}'
        f',"action":{_ACTION[event.action]},"phase":{_PHASE[event.phase]}'
        f',"purpose":{_PURPOSE[event.purpose]},"basis":{_BASIS[event.basis]}'
        f',"decision":{_DECISION[event.decision]},"code":{_word_or_null(event.code)}'
        f',"policy":{_word_or_null(event.policy)},"agencies":{_words(event.agencies)}'
        f',"touched":[{",".join(map(_touched, event.touched))}]'
        f',"intent":{"null" if event.intent is None else _number(event.intent)}'
        f',"outcome":{_OUTCOME[event.outcome]}{_rare(event)}}}'
    ).encode("ascii")


def _rare(event: Event) -> str:
    """Write the keys that stand only where they say something."""
    count, step, previous, commitment = event.count, event.step, event.previous, event.commitment
    if count is None and step is None and previous is None and commitment is None:
        return ""
    text = "" if count is None else f',"count":{_number(count)}'
    if step is not None:
        if step.__class__ is not int or step == 0:
            raise ValueError
        text += f',"step":{step}'
    if previous is not None:
        text += f',"previous":{_word(previous)}'
    if commitment is not None:
        if _COMMITMENT.match(commitment) is None:
            raise ValueError
        text += f',"commitment":"{commitment}"'
    return text


def _touched(touched: Touched) -> str:
    records = []
    for kind, record, revision in touched.records:
        if revision.__class__ is not int or revision < 0:
            raise ValueError
        records.append(f'{_RECORD[kind]}{record.int:032x}",{revision}]')
    return (
        f'{{"decision":{_DECISION[touched.decision]},"ground":{_GROUND[touched.ground]}'
        f',"reason":{_REASON[touched.reason]},"compartments":{_compartments(touched.compartments)}'
        f',"fields":{_words(touched.fields)},"records":[{",".join(records)}]}}'
    )


def _moment(at: datetime) -> str:
    if at.utcoffset() != _ZERO:
        raise ValueError
    return f"{at.isoformat(timespec='microseconds')[:26]}Z"


def _number(value: int) -> str:
    if value.__class__ is not int or value < 0:
        raise ValueError
    return str(value)


def _word(word: str) -> str:
    if _WORD.match(word) is None:
        raise ValueError
    return f'"{word}"'


@lru_cache(maxsize=1024)
def _word_or_null(word: str | None) -> str:
    return "null" if word is None else _word(word)


@lru_cache(maxsize=4096)
def _words(words: tuple[str, ...]) -> str:
    if list(words) != sorted(set(words)):
        raise ValueError
    return f"[{','.join(map(_word, words))}]"


@lru_cache(maxsize=256)
def _compartments(compartments: tuple[Compartment, ...]) -> str:
    return _words(tuple(Compartment(c).value for c in compartments))


# -- parser -----------------------------------------------------------------------

_Word = TypeVar("_Word", bound=Enum)


def _members(words: type[_Word]) -> dict[str | None, _Word]:
    return {word.value: word for word in words}


_ACTIONS = _members(Action)
_COMPARTMENTS = _members(Compartment)
_DECISIONS = _members(Decision)
_KINDS = _members(RecordKind)
_PHASES = _members(Phase)
_BASES: dict[str | None, LegalBasis | None] = {None: None, **_members(LegalBasis)}
_GROUNDS: dict[str | None, Ground | None] = {None: None, **_members(Ground)}
_OUTCOMES: dict[str | None, Outcome | None] = {None: None, **_members(Outcome)}
_PURPOSES: dict[str | None, Purpose | None] = {None: None, **_members(Purpose)}
_REASONS: dict[str | None, Reason | None] = {None: None, **_members(Reason)}
_ROLES: dict[str | None, Role | None] = {None: None, **_members(Role)}


#: The keys that stand only where they say something; a null there is another spelling.
_RARE = ("count", "step", "previous", "commitment")


def _read(fields: Any) -> Event:
    """Build the event; `_write` judges whatever is not looked at here."""
    actor = fields["actor"]
    rare = {} if len(fields) == _KEYS else {k: fields[k] for k in _RARE if k in fields}
    return Event(
        at=datetime.fromisoformat(fields["at"]),
        request=fields["request"],
        actor=None if actor is None else _id_of(actor),
        organisation=fields["organisation"],
        role=_ROLES[fields["role"]],
        action=_ACTIONS[fields["action"]],
        phase=_PHASES[fields["phase"]],
        purpose=_PURPOSES[fields["purpose"]],
        basis=_BASES[fields["basis"]],
        decision=_DECISIONS[fields["decision"]],
        code=fields["code"],
        policy=fields["policy"],
        agencies=tuple(fields["agencies"]),
        touched=tuple(map(_read_touched, fields["touched"])),
        intent=fields["intent"],
        outcome=_OUTCOMES[fields["outcome"]],
        **rare,
    )


def _read_touched(fields: Any) -> Touched:
    return Touched(
        decision=_DECISIONS[fields["decision"]],
        ground=_GROUNDS[fields["ground"]],
        reason=_REASONS[fields["reason"]],
        compartments=tuple([_COMPARTMENTS[c] for c in fields["compartments"]]),
        fields=tuple(fields["fields"]),
        records=tuple(
            [(_KINDS[k], UUID(int=int(i, 16)), revision) for k, i, revision in fields["records"]]
        ),
    )
