"""Every answer says that it is no page, and pages of other origins are let in by a list."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.front_settings import around
from api.settings import Settings
from tests.schema.small_face import House

SAFE = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
OURS, THEIRS = "https://app.example", "https://evil.example"
ASKED = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,perisai-purpose",
}


async def of_its_own(_request: object) -> PlainTextResponse:
    return PlainTextResponse("", headers={"referrer-policy": "same-origin"})


@pytest.fixture(params=[(), (OURS,)], ids=["no list", "a list"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings.model_construct(cors_origins=request.param)
    app = Starlette(
        routes=[Route("/", House().face, methods=None), Route("/own", of_its_own)],
        middleware=around(settings),
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as made:
        made.headers["listed"] = str(bool(request.param))
        yield made


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/"), ("GET", "/nowhere")])
async def test_every_answer_has_the_headers_once(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path, json={"query": "{ number }"})

    assert {name: answer.headers.get_list(name) for name in SAFE} == {
        name: [value] for name, value in SAFE.items()
    }


async def test_an_answer_keeps_a_header_of_its_own(client: httpx.AsyncClient) -> None:
    answer = await client.get("/own")

    assert answer.headers.get_list("referrer-policy") == ["same-origin"]
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("origin", [OURS, THEIRS, "null"])
async def test_only_a_listed_origin_may_ask_and_read(
    client: httpx.AsyncClient, origin: str
) -> None:
    listed = origin == OURS and client.headers.pop("listed") == "True"

    may_ask = await client.options("/", headers={"origin": origin, **ASKED})
    answer = await client.post("/", json={"query": "{ number }"}, headers={"origin": origin})

    for told in (may_ask, answer):
        assert told.headers.get("access-control-allow-origin") == (origin if listed else None)
        assert "access-control-allow-credentials" not in told.headers
    assert (may_ask.status_code == 200) is listed
    if listed:
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert {"origin", "accept"} <= {
            v.strip() for v in answer.headers["vary"].lower().split(",")
        }
