"""From the headers of a request to a caller: the token proves, the member's row decides.

A token that is bound to a key counts with a proof of that key only. Partners have to have
such tokens: what is stolen from them between their application and us opens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers

from api.casework import rights
from api.casework.house import House
from api.casework.sign_in import Known, Refusals
from api.casework.used_proofs import UsedProofs
from api.errors import DpopRequired, NotForThisFace, NotSignedIn, RefusesToStart
from api.identity.callers import BASIS_HEADER, PURPOSE_HEADER, caller_of, only
from api.identity.dpop import PROOF_HEADER, normal_address, proof_of
from api.identity.tokens import TokenVerifier, presented
from api.turns import Turns
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


#: Every address of the service takes this method alone, before it asks who calls.
METHOD = "POST"


@dataclass(frozen=True, slots=True)
class Door:
    """What all addresses of a process share, to find out who calls.

    Attributes:
        address: where callers reach the service, without a path.
        refusals, used: one a process.
        lines: in which the requests of one subject wait for each other.
    """

    house: House
    verifier: TokenVerifier
    address: str
    refusals: Refusals
    used: UsedProofs
    lines: Turns[tuple[Organisation, str]] = field(default_factory=Turns)


class SignIn:
    """Signs callers in at one address."""

    def __init__(self, door: Door, face: str, path: str) -> None:
        """*face* is one of SERVES; *path* is where it, or a part of it, is served.

        Raises:
            RefusesToStart: the door's address is none.
        """
        address = normal_address(door.address + path)
        if address is None:
            raise RefusesToStart("`public_url` is no address at which callers reach the service.")
        self._door = door
        self._kind = SERVES[face]
        self._address = address

    async def __call__(self, headers: Headers, request: str) -> Caller:
        """Give the caller behind *headers*; the member's row is read for every request.

        Raises:
            NotSignedIn, TokenExpired: no token that holds; one event, of nobody.
            DpopRequired, DpopProofInvalid: a token that holds, without the proof that it
                needs; one event that names what the token proved.
            NotForThisFace: a member unknown, disabled, forged, or of another face; likewise.
            PurposeUnknown: a header names what the vocabulary does not have.
            CallerBusy: too many requests of the same subject wait for this.
            StoreUnavailable: it is not known whether the proof was used before.
        """
        house, known = self._door.house, None
        try:
            shown = presented(headers.getlist("authorization"))
            claims = await self._door.verifier.verify(shown.token)
            known = Known(claims.organisation)
            proof = proof_of(
                shown,
                claims,
                headers.getlist(PROOF_HEADER),
                method=METHOD,
                address=self._address,
                now=house.now(),
            )
            async with (
                self._door.lines.turn((claims.organisation, claims.subject)),
                house.records.look() as connection,
            ):
                row = await rights.member_behind(
                    house, connection, claims.organisation, claims.subject
                )
            if row is None:
                raise NotForThisFace
            known = Known(row.organisation, row.id, Role(row.role))
            member = caller_of(
                claims,
                member=MemberId(row.id),
                organisation=Organisation(row.organisation),
                role=Role(row.role),
                live=row.live,
                purpose=headers.get(PURPOSE_HEADER),
                basis=headers.get(BASIS_HEADER),
                request=request,
            )
            caller: Caller = only(self._kind, member)
            if proof is not None:
                # Last: who is turned away for another reason writes nothing here.
                await self._door.used.use(proof.digest)
            elif type(caller) is Partner:
                raise DpopRequired
            return caller
        except (NotForThisFace, NotSignedIn) as error:
            await self._door.refusals.append(error, request, known)
            raise
