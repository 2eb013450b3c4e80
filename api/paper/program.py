"""Sets papers, reads the text of PDFs and documents, as a program of its own: bytes in and out.

PDF is a format in which much can be hidden, and what is set may be secret: both are done by a
process that holds no key and no connection, with little memory and time, that can write no
file and keeps nothing, since it ends. It imports nothing of ours; `apart` starts it. It says
nothing of why it fails: that could be a value.
"""

import ctypes
import io
import json
import resource
import sys
from datetime import UTC, datetime

#: Bounds of the process: bytes of memory, seconds of the processor.
_MEMORY = 2 * 1024 * 1024 * 1024
_SECONDS = 30

#: Pages of a PDF that are read, and characters of its text that are given.
_PAGES_MOST = 1_000
_TEXT_MOST = 4 * 1024 * 1024

#: linux/prctl.h
_PR_SET_DUMPABLE = 4

#: Stands for the moment of making, so that one paper has the same bytes whenever it is set.
_NEVER = datetime.fromtimestamp(0, UTC)


def paper(given: bytes) -> bytes:
    """Set a paper: a line of JSON for the template, then the template."""
    import typst  # Only after the bounds are set.

    said, _, template = given.partition(b"\n")
    made = typst.compile(
        template,
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"paper": said.decode()},
        ignore_system_fonts=True,
        timestamp=_NEVER,
    )
    if not isinstance(made, bytes):
        raise TypeError("not one file")
    return made


def text(given: bytes) -> bytes:
    """Give the text of a PDF, page after page."""
    from pypdf import PdfReader  # Only after the bounds are set.

    pages, left = [], _TEXT_MOST
    for page in PdfReader(io.BytesIO(given)).pages[:_PAGES_MOST]:
        pages.append(page.extract_text()[:left])
        left -= len(pages[-1])
        if left <= 0:
            break
    return "\n".join(pages).encode("utf-8", "replace")


def packed(given: bytes) -> bytes:
    """Give the text of a document of a word processor: of all XML in its ZIP."""
    import re
    import zipfile

    parts, left = [], _TEXT_MOST
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        for part in archive.infolist()[:_PAGES_MOST]:
            if part.filename.endswith(".xml") and left > 0:
                with archive.open(part) as file:
                    # What parts words of a line is markup, too: the tags alone go.
                    parts.append(re.sub(rb"<[^<>]*>", b"", file.read(10 * left))[:left])
                left -= len(parts[-1])
    return b"\n".join(parts)


def main() -> int:
    """Read what is to be done and the bytes on stdin, write bytes to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # Pipes are no files.
    if sys.platform == "linux":  # Nor for a program that takes dumps and asks no limit.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    todo = {"paper": paper, "text": text, "packed": packed}[json.loads(sys.stdin.buffer.readline())]
    sys.stdout.buffer.write(todo(sys.stdin.buffer.read()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
