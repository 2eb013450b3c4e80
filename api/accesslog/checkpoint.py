"""Checkpoints (C2SP tlog-checkpoint): the size and root of a log in a signed note."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.accesslog.note import ED25519, VerifierKey, open_note, sign_note, strict_base64
from api.accesslog.tree import HASH_SIZE
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid

#: A size is an index plus one, and an index is a signed 64-bit number in the databases.
MAX_SIZE: Final = 2**63 - 1

_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: the log *origin* had *size* leaves under *root*."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: str) -> "Checkpoint":
        """Read the text of the note.

        Raises:
            NoteInvalid: malformed in any way.
        """
        lines = body.split("\n")
        if len(lines) < 4 or lines.pop() != "" or not all(lines):
            raise NoteInvalid
        origin, size, root, *extensions = lines
        if _SIZE.match(size) is None or int(size) > MAX_SIZE:
            raise NoteInvalid
        decoded = strict_base64(root)
        if len(decoded) != HASH_SIZE:
            raise NoteInvalid
        return cls(origin, int(size), decoded, tuple(extensions))

    def __str__(self) -> str:
        """Print what `parse` reads."""
        root = base64.b64encode(self.root).decode()
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)
        )

    def sign(self, *keys: SigningKey) -> str:
        """Give the note, signed by each of *keys*; their name is the origin."""
        return sign_note(str(self), self.origin, *keys)


def open_checkpoint(note: str | bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that the log itself signed.

    One of *keys* must be of the log: an Ed25519 key with the origin for its name. A
    witness vouches that a log did not fork, not for what is in it.

    Raises:
        NoteInvalid: malformed, or no signature of the log's key holds.
    """
    opened = open_note(note, keys)
    checkpoint = Checkpoint.parse(opened.text)
    if not any(key.kind == ED25519 and key.name == checkpoint.origin for key in opened.verified):
        raise NoteInvalid
    return checkpoint
