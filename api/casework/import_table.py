"""The file of an import as a table: names of columns, then rows of texts.

CSV in UTF-8, with or without a byte order mark, or a spreadsheet (XLSX), which a process of
its own takes apart. All of it is in memory and nothing of it is written anywhere; what is
wrong with it is told without a word of it.
"""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from api.casework.import_mapping import ImportMapping
from api.errors import ImportFileInvalid

#: Bytes of a file at the most, and rows below the names.
FILE_MOST = 32 * 1024 * 1024
ROWS_MOST = 20_000

#: Columns at the most; spreadsheets that are used as forms have some dozens.
COLUMNS_MOST = 300

#: Delimiters in a line at the most: a quoted text may hold some, too.
_PARTS_MOST = 10_000

#: How a spreadsheet begins: it is a ZIP archive.
_SPREADSHEET = b"PK\x03\x04"

#: Seconds in which one must be taken apart; 20,000 rows take some.
_SHEET_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file.

    Attributes:
        number: as a spreadsheet shows it; the names of the columns are row 1.
        cells: None: the row has not as many cells as there are columns.
    """

    number: int
    cells: Sequence[str] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read.

    Attributes:
        positions: name of a mapped column -> its place in a row.
        missing: columns that the mapping names and the file has not.
        unmapped: how many columns mean nothing to the mapping.
        lines: the rows that are not blank.
    """

    positions: Mapping[str, int]
    missing: tuple[str, ...]
    unmapped: int
    lines: Sequence[Line] = field(repr=False)


def read_table(content: bytes, mapping: ImportMapping) -> Table:
    """Read *content*; for a spreadsheet this waits for a process.

    Raises:
        ImportFileInvalid: it is no such table.
    """
    sheet = content.startswith(_SPREADSHEET)
    rows = _of_sheet(content, mapping.sheet) if sheet else _of_text(content, mapping.delimiter)
    names = [name.strip() for name in next(rows, [])]
    if len(names) > COLUMNS_MOST:
        raise ImportFileInvalid
    lines = []
    for number, cells in enumerate(rows, 2):
        if any(cell.strip() for cell in cells):
            # Of a spreadsheet the cells come up to the last that is not empty.
            filled = [*cells, *[""] * (len(names) - len(cells))] if sheet else cells
            lines.append(Line(number, _fitting(filled, len(names))))
        if len(lines) > ROWS_MOST:
            raise ImportFileInvalid
    wanted = mapping.columns
    if not lines:
        raise ImportFileInvalid
    if any(names.count(column) > 1 for column in wanted):
        raise ImportFileInvalid
    return Table(
        {name: names.index(name) for name in wanted if name in names},
        tuple(name for name in wanted if name not in names),
        sum(name not in wanted for name in names),
        lines,
    )


def _of_text(content: bytes, delimiter: str | None) -> Iterator[list[str]]:
    text = _decoded(content)
    if "\x00" in text:
        raise ImportFileInvalid
    between = delimiter or _shown(text)
    try:
        yield from csv.reader(_bounded(text, between), delimiter=between, strict=True)
    except csv.Error:
        raise ImportFileInvalid from None


def _bounded(text: str, delimiter: str) -> Iterator[str]:
    """Give the lines of *text*; the reader makes a cell of each part of one at once."""
    for line in io.StringIO(text, newline=""):
        if line.count(delimiter) > _PARTS_MOST:
            raise ImportFileInvalid
        yield line


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # Raised below, so that the error does not hold the file as its context.
    raise ImportFileInvalid


def _of_sheet(content: bytes, sheet: str | None) -> Iterator[list[str]]:
    asked = {"sheet": sheet, "rows_most": ROWS_MOST, "columns_most": COLUMNS_MOST}
    program = str(Path(__file__).with_name("import_sheet.py"))
    # Nothing of what this process knows goes along but where its modules are.
    known = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
    given: bytes | None = None
    # An error of it holds what was sent and given: ours is raised when that one is gone.
    with suppress(subprocess.SubprocessError, OSError):
        # Our own program, without an argument.
        given = subprocess.run(  # noqa: S603
            [sys.executable, "-B", "-P", program],
            input=json.dumps(asked).encode() + b"\n" + content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # It may show values.
            env=known,
            timeout=_SHEET_SECONDS,
            check=True,
        ).stdout
    if given is None:
        raise ImportFileInvalid
    yield from _texts(io.BytesIO(given))


def _texts(lines: Iterable[bytes]) -> Iterator[list[str]]:
    """Believe the process nothing but rows of texts."""
    for line in lines:
        row = None
        with suppress(ValueError):
            row = json.loads(line)
        if type(row) is not list or any(type(text) is not str for text in row):
            raise ImportFileInvalid
        yield row


def _shown(text: str) -> str:
    """Tell what stands between cells, by the line of names."""
    head = text.partition("\n")[0]
    return ";" if head.count(";") > head.count(",") else ","


def _fitting(cells: list[str], columns: int) -> list[str] | None:
    """Give as many cells as there are columns: some programs write empty ones behind."""
    if len(cells) < columns or any(cells[columns:]):
        return None
    return cells[:columns]
