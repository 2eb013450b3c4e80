"""Sealing the bytes of an attachment as a stream, in constant memory; bytes only.

C2SP chunked encryption (https://c2sp.org/chunked-encryption, Cobblestone-256) under a
key of its own (FORMAT.md, "Attachment"). A stream is read twice: `StreamCheck` reads
it to its end and gives nothing away but a proof that it is whole; only with that
proof does a `StreamOpener` give its content, and it verifies everything again.
"""

from typing import Any, NoReturn, final
from uuid import UUID

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from api.crypto.data_keys import DataKey
from api.crypto.framing import LENGTH_4, frame
from api.errors import SealBroken

_PURPOSE = b"perisai attachment v1"
_KEY = frame(b"perisai attachment key v1")

#: Bytes: all contents up to this look alike.
LENGTH_LEAST = 64 * 1024

#: Of a padded length only so many of the highest bits may be set. Padmé (Nikitin et
#: al., PETS 2019) keeps floor(log2(floor(log2 n))) + 1, which is 5 from 64 KiB to 4 GiB.
_BITS = 5


def padded_length(size: int) -> int:
    """Give the length (bytes) to which content of *size* bytes is padded.

    At most 1/32 more (3.2 %) from 64 KiB on: what shows is one of 32 lengths between
    one power of two and the next.
    """
    if size <= LENGTH_LEAST:
        return LENGTH_LEAST
    unit = 1 << size.bit_length() - 1 - _BITS
    return -(-size // unit) * unit


def _secret(key: DataKey) -> bytes:
    return HKDFExpand(SHA256(), 32, _KEY).derive(key.secret)


def _context(key: DataKey, case_file: UUID) -> bytes:
    """Bind a stream to its attachment (the record of *key*), case file and key version."""
    parts = (key.compartment.encode(), key.record.bytes, case_file.bytes)
    return frame(_PURPOSE, *parts) + LENGTH_4 + key.version.to_bytes(4)


class _Unshown:
    """What shows nothing and is never copied: there is a key in it."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show nothing."""
        return "<stream>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a stream is not pickled or copied")


@final
class StreamSealer(_Unshown):
    """Seals one content, piece by piece; what it gives is the stream, in order."""

    __slots__ = ("_encryptor", "size")

    def __init__(self, key: DataKey, case_file: UUID) -> None:
        """Seal for the attachment that is the record of *key*, in *case_file*."""
        self._encryptor = Cobblestone256Encryptor(_secret(key), _context(key, case_file))
        #: Bytes of content so far.
        self.size = 0

    def update(self, content: bytes) -> bytes:
        """Take the next bytes of the content; give what can be sealed by now."""
        self.size += len(content)
        return self._encryptor.update(content)

    def finish(self) -> bytes:
        """Pad, and give the end of the stream: up to 64 KiB or 1/32 of the content."""
        padding = bytes(padded_length(self.size) - self.size)
        return self._encryptor.update(padding) + self._encryptor.finalize()


class _Reading(_Unshown):
    """One passage over a stream: every piece is verified before anything is made of it."""

    __slots__ = ("_decryptor", "_length", "_read", "_size")

    def __init__(self, key: DataKey, case_file: UUID, size: int) -> None:
        self._decryptor = Cobblestone256Decryptor(_secret(key), _context(key, case_file))
        self._size = size
        self._length = padded_length(size)
        self._read = 0

    def _take(self, piece: bytes) -> bytes:
        """Give the content in a verified *piece*, and refuse padding that is none."""
        start, self._read = self._read, self._read + len(piece)
        room = max(0, self._size - start)
        padding = piece[room:]
        if self._read > self._length or padding.count(0) != len(padding):
            raise SealBroken
        return piece[:room]

    def _update(self, sealed: bytes) -> bytes:
        try:
            return self._take(self._decryptor.update(sealed))
        except InvalidTag:
            raise SealBroken from None

    def _finish(self) -> bytes:
        try:
            rest = self._take(self._decryptor.finalize())
        except InvalidTag:
            raise SealBroken from None
        if self._read != self._length:
            raise SealBroken
        return rest


_CHECKED = object()


@final
class Checked(_Unshown):
    """Proof that a stream was read to its end and is whole. Made by StreamCheck only."""

    __slots__ = ("case_file", "key", "size")

    def __init__(self, token: object, key: DataKey, case_file: UUID, size: int) -> None:
        """Refuse every maker but `StreamCheck.finish`."""
        if token is not _CHECKED:
            raise SealBroken
        self.key = key
        self.case_file = case_file
        self.size = size


@final
class StreamCheck(_Reading):
    """Reads a stream to its end and gives away nothing of it."""

    __slots__ = ("_of",)

    def __init__(self, key: DataKey, case_file: UUID, size: int) -> None:
        """Expect the stream that was sealed for these; *size* is that of the content."""
        super().__init__(key, case_file, size)
        self._of = (key, case_file, size)

    def update(self, sealed: bytes) -> None:
        """Verify the next bytes of the stream.

        Raises:
            SealBroken: changed, moved, sealed for something else, or too long.
        """
        self._update(sealed)

    def finish(self) -> Checked:
        """Give the proof that nothing is missing and nothing was added.

        Raises:
            SealBroken: the stream ended too soon or too late.
        """
        self._finish()
        return Checked(_CHECKED, *self._of)


@final
class StreamOpener(_Reading):
    """Gives the content of a stream that was checked; verifies it again meanwhile."""

    __slots__ = ()

    def __init__(self, checked: Checked) -> None:
        """Open the stream that *checked* is the proof of."""
        super().__init__(checked.key, checked.case_file, checked.size)

    def update(self, sealed: bytes) -> bytes:
        """Give the content in the next bytes of the stream.

        Raises:
            SealBroken: it is not what was checked.
        """
        return self._update(sealed)

    def finish(self) -> bytes:
        """Give the last of the content; now the stream was whole again.

        Raises:
            SealBroken: it is not what was checked.
        """
        return self._finish()
