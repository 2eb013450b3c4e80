"""From the headers of a request to a caller: the token proves, the member's row decides.

A token that is bound to a key counts with a proof of that key only. Partners have to have
such tokens: what is stolen from them between their application and us opens nothing. Where
the console is, the session of a browser stands in for the token that lies in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from starlette.datastructures import Headers

from api.casework import rights
from api.casework.house import House
from api.casework.sign_in import Known, Refusals
from api.casework.used_proofs import UsedProofs
from api.errors import (
    CrossSiteRefused,
    DpopRequired,
    NotForThisFace,
    NotSignedIn,
    RefusesToStart,
)
from api.identity.browser import Browsers
from api.identity.callers import BASIS_HEADER, PURPOSE_HEADER, caller_of, only
from api.identity.dpop import PROOF_HEADER, normal_address, proof_of
from api.identity.tokens import Claims, Presented, Scheme, TokenVerifier, presented
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

#: Face -> the kinds of caller it serves; the console is for the people of agencies.
SERVES: Mapping[str, tuple[type[Caller], ...]] = {
    "agency": (Caseworker,),
    "console": (Caseworker, SecurityOfficer),
    "oversight": (SecurityOfficer,),
    "partner": (Partner,),
}

#: Faces at which a browser's session counts, if a script of ours asks. No partner's and no
#: attachments: what is not listed takes a token, whatever the browser carries.
BROWSED = frozenset({"agency", "oversight"})

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

    def __init__(
        self,
        door: Door,
        face: str,
        path: str,
        browsers: Browsers | None = None,
        *,
        guarded: bool = True,
    ) -> None:
        """*face* is one of SERVES; *path* is where it, or a part of it, is served.

        Args:
            browsers: whose sessions count here, too; None: nobody's do.
            guarded: a session counts if a script of ours asks; else it counts for pages.

        Raises:
            RefusesToStart: the door's address is none.
        """
        address = normal_address(door.address + path)
        if address is None:
            raise RefusesToStart("`public_url` is no address at which callers reach the service.")
        self._door = door
        self._kinds = SERVES[face]
        self._address = address
        self._browsers = browsers
        self._guarded = guarded

    async def __call__(self, headers: Headers, request: str) -> Caller:
        """Give the caller behind *headers*; the member's row is read for every request.

        Raises:
            NotSignedIn, TokenExpired: no token that holds; one event, of nobody.
            CrossSiteRefused: a session that no script of ours sent; likewise.
            DpopRequired, DpopProofInvalid: a token that holds, without the proof that it
                needs; one event that names what the token proved.
            NotForThisFace: a member unknown, disabled, forged, or of another face; likewise.
            PurposeUnknown: a header names what the vocabulary does not have.
            CallerBusy: too many requests of the same subject wait for this.
            StoreUnavailable: it is not known whether the proof was used before.
        """
        house, known = self._door.house, None
        try:
            shown, claims = await self._shown(headers)
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
            caller = only(self._kinds, member)
            if proof is not None:
                # Last: who is turned away for another reason writes nothing here.
                await self._door.used.use(proof.digest)
            elif type(caller) is Partner:
                raise DpopRequired
            return caller
        except (CrossSiteRefused, NotForThisFace, NotSignedIn) as error:
            await self._door.refusals.append(error, request, known)
            raise

    async def _shown(self, headers: Headers) -> tuple[Presented, Claims]:
        """Give the token of a request, and what it says. Beside one no session is looked at."""
        if (
            self._browsers is None
            or "authorization" in headers
            or not self._browsers.carries(headers)
        ):
            shown = presented(headers.getlist("authorization"))
            return shown, await self._door.verifier.verify(shown.token)
        session = await self._browsers.session(headers, guarded=self._guarded)
        shown = Presented(Scheme.BEARER, session.content.decode("ascii"))
        claims = await self._door.verifier.verify(shown.token)
        if claims.organisation != session.organisation:
            raise NotSignedIn
        # Subscriptions end with it, too.
        return shown, replace(claims, expires_at=min(claims.expires_at, session.until))
