"""People sign in to the console at a real provider, by code and PKCE (npm oidc-provider)."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx
import pytest
import pytest_asyncio

from api.crypto.key_file import Cost
from api.demo.install import AUDIENCE, CONFIG, Databases, install
from api.demo.issuer import DemoIssuer
from api.demo.synthetic import SARI, synthetic
from api.settings import ConsoleClientSettings
from tests.console.browsing import Ahead, code_of
from tests.inside import Inside, exchanged
from tests.provider.providing import RESOURCE, Provider, for_people, provider
from tests.world import Template, opened

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

HAM, CLIENT, SECRET = "komnas-ham", "konsol", "the secret of a client that runs on a server"
ADDRESS = "http://127.0.0.1:8463"
BACK = f"{ADDRESS}/console/signed-in/{HAM}"


@pytest.fixture(scope="module", params=["a public client", "a client with a secret"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def real(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET}
    client = for_people(
        CLIENT, redirect_uris=[BACK], **(secret if kind == "a client with a secret" else {})
    )
    folder = tmp_path_factory.mktemp("provider")
    with provider(folder, audience=AUDIENCE, algorithm="ES256", clients=[client]) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside(
    kind: str, real: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Inside]:
    folder = tmp_path_factory.mktemp("console") / "perisai"
    records = synthetic(7, datetime.now(UTC).date(), 8)
    await install(
        folder,
        Databases.embedded(folder),
        records,
        clock=lambda: datetime.now(UTC),
        progress=lambda _count: None,
        cost=Cost(8, 1, 1),
    )
    keys = folder / "issuers" / f"{HAM}.jwks.json"
    text = (folder / CONFIG).read_text(encoding="utf-8").replace(DemoIssuer.url(HAM), real.issuer)
    (folder / CONFIG).write_text(text.replace(str(keys), real.told["jwks_uri"]), encoding="utf-8")
    secret = folder / "client-secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    client = ConsoleClientSettings(
        organisation=HAM,
        client_id=CLIENT,
        client_secret_file=secret if kind == "a client with a secret" else None,
        scope="openid records",
        resource=RESOURCE,
    )
    template = Template("sqlite", folder, records, None, None)
    clock = Ahead()
    async with opened(template, folder.with_name("copy"), clock) as world:
        world.settings = world.settings.model_copy(update={"console_clients": (client,)})
        async with exchanged(world, monotonic=clock.monotonic) as inside:
            yield inside


async def came_back(
    inside: Inside, browser: httpx.AsyncClient, account: str, acr: str = "pwd", query: str = ""
) -> str:
    """Sign in as *account* at the provider; give the address that it sends back to."""
    begun = await browser.get(f"{ADDRESS}/console/sign-in/{HAM}{query}")
    at = begun.headers["location"]
    async with httpx.AsyncClient(trust_env=False) as there:
        while not at.startswith(BACK):
            answer = await there.get(at)
            if answer.status_code == httpx.codes.OK:
                answer = await there.post(at, data={"account": account, "acr": acr})
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
            at = urljoin(at, answer.headers["location"])
    return at


def browser_of(inside: Inside) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(inside.world.app), base_url=ADDRESS)


async def test_who_signs_in_at_a_real_provider_is_the_member(inside: Inside) -> None:
    async with browser_of(inside) as browser:
        done = await browser.get(await came_back(inside, browser, SARI))
        assert done.status_code == 200, done.text

        answer = await browser.post(
            "/graphql/agency",
            content=json.dumps({"query": "{ viewer { role } }"}),
            headers={
                "content-type": "application/json",
                "origin": ADDRESS,
                "perisai-console": "1",
                "sec-fetch-site": "same-origin",
            },
        )

    assert answer.json()["data"]["viewer"] == {"role": "CASE_OFFICER"}


async def test_who_signs_in_again_with_a_security_key_may_break_glass(inside: Inside) -> None:
    given = {
        "caseFileId": str(inside.world.records.closed_to_sari),
        "reason": "LIFE_IN_DANGER",
        "compartments": ["IDENTITY"],
        "text": "Rumahnya dikepung.",
    }
    query = "mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { errors { code } } }"
    told = []
    async with browser_of(inside) as browser:
        for acr, asked in (("pwd", ""), ("phr", "?strong=1")):
            await browser.get(await came_back(inside, browser, SARI, acr, asked))
            answer = await browser.post(
                "/graphql/agency",
                content=json.dumps({"query": query, "variables": {"input": given}}),
                headers={
                    "content-type": "application/json",
                    "origin": ADDRESS,
                    "perisai-console": "1",
                    "perisai-purpose": "emergency",
                    "sec-fetch-site": "same-origin",
                },
            )
            told.append([e["code"] for e in answer.json()["data"]["breakGlass"]["errors"]])

    assert told == [["SIGN_IN_NOT_STRONG"], []]


async def test_whom_the_agency_does_not_know_gets_no_session(inside: Inside) -> None:
    async with browser_of(inside) as browser:
        done = await browser.get(await came_back(inside, browser, "somebody"))

        assert code_of(done) == "NOT_FOR_THIS_FACE"
        assert "perisai-session" not in browser.cookies


async def test_a_code_of_the_provider_counts_once_and_for_its_own_sign_in(inside: Inside) -> None:
    async with browser_of(inside) as mine, browser_of(inside) as other:
        back = await came_back(inside, mine, SARI)
        theirs = await came_back(inside, other, "maria")
        stolen = theirs.partition("code=")[2].partition("&")[0]
        own = back.partition("code=")[2].partition("&")[0]

        assert code_of(await mine.get(back.replace(own, stolen))) == "SIGN_IN_FAILED"
        assert code_of(await mine.get(back)) == "SIGN_IN_FAILED"
        assert "perisai-session" not in mine.cookies
