"""What another policy would change is told by role, act and ground, and nothing else is."""

import pytest

from api.errors import PolicyRefused
from api.policies import comparing
from api.policies.asking import Asked
from api.policies.comparing import Kind, compare
from api.policies.editing import Rules, rules_of, slipped
from api.policies.engine import Policy, shipped_texts
from api.policies.facts import Row, Who
from api.policies.situations import Cut, pairs

pytestmark = pytest.mark.long

AGENCIES = ("komnas-ham", "komnas-perempuan", "lpsk")
OWN = "a case file of the own agency"
REFERRED = "a case file that was referred"


def silent(_done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def rules() -> Rules:
    return rules_of(shipped_texts())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare case officers and partners only, for two purposes."""
    roles, purposes = ("case_officer", None), ("emergency", "protection")

    def of_some(cut: Cut, _decisions_each: int) -> tuple[list[tuple[Who, Row]], int]:
        return [
            (who, row)
            for who, row in pairs(cut)
            if getattr(who, "role", None) in roles and getattr(who, "purpose", None) in purposes
        ], 1

    monkeypatch.setattr(comparing, "thinned", of_some)


@pytest.mark.usefixtures("short")
def test_the_same_policy_changes_nothing(rules: Rules) -> None:
    told: list[tuple[int, int]] = []
    found = compare(rules, rules, lambda now, total: told.append((now, total)))

    assert found.changes == []
    assert found.decisions == Asked(Policy.shipped(), rules).decisions_each * len(told)
    assert told[-1] == (len(told), len(told))


@pytest.mark.usefixtures("short")
def test_what_is_newly_allowed_and_what_is_newly_refused_is_told_apart(rules: Rules) -> None:
    line = 'reads("case_officer", "%s", "assigned")'
    new = slipped(rules, f"there is a line {line % 'whereabouts'}")
    new = slipped(new, f"there is no line {line % 'narrative'}")
    new = slipped(new, 'there is no line purpose_of_partner("emergency")')

    found = compare(rules, new, silent)

    # What the lines say of an assignment goes for a delegation and an emergency as well.
    plain = {"refused", "allowed: assigned", "allowed: addressee"}
    changes = [c for c in found.changes if {c.kind.before, c.kind.after} <= plain]
    assert [changed.kind for changed in changes] == [
        Kind("case officer", "open whereabouts", OWN, "refused", "allowed: assigned"),
        Kind("case officer", "open whereabouts", REFERRED, "refused", "allowed: assigned"),
        Kind("case officer", "open narrative", OWN, "allowed: assigned", "refused"),
        Kind("case officer", "open narrative", REFERRED, "allowed: assigned", "refused"),
        Kind("partner", "see", "a release", "allowed: addressee", "refused"),
    ]
    both = ("emergency", "protection")
    for changed in changes[:-1]:
        assert (changed.agencies, changed.purposes) == (AGENCIES, both)
        assert changed.decisions % len(AGENCIES) == 0
    assert changes[-1].agencies == ()
    assert changes[-1].purposes == ("emergency",)
    assert changes[-1].decisions == 1  # Of sixteen releases.


@pytest.mark.usefixtures("short")
def test_a_change_of_one_agency_is_told_of_it_alone(rules: Rules) -> None:
    lpsk = tuple(
        rule for rule in rules["lpsk"] if rule.parameters[1].constant != "referral_accepted"
    )

    found = compare(rules, {**rules, "lpsk": lpsk}, silent)

    assert {changed.agencies for changed in found.changes} == {("lpsk",)}
    assert {changed.kind.record for changed in found.changes} == {OWN, REFERRED}
    # Of a case file of its own the ground alone changes, and not that it is seen.
    own = [c.kind for c in found.changes if c.kind.record == OWN]
    assert own
    assert all(
        kind.before == kind.after.replace("own agency", "own agency, referral accepted")
        for kind in own
    )
    assert {c.kind.after for c in found.changes if c.kind.record == REFERRED} == {"refused"}


def test_a_policy_that_does_not_load_is_compared_with_nothing(rules: Rules) -> None:
    with pytest.raises(PolicyRefused):
        compare(rules, {"base": ()}, silent)
