"""What a member may ask for is counted over the real service, and a refusal leaves no trace."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from api.casework import rights
from api.casework.house import House
from api.demo.synthetic import BUDI, SARI, WAYAN
from api.vocabulary import Organisation
from tests.conftest import NOON
from tests.world import Clock, Template, opened

PAGE = """query ($first: Int!) {
  caseFiles(first: $first) { edges { node { reference defenders { fullName } } } } }"""


async def test_who_has_spent_the_hour_opens_nothing_and_others_go_on(
    template: Template, tmp_path: Path
) -> None:
    folder, more = tmp_path / "perisai", "points_per_hour = 50\n"
    async with opened(template, folder, Clock(NOON), more=more) as world:
        answer = await world.ask(SARI, PAGE, {"first": 20})
        assert answer.data["caseFiles"]["edges"]
        assert answer.headers["x-ratelimit-remaining"] == "29"
        before = await world.size()

        for first in (100, 29):
            answer = await world.ask(SARI, PAGE, {"first": first})
            assert (answer.status, answer.codes) == (429, ["POINTS_EXHAUSTED"])
            assert "data" not in answer.body

        assert await world.size() == before
        assert (await world.ask(BUDI, PAGE, {"first": 20}, purpose="supervision")).status == 200


async def test_requests_of_one_member_are_signed_in_one_after_another(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: Counter[str] = Counter()
    most: Counter[str] = Counter()
    began: set[str] = set()
    behind = rights.member_behind
    # The first of each is held until that of the other is there as well.
    both = asyncio.Barrier(2)

    async def counted(
        house: House, connection: AsyncConnection, organisation: Organisation, subject: str
    ) -> Any:
        under_way[subject] += 1
        under_way["anybody"] += 1
        for who in (subject, "anybody"):
            most[who] = max(most[who], under_way[who])
        try:
            if subject not in began:
                began.add(subject)
                async with asyncio.timeout(30):
                    await both.wait()
            return await behind(house, connection, organisation, subject)
        finally:
            under_way[subject] -= 1
            under_way["anybody"] -= 1

    monkeypatch.setattr(rights, "member_behind", counted)
    async with opened(template, tmp_path / "perisai", Clock(NOON)) as world:
        asked = [world.ask(who, "{ __typename }") for who in (SARI, WAYAN) for _ in range(4)]
        answers = await asyncio.gather(*asked)

    assert [answer.status for answer in answers] == [200] * 8
    assert most == {SARI: 1, WAYAN: 1, "anybody": 2}


async def test_no_address_sends_a_body_on_to_another(template: Template, tmp_path: Path) -> None:
    async with opened(template, tmp_path / "perisai", Clock(NOON)) as world:
        for path in ("/graphql/agency/", "/attachments/", "/readyz/"):
            answer = await world.client.post(path, content=b"{}")

            assert (answer.status_code, answer.headers.get("location")) == (404, None), path


async def test_every_address_has_the_safe_headers(template: Template, tmp_path: Path) -> None:
    async with opened(template, tmp_path / "perisai", Clock(NOON)) as world:
        for path in ("/healthz", "/readyz", "/graphql/agency", "/attachments/content", "/nowhere"):
            answer = await world.client.post(path)

            assert answer.headers["content-security-policy"].startswith("default-src 'none'"), path
            assert answer.headers["referrer-policy"] == "no-referrer", path


async def test_a_page_of_a_listed_origin_may_send_a_proof(
    template: Template, tmp_path: Path
) -> None:
    folder, more = tmp_path / "perisai", 'cors_origins = ["https://app.example"]\n'
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,dpop,perisai-purpose",
    }
    async with opened(template, folder, Clock(NOON), more=more) as world:
        answer = await world.client.options("/graphql/partner", headers=asked)
        other = {**asked, "origin": "https://elsewhere.example"}
        stranger = await world.client.options("/graphql/partner", headers=other)

    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in stranger.headers
