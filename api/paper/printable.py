"""Texts as they can be set: what has no glyph, or would turn a line round, shows its number.

A character that a font lacks would be nothing to a reader and nothing to a screen reader. It
is neither left out nor replaced by another: `[U+0627]` says which one stood there.
"""

import re
import unicodedata
from typing import Final

#: What Typst's own fonts have; a test sets each.
_SET: Final = re.compile(
    "["
    "\u0020-\u007e\u00a0-\u00ac\u00ae-\u024f"  # Latin
    "\u0300-\u036f"  # combining marks that have no letter of their own
    "\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff"  # Greek
    "\u0400-\u045f"  # Cyrillic
    "\u1e00-\u1eff"  # Latin, extended
    "\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u2030\u2032\u2033\u2039\u203a"
    "\u20ac\u2116\u2122\u2190-\u2193\u2212\u2260\u2264\u2265"
    "]"
)

#: Characters without a place to break; longer ones would leave the page.
_UNBROKEN: Final = 40
_LONG: Final = re.compile(rf"\S{{{_UNBROKEN}}}(?=\S)")
#: A place where a line may break, which shows nothing.
_BREAK: Final = "\u200b"


def printable(text: str) -> str:
    """Give *text* as one line that can be set."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    shown = "".join(c if _SET.match(c) else f"[U+{ord(c):04X}]" for c in composed)
    return _LONG.sub(lambda found: found[0] + _BREAK, shown)


def lines(text: str) -> list[str]:
    """Give the lines of *text* that are not empty, each as `printable` does."""
    return [printable(line) for line in text.splitlines() if line.strip()]
