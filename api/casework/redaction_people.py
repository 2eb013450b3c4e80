"""Finds people of whom nothing is known here: relatives, witnesses, officers, as a text names them.

What says that a name follows is known, the name is not: what begins with a capital behind it.
"""

import re
from collections.abc import Iterator

from api.casework.redaction_kinds import Kind
from api.casework.redaction_reading import Reading
from api.casework.redaction_words import COMMON

_ADDRESSED = (
    "pak|bapak|bpk|bp|bu|ibu|mas|mbak|mba|bang|abang|kang|cak|gus|kak|bung|om|tante|mbah|haji|hajjah|"
    r"h(?=\.)|hj|sdr|sdri|saudara|saudari|tn|ny|nn|tuan|nyonya|nona|mr|mrs|ms|miss|kyai|kiai|pdt|"
    "pendeta|romo|pastor|suster|ust|ustad|ustadz|ustaz|ustadzah|dr|dokter|advokat|bripda|briptu|"
    "brigadir|bripka|aipda|aiptu|ipda|iptu|akp|kompol|akbp|kombes|prada|pratu|praka|kopda|koptu|"
    "serda|sertu|serka|serma|pelda|peltu|letda|lettu|kapten|mayor|letkol|kolonel"
)
_CALLED = (
    r"bin|binti|alias|als|a\.?n(?=\.)|an(?=\.)|bernama|namanya|dipanggil|disapa|panggilan|"
    "panggilannya|sapaannya|sapaan akrabnya|dikenal sebagai|dikenal dengan nama|named|called|aka"
)
_RELATED = (
    "(?:istri|suami|ayah|ibu|anak|adik|kakak|putra|putri|paman|bibi|kakek|nenek|sepupu|tetangga|"
    "teman|rekan|kuasa hukum|perempuan|laki-laki)nya|(?:his|her|their) [a-z]{3,9}"
)
_ROLES = (
    "istri|suami|korban|pelapor|saksi|terlapor|klien|wife|husband|brother|sister|victim|witness|"
    "client"
)
#: Read with its capitals; what stands before it is read in lower case, which takes less time.
_NAME = re.compile(r"[\"'(]?(?P<name>[A-Z][\w'-]*(?:\x20[A-Z][\w'-]*){0,4})")
_BEFORE = (
    re.compile(rf"(?<![^\W_])(?:(?P<addressed>{_ADDRESSED})|{_CALLED})(?:\.\s?|[\s:]{{1,2}})"),
    re.compile(rf"(?<![^\W_])(?:{_RELATED})(?:\s?[,:(]\s?|\s)"),
    re.compile(rf"(?<![^\W_])(?:{_ROLES})(?:\s?[:(]\s?|\s)"),
)
#: Y (41), as papers write.
_WITH_AGE = re.compile(r"(?<![\w.])[A-Z]{1,4}(?=\s?\((?:1[3-9]|[2-9][0-9])(?![0-9]))")


def people(reading: Reading) -> Iterator[tuple[int, int, Kind]]:
    """Yield where somebody is named, as places of `reading.low`."""
    for pattern in _BEFORE:
        for before in pattern.finditer(reading.low):
            found = _NAME.match(reading.cased, before.end())
            if found is None:
                continue
            for word in re.finditer(r"\S+", found["name"]):
                if word[0].lower() in COMMON:  # Pak Camat is an office.
                    continue
                whole = word.start() == 0 and before.groupdict().get("addressed")
                start = before.start() if whole else found.start("name") + word.start()
                yield start, found.end("name"), Kind.NAME
                break
    for initials in _WITH_AGE.finditer(reading.cased):
        yield *initials.span(), Kind.NAME
