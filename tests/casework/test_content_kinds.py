"""A kind is told by the first bytes; what is not on the list of inert kinds is refused."""

import pytest

from api.casework.content_kinds import EXTENSIONS, HEAD, file_name_for, kind_of
from api.errors import AttachmentRefused
from tests.scenarios.attaching import zipped

OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."
FTYP = b"\x00\x00\x00\x18ftyp"

KEPT: dict[str, tuple[bytes, str]] = {
    "amr": (b"#!AMR\n\x04\xff" + bytes(20), "audio/amr"),
    "avi": (b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(30), "video/x-msvideo"),
    "docx": (
        zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
        OOXML + "wordprocessingml.document",
    ),
    "flac": (b"fLaC\x00\x00\x00\x22" + bytes(30), "audio/flac"),
    "gif": (b"GIF89a" + bytes(50), "image/gif"),
    "heic": (FTYP + b"heic\x00\x00\x00\x00mif1heic" + bytes(50), "image/heic"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(100), "image/jpeg"),
    "jpeg of a camera": (b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00" + bytes(100), "image/jpeg"),
    "m4a": (FTYP + b"M4A \x00\x00\x00\x00" + bytes(40), "audio/mp4"),
    "mkv": (
        b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroska"
        + bytes(20),
        "video/x-matroska",
    ),
    "mov": (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00" + bytes(40), "video/quicktime"),
    "mp3": (b"ID3\x03\x00" + bytes(40), "audio/mpeg"),
    "mp3 without tags": (b"\xff\xfb\x90\x64" + bytes(40), "audio/mpeg"),
    "mp4": (FTYP + b"mp42\x00\x00\x00\x00mp42isom" + bytes(40), "video/mp4"),
    "mp4 of a phone": (FTYP + b"isom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(40), "video/mp4"),
    "odp": (zipped("content.xml", mimetype=ODF + "presentation"), ODF + "presentation"),
    "ods": (zipped("content.xml", mimetype=ODF + "spreadsheet"), ODF + "spreadsheet"),
    "odt": (zipped("content.xml", mimetype=ODF + "text"), ODF + "text"),
    "ogg": (b"OggS\x00\x02" + bytes(22) + b"\x01\x1e\x01vorbis" + bytes(20), "audio/ogg"),
    "opus": (b"OggS\x00\x02" + bytes(22) + b"\x01\x13OpusHead" + bytes(20), "audio/ogg"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(50), "application/pdf"),
    "pdf in ASCII": (b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj", "application/pdf"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50), "image/png"),
    "pptx": (
        zipped("[Content_Types].xml", "ppt/presentation.xml"),
        OOXML + "presentationml.presentation",
    ),
    "text": ("Catatan: ibu é, 12 Mei.\n".encode(), "text/plain"),
    "text cut within a letter": (b"x" * (HEAD - 1) + "é".encode()[:1], "text/plain"),
    "text in UTF-16": ("halo dunia".encode("utf-16"), "text/plain"),
    "text with two letters of a picture": (b"BM adalah singkatan.", "text/plain"),
    "text with a comparison": (b"a < b, b > c", "text/plain"),
    "tiff": (b"II*\x00" + bytes(50), "image/tiff"),
    "wav": (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(30), "audio/wav"),
    "webm": (
        b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
        + bytes(20),
        "video/webm",
    ),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(50), "image/webp"),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), OOXML + "spreadsheetml.sheet"),
    "3gp": (FTYP + b"3gp4\x00\x00" + bytes(30), "video/3gpp"),
}

REFUSED: dict[str, bytes] = {
    "Android package": zipped("AndroidManifest.xml", "classes.dex"),
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(50),
    "Java archive": zipped("META-INF/MANIFEST.MF", "a.class"),
    "Java class": b"\xca\xfe\xba\xbe" + bytes(9),
    "Mach-O": b"\xcf\xfa\xed\xfe" + bytes(50),
    "OLE": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60),
    "PHP": b"<?php echo 1;",
    "PostScript": b"%!PS-Adobe-3.0\n",
    "RTF": b"{\\rtf1 {\\object}}",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
    "SVG after a declaration": b'<?xml version="1.0"?><svg/>',
    "SVG behind a mark": b"\xef\xbb\xbf \n<svg/>",
    "WebAssembly": b"\x00asm\x01\x00\x00\x00",
    "Windows program": b"MZ\x90\x00" + bytes(60),
    "Windows shortcut": b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(60),
    "a link of a desktop": b"[InternetShortcut]\nURL=file:///x",
    "any zip": zipped("a.txt"),
    "disk image": bytes(32_769) + b"CD001" + bytes(20),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(50),
    "macros": zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
    "macros of OpenDocument": zipped("Basic/Standard/x.xml", mimetype=ODF + "text"),
    "nothing": b"",
    "page": b"  \n<!DOCTYPE html><p>",
    "page in UTF-16": "<html>".encode("utf-16"),
    "page in the middle of a text": b"Halo.\n" * 50 + b"<SCRIPT>x()</SCRIPT>",
    "rar": b"Rar!\x1a\x07\x00" + bytes(50),
    "script": b"#!/bin/sh\necho hi",
    "tar": b"a.txt" + bytes(252) + b"ustar\x00" + bytes(250),
    "template": zipped("content.xml", mimetype=ODF + "text-template"),
    "unknown": bytes(range(256)),
    "zeros": bytes(1000),
    "7z": b"7z\xbc\xaf'\x1c" + bytes(50),
}


@pytest.mark.parametrize(("head", "kind"), KEPT.values(), ids=KEPT)
def test_an_inert_kind_is_told_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind


@pytest.mark.parametrize("head", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(head: bytes) -> None:
    with pytest.raises(AttachmentRefused):
        kind_of(head)


def test_every_kind_on_the_list_has_a_file_that_is_told_as_it() -> None:
    assert {kind for _, kind in KEPT.values()} == set(EXTENSIONS)


@pytest.mark.parametrize(
    ("name", "kind", "becomes"),
    [
        ("foto.JPG", "image/jpeg", "foto.JPG"),
        ("foto.png", "image/jpeg", "foto.png.jpg"),
        ("laporan", "application/pdf", "laporan.pdf"),
        ("jalankan.bat", "text/plain", "jalankan.bat.txt"),
        ("catatan.csv", "text/plain", "catatan.csv"),
        ("halaman.html", "image/gif", "halaman.html.gif"),
    ],
)
def test_a_name_never_makes_a_file_another_kind_than_it_is(
    name: str, kind: str, becomes: str
) -> None:
    assert file_name_for(name, kind) == becomes
