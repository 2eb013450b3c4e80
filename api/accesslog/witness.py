"""A witness of logs (C2SP tlog-witness): it cosigns what continues all that it has seen.

It knows the public keys of the logs, and nothing of what is in them. Whatever it
answers 200 to is in its state, on the disk, before: so it never cosigns two trees of
which one does not continue the other, however many requests come at once.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.accesslog.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from api.accesslog.cosignature import cosign, text_of, witness_key
from api.accesslog.note import ED25519, VerifierKey, strict_base64
from api.accesslog.proofs import check_consistency
from api.accesslog.tree import HASH_SIZE
from api.accesslog.witness_state import Seen, WitnessState
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid, ProofInvalid, RefusesToStart

#: Bytes of a request: 63 hashes and a note with 100 signatures stay below it.
MAX_REQUEST: Final = 1 << 16
#: Lines of a proof (C2SP tlog-witness).
MAX_PROOF: Final = 63
#: The kind of an answer that only says a size.
SIZE: Final = "text/x.tlog.size"
TEXT: Final = "text/plain; charset=utf-8"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered over HTTP."""

    status: int
    text: str
    media_type: str = TEXT


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """One request: a checkpoint, and the proof that it continues a tree of *old* leaves.

    Attributes:
        note: the signed checkpoint, whose signatures were not looked at yet.
    """

    old: int
    proof: tuple[bytes, ...]
    note: str

    @classmethod
    def parse(cls, body: bytes) -> "AddCheckpoint":
        """Read a request.

        Raises:
            NoteInvalid: malformed in any way.
        """
        try:
            head, separator, note = body.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError:
            raise NoteInvalid from None
        old, *lines = head.split("\n")
        match = _OLD.match(old)
        if not separator or match is None or int(match[1]) > MAX_SIZE or len(lines) > MAX_PROOF:
            raise NoteInvalid
        proof = tuple(strict_base64(line) for line in lines)
        if any(len(one) != HASH_SIZE for one in proof):
            raise NoteInvalid
        return cls(int(match[1]), proof, note)


class Witness:
    """The witness *name*, which cosigns with *key* for the logs that it was told of."""

    def __init__(
        self,
        name: str,
        key: SigningKey,
        logs: Iterable[VerifierKey],
        state: WitnessState,
        now: Callable[[], datetime],
    ) -> None:
        """Trust *logs*: the keys of each log have its origin for their name.

        Raises:
            RefusesToStart: the name cannot be one, or a key is not a log's.
        """
        self.verifier_key = witness_key(name, key.public)
        try:
            VerifierKey.parse(str(self.verifier_key))
        except NoteInvalid:
            raise RefusesToStart(
                "The name of a witness has no space and no plus sign: like witness.example/w1."
            ) from None
        self._key = key
        self._logs: dict[str, list[VerifierKey]] = {}
        for log in logs:
            if log.kind != ED25519 or log.public == key.public:
                raise RefusesToStart("A listed key is that of a witness, not of a log.")
            self._logs.setdefault(log.name, []).append(log)
        self._state = state
        self._now = now

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request.

        Raises:
            WitnessUnavailable: the state does not answer; nothing was cosigned.
        """
        try:
            request = AddCheckpoint.parse(body)
            text = text_of(request.note)
            new = Checkpoint.parse(text)
        except NoteInvalid:
            return Answer(400, "The request is malformed.\n")
        keys = self._logs.get(new.origin)
        if keys is None:
            return Answer(404, "This witness does not know the log.\n")
        try:
            open_checkpoint(request.note, keys)
        except NoteInvalid:
            return Answer(403, "No signature of a known key of the log holds.\n")
        if request.old > new.size:
            return Answer(400, "The old size is larger than that of the checkpoint.\n")
        return self._advance(request, new, text)

    def _advance(self, request: AddCheckpoint, new: Checkpoint, text: str) -> Answer:
        """Check against what was seen, and move there only if that is still what was seen."""
        seen = self._state.latest(new.origin)
        if request.old != seen.size or (new.size == seen.size and new.root != seen.root):
            return _conflict(seen)
        try:
            check_consistency(seen.size, new.size, seen.root, new.root, request.proof)
        except ProofInvalid:
            return Answer(422, "The consistency proof does not hold.\n")
        # Before the state is compared once more: nothing larger was seen until then.
        at = int(self._now().timestamp())
        moved = self._state.advance(new.origin, seen, Seen(new.size, new.root))
        if moved is not None:
            return _conflict(moved)
        return Answer(200, cosign(text, self.verifier_key.name, self._key, at).line)


def _conflict(seen: Seen) -> Answer:
    return Answer(409, f"{seen.size}\n", SIZE)
