"""The invented records: the same every time, in order, and nobody's."""

import json
import re
from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from time import process_time

import pytest

from api.casework.identifiers import Nik, parse_email, parse_kk, parse_phone
from api.casework.names import match, normalise
from api.code_lists import load
from api.demo import synthetic as module
from api.demo import synthetic_words as words
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN, Synthetic, synthetic
from api.demo.synthetic_people import NO_SUCH_DISTRICT, NO_SUCH_OPERATOR, old_spelling
from api.vocabulary import CASEWORK_ROLES, CaseStatus, Role, Sensitivity

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
AGENCIES = {"komnas-ham", "komnas-perempuan", "lpsk"}


@pytest.fixture(scope="module")
def records() -> Synthetic:
    return synthetic(1, TODAY)


def test_the_same_seed_and_day_give_the_same_records(records: Synthetic) -> None:
    assert synthetic(1, TODAY) == records
    assert synthetic(2, TODAY) != records


def test_there_are_about_300_defenders_in_250_case_files(records: Synthetic) -> None:
    assert len(records.case_files) == 250
    assert 280 <= len(records.defenders) <= 320
    shares = Counter(case_file.lead_agency for case_file in records.case_files)
    assert set(shares) == AGENCIES
    assert min(shares.values()) > 50


def test_every_agency_has_its_staff(records: Synthetic) -> None:
    for agency in AGENCIES:
        roles = Counter(m.role for m in records.members if m.organisation == agency)
        assert roles[Role.INTAKE_OFFICER] == 2
        assert roles[Role.CASE_OFFICER] == 3
        assert roles[Role.PROTECTION_OFFICER] == (2 if agency == "lpsk" else 0)
        for role in (Role.SUPERVISOR, Role.AGENCY_LEAD, Role.SECURITY_OFFICER, Role.OPERATOR):
            assert roles[role] == 1
    partners = [m for m in records.members if m.role is Role.PARTNER]
    assert len({m.organisation for m in partners}) == len(partners) == 2


@pytest.mark.parametrize(
    ("subject", "organisation", "role"),
    [
        (SARI, "komnas-ham", Role.CASE_OFFICER),
        (BUDI, "komnas-ham", Role.SUPERVISOR),
        (TUTI, "komnas-ham", Role.SECURITY_OFFICER),
        (WAYAN, "lpsk", Role.PROTECTION_OFFICER),
        (RATNA, "lbh-nusantara", Role.PARTNER),
    ],
)
def test_the_people_of_the_demo_are_who_they_should_be(
    records: Synthetic, subject: str, organisation: str, role: Role
) -> None:
    member = records.member(subject)

    assert (member.organisation, member.role, member.disabled_at) == (organisation, role, None)
    assert len({m.subject for m in records.members}) == len(records.members)


def test_who_does_no_casework_has_no_clearance_and_no_training(records: Synthetic) -> None:
    for member in records.members:
        if member.role not in CASEWORK_ROLES:
            assert member.clearance is Sensitivity.LOW
            assert not member.trained


def test_ids_are_version_7_unique_and_of_their_day(records: Synthetic) -> None:
    rows = [
        *records.members,
        *records.defenders,
        *records.case_files,
        *records.assignments,
        *records.notes,
        *records.releases,
    ]
    assert len({row.id for row in rows}) == len(rows)
    assert {(row.id.version, row.id.variant) for row in rows} == {(7, "specified in RFC 4122")}
    for case_file in records.case_files:
        made = datetime.fromtimestamp((case_file.id.int >> 80) / 1000, UTC)
        assert made.date() == case_file.opened_on


def test_everything_refers_to_something_that_is_there(records: Synthetic) -> None:
    members = {m.id: m for m in records.members}
    files = {c.id: c for c in records.case_files}
    named = [defender for c in records.case_files for defender in c.defenders]

    assert sorted(named) == sorted(d.id for d in records.defenders)
    agencies = {d.id: d.agency for d in records.defenders}
    for case_file in records.case_files:
        assert case_file.defenders
        assert {agencies[d] for d in case_file.defenders} == {case_file.lead_agency}
    for assignment in records.assignments:
        agency = files[assignment.case_file].lead_agency
        assert members[assignment.member].organisation == agency
        assert members[assignment.assigned_by].organisation == agency
        assert members[assignment.assigned_by].role is Role.SUPERVISOR
    for note in records.notes:
        assert members[note.author].organisation == files[note.case_file].lead_agency
    for release in records.releases:
        assert release.agency == files[release.case_file].lead_agency
        assert release.partner not in AGENCIES


def test_nobody_is_assigned_to_what_they_are_not_cleared_for(records: Synthetic) -> None:
    members = {m.id: m for m in records.members}
    files = {c.id: c for c in records.case_files}

    for assignment in records.assignments:
        assert members[assignment.member].clearance >= files[assignment.case_file].sensitivity


def test_references_count_up_within_agency_and_year(records: Synthetic) -> None:
    assert len({c.reference for c in records.case_files}) == 250
    for case_file in records.case_files:
        assert re.fullmatch(r"(KH|KP|LP)-20\d\d-\d{4}", case_file.reference)
        assert int(case_file.reference[3:7]) == case_file.opened_on.year
    assert all(a.opened_on <= b.opened_on for a, b in pairwise(records.case_files))


def test_nothing_is_younger_than_today_and_live_means_a_month(records: Synthetic) -> None:
    files = {c.id: c for c in records.case_files}
    for case_file in records.case_files:
        assert case_file.opened_on <= TODAY
    for note in records.notes:
        assert files[note.case_file].opened_on <= note.written_at.date() <= TODAY
    live = 0
    for assignment in records.assignments:
        closed = files[assignment.case_file].status is CaseStatus.CLOSED
        assert assignment.starts_at <= NOW
        assert assignment.starts_at < assignment.ends_at
        assert assignment.ended_at is None or assignment.starts_at < assignment.ended_at < NOW
        is_live = assignment.ended_at is None and assignment.ends_at > NOW
        assert is_live is not closed
        if is_live:
            live += 1
            assert assignment.ends_at >= NOW + timedelta(days=29)
    assert live > 200


def test_the_demo_has_a_case_file_that_sari_opens_and_one_that_she_does_not(
    records: Synthetic,
) -> None:
    sari = records.member(SARI)
    files = {c.id: c for c in records.case_files}
    people = {d.id: d for d in records.defenders}
    hers = {a.case_file for a in records.assignments if a.member == sari.id}

    assert records.open_to_sari in hers
    assert records.closed_to_sari not in hers
    for shown in (files[records.open_to_sari], files[records.closed_to_sari]):
        assert shown.lead_agency == "komnas-ham"
        assert shown.status is CaseStatus.ACTIVE
        assert shown.sensitivity <= sari.clearance
        [person] = (people[d] for d in shown.defenders)
        assert None not in (person.nik, person.family_card, person.date_of_birth)
        assert person.phones
        assert person.emails
        assert person.home_address


def test_ratna_has_one_live_release_of_the_case_file_that_sari_opens(records: Synthetic) -> None:
    theirs = [r for r in records.releases if r.partner == "lbh-nusantara"]
    live = [r for r in theirs if r.until > NOW and r.revoked_at is None]

    assert [r.case_file for r in live] == [records.open_to_sari]
    assert len(theirs) > 1, "one that is over must not show"
    assert any(r.revoked_at is not None for r in records.releases)


def test_no_release_names_anybody(records: Synthetic) -> None:
    people = {d.id: d for d in records.defenders}
    files = {c.id: c for c in records.case_files}
    for release in records.releases:
        for defender in files[release.case_file].defenders:
            for word in people[defender].full_name.split():
                assert not re.search(rf"\b{re.escape(word)}\b", release.summary)


def test_every_code_may_stand_where_it_stands(records: Synthetic) -> None:
    lists = load()

    def clear(name: str, codes: tuple[str, ...]) -> bool:
        return lists.split(name, codes).sealed == () and list(codes) == sorted(set(codes))

    for c in records.case_files:
        assert lists.has("provinces", c.province)
        assert clear("incident_kinds", c.incident_kinds)
        assert clear("adversary_kinds", c.adversary_kinds)
        assert clear("measure_kinds", c.measure_kinds)
        assert all(lists.has("sexual_violence_forms", form) for form in c.sexual_violence_forms)
        assert not c.sexual_violence_forms or "violence" in c.incident_kinds
        assert "seksual" not in c.account, "the account needs no training to be read"
    for d in records.defenders:
        assert clear("defender_categories", d.categories)
        for code in d.sealed_categories:
            assert lists.entry("defender_categories", code).sealed_in == "identity"
    for r in records.releases:
        assert all(lists.has("measure_kinds", code) for code in r.requested)


def test_violence_in_clear_does_not_mean_sexual_violence(records: Synthetic) -> None:
    violence = [c for c in records.case_files if "violence" in c.incident_kinds]

    assert {bool(c.sexual_violence_forms) for c in violence} == {True, False}


def test_identifiers_are_in_normal_form_and_fit_the_person(records: Synthetic) -> None:
    provinces = {d: c.province for c in records.case_files for d in c.defenders}
    for d in records.defenders:
        if d.nik is not None:
            nik = Nik.parse(d.nik)
            assert nik.digits == d.nik
            assert nik.province == provinces[d.id]
            assert nik.born(TODAY) == d.date_of_birth
            assert nik.is_woman is (d.gender == "female")
        if d.family_card is not None:
            assert parse_kk(d.family_card) == d.family_card
        assert [parse_phone(p) for p in d.phones] == list(d.phones)
        assert [parse_email(e) for e in d.emails] == list(d.emails)
        lines = (d.full_name, *d.aliases, d.home_address or "x", d.present_location or "x")
        assert all(line == " ".join(line.split()) != "" for line in lines)


def test_no_identifier_can_belong_to_anybody(records: Synthetic) -> None:
    for d in records.defenders:
        for digits in (d.nik, d.family_card):
            assert digits is None or digits[4:6] == NO_SUCH_DISTRICT
        assert all(phone.startswith(NO_SUCH_OPERATOR) for phone in d.phones)
        assert all(email.endswith("@surel.example.org") for email in d.emails)
    niks = [d.nik for d in records.defenders if d.nik]
    assert len(set(niks)) == len(niks)
    assert "invented" in (module.__doc__ or "")


def test_some_things_are_not_known_of_everybody(records: Synthetic) -> None:
    for field in ("nik", "family_card", "home_address", "present_location"):
        known = [getattr(d, field) is not None for d in records.defenders]
        assert {True, False} == set(known)


def test_names_are_spelled_in_many_ways(records: Synthetic) -> None:
    names = [d.full_name for d in records.defenders]

    assert any(" " not in name for name in names)
    assert any(name.startswith(("I ", "Ni ")) for name in names)
    assert any(re.search(r"oe|tj|dj|Tj|Dj", name) for name in names)
    assert any(re.search(r", [SM]\.", name) for name in names)
    muhammads = {n.split()[0] for n in names if normalise(n).startswith("muhamad ")}
    assert len(muhammads) >= 5
    assert sum(bool(d.aliases) for d in records.defenders) > 30


def test_a_name_and_its_old_spelling_find_each_other() -> None:
    names = {d.full_name for d in synthetic(3, TODAY, case_files=1500).defenders}
    # A title that is respelled (Dr., S.H.) is no longer the title.
    names = {name for name in names if not re.search(r"[.,]", name)}
    respelled = {name: old_spelling(name) for name in names}

    assert sum(name != old for name, old in respelled.items()) > 500
    for name, old in respelled.items():
        assert normalise(name) == normalise(old)


@pytest.mark.parametrize("query", ["Muhammad Yusuf Hidayat", "M. Jusuf Hidajat", "Yusuf Hidayat"])
def test_the_defender_of_the_demo_is_found_under_other_spellings(
    records: Synthetic, query: str
) -> None:
    [shown] = (c for c in records.case_files if c.id == records.open_to_sari)
    people = [(d.id, [d.full_name, *d.aliases]) for d in records.defenders]

    assert match(query, people)[0].key == shown.defenders[0]


def test_plaintexts_are_all_there_and_in_no_clear_column(records: Synthetic) -> None:
    texts = set(records.plaintexts())
    clear = json.dumps(
        [
            [c.reference, c.incident_kinds, c.adversary_kinds, c.measure_kinds]
            for c in records.case_files
        ]
    )

    for person in records.defenders:
        assert {person.full_name, *person.phones, *person.emails} <= texts
        assert {person.nik, person.family_card} - {None} <= texts
    assert min(map(len, texts)) >= 5
    assert not any(text in clear for text in texts)


def test_the_words_cover_every_province_and_agency() -> None:
    assert set(words.PLACES) == set(load().codes("provinces"))
    assert set(words.STAFF) == AGENCIES


def test_three_thousand_case_files_take_less_than_three_seconds() -> None:
    start = process_time()
    records = synthetic(1, TODAY, case_files=3000)

    assert process_time() - start < 3
    assert len(records.case_files) == 3000
    assert len({c.reference for c in records.case_files}) == 3000
    niks = [d.nik for d in records.defenders if d.nik]
    assert len(set(niks)) == len(niks)


@pytest.mark.parametrize("size", [2, 3, 10])
@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2031, 12, 31)])
def test_any_day_and_a_small_size_do(size: int, today: date) -> None:
    records = synthetic(9, today, case_files=size)

    assert len(records.case_files) == size
    assert asdict(records)["open_to_sari"] == records.open_to_sari
