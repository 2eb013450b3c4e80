"""A mark is found in whatever a copy became: PDF, JSON, text of another encoding."""

import io
import json
import zipfile

import pytest
from pypdf import PdfWriter

from api.errors import CopyNotRead
from api.paper import copies
from api.paper.copies import marks_of, text_of, trace
from api.paper.document import Paper, Prose
from api.paper.marks import spell
from api.paper.rendering import render
from api.vocabulary import Language

MARK = spell(b"0123456789")


def pdf() -> bytes:
    blocks = (Prose("isi\n" * 200),)
    return render(Paper(Language.ID, "Judul", "Halaman", (f"Tanda {MARK}",), blocks))


def test_a_mark_is_found_in_a_pdf_and_in_one_page_of_it() -> None:
    made = pdf()
    one = PdfWriter()
    one.append(io.BytesIO(made), pages=(1, 2))
    cut = io.BytesIO()
    one.write(cut)

    assert trace(made) == MARK
    assert trace(cut.getvalue()) == MARK
    assert trace(b"\r\n" + made) == MARK


@pytest.mark.parametrize(
    "copy",
    [
        json.dumps({"data": {"release": {"mark": MARK}}}).encode(),
        json.dumps({"mark": MARK}).replace("-", "\\u002d").encode(),
        f"Tanda: {MARK}".encode("utf-16"),
        f"\ufeffTanda: {MARK}".encode(),
        f"Dikutip: \xe9 {MARK}".encode("latin-1"),
        f"> {MARK[:12]}\n> {MARK[12:]}".encode(),
        f"Tanda: {MARK}".encode("utf-16-le"),
        f"Dikirim: {MARK[:12]}=\r\n{MARK[12:]}".encode(),
        f"<td><b>{MARK[:12]}</b><i>{MARK[12:]}</i>".encode(),
        MARK.replace("-", "&#8209;").encode(),
        f'"mark": "{MARK}", '.replace("-", "\\u2011").encode(),
        f"%PDF- begins a PDF; {MARK}".encode(),
        MARK.replace("-", " / ").encode(),
        MARK.replace("-", " \u2022 ").encode(),
        f"Tanda: {MARK}",
    ],
)
def test_a_mark_is_found_in(copy: bytes | str) -> None:
    assert trace(copy) == MARK
    assert MARK in marks_of(copy)


def test_a_mark_is_found_in_a_document_of_a_word_processor() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as document:
        document.writestr("word/document.xml", "<w:t>isi</w:t>" * 500)
        document.writestr(
            "word/footer1.xml", f"<w:r><w:t>{MARK[:9]}</w:t></w:r><w:t>{MARK[9:]}</w:t>"
        )

    assert trace(made.getvalue()) == MARK


@pytest.mark.parametrize("copy", [b"", b"{}", b"[" * 100_000, b"\x00\xff" * 50, "tanpa tanda"])
def test_a_copy_without_a_mark_has_none(copy: bytes | str) -> None:
    assert trace(copy) is None


@pytest.mark.parametrize("copy", [b"%PDF-1.7\nnonsense", b"%PDF-", b"PK\x03\x04 nonsense"])
def test_a_pdf_that_cannot_be_read_is_an_error_without_its_words(copy: bytes) -> None:
    with pytest.raises(CopyNotRead) as raised:
        text_of(copy)

    assert raised.value.__context__ is None


@pytest.mark.parametrize("copy", [b"x" * 11, b"%PDF-" + b"x" * 20])
def test_a_copy_that_is_too_large_is_not_begun(
    monkeypatch: pytest.MonkeyPatch, copy: bytes
) -> None:
    monkeypatch.setattr(copies, "COPY_MOST", 20)
    monkeypatch.setattr(copies, "TEXT_MOST", 10)
    monkeypatch.setattr(copies, "done_apart", lambda *_: pytest.fail("it was begun"))

    with pytest.raises(CopyNotRead):
        text_of(copy)
