"""The console over HTTP: to one's issuer and back, who one is, GraphiQL, and out again.

It shows no record. What its pages ask they ask at the faces, which decide and log as for every
other client.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final, Literal
from uuid import UUID

import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.console.graphiql import SAMPLES, GraphiQL, asks_at
from api.console.overview import EVENTS, Overview
from api.console.pages import WITH_SCRIPTS, own_files, page, script_or_style
from api.console.providers import Provider
from api.errors import (
    CrossSiteRefused,
    NotForThisFace,
    NotFound,
    NotSignedIn,
    PerisaiError,
    SignInFailed,
)
from api.identity.browser import Browsers
from api.identity.callers import PURPOSE_HEADER
from api.identity.tokens import TokenVerifier
from api.vocabulary import Caller, Purpose, SecurityOfficer

#: Points of the page with what officers look at: as many as a page of that many events.
OVERVIEW_POINTS: Final = EVENTS

#: Seconds for which a browser keeps GraphiQL.
_KEPT: Final = 3600

_log = structlog.get_logger("perisai.console")

#: From the headers and the id of the request to who asks; raises a PerisaiError if nobody.
_SignIn = Callable[[Headers, str], Awaitable[Caller]]
#: Leaves the event of a refusal in the log.
_Refuse = Callable[[PerisaiError, str], Awaitable[None]]
#: What an officer looks at; each look is in the log before it is answered.
_Look = Callable[[SecurityOfficer], Awaitable[Overview]]
#: Takes points of a member, or raises.
_Spend = Callable[[UUID, int], Awaitable[None]]
_Answering = Callable[[Request, str], Awaitable[Response]]
_Site = Literal["lax", "strict"]


class Console:
    """An ASGI application for all addresses of the console."""

    def __init__(
        self,
        browsers: Browsers,
        *,
        sign_in: _SignIn,
        officer: _SignIn,
        faces: Collection[str],
        verifier: TokenVerifier,
        refuse: _Refuse,
        providers: Sequence[Provider],
        look: _Look,
        spend: _Spend,
        strong: Mapping[str, str],
        graphiql: GraphiQL | None,
        request_id: Callable[[], str],
    ) -> None:
        """Bind the pages to what says who asks, and where people sign in.

        Args:
            sign_in: whoever the console is for; *officer*: those whom the officers' page is for.
            faces: which this process serves: of what others have it shows nothing.
            look: makes what a security officer's page shows.
            spend: takes points of a member.
            strong: what an issuer is asked for a strong and fresh sign-in; {}: none counts as one.
            graphiql: None: there is no page with it.
        """
        self._browsers = browsers
        self._sign_in = sign_in
        self._officer = officer
        self._faces = frozenset(faces)
        self._verifier = verifier
        self._refuse = refuse
        self._providers = {one.organisation: one for one in providers}
        self._look = look
        self._spend = spend
        self._strong = strong
        self._graphiql = graphiql
        self._request_id = request_id
        self._own = own_files()
        self._at = f"{browsers.path}/console"
        self._app = Starlette(
            routes=[
                Route("/console", self._page(self._home)),
                Route("/console/sign-in/{organisation}", self._page(self._begin)),
                Route("/console/signed-in/{organisation}", self._page(self._end)),
                Route("/console/sign-out", self._page(self._out), methods=["POST"]),
                Route("/console/graphiql", self._page(self._ask)),
                Route("/console/oversight", self._page(self._oversee)),
                Route("/console/files/{name}", self._page(self._file)),
            ],
            exception_handlers={404: self._nowhere},
        )
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    async def _nowhere(self, request: Request, _error: Exception) -> Response:
        async def nothing(request: Request, known: str) -> Response:
            raise NotFound

        return await self._page(nothing)(request)

    def _page(self, answering: _Answering) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            known = self._request_id()
            try:
                response = await answering(request, known)
            except PerisaiError as error:
                response = self._fault(error, request.headers, known)
            except Exception as error:
                _log.error("console_failed", error=type(error).__name__, request=known)
                response = self._fault(PerisaiError(), request.headers, known)
            response.headers["x-request-id"] = known
            return response

        return answer

    def _fault(self, error: PerisaiError, headers: Headers, request: str) -> Response:
        """Show *error*; a session that is no longer one, and what is left of a sign-in, go."""
        told = type(error)
        shown = {"at": self._at, "code": told.code, "request": request}
        if isinstance(error, NotSignedIn):
            # Its message is for clients, which have tokens.
            organisations = sorted(self._providers)
            response = page("sign-in", told.status, organisations=organisations, **shown)
        else:
            response = page("fault", told.status, message=told.message, **shown)
        if isinstance(error, NotSignedIn | NotForThisFace | SignInFailed):
            self._forget(response, self._browsers.sign_in_cookie, "lax")
        # Only what came: a link of another site brings no session, and must not take one away.
        came = self._browsers.all_carried(headers, self._browsers.session_cookie)
        if came and isinstance(error, NotSignedIn | NotForThisFace):
            self._forget(response, self._browsers.session_cookie, "strict")
        return response

    async def _home(self, request: Request, known: str) -> Response:
        if not self._browsers.carries(request.headers):
            return page("sign-in", at=self._at, organisations=sorted(self._providers), code=None)
        caller = await self._sign_in(request.headers, known)
        return page(
            "home",
            at=self._at,
            caller=caller,
            graphiql=self._graphiql is not None and asks_at(caller.role)[0] in self._faces,
            officer=type(caller) is SecurityOfficer and "oversight" in self._faces,
            strong=bool(self._strong),
        )

    async def _oversee(self, request: Request, known: str) -> Response:
        """Show what an officer looks at; who is signed in and none does not learn that it is there.

        A look is an event in the officer's name, so no page of elsewhere may begin one: one of a
        sibling of our host is sent the cookie, too.
        """
        if "oversight" not in self._faces:
            raise NotFound
        ours = self._browsers.went_there(request.headers)
        if not ours or not self._browsers.carries(request.headers):
            return RedirectResponse(self._at, 303)
        purpose = (PURPOSE_HEADER.encode(), Purpose.QUALITY_REVIEW.value.encode())
        headers = [one for one in request.headers.raw if one[0] != purpose[0]]
        try:
            caller = await self._officer(Headers(raw=[*headers, purpose]), known)
        except NotForThisFace:  # The attempt is in the log by now.
            raise NotFound from None
        if type(caller) is not SecurityOfficer:
            raise NotFound
        await self._spend(caller.member, OVERVIEW_POINTS)
        return page("overview", at=self._at, caller=caller, seen=await self._look(caller))

    async def _begin(self, request: Request, known: str) -> Response:
        provider = self._provider(request)
        request.scope["session"] = {}
        # Whether it then was strong the token says, wherever that is asked for.
        more = self._strong if "strong" in request.query_params else {}
        answer = await provider.send_there(request, self._back(provider), more)
        # A session that this one takes the place of: from the issuer it does not come along.
        before = self._browsers.carried(request.headers, self._browsers.session_cookie)
        named = None if before is None else self._browsers.sessions.named(before)
        kept = json.dumps({"told": request.scope["session"], "before": named}).encode()
        self._keep(
            answer,
            self._browsers.sign_in_cookie,
            self._browsers.sessions.begin_sign_in(provider.organisation, kept),
            "lax",  # Back from the issuer somebody comes from another site.
        )
        answer.headers["cache-control"] = "no-store"
        return answer

    async def _end(self, request: Request, known: str) -> Response:
        provider = self._provider(request)
        try:
            token, before = await self._token(request, provider)
            # Nobody gets a session who would be refused with it.
            await self._sign_in(Headers({"authorization": f"Bearer {token}"}), known)
            claims = await self._verifier.verify(token)
            carried = self._browsers.sessions.start(provider.organisation, token, claims.expires_at)
            if before is not None:
                await self._browsers.sessions.end_named(before)
        except SignInFailed as error:
            await self._refuse(error, known)
            raise
        # A page and no redirect: it is on from a page of ours that the browser carries the session.
        answer = page("signed-in", at=self._at, refresh=self._at)
        self._keep(answer, self._browsers.session_cookie, carried, "strict")
        self._forget(answer, self._browsers.sign_in_cookie, "lax")
        return answer

    async def _token(self, request: Request, provider: Provider) -> tuple[str, str | None]:
        """Give the access token of who came back from the issuer to which they were sent.

        Beside it the name of the session that they had then.

        Raises:
            SignInFailed: they were not, or what they brought does not hold.
            SignInUnavailable: the issuer does not answer.
        """
        carried = self._browsers.carried(request.headers, self._browsers.sign_in_cookie)
        if carried is None:
            raise SignInFailed
        try:
            begun = await self._browsers.sessions.end_sign_in(carried)
            if begun.organisation != provider.organisation:
                raise SignInFailed
            kept = json.loads(begun.content)
            request.scope["session"] = kept["told"]
            given = await provider.take_back(request)
            claims = await self._verifier.verify(given.access_token)
        except NotSignedIn as error:
            _log.warning(
                "console_sign_in", organisation=provider.organisation, error=type(error).__name__
            )
            raise SignInFailed from None
        same = (claims.organisation, claims.subject) == (provider.organisation, given.subject)
        if not same or claims.key_thumbprint is not None:
            raise SignInFailed
        return given.access_token, kept["before"]

    async def _out(self, request: Request, known: str) -> Response:
        try:
            self._browsers.check_origin(request.headers)
        except CrossSiteRefused as error:
            await self._refuse(error, known)
            raise
        for carried in self._browsers.all_carried(request.headers, self._browsers.session_cookie):
            with suppress(NotSignedIn):  # It is over already.
                await self._browsers.sessions.end(carried)
        answer = RedirectResponse(self._at, 303, {"clear-site-data": '"cache", "storage"'})
        self._forget(answer, self._browsers.session_cookie, "strict")
        return answer

    async def _ask(self, request: Request, known: str) -> Response:
        if self._graphiql is None:
            raise NotFound
        if not self._browsers.carries(request.headers):
            return RedirectResponse(self._at, 303)
        caller = await self._sign_in(request.headers, known)
        face, purpose = asks_at(caller.role)
        if face not in self._faces:
            raise NotFound
        return page(
            "graphiql",
            policy=WITH_SCRIPTS,
            at=self._at,
            endpoint=f"{self._browsers.path}/graphql/{face}",
            purpose=purpose,
            sample=SAMPLES[face],
        )

    async def _file(self, request: Request, known: str) -> Response:
        name = request.path_params["name"]
        if name in self._own:
            return script_or_style(name, self._own[name])
        if self._graphiql is None or name not in self._graphiql.files:
            raise NotFound
        await self._sign_in(request.headers, known)
        return script_or_style(name, self._graphiql.files[name], keep=_KEPT)

    def _provider(self, request: Request) -> Provider:
        provider = self._providers.get(request.path_params["organisation"])
        if provider is None:
            raise NotFound
        return provider

    def _back(self, provider: Provider) -> str:
        """Give where the issuer sends people back to: an address of its own (RFC 9700, 4.4.2)."""
        return f"{self._browsers.origin}{self._at}/signed-in/{provider.organisation}"

    def _keep(self, answer: Response, name: str, value: str, site: _Site) -> None:
        """Let the browser carry *value* until it is closed; when that is over its seal says."""
        answer.set_cookie(
            name,
            value,
            path="/",
            secure=self._browsers.secure,
            httponly=True,
            samesite=site,
        )

    def _forget(self, answer: Response, name: str, site: _Site) -> None:
        answer.delete_cookie(
            name, path="/", secure=self._browsers.secure, httponly=True, samesite=site
        )
