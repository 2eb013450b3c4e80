"""Questions and mandates: complete, in two languages, and of codes that exist."""

import pytest

from api.code_lists import CodeLists, load
from api.code_lists.labels import Labels
from api.vocabulary import TriageAnswer


@pytest.fixture
def lists() -> CodeLists:
    return load()


def whole(labels: Labels, end: str) -> bool:
    return all(text.strip() == text and text.endswith(end) for text in (labels.id, labels.en))


def test_every_question_is_asked_in_two_languages_and_says_where_it_comes_from(
    lists: CodeLists,
) -> None:
    for question in lists.triage.questions.values():
        assert whole(question.labels, "?")
        assert question.source in {"V", "N", "P"}
        assert question.asks_for.get(TriageAnswer.YES), "a question that asks for nothing"
        assert TriageAnswer.NO not in question.asks_for


def test_no_question_asks_what_is_sealed_apart(lists: CodeLists) -> None:
    """The answers open with the narrative, which more people hold."""
    asked = " ".join(f"{q.labels.id} {q.labels.en}" for q in lists.triage.questions.values())

    assert not any(word in asked.lower() for word in ("sexual", "seksual", "gender"))


def test_mandates_name_codes_and_questions_that_exist(lists: CodeLists) -> None:
    mandates = lists.mandates
    for one in (*mandates.entries, mandates.otherwise):
        assert whole(one.why, ".")
        assert one.source in {"V", "N", "P"}
        assert one.yes <= lists.triage.questions.keys()
        for name, codes in one.of_list.items():
            assert all(lists.has(name, code) for code in codes)
    for bar in mandates.bars:
        assert bar.yes in lists.triage.questions
        assert all(whole(why, ".") for why in (bar.why, *bar.instead.values()))
        assert all(lists.has("measure_kinds", code) for code in bar.measures)
        assert bar.agency not in bar.instead


def test_every_incident_has_an_agency_that_is_there_for_it(lists: CodeLists) -> None:
    named = {
        code for one in lists.mandates.entries for code in one.of_list.get("incident_kinds", ())
    }

    assert set(lists.codes("incident_kinds")) - named == {"other_harmful_act"}
