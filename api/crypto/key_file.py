"""The file that holds the keys of the `file` key service, sealed with a passphrase.

Argon2id (RFC 9106) makes the sealing key; its parameters stand in clear and are
authenticated. A write replaces the whole file or nothing, whenever it is cut off
(FORMAT.md, "Key file").
"""

import fcntl
import os
import stat
import struct
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from api.errors import RefusesToStart

Randomness = Callable[[int], bytes]

_MAGIC = b"perisai keys\x01\n"
_HEADER = struct.Struct(">14sIII16s12s")  # magic, memory, iterations, lanes, salt, nonce
_SALT = 16
_NONCE = 12

#: Shortest passphrase for a new file, in characters.
SHORTEST_PASSPHRASE = 12

#: Longest file that is read, in bytes: thousands of keys.
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the passphrase costs (RFC 9106, 3.1).

    Above the second recommendation of RFC 9106, 4 (64 MiB): a start may take a
    second, and a stolen file will be guessed at with many machines.

    Attributes:
        memory: in KiB.
    """

    memory: int = 256 * 1024
    iterations: int = 3
    lanes: int = 4

    def bearable(self) -> bool:
        """Tell whether a start may try it: a changed file must not eat the machine."""
        return (
            1 <= self.lanes <= 64
            and 8 * self.lanes <= self.memory <= 4 * 1024 * 1024
            and 1 <= self.iterations <= 100
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """An open key file.

    Attributes:
        header: no two writes have the same, so it tells whether a file was changed.
        cost: what its writer had a guess cost.
    """

    header: bytes
    cost: Cost
    payload: bytes = field(repr=False)


def header(path: Path) -> bytes:
    """Give the header of the key file, without the passphrase and its cost.

    Raises:
        RefusesToStart: no such file, or open to others.
    """
    return _bytes_of(path, _HEADER.size)


def read(path: Path, passphrase: str) -> Opened:
    """Open the key file.

    Raises:
        RefusesToStart: no such file, open to others, changed, or another passphrase.
    """
    data = _bytes_of(path, _LONGEST)
    if len(data) < _HEADER.size or data[: len(_MAGIC)] != _MAGIC:
        raise RefusesToStart(f"{path} is not a key file of Perisai.")
    head, sealed = data[: _HEADER.size], data[_HEADER.size :]
    _, memory, iterations, lanes, salt, nonce = _HEADER.unpack(head)
    cost = Cost(memory, iterations, lanes)
    if cost.bearable():
        cipher = AESGCM(_derived(passphrase, salt, cost))
        try:
            return Opened(head, cost, cipher.decrypt(nonce, sealed, head))
        except InvalidTag:
            pass
    raise RefusesToStart(
        f"The key file {path} does not open: the passphrase is wrong or the file was changed."
    )


def create(
    path: Path, passphrase: str, payload: bytes, cost: Cost, randomness: Randomness
) -> bytes:
    """Write a key file that was not there; give its header.

    Raises:
        RefusesToStart: it is there already, or the passphrase is too short.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise RefusesToStart(
            f"The passphrase of the key file has fewer than {SHORTEST_PASSPHRASE} characters."
        )
    with locked_folder(path) as folder:
        if path.exists() or path.is_symlink():
            raise RefusesToStart(f"There is a key file at {path} already; it is never replaced.")
        return replace(path, folder, passphrase, payload, cost, randomness)


@contextmanager
def locked_folder(path: Path) -> Iterator[int]:
    """Hold the only right to change the key file at *path*; gives its open folder.

    Raises:
        RefusesToStart: there is no such folder.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise RefusesToStart(f"There is no folder {path.parent} for the key file.") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def replace(
    path: Path, folder: int, passphrase: str, payload: bytes, cost: Cost, randomness: Randomness
) -> bytes:
    """Write the key file anew, under a new salt and nonce, with its *folder* locked.

    Gives the new header.

    Raises:
        RefusesToStart: it would be too long to be read again; the old one stays.
    """
    salt, nonce = randomness(_SALT), randomness(_NONCE)
    head = _HEADER.pack(_MAGIC, cost.memory, cost.iterations, cost.lanes, salt, nonce)
    cipher = AESGCM(_derived(passphrase, salt, cost))
    data = head + cipher.encrypt(nonce, payload, head)
    if len(data) > _LONGEST:
        raise RefusesToStart(f"The key file {path} would be longer than 1 MiB.")

    # The lock makes the name ours: what stands there is left from a crash.
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    os.fsync(folder)
    return head


def _bytes_of(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise RefusesToStart(
                    f"Others than its owner may use the key file {path}. Run: chmod 600 {path}"
                )
            return file.read(limit)
    except OSError:
        raise RefusesToStart(f"The key file {path} is missing or cannot be read.") from None


#: Two derivations at once in one process were seen to wait for each other for ever (their
#: lanes share OpenSSL's threads); and each takes 256 MiB.
_ONE_AT_A_TIME = threading.Lock()


def _derived(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    # NFC: one passphrase, typed on two systems, is one byte string. A lone surrogate
    # passes, since an error would hold the passphrase.
    typed = unicodedata.normalize("NFC", passphrase).encode(errors="surrogatepass")
    with _ONE_AT_A_TIME:
        return Argon2id(
            salt=salt,
            length=32,
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_cost=cost.memory,
        ).derive(typed)
