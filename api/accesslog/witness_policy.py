"""Which witnesses are asked, and how many of them must have cosigned (C2SP tlog-policy).

    log <vkey>
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

A name is of a witness or a group, is defined above where it is used, and is a member
of at most one group, so that nobody counts twice. A line that begins with # says nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from api.accesslog.note import COSIGNATURE, ED25519, VerifierKey
from api.errors import NoteInvalid, RefusesToStart

#: Bytes of a policy; 32 witnesses with their addresses have about 6 kB.
MAX_POLICY: Final = 1 << 16
#: The quorum that asks for nobody.
NONE: Final = "none"

_NUMBER = re.compile(r"[1-9][0-9]{0,4}\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACES = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """One witness: the name is the policy's own, the key's name is the witness's."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Members of which at least *threshold* must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """The logs, the witnesses, and the quorum: the name of a witness or a group, or `none`."""

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def load(cls, path: Path) -> "WitnessPolicy":
        """Read the policy in a file.

        Raises:
            RefusesToStart: it cannot be read, or names the line that is no policy's.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_POLICY + 1)
            if len(content) > MAX_POLICY:
                raise ValueError
            text = content.decode("utf-8")
        except (OSError, ValueError):
            raise RefusesToStart(f"The witness policy {path} cannot be read.") from None
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> "WitnessPolicy":
        """Read a policy.

        Raises:
            RefusesToStart: names the line and what is wrong with it.
        """
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), 1):
            reading.number = number
            if _CONTROL.search(line):
                reading.refuse("it holds a control character")
            words = [word for word in _SPACES.split(line) if word]
            if words and not words[0].startswith("#"):
                reading.line(words[0], words[1:])
        if reading.quorum is None:
            raise RefusesToStart("The witness policy has no quorum line.")
        return cls(
            tuple(reading.logs),
            tuple(reading.witnesses),
            tuple(reading.groups.values()),
            reading.quorum,
        )

    def since(self, moments: Mapping[str, int]) -> int | None:
        """Give the latest moment at or after which a quorum has cosigned; None if none has.

        Args:
            moments: name of a witness -> when it cosigned.
        """
        found: dict[str, int] = dict(moments)
        for group in self.groups:  # Each stands below its members.
            there = sorted((found[m] for m in group.members if m in found), reverse=True)
            if len(there) >= group.threshold:
                found[group.name] = there[group.threshold - 1]
        return found.get(self.quorum)


@dataclass(slots=True)
class _Reading:
    """What was read so far, and the number of the line that is being read."""

    number: int = 0
    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def refuse(self, what: str) -> NoReturn:
        raise RefusesToStart(f"Line {self.number} of the witness policy: {what}.")

    def line(self, word: str, rest: Sequence[str]) -> None:
        match word, len(rest):
            case "log", 1 | 2:
                self._log(rest[0])
            case "witness", 2 | 3:
                self._witness(rest[0], rest[1], rest[2] if len(rest) == 3 else None)
            case "group", n if n >= 3:
                self._group(rest[0], rest[1], rest[2:])
            case "quorum", 1:
                self._quorum(rest[0])
            case _:
                self.refuse("it is no log, witness, group or quorum with what belongs to it")

    def _log(self, vkey: str) -> None:
        key = self._key(vkey, ED25519)
        if any(key.public == log.public for log in self.logs):
            self.refuse("this log is listed twice")
        self.logs.append(key)

    def _witness(self, name: str, vkey: str, url: str | None) -> None:
        self._define(name)
        key = self._key(vkey, COSIGNATURE)
        if any(key.public == one.key.public for one in self.witnesses):
            self.refuse("this witness is listed twice")
        self.witnesses.append(PolicyWitness(name, key, url))

    def _group(self, name: str, threshold: str, members: Sequence[str]) -> None:
        for member in members:
            if member not in self.names:
                self.refuse("a member is not defined above")
            if member in self.members:
                self.refuse("a member is in a group already")
            self.members.add(member)
        self._define(name)
        if threshold not in ("all", "any") and not _NUMBER.match(threshold):
            self.refuse("the threshold is no number from 1, `all` or `any`")
        needed = {"all": len(members), "any": 1}.get(threshold) or int(threshold)
        if needed > len(members):
            self.refuse("the threshold is higher than the number of members")
        self.groups[name] = Group(name, needed, tuple(members))

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            self.refuse("there is a quorum line already")
        if name != NONE and name not in self.names:
            self.refuse("the quorum is not defined above")
        self.quorum = name

    def _define(self, name: str) -> None:
        if name == NONE or name in self.names:
            self.refuse("the name is taken")
        self.names.add(name)

    def _key(self, vkey: str, kind: int) -> VerifierKey:
        try:
            key = VerifierKey.parse(vkey)
        except NoteInvalid:
            self.refuse("the key is no Ed25519 verifier key (name+id+key)")
        if key.kind != kind:
            self.refuse("the key is of another kind: 1 is a log's, 4 a witness's")
        return key
