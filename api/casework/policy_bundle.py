"""A policy with the signatures of its author and of its approver: the only printer and parser.

FORMAT.md beside this file defines the bytes. Nothing here says whether the policy is any
good, or whether it is the next one.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from api.accesslog.epoch import approver_key
from api.accesslog.note import ED25519, VerifierKey, read_signatures, sign_note, text_of
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid
from api.policies.engine import hash_of

HEADER: Final = "perisai-policy/v1"
#: Bytes of a bundle; the shipped policy has 32 kB.
LONGEST: Final = 2 * 1024 * 1024

_NUMBER = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_INSTALLATION = re.compile(r"[^\s+]+\Z")


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may change the policy of this installation.

    Attributes:
        installation: the name of its access log in the first epoch.
    """

    installation: str
    authors: tuple[VerifierKey, ...] = ()
    approvers: tuple[VerifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed.

    Attributes:
        replaces, policy: hashes.
    """

    installation: str
    number: int
    replaces: str
    policy: str
    author: VerifierKey

    @classmethod
    def parse(cls, text: str) -> "Statement":
        """Read the text of a note; only what `str` prints is one.

        Raises:
            NoteInvalid: malformed.
        """
        lines = text.split("\n")
        if len(lines) != 7 or lines[0] != HEADER or lines[6] != "":
            raise NoteInvalid
        _, installation, number, replaces, policy, author, _ = lines
        if _INSTALLATION.match(installation) is None or _NUMBER.match(number) is None:
            raise NoteInvalid
        if _HASH.match(replaces) is None or _HASH.match(policy) is None:
            raise NoteInvalid
        key = VerifierKey.parse(author)
        if key.kind != ED25519:
            raise NoteInvalid
        return cls(installation, int(number), replaces, policy, key)

    def __str__(self) -> str:
        """Print what `parse` reads."""
        lines = (HEADER, self.installation, self.number, self.replaces, self.policy, self.author)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement that its author and an approver signed."""

    statement: Statement
    approver: VerifierKey

    @property
    def words(self) -> tuple[str, ...]:
        """What an event of the log says of it: ids of keys, which name nobody."""
        return (
            f"approver:{self.approver.key_id.hex()}",
            f"author:{self.statement.author.key_id.hex()}",
            f"number:{self.statement.number}",
        )


@dataclass(frozen=True, slots=True)
class Bundle:
    """A note, signed once or twice, and the texts of which it speaks."""

    note: str
    texts: Mapping[str, str]

    @classmethod
    def parse(cls, content: bytes) -> "Bundle":
        """Read a file; only what `str` prints is one. Nothing is proven by it.

        Raises:
            NoteInvalid: malformed.
        """
        if len(content) > LONGEST:
            raise NoteInvalid
        try:
            text = content.decode("utf-8")
            read = json.loads(text)
            bundle = cls(_text(read["note"]), _texts(read["texts"]))
            same = str(bundle) == text
        except (KeyError, RecursionError, TypeError, ValueError):
            raise NoteInvalid from None
        if not same or bundle.statement.policy != hash_of(bundle.texts):
            raise NoteInvalid
        return bundle

    @classmethod
    def of_row(cls, note: object, texts: object) -> "Bundle":
        """Put together what stands in the two columns of a row, whatever that is.

        Raises:
            NoteInvalid: malformed.
        """
        try:
            read = _texts(json.loads(_text(texts)))
            bundle = cls(_text(note), read)
            same = _printed(read) == texts
        except (RecursionError, TypeError, ValueError):
            raise NoteInvalid from None
        if not same or bundle.statement.policy != hash_of(bundle.texts):
            raise NoteInvalid
        return bundle

    def __str__(self) -> str:
        """Print what `parse` reads."""
        return _printed({"note": self.note, "texts": dict(self.texts)})

    @property
    def printed_texts(self) -> str:
        """The texts as they stand in a row."""
        return _printed(dict(self.texts))

    @property
    def statement(self) -> Statement:
        """What is signed.

        Raises:
            NoteInvalid: malformed.
        """
        return Statement.parse(text_of(self.note))


def signer_key(name: str, key: SigningKey) -> VerifierKey:
    """Give the verifier key of an author or approver.

    Raises:
        NoteInvalid: *name* is none that such a person may have in the log's files.
    """
    return approver_key(name, key)


def draft(
    texts: Mapping[str, str],
    installation: str,
    number: int,
    replaces: str,
    name: str,
    key: SigningKey,
) -> Bundle:
    """Give the bundle of *texts* with the signature of its author *name*.

    Raises:
        NoteInvalid: something that no statement can say.
    """
    author = signer_key(name, key)
    statement = Statement(installation, number, replaces, hash_of(texts), author)
    text = str(Statement.parse(str(statement)))
    return Bundle(sign_note(text, name, key), texts)


def approve(bundle: Bundle, name: str, key: SigningKey) -> Bundle:
    """Give *bundle* with the signature of the approver *name*.

    Raises:
        NoteInvalid: it has one already, its author did not sign it, or is the same person.
    """
    text = str(bundle.statement)
    author, approver = bundle.statement.author, signer_key(name, key)
    signatures = _signatures(bundle.note, text)
    if len(signatures) != 1 or not _signed(author, signatures[0], text):
        raise NoteInvalid
    if not _two_persons(author, approver):
        raise NoteInvalid
    return replace(bundle, note=bundle.note + sign_note(text, name, key)[len(text) + 1 :])


def open_signed(note: str, signers: Signers) -> Signed:
    """Read a note that an author and an approver of this installation signed.

    Persons are told apart by their names and by their keys: neither the same key under
    two names nor two keys of one name are two persons.

    Raises:
        NoteInvalid: malformed, changed, of another installation, or not signed by two of them.
    """
    statement = Statement.parse(text_of(note))
    text = str(statement)
    signatures = _signatures(note, text)
    if statement.installation != signers.installation or statement.author not in signers.authors:
        raise NoteInvalid
    if len(signatures) != 2 or not _signed(statement.author, signatures[0], text):
        raise NoteInvalid
    for approver in signers.approvers:
        if _two_persons(statement.author, approver) and _signed(approver, signatures[1], text):
            return Signed(statement, approver)
    raise NoteInvalid


def _signatures(note: str, text: str) -> list[tuple[str, bytes]]:
    if not note.startswith(f"{text}\n"):
        raise NoteInvalid
    return read_signatures(note[len(text) + 1 :])


def _signed(key: VerifierKey, signature: tuple[str, bytes], text: str) -> bool:
    name, said = signature
    return (
        key.kind == ED25519
        and name == key.name
        and said[:4] == key.key_id
        and key.holds(said[4:], text.encode())
    )


def _two_persons(one: VerifierKey, other: VerifierKey) -> bool:
    return one.name != other.name and one.public != other.public


def _printed(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    value.encode("utf-8")  # Half a surrogate pair is no text.
    return value


def _texts(value: object) -> dict[str, str]:
    if type(value) is not dict or not value:
        raise TypeError
    return {_text(name): _text(text) for name, text in value.items()}
