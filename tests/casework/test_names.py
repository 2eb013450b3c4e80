"""Names: all spellings of one name find each other, and nothing repeats a name."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.casework.names import Likeness, Match, match, normalise
from api.errors import ValueInvalid

MUHAMMADS = """
    Muhammad Mohammad Mochammad Muchammad Mukhammad Mokhammad Moehammad Moechammad Muhamad
    Mohamad Mochamad Muchamad Mohamed Muhammed Mohammed Mohd. Muhd. Mhd. Md. Moh. Moch. Much.
    Muh. M. Moh Muh M
"""

SAME = [
    ("Soekarno", "Sukarno"),
    ("Djoko Soesilo", "Joko Susilo"),
    ("Tjipto Mangoenkoesoemo", "Cipto Mangunkusumo"),
    ("Jusuf", "Yusuf"),
    ("Joesoef", "Yusup"),
    ("Achmad", "Akhmad"),
    ("Achmad", "Ahmad"),
    ("Chairil Anwar", "Khairil Anwar"),
    ("Sjahrir", "Syahrir"),
    ("Sjamsoel", "Samsul"),
    ("Njoman Soekarta", "Nyoman Sukarta"),
    ("Rizky", "Riski"),
    ("Arief", "Arif"),
    ("Saeful", "Syaiful"),
    ("Zulkifli", "Dzulkifli"),
    ("Nur Aini", "NUR  AINI"),
    ("Ma'ruf", "Maruf"),
    ("José Álvarez", "Jose Alvarez"),
    ("H. Budi Santoso", "Budi Santoso"),
    ("Hj. Siti Aminah", "Siti Aminah"),
    ("K.H. Hasan Basri", "Hasan Basri"),
    ("KH Hasan Basri", "Hasan Basri"),
    ("Drs. H. Budi Santoso, S.H., M.Si.", "Budi Santoso"),
    ("dr. Budi Santoso, Sp.OG", "Budi Santoso"),
    ("Prof. Dr. Ir. Budi Santoso", "Budi Santoso"),
    ("Budi Santoso SH MH", "Budi Santoso"),
    ("Siti Aminah binti Hasan", "Siti Aminah Hasan"),
    ("Teuku Umar bin Ali", "Teuku Umar Ali"),
    ("I Wayan Sudarta", "Wayan Sudarta"),
    ("I Wyn. Sudarta", "I Wayan Sudarta"),
    ("I Md. Suarta", "I Made Suarta"),
    ("Ni Kt. Suastini", "Ni Ketut Suastini"),
    ("H.M. Yusuf, S.H.", "Muhammad Yusuf"),
]


@pytest.mark.parametrize("spelling", MUHAMMADS.split())
def test_every_muhammad_is_muhammad(spelling: str) -> None:
    assert normalise(f"{spelling} Yusuf") == normalise("Muhammad Yusuf")


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_name_fold_together_and_find_each_other(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    for query, name in ((one, other), (other, one)):
        [found] = match(query, [("k", [name])])
        assert found.score >= 95


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Budi Santoso", "Budi Hartono"),
        ("Siti Aminah", "Siti Rohani"),
        ("Muhammad Yusuf", "Muhammad Ridwan"),
        ("I Wayan Sudarta", "I Wayan Mertayasa"),
        ("Abdul Rahman", "Abdul Malik"),
        ("Wahyu", "Suharto"),
    ],
)
def test_people_who_share_only_a_common_name_are_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)
    assert match(one, [("k", [other])]) == []


@pytest.mark.parametrize(
    "name", ["Ir", "H.", "Ma", "Ni", "I", "Bin", "S.H.", "M", "Hadji", "Ketut"]
)
def test_a_word_that_is_all_there_is_stays(name: str) -> None:
    assert normalise(name)


TRICKY = """
    m. M muh h. hj. k.h. s.h. , bin i ni md. kt wy alias als. a.k.a. ( ) @ oe dj tj sj chr khh
    akka alz Dzh ie ii y jy yj p pp' Ä ß ǆ ﬃ İ 李 - . drs.h. szh oestad hadjj Much
"""


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(TRICKY.split()) | st.text(max_size=6), max_size=8).map(" ".join)
    | st.text(max_size=30)
)
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once
    assert once == " ".join(once.split())


PEOPLE = [
    ("yusuf", ["Mochammad Yusuf Hidayat", "Ucup"]),
    ("suharto", ["Suharto"]),
    ("sudirman", ["Sudirman Hadi Prasetyo"]),
    ("aini", ["Nuraini Lestari"]),
    ("rahman", ["Abdurrahman Wahid"]),
    ("budi", ["Budi Santoso alias Bejo"]),
    ("santoso", ["Santoso Budi"]),
    ("wayan", ["I Wayan Sudarta"]),
    ("yani", ["Ahmad Yani"]),
]


@pytest.mark.parametrize(
    ("query", "key", "reason"),
    [
        ("Suharto", "suharto", Likeness.EXACT),
        ("H. SUHARTO, S.H.", "suharto", Likeness.EXACT),
        ("Soeharto", "suharto", Likeness.SPELLING_VARIANT),
        ("Moh. Jusuf Hidajat", "yusuf", Likeness.SPELLING_VARIANT),
        ("Nur Aini Lestari", "aini", Likeness.SPELLING_VARIANT),
        ("Budi Santoso", "budi", Likeness.EXACT),
        ("Jusuf", "yusuf", Likeness.PART_OF_THE_NAME),
        ("Soedarta", "wayan", Likeness.PART_OF_THE_NAME),
        ("Suharto Wijaya", "suharto", Likeness.PART_OF_THE_NAME),
        ("Sudirmam", "sudirman", Likeness.SIMILAR),
        ("Abdul Rahman Wahid", "rahman", Likeness.SIMILAR),
        ("A. Yani", "yani", Likeness.SIMILAR),
        ("Ucup", "yusuf", Likeness.EXACT),
        ("Bejo", "budi", Likeness.EXACT),
        ("Yanto alias Bejo", "budi", Likeness.EXACT),
    ],
)
def test_a_query_finds_its_person_first_and_says_why(
    query: str, key: str, reason: Likeness
) -> None:
    first = match(query, PEOPLE)[0]

    assert (first.key, first.reason) == (key, reason)


def test_the_very_name_comes_first_then_its_spellings_then_the_rest_by_score() -> None:
    found = match(
        "Budi Santoso",
        [
            ("similar", ["Budi Agus Santosa"]),
            ("part", ["Budi Agus Santoso"]),
            ("variant", ["Boedi Santoso"]),
            ("exact", ["Budi Santoso"]),
        ],
    )

    assert [item.key for item in found] == ["exact", "variant", "part", "similar"]
    assert [item.reason for item in found] == list(Likeness)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


def test_equal_matches_keep_their_order_and_the_limit_holds() -> None:
    people = [(number, ["Budi Santoso"]) for number in range(50)]

    assert [item.key for item in match("Budi Santoso", people, limit=5)] == [0, 1, 2, 3, 4]


def test_a_person_with_several_names_is_found_once_by_the_best() -> None:
    [found] = match("Bejo", [("k", ["Bejoo", "Bejo", "Bedjo"])])

    assert found == Match("k", 100, Likeness.EXACT)


@pytest.mark.parametrize("query", ["", "  ", "ab", "a.b.", "--- --", "x" * 201])
def test_a_query_that_is_too_short_or_too_long_is_refused(query: str) -> None:
    opened = []

    def candidates() -> "list[tuple[str, list[str]]]":
        opened.append(True)
        return PEOPLE

    with pytest.raises(ValueInvalid):
        match(query, (person for source in (candidates,) for person in source()))
    assert opened == []


@pytest.mark.parametrize("query", ["Kho", "Bin", "Drs", "李小龍", "..a b c.."])
def test_three_letters_are_enough_whatever_they_fold_to(query: str) -> None:
    assert [item.key for item in match(query, [("k", [query])])] == ["k"]


def test_nobody_is_found_among_nobody() -> None:
    assert match("Budi", []) == []
    assert match("Budi", [("k", []), ("l", [""]), ("m", ["..."])]) == []


def test_a_match_holds_no_name() -> None:
    [found] = match("Soeharto", [(7, ["Suharto"])])

    assert {field.name for field in dataclasses.fields(found)} == {"key", "score", "reason"}
    assert "uhart" not in repr(found)


@given(st.text(max_size=30), st.lists(st.text(max_size=12), max_size=5))
def test_any_query_over_any_names_gives_scores_within_bounds(query: str, names: list[str]) -> None:
    try:
        found = match(query, [("k", names)])
    except ValueInvalid:
        return
    assert all(0 <= item.score <= 100 for item in found)
