"""A verified token and the row of a member become a caller, or nobody.

The row decides what the caller is; the token only proves who asks. Purpose and
legal basis come from the request's headers and are taken from the vocabulary.
"""

from collections.abc import Collection
from typing import assert_never

from api.errors import NotForThisFace, PurposeUnknown
from api.identity.tokens import Claims
from api.vocabulary import (
    DEFAULT_BASIS,
    Caller,
    Caseworker,
    LegalBasis,
    MemberId,
    Operator,
    Organisation,
    Partner,
    Purpose,
    Role,
    SecurityOfficer,
)

#: The header that declares why records are opened (UU PDP 27/2022, art. 20).
PURPOSE_HEADER = "perisai-purpose"

#: The header that names the legal basis, where the default of the purpose does not fit.
BASIS_HEADER = "perisai-legal-basis"


def caller_of(
    claims: Claims,
    *,
    member: MemberId,
    organisation: Organisation,
    role: Role,
    live: bool,
    purpose: str | None,
    basis: str | None,
    request: str,
) -> Caseworker | Partner | SecurityOfficer | Operator:
    """Say who calls: the member of the row, if the token of its own issuer proves it.

    Args:
        member: id of the row that was found for the organisation and subject of *claims*.
        live: whether the row, its seal checked, is not disabled.
        purpose: the value of the header, None where it was not sent.
        basis: likewise.
        request: id of the request.

    Raises:
        NotForThisFace: the row is disabled, or belongs to another organisation.
        PurposeUnknown: the purpose or the basis is not in the vocabulary.
    """
    if live is not True or organisation != claims.organisation:
        raise NotForThisFace
    why = _purpose(purpose)
    kind = _kind(role)
    return kind(
        member=member,
        organisation=organisation,
        role=role,
        purpose=why,
        basis=_basis(basis, why),
        request=request,
        acr=claims.acr,
        auth_time=claims.auth_time,
        signed_in_until=claims.expires_at,
    )


def only(kinds: Collection[type[Caller]], caller: Caller) -> Caller:
    """Give *caller* back if it is of one of the *kinds* that a face serves.

    Raises:
        NotForThisFace: it is another.
    """
    if type(caller) not in kinds:
        raise NotForThisFace
    return caller


def _kind(role: Role) -> type[Caseworker | Partner | SecurityOfficer | Operator]:
    match role:
        case (
            Role.AGENCY_LEAD
            | Role.CASE_OFFICER
            | Role.INTAKE_OFFICER
            | Role.PROTECTION_OFFICER
            | Role.SUPERVISOR
        ):
            return Caseworker
        case Role.PARTNER:
            return Partner
        case Role.SECURITY_OFFICER:
            return SecurityOfficer
        case Role.OPERATOR:
            return Operator
        case _:
            assert_never(role)


def _purpose(value: str | None) -> Purpose | None:
    if value is None:
        return None
    try:
        return Purpose(value)
    except ValueError:
        raise PurposeUnknown from None


def _basis(value: str | None, purpose: Purpose | None) -> LegalBasis | None:
    if value is None:
        return None if purpose is None else DEFAULT_BASIS[purpose]
    try:
        return LegalBasis(value)
    except ValueError:
        raise PurposeUnknown from None
