"""Invents people: names in many spellings, and numbers that belong to nobody."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from faker import Faker

from api.demo import synthetic_words as words

#: Of every regency; no regency has as many districts, so no such NIK was ever given.
NO_SUCH_DISTRICT = "99"

#: Begins a mobile number that, as far as is known, no Indonesian operator was given.
NO_SUCH_OPERATOR = "+62840"

# In this order, so that no letter is rewritten twice. Widya and Setya keep their y: dj and tj
# were other sounds. Only before a vowel: Clara, Mochammad and Rizky stay.
_OLD_SPELLING = (
    ("j(?=[aiueo])", "dj"),
    ("c(?=[aiueo])", "tj"),
    ("(?<![td])y(?=[aiueo])", "j"),
    ("u", "oe"),
)
_IS_OLD = re.compile("oe|dj|tj", re.IGNORECASE)
_REFORM = date(1972, 8, 17)  # Who was born before may still be written in the old spelling.


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person; None where it is not known."""

    full_name: str
    first: str
    aliases: tuple[str, ...]
    nik: str | None
    family_card: str | None
    date_of_birth: date | None
    gender: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    home_address: str | None
    present_location: str | None


class People:
    """Makes person after person from one source of randomness."""

    def __init__(self, faker: Faker, today: date) -> None:
        """Take the source of randomness, seeded by the caller."""
        self._faker = faker
        self._random: Random = faker.random
        self._today = today
        self._made = 0

    def person(self, province: str, woman: bool, lgbtiq: bool, name: str | None = None) -> Person:
        """Invent one; of one with a given *name* all but the present location is known."""
        random = self._random
        self._made += 1
        born = self._today - timedelta(days=random.randint(18 * 366, 74 * 365))
        complete = name is not None
        name = name or self.name(province, woman, born)
        known = complete or random.random() < 0.85
        gender = "female" if woman else "male"
        if lgbtiq and not woman and random.random() < 0.4:
            gender = "transgender woman"
        place = random.choice(words.PLACES[province])
        return Person(
            full_name=name if complete else self._titled(name, woman),
            first=_called(name),
            aliases=self._aliases(name, lgbtiq),
            nik=self._nik(province, born, woman) if known else None,
            family_card=self.family_card(province) if complete or random.random() < 0.7 else None,
            date_of_birth=born if known else None,
            gender=gender,
            phones=tuple(self._phone() for _ in range(random.choice((1, 1, 1, 2)) if known else 0)),
            emails=self._emails(name) if complete or random.random() < 0.5 else (),
            home_address=self._address(place) if complete or random.random() < 0.8 else None,
            present_location=self._whereabouts(province) if random.random() < 0.3 else None,
        )

    def name(self, province: str, woman: bool, born: date) -> str:
        """Invent a name of one to four words, in the way of the region."""
        random = self._random
        kind = random.random()
        if province == "51" and kind < 0.75:
            order, short = random.choice(words.BALINESE_ORDER)
            given = random.choice((words.BALINESE_WOMEN if woman else words.BALINESE_MEN).split())
            particle = "Ni" if woman else "I"
            return f"{particle} {short if random.random() < 0.2 else order} {given}"
        if kind < 0.14:
            one = words.ONE_WORD_WOMEN if woman else words.ONE_WORD_MEN
            name = random.choice(one.split())
        elif kind < 0.34 and not woman:
            name = " ".join(
                (
                    random.choice(words.MUHAMMADS.split()),
                    random.choice(words.MEN_AFTER_MUHAMMAD.split()),
                    *([self._faker.last_name()] if random.random() < 0.6 else []),
                )
            )
        else:
            first = self._faker.first_name_female() if woman else self._faker.first_name_male()
            between = ""
            if province < "15" and random.random() < 0.25:
                between = " binti" if woman else " bin"
            name = f"{first}{between} {self._faker.last_name()}"
        if born < _REFORM and random.random() < 0.35:
            name = old_spelling(name)
        return name

    def family_card(self, province: str) -> str:
        """Invent the number of a family card, recorded on some day since 2005."""
        recorded = date(2005, 1, 1) + timedelta(days=self._random.randint(0, 7300))
        recorded = min(recorded, self._today)
        return f"{self._region(province)}{recorded:%d%m%y}{self._serial()}"

    def _titled(self, name: str, woman: bool) -> str:
        chance = self._random.random()
        if chance < 0.08:
            return (
                f"{self._random.choice(words.TITLES_WOMEN if woman else words.TITLES_MEN)} {name}"
            )
        if chance < 0.16:
            return f"{name}, {self._random.choice(words.DEGREES)}"
        return name

    def _aliases(self, name: str, lgbtiq: bool) -> tuple[str, ...]:
        random = self._random
        aliases = []
        if random.random() < (0.7 if lgbtiq else 0.25):
            nicknames = words.NICKNAMES.split()
            aliases.append(f"{random.choice(nicknames)} {random.choice(name.split())}")
        if random.random() < 0.1 and (other := old_spelling(name)) != name:
            aliases.append(other)
        return tuple(aliases)

    def _nik(self, province: str, born: date, woman: bool) -> str:
        day = born.day + 40 * woman
        return f"{self._region(province)}{day:02}{born:%m%y}{self._serial()}"

    def _region(self, province: str) -> str:
        return f"{province}{self._random.randint(1, 28):02}{NO_SUCH_DISTRICT}"

    def _serial(self) -> str:
        return f"{1 + self._made % 9999:04}"

    def _phone(self) -> str:
        digits = self._random.choice((6, 7, 7, 8))
        return NO_SUCH_OPERATOR + f"{self._random.randrange(10**digits):0{digits}}"

    def _emails(self, name: str) -> tuple[str, ...]:
        local = ".".join("".join(filter(str.isalpha, word)) for word in name.lower().split())
        return (f"{local}{self._random.randint(1, 999)}@surel.example.org",)

    def _address(self, place: str) -> str:
        random = self._random
        street = random.choice(words.STREETS)
        return (
            f"{street} No. {random.randint(1, 180)}, RT {random.randint(1, 12):02}/"
            f"RW {random.randint(1, 9):02}, {place}"
        )

    def _whereabouts(self, province: str) -> str:
        random = self._random
        return random.choice(words.WHEREABOUTS).format(
            number=random.randint(2, 40),
            place=random.choice(words.PLACES[province]),
            other=random.choice(words.PLACES["32"]),
        )


def _called(name: str) -> str:
    """Return the word of *name* by which one speaks of its bearer."""
    first, *rest = name.split()
    if not rest:
        return first
    if first in ("I", "Ni"):
        return rest[-1]
    return rest[0] if first in words.MUHAMMADS.split() else first


def old_spelling(name: str) -> str:
    """Write *name* as before 1972: Yusuf as Joesoef, Cipto as Tjipto, Joko as Djoko."""
    if _IS_OLD.search(name):
        return name
    text = name.lower()
    for new, old in _OLD_SPELLING:
        text = re.sub(new, old, text)
    return text.title()
