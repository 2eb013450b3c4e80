"""Parses the identifiers people give: NIK, KK, telephone, e-mail. One normal form each.

The normal form is what is sealed and what the keyed tags for exact search are made
of, so two spellings of one identifier must give one text. It must never print what
it parsed: no message and no repr holds a digit.
"""

import re
from dataclasses import dataclass
from datetime import date

from api.code_lists import load
from api.errors import NikInvalid, PhoneInvalid, ValueInvalid

_PROVINCES = frozenset(load().codes("provinces"))

#: What people put between digits; the last group comes with numbers that are copied from
#: messengers: no-break and narrow spaces, typographic hyphens, marks of text direction.
_SEPARATORS = str.maketrans(
    "",
    "",
    " \t.-/()" + "\u00a0\u2007\u2009\u202f" + "\u2010\u2011\u2012\u2013\u2014"
    "\u200b\u200e\u200f\u202a\u202c\u2060\u2066\u2068\u2069\ufeff",
)
_SIXTEEN = re.compile(r"[0-9]{16}", re.ASCII)
_WOMAN = 40  # Added to the day of birth in a woman's NIK.

#: Longest input that is looked at; the longest good one is far shorter.
_LONGEST = 64

# DOMAIN: 9 to 13 digits after the country code; the first is never a zero.
_INDONESIAN = re.compile(r"[1-9][0-9]{8,12}", re.ASCII)
# ITU-T E.164: at most 15 digits with the country code, which never begins with a zero.
_FOREIGN = re.compile(r"[1-9][0-9]{7,14}", re.ASCII)

# RFC 5321, 4.5.3.1: 64 octets before the @, 254 in all (RFC 3696, erratum 1690).
_EMAIL_LONGEST = 254
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Nik:
    """A national identity number: 16 digits that tell birth, sex and first registration.

    It has no check digit, so a valid one may still be nobody's.
    """

    digits: str

    @classmethod
    def parse(cls, text: str) -> "Nik":
        """Read *text*, with or without separators.

        Raises:
            NikInvalid: not 16 digits, no such province, or no such date.
        """
        digits = _sixteen_digits(text)
        nik = cls(digits)
        if not nik.possible_births:
            raise NikInvalid
        return nik

    def __repr__(self) -> str:
        """Show nothing."""
        return "<nik>"

    @property
    def province(self) -> str:
        """The code of the province of first registration, which is not the residence."""
        return self.digits[:2]

    @property
    def is_woman(self) -> bool:
        """What the registry holds; it says nothing about the person's gender."""
        return int(self.digits[6:8]) > _WOMAN

    @property
    def possible_births(self) -> tuple[date, ...]:
        """The birth dates it can mean: the year has two digits."""
        day = int(self.digits[6:8])
        return _dates(day - _WOMAN if day > _WOMAN else day, self.digits[8:12])

    def born(self, today: date) -> date | None:
        """Return the likely birth date: the latest that is not after *today*."""
        past = [born for born in self.possible_births if born <= today]
        return past[-1] if past else None


def parse_kk(text: str) -> str:
    """Return the 16 digits of a family card's number.

    Raises:
        NikInvalid: not 16 digits, no such province, or no such date of recording.
    """
    digits = _sixteen_digits(text)
    if not _dates(int(digits[6:8]), digits[8:12]):
        raise NikInvalid
    return digits


def parse_phone(text: str) -> str:
    """Return the E.164 form: `0812...`, `62812...` and `+62 812...` are one number.

    Numbers of other countries need `+` or `00`.

    Raises:
        PhoneInvalid: not a number, or too short or long.
    """
    if len(text) > _LONGEST:
        raise PhoneInvalid
    digits = text.translate(_SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("0"):
        national = digits[1:]
    elif digits.startswith("62"):
        national = digits[2:]
    elif digits.startswith("+62"):
        national = digits[3:]
    elif digits.startswith("+") and _FOREIGN.fullmatch(digits[1:]):
        return digits
    else:
        raise PhoneInvalid
    # "+62 (0)812..." keeps the zero that is dialled inside the country.
    national = national.removeprefix("0") if not digits.startswith("0") else national
    if not _INDONESIAN.fullmatch(national):
        raise PhoneInvalid
    return "+62" + national


def parse_email(text: str) -> str:
    """Return the address in lower case, its domain in ASCII (RFC 3490).

    Providers tell no upper from lower case before the @, though RFC 5321 lets them.
    Dots and `+tags` are kept: only some providers ignore them.

    Raises:
        ValueInvalid: not an address.
    """
    if len(text) > 2 * _EMAIL_LONGEST:
        raise ValueInvalid
    local, at, domain = text.strip().removeprefix("mailto:").casefold().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        raise ValueInvalid from None  # Its text shows the input.
    if not at or len(local) > 64 or len(local) + 1 + len(domain) > _EMAIL_LONGEST:
        raise ValueInvalid
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueInvalid
    return f"{local}@{domain}"


def _sixteen_digits(text: str) -> str:
    digits = text.translate(_SEPARATORS) if len(text) <= _LONGEST else ""
    if not _SIXTEEN.fullmatch(digits) or digits[:2] not in _PROVINCES:
        raise NikInvalid
    return digits


def _dates(day: int, month_and_year: str) -> tuple[date, ...]:
    """Return the dates of both centuries that exist: 29 February 1900 did not."""
    month, year = int(month_and_year[:2]), int(month_and_year[2:])
    dates = []
    for century in (1900, 2000):
        try:
            dates.append(date(century + year, month, day))
        except ValueError:
            continue
    return tuple(dates)
