"""A browser in front of the console and the demo's issuers, both served in this process.

It keeps cookies by host and path as browsers do, and says of each request what a browser says;
what it does not do is to keep a cookie back from a request of another site: a test sends
everything that could come.
"""

import html
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import httpx2
from starlette.applications import Starlette

from api.cli.demo import console_clients
from api.demo.install import AUDIENCE, STRONG_ACR
from api.demo.issuer import DemoIssuer
from api.demo.issuer_pages import IssuerPages, Person
from api.front_settings import around
from api.vocabulary import Role
from tests.inside import Inside, exchanged
from tests.world import Clock, Template, World, opened

HAM = "komnas-ham"
VIEWER = "{ viewer { memberId role } }"


class Ahead(Clock):
    """Tells the time, ahead of it by what a test moved it: authlib looks at the clock itself."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    def move(self, by: timedelta) -> None:
        self._ahead += by


class Lying(DemoIssuer):
    """An issuer whose ID tokens and access tokens say what a test puts there.

    Attributes:
        identity: claims of ID tokens that are others.
        access: arguments of access tokens that are others; `token` is a whole one.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder, demo=True, audience=AUDIENCE, clock=clock)
        # authlib looks at the clock itself, and takes no ID token of another time.
        self._now = DemoIssuer(
            folder, demo=True, audience=AUDIENCE, clock=lambda: datetime.now(UTC)
        )
        self.identity: dict[str, Any] = {}
        self.access: dict[str, Any] = {}

    def identify(self, organisation: str, subject: str, *, client_id: str, nonce: str) -> str:
        told = {"organisation": organisation, "subject": subject, "client_id": client_id}
        said = {**told, "nonce": nonce, **self.identity}
        signed_by = said.pop("organisation")
        return self._now.identify(
            signed_by, said["subject"], client_id=said["client_id"], nonce=said["nonce"]
        )

    def mint(self, organisation: str, subject: str, **options: Any) -> str:
        said = {"organisation": organisation, "subject": subject, **options, **self.access}
        if "token" in said:
            token: str = said["token"]
            return token
        return super().mint(said.pop("organisation"), said.pop("subject"), **said)


class Outward(httpx2.AsyncBaseTransport):
    """What lies between the console and the issuers; it may put in what these say of themselves."""

    def __init__(self, app: Starlette, told: dict[str, Any]) -> None:
        self._there = httpx2.ASGITransport(app)
        self._told = told

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._there.handle_async_request(request)
        if not self._told or "openid-configuration" not in request.url.path:
            return answer
        said = json.loads(await answer.aread())
        return httpx2.Response(200, json={**said, **self._told})


@dataclass
class Site:
    """The console, served beside the issuers of the demo.

    Attributes:
        told: what issuers say of themselves instead.
    """

    inside: Inside
    app: Starlette
    issuer: Lying
    address: str
    told: dict[str, Any]

    @property
    def world(self) -> World:
        return self.inside.world

    def browser(self) -> "Browser":
        """Give a browser without cookies; its user closes nothing, since nothing is open."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        return Browser(self, httpx.AsyncClient(transport=transport, base_url=self.address))

    async def refused(self, since: int) -> list[str | None]:
        """Give the codes of the events since then; each must be a refusal of nobody."""
        events = await self.world.events(since)
        assert all(event.decision.value == "refused" for event in events)
        return [event.code for event in events]


@dataclass
class Browser:
    """One person's browser."""

    site: Site
    http: httpx.AsyncClient = field(repr=False)

    async def get(self, path: str) -> httpx.Response:
        """Go there as by a link of a page of ours."""
        return await self.http.get(path, headers={"sec-fetch-site": "same-origin"})

    async def picks(self, subject: str, organisation: str = HAM, *, strong: bool = False) -> str:
        """Go as far as the issuer sends one back; give the address that it sends to."""
        begun = await self.get(f"/console/sign-in/{organisation}")
        assert begun.status_code == 302, begun.text
        at = begun.headers["location"]
        page = await self.get(at)
        assert page.status_code == 200, page.text
        links = [html.unescape(one) for one in re.findall(r'href="(\?[^"]*)"', page.text)]
        [link] = [
            one
            for one in links
            if f"&picked={subject}" in one and one.endswith("&strong=1") is strong
        ]
        picked = await self.get(urljoin(at, link))
        assert picked.status_code == 303, picked.text
        back: str = picked.headers["location"]
        return back

    async def sign_in(self, subject: str, organisation: str = HAM, **options: Any) -> None:
        done = await self.get(await self.picks(subject, organisation, **options))
        assert done.status_code == 200, done.text
        assert "Anda sudah masuk" in done.text

    def script(self) -> dict[str, str]:
        """Give the headers of a request that a script of the console's page sends."""
        return {
            "accept": "application/graphql-response+json",
            "content-type": "application/json",
            "origin": self.site.address,
            "perisai-console": "1",
            "perisai-purpose": "protection",
            "sec-fetch-site": "same-origin",
        }

    async def ask(
        self,
        query: str = VIEWER,
        face: str = "agency",
        headers: Mapping[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        sent = self.script() if headers is None else dict(headers)
        body = {"query": query, "variables": dict(variables or {})}
        return await self.http.post(f"/graphql/{face}", content=json.dumps(body), headers=sent)

    async def sign_out(self, **headers: str) -> httpx.Response:
        said = {"origin": self.site.address, "sec-fetch-site": "same-origin"}
        return await self.http.post("/console/sign-out", headers={**said, **headers})


def code_of(answer: httpx.Response) -> str:
    """Give the code of a refusal, of a face or of a page."""
    if answer.headers["content-type"].startswith("text/html"):
        return re.findall(r"<code>([A-Z_]+)</code>", answer.text)[0]
    [error] = answer.json()["errors"]
    code: str = error["extensions"]["code"]
    return code


@asynccontextmanager
async def site(
    template: Template, folder: Path, *, graphiql: Path | None = None, **settings: Any
) -> AsyncIterator[Site]:
    """Serve a copy of *template* with a console, and issuers that can be made to lie.

    Args:
        settings: others than those of the template.
    """
    clock = Ahead()
    async with opened(template, folder, clock) as world:
        chosen = world.settings.model_copy(update=settings)
        issuer = Lying(folder / "issuers", clock)
        people = [
            Person(one.organisation, one.subject, one.role.value)
            for one in template.records.members
            if one.role is not Role.PARTNER
        ]
        pages = IssuerPages(issuer, people, chosen.reached_at, clock, strong_acr=STRONG_ACR)
        chosen = chosen.model_copy(
            update={
                "console_clients": console_clients(template.records, pages),
                "graphiql": graphiql,
            }
        )
        told: dict[str, Any] = {}
        outward = Outward(Starlette(routes=pages.routes()), told)
        there = replace(world, settings=chosen)
        async with exchanged(there, monotonic=clock.monotonic, outward=outward) as inside:
            routes = [*inside.world.app.routes, *pages.routes()]
            app = Starlette(routes=routes, middleware=around(chosen))
            yield Site(inside, app, issuer, chosen.reached_at, told)
