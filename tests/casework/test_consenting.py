"""What a consent covers and what rests on it: each thing that is lacking is enough to refuse."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework.consenting import Terms, chosen, rests_on
from api.errors import ConsentMissing
from api.store.tables import RIGHTS
from api.vocabulary import Compartment, Purpose
from tests.casework.built import DAY, DEFENDER, FILE, ME, NOON, OTHER, OWN, broken, house, sealed

MOMENT = datetime.resolution
HOUSE = house()
TERMS = Terms(
    OTHER,
    frozenset({Compartment.CONTACT, Compartment.IDENTITY}),
    Purpose.PROTECTION,
    NOON + DAY,
)
SHAREABLE = sorted(set(Compartment) - {Compartment.RELEASE})
SECOND = UUID(int=77)


def signed(table: str, values: dict[str, Any], forged: bool) -> dict[str, Any]:
    seal = sealed(OWN, table, [values[name] for name in RIGHTS[table]])
    return {**values, "seal": broken(seal) if forged else seal}


def consent(forged: bool = False, **changed: Any) -> dict[str, Any]:
    values = {
        "id": UUID(int=20),
        "defender": DEFENDER,
        "case_file": FILE,
        "agency": OWN,
        "recipient": OTHER,
        "compartments": "contact,identity",
        "purpose": "protection",
        "until": NOON + DAY,
        "form": "written",
        "recorded_by": ME,
        "recorded_at": NOON - DAY,
        "withdrawn_by": None,
        "withdrawn_at": None,
        "withdrawn_event": None,
        "stop_by": None,
        "event": 5,
        **changed,
    }
    return signed("consent", values, forged)


def choose(*rows: dict[str, Any], people: tuple[UUID, ...] = (DEFENDER,)) -> list[UUID]:
    return chosen(HOUSE, rows, people, TERMS, NOON)


def test_one_that_covers_all_of_it_is_chosen() -> None:
    assert choose(consent()) == [UUID(int=20)]
    assert choose(consent(recipient=None)) == [UUID(int=20)]
    assert choose(people=()) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"recipient": "komnas-perempuan"},
        {"compartments": "contact"},
        {"purpose": "assessment"},
        {"until": NOON + DAY - MOMENT},
        {"withdrawn_at": NOON - DAY},
        {"defender": SECOND},
        {"forged": True},
    ],
)
def test_one_that_lacks_anything_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(ConsentMissing):
        choose(consent(**changed))


def test_one_that_is_over_is_none_however_short_the_referral() -> None:
    terms = Terms(TERMS.recipient, TERMS.compartments, TERMS.purpose, NOON)
    with pytest.raises(ConsentMissing):
        chosen(HOUSE, [consent(until=NOON)], [DEFENDER], terms, NOON)
    assert chosen(HOUSE, [consent(until=NOON + MOMENT)], [DEFENDER], terms, NOON)


def test_of_several_the_one_that_lasts_longest_is_chosen_for_each_person() -> None:
    longer = consent(id=UUID(int=19), until=NOON + 2 * DAY)
    other = consent(id=UUID(int=3), defender=SECOND)
    assert choose(consent(), longer) == choose(longer, consent()) == [UUID(int=19)]
    assert choose(longer, other, people=(SECOND, DEFENDER)) == [UUID(int=3), UUID(int=19)]
    with pytest.raises(ConsentMissing):
        choose(longer, people=(SECOND, DEFENDER))


@given(
    asked=st.sets(st.sampled_from(SHAREABLE), min_size=1),
    agreed=st.lists(st.sets(st.sampled_from(SHAREABLE), min_size=1), max_size=4),
)
def test_two_consents_never_add_up(asked: set[Compartment], agreed: list[set[Compartment]]) -> None:
    rows = [
        consent(id=UUID(int=n), compartments=",".join(sorted(each)))
        for n, each in enumerate(agreed)
    ]
    terms = Terms(OTHER, frozenset(asked), Purpose.PROTECTION, NOON + DAY)
    if any(asked <= each for each in agreed):
        [one] = chosen(HOUSE, rows, [DEFENDER], terms, NOON)
        assert asked <= agreed[one.int]
    else:
        with pytest.raises(ConsentMissing):
            chosen(HOUSE, rows, [DEFENDER], terms, NOON)


# -- what rests on one ----------------------------------------------------------------------

REFERRAL = {"id": UUID(int=30), "defenders": f"{DEFENDER.hex},{SECOND.hex}"}


def basis(forged: bool = False, **changed: Any) -> dict[str, Any]:
    values = {
        "referral": REFERRAL["id"],
        "agency": OWN,
        "basis": "consent",
        "consents": UUID(int=20).hex,
        "override": None,
        "decided_by": ME,
        "decided_at": NOON,
        "reviewed_by": None,
        "reviewed_at": None,
        "reviewed_event": None,
        "event": 6,
        **changed,
    }
    return signed("referral_basis", values, forged)


@pytest.mark.parametrize(
    ("row", "rests"),
    [
        (basis(), True),
        (basis(consents=f"{SECOND.hex},{UUID(int=20).hex}"), True),
        (basis(consents=SECOND.hex), False),
        (basis(basis="vital_interest", consents=""), False),
        (basis(basis="vital_interest", consents="", forged=True), True),
        (basis(consents=SECOND.hex, forged=True), True),
        (basis(consents=SECOND.hex, referral=SECOND), True),
        (None, True),
    ],
)
def test_what_proves_nothing_else_rests_on_it(row: dict[str, Any] | None, rests: bool) -> None:
    assert rests_on(HOUSE, row, REFERRAL, consent()) is rests


def test_without_a_proof_it_rests_on_the_consents_of_its_people_only() -> None:
    assert not rests_on(HOUSE, None, REFERRAL, consent(defender=FILE))
    # Who it names cannot be read: then it is everybody.
    for text in ("x", "", None):
        assert rests_on(HOUSE, None, {**REFERRAL, "defenders": text}, consent(defender=FILE))
