"""Writes sealed values as people write them, and looks for traces of them, by rules of its own.

Nothing of api.casework.redaction is used here: a fault there must not hide itself.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from random import Random

from api.casework.name_spelling import fold
from api.demo.synthetic import SyntheticDefender
from api.demo.synthetic_people import old_spelling

CYRILLIC = str.maketrans("aceopxyiAEOPCTHKMBX", "асеорхуіАЕОРСТНКМВХ")
LATIN = {value: chr(key) for key, value in CYRILLIC.items()}
MONTHS = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
MONTHS_EN = "January February March April May June July August September October November December"

#: Words of addresses and names that tell of nobody alone.
TELLS_NOTHING = """
    jalan gang dusun kampung rumah aman wisma mitra kamar menumpang kerabat sampai keadaan tenang
    berpindah antara terakhir terlihat timur utara selatan tengah baru royong gotong tanjung
    muara bandar raja bung kang mbak binti raya
"""


def written(random: Random, text: str) -> str:
    """Write a name or an address in some other way."""
    ways = (
        str.upper,
        str.lower,
        old_spelling,
        lambda t: t.translate(CYRILLIC),
        lambda t: "".join(c + "\u0301" * (c in "aeiou" and random.random() < 0.4) for c in t),
        lambda t: "".join(c + "\u200b" * (c.isalpha() and random.random() < 0.4) for c in t),
        lambda t: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() else c for c in t),
        lambda t: re.sub(r"([a-z]{3})(?=[a-z]{2})", r"\1-\n", t, count=1),
        lambda t: re.sub(r"([a-z]{2})(?=[a-z]{2})", "\\1\u00ad", t),
        lambda t: " ".join("-".join(word) for word in t.split()),
        lambda t: " ".join(".".join(word) for word in t.split()),
        lambda t: t.replace(" ", "  "),
        lambda t: t.replace(" ", "\n"),
        lambda t: t.replace("y", "j").replace("u", "oe"),
        lambda t: t.replace("oe", "u").replace("dj", "j").replace("tj", "c"),
        lambda t: t.replace("f", "v").replace("z", "s").replace("k", "kh"),
    )
    return random.choice(ways)(text)


def number_written(random: Random, number: str) -> str:
    """Write a NIK or KK in groups, or whole."""
    groups = random.choice(((4, 4, 4, 4), (6, 6, 4), (2, 2, 2, 6, 4), (16,), (1,) * 16))
    parts, at = [], 0
    for size in groups:
        parts.append(number[at : at + size])
        at += size
    return random.choice((" ", "-", ".", " - ")).join(parts)


def phone_written(random: Random, phone: str) -> str:
    """Write +62840... as it is dialled, or with its country, in groups."""
    national = phone.removeprefix("+62")
    start = random.choice(("0", "62", "+62", "+62 ", "+62-", "(0)", "+62 (0)", "0062"))
    size = random.choice((2, 3, 4, 20))
    parts = [national[at : at + size] for at in range(0, len(national), size)]
    return start + random.choice((" ", "-", ".", "")).join(parts)


def day_written(random: Random, day: date) -> str:
    """Write a date in Indonesian or English."""
    month, english = MONTHS.split()[day.month - 1], MONTHS_EN.split()[day.month - 1]
    return random.choice(
        (
            f"{day.day} {month} {day.year}",
            f"{day.day} {month[:3]} {day.year % 100:02}",
            f"{day.day} {month}",
            f"{english} {day.day}, {day.year}",
            f"{day:%d-%m-%Y}",
            f"{day:%d/%m/%y}",
            f"{day.day}.{day.month}.{day.year}",
            day.isoformat(),
            f"{day:%d%m%Y}",
            f"{month} {day.year}",
        )
    )


def variants(random: Random, people: Iterable[SyntheticDefender]) -> Iterator[str]:
    """Yield everything that is sealed of *people*, each in some way of writing it."""
    for person in people:
        names = [person.full_name, *person.aliases]
        for name in names:
            yield written(random, name)
            yield from (written(random, w) for w in name.split() if len(w) > 3)
        for number in (person.nik, person.family_card):
            if number is not None:
                yield number_written(random, number)
                yield number[random.randint(0, 4) :][: random.randint(6, 10)]
        yield from (phone_written(random, phone) for phone in person.phones)
        for email in person.emails:
            yield random.choice((email, email.upper(), email.replace("@", " [at] ")))
        for place in (person.home_address, person.present_location):
            if place is not None:
                yield written(random, place)
        if person.date_of_birth is not None:
            yield day_written(random, person.date_of_birth)


def read_plainly(text: str) -> str:
    """Read a text as an eye does."""
    text = unicodedata.normalize("NFKD", "".join(LATIN.get(ord(c), c) for c in text))
    return "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf")).casefold()


def parts_of(people: Iterable[SyntheticDefender]) -> tuple[set[str], set[str]]:
    """Give the folded words, and the figures, that may be left nowhere."""
    words: set[str] = set()
    figures: set[str] = set()
    for person in people:
        texts = [person.full_name, *person.aliases]
        texts += [t for t in (person.home_address, person.present_location) if t is not None]
        texts += [email.partition("@")[0] for email in person.emails]
        for text in texts:
            found = re.findall(r"[^\W\d_]+", read_plainly(text))
            words |= {fold(w) for w in found if len(w) > 3 and w not in TELLS_NOTHING.split()}
        numbers = [n for n in (person.nik, person.family_card) if n is not None]
        for number in (*numbers, *(phone.removeprefix("+62") for phone in person.phones)):
            figures |= {number[at : at + 6] for at in range(len(number) - 5)}
    return words, figures


def traces(text: str, people: Iterable[SyntheticDefender]) -> list[str]:
    """Give what of *people* still stands in *text*, in which labels were taken out."""
    words, figures = parts_of(people)
    plain = read_plainly(text)
    left = [word for word in re.findall(r"[^\W\d_]{3,}", plain) if fold(word) in words]
    for unlabelled in plain.split("\x00"):
        # What is parted inside: all letters, and all figures, in one row.
        row = re.sub(r"[\W\d_]+", "", unlabelled)
        folded = fold(row) if row else ""
        left += [word for word in words if len(word) > 7 and word in folded]
        numbers = re.sub(r"[\s.\-()/]+", "", unlabelled)
        left += [part for part in figures if part in numbers]
    return left
