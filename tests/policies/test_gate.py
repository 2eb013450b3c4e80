"""The gate remembers exactly what it decided, fails closed, and alone makes permits."""

import copy
import pickle
from itertools import product
from uuid import UUID

import pytest

from api.errors import PermitExpired, PolicyChanged, PolicyFailed, PolicyRefused
from api.policies.engine import Policy, shipped_texts
from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.policies.gate import PERMIT_SECONDS, Allowed, Gate, Permit, Refused
from api.vocabulary import Action, Compartment, Ground, Reason

SARI = CaseworkerFacts("komnas-ham", "case_officer", 3, False, "protection")
HERS = CaseFileFacts("komnas-ham", 3, True, False)
NOT_HERS = CaseFileFacts("komnas-ham", 3, False, False)
FOREIGN = CaseFileFacts("lpsk", 3, False, False)
YES = Allowed(Ground.ASSIGNED)
NO = Refused(Reason.NOT_ASSIGNED)


class CountedPolicy:
    """A policy that counts what is asked of it, and can be broken."""

    def __init__(self, policy):
        self._policy = policy
        self.hash = policy.hash
        self.asked = 0
        self.broken = False
        self.instead = None

    def answers(self, *args):
        self.asked += 1
        if self.broken:
            raise PolicyFailed
        if self.instead is not None:
            return self.instead
        return self._policy.answers(*args)


@pytest.fixture
def counted(policy):
    return CountedPolicy(policy)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_decision_is_asked_of_the_engine_once(counted):
    gate = Gate(counted)
    first = gate.open(SARI, Compartment.IDENTITY, HERS)
    asked = counted.asked

    again = gate.open(
        CaseworkerFacts("komnas-ham", "case_officer", 3, False, "protection"),
        Compartment.IDENTITY,
        CaseFileFacts("komnas-ham", 3, True, False),
    )

    assert first == again == YES
    assert counted.asked == asked > 0


def test_the_memo_never_answers_for_another_question(gate):
    """Every question twice in one gate, in two orders, as a fresh gate answers it alone."""
    policy = Policy.shipped()
    who = [
        SARI,
        CaseworkerFacts("komnas-ham", "case_officer", 1, False, "protection"),
        CaseworkerFacts("komnas-ham", "case_officer", 1, True, "protection"),
        PartnerFacts("protection"),
        SecurityOfficerFacts("komnas-ham"),
    ]
    rows = [
        *(CaseFileFacts("komnas-ham", 1, *flags) for flags in product((True, False), repeat=2)),
        *(ReleaseFacts(*flags) for flags in product((True, False), repeat=3)),
        *(EventFacts(*flags) for flags in product((True, False), repeat=2)),
    ]
    asked = list(product(who, rows, [Compartment.GENDER_VIOLENCE, Compartment.RELEASE]))
    alone = {}
    for caller, row, compartment in asked:
        single = Gate(policy)
        alone[caller.key, row.key, compartment] = single.open(caller, compartment, row)

    for caller, row, compartment in [*asked, *reversed(asked)]:
        assert gate.open(caller, compartment, row) == alone[caller.key, row.key, compartment]


def test_zero_and_one_never_reach_the_memo_of_false_and_true(gate):
    assert gate.open(SARI, Compartment.IDENTITY, HERS) == YES

    with pytest.raises(PolicyFailed):
        gate.open(SARI, Compartment.IDENTITY, CaseFileFacts("komnas-ham", 3, 1, 0))
    with pytest.raises(PolicyFailed):
        gate.open(
            CaseworkerFacts("komnas-ham", "case_officer", 3, 0, "protection"),
            Compartment.IDENTITY,
            HERS,
        )


def test_a_compartment_and_an_action_of_one_name_have_two_answers(gate):
    """`release` is both, and the two members are equal as texts."""
    assert gate.open(SARI, Compartment.RELEASE, HERS) == Refused(Reason.COMPARTMENT_NOT_HELD)
    assert gate.change(SARI, Action.RELEASE, HERS) == Refused(Reason.ROLE_DOES_NOT_FIT)


def test_a_full_memo_starts_again_and_answers_the_same(gate, monkeypatch):
    monkeypatch.setattr("api.policies.gate.KEPT_VERDICTS", 9)
    for sensitivity in (1, 2, 3, 4) * 2:
        file = CaseFileFacts("komnas-ham", sensitivity, True, False)
        assert isinstance(gate.open(SARI, Compartment.IDENTITY, file), Allowed) == (sensitivity < 4)
        assert len(gate._opened) <= 9


@pytest.mark.parametrize("not_facts", [None, "komnas-ham", object(), HERS])
def test_only_facts_of_a_caller_may_ask(gate, not_facts):
    with pytest.raises(PolicyFailed):
        gate.see(not_facts, HERS)
    with pytest.raises(PolicyFailed):
        gate.open(not_facts, Compartment.IDENTITY, HERS)
    with pytest.raises(PolicyFailed):
        gate.change(not_facts, Action.ADD_NOTE, HERS)
    with pytest.raises(PolicyFailed):
        gate.scope(not_facts, "see", {})
    assert gate._seen == gate._opened == gate._changed == gate._scopes == {}


@pytest.mark.parametrize("not_a_row", [None, "x", SARI])
def test_only_facts_of_a_row_are_asked_about(gate, not_a_row):
    with pytest.raises(PolicyFailed):
        gate.see(SARI, not_a_row)
    with pytest.raises(PolicyFailed):
        gate.open(SARI, Compartment.IDENTITY, not_a_row)


def test_a_word_that_is_no_compartment_or_action_decides_nothing(gate):
    with pytest.raises(PolicyFailed):
        gate.open(SARI, "everything", HERS)
    with pytest.raises(PolicyFailed):
        gate.open(SARI, Action.READ, HERS)
    with pytest.raises(PolicyFailed):
        gate.change(SARI, "add_note", HERS)


def test_facts_of_a_class_derived_from_ours_are_refused(gate):
    class Sly(CaseFileFacts):
        pass

    with pytest.raises(PolicyFailed):
        gate.see(SARI, Sly("komnas-ham", 1, True, True))


def test_an_engine_that_fails_allows_nothing_and_leaves_nothing_behind(counted):
    gate = Gate(counted)
    counted.broken = True

    for ask in (
        lambda: gate.see(SARI, HERS),
        lambda: gate.open(SARI, Compartment.IDENTITY, HERS),
        lambda: gate.change(SARI, Action.ADD_NOTE, HERS),
    ):
        with pytest.raises(PolicyFailed):
            ask()

    assert gate._seen == gate._opened == gate._changed == {}
    counted.broken = False
    assert gate.open(SARI, Compartment.IDENTITY, HERS) == YES


def test_a_ground_that_the_vocabulary_does_not_know_allows_nothing(counted):
    gate = Gate(counted)
    counted.instead = frozenset({("friendship",), ("own_agency",)})

    with pytest.raises(PolicyFailed):
        gate.see(SARI, HERS)


def test_a_compartment_that_the_vocabulary_does_not_know_allows_nothing(counted):
    gate = Gate(counted)
    assert gate.see(SARI, HERS) == Allowed(Ground.OWN_AGENCY)
    counted.instead = frozenset({("diary", "assigned"), ("identity", "assigned")})

    with pytest.raises(PolicyFailed):
        gate.open(SARI, Compartment.IDENTITY, HERS)


def test_what_does_not_exist_for_the_caller_is_refused_without_a_word_on_the_row(gate):
    """The reason for a foreign case file is the same, whatever stands in it."""
    reasons = {
        gate.open(SARI, compartment, CaseFileFacts("lpsk", sensitivity, *flags))
        for compartment in Compartment
        for sensitivity in (1, 4)
        for flags in product((True, False), repeat=2)
    }

    assert reasons == {Refused(Reason.NOT_IN_REACH)}


def test_the_narrowest_of_several_grounds_is_named(gate):
    budi = CaseworkerFacts("komnas-ham", "supervisor", 4, False, "supervision")
    both = CaseFileFacts("komnas-ham", 2, True, True)

    assert gate.open(budi, Compartment.IDENTITY, both) == Allowed(Ground.ASSIGNED)


def test_what_is_stopped_is_refused_for_the_moment_and_never_remembered(counted):
    witnessed = False
    gate = Gate(
        counted,
        witnessed=lambda: witnessed,
        unwitnessed_stops=[Compartment.IDENTITY],
    )

    assert gate.open(SARI, Compartment.IDENTITY, HERS) == Refused(Reason.LOG_NOT_WITNESSED)
    assert gate.open(SARI, Compartment.CONTACT, HERS) == YES
    # Who could not open it anyway learns nothing of the witnesses.
    foreign = CaseFileFacts("lpsk", 1, True, True)
    assert gate.open(SARI, Compartment.IDENTITY, foreign) == Refused(Reason.NOT_IN_REACH)

    witnessed = True
    assert gate.open(SARI, Compartment.IDENTITY, HERS) == YES
    witnessed = False
    assert gate.open(SARI, Compartment.IDENTITY, HERS) == Refused(Reason.LOG_NOT_WITNESSED)


def test_a_permit_covers_what_was_allowed_in_its_pass_and_nothing_else(gate):
    clock = Clock()
    gate = Gate(Policy.shipped(), clock)
    verdicts = {
        (UUID(int=1), Compartment.IDENTITY): gate.open(SARI, Compartment.IDENTITY, HERS),
        (UUID(int=2), Compartment.IDENTITY): gate.open(SARI, Compartment.IDENTITY, NOT_HERS),
    }

    permit = gate.permit(verdicts)

    permit.check()
    permit.check((UUID(int=1), Compartment.IDENTITY))
    for key in [(UUID(int=2), Compartment.IDENTITY), (UUID(int=1), Compartment.CONTACT), None]:
        with pytest.raises(PolicyFailed):
            permit.check(key)
        with pytest.raises(PolicyFailed):
            permit.check((UUID(int=1), Compartment.IDENTITY), key)


def test_a_permit_expires_three_seconds_after_it_was_made():
    clock = Clock()
    permit = Gate(Policy.shipped(), clock).permit({"name": YES})
    assert PERMIT_SECONDS == 3.0

    clock.now += 2.999
    permit.check("name")
    clock.now += 0.001
    with pytest.raises(PermitExpired):
        permit.check("name")
    with pytest.raises(PermitExpired):
        permit.check()


def test_a_permit_is_made_by_the_gate_only():
    with pytest.raises(PolicyFailed):
        Permit(object(), frozenset({"name"}), 0, Clock())
    with pytest.raises(PolicyFailed):
        Permit(None, frozenset({"name"}), 0, Clock())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_permit_cannot_be_copied_or_kept(gate, copied):
    with pytest.raises(PolicyFailed):
        copied(gate.permit({"name": YES}))


def test_a_permit_shows_counts_only(gate):
    permit = gate.permit({(UUID(int=77), "identity"): YES, (UUID(int=78), "identity"): NO})

    assert repr(permit) == str(permit) == "<permit: 1 allowed, 1 refused>"


def test_only_an_allowed_verdict_is_permitted(gate):
    for verdict in (NO, None, True, "allowed", Ground.ASSIGNED):
        permit = gate.permit({"name": verdict})
        with pytest.raises(PolicyFailed):
            permit.check("name")


def test_a_new_policy_forgets_what_the_old_one_decided(gate):
    assert gate.open(SARI, Compartment.CONTACT, HERS) == YES
    old = gate.policy_hash
    texts = shipped_texts()
    rule = 'reads("case_officer", "contact", "assigned");\n'
    assert rule in texts["base"]
    texts["base"] = texts["base"].replace(rule, "")

    gate.adopt(Policy.load(texts))

    assert gate.policy_hash != old
    assert gate.open(SARI, Compartment.CONTACT, HERS) == Refused(Reason.COMPARTMENT_NOT_HELD)
    assert gate.open(SARI, Compartment.IDENTITY, HERS) == YES


def test_a_policy_that_does_not_load_leaves_the_old_one_in_force(gate):
    old = gate.policy_hash
    texts = shipped_texts()
    texts["base"] = texts["base"].replace(
        'reads("case_officer", "identity", "assigned");\n', ""
    )  # An inline test of every agency needs it.

    with pytest.raises(PolicyRefused):
        gate.adopt(Policy.load(texts))

    assert gate.policy_hash == old
    assert gate.open(SARI, Compartment.IDENTITY, HERS) == YES


# -- one request, one policy ------------------------------------------------------------


def test_a_request_decides_under_the_policy_of_its_beginning_to_its_end(policy):
    gate = Gate(policy)
    before, after = gate.of_request(), gate.of_request()
    before.settle()
    other = Policy.load({**shipped_texts(), "more": "# another text\n"})

    gate.adopt(other)

    assert (before.policy_hash, gate.policy_hash) == (policy.hash, other.hash)
    after.settle()
    assert after.policy_hash == other.hash
    with pytest.raises(PolicyChanged):
        before.settle()
    assert before.policy_hash == policy.hash
    after.settle()


def test_the_gate_of_a_request_decides_nothing_before_it_has_a_policy(policy):
    gate = Gate(policy)
    gate.see(SARI, HERS)
    mine = gate.of_request()

    for ask in (
        lambda: mine.see(SARI, HERS),
        lambda: mine.open(SARI, Compartment.CONTACT, HERS),
        lambda: mine.change(SARI, Action.ADD_NOTE, HERS),
        lambda: mine.scope(SARI, "see", {}),
    ):
        with pytest.raises(PolicyFailed):
            ask()
    assert mine.policy_hash == policy.hash
    mine.settle()
    assert mine.see(SARI, HERS) == gate.see(SARI, HERS)


def test_the_gate_of_a_request_remembers_for_all_and_forgets_with_the_policy(policy):
    gate = Gate(policy)
    mine = gate.of_request()
    mine.settle()
    mine.see(SARI, HERS)
    assert gate._seen == mine._seen != {}

    mine.adopt(Policy.load({**shipped_texts(), "more": "# another text\n"}))

    assert gate._seen == {}
    assert mine._seen != {}
    assert gate.of_request().of_request()._of is gate
