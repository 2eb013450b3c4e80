"""What another site can make a browser send, with the cookie of who is signed in: it does nothing.

The browser would keep the cookie back in most of these; here it always comes along.
"""

import json
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest

from api.demo.synthetic import SARI
from tests.console.browsing import HAM, Browser, Site, code_of
from tests.inside import exchanged

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "perisai-session"
NOTE = "mutation { addNote(input: {}) { errors { code } } }"
BODY = json.dumps({"query": "{ viewer { memberId } }"})
EVIL = "https://evil.example"

#: Without one of these a browser did not send it for a script of ours. Name -> other values.
PROOFS = {
    "perisai-console": [None, "", "0", "1, 1", "true"],
    "origin": [
        None,
        "null",
        "",
        EVIL,
        "https://127.0.0.1:8463",
        "http://127.0.0.1:8464",
        "http://127.0.0.1",
        "http://localhost:8463",
        "http://127.0.0.1:8463/",
        "http://127.0.0.1:8463.evil.example",
        "HTTP://127.0.0.1:8463",
    ],
    "sec-fetch-site": [None, "cross-site", "same-site", "none", "Same-Origin", ""],
}


async def opens_nothing(console: Site, answer: httpx.Response, status: int, since: int) -> None:
    assert answer.status_code == status, answer.text
    assert "memberId" not in answer.text
    assert "data" not in answer.json()
    codes = await console.refused(since)
    assert codes == (["CROSS_SITE_REFUSED"] if status == 403 else [])


async def test_a_script_of_ours_is_answered(sari: Browser) -> None:
    assert (await sari.ask()).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in PROOFS.items() for value in values]
)
async def test_each_proof_is_needed_as_it_is(
    console: Site, sari: Browser, name: str, value: str | None
) -> None:
    headers = {one: said for one, said in sari.script().items() if one != name}
    if value is not None:
        headers[name] = value
    size = await console.world.size()

    answer = await sari.ask(headers=headers)

    assert code_of(answer) == "CROSS_SITE_REFUSED"
    await opens_nothing(console, answer, 403, size)


@pytest.mark.parametrize("name", PROOFS)
async def test_a_proof_that_comes_twice_is_none(console: Site, sari: Browser, name: str) -> None:
    twice = [*sari.script().items(), (name, sari.script()[name])]
    size = await console.world.size()

    answer = await sari.http.post("/graphql/agency", content=BODY, headers=twice)

    await opens_nothing(console, answer, 403, size)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", urlencode({"query": "{ viewer { memberId } }"})),
        ("text/plain", BODY),
        ("text/plain; charset=utf-8", BODY),
        ("multipart/form-data; boundary=x", f"--x\r\n\r\n{BODY}\r\n--x--"),
        ("", BODY),
    ],
)
@pytest.mark.parametrize("proven", [False, True])
async def test_a_form_of_another_site_is_no_request(
    console: Site, sari: Browser, kind: str, body: str, proven: bool
) -> None:
    """Nor would it be if the form could add the header, which it cannot."""
    said = {"origin": EVIL, "sec-fetch-site": "cross-site"}
    headers = {**(sari.script() if proven else said), "content-type": kind}
    size = await console.world.size()

    answer = await sari.http.post("/graphql/agency", content=body, headers=headers)

    await opens_nothing(console, answer, 415, size)


async def test_an_address_alone_asks_nothing(console: Site, sari: Browser) -> None:
    query = urlencode({"query": "{ viewer { memberId } }"})
    for headers in ({}, sari.script()):
        size = await console.world.size()
        answer = await sari.http.get(f"/graphql/agency?{query}", headers=headers)
        await opens_nothing(console, answer, 405, size)


@pytest.mark.long
async def test_nor_does_it_where_get_is_audited(console: Site, sari: Browser) -> None:
    """A browser sends no origin with a GET of its own pages."""
    query = urlencode({"query": "{ viewer { memberId } }"})
    settings = console.world.settings.model_copy(update={"get_requests": True})
    headers = {name: said for name, said in sari.script().items() if name != "origin"}
    cookie = f"{SESSION}={sari.http.cookies[SESSION]}"
    async with exchanged(replace(console.world, settings=settings)) as audited:
        answer = await audited.world.client.get(
            f"/graphql/agency?{query}", headers={**headers, "cookie": cookie}
        )
        assert code_of(answer) == "CROSS_SITE_REFUSED"


async def test_what_another_site_asks_first_it_is_not_allowed(sari: Browser) -> None:
    asked = {
        "origin": EVIL,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,perisai-console,perisai-purpose",
    }
    answer = await sari.http.options("/graphql/agency", headers=asked)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_beside_a_token_no_session_is_looked_at(console: Site, sari: Browser) -> None:
    for token in ("Bearer x", "Basic x", ""):
        answer = await sari.ask(headers={**sari.script(), "authorization": token})
        assert code_of(answer) == "NOT_SIGNED_IN"
    token = console.world.token("maria")
    answer = await sari.ask(headers={**sari.script(), "authorization": f"Bearer {token}"})
    member = console.world.records.member("maria")
    assert answer.json()["data"]["viewer"]["memberId"] == str(member.id)


async def test_two_cookies_of_one_name_are_none(console: Site, sari: Browser) -> None:
    """One of them may be the attacker's, set for a wider host."""
    other = console.browser()
    await other.sign_in("maria")
    mine, theirs = (one.http.cookies[SESSION] for one in (sari, other))
    for pair in ((mine, theirs), (theirs, mine), (mine, mine)):
        cookie = "; ".join(f"{SESSION}={value}" for value in pair)
        answer = await console.browser().ask(headers={**sari.script(), "cookie": cookie})
        assert code_of(answer) == "NOT_SIGNED_IN"


@pytest.mark.parametrize("before", [b"\xa0", b"\x85", b"\x1f", b"\x0b", b"\xc2\xa0", b"=", b'"'])
async def test_a_cookie_of_nearly_that_name_is_another(
    console: Site, sari: Browser, before: bytes
) -> None:
    """A browser lets a sibling of our host set it, since it does not see `__Host-` before it."""
    mine = sari.http.cookies[SESSION].encode()
    said = [(name.encode(), value.encode()) for name, value in sari.script().items()]

    answer = await console.browser().http.post(
        "/graphql/agency",
        content=BODY,
        headers=[*said, (b"cookie", b"a=b; " + before + SESSION.encode() + b"=" + mine)],
    )

    assert code_of(answer) == "NOT_SIGNED_IN"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origin", "null"),
        ("origin", EVIL),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ],
)
async def test_another_site_signs_nobody_out(
    console: Site, sari: Browser, name: str, value: str
) -> None:
    assert code_of(await sari.sign_out(**{name: value})) == "CROSS_SITE_REFUSED"
    assert (await sari.get("/console/sign-out")).status_code == 405
    assert (await sari.ask()).status_code == 200


async def test_a_page_of_another_name_that_leads_here_picks_nobody(console: Site) -> None:
    """DNS rebinding: a page of elsewhere whose host is now this machine, in the demo."""
    browser = console.browser()
    begun = await browser.get(f"/console/sign-in/{HAM}")
    for host in ("evil.example:8463", "127.0.0.1", "localhost:8463"):
        at = f"{begun.headers['location']}&picked={SARI}"
        answer = await browser.http.get(at, headers={"host": host})
        assert answer.status_code == 404, host
