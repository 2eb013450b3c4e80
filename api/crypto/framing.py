"""Length-prefixed framing: how several byte strings become one without ambiguity.

Everything that is authenticated is framed, so that no two different lists of
parts give the same bytes.
"""

#: What `frame` puts before a part of 16 bytes (an id) and of 4 bytes (a version): with
#: these the hot paths frame such a part without a call.
LENGTH_16 = (16).to_bytes(4)
LENGTH_4 = (4).to_bytes(4)


def frame(*parts: bytes) -> bytes:
    """Join *parts*, each behind its length (4 bytes, big endian).

    Framing is injective, and framing in pieces gives the same bytes:
    `frame(a, b) == frame(a) + frame(b)`, which lets a prefix be built once.

    Raises:
        ValueError: no part at all.
        OverflowError: a part of 2**32 bytes or more.
    """
    if not parts:
        raise ValueError("a frame has at least one part")
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(4), part)])
