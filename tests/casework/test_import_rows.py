"""Whatever is sent as a mapping, a file or a row: it is read, or refused without a value."""

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework.import_duplicates import identifiers, within
from api.casework.import_mapping import MAPPING_MOST, faults, parse_mapping
from api.casework.import_rows import Row, RowReader
from api.casework.import_table import Line, read_table
from api.code_lists import load
from api.errors import ImportFileInvalid, ImportMappingInvalid
from tests.scenarios.importing import BAD_NIK, FORMULA, MAPPING, NAMES, NO_DATE, ROWS, table

TODAY = date(2026, 11, 2)
PARSED = parse_mapping(json.dumps(MAPPING).encode())
COLUMNS = NAMES.split(";")
PLACES = {name: place for place, name in enumerate(COLUMNS)}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def read(*cells: str) -> Row:
    return RowReader(load(), PARSED, PLACES, TODAY).read(Line(2, cells))


def row(text: str) -> Row:
    return read(*next(csv.reader(io.StringIO(text), delimiter=";")))


@given(anything, st.sampled_from([*MAPPING, "delimiter", "empty", "leaveOut", "sheet", "more"]))
def test_a_mapping_with_anything_in_it_holds_or_is_refused(value: Any, place: str) -> None:
    for raw in (value, MAPPING | {place: value}):
        line = json.dumps(raw).encode()
        if list(faults(raw)):
            with pytest.raises(ImportMappingInvalid):
                parse_mapping(line)
        else:
            assert set(parse_mapping(line).columns) <= set(COLUMNS) | set(_columns(raw))


def _columns(raw: Any) -> list[str]:
    sources = [one for fields in (raw["caseFile"], *raw["defenders"]) for one in fields.values()]
    return [(one if type(one) is str else one.get("column", "")).strip() for one in sources]


@given(st.binary(max_size=60))
def test_bytes_that_are_no_mapping_are_refused(line: bytes) -> None:
    with pytest.raises(ImportMappingInvalid):
        parse_mapping(line)


def test_a_mapping_that_is_deep_is_refused() -> None:
    for deep in ("[" * (MAPPING_MOST - 1), '{"a":' * 10_000):
        with pytest.raises(ImportMappingInvalid):
            parse_mapping(deep.encode())


@given(st.lists(st.lists(texts, min_size=10, max_size=10), min_size=1, max_size=5),
       st.sampled_from([",", ";", "\t"]), st.booleans())  # fmt: skip
def test_a_table_reads_back_as_it_was_written(
    rows: list[list[str]], delimiter: str, mark: bool
) -> None:
    held = io.StringIO(newline="")
    out = csv.writer(held, delimiter=delimiter)
    out.writerows([COLUMNS, *rows])
    content = held.getvalue().encode("utf-8-sig" if mark else "utf-8")
    mapping = parse_mapping(json.dumps(MAPPING | {"delimiter": delimiter}).encode())
    filled = [one for one in rows if any(cell.strip() for cell in one)]
    if not filled:
        with pytest.raises(ImportFileInvalid):
            read_table(content, mapping)
        return

    found = read_table(content, mapping)

    assert [line.cells for line in found.lines] == filled
    assert (found.missing, found.unmapped, found.positions) == ((), 0, PLACES)


@given(st.binary(max_size=200))
def test_bytes_are_a_table_or_refused(content: bytes) -> None:
    try:
        found = read_table(content.replace(b"PK", b"pk"), PARSED)
    except ImportFileInvalid:
        return
    assert len(found.lines) > 0


@given(st.lists(texts, min_size=10, max_size=10))
def test_a_row_of_anything_is_sound_or_has_faults_that_name_columns_only(cells: list[str]) -> None:
    found = read(*cells)

    assert bool(found.faults) is not bool(found.people)
    assert {fault.column for fault in found.faults} <= {*COLUMNS, None}
    assert all(cell not in repr(found) for cell in cells if len(cell) > 20)


def test_what_a_row_holds_shows_in_no_text_about_it() -> None:
    for text in (*ROWS[:2], BAD_NIK, NO_DATE, FORMULA):
        shown = repr(row(text)) + repr(list(identifiers(row(text)))) + repr(PARSED)
        for cell in text.split(";"):
            assert len(cell) < 6 or cell not in shown


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("Nama", "=1", "CELL_FORMULA"),
        ("Nama", " =1", "CELL_FORMULA"),
        ("Nama", "@SUM(A1)", "CELL_FORMULA"),
        ("Nama", "+cmd|' /C calc'!A0", "CELL_FORMULA"),
        ("Nama", "-IMPORTXML(A1)", "CELL_FORMULA"),
        ("Nama", "-2+3+cmd|' /C calc'!A0", "CELL_FORMULA"),
        ("Nama", '+1+HYPERLINK("http://x")', "CELL_FORMULA"),
        ("Nama", "Budi|=1+1", "CELL_FORMULA"),
        ("Alias", "@budi_pejuang", None),
        ("Telepon", "+62 812 9001 7711", None),
        ("Telepon", "+62 812 9001 7711|+6281290017712", None),
        ("Telepon", "+62 (812) 9001 7711|0812-9001-7712", None),
        ("Telepon", "+6281290017711|=1+1", "CELL_FORMULA"),
        ("Telepon", "0812|12", "PHONE_INVALID"),
        ("NIK", "3.17401E+15", "NIK_INVALID"),
        ("Kronologi", "- Pertama ia diikuti (dua kali).", None),
        ("Dibuka", "31/02/2020", "VALUE_INVALID"),
        ("Dibuka", "01/01/1949", "VALUE_INVALID"),
        ("Dibuka", "03/11/2026", "VALUE_INVALID"),
        ("Dibuka", "2020-02-01", None),
        ("Dibuka", "-", "VALUE_MISSING"),
        ("Kerahasiaan", "12", "VALUE_INVALID"),
        ("Kerahasiaan", "0", "VALUE_INVALID"),
        ("Provinsi", "Jakarta", "VALUE_INVALID"),
        ("Urgensi", "IMMEDIATE", None),
        ("Kasus", "ancaman|entah", "VALUE_INVALID"),
    ],
)
def test_each_cell_is_judged_by_itself(column: str, text: str, code: str | None) -> None:
    cells = next(csv.reader(io.StringIO(ROWS[0]), delimiter=";"))
    cells[PLACES[column]] = text

    found = read(*cells)

    assert [(f.code, f.column) for f in found.faults] == ([] if code is None else [(code, column)])


def test_a_row_about_nobody_is_faulty_and_a_second_person_may_be_missing() -> None:
    nobody = ROWS[0].replace("Xaveria Ngabdurrahman;Bu Xav|Mbak Ve;3174014507850091;0812 9001 7711",
                             ";;;")  # fmt: skip
    assert [(f.code, f.column) for f in row(nobody).faults] == [("VALUE_MISSING", None)]
    two = MAPPING | {"defenders": [*MAPPING["defenders"], {"fullName": "Alias"}]}
    reader = RowReader(load(), parse_mapping(json.dumps(two).encode()), PLACES, TODAY)
    found = [reader.read(line) for line in read_table(table(*ROWS[:2]), PARSED).lines]
    assert [len(one.people) for one in found] == [2, 1]


def test_the_same_person_twice_in_one_row_is_no_duplicate() -> None:
    one = row(ROWS[0])
    assert list(within([*identifiers(one), *identifiers(one)])) == []
