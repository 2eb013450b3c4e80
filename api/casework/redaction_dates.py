"""Days as people write them, in Indonesian and English, in figures and in words."""

import re
from collections.abc import Collection, Iterator
from datetime import date


def _list(text: str) -> list[str]:
    return text.split()


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february pebruari feb peb",
            "maret march mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu agt ags aug",
            "september sept sep",
            "oktober october okt oct",
            "november nopember nov nop",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}
_ROMAN = {
    name: number
    for number, name in enumerate(_list("i ii iii iv v vi vii viii ix x xi xii"), start=1)
}
_UNITS = _list("nol satu dua tiga empat lima enam tujuh delapan sembilan")
_ENGLISH_DAYS = _list(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
    "twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth "
    "twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
)


def in_words(number: int) -> str:
    """Say a number from 1 to 2999 in Indonesian."""
    if number >= 1000:
        head = "seribu" if number < 2000 else f"{_UNITS[number // 1000]} ribu"
        return f"{head} {in_words(number % 1000)}".strip() if number % 1000 else head
    if number >= 100:
        head = "seratus" if number < 200 else f"{_UNITS[number // 100]} ratus"
        return f"{head} {in_words(number % 100)}".strip() if number % 100 else head
    if number >= 20:
        head = f"{_UNITS[number // 10]} puluh"
        return f"{head} {_UNITS[number % 10]}" if number % 10 else head
    if number >= 12:
        return f"{_UNITS[number - 10]} belas"
    return {10: "sepuluh", 11: "sebelas"}.get(number) or _UNITS[number]


_DAYS = {in_words(day): day for day in range(1, 32)} | {
    word: day for day, word in enumerate(_ENGLISH_DAYS, start=1)
}


def _either(words: Collection[str]) -> str:
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(
        re.escape(word).replace(r"\ ", r"\s{1,3}").replace(r"\-", "[ -]") for word in ordered
    )


_MONTH = rf"(?P<month>{_either(_MONTHS)})(?![^\W_])\.?"
_YEAR = r"(?P<year>[0-9]{4}|'?[0-9]{2})(?![^\W_])"
_APART = r"(?:[\s.,/\-]{0,4}|\s{1,2}(?:bulan|tahun|thn)\s{1,2})"
#: (^|not a letter) keeps each from beginning inside a word, and so from reading on and on.
_WITH_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![^\W_])(?:(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?|(?P<spoken>{_either(_DAYS)}))"
        rf"(?:\s{{1,2}}of)?{_APART}{_MONTH}(?:{_APART}{_YEAR})?",
        rf"(?<![^\W_]){_MONTH}\s{{1,2}}(?:(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?|"
        rf"(?P<spoken>{_either(_DAYS)}))(?![^\W_])(?:{_APART}{_YEAR})?",
    )
)
_WITH_ROMAN = re.compile(
    rf"(?<![^\W_])(?P<day>[0-9]{{1,2}})[\s./\-]{{1,3}}(?P<month>{_either(_ROMAN)})[\s./\-]{{1,3}}{_YEAR}"
)
_MONTH_AND_YEAR = re.compile(rf"(?<![^\W_]){_MONTH}{_APART}(?P<year>[0-9]{{4}})(?![^\W_])")
_BETWEEN = r"\s?(?P<apart>[./\-\s])\s?"
_AGAIN = r"\s?(?P=apart)\s?"
_IN_FIGURES = tuple(
    re.compile(rf"(?<![0-9]){pattern}(?![0-9])")
    for pattern in (
        rf"(?P<one>[0-9]{{1,2}}){_BETWEEN}(?P<two>[0-9]{{1,2}}){_AGAIN}(?P<year>[0-9]{{4}}|'?[0-9]{{2}})",
        r"tanggal\s{1,2}(?P<one>[0-9]{1,2})\s{1,2}bulan\s{1,2}(?P<two>[0-9]{1,2})"
        r"(?:\s{1,2}tahun\s{1,2}(?P<year>[0-9]{4}))?",
        rf"(?P<year>[0-9]{{4}}){_BETWEEN}(?P<one>[0-9]{{1,2}}){_AGAIN}(?P<two>[0-9]{{1,2}})",
    )
)
_DAY_AND_MONTH = re.compile(r"(?<![0-9./-])(?P<one>[0-9]{1,2})[/-](?P<two>[0-9]{1,2})(?![0-9/-])")
_YEAR_OF_BIRTH = re.compile(
    r"(?<![^\W_])(?:(?:ke)?lahir(?:an)?|born|angkatan|tahun|thn|th|in)[\s.,:]{0,3}"
    r"(?:tahun\s|thn\s|in\s)?(?P<year>'?[0-9]{2})(?![0-9])"
)


def days(low: str, births: Collection[date]) -> Iterator[tuple[int, int, bool]]:
    """Yield each date to the day, and what tells of *births*; the last says whether it does.

    Args:
        low: text in lower case.
        births: dates of which a month with its year, and a year alone, are told, too.
    """
    for pattern in _WITH_NAMES:
        for found in pattern.finditer(low):
            spoken = found["spoken"]
            day = int(found["day"]) if spoken is None else _DAYS[_one_spaced(spoken)]
            if not 1 <= day <= 31:
                continue
            month = _MONTHS[found["month"]]
            end = found.start() + len(found[0].rstrip(" ."))  # The dot may be of the sentence.
            yield found.start(), end, any(_is(born, day, month, found["year"]) for born in births)
    for found in _WITH_ROMAN.finditer(low):
        day, month = int(found["day"]), _ROMAN[found["month"]]
        yield *found.span(), any(_is(born, day, month, found["year"]) for born in births)
    for pattern in _IN_FIGURES:
        for found in pattern.finditer(low):
            one, two = int(found["one"]), int(found["two"])
            if not (1 <= min(one, two) <= 12 and 1 <= max(one, two) <= 31):
                continue
            known = any(
                _is(born, one, two, found["year"]) or _is(born, two, one, found["year"])
                for born in births
            )
            yield *found.span(), known
    if births:
        yield from _of_births(low, births)


def _of_births(low: str, births: Collection[date]) -> Iterator[tuple[int, int, bool]]:
    for found in _MONTH_AND_YEAR.finditer(low):
        month, year = _MONTHS[found["month"]], int(found["year"])
        if any((born.month, born.year) == (month, year) for born in births):
            yield *found.span(), True
    years = {born.year for born in births}
    written = {f"{born:{form}}" for born in births for form in ("%d%m%Y", "%Y%m%d", "%d%m%y")}
    for found in re.finditer(r"(?<![0-9])[0-9]{4,8}(?![0-9])", low):
        if found[0] in written or (len(found[0]) == 4 and int(found[0]) in years):
            yield *found.span(), True
    short = {year % 100 for year in years}
    for found in _YEAR_OF_BIRTH.finditer(low):
        if int(found["year"].strip("'")) in short:
            yield *found.span("year"), True
    for found in _DAY_AND_MONTH.finditer(low):
        one, two = int(found["one"]), int(found["two"])
        if any((born.day, born.month) in ((one, two), (two, one)) for born in births):
            yield *found.span(), True
    for year in years:
        spoken = r"\s{1,3}".join(in_words(year).split())
        for found in re.finditer(rf"(?<![^\W_]){spoken}(?![^\W_])", low):
            yield *found.span(), True


def _is(born: date, day: int, month: int, year: str | None) -> bool:
    if (born.day, born.month) != (day, month):
        return False
    return year is None or int(year.strip("'")) % 100 == born.year % 100


def _one_spaced(spoken: str) -> str:
    text = " ".join(spoken.split())
    return text if text in _DAYS else text.replace(" ", "-")
