"""The demo's issuer signs tokens that hold, in the demo only."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from api.demo.issuer import DemoIssuer
from api.errors import NotSignedIn, RefusesToStart, TokenExpired
from api.identity.jwks import JwksSource
from api.identity.tokens import Issuer, TokenVerifier

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCE = "https://perisai.test"


def make(folder, **changes) -> DemoIssuer:
    return DemoIssuer(
        folder, **({"demo": True, "audience": AUDIENCE, "clock": lambda: NOON} | changes)
    )


def verifier(issuer: DemoIssuer, *organisations: str, now: datetime = NOON) -> TokenVerifier:
    return TokenVerifier(
        [Issuer(issuer.url(o), o, JwksSource(str(issuer.jwks_path(o)))) for o in organisations],
        AUDIENCE,
        lambda: now,
    )


@pytest.mark.parametrize("demo", [False, None, 1, "true"])
def test_outside_the_demo_it_refuses_to_start(tmp_path, demo):
    with pytest.raises(RefusesToStart, match="demo"):
        make(tmp_path / "keys", demo=demo)

    assert not (tmp_path / "keys").exists()


async def test_its_tokens_hold_for_their_organisation(tmp_path):
    issuer = make(tmp_path)
    for organisation in ("komnas-ham", "lpsk"):
        issuer.create(organisation)

    claims = await verifier(issuer, "komnas-ham", "lpsk").verify(issuer.mint("lpsk", "wayan"))

    assert (claims.organisation, claims.subject) == ("lpsk", "wayan")
    assert claims.expires_at == NOON + timedelta(hours=8)
    with pytest.raises(NotSignedIn):
        await verifier(issuer, "komnas-ham").verify(issuer.mint("lpsk", "wayan"))


async def test_its_tokens_end(tmp_path):
    issuer = make(tmp_path)
    issuer.create("lpsk")
    token = issuer.mint("lpsk", "wayan", lifetime=timedelta(minutes=1))

    with pytest.raises(TokenExpired):
        await verifier(issuer, "lpsk", now=NOON + timedelta(minutes=2)).verify(token)


async def test_its_keys_are_kept_and_only_the_owner_reads_them(tmp_path):
    folder = tmp_path / "keys"
    make(folder).create("lpsk")
    token = make(folder).mint("lpsk", "wayan")
    make(folder).create("lpsk")

    assert (await verifier(make(folder), "lpsk").verify(token)).subject == "wayan"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2


def test_what_it_publishes_holds_no_private_key(tmp_path):
    published = json.loads(make(tmp_path).create("lpsk").read_text())

    assert [set(key) for key in published["keys"]] == [
        {"kty", "crv", "x", "y", "kid", "use", "alg"}
    ]


def test_every_token_has_its_own_id(tmp_path):
    issuer = make(tmp_path)
    issuer.create("lpsk")

    assert issuer.mint("lpsk", "wayan") != issuer.mint("lpsk", "wayan")


@pytest.mark.parametrize("organisation", ["", "../lpsk", "LPSK", "a/b", "a b", "lpsk\n", "-x"])
def test_an_organisation_that_is_no_slug_is_refused(tmp_path, organisation):
    for act in (make(tmp_path).create, make(tmp_path).url, lambda o: make(tmp_path).mint(o, "x")):
        with pytest.raises(RefusesToStart):
            act(organisation)

    assert list(tmp_path.iterdir()) == []


def test_without_a_key_no_token_is_made(tmp_path):
    with pytest.raises(RefusesToStart, match="no key"):
        make(tmp_path).mint("lpsk", "wayan")
