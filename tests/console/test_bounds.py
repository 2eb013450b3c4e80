"""What the pages do not do: for a face that is not served, for another site, for an old cookie."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.demo.synthetic import SARI, TUTI
from tests.console.browsing import Browser, Site, code_of, site
from tests.event_stream import COMPLETE, EVENTS, Open, asked
from tests.scenarios.subscribing import CHANGED
from tests.world import Template

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "perisai-session"

NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""


@pytest.mark.long
async def test_a_process_without_a_face_shows_nothing_of_it_in_the_console_either(
    installed: Template, npm: Path, tmp_path: Path
) -> None:
    async with site(installed, tmp_path / "perisai", graphiql=npm, faces=("agency",)) as made:
        officer = made.browser()
        await officer.sign_in(TUTI)
        home = (await officer.get("/console")).text
        assert "/console/oversight" not in home
        assert "/console/graphiql" not in home
        size = await made.world.size()
        for path in ("/console/oversight", "/console/graphiql"):
            assert code_of(await officer.get(path)) == "NOT_FOUND"
        assert await made.world.size() == size

        other = made.browser()
        await other.sign_in(SARI)
        assert (await other.get("/console/graphiql")).status_code == 200


@pytest.mark.parametrize("said", ["cross-site", "same-site", None])
async def test_another_site_makes_no_officer_look(console: Site, said: str | None) -> None:
    """A sibling of our host is same-site, so the cookie comes along: a picture is enough."""
    officer = console.browser()
    await officer.sign_in(TUTI)
    size = await console.world.size()
    headers = {} if said is None else {"sec-fetch-site": said}

    answer = await officer.http.get("/console/oversight", headers=headers)

    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert await console.world.size() == size


@pytest.mark.parametrize(
    "path", ["/console", "/console/files/graphiql.js", "/console/signed-in/komnas-ham?code=x"]
)
async def test_a_link_of_another_site_takes_no_session_away(console: Site, path: str) -> None:
    """A browser follows it without the cookie, and would drop it as the answer says."""
    answer = await console.browser().get(path)

    assert [one for one in answer.headers.get_list("set-cookie") if SESSION in one] == []


async def test_who_signs_in_again_leaves_no_session_behind(console: Site) -> None:
    browser, thief = console.browser(), console.browser()
    await browser.sign_in(SARI)
    thief.http.cookies.set(SESSION, browser.http.cookies[SESSION])
    back = await browser.picks(SARI, strong=True)
    assert (await thief.ask()).status_code == 200

    # Back from the issuer somebody comes from another site: without the old one.
    browser.http.cookies.delete(SESSION)
    assert (await browser.get(back)).status_code == 200

    assert code_of(await thief.ask()) == "NOT_SIGNED_IN"
    assert (await browser.ask()).status_code == 200


async def test_who_signs_in_again_after_a_sign_out_is_signed_in(console: Site) -> None:
    browser = console.browser()
    await browser.sign_in(SARI)
    back = await browser.picks(SARI)
    await browser.sign_out()

    assert (await browser.get(back)).status_code == 200
    assert (await browser.ask()).status_code == 200


async def test_a_sign_out_ends_each_session_that_comes_with_it(
    console: Site, sari: Browser
) -> None:
    """On one machine another service may put a second cookie of that name beside ours."""
    mine = sari.http.cookies[SESSION]
    said = {"origin": console.address, "sec-fetch-site": "same-origin"}
    cookie = f"{SESSION}=planted; {SESSION}={mine}"

    out = await console.browser().http.post("/console/sign-out", headers={**said, "cookie": cookie})

    assert out.status_code == 303
    assert code_of(await sari.ask()) == "NOT_SIGNED_IN"


async def test_what_is_not_there_is_answered_as_what_is_not_for_one(
    console: Site, sari: Browser
) -> None:
    answers = [await sari.get(f"/console/{name}") for name in ("oversight", "nothing", "a/b")]

    for one in answers:
        assert (one.status_code, code_of(one)) == (404, "NOT_FOUND")
    told = [{*one.headers} - {"set-cookie"} for one in answers]
    assert told[0] == told[1] == told[2]


async def test_who_somebody_is_says_an_id_token_and_nothing_beside_it(
    console: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """authlib gives what an answer without an ID token names `userinfo` as if it were one's."""
    there = httpx2.ASGITransport.handle_async_request

    async def without(self: Any, request: httpx2.Request) -> httpx2.Response:
        answer = await there(self, request)
        if not request.url.path.endswith("/token"):
            return answer
        given = json.loads(await answer.aread())
        del given["id_token"]
        return httpx2.Response(200, json={**given, "userinfo": {"sub": SARI}})

    browser = console.browser()
    back = await browser.picks(SARI)
    monkeypatch.setattr(httpx2.ASGITransport, "handle_async_request", without)

    answer = await browser.get(back)

    assert (answer.status_code, code_of(answer)) == (400, "SIGN_IN_FAILED")
    assert SESSION not in browser.http.cookies


async def tells(console: Site, one: Open) -> object:
    """Change what is followed; give what the stream says of it."""
    file = str(console.world.records.open_to_sari)
    answer = await console.world.ask(SARI, NOTE, {"id": file})
    assert answer.data["addNote"]["errors"] == []
    await console.inside.house.following.look(console.inside.house.records)
    return await one.next()


async def test_a_subscription_ends_with_the_session_that_began_it(
    console: Site, sari: Browser
) -> None:
    """Else who copied the cookie would be told what changes for the hour after the sign-out."""
    cookie = f"{SESSION}={sari.http.cookies[SESSION]}"
    body = {"query": CHANGED, "variables": {"id": str(console.world.records.open_to_sari)}}
    headers = {**sari.script(), "cookie": cookie, "accept": EVENTS}
    async with asked(console.app, "/graphql/agency", headers, body) as one:
        assert (await one.first()).status == 200
        assert "data" in await tells(console, one)  # type: ignore[operator]
        await sari.sign_out()

        size = await console.world.size()
        told = await tells(console, one)

    assert told == COMPLETE
    assert "NOT_SIGNED_IN" in [event.code for event in await console.world.events(size)]
