"""The document by which two persons let the log go on after it was restored from a backup.

It says what was signed for and is gone, and from where the log goes on, under which
new name: a witness never accepts a smaller size for the same one. It is a signed note
whose text `Epoch` prints and reads; each approver signs on a machine of their own.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.accesslog.checkpoint import MAX_SIZE
from api.accesslog.note import ED25519, VerifierKey, open_note, sign_note, strict_base64, text_of
from api.accesslog.tree import HASH_SIZE
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid
from api.vocabulary import EpochReason

#: First line of the text: no checkpoint of a log has a second line such as follows it.
HEADER: Final = "perisai-log-epoch/v1"
#: How many persons must approve.
APPROVERS: Final = 2

_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_EPOCH = re.compile(r"(.+)/epoch-([1-9][0-9]{0,8})\Z", re.ASCII)
#: An office or a pseudonym: what stands in the log is read for decades.
_APPROVER = re.compile(r"[a-z0-9][a-z0-9./_-]{0,63}\Z", re.ASCII)


def next_origin(origin: str) -> str:
    """Give the name under which the log *origin* goes on; the first epoch has no number."""
    match = _EPOCH.match(origin)
    name, number = (origin, 1) if match is None else (match[1], int(match[2]))
    return f"{name}/epoch-{number + 1}"


def first_origin(origin: str) -> str:
    """Give the name that the log had in its first epoch: it names the installation."""
    match = _EPOCH.match(origin)
    return origin if match is None else match[1]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is approved.

    Attributes:
        old: the key that signed, under the name that ends.
        old_size, old_root: what was last signed for.
        new: the key that signs from now on, under the new name.
        size, root: of the restored log, before anything is added to it.
    """

    old: VerifierKey
    old_size: int
    old_root: bytes
    new: VerifierKey
    size: int
    root: bytes
    on: date
    reason: EpochReason

    @classmethod
    def parse(cls, text: str) -> "Epoch":
        """Read the text of the document; only what `str` prints is one.

        Raises:
            NoteInvalid: malformed, or the new name does not follow the old one.
        """
        lines = text.split("\n")
        if len(lines) != 10 or lines[0] != HEADER or lines[9] != "":
            raise NoteInvalid
        _, old, old_size, old_root, new, size, root, on, reason, _ = lines
        try:
            epoch = cls(
                VerifierKey.parse(old),
                _size(old_size),
                _root(old_root),
                VerifierKey.parse(new),
                _size(size),
                _root(root),
                date.fromisoformat(on if _DATE.match(on) else ""),
                EpochReason(reason),
            )
        except ValueError:
            raise NoteInvalid from None
        if (
            epoch.old.kind != ED25519
            or epoch.new.kind != ED25519
            or epoch.new.name != next_origin(epoch.old.name)
        ):
            raise NoteInvalid
        return epoch

    def __str__(self) -> str:
        """Print what `parse` reads."""
        return "".join(
            f"{line}\n"
            for line in (
                HEADER,
                self.old,
                self.old_size,
                base64.b64encode(self.old_root).decode(),
                self.new,
                self.size,
                base64.b64encode(self.root).decode(),
                self.on.isoformat(),
                self.reason.value,
            )
        )


def approver_key(name: str, key: SigningKey) -> VerifierKey:
    """Give the verifier key of an approver.

    Raises:
        NoteInvalid: *name* is none that an approver may have.
    """
    if _APPROVER.match(name) is None:
        raise NoteInvalid
    return VerifierKey(name, ED25519, key.public)


def read_epoch(document: str) -> Epoch:
    """Read a document, approved or not: nothing is proven by it.

    Raises:
        NoteInvalid: malformed.
    """
    return Epoch.parse(_text(document))


def approve(document: str, name: str, key: SigningKey) -> str:
    """Add the signature of the approver *name* to a document.

    Raises:
        NoteInvalid: malformed, or approved by this key already.
    """
    approver = approver_key(name, key)
    text = str(Epoch.parse(_text(document)))
    signatures = document[len(text) + 1 :]
    mine = sign_note(text, name, key)[len(text) + 1 :]
    if f"— {approver.name} " in signatures:
        raise NoteInvalid
    return f"{text}\n{signatures}{mine}"


def open_epoch(document: str, approvers: Sequence[VerifierKey]) -> Epoch:
    """Read a document that two persons of *approvers* signed.

    Persons are told apart by their names and by their keys: neither the same key under
    two names nor two keys of one name are two persons.

    Raises:
        NoteInvalid: malformed, changed, or signed by fewer.
    """
    known = [key for key in approvers if key.kind == ED25519]
    opened = open_note(document, known)
    epoch = Epoch.parse(opened.text)
    # The log's own keys approve nothing: whoever runs the signer would be one of the two.
    signed = [k for k in opened.verified if k.public not in (epoch.old.public, epoch.new.public)]
    if min(len({key.name for key in signed}), len({key.public for key in signed})) < APPROVERS:
        raise NoteInvalid
    return epoch


def digest(text: str) -> str:
    """Give the SHA-256 of a text, in hex: by it an event of the log names a document or key."""
    return hashlib.sha256(text.encode()).hexdigest()


def _text(document: str) -> str:
    return text_of(document) if "\n\n" in document else document


def _size(text: str) -> int:
    if _SIZE.match(text) is None or int(text) > MAX_SIZE:
        raise NoteInvalid
    return int(text)


def _root(text: str) -> bytes:
    root = strict_base64(text)
    if len(root) != HASH_SIZE:
        raise NoteInvalid
    return root
