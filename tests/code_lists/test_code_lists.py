"""The code lists: complete, labelled twice, and careful about what stands in clear."""

import json
import re
from datetime import timedelta
from importlib import resources

import pytest

from api import code_lists
from api.code_lists import LISTS, CodeLists, load
from api.vocabulary import Compartment, Urgency


@pytest.fixture
def lists() -> CodeLists:
    return load()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("adversary_kinds", 13),
        ("closing_reasons", 8),
        ("defender_categories", 17),
        ("incident_kinds", 23),
        ("measure_kinds", 22),
        ("provinces", 38),
        ("requirements", 8),
        ("risk_impacts", 4),
        ("risk_likelihoods", 4),
        ("sexual_violence_forms", 15),
    ],
)
def test_a_list_has_all_its_entries(lists: CodeLists, name: str, size: int) -> None:
    assert len(lists.codes(name)) == size
    assert lists.versions[name] >= 1


@pytest.mark.parametrize("name", [*LISTS, "clocks"])
def test_no_code_stands_twice_in_a_file(name: str) -> None:
    text = resources.files(code_lists).joinpath(f"{name}.json").read_text(encoding="utf-8")
    content = json.loads(text)
    codes = [row["code"] for row in content["entries"]]

    assert content["list"] == name
    assert len(codes) == len(set(codes))
    allowed = {"code", "id", "en", "source", "clear_as", "sealed_in", "retired"}
    allowed |= {"details_in"} if name == "measure_kinds" else set()
    allowed |= {"always"} if name == "requirements" else set()
    allowed |= {"hours", "legal_source"} if name == "clocks" else set()
    assert all(set(row) <= allowed for row in content["entries"])


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_has_both_labels_a_source_and_a_plain_code(lists: CodeLists, name: str) -> None:
    for code, entry in lists.lists[name].items():
        assert re.fullmatch(r"[a-z][a-z_]*|[0-9]{2}", code)
        assert entry.labels.id.strip() == entry.labels.id != ""
        assert entry.labels.en.strip() == entry.labels.en != ""
        assert entry.source in {"V", "N", "P"}


@pytest.mark.parametrize("name", LISTS)
def test_what_does_not_stand_in_clear_as_itself_has_a_compartment(
    lists: CodeLists, name: str
) -> None:
    for entry in lists.lists[name].values():
        if entry.clear_as == entry.code:
            assert entry.sealed_in is None
        else:
            assert entry.sealed_in in set(Compartment)
        if entry.clear_as is not None:
            wider = lists.entry(entry.clear_list, entry.clear_as)
            assert wider.clear_as == wider.code, "a wider form must itself be clear"


@pytest.mark.parametrize("code", ["lgbtiq", "disability"])
def test_orientation_and_health_leave_nothing_in_clear(lists: CodeLists, code: str) -> None:
    split = lists.split("defender_categories", ["labour", code])

    assert split.clear == ("labour",)
    assert split.sealed == (code,)


def test_sexual_violence_is_only_violence_in_clear(lists: CodeLists) -> None:
    assert lists.split("incident_kinds", ["sexual_violence"]).clear == ("violence",)
    for form in lists.codes("sexual_violence_forms"):
        assert lists.split("sexual_violence_forms", [form]).clear == ("violence",)
        assert lists.entry("sexual_violence_forms", form).sealed_in == Compartment.GENDER_VIOLENCE


@pytest.mark.parametrize("code", ["safe_house", "new_identity"])
def test_hiding_is_only_physical_protection_in_clear(lists: CodeLists, code: str) -> None:
    split = lists.split("measure_kinds", [code, "physical_protection", "escort"])

    assert split.clear == ("escort", "physical_protection")
    assert split.sealed == (code,)


def test_an_unknown_or_retired_code_may_not_be_written(lists: CodeLists) -> None:
    assert lists.has("incident_kinds", "raid")
    assert not lists.has("incident_kinds", "Raid")
    assert not lists.has("incident_kinds", "")
    with pytest.raises(KeyError):
        lists.has("no_such_list", "raid")


def test_labels_are_for_people(lists: CodeLists) -> None:
    labels = lists.labels("provinces", "94")

    assert (labels.id, labels.en) == ("Papua Tengah", "Central Papua")


def test_the_lists_cannot_be_changed(lists: CodeLists) -> None:
    with pytest.raises(TypeError):
        lists.lists["incident_kinds"]["x"] = lists.entry("incident_kinds", "raid")  # type: ignore[index]  # The refusal is the claim.


def test_every_urgency_has_its_clock(lists: CodeLists) -> None:
    lengths = [lists.clocks[f"first_response_{urgency}"].length for urgency in Urgency]

    assert lengths == [timedelta(hours=hours) for hours in (3, 24, 72, 168)]
    assert all(clock.legal_source for clock in lists.clocks.values())


@pytest.mark.parametrize(
    ("code", "hours"),
    [("consent_withdrawn", 72), ("consent_withdrawn", 1), ("first_response_routine", 500)],
)
def test_a_clock_is_set_no_longer_than_a_law_lets_it_be(
    lists: CodeLists, code: str, hours: float
) -> None:
    changed = lists.with_hours({code: hours})

    assert changed.clocks[code].length == timedelta(hours=hours)
    assert changed.clocks[code].legal_source == lists.clocks[code].legal_source
    assert lists.clocks == load().clocks


@pytest.mark.parametrize(
    ("code", "hours"),
    [
        ("consent_withdrawn", 72.01),
        ("police_protection_end", 337),
        ("first_response_routine", 0),
        ("first_response_routine", -1),
        ("assignment_end", 5),
    ],
)
def test_what_no_law_and_no_record_lets_be_is_refused(
    lists: CodeLists, code: str, hours: float
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # it says nothing
        lists.with_hours({code: hours})


def test_a_clock_that_is_not_there_is_refused(lists: CodeLists) -> None:
    with pytest.raises(KeyError):
        lists.with_hours({"no_such": 5})
