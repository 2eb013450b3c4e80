"""An explanation says what the gate says; each remedy opens; each word has its sentences."""

from dataclasses import replace
from itertools import combinations

import pytest

from api.policies.editing import rules_of
from api.policies.engine import shipped_texts
from api.policies.explaining import Remedy, decided, explain
from api.policies.facts import FIELD_TYPES, CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Gate, Refused
from api.policies.plain_words import COMPARTMENTS, FACTS, GROUNDS, PURPOSES, REASONS, ROLES
from api.policies.situations import cut_of, pairs
from api.vocabulary import Action, Compartment, Ground, Purpose, Reason, Role

pytestmark = pytest.mark.long

OWN, OTHER = "komnas-ham", "lpsk"
SARI = CaseworkerFacts(OWN, "case_officer", 3, False, "protection")
BUDI = replace(SARI, role="supervisor")
HERS = CaseFileFacts(OWN, 3, True, False)
NOBODYS = CaseFileFacts(OWN, 3, False, False)


def changes(remedy: Remedy) -> dict[str, tuple[object, ...]]:
    return {change.field: change.values for change in remedy.changes}


def told(gate, who, row, asked):
    return [changes(remedy) for remedy in explain(gate, who, row, asked).remedies]


def taken(who, row, remedy):
    """Give the facts once a remedy is taken, once for each of the values that it offers."""
    states = [(who, row)]
    for change in remedy.changes:
        fact = FACTS[change.polar_class, change.field]
        after = []
        for value in change.values:
            made = {change.field: value, **dict(fact.along)}
            for one, other in states:
                if one.polar_name == change.polar_class:
                    after.append((replace(one, **made), other))
                else:
                    after.append((one, replace(other, **made)))
        states = after
    return states


def test_every_word_and_every_fact_has_its_sentences():
    every = {(name, field) for name, fields in FIELD_TYPES.items() for field in fields}

    assert set(FACTS) == every
    for words, of in (
        (REASONS, Reason), (GROUNDS, Ground), (ROLES, Role), (PURPOSES, Purpose),
        (COMPARTMENTS, Compartment),
    ):  # fmt: skip
        assert set(words) == set(of)
    whole = [*REASONS.values(), *GROUNDS.values(), *(fact.said for fact in FACTS.values())]
    for said in whole:
        assert said.indonesian != said.english
        for text in said:
            assert text[0].isupper()
            assert text.endswith(".")
            assert "_" not in text
            assert len(text) < 240


def test_what_is_advised_has_a_value_to_put_in_exactly_where_there_are_several():
    for fact in FACTS.values():
        several = len(fact.wanted) > 1
        assert all(("{}" in text) is several for text in fact.said)


@pytest.mark.parametrize(
    ("who", "row", "asked", "remedies"),
    [
        (SARI, NOBODYS, Compartment.IDENTITY,
         [{"assigned": (True,)}, {"delegates_identity": (True,)}]),
        (replace(SARI, purpose="emergency"), NOBODYS, Compartment.IDENTITY,
         [{"assigned": (True,)}, {"delegates_identity": (True,)}]),
        (SARI, HERS, Compartment.GENDER_VIOLENCE, [{"trained": (True,)}]),
        (replace(SARI, clearance=1), HERS, Compartment.IDENTITY, [{"clearance": (3,)}]),
        (SARI, HERS, Compartment.WHEREABOUTS,
         [{"second_person": (True,)}]),
        (replace(SARI, role="intake_officer", purpose="intake"), HERS, Compartment.WHEREABOUTS,
         [{"role": ("agency_lead", "protection_officer")}]),
        (SARI, replace(HERS, tied=True), None, [{"tied": (False,)}]),
        (SARI, HERS, Compartment.RELEASE, []),
        (replace(SARI, clearance=2), NOBODYS, Compartment.IDENTITY,
         [{"assigned": (True,), "clearance": (3,)},
          {"delegates_identity": (True,), "clearance": (3,)}]),
        (BUDI, replace(NOBODYS, supervising=True), Compartment.IDENTITY,
         [{"purpose": ("quality_review", "referral", "supervision")}, {"assigned": (True,)},
          {"delegates_identity": (True,)}]),
        (replace(BUDI, purpose="supervision"), NOBODYS, Compartment.IDENTITY,
         [{"assigned": (True,)}, {"supervising": (True,)}, {"delegates_identity": (True,)}]),
        (SARI, CaseFileFacts.as_referred(OTHER, 3, True, False, ["contact"]),
         Compartment.IDENTITY, [{"shares_identity": (True,)}]),
        (SARI, CaseFileFacts(OTHER, 3, True, False), Compartment.IDENTITY,
         [{"shares_identity": (True,)}]),
        (SARI, CaseFileFacts(OTHER, 3, True, False), None, [{"referred": (True,)}]),
        (BUDI, HERS, Action.REVIEW_ACCESS,
         [{"purpose": ("quality_review", "subject_request", "supervision")}]),
    ],
)  # fmt: skip
def test_the_fewest_changes_that_open_are_advised(gate, who, row, asked, remedies):
    assert told(gate, who, row, asked) == remedies


def test_what_is_open_needs_no_advice_and_names_its_rules(gate):
    found = explain(gate, SARI, HERS, Compartment.IDENTITY)

    assert found.verdict == Allowed(Ground.ASSIGNED)
    assert found.grounds == (Ground.ASSIGNED,)
    assert found.remedies == ()
    assert [(t.file, t.name) for t in found.rules] == [
        ("base", "open"), ("base", "see"), (OWN, "ground"), ("base", "opens"), (OWN, "ground"),
    ]  # fmt: skip
    assert all(t.condition is None for t in found.rules)


def test_what_is_closed_names_the_condition_down_to_the_fact(gate):
    found = explain(gate, SARI, NOBODYS, Compartment.IDENTITY)

    assert [(t.file, t.name, t.condition) for t in found.rules] == [
        ("base", "open", "opens(who, compartment, file, why)"),
        ("base", "opens", "ground(who, why, file)"),
        (OWN, "ground", "file.assigned = true"),
        (OWN, "ground", "supervises(who.role, who.purpose)"),
    ]
    texts = shipped_texts()
    for rule in found.rules:
        lines = texts[rule.file].splitlines()
        assert lines[rule.line - 1].startswith(f"{rule.name}(")
        assert rule.condition in lines[rule.condition_line - 1]
        assert rule.place == f"{rule.file}.polar:{rule.line}"


def some_pairs(every):
    return list(pairs(cut_of(rules_of(shipped_texts()))))[::every]


@pytest.mark.parametrize("every", [pytest.param(151), pytest.param(7, marks=pytest.mark.long)])
def test_every_remedy_opens_and_one_is_given_wherever_two_changes_would(gate, every):
    refused = advised = 0
    for number, (who, row) in enumerate(some_pairs(every)):
        # One compartment each, in turn, and whether it exists at all.
        for asked in (list(Compartment)[number % len(Compartment)], None):
            found = explain(gate, who, row, asked)
            assert found.verdict == decided(gate, who, row, asked)
            if isinstance(found.verdict, Allowed):
                assert found.remedies == ()
                continue
            refused += 1
            advised += bool(found.remedies)
            for remedy in found.remedies:
                assert all(remedy.said)
                for then_who, then_row in taken(who, row, remedy):
                    verdict = decided(gate, then_who, then_row, asked)
                    assert isinstance(verdict, Allowed), (who, row, asked, remedy)
            if not found.remedies:
                assert not by_two_changes(gate, who, row, asked), (who, row, asked)
    assert 0 < advised < refused


def by_two_changes(gate, who, row, asked):
    """Look for what would open it, by brute force over every fact that can be advised."""
    own = getattr(row, "lead_agency", "") == getattr(who, "agency", None)
    steps = [
        (name, field, value, dict(fact.along))
        for (name, field), fact in FACTS.items()
        if name in (who.polar_name, row.polar_name) and not (fact.elsewhere and own)
        for value in fact.wanted
    ]
    for size in (1, 2):
        for combination in combinations(steps, size):
            made = {who.polar_name: {}, row.polar_name: {}}
            for name, field, value, along in combination:
                made[name] |= {field: value, **along}
            then = replace(who, **made[who.polar_name]), replace(row, **made[row.polar_name])
            if isinstance(decided(gate, *then, asked), Allowed):
                return combination
    return None


def test_while_the_log_has_no_witnesses_nothing_is_advised_for_what_is_stopped(policy):
    gate = Gate(policy, witnessed=lambda: False, unwitnessed_stops=[Compartment.WHEREABOUTS])
    wayan = replace(SARI, role="protection_officer")

    found = explain(gate, wayan, HERS, Compartment.WHEREABOUTS)

    assert found.verdict == Refused(Reason.LOG_NOT_WITNESSED)
    assert found.remedies == ()
    assert "witnesses" in found.said.english
