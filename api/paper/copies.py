"""The text of a copy: a PDF, a document, an answer in JSON, a text that somebody pasted."""

import html
import json
import re
from typing import Final

from api.errors import CopyNotRead
from api.paper.apart import done_apart
from api.paper.marks import marks_in, read_mark

#: Bytes of a copy at the most, and of one that is a text: some 2,000 pages, looked through in
#: a minute.
COPY_MOST: Final = 32 * 1024 * 1024
TEXT_MOST: Final = 4 * 1024 * 1024

_PDF: Final = b"%PDF-"
#: How a document of a word processor begins.
_ZIP: Final = b"PK\x03\x04"
#: A PDF may begin behind some other bytes (ISO 32000-1, implementation note 13).
_PDF_WITHIN: Final = 1024

#: Of quoted-printable, as mails wrap lines; of JSON, of which a part was copied; of web pages.
_SOFT_BREAK: Final = re.compile(r"=\r?\n")
_ESCAPED: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
_TAG: Final = re.compile(r"<[^<>]{1,1000}>")

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def trace(copy: str | bytes) -> str | None:
    """Give the mark of a copy; None: there is none in it. Raises as `text_of`."""
    return read_mark(text_of(copy))


def marks_of(copy: str | bytes) -> list[str]:
    """Give whatever in a copy may be its mark, see `marks_in`. Raises as `text_of`."""
    return marks_in(text_of(copy))


def text_of(copy: str | bytes) -> str:
    """Give what a copy says; of a PDF and a document this waits for a process.

    A picture of a page has no text: what a person reads in it is a copy as well.

    Raises:
        CopyNotRead: it is too large, or a PDF or document that cannot be read.
    """
    if isinstance(copy, str):
        return copy
    if len(copy) > COPY_MOST:
        raise CopyNotRead
    is_pdf = _PDF in copy[:_PDF_WITHIN]
    is_packed = copy.startswith(_ZIP)
    text = None
    if is_packed or is_pdf:
        text = done_apart("packed" if is_packed else "text", copy)
    if text is not None:
        return text.decode("utf-8", "replace")
    if len(copy) > TEXT_MOST:
        raise CopyNotRead
    plain = _unwrapped(_unescaped(_decoded(copy)))
    # Else a text that only speaks of a PDF.
    if is_packed or (is_pdf and read_mark(plain) is None):
        raise CopyNotRead
    return plain


def _decoded(copy: bytes) -> str:
    if copy.startswith(_UTF_16):
        return copy.decode("utf-16", "replace")
    return copy.decode("utf-8-sig", "replace")


def _unwrapped(text: str) -> str:
    """Give a text, and behind it what it says without the wrapping of a mail or a web page."""
    bare = _SOFT_BREAK.sub("", text)
    bare = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), bare)
    bare = html.unescape(_TAG.sub("", bare))
    return text if bare == text else f"{text}\n{bare}"


def _unescaped(text: str) -> str:
    """Give JSON as it is meant: whoever wrote it may have escaped any character."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
