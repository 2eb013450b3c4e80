"""A caller is what the live row of its own organisation says, and nothing that the token says."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.errors import NotForThisFace, PurposeUnknown
from api.identity.callers import caller_of, only
from api.identity.tokens import Claims
from api.vocabulary import (
    CASEWORK_ROLES,
    DEFAULT_BASIS,
    Caller,
    Caseworker,
    LegalBasis,
    Operator,
    Partner,
    Purpose,
    Role,
    SecurityOfficer,
)

MEMBER = UUID(int=7)
CLAIMS = Claims("https://x.test", "komnas-ham", "sari", "t", datetime(2026, 3, 1, tzinfo=UTC))


def caller(**changes) -> Caller:
    arguments = {
        "member": MEMBER,
        "organisation": "komnas-ham",
        "role": Role.CASE_OFFICER,
        "live": True,
        "purpose": None,
        "basis": None,
        "request": "r1",
    }
    return caller_of(CLAIMS, **(arguments | changes))


KINDS = dict.fromkeys(CASEWORK_ROLES, Caseworker) | {
    Role.OPERATOR: Operator,
    Role.PARTNER: Partner,
    Role.SECURITY_OFFICER: SecurityOfficer,
}


@pytest.mark.parametrize("role", Role)
def test_each_role_makes_one_kind_of_caller(role):
    made = caller(role=role)

    assert type(made) is KINDS[role]
    assert (made.member, made.role, made.request) == (MEMBER, role, "r1")


@pytest.mark.parametrize("live", [False, None, 1, "yes"])
def test_a_member_that_is_not_live_is_nobody(live):
    with pytest.raises(NotForThisFace):
        caller(live=live)


def test_a_row_of_another_organisation_is_nobody():
    with pytest.raises(NotForThisFace):
        caller(organisation="lpsk")


def test_without_a_purpose_there_is_no_basis():
    assert (caller().purpose, caller().basis) == (None, None)


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_has_a_basis_that_stands_where_none_is_named(purpose):
    made = caller(purpose=purpose.value)

    assert (made.purpose, made.basis) == (purpose, DEFAULT_BASIS[purpose])


def test_a_named_basis_stands():
    assert caller(purpose="intake", basis="consent").basis is LegalBasis.CONSENT


@pytest.mark.parametrize("value", ["", "Intake", "intake ", "intake, intake", "curiosity", "\0"])
def test_an_unknown_purpose_or_basis_is_refused(value):
    with pytest.raises(PurposeUnknown):
        caller(purpose=value)
    with pytest.raises(PurposeUnknown):
        caller(purpose="intake", basis=value)
    with pytest.raises(PurposeUnknown):
        caller(basis=value)


@pytest.mark.parametrize("kind", [Caseworker, Partner, SecurityOfficer, Operator, Caller])
@pytest.mark.parametrize("role", Role)
def test_a_face_serves_its_own_kind_of_caller_only(kind, role):
    made = caller(role=role)
    if KINDS[role] is kind:
        assert only((kind,), made) is made
    else:
        with pytest.raises(NotForThisFace):
            only((kind,), made)
