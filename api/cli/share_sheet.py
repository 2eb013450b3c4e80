"""What a custodian keeps: 33 numbered words, and in clear what they are good for.

The text around the words is for people and is not believed: which backup a share
is of, and how many are needed, stands in the words themselves.
"""

import re
from collections.abc import Iterator

from api.crypto.key_backup import Notice
from api.errors import RefusesToStart

_WORDS = "Words:"
_IN_A_ROW = 4

#: Longest sheet that is read, in bytes.
LONGEST = 1 << 16


def printed(notice: Notice, number: int, custodian: str, words: str) -> str:
    """Print the sheet of one share."""
    return "\n".join(
        [
            f"PERISAI KEY SHARE {number} of {notice.shares}",
            "",
            f"Custodian:      {custodian}",
            f"Key backup:     {notice.identifier}",
            f"Needed:         {notice.threshold} of {notice.shares} shares",
            f"Made:           {notice.made:%Y-%m-%d}",
            f"Expires:        {notice.expires:%Y-%m-%d}",
            f"Keys of:        {', '.join(notice.owners)}",
            "",
            f"With {notice.threshold - 1} others you can open every record of these organisations.",
            "Keep it where no other share and no backup is. Show it to nobody who does not",
            "restore the keys beside you. Destroy it when it has expired, or when you are told",
            "that the keys were retired, and say that you did.",
            "",
            _WORDS,
            *_rows(words.split()),
            "",
        ]
    )


def words_of(text: str) -> str:
    """Give the words of a sheet, or of a text that is nothing but words.

    Raises:
        RefusesToStart: there are none.
    """
    _, marker, below = text.rpartition(_WORDS)
    words = re.findall(r"[^\W\d_]+", below if marker else text)
    if not words:
        raise RefusesToStart("There are no words of a share.")
    return " ".join(words)


def _rows(words: list[str]) -> Iterator[str]:
    for first in range(0, len(words), _IN_A_ROW):
        row = enumerate(words[first : first + _IN_A_ROW], first + 1)
        yield "  ".join(f"{number:2} {word:8}" for number, word in row).rstrip()
