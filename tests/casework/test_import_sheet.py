"""The program that takes spreadsheets apart keeps its bounds and says nothing of what fails."""

import io
import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from api.casework import import_table
from api.casework.import_mapping import parse_mapping
from api.errors import ImportFileInvalid
from tests.scenarios.importing import MAPPING, table
from tests.scenarios.spreadsheets import SHEET, XAV, book, other


def test_one_long_text_that_every_cell_names_is_not_multiplied() -> None:
    row = ["x" * 30_000] * 200
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet()
    for _ in range(12):
        sheet.append(row)
    held = io.BytesIO()
    made.save(held)

    assert ran(held.getvalue()).returncode != 0


def test_the_error_about_a_file_holds_nothing_of_it() -> None:
    broken = other(book(XAV), {SHEET: lambda text: text.replace("</row>", "", 1)})
    mapping = parse_mapping(json.dumps(MAPPING).encode())
    for content in (broken, table() + b"\xff"):
        with pytest.raises(ImportFileInvalid) as caught:
            import_table.read_table(content, mapping)
        assert caught.value.__cause__ is caught.value.__context__ is None


def ran(content: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Run the program as the service does."""
    program = Path(import_table.__file__).with_name("import_sheet.py")
    asked = b'{"sheet": null, "rows_most": 20000, "columns_most": 300}\n'
    return subprocess.run(
        [sys.executable, "-B", "-P", str(program)],
        input=asked + content,
        capture_output=True,
        timeout=60,
        check=False,
    )
