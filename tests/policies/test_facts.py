"""Facts are exactly typed, closed to unknown words, immutable, and told apart by their key."""

from dataclasses import FrozenInstanceError
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import PolicyFailed, PurposeMissing
from api.policies.facts import (
    CLASSES,
    FIELD_TYPES,
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.vocabulary import (
    Caseworker,
    Compartment,
    LegalBasis,
    MemberId,
    Organisation,
    Partner,
    Purpose,
    Role,
    Sensitivity,
)

GOOD = ("lpsk", "case_officer", 2, False, "protection")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, ""),
        (0, None),
        (0, b"lpsk"),
        (1, Role.CASE_OFFICER),  # A member of an enumeration is a foreign object to Polar.
        (1, "case officer"),
        (1, ""),
        (2, True),
        (2, 2.0),
        (2, "2"),
        (2, 0),
        (2, 5),
        (2, Sensitivity.HIGH),
        (3, 0),
        (3, 1),
        (3, None),
        (4, Purpose.PROTECTION),
        (4, "curiosity"),
        (4, None),
    ],
)
def test_a_value_of_another_type_or_outside_the_vocabulary_makes_no_facts(place, value):
    values = list(GOOD)
    values[place] = value

    with pytest.raises(PolicyFailed):
        CaseworkerFacts(*values)


SHARES = [f"shares_{each}" for each in sorted(set(Compartment) - {Compartment.RELEASE})]


@pytest.mark.parametrize(
    "make",
    [
        lambda: CaseFileFacts("lpsk", 1, 1, False),
        lambda: CaseFileFacts("lpsk", 1, False, 0),
        lambda: CaseFileFacts("lpsk", True, False, False),
        lambda: CaseFileFacts("lpsk", 0, False, False),
        lambda: CaseFileFacts(Organisation, 1, False, False),
        lambda: CaseFileFacts("lpsk", 1, False, False, 1),
        lambda: CaseFileFacts("lpsk", 1, False, False, True, shares_identity="yes"),
        lambda: CaseFileFacts.as_referred("lpsk", 1, False, False, ["release"]),
        lambda: CaseFileFacts.as_referred("lpsk", 1, False, False, ["identities"]),
        lambda: ReleaseFacts(1, True, True),
        lambda: ReleaseFacts(True, None, True),
        lambda: EventFacts("yes", False),
        lambda: EventFacts(False, 0),
        lambda: PartnerFacts("Protection"),
        lambda: SecurityOfficerFacts(7),
    ],
)
def test_no_other_facts_take_a_loose_value_either(make):
    with pytest.raises(PolicyFailed):
        make()


def test_facts_cannot_be_changed():
    facts = CaseFileFacts("lpsk", 1, False, False)

    with pytest.raises(FrozenInstanceError):
        facts.assigned = True
    with pytest.raises((AttributeError, TypeError)):
        facts.name = "x"  # No place for anything else.


def test_equal_facts_have_one_key_and_different_facts_never():
    facts = [
        *(CaseFileFacts(*values) for values in product("ab", (1, 2), (True, False), (True, False))),
        *(CaseFileFacts("a", 1, True, False, True, **{share: True}) for share in SHARES),
        *(ReleaseFacts(*values) for values in product((True, False), repeat=3)),
        *(EventFacts(*values) for values in product((True, False), (True, False))),
        *(
            PartnerFacts(purpose)
            for purpose in Purpose.__members__.values()
            for purpose in [purpose.value]
        ),
        SecurityOfficerFacts("a"),
    ]

    assert len({each.key for each in facts}) == len(facts)
    assert CaseFileFacts("a", 1, True, False).key == CaseFileFacts("a", 1, True, False).key
    assert CaseFileFacts("a", 1, True, False) == CaseFileFacts("a", 1, True, False)


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_agencies_share_a_key_whatever_signs_they_hold(one, other):
    assert (SecurityOfficerFacts(one).key == SecurityOfficerFacts(other).key) == (one == other)
    assert CaseFileFacts(one, 1, True, True).key != SecurityOfficerFacts(other).key


def test_the_engine_knows_every_field_but_the_key():
    assert FIELD_TYPES["CaseFile"] == {
        "lead_agency": str,
        "sensitivity": int,
        "assigned": bool,
        "supervising": bool,
        **dict.fromkeys(("referred", "tied", "delegated", "break_glass"), bool),
        **dict.fromkeys(("second_person", "closed"), bool),
        **{
            f"{names}_{each}": bool
            for names in ("shares", "delegates", "unlocks")
            for each in set(Compartment) - {Compartment.RELEASE}
        },
    }
    assert set(CLASSES) == set(FIELD_TYPES) == {
        "Caseworker", "Partner", "SecurityOfficer", "CaseFile", "Release", "Event",
    }  # fmt: skip
    assert not any("key" in fields for fields in FIELD_TYPES.values())


def caller(kind, role, purpose):
    member = MemberId(UUID(int=1))
    return kind(member, Organisation("lpsk"), role, purpose, LegalBasis.PUBLIC_TASK, "r")


def test_facts_of_a_caller_are_its_plain_words():
    caseworker = caller(Caseworker, Role.CASE_OFFICER, Purpose.PROTECTION)
    partner = caller(Partner, Role.PARTNER, Purpose.REFERRAL)

    assert CaseworkerFacts.of(caseworker, clearance=2, trained=False) == CaseworkerFacts(*GOOD)
    assert PartnerFacts.of(partner) == PartnerFacts("referral")


def test_a_caller_without_a_purpose_has_no_facts():
    with pytest.raises(PurposeMissing):
        CaseworkerFacts.of(caller(Caseworker, Role.SUPERVISOR, None), clearance=4, trained=True)
    with pytest.raises(PurposeMissing):
        PartnerFacts.of(caller(Partner, Role.PARTNER, None))
