"""Makes a PDF of a paper: tagged for screen readers (PDF/UA-1), A4, with its fonts in it.

One paper has one sequence of bytes: there is no clock, no random id and no name of a machine
in it.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from api.errors import PaperNotMade
from api.paper.apart import done_apart
from api.paper.document import Block, Grid, Paper, Prose, Section
from api.paper.printable import lines, printable

#: What Typst says of itself, its version, in both places that must agree.
_MADE_BY: Final = re.compile(
    rb"(?<=/Creator\()Typst [0-9.]+(?=\))|(?<=<xmp:CreatorTool>)Typst [0-9.]+(?=<)"
)

#: Bytes of a paper as JSON at the most, some 100 pages of Latin letters.
_TEXT_MOST: Final = 300_000


def render(paper: Paper) -> bytes:
    """Set *paper*; this waits for a process, so ask it beside an event loop.

    Raises:
        PaperNotMade: it is too long, or could not be set.
    """
    said = json.dumps(
        {
            "language": paper.language,
            "title": printable(paper.title),
            "page": printable(paper.page),
            "foot": [printable(line) for line in paper.foot],
            "blocks": [_block(block) for block in paper.blocks],
        },
        # A line break would end the line.
        separators=(",", ":"),
    ).encode()
    made = done_apart("paper", said + b"\n" + _template()) if len(said) <= _TEXT_MOST else None
    if made is None or not made.startswith(b"%PDF-"):
        raise PaperNotMade
    return _MADE_BY.sub(_by_us, made)


def _by_us(found: re.Match[bytes]) -> bytes:
    # As long: the places of all that follows stay.
    return b"Perisai".ljust(len(found[0]))


@cache
def _template() -> bytes:
    return Path(__file__).with_name("paper.typ").read_bytes()


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Section():
            return {"kind": "section", "text": printable(block.text)}
        case Prose():
            return {"kind": "prose", "paragraphs": lines(block.text)}
        case Grid():
            return {
                "kind": "grid",
                "head": [printable(cell) for cell in block.head],
                "rows": [[printable(cell) for cell in row] for row in block.rows],
            }
