"""Takes a spreadsheet apart, as a program of its own: bytes in, rows of texts out.

A spreadsheet is a format in which much can be hidden, so it is read by a process that holds no
key and no connection, with little memory and time, and that can write no file. It
imports nothing of ours; `import_table` starts it and believes it nothing but texts. It
says nothing of why it fails: that could be a value.

Values only: a formula is given as "=", whatever was its result, and so is an error.
"""

import ctypes
import io
import json
import math
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime

#: Bounds of the process: bytes of memory, seconds of the processor.
_MEMORY = 1024 * 1024 * 1024
_SECONDS = 60

#: Parts of the archive, their bytes unpacked, and bytes that are given: one text can be named
#: by every cell.
_PARTS_MOST = 2_000
_UNPACKED_MOST = 256 * 1024 * 1024
_TEXT_MOST = 64 * 1024 * 1024

#: linux/prctl.h
_PR_SET_DUMPABLE = 4

#: Excel keeps 15 digits of a number; a NIK that was typed as one has lost its last.
_EXACT_BELOW = 10**15


def rows(content: bytes, sheet: str | None, rows_most: int, columns_most: int) -> Iterator[bytes]:
    """Give the rows of *sheet* (None: the first), each a line of JSON: a list of texts.

    Raises:
        ValueError, and whatever reading such a thing raises: it is not taken.
    """
    import openpyxl  # Only after the bounds are set.
    from openpyxl.cell.read_only import EMPTY_CELL

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > _PARTS_MOST or sum(part.file_size for part in parts) > _UNPACKED_MOST:
            raise ValueError("too much")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    found = book.worksheets[0] if sheet is None else book[sheet]
    left = _TEXT_MOST
    for row in found.iter_rows(max_row=rows_most + 2, max_col=columns_most + 1):
        # What is not there is one and the same object: most of a sheet may be that.
        texts = ["" if c is EMPTY_CELL else _text(c.value, c.data_type) for c in row]
        while texts and not texts[-1]:
            texts.pop()
        line = json.dumps(texts, ensure_ascii=False).encode() + b"\n"
        left -= len(line)
        if left < 0:
            raise ValueError("too much")
        yield line


def _text(value: object, kind: str) -> str:
    """Say a value as a file of texts would."""
    if kind in ("f", "e"):
        return "="
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case int() | float() if not math.isfinite(value):
            return "="
        case int() | float():
            if abs(value) >= _EXACT_BELOW:
                return f"{value:.5E}"  # As Excel writes it: no identifier any more.
            return str(int(value)) if value == int(value) else repr(value)
        case _:
            return str(value)


def main() -> int:
    """Read what is asked and the file on stdin, write a line for each row to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # Pipes are no files.
    if sys.platform == "linux":  # Nor for a program that takes dumps and asks no limit.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Not as an argument, which every account of the machine reads: a sheet may be named after
    # somebody.
    asked = json.loads(sys.stdin.buffer.readline())
    for line in rows(sys.stdin.buffer.read(), **asked):
        sys.stdout.buffer.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
