"""GraphiQL and the officers' page: for whom they are, what they load, and what is in the log."""

from pathlib import Path

import pytest
from graphql import get_introspection_query

from api.console.application import OVERVIEW_POINTS
from api.console.graphiql import SAMPLES
from api.console.pages import page as page_of
from api.demo.synthetic import SARI, TUTI
from api.vocabulary import Action, Purpose
from tests.console.browsing import Browser, Site, code_of, site
from tests.world import Template

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("subject", "face"), [(SARI, "agency"), (TUTI, "oversight")])
async def test_the_page_with_graphiql_asks_what_its_person_may(
    console: Site, subject: str, face: str
) -> None:
    browser = console.browser()
    await browser.sign_in(subject)
    page = await browser.get("/console/graphiql")
    assert f'data-endpoint="/graphql/{face}"' in page.text

    for query in (SAMPLES[face], get_introspection_query(input_value_deprecation=True)):
        answer = await browser.ask(query, face)
        assert "errors" not in answer.json(), answer.text
        assert answer.json()["data"]


async def test_graphiql_is_for_who_is_signed_in_and_loads_nothing_of_elsewhere(
    console: Site, sari: Browser
) -> None:
    page = await sari.get("/console/graphiql")
    assert page.status_code == 200
    assert "caseFiles(first: 3" in page.text
    assert "<script>" not in page.text
    assert "//" not in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    stranger = console.browser()
    assert (await stranger.get("/console/graphiql")).headers["location"] == "/console"
    for name in ("react.js", "react-dom.js", "graphiql.js", "graphiql.css"):
        mine = await sari.get(f"/console/files/{name}")
        assert mine.text.startswith("/* "), name
        assert mine.headers["x-content-type-options"] == "nosniff"
        assert code_of(await stranger.get(f"/console/files/{name}")) == "NOT_SIGNED_IN"
    for name in ("..%2F..%2Fpackage.json", "passphrase", "graphiql.min.js"):
        assert (await sari.get(f"/console/files/{name}")).status_code == 404


async def test_an_officer_sees_who_did_what_and_each_look_is_in_the_log(
    console: Site, sari: Browser
) -> None:
    file = str(console.world.records.open_to_sari)
    await sari.ask(f'{{ caseFile(id: "{file}") {{ defenders {{ fullName }} }} }}')
    officer = console.browser()
    await officer.sign_in(TUTI)
    assert "/console/oversight" in (await officer.get("/console")).text
    size = await console.world.size()

    page = await officer.get("/console/oversight")

    assert page.status_code == 200, page.text
    assert file in page.text
    assert str(console.world.records.member(SARI).id) in page.text
    assert "fullName" in page.text
    assert "Joesoef" not in page.text
    tuti = console.world.records.member(TUTI)
    events = await console.world.events(size)
    assert [(e.actor, e.action, e.purpose) for e in events] == [
        (tuti.id, Action.READ_LOG, Purpose.QUALITY_REVIEW)
    ] * 3


async def test_for_who_is_no_officer_there_is_no_such_page(console: Site, sari: Browser) -> None:
    assert "/console/oversight" not in (await sari.get("/console")).text
    size = await console.world.size()

    assert code_of(await sari.get("/console/oversight")) == "NOT_FOUND"
    [event] = await console.world.events(size)
    assert event.actor == console.world.records.member(SARI).id
    assert (event.decision.value, event.code) == ("refused", "NOT_FOR_THIS_FACE")
    stranger = await console.browser().get("/console/oversight")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/console")
    assert await console.world.size() == size + 1


async def test_what_a_page_shows_is_no_part_of_the_page() -> None:
    """A slug, a role or a code is ours; still, nothing of what is shown is taken for a tag."""
    shown = page_of(
        "sign-in", at="/console", code=None, organisations=['"><script>alert(1)</script>']
    )

    assert b"<script>" not in shown.body
    assert b"&lt;script&gt;" in shown.body


@pytest.mark.parametrize("path", ["/console", "/console/sign-in/nobody", "/console/signed-in/lpsk"])
async def test_every_page_says_what_it_may_load_and_is_kept_nowhere(
    console: Site, path: str
) -> None:
    answer = await console.browser().get(path)

    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.long
async def test_the_officers_page_takes_points_of_its_person(
    installed: Template, tmp_path: Path
) -> None:
    points = OVERVIEW_POINTS + 1
    async with site(installed, tmp_path / "perisai", points_per_hour=points) as made:
        officer = made.browser()
        await officer.sign_in(TUTI)
        answers = [await officer.get("/console/oversight") for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 429]
    assert code_of(answers[1]) == "POINTS_EXHAUSTED"
