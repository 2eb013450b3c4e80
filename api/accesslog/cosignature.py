"""Cosignatures of witnesses (C2SP tlog-cosignature, cosignature/v1): made, found, joined.

A cosignature says that, at its moment, the checkpoint was the largest of its log that
the witness had seen, and that it continued every one it had seen before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.accesslog.note import COSIGNATURE, VerifierKey, read_signatures, signature_line
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid

#: The largest moment in seconds that C2SP lets a cosignature have.
_LAST_MOMENT: Final = 2**63 - 1
#: Bytes: key id, moment, Ed25519 signature.
_SIZE: Final = 4 + 8 + 64


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One that holds under the text of a checkpoint.

    Attributes:
        at: the moment in Unix seconds, by the clock of the witness.
        line: the line of a note, with its end.
    """

    key: VerifierKey
    at: int
    line: str


def witness_key(name: str, public: bytes) -> VerifierKey:
    """Give the verifier key of the witness *name*."""
    return VerifierKey(name, COSIGNATURE, public)


def cosign(text: str, name: str, key: SigningKey, at: int) -> Cosignature:
    """Cosign the checkpoint that says *text*, as the witness *name*, at Unix second *at*."""
    verifier = witness_key(name, key.public)
    signed = b"cosignature/v1\ntime %d\n" % at + text.encode()
    signature = at.to_bytes(8, "big") + key.sign(signed)
    return Cosignature(verifier, at, signature_line(verifier, signature))


def text_of(note: str) -> str:
    """Give the text that the signatures of *note* are of.

    Raises:
        NoteInvalid: it is no note.
    """
    text, separator, _ = note.rpartition("\n\n")
    if not separator:
        raise NoteInvalid
    return text + "\n"


def cosignatures(text: str, lines: str, keys: Iterable[VerifierKey]) -> list[Cosignature]:
    """Find the cosignatures by *keys* among *lines*; those of other keys are passed over.

    Args:
        text: of the checkpoint.

    Raises:
        NoteInvalid: a line is malformed, or one by one of *keys* does not hold.
    """
    known = {(key.name, key.key_id): key for key in keys if key.kind == COSIGNATURE}
    found = []
    for name, signature in read_signatures(lines):
        key = known.get((name, signature[:4]))
        if key is None:
            continue
        at = int.from_bytes(signature[4:12], "big")
        if len(signature) != _SIZE or at > _LAST_MOMENT:
            raise NoteInvalid
        if not key.holds(signature[4:], text.encode()):
            raise NoteInvalid
        found.append(Cosignature(key, at, signature_line(key, signature[4:])))
    return found


def stated(line: str) -> tuple[str, int]:
    """Give the name and the moment that one line says; nothing is proven by it.

    Raises:
        NoteInvalid: it is not one cosignature.
    """
    [(name, signature), *more] = read_signatures(line)
    if more or len(signature) != _SIZE:
        raise NoteInvalid
    return name, int.from_bytes(signature[4:12], "big")


def cosigned_note(note: str, cosigned: Iterable[Cosignature]) -> str:
    """Give *note* with the newest cosignature of each key as further lines, in order of names."""
    newest: dict[VerifierKey, Cosignature] = {}
    for one in cosigned:
        if one.key not in newest or newest[one.key].at < one.at:
            newest[one.key] = one
    added = sorted(newest.values(), key=lambda one: (one.key.name, one.key.key_id))
    return note + "".join(one.line for one in added if one.line not in note)
