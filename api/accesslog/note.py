"""Signed notes and their keys (C2SP signed-note), read and written strictly.

A note is a text, an empty line, and lines that each hold one signature of the text:
"— name base64(key id || signature)". Known kinds of keys are Ed25519 (1) and
timestamped Ed25519 cosignatures of witnesses (4, C2SP tlog-cosignature).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.crypto.signatures import SigningKey, signature_holds
from api.errors import NoteInvalid

ED25519: Final = 1
COSIGNATURE: Final = 4
#: Signatures on one note; C2SP asks for at least 16, Go's parser takes 100.
MAX_SIGNATURES: Final = 100

# No space of any script and no plus sign; both separate fields.
_NAME = re.compile(r"[^\s+]+\Z")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\Z")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)\Z")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name under which it signs; printed, it is a "vkey"."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart; no security rests on them."""
        encoded = bytes((self.kind,)) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + encoded).digest()[:4]

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read name+hash+base64(kind || key).

        Raises:
            NoteInvalid: malformed, of an unknown kind, or with a hash that is not its own.
        """
        match = _KEY.match(text)
        if match is None:
            raise NoteInvalid
        encoded = strict_base64(match[3])
        if len(encoded) != 33 or encoded[0] not in (ED25519, COSIGNATURE):
            raise NoteInvalid
        key = cls(match[1], encoded[0], encoded[1:])
        if key.key_id.hex() != match[2]:
            raise NoteInvalid
        return key

    def __str__(self) -> str:
        """Print what `parse` reads."""
        encoded = base64.b64encode(bytes((self.kind,)) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def holds(self, signature: bytes, text: bytes) -> bool:
        """Tell whether *signature* is this key's under *text*."""
        if self.kind == COSIGNATURE:
            # Eight bytes of Unix seconds stand before the signature and are signed too.
            moment = int.from_bytes(signature[:8], "big")
            text = b"cosignature/v1\ntime %d\n" % moment + text
            signature = signature[8:]
        return signature_holds(self.public, signature, text)


@dataclass(frozen=True, slots=True)
class Opened:
    """The text of a note, and the keys that signed it, each once."""

    text: str
    verified: tuple[VerifierKey, ...]


def open_note(note: str | bytes, keys: Iterable[VerifierKey]) -> Opened:
    """Check the signatures of *note* by *keys*; those of other keys are passed over.

    Raises:
        NoteInvalid: malformed, no signature by one of *keys*, or one that does not hold.
    """
    text, signatures = _split(note)
    known = {(key.name, key.key_id): key for key in keys}
    verified: dict[VerifierKey, None] = {}
    for name, signature in signatures:
        key = known.get((name, signature[:4]))
        if key is None:
            continue
        if not key.holds(signature[4:], text.encode()):
            raise NoteInvalid
        verified[key] = None
    if not verified:
        raise NoteInvalid
    return Opened(text, tuple(verified))


def sign_note(text: str, name: str, *keys: SigningKey) -> str:
    """Give the note of *text* with one Ed25519 signature under *name* by each of *keys*.

    Raises:
        NoteInvalid: a text or a name that no note has.
    """
    if not text.endswith("\n") or _CONTROL.search(text) or not _NAME.match(name) or not keys:
        raise NoteInvalid
    lines = (
        signature_line(VerifierKey(name, ED25519, key.public), key.sign(text.encode()))
        for key in keys
    )
    return f"{text}\n{''.join(lines)}"


def text_of(note: str | bytes) -> str:
    """Give the text of *note*, whoever signed it: nothing is proven by it.

    Raises:
        NoteInvalid: malformed.
    """
    return _split(note)[0]


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """Print one line of a note's signatures, with its end; *signature* as `holds` takes it."""
    return f"— {key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


def read_signatures(block: str) -> list[tuple[str, bytes]]:
    """Read lines of signatures, each with its end: the name, and key id and signature joined.

    Raises:
        NoteInvalid: malformed, none, or more than a note may have.
    """
    lines = block[:-1].split("\n")
    if not block.endswith("\n") or len(lines) > MAX_SIGNATURES:
        raise NoteInvalid
    signatures = []
    for line in lines:
        match = _SIGNATURE.match(line)
        if match is None:
            raise NoteInvalid
        signature = strict_base64(match[2])
        if len(signature) < 5:
            raise NoteInvalid
        signatures.append((match[1], signature))
    return signatures


def strict_base64(text: str) -> bytes:
    """Decode standard base64 in its one canonical spelling.

    Raises:
        NoteInvalid: anything else.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid from None
    if base64.b64encode(decoded).decode() != text:
        raise NoteInvalid
    return decoded


def _split(note: str | bytes) -> tuple[str, list[tuple[str, bytes]]]:
    if isinstance(note, bytes):
        try:
            note = note.decode("utf-8")
        except UnicodeDecodeError:
            raise NoteInvalid from None
    text, separator, block = note.rpartition("\n\n")
    if not separator or _CONTROL.search(note):
        raise NoteInvalid
    return text + "\n", read_signatures(block)
