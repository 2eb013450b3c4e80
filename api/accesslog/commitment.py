"""A commitment to a free text: what a leaf holds instead of it.

The text and the randomness that opens the commitment are sealed elsewhere and can be
erased; the leaf then says only that there was a text. FORMAT.md defines the bytes.
"""

import hmac
from typing import Final

#: Bytes of randomness: without them the shortest text cannot be guessed.
OPENING_SIZE: Final = 32

_PURPOSE: Final = b"perisai/log/commitment/v1\x00"


def commitment(opening: bytes, text: str) -> str:
    """Commit to *text*, in hex, for `Event.commitment`.

    Args:
        opening: OPENING_SIZE random bytes, new for every text.
    """
    if len(opening) != OPENING_SIZE:
        raise ValueError("the opening of a commitment has 32 bytes")
    return hmac.digest(opening, _PURPOSE + text.encode(), "sha256").hex()


def opens(committed: str, opening: bytes, text: str) -> bool:
    """Tell whether *opening* and *text* are what was committed to."""
    return len(opening) == OPENING_SIZE and hmac.compare_digest(
        commitment(opening, text), committed
    )
