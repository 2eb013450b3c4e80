"""A face serves on its terms: points, requests at once, time, the schema by role, and POST."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from api.schema.allowances import Allowances
from api.schema.http import UNFIT_POINTS, Terms
from api.vocabulary import Role
from tests.schema.small_face import House

JSON = {"content-type": "application/json"}
GRAPHQL = {"accept": "application/graphql-response+json"}


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


def left(answer: httpx.Response) -> int:
    return int(answer.headers["x-ratelimit-remaining"])


async def test_every_answer_to_a_caller_says_what_is_left() -> None:
    house = House(Terms(Allowances(1000), pause=0))

    assert left(await house.ask("{ number }")) == 999
    assert left(await house.ask("{ number page(first: 100) }")) == 999 - 102
    answer = await house.http.post("/", content=b"no JSON", headers=JSON)

    assert left(answer) == 999 - 102 - 1
    assert answer.headers["x-ratelimit-limit"] == "1000"
    assert 0 <= int(answer.headers["x-ratelimit-reset"]) <= 3600


@pytest.mark.parametrize("text", ["{ nothing }", "{", "{ " + "a: number " * 16 + "}"])
async def test_a_document_that_is_not_fit_costs_more_than_one_that_is(text: str) -> None:
    house = House(Terms(Allowances(1000), pause=0))

    assert left(await house.ask(text)) == 1000 - 1 - UNFIT_POINTS


async def test_who_has_spent_all_is_refused_before_the_body_is_read() -> None:
    house = House(Terms(Allowances(2), pause=0))
    for _ in range(2):
        assert (await house.ask("{ number }")).status_code == 200

    async def never() -> Any:
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(b"content-type", b"application/json")]
    await house.face({"type": "http", "method": "POST", "path": "/", "headers": raw}, never, send)

    assert sent[0]["status"] == 429
    assert json.loads(sent[1]["body"])["errors"][0]["extensions"]["code"] == "POINTS_EXHAUSTED"
    assert dict(sent[0]["headers"])[b"x-ratelimit-remaining"] == b"0"


async def test_a_page_that_is_too_dear_is_not_read_and_a_smaller_one_is() -> None:
    house = House(Terms(Allowances(50), pause=0))

    answer = await house.ask("query ($n: Int!) { page(first: $n) }", variables={"n": 50})
    assert (answer.status_code, codes(answer), house.contexts) == (429, ["POINTS_EXHAUSTED"], 0)

    answer = await house.ask("query ($n: Int!) { page(first: $n) }", variables={"n": 40})
    assert (answer.status_code, house.contexts) == (200, 1)


async def test_more_requests_at_once_than_may_be_are_refused() -> None:
    house = House(Terms(Allowances(at_once=2), pause=0))
    waiting = [asyncio.ensure_future(house.ask("{ waits }")) for _ in range(2)]
    for _ in waiting:
        await house.here.acquire()

    answer = await house.ask("{ number }")
    assert (answer.status_code, codes(answer)) == (429, ["CALLER_BUSY"])
    assert answer.headers["retry-after"] == "1"

    house.gate.set()
    assert [(await one).status_code for one in waiting] == [200, 200]
    assert (await house.ask("{ number }")).status_code == 200


async def test_a_reading_that_takes_too_long_is_ended() -> None:
    house = House(Terms(seconds=0.01))

    answer = await house.ask("{ number waits }")
    house.gate.set()
    await asyncio.sleep(0)

    assert (answer.status_code, codes(answer)) == (503, ["TIMED_OUT"])
    assert "data" not in answer.json()
    assert house.asked == []


async def test_a_change_that_takes_too_long_goes_on_and_is_not_confirmed() -> None:
    house = House(Terms(seconds=0.01))

    answer = await house.ask("mutation { writeLate }")
    assert (answer.status_code, codes(answer)) == (503, ["CHANGE_UNCONFIRMED"])

    house.gate.set()
    await house.here.acquire()
    assert house.asked == ["written late"]


async def test_a_body_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()
    monkeypatch.setattr("api.schema.incoming.BODY_SECONDS", 0.01)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw}
    await house.face(scope, asyncio.Event().wait, send)

    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["errors"][0]["extensions"]["code"] == "TIMED_OUT"


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ number __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { ... { x: __schema { queryType { name } } } }",
    ],
)
async def test_the_schema_is_told_by_role(query: str) -> None:
    closed = House(Terms(introspection=frozenset(Role) - {Role.CASE_OFFICER}))
    answer = await closed.ask(query)
    assert (answer.status_code, codes(answer)) == (403, ["INTROSPECTION_REFUSED"])
    assert "data" not in answer.json()
    assert closed.contexts == 0

    opened = House(Terms(introspection=frozenset({Role.CASE_OFFICER})))
    assert "errors" not in (await opened.ask(query)).json()


async def test_a_type_may_be_named_without_being_told_the_schema() -> None:
    answer = await House(Terms()).ask("{ __typename person { __typename } }")

    assert answer.json()["data"] == {"__typename": "Query", "person": {"__typename": "Person"}}


@pytest.mark.parametrize("query", ["{ nothing }", "{", "query ($f: Find!) { find(find: $f) }"])
async def test_a_client_that_knows_json_only_gets_200_for_what_does_not_fit(query: str) -> None:
    """GraphQL over HTTP (working draft), 6.4.1: for a request that is well formed."""
    plain, own = [
        await House().http.post("/", json={"query": query}, headers=accept)
        for accept in ({"accept": "application/json"}, GRAPHQL)
    ]

    assert (plain.status_code, own.status_code) == (200, 400)
    assert plain.json() == own.json()
    assert codes(plain) == ["DOCUMENT_INVALID"]


GOT = {
    "?query={number}": (200, []),
    "?query=query+A{number}&operationName=A&variables={}&extensions=": (400, ["BAD_REQUEST"]),
    '?query=query($f:Find!){find(find:$f)}&variables={"f":{"nik":"x"}}': (200, []),
    "?query=mutation{write}": (405, ["METHOD_NOT_ALLOWED"]),
    "?query={number}&query={colour}": (400, ["BAD_REQUEST"]),
    "?query={number}&variables=[]": (400, ["BAD_REQUEST"]),
    "?query={number}&variables=" + "[" * 9000: (400, ["BAD_REQUEST"]),
    "?query=%ff": (400, ["BAD_REQUEST"]),
    "?" + "a=1&" * 100: (400, ["BAD_REQUEST"]),
    "?query={number}&x=" + "x" * 70_000: (400, ["BAD_REQUEST"]),
    "": (400, ["BAD_REQUEST"]),
}


@pytest.mark.parametrize("address", GOT, ids=lambda address: address[:60])
async def test_where_it_is_audited_get_reads_and_never_changes(address: str) -> None:
    house = House(Terms(get_too=True))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": address.removeprefix("?").encode(),
        "headers": [(name.encode(), value.encode()) for name, value in GRAPHQL.items()],
    }
    await house.face(scope, asyncio.Event().wait, send)

    told = json.loads(sent[1]["body"])
    assert (sent[0]["status"], [e["extensions"]["code"] for e in told.get("errors", [])]) == GOT[
        address
    ]
    assert "written" not in house.asked


@pytest.mark.parametrize(
    ("sent", "held_back"),
    [
        ({"query": "{ nothing }"}, 1),
        ({"query": "{" * 99}, 1),
        ({"query": 1}, 1),
        ({"query": "query($first: Int!) { page(first: $first) }"}, 1),
        ({"query": "{ fails }"}, 0),
        ({"query": "{ number }"}, 0),
    ],
)
async def test_a_refusal_that_could_be_repeated_for_ever_is_held_back(
    sent: dict[str, Any], held_back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    house = House(Terms(pause=7))
    monkeypatch.setattr("api.schema.http.asyncio.sleep", sleep)
    await house.http.post("/", json=sent, headers=GRAPHQL)

    assert pauses.count(7) == held_back


async def test_after_a_refusal_the_next_document_is_checked_a_little_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    house = House(Terms(pause=7))
    monkeypatch.setattr("api.schema.http.asyncio.sleep", sleep)
    monkeypatch.setattr("api.schema.allowances.asyncio.sleep", sleep)
    for text in ("{ number }", "{ nothing }", "{ number }", "{ number }"):
        await house.ask(text)

    # The refusal is held back; the document after it waits; the one after an answer does not.
    assert pauses == [7, 0.7]
