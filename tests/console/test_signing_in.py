"""People sign in by browser at their issuer, and what does not hold gives nobody a session."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from api.casework.browser_sessions import SESSION_MOST, SIGN_IN_MOST
from api.casework.provisioning import disable_member
from api.demo.synthetic import SARI, TUTI
from tests.console.browsing import HAM, Browser, Site, code_of, site
from tests.inside import exchanged
from tests.world import Template

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION, SIGN_IN = "perisai-session", "perisai-sign-in"

#: A member who does nothing else in these tests.
LEAVES = "rizal"

BREAK = "mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { errors { code } } }"


def changed(address: str, **parameters: str | None) -> str:
    """Give *address* with other parameters; None takes one away."""
    parts = urlsplit(address)
    said = {**dict(parse_qsl(parts.query)), **parameters}
    query = urlencode({name: value for name, value in said.items() if value is not None})
    return parts._replace(query=query).geturl()


async def is_not_signed_in(browser: Browser) -> None:
    assert SESSION not in browser.http.cookies
    assert code_of(await browser.ask()) == "NOT_SIGNED_IN"


async def fails(console: Site, browser: Browser, back: str, code: str = "SIGN_IN_FAILED") -> None:
    """Come back to *back*, in vain; the log has one refusal."""
    size = await console.world.size()
    answer = await browser.get(back)
    assert code_of(answer) == code, answer.text
    assert await console.refused(size) == [code]
    await is_not_signed_in(browser)


# -- the way in and out ---------------------------------------------------------------


async def test_who_signs_in_by_browser_is_the_member_at_the_face_of_their_role(
    console: Site,
) -> None:
    for subject, face, role in ((SARI, "agency", "CASE_OFFICER"), (TUTI, "oversight", None)):
        browser = console.browser()
        until = [console.world.clock() + SESSION_MOST]
        await browser.sign_in(subject)
        member = console.world.records.member(subject)

        home = await browser.get("/console")
        until.append(console.world.clock() + SESSION_MOST)
        # Subscriptions end with the session, too, though the token goes on for hours.
        assert any(f"{one:%Y-%m-%d %H:%M} UTC" in home.text for one in until)
        assert str(member.id) in home.text
        assert member.role.value in home.text
        if role is not None:
            answer = await browser.ask(face=face)
            assert answer.json()["data"]["viewer"] == {"memberId": str(member.id), "role": role}
        else:
            answer = await browser.ask("{ accessEvents(first: 1) { edges { cursor } } }", face)
            assert answer.json()["data"]["accessEvents"]["edges"]


async def test_a_read_by_browser_leaves_the_event_of_any_other(
    console: Site, sari: Browser
) -> None:
    file = str(console.world.records.open_to_sari)
    size = await console.world.size()

    answer = await sari.ask(f'{{ caseFile(id: "{file}") {{ defenders {{ fullName }} }} }}')

    [defender] = answer.json()["data"]["caseFile"]["defenders"]
    assert defender["fullName"] == "Mochammad Joesoef Hidayat"
    [event] = await console.world.events(size)
    assert event.actor == console.world.records.member(SARI).id


async def test_the_token_is_in_no_page_and_in_no_cookie_that_can_be_read(
    console: Site, sari: Browser
) -> None:
    told = [await sari.get(path) for path in ("/console", "/console/graphiql")]

    assert len(sari.http.cookies) == 1
    for text in (*(one.text for one in told), sari.http.cookies[SESSION]):
        # How each JWT begins; three letters alone are by chance in what is sealed.
        assert re.search(r"eyJ[\w-]+\.", text) is None


async def test_a_stronger_sign_in_is_asked_of_the_issuer_as_a_refusal_would(
    console: Site, sari: Browser
) -> None:
    assert f'href="/console/sign-in/{HAM}?strong=1"' in (await sari.get("/console")).text

    asked = [
        dict(parse_qsl(urlsplit((await sari.get(path)).headers["location"]).query))
        for path in (f"/console/sign-in/{HAM}", f"/console/sign-in/{HAM}?strong=1")
    ]

    assert [(one.get("acr_values"), one.get("max_age")) for one in asked] == [
        (None, None),
        ("phr", "300"),
    ]
    for one in asked:
        assert (one["response_type"], one["code_challenge_method"]) == ("code", "S256")
        assert len(one["code_challenge"]) == 43
    # Nothing of them is the same twice.
    assert not {"state", "nonce", "code_challenge"} & {
        name for name in asked[0] if asked[0][name] == asked[1][name]
    }


async def test_who_signs_in_with_a_security_key_may_break_glass(console: Site) -> None:
    given = {
        "caseFileId": str(console.world.records.closed_to_sari),
        "reason": "LIFE_IN_DANGER",
        "compartments": ["IDENTITY"],
        "text": "Rumahnya dikepung.",
    }
    for strong, codes in ((False, ["SIGN_IN_NOT_STRONG"]), (True, [])):
        browser = console.browser()
        await browser.sign_in(SARI, strong=strong)
        headers = {**browser.script(), "perisai-purpose": "emergency"}
        answer = await browser.ask(BREAK, headers=headers, variables={"input": given})
        errors = answer.json()["data"]["breakGlass"]["errors"]
        assert [error["code"] for error in errors] == codes


@pytest.mark.long
async def test_the_cookies_are_of_the_host_and_of_no_script(
    installed: Template, tmp_path: Path
) -> None:
    address = "https://perisai.example"
    async with site(installed, tmp_path / "perisai", public_url=address) as secure:
        browser = secure.browser()
        back = await browser.picks(SARI)
        [kept] = browser.http.cookies.jar
        done = await browser.get(back)
        set_now = done.headers.get_list("set-cookie")

        assert (kept.name, kept.secure) == ("__Host-perisai-sign-in", True)
        session = next(one for one in set_now if one.startswith("__Host-perisai-session="))
        attributes = {one.strip().lower() for one in session.split(";")[1:]}
        # No time: it goes with the browser, and does not lie on the disk of a computer of others.
        assert attributes == {"httponly", "path=/", "samesite=strict", "secure"}
        assert kept.expires is None
        assert (await browser.ask()).status_code == 200
        assert done.headers["referrer-policy"] == "same-origin"
        assert "https://perisai.example/console" not in done.text
        assert 'http-equiv="refresh" content="0;url=/console"' in done.text


async def test_a_sign_out_ends_the_session_of_every_copy(console: Site) -> None:
    browser, thief = console.browser(), console.browser()
    await browser.sign_in(SARI)
    thief.http.cookies.set(SESSION, browser.http.cookies[SESSION])
    assert (await thief.ask()).status_code == 200

    out = await browser.sign_out()

    assert (out.status_code, out.headers["location"]) == (303, "/console")
    assert SESSION not in browser.http.cookies
    assert code_of(await thief.ask()) == "NOT_SIGNED_IN"
    page = await thief.get("/console")
    assert code_of(page) == "NOT_SIGNED_IN"
    assert f'{SESSION}=""; ' in page.headers["set-cookie"]


async def test_a_session_ends_after_an_hour_though_its_token_goes_on(console: Site) -> None:
    browser = console.browser()
    await browser.sign_in(SARI)
    session = browser.http.cookies[SESSION]
    console.world.clock.move(SESSION_MOST - timedelta(minutes=1))
    assert (await browser.ask()).status_code == 200

    console.world.clock.move(timedelta(minutes=1))

    browser.http.cookies.set(SESSION, session)
    assert code_of(await browser.ask()) == "NOT_SIGNED_IN"


async def test_a_session_ends_with_its_token(console: Site) -> None:
    console.issuer.access = {"lifetime": timedelta(minutes=10)}
    browser = console.browser()
    try:
        await browser.sign_in(SARI)
    finally:
        console.issuer.access = {}

    console.world.clock.move(timedelta(minutes=10))

    assert code_of(await browser.ask()) == "NOT_SIGNED_IN"


async def test_a_member_who_is_disabled_has_no_session_from_then_on(console: Site) -> None:
    browser = console.browser()
    await browser.sign_in(LEAVES)
    session = browser.http.cookies[SESSION]
    assert (await browser.ask()).status_code == 200

    assert await disable_member(console.inside.house, HAM, LEAVES)

    assert code_of(await browser.ask()) == "NOT_FOR_THIS_FACE"
    assert code_of(await browser.get("/console")) == "NOT_FOR_THIS_FACE"
    browser.http.cookies.set(SESSION, session)
    assert code_of(await browser.ask()) == "NOT_FOR_THIS_FACE"
    again = console.browser()
    await fails(console, again, await again.picks(LEAVES), "NOT_FOR_THIS_FACE")


# -- where it counts ------------------------------------------------------------------


async def test_a_session_counts_at_the_face_of_its_role_and_nowhere_else(
    console: Site, sari: Browser
) -> None:
    assert code_of(await sari.ask("{ __typename }", "oversight")) == "NOT_FOR_THIS_FACE"
    assert code_of(await sari.ask("{ __typename }", "partner")) == "NOT_SIGNED_IN"
    for path in ("/attachments", "/attachments/content", "/imports"):
        answer = await sari.http.post(path, content=b"x", headers=sari.script())
        assert (answer.status_code, code_of(answer)) == (401, "NOT_SIGNED_IN"), path


@pytest.mark.long
async def test_without_the_setting_a_cookie_counts_for_nothing_and_there_is_no_page(
    console: Site, sari: Browser
) -> None:
    carried = {"cookie": f"{SESSION}={sari.http.cookies[SESSION]}", **sari.script()}
    settings = console.world.settings.model_copy(update={"console_clients": (), "graphiql": None})
    async with exchanged(replace(console.world, settings=settings)) as without:
        client = without.world.client
        assert (await client.get("/console")).status_code == 404
        answer = await client.post(
            "/graphql/agency", content=json.dumps({"query": "{ __typename }"}), headers=carried
        )
        assert code_of(answer) == "NOT_SIGNED_IN"


async def test_partners_and_operators_have_no_console(console: Site) -> None:
    browser = console.browser()
    assert (await browser.get("/console/sign-in/lbh-nusantara")).status_code == 404
    operator = next(
        one
        for one in console.world.records.members
        if (one.organisation, one.role.value) == (HAM, "operator")
    )
    await fails(console, browser, await browser.picks(operator.subject), "NOT_FOR_THIS_FACE")


# -- attacks on the way ---------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": None},
        {"code": "another"},
        {"code": None},
        {"iss": "https://issuer.perisai-demo.invalid/lpsk"},
        {"iss": None},
        {"error": "access_denied", "code": None},
    ],
    ids=str,
)
async def test_an_answer_to_something_else_gives_no_session(
    console: Site, changes: dict[str, str | None]
) -> None:
    browser = console.browser()
    await fails(console, browser, changed(await browser.picks(SARI), **changes))


async def test_who_did_not_begin_a_sign_in_is_not_signed_in_by_a_link(console: Site) -> None:
    """The address that signs the attacker in is sent to somebody else."""
    attacker, victim = console.browser(), console.browser()
    back = await attacker.picks(SARI)

    await fails(console, victim, back)

    begun = console.browser()
    await begun.get(f"/console/sign-in/{HAM}")
    await fails(console, begun, back)


async def test_the_code_of_another_sign_in_gives_no_session(console: Site) -> None:
    """Stolen on its way, it is of no use without the verifier, which another browser has."""
    thief, victim = console.browser(), console.browser()
    mine, theirs = await thief.picks(SARI), await victim.picks("maria")
    code = dict(parse_qsl(urlsplit(theirs).query))["code"]

    await fails(console, thief, changed(mine, code=code))


async def test_an_answer_counts_once_also_for_who_kept_the_cookie(console: Site) -> None:
    browser = console.browser()
    back = await browser.picks(SARI)
    kept = browser.http.cookies[SIGN_IN]
    assert (await browser.get(back)).status_code == 200
    assert SIGN_IN not in browser.http.cookies

    again = console.browser()
    again.http.cookies.set(SIGN_IN, kept)
    await fails(console, again, back)


async def test_an_answer_of_one_issuer_is_none_of_another(console: Site) -> None:
    browser = console.browser()
    back = await browser.picks(SARI)
    await fails(console, browser, back.replace("/signed-in/komnas-ham", "/signed-in/lpsk"))


async def test_a_sign_in_that_took_too_long_gives_no_session(console: Site) -> None:
    browser = console.browser()
    back = await browser.picks(SARI)
    kept = browser.http.cookies[SIGN_IN]
    console.world.clock.move(SIGN_IN_MOST)

    browser.http.cookies.set(SIGN_IN, kept)
    await fails(console, browser, back)


@pytest.mark.parametrize(
    "identity",
    [
        {"nonce": "another"},
        {"nonce": ""},
        {"client_id": "another"},
        {"subject": "maria"},
        {"organisation": "lpsk"},
    ],
    ids=str,
)
async def test_an_id_token_that_does_not_hold_gives_no_session(
    console: Site, identity: dict[str, Any]
) -> None:
    browser = console.browser()
    back = await browser.picks(SARI)
    console.issuer.identity = identity
    try:
        await fails(console, browser, back)
    finally:
        console.issuer.identity = {}


@pytest.mark.parametrize(
    "access",
    [
        {"subject": "maria"},
        {"organisation": "lpsk"},
        {"token": "opaque"},
        {"key_thumbprint": "A" * 43},
        {"lifetime": timedelta(minutes=-2)},
        {"token": "eyJ" + "a" * 5000},
    ],
    ids=lambda access: str(access)[:40],
)
async def test_an_access_token_that_does_not_hold_gives_no_session(
    console: Site, access: dict[str, Any]
) -> None:
    browser = console.browser()
    back = await browser.picks(SARI)
    console.issuer.access = access
    try:
        await fails(console, browser, back)
    finally:
        console.issuer.access = {}


async def test_an_issuer_that_says_what_cannot_be_is_not_used_and_asked_again(
    console: Site,
) -> None:
    """Nobody signed in at this one yet, so the console asks what it says of itself."""
    path = "/console/sign-in/komnas-perempuan"
    for told in (
        {"issuer": "https://elsewhere.invalid/komnas-perempuan"},
        {"token_endpoint": "http://elsewhere.invalid/token"},
        {"jwks_uri": "http://127.0.0.1.elsewhere.invalid/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    ):
        console.told.update(told)
        answer = await console.browser().get(path)
        console.told.clear()

        assert (answer.status_code, code_of(answer)) == (503, "SIGN_IN_UNAVAILABLE"), told
    assert (await console.browser().get(path)).status_code == 302
