"""Identifiers: one normal form each, and nothing of them in any text."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework.identifiers import Nik, parse_email, parse_kk, parse_phone
from api.code_lists import load
from api.errors import NikInvalid, PerisaiError, PhoneInvalid, ValueInvalid

PROVINCES = load().codes("provinces")
# Made up: there is no district 99 in any regency.
MAN = "3273991708900001"
WOMAN = "3273995708900001"


@pytest.mark.parametrize(
    "text",
    [
        MAN,
        " 3273991708900001 ",
        "32.73.99.170890.0001",
        "3273-9917-0890-0001",
        "327399 170890 0001",
    ],
)
def test_a_nik_is_read_with_any_separators(text: str) -> None:
    nik = Nik.parse(text)

    assert nik.digits == MAN
    assert (nik.province, nik.is_woman) == ("32", False)
    assert nik.born(date(2026, 1, 1)) == date(1990, 8, 17)


def test_a_womans_nik_holds_her_day_of_birth_plus_forty() -> None:
    nik = Nik.parse(WOMAN)

    assert nik.is_woman
    assert nik.born(date(2026, 1, 1)) == date(1990, 8, 17)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "327399170890000",  # 15
        "32739917089000011",  # 17
        "0073991708900001",  # no such province
        "9773991708900001",  # no such province
        "3273993202900001",  # 32 February
        "3273990002900001",  # day 0
        "3273994002900001",  # day 0 of a woman
        "3273997202900001",  # day 32 of a woman
        "3273991713900001",  # month 13
        "3273993002900001",  # 30 February
        "3273992902010001",  # 29 February 1901 or 2001
        "32739917089O0001",  # a letter
        "٣٢٧٣٩٩١٧٠٨٩٠٠٠٠١",  # not ASCII digits
        "３２７３９９１７０８９００００１",
        "3273991708900001\n3273991708900002",
        "+3273991708900001",
        "3" + " " * 10_000 + "273991708900001",
    ],
)
def test_what_is_no_nik_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(NikInvalid) as refusal:
        Nik.parse(text)

    assert_silent(refusal.value, text)


def test_the_29th_of_february_1900_did_not_exist_but_2000_did() -> None:
    assert Nik.parse("3273992902000001").possible_births == (date(2000, 2, 29),)


def test_a_birth_year_of_two_digits_is_the_latest_that_is_past() -> None:
    nik = Nik.parse("3273991708200001")

    assert nik.born(date(2026, 1, 1)) == date(2020, 8, 17)
    assert nik.born(date(2020, 8, 16)) == date(1920, 8, 17)
    assert nik.born(date(1920, 8, 16)) is None


def test_a_nik_shows_nothing() -> None:
    nik = Nik.parse(WOMAN)

    assert repr(nik) == str(nik) == f"{nik}" == "<nik>"


@given(
    st.sampled_from(PROVINCES),
    st.integers(0, 9999),
    st.dates(date(1930, 1, 1), date(2025, 12, 31)),
    st.booleans(),
    st.integers(0, 9999),
)
def test_every_well_formed_nik_is_read_back(
    province: str, region: int, born: date, woman: bool, serial: int
) -> None:
    day = born.day + 40 * woman
    digits = f"{province}{region:04}{day:02}{born:%m%y}{serial:04}"

    nik = Nik.parse(digits)

    assert nik.digits == digits
    assert nik.is_woman is woman
    assert born in nik.possible_births
    assert Nik.parse(nik.digits) == nik


def test_a_family_card_holds_a_date_of_recording_of_no_sex() -> None:
    assert parse_kk("3273 9917 0815 0001") == "3273991708150001"
    with pytest.raises(NikInvalid):
        parse_kk(WOMAN)
    with pytest.raises(NikInvalid):
        parse_kk("1234")


@pytest.mark.parametrize(
    "text",
    [
        "084012345678",
        "6284012345678",
        "+6284012345678",
        "62 840 1234 5678",
        "0840-1234-5678",
        "0840.1234.5678",
        "(0840) 1234 5678",
        "+62 (0)840 1234 5678",
        "+62 0840 1234 5678",
        "006284012345678",
        "\u202a+62 840\u20111234\u20115678\u202c",  # as copied from a messenger
        "\u00a00840 1234 5678\u00a0",
    ],
)
def test_one_number_has_one_form(text: str) -> None:
    assert parse_phone(text) == "+6284012345678"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("021 5551 234", "+62215551234"),  # nine digits after the country code, a landline
        ("08401234567890", "+628401234567890"),  # thirteen
        ("+44 20 7946 0000", "+442079460000"),
        ("0060 3 1234 5678", "+60312345678"),
    ],
)
def test_landlines_and_other_countries_are_numbers_too(text: str, form: str) -> None:
    assert parse_phone(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "0",
        "112",
        "08401234",  # seven digits after the country code
        "084012345678901",  # fourteen
        "84012345678",  # neither a zero nor a country code
        "+0840123456",
        "+1234567",
        "+1234567890123456",
        "0840 1234 567x",
        "0840 1234 5678 ext. 2",
        "٠٨٤٠١٢٣٤٥٦٧٨",
        "+62+84012345678",
        "00084012345678",
        "0" + "8" * 1000,
    ],
)
def test_what_is_no_number_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(PhoneInvalid) as refusal:
        parse_phone(text)

    assert_silent(refusal.value, text)


@given(st.text(alphabet="0123456789+-(). 62", max_size=24))
def test_a_phone_normal_form_is_its_own_normal_form(text: str) -> None:
    try:
        form = parse_phone(text)
    except PhoneInvalid:
        return
    assert parse_phone(form) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (" Sari.Dewi@Example.ORG ", "sari.dewi@example.org"),
        ("mailto:sari@example.org", "sari@example.org"),
        ("sari+aman@mail.example.org", "sari+aman@mail.example.org"),
        ("sari@bücher.example", "sari@xn--bcher-kva.example"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
def test_an_address_has_one_form(text: str, form: str) -> None:
    assert parse_email(text) == form
    assert parse_email(form) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sari",
        "@example.org",
        "sari@",
        "sari@example",
        "sari@@example.org",
        "sari dewi@example.org",
        ".sari@example.org",
        "sari.@example.org",
        "sa..ri@example.org",
        "sari@-example.org",
        "sari@example..org",
        "sari@example.org\nbcc: x@example.org",
        "sarí@example.org",
        "s" * 65 + "@example.org",
        "s@" + "e" * 64 + ".org",
        "s@" + "e." * 130 + "org",
        "x" * 100_000,
    ],
)
def test_what_is_no_address_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueInvalid) as refusal:
        parse_email(text)

    assert_silent(refusal.value, text)


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    for parse in (Nik.parse, parse_kk, parse_phone, parse_email):
        try:
            parse(text)
        except PerisaiError as refusal:
            assert_silent(refusal, text)


def assert_silent(refusal: PerisaiError, text: str) -> None:
    """The message is the same for every input, and no cause carries the input along."""
    assert refusal.args == (type(refusal).message,)
    assert refusal.__cause__ is None
    assert refusal.__suppress_context__ or refusal.__context__ is None
    assert text not in vars(refusal).values()
