"""Over HTTP a face answers what was asked to who may ask, and says nothing else to anybody."""

import asyncio
import gc
import json
import logging
import weakref

import httpx
import pytest
import strawberry
import structlog
from graphql import get_introspection_query

from api.errors import (
    BadRequest,
    DocumentRefused,
    DpopProofInvalid,
    DpopRequired,
    KeysUnavailable,
    LogUnavailable,
    MalformedId,
    NotForThisFace,
    NotFound,
    NotSignedIn,
    PerisaiError,
    PermitExpired,
    PolicyFailed,
    RefusesToStart,
    StoreUnavailable,
    TokenExpired,
)
from api.schema.http import Face, Terms, new_request_id
from api.vocabulary import Role
from tests.schema.small_face import SCHEMA, SECRET, House, Query

ALGS = 'algs="ES256 Ed25519 EdDSA"'


@pytest.fixture
async def house():
    made = House()
    async with made.http:
        yield made


def error(code: type[PerisaiError] | PerisaiError, **more) -> dict:
    return {
        "message": code.message,
        **more,
        "extensions": {"code": code.code, "requestId": "r1"},
    }


async def test_an_answer_is_data_and_nothing_else(house):
    answer = await house.ask("{ person { name } }")

    assert answer.status_code == 200
    assert answer.text == '{"data":{"person":{"name":"' + SECRET + '"}}}'
    assert house.asked == [{"name"}]


async def test_every_answer_has_the_headers_that_keep_it_from_caches(house):
    house_headers = [(await house.ask("{ person { name } }")).headers]
    house_headers.append((await house.http.get("/")).headers)
    house.nobody = RuntimeError(SECRET)
    house_headers.append((await house.ask("{ person { name } }")).headers)

    for headers in house_headers:
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"] == "r1"
        assert headers["content-type"].endswith("json; charset=utf-8")
        assert headers["vary"] == "accept"


async def test_the_request_id_is_ours_and_never_the_clients(house):
    answer = await house.http.post(
        "/", json={"query": "{ number }"}, headers={"x-request-id": "theirs"}
    )

    assert answer.headers["x-request-id"] == "r1"
    assert new_request_id() != new_request_id()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("text/html, APPLICATION/GraphQL-Response+JSON;q=0.9", "application/graphql-response+json"),
        ("application/graphql-response+json;q=0, application/json", "application/json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        (",;,=;q", "application/json"),
    ],
)
async def test_the_media_type_is_the_one_that_is_accepted(house, accept, kind):
    answer = await house.http.post("/", json={"query": "{ number }"}, headers={"accept": accept})

    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"]
)
async def test_only_post_reaches_the_schema(house, method):
    answer = await house.http.request(method, "/?query={number}", json={"query": "{ number }"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert house.nothing_happened()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/graphql"},
        {"content-type": "multipart/form-data; boundary=application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/jsonx"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_another_content_type_is_refused(house, headers):
    answer = await house.http.post("/", content=b'{"query":"{number}"}', headers=headers)

    assert (answer.status_code, answer.json()) == (415, {"errors": [error(BadRequest)]})
    assert house.nothing_happened()


async def test_utf_8_may_be_named(house):
    answer = await house.http.post(
        "/",
        content=b'{"query":"{number}"}',
        headers={"content-type": 'Application/JSON; Charset="UTF-8"'},
    )

    assert answer.status_code == 200


BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a batch": b'[{"query":"{number}"}]',
    "a text": b'"{number}"',
    "null": b"null",
    "no query": b"{}",
    "a query that is null": b'{"query":null}',
    "a query that is a list": b'{"query":["{number}"]}',
    "variables that are a list": b'{"query":"{number}","variables":[]}',
    "variables that are text": b'{"query":"{number}","variables":"{}"}',
    "a name that is a number": b'{"query":"{number}","operationName":1}',
    "extensions that are a list": b'{"query":"{number}","extensions":[]}',
    "bad UTF-8": b'{"query":"{number}","x":"\xff"}',
    "UTF-16": '{"query":"{number}"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"query":"{number}"}',
    "NaN": b'{"query":"{number}","variables":{"v":NaN}}',
    "Infinity": b'{"query":"{number}","variables":{"v":-Infinity}}',
    "half a character": b'{"query":"{number}","variables":{"v":"\\uD800"}}',
    "half a character in a name": b'{"query":"{number}","variables":{"\\udc00":1}}',
    "deep lists": b'{"query":"{number}","variables":{"v":' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
    "deep objects": b'{"query":"{number}","variables":' + b'{"v":' * 9_000 + b"1" + b"}" * 9_001,
    "a number of many digits": b'{"query":"{number}","variables":{"v":' + b"9" * 5000 + b"}}",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_that_is_no_request_is_400(house, body):
    answer = await house.http.post("/", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()) == (400, {"errors": [error(BadRequest)]})
    assert house.nothing_happened()


async def test_whole_characters_outside_the_plane_pass(house):
    body = (
        b'{"query":"query($f: Find!) {find(find:$f)}","variables":{"f":{"nik":"\\ud83d\\ude00"}}}'
    )
    answer = await house.http.post("/", content=body, headers={"content-type": "application/json"})

    assert answer.json() == {"data": {"find": "found"}}
    assert house.asked == ["\U0001f600"]


async def stream(house: House, parts: list[dict], headers: dict[str, str]) -> list[dict]:
    sent: list[dict] = []
    taken = iter(parts)

    async def receive():
        return next(taken)

    async def send(message):
        sent.append(message)

    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    await house.face({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive, send)
    sent.append({"left": len(list(taken))})
    return sent


JSON = {"content-type": "application/json"}


async def test_an_endless_body_is_cut_off_at_its_limit(house):
    part = {"type": "http.request", "body": b"x" * 1024, "more_body": True}
    sent = await stream(house, [part] * 1000, JSON)

    assert sent[0]["status"] == 413
    assert sent[-1]["left"] == 1000 - 65
    assert house.nothing_happened()


@pytest.mark.parametrize("length", ["65537", "9" * 5000, "100000"])
async def test_an_announced_length_over_the_limit_is_refused_unread(house, length):
    sent = await stream(house, [], JSON | {"content-length": length})

    assert sent[0]["status"] == 413


async def test_a_body_in_parts_is_put_together(house):
    whole = b'{"query":"{number}"}'
    parts = [
        {"type": "http.request", "body": whole[n : n + 1], "more_body": True}
        for n in range(len(whole))
    ]
    sent = await stream(house, [*parts, {"type": "http.request"}], JSON)

    assert json.loads(sent[1]["body"]) == {"data": {"number": 0.5}}


async def test_a_client_that_goes_away_gets_nothing(house):
    sent = await stream(house, [{"type": "http.disconnect"}], JSON)

    assert sent == [{"left": 0}]
    assert house.nothing_happened()


async def test_a_stranger_is_refused_before_the_body_is_read(house):
    house.nobody = NotSignedIn()
    sent = await stream(house, [], JSON)

    assert sent[0]["status"] == 401
    assert house.nothing_happened()


@pytest.mark.parametrize(
    ("refusal", "token", "challenge"),
    [
        (NotSignedIn(), None, f"Bearer, DPoP {ALGS}"),
        (NotSignedIn(), "Bearer x", f'Bearer error="invalid_token", DPoP {ALGS}'),
        (TokenExpired(), "Bearer x", f'Bearer error="invalid_token", DPoP {ALGS}'),
        (NotSignedIn(), "dpop x", f'DPoP error="invalid_token", {ALGS}'),
        (DpopRequired(), "Bearer x", f'DPoP error="invalid_token", {ALGS}'),
        (DpopProofInvalid(), "DPoP x", f'DPoP error="invalid_dpop_proof", {ALGS}'),
    ],
)
async def test_a_stranger_is_told_to_sign_in(house, refusal, token, challenge):
    house.nobody = refusal
    headers = {} if token is None else {"authorization": token}
    answer = await house.http.post("/", json={"query": "{ number }"}, headers=headers)

    assert (answer.status_code, answer.json()) == (401, {"errors": [error(refusal)]})
    assert answer.headers["www-authenticate"] == challenge
    assert house.nothing_happened()


async def test_a_caller_of_another_face_is_refused(house):
    house.nobody = NotForThisFace()
    answer = await house.ask("{ number }")

    assert (answer.status_code, answer.json()) == (403, {"errors": [error(NotForThisFace)]})
    assert "www-authenticate" not in answer.headers


async def test_a_refusal_that_cannot_be_logged_is_503(house):
    house.nobody = LogUnavailable()
    answer = await house.ask("{ number }")

    assert (answer.status_code, answer.json()) == (503, {"errors": [error(LogUnavailable)]})
    assert house.nothing_happened()


async def test_a_document_over_a_limit_is_refused(house):
    answer = await house.ask("{ " + "a: number " * 16 + "}")

    assert (answer.status_code, answer.json()) == (400, {"errors": [error(DocumentRefused)]})
    assert house.nothing_happened()


async def test_a_document_that_does_not_fit_says_where(house):
    answer = await house.ask("{ person { nam } }")

    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                "message": "Cannot query field 'nam' on type 'Person'.",
                "locations": [{"line": 1, "column": 12}],
                "extensions": {"code": "DOCUMENT_INVALID", "requestId": "r1"},
            }
        ]
    }
    assert house.nothing_happened()


VARIABLES = {
    "$f.born": {"f": {"nik": "x", "born": SECRET}},
    "$f.nik": {"f": {"nik": [SECRET]}},
    "$f": {"f": {"nik": "x", SECRET: 1}},
}


@pytest.mark.parametrize("where", VARIABLES)
async def test_a_variable_that_does_not_fit_is_named_and_its_value_not_repeated(house, where):
    with structlog.testing.capture_logs() as logs:
        answer = await house.ask("query ($f: Find!) { find(find: $f) }", variables=VARIABLES[where])

    message = f"The value of the variable {where} does not fit its type."
    assert answer.status_code == 400
    assert [e["message"] for e in answer.json()["errors"]] == [message]
    assert "data" not in answer.json()
    assert SECRET not in answer.text + str(logs)
    assert house.asked == []


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("query A { number } query B { number }", {}),
        ("query A { number }", {"operationName": "B"}),
        ("fragment F on Query { number }", {}),
        ("query ($f: Find!) { find(find: $f) }", {}),
        ("query ($f: Find!) { find(find: $f) }", {"variables": {"f": None}}),
    ],
)
async def test_an_operation_that_cannot_be_chosen_is_400(house, query, more):
    answer = await house.ask(query, **more)

    assert (answer.status_code, "data" in answer.json()) == (400, False)
    assert house.asked == []


async def test_the_operation_that_is_named_is_executed(house):
    query = "query A { number } mutation B { write }"

    assert (await house.ask(query, operationName="A")).json() == {"data": {"number": 0.5}}
    assert house.asked == []
    assert (await house.ask(query, operationName="B")).json() == {"data": {"write": "ok"}}


async def test_an_error_of_one_field_leaves_the_others(house):
    house.error = NotFound()
    answer = await house.ask("{ fails person { name } }")

    assert answer.status_code == 200
    assert answer.json() == {
        "data": {"fails": None, "person": {"name": SECRET}},
        "errors": [error(NotFound, locations=[{"line": 1, "column": 3}], path=["fails"])],
    }


async def test_an_error_where_nothing_may_be_missing_takes_all_data(house):
    house.error = NotFound()
    answer = await house.ask("{ mustNotFail person { name } }")

    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert [e["extensions"]["code"] for e in answer.json()["errors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize(
    "cause", [LogUnavailable, StoreUnavailable, KeysUnavailable, PolicyFailed, PermitExpired]
)
@pytest.mark.parametrize(
    "query", ["{ person { name } fails }", "{ person { name friend { name } } }"]
)
async def test_when_a_part_fails_that_all_stands_on_no_data_leaves(house, cause, query):
    house.error = cause()
    answer = await house.ask(query)

    assert answer.status_code == 503
    assert answer.json()["data"] is None
    assert [e["extensions"]["code"] for e in answer.json()["errors"]] == [cause.code]
    assert SECRET not in answer.text


class SecretError(Exception):
    """An exception of a library whose text holds a value."""


@pytest.mark.parametrize("made", [SecretError, RuntimeError, ValueError, TypeError, KeyError])
async def test_the_text_of_an_unexpected_error_goes_nowhere(house, made, caplog, capsys):
    house.error = made(SECRET)
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        answer = await house.ask("{ fails number }")

    assert answer.status_code == 200
    assert answer.json()["data"] == {"fails": None, "number": 0.5}
    assert [e["extensions"]["code"] for e in answer.json()["errors"]] == ["INTERNAL"]
    assert [(entry["error"], entry["request"]) for entry in logs] == [(made.__name__, "r1")]
    assert logs[0]["place"].partition(":")[0].endswith("small_face")
    said = answer.text + str(logs) + caplog.text + str(capsys.readouterr())
    assert SECRET not in said


async def test_a_value_of_the_wrong_type_is_not_repeated(house, caplog):
    with structlog.testing.capture_logs() as logs:
        answer = await house.ask("{ colour number }")

    assert answer.json()["data"] == {"colour": None, "number": 0.5}
    assert SECRET not in answer.text + str(logs) + caplog.text


async def test_an_unexpected_error_before_the_execution_is_500_and_says_nothing(house, caplog):
    house.nobody = SecretError(SECRET)
    with structlog.testing.capture_logs() as logs:
        answer = await house.ask("{ number }")

    assert (answer.status_code, answer.json()) == (500, {"errors": [error(PerisaiError)]})
    assert SECRET not in answer.text + str(logs) + caplog.text
    assert house.nothing_happened()


async def test_an_error_with_its_own_text_shows_only_that_of_its_code(house):
    house.error = RefusesToStart(SECRET)
    answer = await house.ask("{ fails }")

    assert answer.json()["errors"][0]["message"] == PerisaiError.message
    assert SECRET not in answer.text


async def test_a_code_of_ours_keeps_its_code_below_a_variable(house):
    house.error = MalformedId()
    answer = await house.ask("{ fails }")

    assert answer.json()["errors"][0]["extensions"]["code"] == "MALFORMED_ID"


async def test_the_schema_may_be_asked_for(house):
    answer = await house.ask(get_introspection_query())

    assert answer.status_code == 200
    assert "errors" not in answer.json()


@pytest.mark.parametrize(
    ("query", "status"), [("{ number }", 200), ("{ nothing }", 400), ("{ fails }", 200)]
)
async def test_every_answer_to_somebody_signed_in_has_the_receipt(house, query, status):
    house.receipt = "sealed"

    answer = await house.ask(query)

    assert answer.status_code == status
    assert answer.json()["extensions"] == {"accessLog": "sealed"}


async def test_nobody_has_no_receipt(house):
    house.receipt = "sealed"
    house.nobody = NotForThisFace()

    assert "extensions" not in (await house.ask("{ number }")).json()


async def test_a_web_socket_is_closed(house):
    sent = []

    async def send(message):
        sent.append(message)

    await house.face({"type": "websocket"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1003}]


def test_a_schema_with_extensions_is_refused():
    from strawberry.extensions import SchemaExtension

    schema = strawberry.Schema(Query, extensions=[SchemaExtension])
    with pytest.raises(RefusesToStart):
        Face(schema, authenticate=None, begin=None)


async def test_requests_at_one_time_are_kept_apart(house):
    answers = await asyncio.gather(
        *(house.ask("{ person { name friend { name } } number }") for _ in range(30))
    )

    assert {a.text for a in answers} == {
        '{"data":{"person":{"name":"' + SECRET + '","friend":null},"number":0.5}}'
    }


async def test_where_one_of_several_changes_may_stand_nobody_is_told_to_try_again(house):
    house.error = LogUnavailable()

    both = await house.ask("mutation { write writeOrFail }")
    alone = await house.ask("mutation { writeOrFail }")

    assert house.asked == ["written"]
    for answer, code in ((both, "CHANGE_UNCONFIRMED"), (alone, "LOG_UNAVAILABLE")):
        assert answer.status_code == 503
        assert [e["extensions"]["code"] for e in answer.json()["errors"]] == [code]


class Opened:
    """Something that was opened for one request."""


@pytest.mark.parametrize("text", ["{ fails }", "{ mustNotFail }", "{ nothing }"])
@pytest.mark.parametrize("made", [SecretError, NotForThisFace, StoreUnavailable])
async def test_what_was_opened_goes_with_an_answer_that_failed(house, made, text):
    """Nobody looks for garbage here: what the frame of an error keeps would be kept."""
    left: list[weakref.ref[Opened]] = []

    def begin(caller, request):
        exchange = house.begin(caller, request)
        exchange.opened = Opened()
        left.append(weakref.ref(exchange.opened))
        return exchange

    face = Face(
        SCHEMA,
        authenticate=house.authenticate,
        begin=begin,
        terms=Terms(pause=0, adhoc=frozenset(Role)),
        request_id=lambda: "r1",
    )
    transport = httpx.ASGITransport(app=face)
    async with httpx.AsyncClient(transport=transport, base_url="http://perisai.test") as http:
        await http.post("/", json={"query": "{ number }"})
        gc.collect()
        gc.disable()
        try:
            house.error = made()
            await http.post("/", json={"query": text})
            house.error = None
            assert [one() for one in left] == [None, None]
        finally:
            gc.enable()
