"""Triage: the highest answer counts, nothing goes below it unsaid, and mandates propose."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework import triage
from api.casework.triage import Known, Proposal
from api.code_lists import load
from api.errors import UrgencyTooLow, ValueInvalid
from api.vocabulary import LoweringReason, TriageAnswer, Urgency

CODES = load()
TRIAGE, QUESTIONS = CODES.triage, tuple(CODES.triage.questions)
NO, UNKNOWN, YES = TriageAnswer.NO, TriageAnswer.UNKNOWN, TriageAnswer.YES
FASTEST_FIRST = list(Urgency)
ANSWERS = st.fixed_dictionaries(dict.fromkeys(QUESTIONS, st.sampled_from(TriageAnswer)))

with Path(__file__).with_name("triage.csv").open(encoding="utf-8", newline="") as file:
    TABLE = [tuple(row.values())[:3] for row in csv.DictReader(file)]


def rank(urgency: Urgency) -> int:
    return FASTEST_FIRST.index(urgency)


def words(cell: str) -> list[str]:
    return cell.split(";") if cell else []


@pytest.mark.parametrize(("yes", "no", "urgency"), TABLE)
def test_the_answers_of_the_table_ask_for_its_urgency(yes: str, no: str, urgency: str) -> None:
    said = [(code, YES) for code in words(yes)] + [(code, NO) for code in words(no)]

    assert triage.proposed_urgency(TRIAGE, triage.checked(TRIAGE, said)) is Urgency(urgency)


@given(ANSWERS)
def test_the_urgency_is_never_below_the_highest_rule(answers: dict[str, TriageAnswer]) -> None:
    proposed = triage.proposed_urgency(TRIAGE, answers)

    asked = [TRIAGE.questions[code].asks_for.get(answer) for code, answer in answers.items()]
    assert all(rank(proposed) <= rank(one) for one in asked if one)
    assert proposed in {*asked, TRIAGE.otherwise}


@given(ANSWERS, st.sampled_from(QUESTIONS))
def test_one_more_yes_never_lowers_it(answers: dict[str, TriageAnswer], question: str) -> None:
    without = triage.proposed_urgency(TRIAGE, {**answers, question: NO})
    unknown = triage.proposed_urgency(TRIAGE, {**answers, question: UNKNOWN})
    with_it = triage.proposed_urgency(TRIAGE, {**answers, question: YES})

    assert rank(with_it) <= rank(unknown) <= rank(without)


def test_what_was_not_asked_is_unknown_and_stands_in_the_order_of_the_questions() -> None:
    given_answers = [("suspect", NO), ("injured", YES)]

    answers = triage.checked(TRIAGE, given_answers)

    assert tuple(answers) == QUESTIONS
    assert {code for code, answer in answers.items() if answer is not UNKNOWN} == {
        "suspect",
        "injured",
    }


@pytest.mark.parametrize("answers", [[("rain", YES)], [("injured", YES), ("injured", YES)]])
def test_a_question_that_is_none_or_comes_twice_is_refused(
    answers: list[tuple[str, TriageAnswer]],
) -> None:
    with pytest.raises(ValueInvalid):
        triage.checked(TRIAGE, answers)


@given(
    st.sampled_from(Urgency),
    st.none() | st.sampled_from(Urgency),
    st.none() | st.sampled_from(LoweringReason),
)
def test_nobody_goes_below_what_is_proposed_without_a_reason(
    proposed: Urgency, wanted: Urgency | None, lowered: LoweringReason | None
) -> None:
    lower = wanted is not None and rank(wanted) > rank(proposed)
    if lower == (lowered is not None):
        assert triage.chosen_urgency(proposed, wanted, lowered) == (wanted or proposed, lowered)
        return
    with pytest.raises(UrgencyTooLow if lower else ValueInvalid):
        triage.chosen_urgency(proposed, wanted, lowered)


def proposed(*yes: str, **codes: str) -> Proposal:
    """Propose for one code of each list and these questions answered with yes, all others no."""
    answers = {code: YES if code in yes else NO for code in QUESTIONS}
    return triage.propose(CODES, Known({n: frozenset([c]) for n, c in codes.items()}, answers))


@pytest.mark.parametrize(
    ("codes", "agencies"),
    [
        ({"incident_kinds": "death_threat"}, ["lpsk"]),
        ({"incident_kinds": "criminalisation"}, ["komnas-ham"]),
        ({"incident_kinds": "sexual_violence"}, ["lpsk", "komnas-perempuan"]),
        ({"incident_kinds": "torture"}, ["lpsk", "komnas-ham"]),
        ({"defender_categories": "womens_rights"}, ["komnas-perempuan"]),
        ({"measure_kinds": "physical_protection"}, ["lpsk"]),
        ({"measure_kinds": "rehabilitation"}, ["lpsk"]),
        ({"measure_kinds": "mediation"}, ["komnas-ham"]),
        ({"defender_categories": "journalist"}, ["komnas-ham"]),  # Nothing else: one door.
        ({}, ["komnas-ham"]),
    ],
)
def test_agencies_are_proposed_by_their_mandates(
    codes: dict[str, str], agencies: list[str]
) -> None:
    found = proposed(**codes)

    assert [one.agency for one in found.agencies] == agencies
    assert all(one.why.id.endswith(".") and one.why.en.endswith(".") for one in found.agencies)
    assert (found.barred, found.measures) == ((), ())


def test_what_fits_for_two_reasons_is_proposed_once_with_both() -> None:
    [lpsk] = proposed("injured", "threat_to_life").agencies

    assert lpsk.agency == "lpsk"
    assert "protects" in lpsk.why.en
    assert "medical" in lpsk.why.en


@given(ANSWERS, st.sampled_from(sorted(CODES.lists["incident_kinds"])))
def test_a_suspect_never_goes_to_lpsk_and_always_somewhere(
    answers: dict[str, TriageAnswer], kind: str
) -> None:
    known = Known({"incident_kinds": frozenset([kind])}, {**answers, "suspect": YES})

    found = triage.propose(CODES, known)

    agencies = [one.agency for one in found.agencies]
    assert "lpsk" not in agencies
    assert agencies[0] == "komnas-ham"
    assert [one.agency for one in found.barred] == ["lpsk"]
    assert found.measures == ("legal_aid",)


@given(ANSWERS)
def test_nobody_is_sent_away(answers: dict[str, TriageAnswer]) -> None:
    assert triage.propose(CODES, Known({}, answers)).agencies


def test_what_was_answered_shows_in_no_repr() -> None:
    known = Known({"incident_kinds": frozenset(["torture"])}, {"injured": YES})
    answered = triage.Answered([("injured", YES)], ["legal_aid"])

    assert not {"injured", "torture", "legal_aid"} & set(repr((known, answered)).split("'"))
