"""From the headers of a request to a caller: the token proves, the member's row decides."""

from collections.abc import Mapping

from starlette.datastructures import Headers

from api.casework import rights
from api.casework.house import House
from api.casework.sign_in import Known, Refusals
from api.errors import NotForThisFace, NotSignedIn
from api.identity.callers import BASIS_HEADER, PURPOSE_HEADER, caller_of, only
from api.identity.tokens import TokenVerifier, bearer_token
from api.vocabulary import (
    Caller,
    Caseworker,
    MemberId,
    Organisation,
    Partner,
    Role,
    SecurityOfficer,
)

#: Face -> the one kind of caller it serves.
SERVES: Mapping[str, type[Caller]] = {
    "agency": Caseworker,
    "partner": Partner,
    "oversight": SecurityOfficer,
}


class SignIn:
    """Signs callers in at one face."""

    def __init__(
        self, house: House, verifier: TokenVerifier, face: str, refusals: Refusals
    ) -> None:
        """*face* is one of SERVES."""
        self._house = house
        self._verifier = verifier
        self._kind = SERVES[face]
        self._refusals = refusals

    async def __call__(self, headers: Headers, request: str) -> Caller:
        """Give the caller behind *headers*; the member's row is read for every request.

        Raises:
            NotSignedIn, TokenExpired: no token that holds; one event, of nobody.
            NotForThisFace: a member unknown, disabled, forged, or of another face; one
                event that names what the token proved.
            PurposeUnknown: a header names what the vocabulary does not have.
        """
        try:
            token = bearer_token(headers.getlist("authorization"))
            claims = await self._verifier.verify(token)
        except NotSignedIn as error:
            await self._refusals.append(error, request)
            raise
        known = Known(claims.organisation)
        try:
            async with self._house.records.look() as connection:
                row = await rights.member_behind(
                    self._house, connection, claims.organisation, claims.subject
                )
            if row is None:
                raise NotForThisFace
            known = Known(row.organisation, row.id, Role(row.role))
            caller = caller_of(
                claims,
                member=MemberId(row.id),
                organisation=Organisation(row.organisation),
                role=Role(row.role),
                live=row.live,
                purpose=headers.get(PURPOSE_HEADER),
                basis=headers.get(BASIS_HEADER),
                request=request,
            )
            return only(self._kind, caller)
        except NotForThisFace as error:
            await self._refusals.append(error, request, known)
            raise
