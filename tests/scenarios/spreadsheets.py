"""Words that tests of spreadsheets share: how to write one, and how to tamper with its parts."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import openpyxl

from tests.scenarios.importing import NAMES

HEAD = NAMES.split(";")
XAV = ["Xaveria Ngabdurrahman", "Bu Xav|Mbak Ve", "3174014507850091", "0812 9001 7711", "DKI",
       "tinggi", 2, date(2021, 8, 17), "ancaman", "Diancam di depan kantornya."]  # fmt: skip
SHEET = "xl/worksheets/sheet1.xml"


def book(*rows: Sequence[Any], title: str = "Kasus", before: bool = False) -> bytes:
    """Write a spreadsheet with these rows below the names."""
    made = openpyxl.Workbook()
    sheet = made.active
    if before:
        sheet.title = "Catatan"
        sheet = made.create_sheet()
    sheet.title = title
    for row in (HEAD, *rows):
        sheet.append(list(row))
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def other(content: bytes, parts: dict[str, Callable[[str], str]]) -> bytes:
    """Give the spreadsheet with some of its parts changed."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, parts[name](text.decode()).encode() if name in parts else text)
    return held.getvalue()
