"""The mark of a copy: how it is written, and how it is found again in what became of the copy.

`PRS-`, then 20 characters of Crockford's base32 in groups of four: 80 bits of a keyed code,
then 20 bits that are computed from these, so that what is no mark is seldom taken for one.
Who holds no key can neither make a mark that somebody's fetch has, nor tell from one whose it is.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_PREFIX: Final = "PRS"

#: https://www.crockford.com/base32.html: without I, L, O and U.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUP: Final = 4

#: Bytes of the keyed code, and what they and the check come to in characters of 5 bits.
_CODE_SIZE: Final = 10
_CODE: Final = 16
_WHOLE: Final = 20
_CHECK_BITS: Final = 5 * (_WHOLE - _CODE)

_PURPOSE: Final = b"perisai mark check v1\x00"

#: What a person, a font or a scanner takes for another (Crockford's rule).
_TAKEN_FOR: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})

#: What may have come between two characters: spaces, line breaks, any dash, and what people, word
#: processors, mails and web pages put in.
_BETWEEN: Final = re.compile(
    r"[\s\-_.:*|>,;/\\~=\u00b7\u2022\u00ad\u2010-\u2015\u2212\u2043\ufe58\ufe63\uff0d]+"
)


def spell(code: bytes) -> str:
    """Write the mark of *code*: a MAC, of which the first 80 bits are used.

    Raises:
        ValueError: it is too short.
    """
    if len(code) < _CODE_SIZE:
        raise ValueError("a mark is made of 80 bits")
    characters = _base32(int.from_bytes(code[:_CODE_SIZE]), _CODE)
    return _grouped(characters + _check(characters))


def read_mark(text: str) -> str | None:
    """Give the first mark in *text* that stands there with its `PRS`; None: there is none."""
    return next(_found(text, _PREFIX), None)


def marks_in(text: str) -> list[str]:
    """Give whatever in *text* may be a mark, with its `PRS` or without, those with it first.

    One in a million places of any text reads like a mark: only the keys tell.
    """
    return list(dict.fromkeys([*_found(text, _PREFIX), *_found(text, "")]))


def _found(text: str, prefix: str) -> Iterator[str]:
    plain = _plain(text)
    # A look ahead: what begins like a mark may have one in it.
    for found in re.finditer(rf"(?={prefix}([{_ALPHABET}]{{{_WHOLE}}}))", plain):
        characters = found[1]
        if _check(characters[:_CODE]) == characters[_CODE:]:
            yield _grouped(characters)


def _plain(text: str) -> str:
    """Bring a text into the one form in which a mark is looked for."""
    folded = unicodedata.normalize("NFKC", text)
    seen = "".join(c for c in folded if unicodedata.category(c) not in ("Cc", "Cf", "Mn"))
    return _BETWEEN.sub("", seen).upper().translate(_TAKEN_FOR)


def _check(characters: str) -> str:
    digest = hashlib.sha256(_PURPOSE + characters.encode()).digest()
    bits = int.from_bytes(digest[:4]) >> (32 - _CHECK_BITS)
    return _base32(bits, _WHOLE - _CODE)


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> (5 * at) & 31] for at in reversed(range(length)))


def _grouped(characters: str) -> str:
    groups = (characters[at : at + _GROUP] for at in range(0, len(characters), _GROUP))
    return "-".join((_PREFIX, *groups))
