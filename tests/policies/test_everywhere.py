"""Over all meaningful facts no decision breaks an invariant; and each invariant can be broken."""

from itertools import product

import pytest

from api.errors import PolicyFailed
from api.policies import situations
from api.policies.asking import Asked, Situation, mentioned
from api.policies.checking import check_everywhere, in_words
from api.policies.editing import Rules, rules_of, slipped, texts_of
from api.policies.engine import Policy, shipped_texts
from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.policies.gate import Allowed, Gate
from api.policies.invariants import INVARIANTS, broken, sentence
from api.policies.situations import (
    SHAREABLE,
    cut_of,
    pairs,
    thinned,
)
from api.vocabulary import Action, Compartment, Purpose, Role

OWN, OTHER = "komnas-ham", "lpsk"
#: More decisions than there are: the command asks about a part, and says so.
ALL_OF_THEM = 10**9
NONE: frozenset[tuple[str, ...]] = frozenset()
SARI = CaseworkerFacts(OWN, "case_officer", 3, False, "protection")
WHO = {
    "sari": SARI,
    "lead": CaseworkerFacts(OWN, "agency_lead", 3, True, "supervision"),
    "urgent": CaseworkerFacts(OWN, "case_officer", 3, False, "emergency"),
    "low": CaseworkerFacts(OWN, "case_officer", 1, False, "protection"),
    "operator": CaseworkerFacts(OWN, "operator", 4, True, "protection"),
    "partner": PartnerFacts("protection"),
    "officer": SecurityOfficerFacts(OWN),
}
ROW = {
    "hers": CaseFileFacts(OWN, 3, True, False),
    "colleagues": CaseFileFacts(OWN, 3, False, True),
    "nobodys": CaseFileFacts(OWN, 3, False, False),
    "foreign": CaseFileFacts(OTHER, 3, True, True),
    "referred": CaseFileFacts.as_referred(OTHER, 3, True, True, ["identity"]),
    "release": ReleaseFacts(True, True, True),
    "old release": ReleaseFacts(True, False, True),
    "event": EventFacts(True, False),
    "foreign event": EventFacts(False, False),
    "own use": EventFacts(True, False, True),
    "another's use": EventFacts(False, True, True),
    "tied": CaseFileFacts(OWN, 3, True, False, tied=True),
    "tied release": ReleaseFacts(True, True, True, True),
    "closed": CaseFileFacts(OWN, 3, False, True, closed=True),
    "delegated": CaseFileFacts(OWN, 3, False, True, delegated=True, delegates_identity=True),
    "broken": CaseFileFacts(OWN, 3, False, True, break_glass=True, unlocks_identity=True),
}
SEEN = frozenset({"own_agency"})


def opened(*compartments: str, ground: str = "assigned") -> frozenset[tuple[str, ...]]:
    return frozenset((compartment, ground) for compartment in compartments)


def done(*actions: str, ground: str = "assigned") -> frozenset[tuple[str, ...]]:
    return frozenset((action, ground) for action in actions)


@pytest.mark.parametrize(
    ("who", "row", "see", "opens", "changes", "fits", "invariant"),
    [
        ("operator", "hers", SEEN, NONE, NONE, True, "outsiders_get_nothing_sealed"),
        ("operator", "hers", SEEN, opened("identity"), NONE, True, "outsiders_get_nothing_sealed"),
        ("partner", "hers", SEEN, opened("identity"), NONE, True, "outsiders_get_nothing_sealed"),
        ("officer", "hers", SEEN, NONE, NONE, True, "outsiders_get_nothing_sealed"),
        ("officer", "hers", NONE, NONE, done("add_note"), True, "outsiders_get_nothing_sealed"),
        ("sari", "tied", SEEN, NONE, NONE, True, "who_is_tied_gets_nothing"),
        ("sari", "tied", NONE, opened("identity"), NONE, True, "who_is_tied_gets_nothing"),
        ("sari", "tied", NONE, NONE, done("declare_tie"), True, "who_is_tied_gets_nothing"),
        ("partner", "tied release", SEEN, NONE, NONE, True, "who_is_tied_gets_nothing"),
        ("officer", "event", SEEN, NONE, done("add_note"), True,
         "who_reviews_belongs_to_another_agency"),
        ("officer", "own use", SEEN, NONE, done("review_break_glass", ground="oversight"), True,
         "who_reviews_belongs_to_another_agency"),
        ("officer", "event", SEEN, NONE, done("review_break_glass", ground="oversight"), True,
         "who_reviews_belongs_to_another_agency"),
        ("partner", "another's use", SEEN, NONE, done("review_break_glass", ground="oversight"),
         True, "who_reviews_belongs_to_another_agency"),
        ("sari", "another's use", SEEN, NONE, done("review_break_glass", ground="oversight"),
         True, "who_reviews_belongs_to_another_agency"),
        ("lead", "foreign", SEEN, NONE, NONE, True, "another_agency_needs_an_accepted_referral"),
        ("lead", "foreign", SEEN, opened("identity"), NONE, True,
         "a_referral_shares_what_it_names"),
        ("sari", "referred", SEEN, opened("contact"), NONE, True,
         "a_referral_shares_what_it_names"),
        ("sari", "referred", SEEN, opened("identity"), done("add_note"), True,
         "what_is_another_agencys_is_not_written_to"),
        ("lead", "referred", SEEN, NONE, done("refer_case_file"), True,
         "what_is_another_agencys_is_not_written_to"),
        ("low", "hers", SEEN, opened("identity"), NONE, True, "clearance_reaches_sensitivity"),
        ("low", "hers", SEEN, NONE, done("assign_caseworker"), True,
         "clearance_reaches_sensitivity"),
        ("sari", "hers", SEEN, NONE, NONE, False, "a_purpose_that_does_not_fit_gets_nothing"),
        ("sari", "hers", frozenset(), opened("identity"), NONE, True,
         "what_does_not_exist_is_not_reached"),
        ("sari", "colleagues", SEEN, opened("identity"), NONE, True, "somebody_is_assigned"),
        ("lead", "nobodys", SEEN, opened("identity"), NONE, True, "somebody_is_assigned"),
        ("partner", "release", SEEN, opened("release"), NONE, True, "somebody_is_assigned"),
        ("sari", "delegated", SEEN, opened("contact"), NONE, True, "somebody_is_assigned"),
        ("sari", "broken", SEEN, opened("contact"), NONE, True, "somebody_is_assigned"),
        ("sari", "delegated", SEEN, opened("contact", ground="delegated"), NONE, True,
         "a_narrower_right_opens_what_it_names"),
        ("sari", "broken", SEEN, opened("contact", ground="break_glass"), NONE, True,
         "a_narrower_right_opens_what_it_names"),
        ("sari", "hers", SEEN, opened("identity", ground="delegated"), NONE, True,
         "a_narrower_right_opens_what_it_names"),
        ("sari", "broken", SEEN, opened("identity", ground="break_glass"), NONE, True,
         "the_glass_is_broken_in_an_emergency"),
        ("urgent", "broken", SEEN, opened("identity", ground="break_glass"),
         done("add_note", ground="break_glass"), True, "the_glass_is_broken_in_an_emergency"),
        ("sari", "delegated", SEEN, NONE, done("delegate_case_file"), True,
         "what_was_delegated_is_not_passed_on"),
        ("sari", "hers", SEEN, NONE, done("add_note"), True, "writing_needs_a_ground_that_opens"),
        ("lead", "closed", SEEN, NONE, done("assign_caseworker", ground="own_agency"), True,
         "nothing_begins_on_a_closed_case_file"),
        ("lead", "hers", SEEN, opened("identity", ground="mandated"), NONE, True,
         "a_mandate_decides_and_opens_nothing"),
        ("lead", "hers", frozenset({"mandated"}), NONE, NONE, True,
         "a_mandate_decides_and_opens_nothing"),
        ("lead", "hers", SEEN, NONE, done("add_note", ground="mandated"), True,
         "a_mandate_decides_and_opens_nothing"),
        ("sari", "hers", SEEN, NONE, done("grant_emergency_protection", ground="mandated"), True,
         "a_mandate_decides_and_opens_nothing"),
        ("lead", "colleagues", SEEN, opened("whereabouts", ground="supervising"), NONE, True,
         "whereabouts_by_own_assignment"),
        ("sari", "hers", SEEN, opened("gender_violence"), NONE, True,
         "gender_violence_needs_the_training"),
        ("sari", "hers", SEEN, opened("release"), NONE, True, "a_release_is_its_partners"),
        ("sari", "release", SEEN, NONE, NONE, True, "a_release_is_its_partners"),
        ("partner", "old release", SEEN, NONE, NONE, True, "a_release_is_its_partners"),
        ("sari", "event", SEEN, NONE, NONE, True, "an_event_is_its_agencys_officers"),
        ("officer", "foreign event", SEEN, NONE, NONE, True, "an_event_is_its_agencys_officers"),
        ("sari", "hers", frozenset({"friendship"}), NONE, NONE, True, "every_word_is_known"),
        ("sari", "hers", SEEN, opened("diary"), NONE, True, "every_word_is_known"),
        ("sari", "hers", SEEN, opened("identity"), done("gossip"), True, "every_word_is_known"),
    ],
)  # fmt: skip
def test_each_invariant_finds_what_breaks_it(who, row, see, opens, changes, fits, invariant):
    it = Situation(WHO[who], ROW[row], see, opens, changes, fits)
    [named] = [each for each in INVARIANTS if each.__name__ == invariant]

    assert sentence(named) in set(broken(it))


def test_every_invariant_is_a_sentence_and_is_broken_above():
    parameters = test_each_invariant_finds_what_breaks_it.pytestmark[0].args[1]

    assert {each[-1] for each in parameters} == {each.__name__ for each in INVARIANTS}
    assert all(sentence(each) and "\n" not in sentence(each) for each in INVARIANTS)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return rules_of(shipped_texts())


def test_a_sample_of_all_decisions_breaks_no_invariant(rules):
    found = check_everywhere(rules, every=75, cap=ALL_OF_THEM)

    assert (found.faults, found.broken) == ([], 0)
    assert found.decisions > 15_000


@pytest.mark.long
def test_no_decision_breaks_an_invariant(rules):
    told = []
    found = check_everywhere(rules, lambda now, total: told.append((now, total)), cap=ALL_OF_THEM)

    assert (found.faults, found.broken, found.step) == ([], 0, 1)
    assert found.decisions > 1_000_000
    assert told[-1] == (len(told), len(told))


@pytest.mark.parametrize(
    "slip",
    [
        "cleared asks nothing",
        "role_fits asks nothing; purpose_fits asks nothing",
        "ground asks nothing; in_own_agency asks nothing; open does not ask shared",
        'there is a line reads("supervisor", "whereabouts", "supervising")',
    ],
)
def test_a_slip_that_tables_might_miss_is_found_somewhere(rules, slip):
    found = check_everywhere(slipped(rules, slip), every=60, cap=ALL_OF_THEM)

    assert found.faults
    assert found.broken >= len(found.faults)
    assert all(": not so for " in fault for fault in found.faults)


def test_facts_in_words_say_what_holds_and_name_nobody():
    assert in_words(SARI) == (
        "caseworker (agency komnas-ham, role case_officer, clearance 3, purpose protection)"
    )
    assert in_words(ROW["referred"]) == (
        "CaseFile (lead agency lpsk, sensitivity 3, assigned, supervising, referred, "
        "shares identity)"
    )


# -- how the facts are cut ------------------------------------------------------------


def test_agencies_that_state_the_same_are_one(rules):
    cut = cut_of(rules)

    assert cut.stands_for["komnas-ham"] == ("komnas-ham", "komnas-perempuan")
    # It alone has the mandate to decide on emergency protection.
    assert cut.stands_for["lpsk"] == ("lpsk",)
    assert cut.cleared == ((2, 2), (2, 3))


def with_line(rules: Rules, file: str, line: str) -> Rules:
    return {**rules, file: (*rules[file], *rules_of({file: line})[file])}


def test_an_agency_that_states_something_else_is_asked_by_itself(rules):
    other = with_line(
        rules, "lpsk", 'ground(_: Caseworker{agency: "lpsk"}, "assigned", _: CaseFile);'
    )

    for cut in (cut_of(other), cut_of(rules, other)):
        assert cut.stands_for["komnas-ham"] == ("komnas-ham", "komnas-perempuan")
        assert cut.stands_for["lpsk"] == ("lpsk",)


@pytest.mark.parametrize(
    "line",
    [
        'see(_: Caseworker, file: CaseFile, "own_agency") if file.lead_agency = "lpsk";',
        'see(_: Caseworker{agency: "lpsk"}, _: CaseFile, "own_agency");',
        'friends("lpsk", "komnas-ham");',
        'extra(who: Caseworker) if friends(who.agency, "lpsk");',
    ],
)
def test_where_a_rule_names_an_agency_all_of_them_meet(rules, line):
    cut = cut_of(with_line(rules, "base", line))

    slugs = ("komnas-ham", "komnas-perempuan", "lpsk")
    assert cut.agencies[:3] == tuple((slug, slugs) for slug in slugs)


@pytest.mark.parametrize(
    "line",
    [
        "extra(_: Caseworker, file: CaseFile) if file.sensitivity >= 4;",
        "extra(who: Caseworker, file: CaseFile) if file.sensitivity < who.clearance;",
        "extra(_: Caseworker{clearance: 4});",
        "extra(who: Caseworker) if high(who.clearance);",
    ],
)
def test_where_more_than_their_order_matters_every_clearance_meets_every_sensitivity(rules, line):
    assert len(cut_of(with_line(rules, "base", line)).cleared) == 16


def test_a_fact_that_is_not_enumerated_stops_the_check(rules, monkeypatch):
    monkeypatch.setitem(situations.FIELD_TYPES, "Event", {"own_actor": bool})

    with pytest.raises(PolicyFailed):
        next(pairs(cut_of(rules)))


def test_over_the_cap_the_situations_are_thinned_evenly(rules):
    cut = cut_of(rules)
    every = list(pairs(cut))

    some, step = thinned(cut, 25, cap=len(every) * 25 // 3)
    assert step in (3, 4)
    assert some == every[::step]
    assert thinned(cut, 25, cap=len(every) * 25) == (every, 1)


def test_what_is_asked_once_for_many_facts_is_what_the_gate_says_of_each(rules, policy):
    """Facts that differ only in what no rule of the question mentions share one answer."""
    asked, gate = Asked(policy, rules), Gate(policy)
    files = [
        *(CaseFileFacts(OWN, level, True, False) for level in (2, 4)),
        CaseFileFacts(OWN, 2, False, True),
        *(
            CaseFileFacts.as_referred(OTHER, 3, True, True, shared)
            for shared in ((), ("contact",), SHAREABLE)
        ),
    ]
    for (role, purpose), trained in product(
        (("case_officer", "referral"), ("agency_lead", "supervision"), ("operator", "referral")),
        (True, False),
    ):
        who = CaseworkerFacts(OWN, role, 3, trained, purpose)
        for file in files:
            it = asked.situation(who, file)
            assert bool(it.see) == isinstance(gate.see(who, file), Allowed)
            assert {each for each, _ in it.opens} == {
                each for each in Compartment if isinstance(gate.open(who, each, file), Allowed)
            }
            assert {each for each, _ in it.changes} == {
                each for each in Action if isinstance(gate.change(who, each, file), Allowed)
            }
    # Each to see, to open, and once an action: less than half of that is put.
    assert asked.put < 6 * len(files) * (2 + len(asked.actions)) / 2


def test_what_cannot_be_led_to_does_not_matter():
    rules = rules_of({"base": '''
        change(who: Caseworker, action, file: CaseFile, "own_agency") if
            reading(action) and file.sensitivity <= who.clearance;
        change(_: Caseworker, action, file: CaseFile, why) if
            writing(action) and right(file, why) and opens_fields(why);
        right(file: CaseFile, "assigned") if file.assigned = true;
        right(file: CaseFile, "supervising") if file.supervising = true;
        reading("read");
        writing("add_note");
        opens_fields("assigned");
    '''})["base"]  # fmt: skip
    named = {rule.name: [each for each in rules if each.name == rule.name] for rule in rules}

    def matters(action, ground=None):
        return mentioned(named, "change", None, action, None, ground)

    assert matters("read") == {"sensitivity", "clearance"}
    assert matters("add_note") == {"assigned", "supervising"}
    assert matters("add_note", "assigned") == {"assigned"}
    assert matters("add_note", "own_agency") == set()
    assert matters("look") == set()
    assert matters(None) == {"sensitivity", "clearance", "assigned", "supervising"}


def test_actions_that_a_rule_tells_apart_are_not_asked_as_one(rules):
    def together(rules):
        return set(Asked(Policy.load(texts_of(rules)), rules).alike.values())

    told = with_line(rules, "base", 'duty(_: Caseworker{role: "intake_officer"}, "add_note");')

    others = ("correct_incident", "record_consent", "update_defender", "withdraw_consent")
    assert ("add_attachment", "add_note", *others) in together(rules)
    assert ("add_attachment", *others) in together(told)
    assert ("add_note",) in together(told)
    # A word of two vocabularies could be taken for another.
    assert set(Action).isdisjoint({*Role, *Purpose})


def test_a_policy_is_asked_of_every_kind_of_caller_and_row(rules):
    kinds = {(type(who), type(row)) for who, row in pairs(cut_of(rules))}

    assert kinds == set(
        product(
            (CaseworkerFacts, PartnerFacts, SecurityOfficerFacts),
            (CaseFileFacts, ReleaseFacts, EventFacts),
        )
    )


def test_the_shipped_policy_and_its_rules_written_anew_are_one(rules):
    again = Policy.load(texts_of(rules))
    assert again.answers("role_fits", SARI) == Policy.shipped().answers("role_fits", SARI)
