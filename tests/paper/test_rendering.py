"""A paper is a PDF that a screen reader reads; what it says is text, whatever it looks like."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from api.errors import PaperNotMade
from api.paper import apart, rendering
from api.paper.document import Grid, Paper, Prose, Section
from api.paper.rendering import render
from api.vocabulary import Language

HOSTILE = (
    '#read("/etc/passwd") *tebal* _miring_ $x^2$ `kode` <label> @rujukan '
    '= Judul // catatan /* */ \\ #eval("1+1") #import "@preview/cetz:0.3.0": * '
    '#include "paper.typ" https://example.org --- "kutip" ~ [isi] {isi}'
)


def paper(*, language: Language = Language.ID, text: str = "Ringkasan.", rows: int = 2) -> Paper:
    return Paper(
        language=language,
        title="Rilis tersunting",
        page="Halaman",
        foot=("Salinan untuk lbh-nusantara.", "Tanda PRS-0000"),
        blocks=(
            Section("Isi"),
            Grid(("Perihal", "Isi"), tuple((f"baris {n}", "nilai") for n in range(rows))),
            Section("Ringkasan"),
            Prose(text),
        ),
    )


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(pdf).pages).split())


def elements(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Give the elements of the tree that a screen reader walks, in their order."""

    def below(node: Any) -> Iterator[DictionaryObject]:
        for kid in node.get("/K", []) if isinstance(node.get("/K"), list) else [node.get("/K")]:
            found = None if kid is None else kid.get_object()
            if isinstance(found, DictionaryObject) and "/S" in found:
                yield found
                yield from below(found)

    root: Any = reader.trailer["/Root"]
    yield from below(root["/StructTreeRoot"])


@pytest.fixture(scope="module")
def made() -> bytes:
    return render(paper(rows=120))


def test_a_paper_says_its_language_its_title_and_what_it_conforms_to(made: bytes) -> None:
    reader = read(made)
    root: Any = reader.trailer["/Root"]

    assert root["/Lang"] == "id"
    assert bool(root["/MarkInfo"]["/Marked"])
    assert bool(root["/ViewerPreferences"]["/DisplayDocTitle"])
    assert reader.metadata is not None
    assert reader.metadata.title == "Rilis tersunting"
    assert b"pdfuaid" in root["/Metadata"].get_data()


def test_a_paper_has_headings_and_a_table_with_a_head_for_a_screen_reader(made: bytes) -> None:
    found = list(elements(read(made)))
    kinds = [str(element["/S"]) for element in found]

    assert [kind for kind in kinds if re.fullmatch(r"/H\d", kind)] == ["/H1", "/H2", "/H2"]
    assert kinds.count("/Table") == 1
    assert kinds.count("/TH") == 2
    assert kinds.count("/TD") == 240
    assert kinds.count("/P") >= 1
    heads: list[Any] = [element for element in found if element["/S"] == "/TH"]
    assert [one.get("/Scope") for head in heads for one in head["/A"] if "/Scope" in one] == [
        "/Column"
    ] * 2


def test_a_paper_is_a4_and_each_page_has_the_foot(made: bytes) -> None:
    pages = read(made).pages

    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
        text = page.extract_text()
        assert "Salinan untuk lbh-nusantara." in text
        assert f"Halaman {number}/{len(pages)}" in text


def test_every_font_is_in_the_paper(made: bytes) -> None:
    fonts = 0
    for page in read(made).pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            [below] = font.get_object()["/DescendantFonts"]
            described = below.get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(described)
            fonts += 1
    assert fonts >= 2


def test_the_same_paper_has_the_same_bytes_and_another_has_others(made: bytes) -> None:
    assert render(paper(rows=120)) == made
    assert render(paper(rows=119)) != made


def test_a_paper_names_no_author_no_machine_and_no_program(made: bytes) -> None:
    reader = read(made)
    root: Any = reader.trailer["/Root"]
    said = root["/Metadata"].get_data().decode() + json.dumps(dict(reader.metadata or {}))

    assert "ypst" not in said
    assert "ypst" not in made.decode("latin-1")
    assert not re.search("(?i)author|dc:creator|date", said)


def test_a_text_is_never_read_as_markup() -> None:
    said = words(render(paper(text=HOSTILE)))

    assert " ".join(HOSTILE.split()) in said


@pytest.mark.parametrize("language", list(Language))
def test_a_paper_speaks_its_language(language: Language) -> None:
    root: Any = read(render(paper(language=language, rows=1))).trailer["/Root"]

    assert root["/Lang"] == language.value


def test_whatever_can_be_shown_is_set_and_found_again() -> None:
    """Each character that `printable` lets stand has a glyph: Typst refuses what has none."""
    shown = [
        chr(c) for c in range(0x20, 0x3000) if rendering.printable(f"a{chr(c)}a") == f"a{chr(c)}a"
    ]

    assert len(shown) > 900
    render(
        paper(
            text="\n".join(
                "".join(f"a{c}a " for c in shown[at : at + 50]) for at in range(0, len(shown), 50)
            )
        )
    )


def test_what_cannot_be_shown_shows_its_number() -> None:
    said = words(render(paper(text="\u0645 \U0001f600 \x00 \ud800 \u202e akhir")))

    assert "[U+0645] [U+1F600] [U+0000] [U+D800] [U+202E] akhir" in said


def test_a_long_word_stays_on_the_page() -> None:
    word = "A1" * 400

    said = words(render(paper(text=word)))

    assert word in said.replace(" ", "").replace("\u200b", "")


def test_a_paper_that_is_too_long_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "done_apart", lambda *_: pytest.fail("it was begun"))

    with pytest.raises(PaperNotMade):
        render(paper(text="x" * 300_001))


@pytest.mark.parametrize("given", [None, b"", b"no PDF"])
def test_what_the_process_could_not_make_is_an_error_without_its_words(
    monkeypatch: pytest.MonkeyPatch, given: bytes | None
) -> None:
    monkeypatch.setattr(rendering, "done_apart", lambda *_: given)

    with pytest.raises(PaperNotMade) as raised:
        render(paper(text="rahasia"))

    assert raised.value.__context__ is None
    assert "rahasia" not in str(raised.value)


def test_the_process_gets_no_word_on_its_command_line_and_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERISAI_KEY_PASSPHRASE", "rahasia")
    seen = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, b"%PDF-", b"")

    monkeypatch.setattr(apart.subprocess, "run", run)
    render(paper(text="rahasia"))

    assert "rahasia" not in " ".join(seen["command"])
    assert set(seen["env"]) <= {"PYTHONPATH", "RAYON_NUM_THREADS"}
    assert seen["stderr"] == subprocess.DEVNULL


def test_the_template_evaluates_reads_and_includes_nothing() -> None:
    text = Path(rendering.__file__).with_name("paper.typ").read_text(encoding="utf-8")
    code = re.sub(r"//.*", "", text)

    assert not re.search(
        r"\b(eval|include|import|read|image|plugin|csv|yaml|toml|cbor|xml|raw|link)\b", code
    )
    # `json` reads a file where it is given a name: it is given bytes, once.
    assert re.findall(r"json\((.*)\)", code) == ["bytes(sys.inputs.paper)"]


def test_a_paper_that_cannot_be_set_says_nothing_of_what_it_held(tmp_path: Path) -> None:
    """The program itself: it fails without a word on stdout, and its stderr goes nowhere."""
    program = Path(apart.__file__).with_name("program.py")
    done = subprocess.run(
        [sys.executable, "-B", "-P", program],
        input=b'"paper"\n{"title": "rahasia"}\n#json(bytes(sys.inputs.paper)).nothing',
        capture_output=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
    )

    assert done.returncode != 0
    assert done.stdout == b""
    assert list(tmp_path.iterdir()) == []


def test_the_program_binds_itself_before_it_looks_at_anything(tmp_path: Path) -> None:
    """A stand-in for its work tells the bounds that it finds: memory, time, dumps, files."""
    program = Path(apart.__file__).with_name("program.py")
    stand_in = f"""
import importlib.util, json, resource
spec = importlib.util.spec_from_file_location("program", {str(program)!r})
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)
KINDS = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)
program.text = lambda given: json.dumps([resource.getrlimit(k) for k in KINDS]).encode()
program.main()
"""
    done = subprocess.run(
        [sys.executable, "-B", "-P", "-c", stand_in],
        input=b'"text"\n%PDF-',
        capture_output=True,
        cwd=tmp_path,
        check=True,
        timeout=60,
    )

    memory = 2 * 1024**3
    assert json.loads(done.stdout) == [[memory, memory], [30, 30], [0, 0], [0, 0]]


def test_a_row_of_a_grid_fits_its_head() -> None:
    with pytest.raises(ValueError, match="as many cells"):
        Grid(("satu", "dua"), (("a",),))
    assert "rahasia" not in repr(paper(text="rahasia"))
