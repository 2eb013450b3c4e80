"""What is looked for in a text before it may go out: kinds, values, and where one was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from api.code_lists.labels import Labels


class Kind(StrEnum):
    """Why something may not stand in a text; where two meet the earlier one is said."""

    EMAIL = "email"
    LINK = "link"
    HANDLE = "handle"
    NAME = "name"
    NUMBER = "number"
    BIRTH = "birth"
    WHEREABOUTS = "whereabouts"
    ADDRESS = "address"
    WORKPLACE = "workplace"
    ADVERSARY = "adversary"
    OTHER = "other"
    COORDINATES = "coordinates"
    PLATE = "plate"
    DATE = "date"
    REFERENCE = "reference"
    PHONE = "phone"
    ACCOUNT = "account"
    AGE = "age"


#: What a reader sees in the place of each kind. All stand in brackets, and in no other use.
LABELS: Mapping[Kind, Labels] = MappingProxyType(
    {
        Kind.NAME: Labels("[nama]", "[name]"),
        Kind.NUMBER: Labels("[nomor identitas]", "[identity number]"),
        Kind.BIRTH: Labels("[tanggal lahir]", "[date of birth]"),
        Kind.PHONE: Labels("[telepon]", "[telephone]"),
        Kind.EMAIL: Labels("[surel]", "[e-mail]"),
        Kind.HANDLE: Labels("[akun]", "[handle]"),
        Kind.WHEREABOUTS: Labels("[keberadaan]", "[whereabouts]"),
        Kind.ADDRESS: Labels("[alamat]", "[address]"),
        Kind.WORKPLACE: Labels("[tempat kerja]", "[workplace]"),
        Kind.ADVERSARY: Labels("[pihak lain]", "[other party]"),
        Kind.OTHER: Labels("[dihapus]", "[removed]"),
        Kind.LINK: Labels("[tautan]", "[link]"),
        Kind.COORDINATES: Labels("[koordinat]", "[coordinates]"),
        Kind.PLATE: Labels("[nomor kendaraan]", "[licence plate]"),
        Kind.ACCOUNT: Labels("[nomor]", "[number]"),
        Kind.REFERENCE: Labels("[nomor berkas]", "[file number]"),
        Kind.DATE: Labels("[tanggal]", "[date]"),
        Kind.AGE: Labels("[usia]", "[age]"),
    }
)

RANK: Mapping[Kind, int] = MappingProxyType({kind: place for place, kind in enumerate(Kind)})

#: Sealed column -> the kind of what it holds.
OF_COLUMN: Mapping[str, Kind] = MappingProxyType(
    {
        "full_name": Kind.NAME,
        "aliases": Kind.NAME,
        "nik": Kind.NUMBER,
        "family_card": Kind.NUMBER,
        "date_of_birth": Kind.BIRTH,
        "phones": Kind.PHONE,
        "emails": Kind.EMAIL,
        "home_address": Kind.ADDRESS,
        "present_location": Kind.WHEREABOUTS,
        "adversary_name": Kind.ADVERSARY,
        "adversary_institution": Kind.ADVERSARY,
        "adversary_unit": Kind.ADVERSARY,
        "adversary_institutions": Kind.ADVERSARY,
        "provider": Kind.OTHER,
        "name": Kind.OTHER,
    }
)


@dataclass(frozen=True, slots=True)
class Value:
    """One sealed value that must not be found again; nothing of it is printed."""

    kind: Kind
    value: str | date = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a date as text, of which only words would be looked for, and the reverse."""
        if isinstance(self.value, date) is not (self.kind is Kind.BIRTH):
            raise TypeError("a date of birth is a date, and every other value a text")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A range of a text that may not go out, and why. It holds nothing of the text."""

    start: int
    end: int
    kind: Kind


def values_of(opened: Mapping[str, str | date | Sequence[str] | None]) -> list[Value]:
    """Give what is to be looked for, of opened columns by name; a KeyError is a fault of ours.

    A column that names nobody by what it holds (OF_COLUMN has no kind for it) is not passed:
    that would be read as looked for.
    """
    values = []
    for column, content in opened.items():
        kind = OF_COLUMN[column]
        if content is None:
            continue
        several = [content] if isinstance(content, str | date) else content
        values += [Value(kind, one) for one in several]
    return values
