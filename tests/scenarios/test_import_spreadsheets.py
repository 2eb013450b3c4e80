"""Spreadsheets are imported as CSV is; a trap in one is refused by a process without keys."""

import io
import zipfile
from collections.abc import Callable

import pytest

from api.demo.synthetic import BUDI
from tests.scenarios import sharing
from tests.scenarios.asking import counted
from tests.scenarios.importing import MAPPING, codes, of, send, table, told
from tests.scenarios.spreadsheets import SHEET, XAV, book, other
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still


async def test_a_spreadsheet_becomes_case_files_as_csv_does(world: World) -> None:
    found = await told(world, BUDI, book(XAV, [], XAV[:2] + [None] * 2 + XAV[4:]), "run")

    assert [line["row"] for line in of("written", found)] == [2, 4]
    assert (found[-1]["state"], found[-1]["written"]) == ("done", 2)
    assert of("written", found)[0]["reference"].startswith("KH-2021-")


async def test_another_sheet_is_taken_by_its_name(still: World) -> None:
    content = book(XAV, before=True)

    first = await told(still, BUDI, content, mapping=MAPPING | {"sheet": "Kasus"})
    refused = await send(still, BUDI, content)
    unknown = await send(still, BUDI, content, mapping=MAPPING | {"sheet": "Lain"})

    assert (first[-1]["state"], first[-1]["rows"]) == ("checked", 1)
    assert [codes(answer) for answer in (refused, unknown)] == [["IMPORT_FILE_INVALID"]] * 2


@pytest.mark.parametrize(
    ("place", "value", "column", "code"),
    [
        (0, "=1+1", "Nama", "CELL_FORMULA"),
        (0, '=HYPERLINK("http://x","Xaveria")', "Nama", "CELL_FORMULA"),
        (9, "@SUM(A1:A2)", "Kronologi", "CELL_FORMULA"),
        (9, "#N/A", "Kronologi", "CELL_FORMULA"),
        # Excel has rounded it: its last digit is not the one that was typed.
        (2, 3174014507850091, "NIK", "NIK_INVALID"),
        (7, "bukan tanggal", "Dibuka", "VALUE_INVALID"),
        (6, 2.5, "Kerahasiaan", "VALUE_INVALID"),
    ],
)
async def test_formulas_errors_and_rounded_numbers_are_faults_of_their_rows(
    still: World, place: int, value: object, column: str, code: str
) -> None:
    row = [*XAV]
    row[place] = value

    found = await told(still, BUDI, book(XAV, row))

    assert of("faulty", found) == [
        {"kind": "faulty", "row": 3, "faults": [{"code": code, "column": column}]}
    ]


def entities(text: str) -> str:
    """Declare entities that grow a thousandfold, and use one."""
    pairs = zip("abc", "bcd", strict=True)
    declared = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairs)
    declared = f'<!ENTITY a "xxxxxxxxxx">{declared}'
    head, _, rest = text.partition("<worksheet")
    return f"{head}<!DOCTYPE worksheet [{declared}]><worksheet{rest}".replace("Xaveria", "&d;")


def outside(text: str) -> str:
    head, _, rest = text.partition("<worksheet")
    return f'{head}<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet{rest}'


def bomb() -> bytes:
    """Pack 300 MiB of blanks into a part of 300 KiB."""
    held = io.BytesIO(book(XAV))
    with zipfile.ZipFile(held, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/more.xml", b" " * (300 * 1024 * 1024))
    return held.getvalue()


def lying() -> bytes:
    """Claim that a packed part is small: the sizes in the directory are what is believed."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b" " * 10_000_000)
    return held.getvalue().replace((10_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))


def wide(text: str) -> str:
    """Put one cell far to the right, and one far below."""
    return text.replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"/></row></sheetData>')


HOSTILE: dict[str, Callable[[], bytes]] = {
    "entities": lambda: other(book(XAV), {SHEET: entities}),
    "an entity from outside": lambda: other(book(XAV), {SHEET: outside}),
    "blanks by the million": bomb,
    "a part that is larger than it says": lying,
    "no spreadsheet in the archive": lambda: other(book(XAV), {"xl/workbook.xml": lambda _: ""}),
    "cut off": lambda: book(XAV)[:-100],
    "names only": lambda: book(),
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
async def test_a_spreadsheet_that_is_a_trap_is_refused_and_nothing_is_written(
    still: World, made: Callable[[], bytes]
) -> None:
    before, there = await still.size(), await counted(still, "case_file", "import_run")

    answer = await send(still, BUDI, made(), "run")

    assert (answer.status_code, codes(answer)) == (400, ["IMPORT_FILE_INVALID"])
    assert await still.size() == before
    assert await counted(still, "case_file", "import_run") == there


async def test_a_cell_at_the_far_end_makes_no_rows(still: World) -> None:
    found = await told(still, BUDI, other(book(XAV), {SHEET: wide}))
    assert (found[0]["rows"], found[-1]["state"]) == (1, "checked")


async def test_csv_that_begins_like_an_archive_is_none(still: World) -> None:
    answer = await send(still, BUDI, b"PK\x03\x04" + table())
    assert codes(answer) == ["IMPORT_FILE_INVALID"]
