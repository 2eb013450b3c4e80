"""SQLite's own way to the disk, watched and made to fail: a VFS around the usual one.

Python offers no hook there, so the structs of sqlite3.h (https://sqlite.org/c3ref/vfs.html,
https://sqlite.org/c3ref/io_methods.html) are filled through ctypes, in the library that
the module `sqlite3` is linked with. Every call goes on to the usual functions; writes,
truncations and syncs are noted on the way, or refused.
"""

import _sqlite3
import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: SQLITE_IOERR with the operation that failed.
IOERR_WRITE = 10 | 3 << 8
IOERR_FSYNC = 10 | 4 << 8
IOERR_TRUNCATE = 10 | 6 << 8

_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
# The name as a pointer: SQLite keeps it, and reads what stands behind it.
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        # From xFileSize to xUnfetch, as they are.
        ("more", c_void_p * 13),
    ]


class _Vfs(Structure):
    _fields_ = [
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _OPEN),
        # From xDelete to xNextSystemCall, as they are.
        ("more", c_void_p * 15),
    ]


class _File(Structure):
    _fields_ = [("methods", POINTER(_Methods))]


@dataclass
class WatchedDisk:
    """What happened on the disk, in order, and what shall fail.

    Attributes:
        happened: `write`, `truncate` or `sync` and the file's name, and what tests add.
        fail_at: the number, from 0, of the first operation that fails; None: none does.
        once: only that one fails; else all from there on, as on a disk that is gone.
    """

    happened: list[str] = field(default_factory=list)
    fail_at: int | None = None
    once: bool = True
    operations: int = 0
    failed: int = 0

    def fails(self, what: str, name: str) -> bool:
        """Count an operation; say whether it fails."""
        number, self.operations = self.operations, self.operations + 1
        if self.fail_at is not None and (
            number == self.fail_at or (number > self.fail_at and not self.once)
        ):
            self.failed += 1
            self.happened.append(f"failed {what} {name}")
            return True
        self.happened.append(f"{what} {name}")
        return False


@contextmanager
def watched(disk: WatchedDisk) -> Iterator[None]:
    """Let every file of SQLite that is opened while the block runs be on *disk*."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = POINTER(_Vfs)
    usual = library.sqlite3_vfs_find(None)
    ours = _Vfs()
    ctypes.pointer(ours)[0] = usual.contents
    ours.name = b"watched"
    names: dict[int, str] = {}
    kept: list[Any] = []  # What C points at lives as long as the files.

    def wrapped(methods: _Methods) -> _Methods:
        mine = _Methods()
        ctypes.pointer(mine)[0] = methods
        write, truncate, sync = methods.write, methods.truncate, methods.sync

        def on_write(file: int, data: int, size: int, at: int) -> int:
            if disk.fails("write", names[file]):
                write(file, data, size // 2, at)  # Torn: some of it is there.
                return IOERR_WRITE
            return int(write(file, data, size, at))

        def on_truncate(file: int, size: int) -> int:
            if disk.fails("truncate", names[file]):
                return IOERR_TRUNCATE
            return int(truncate(file, size))

        def on_sync(file: int, flags: int) -> int:
            if disk.fails("sync", names[file]):
                return IOERR_FSYNC
            return int(sync(file, flags))

        mine.write, mine.truncate, mine.sync = (
            _WRITE(on_write),
            _TRUNCATE(on_truncate),
            _SYNC(on_sync),
        )
        kept.append((mine, methods))
        return mine

    def on_open(_vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        result = int(usual.contents.open(ctypes.addressof(usual.contents), name, file, flags, out))
        opened = _File.from_address(file)
        if result == 0 and opened.methods:
            names[file] = Path(os.fsdecode(ctypes.string_at(name) if name else b"")).name
            opened.methods = ctypes.pointer(wrapped(opened.methods.contents))
        return result

    ours.open = _OPEN(on_open)
    if library.sqlite3_vfs_register(ctypes.byref(ours), 1):
        raise RuntimeError("SQLite does not take the watcher")
    try:
        yield
    finally:
        library.sqlite3_vfs_register(usual, 1)
        library.sqlite3_vfs_unregister(ctypes.byref(ours))
        _LIVING.append((ours, kept))  # A connection may be closed later.


_LIVING: list[Any] = []
