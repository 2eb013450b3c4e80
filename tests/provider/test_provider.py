"""Tokens of a real provider: got as applications get them, signed and rotated as it does.

What a token has to be is tried one by one in tests/identity; here it is what the npm
package oidc-provider makes of it, and the service fetches its keys over HTTP.
"""

import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from joserfc.jwk import ECKey
from uuid_utils.compat import uuid7

from api.casework.provisioning import add_members
from api.crypto.key_file import Cost
from api.demo.client import DemoClient
from api.demo.documents import RELEASES_ID
from api.demo.install import AUDIENCE, CONFIG, Databases, install
from api.demo.issuer import DemoIssuer
from api.demo.synthetic import RATNA, SARI, synthetic
from api.identity.jwks import ALGORITHMS, FRESH, REFETCH_INTERVAL
from api.identity.signed import LEEWAY
from api.identity.tokens import REMEMBERED_FOR
from api.vocabulary import Action, Decision, Role
from tests.inside import Inside, exchanged
from tests.processes import Running, free_port
from tests.provider.providing import (
    ANOTHER,
    Application,
    Provider,
    application,
    for_itself,
    for_people,
    provider,
)
from tests.scenarios.breaking_glass import broken, codes
from tests.world import Answer, Clock, Template, World, opened

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

HAM, PARTNER = "komnas-ham", "lbh-nusantara"

#: Clients of Komnas HAM: of its caseworkers, of a machine that takes intakes, of one that is
#: no member; and the one of the partner.
CASES, INTAKE, STATISTICS, PARTNERS = "kasus", "penerimaan", "statistik", "aplikasi-lbh"
MACHINE = ECKey.generate_key("P-256")

VIEWER = "{ viewer { memberId role } }"


class Ahead(Clock):
    """Tells the time, ahead of it by what a test moved it: a provider cannot be moved."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    def move(self, by: timedelta) -> None:
        self._ahead += by


@dataclass(frozen=True)
class Providers:
    """One of an agency, and one of a partner."""

    agency: Provider
    partner: Provider


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("providers")
    ours = [for_people(CASES), for_itself(INTAKE, MACHINE), for_itself(STATISTICS, MACHINE)]
    theirs = [for_people(PARTNERS, dpop_bound_access_tokens=True)]
    with (
        provider(folder, audience=AUDIENCE, algorithm="ES256", clients=ours) as agency,
        provider(folder, audience=AUDIENCE, algorithm="Ed25519", clients=theirs) as partner,
    ):
        yield Providers(agency, partner)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installed(
    providers: Providers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Template]:
    """Install as of now, since the providers are: with them for two of the demo's issuers."""
    folder = tmp_path_factory.mktemp("installed") / "perisai"
    records = synthetic(7, datetime.now(UTC).date(), 40)
    config = await install(
        folder,
        Databases.embedded(folder),
        records,
        clock=lambda: datetime.now(UTC),
        progress=lambda _count: None,
        cost=Cost(8, 1, 1),
    )
    assert config == folder / CONFIG
    text = config.read_text(encoding="utf-8")
    for organisation, real in ((HAM, providers.agency), (PARTNER, providers.partner)):
        keys = folder / "issuers" / f"{organisation}.jwks.json"
        text = text.replace(DemoIssuer.url(organisation), real.issuer)
        text = text.replace(str(keys), real.told["jwks_uri"])
    config.write_text(text, encoding="utf-8")
    yield Template("sqlite", folder, records, None, None)


@asynccontextmanager
async def serving(installed: Template, folder: Path) -> AsyncIterator[Inside]:
    clock = Ahead()
    async with (
        opened(installed, folder / "perisai", clock) as world,
        exchanged(world, monotonic=clock.monotonic) as inside,
    ):
        yield inside


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside(
    installed: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Inside]:
    """Give the service of the module, whose clock goes on by seconds only."""
    async with serving(installed, tmp_path_factory.mktemp("serving")) as inside:
        yield inside


@pytest.fixture(scope="module")
def world(inside: Inside) -> World:
    return inside.world


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(installed: Template, tmp_path: Path) -> AsyncIterator[World]:
    """Give a world of the test's own, whose clock it may move as far as it likes."""
    async with serving(installed, tmp_path) as inside:
        yield inside.world


@pytest_asyncio.fixture(loop_scope="module")
async def cases(providers: Providers) -> AsyncIterator[Application]:
    async with application(providers.agency, CASES) as opened_one:
        yield opened_one


async def asks(world: World, token: str) -> Answer:
    return await world.ask(SARI, VIEWER, token=token)


async def refused(world: World, token: str) -> None:
    """Assert that *token* is refused as of nobody, with one denial."""
    size = await world.size()
    answer = await asks(world, token)
    assert (answer.status, answer.codes) == (401, ["NOT_SIGNED_IN"])
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    [event] = await world.events(size)
    assert (event.action, event.decision) == (Action.SIGN_IN, Decision.REFUSED)


def said(token: str) -> dict[str, Any]:
    """Read the claims of a token, believing them."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


# -- people ---------------------------------------------------------------------------


async def test_who_signs_in_by_code_and_pkce_is_the_member(
    world: World, cases: Application
) -> None:
    answer = await asks(world, await cases.sign_in(SARI))

    member = world.records.member(SARI)
    assert answer.data["viewer"] == {"memberId": str(member.id), "role": "CASE_OFFICER"}


async def test_who_the_provider_knows_and_the_agency_does_not_is_nobody(
    world: World, cases: Application
) -> None:
    answer = await asks(world, await cases.sign_in("somebody"))
    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])


async def test_an_id_token_and_a_token_for_another_service_are_no_tokens(
    world: World, cases: Application
) -> None:
    elsewhere = await cases.sign_in(SARI, resource=ANOTHER)
    assert said(elsewhere)["aud"] == ANOTHER
    assert cases.id_token is not None
    for token in (elsewhere, cases.id_token):
        await refused(world, token)


# -- machines -------------------------------------------------------------------------


async def test_a_machine_is_the_member_that_was_set_up_for_it(
    inside: Inside, providers: Providers
) -> None:
    member = uuid7()
    row = {
        "id": member,
        "organisation": HAM,
        "subject": INTAKE,
        "role": Role.INTAKE_OFFICER.value,
        "clearance": 1,
        "trained": 0,
        "disabled_at": None,
    }
    await add_members(inside.house, HAM, [row])
    for client_id, seen in ((INTAKE, str(member)), (STATISTICS, None)):
        async with application(providers.agency, client_id) as machine:
            answer = await asks(inside.world, await machine.by_itself(MACHINE))
        if seen is not None:
            assert answer.data["viewer"] == {"memberId": seen, "role": "INTAKE_OFFICER"}
        else:
            assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])


# -- a stronger sign-in ---------------------------------------------------------------


async def test_break_glass_takes_the_sign_in_that_its_refusal_asks_for(
    world: World, cases: Application
) -> None:
    weak = await cases.sign_in(SARI)
    answer = await broken(world, token=weak)
    assert codes(answer) == ["SIGN_IN_NOT_STRONG"]
    asked = answer.data["breakGlass"]["signIn"]
    assert asked["error"] == "insufficient_user_authentication"

    # The session at the provider is there and fresh, and not enough (RFC 9470, 4).
    strong = await cases.sign_in(
        SARI, acr="phr", acr_values=" ".join(asked["acrValues"]), max_age=asked["maxAge"]
    )

    assert (said(weak)["acr"], said(strong)["acr"]) == ("pwd", "phr")
    assert codes(await broken(world, token=strong)) == []
    assert codes(await broken(world, token=weak)) == ["SIGN_IN_NOT_STRONG"]


async def test_a_strong_sign_in_that_is_too_old_is_refused_though_its_token_is_new(
    fresh: World, cases: Application
) -> None:
    await cases.sign_in(SARI, acr="phr")
    fresh.clock.move(timedelta(minutes=fresh.settings.strong_sign_in_minutes, seconds=31))

    again = await cases.sign_in(SARI, acr_values="phr")  # Nobody is asked: there is a session.

    assert said(again)["acr"] == "phr"
    assert codes(await broken(fresh, token=again)) == ["SIGN_IN_NOT_STRONG"]


# -- bound tokens ---------------------------------------------------------------------


async def test_a_partner_asks_with_a_token_that_its_provider_bound_to_its_key(
    world: World, providers: Providers
) -> None:
    key, path = ECKey.generate_key("P-256"), "/graphql/partner"
    mine, thiefs = (DemoClient(one, world.clock) for one in (key, ECKey.generate_key("P-256")))
    async with application(providers.partner, PARTNERS, key) as partners:
        token = await partners.sign_in(RATNA)
    assert said(token)["cnf"] == {"jkt": mine.thumbprint}
    address, body = world.settings.reached_at + path, json.dumps({"documentId": RELEASES_ID})

    async def sent(headers: dict[str, str]) -> Answer:
        return await world.post("partner", {"perisai-purpose": "referral", **headers}, body)

    first = mine.headers(token, address)
    assert (await sent(first)).data["releases"]["edges"] != []
    for headers, error in (
        ({"authorization": f"Bearer {token}"}, "invalid_token"),
        (thiefs.headers(token, address), "invalid_token"),
        (first, "invalid_dpop_proof"),  # A second time.
    ):
        answer = await sent(headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith(f'DPoP error="{error}"')


async def test_a_provider_vouches_for_its_own_organisation_only(
    world: World, providers: Providers
) -> None:
    """A partner's provider may call somebody by the name of a caseworker of the agency."""
    key = ECKey.generate_key("P-256")
    async with application(providers.partner, PARTNERS, key) as partners:
        token = await partners.sign_in(SARI)
    headers = DemoClient(key, world.clock).headers(
        token, world.settings.reached_at + "/graphql/agency"
    )
    answer = await world.post("agency", headers, json.dumps({"query": VIEWER}))
    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])


# -- keys and times -------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
async def test_a_provider_may_sign_with_each_algorithm_that_the_service_lists(
    world: World, providers: Providers, cases: Application, algorithm: str
) -> None:
    providers.agency.rotate(f"of {algorithm}", algorithm=algorithm)
    world.clock.move(timedelta(seconds=REFETCH_INTERVAL))
    assert (await asks(world, await cases.sign_in(SARI))).status == 200


async def test_a_token_ends_when_its_provider_said(fresh: World, cases: Application) -> None:
    token = await cases.sign_in(SARI)
    claims = said(token)
    fresh.clock.move(timedelta(seconds=claims["exp"] - claims["iat"]) + LEEWAY)
    answer = await asks(fresh, token)
    assert (answer.status, answer.codes) == (401, ["TOKEN_EXPIRED"])


async def test_a_key_counts_from_its_publication_until_it_is_withdrawn(
    fresh: World, providers: Providers, cases: Application
) -> None:
    providers.agency.rotate("first", algorithm="ES256")
    old = await cases.sign_in(SARI)
    assert (await asks(fresh, old)).status == 200

    providers.agency.rotate("second", "first")
    new = await cases.sign_in(SARI)
    fresh.clock.move(timedelta(seconds=REFETCH_INTERVAL))
    assert (await asks(fresh, new)).status == 200
    # Neither the token nor the keys are remembered for longer than that.
    forgotten = max(REMEMBERED_FOR, timedelta(seconds=FRESH))
    fresh.clock.move(forgotten)
    assert (await asks(fresh, old)).status == 200

    providers.agency.rotate("second")
    fresh.clock.move(forgotten)
    await refused(fresh, old)
    assert (await asks(fresh, new)).status == 200


# -- the service as it is deployed ----------------------------------------------------


async def test_the_service_as_a_process_takes_them_too(
    installed: Template, tmp_path: Path, cases: Application
) -> None:
    config, _ = installed.copy(tmp_path / "perisai")
    port = free_port()
    more = {"PERISAI_PORT": str(port)}
    with Running("serve", folder=tmp_path, config=config, more=more) as service:
        service.wait_until_ready(port)
        token = await cases.sign_in(SARI)
        answer = await cases.browser.post(
            f"http://127.0.0.1:{port}/graphql/agency",
            headers={"authorization": f"Bearer {token}", "perisai-purpose": "protection"},
            json={"query": VIEWER},
        )
        assert answer.json()["data"]["viewer"]["role"] == "CASE_OFFICER"
        assert service.end() == 0, service.text()
        assert token not in service.text()
