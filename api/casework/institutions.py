"""Names of institutions in one normal form, so that two spellings of one make one keyed tag.

It must never print what it read. Another name of the same institution, which no rule here
knows, is another institution: tie to it as well, or to the case file itself.
"""

import re
import unicodedata

from api.errors import ValueInvalid

#: Longest name that is looked at, in characters.
LONGEST = 200

#: Letters of the shortest name; a shorter one is no name.
_SHORTEST = 2

_NOT_WORDS = re.compile(r"[\W_]+")

#: Forms of a company, which people write or leave out.
_FORMS = frozenset({"cv", "pt", "persero", "tbk"})

#: Long form -> the short one, for those that are most often written both ways.
_SHORT = (
    ("perseroan terbatas", "pt"),
    ("kepolisian daerah", "polda"),
    ("kepolisian resor kota", "polresta"),
    ("kepolisian resor", "polres"),
    ("kepolisian sektor", "polsek"),
    ("komando daerah militer", "kodam"),
    ("komando distrik militer", "kodim"),
    ("komando rayon militer", "koramil"),
)


def normalise(name: str) -> str:
    """Return the form in which spellings of one institution are equal.

    Lower case, without diacritics, punctuation and the form of a company; a few long
    forms of the police and the army as they are shortened.

    Raises:
        ValueInvalid: empty, no name, or longer than LONGEST.
    """
    if len(name) > LONGEST:
        raise ValueInvalid
    letters = "".join(
        c
        for c in unicodedata.normalize("NFKD", name.replace(".", "")).casefold()
        if not unicodedata.combining(c)
    )
    text = " ".join(_NOT_WORDS.sub(" ", letters).split())
    for long, short in _SHORT:
        text = re.sub(rf"\b{long}\b", short, text)
    words = text.split()
    kept = [word for word in words if word not in _FORMS] or words
    if len("".join(kept)) < _SHORTEST:
        raise ValueInvalid
    return " ".join(kept)
