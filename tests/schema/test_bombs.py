"""Small requests that would be much work are refused in little time, and leave nothing behind."""

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from api.schema.allowances import Allowances
from api.schema.faces import schema_of
from api.schema.http import Face, Terms
from tests.schema.small_face import SARI

#: Seconds of the processor that a refusal may take, all that HTTP asks for included.
LIMIT = 0.010
#: Bytes that it may take meanwhile: the body, its text, its tokens.
MEMORY = 4 * 2**20
#: Bytes that may stay after all of them.
LEFT = 64 * 2**10

CASE_FILE = "caseFile(id: $id)"


def body(query: str, **variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def fragments(levels: int, on: str, inside: Callable[[int], str], last: str) -> str:
    chain = "".join(f"fragment F{n} on {on}{{{inside(n + 1)}}}" for n in range(levels))
    return f"{{...F0}}{chain}fragment F{levels} on {on}{{{last}}}"


def deep(levels: int) -> str:
    return "{ viewer " * levels + "}" * levels


BOMBS: dict[str, bytes] = {
    "nested fragments": body(
        fragments(60, "Query", lambda n: f"...F{n} ...F{n}", "viewer{member}")
    ),
    "nested fragments of nothing": body(
        fragments(60, "Query", lambda n: f"...F{n} ...F{n}", "__typename")
    ),
    "nested fragments in fields": body(
        fragments(60, "Query", lambda n: f"a:viewer{{...F{n}}} b:viewer{{...F{n}}}", "viewer")
    ),
    "inline fragments": body("{" + "...{" * 300 + "__typename" + "}" * 301),
    "fragments in each other": body("{...A} fragment A on Query{...B} fragment B on Query{...A}"),
    "fragments that nothing spreads": body(
        "{__typename}" + "".join(f"fragment F{n} on Query{{__typename}}" for n in range(130))
    ),
    "aliases": body("{" + " ".join(f"a{n}:viewer{{member}}" for n in range(140)) + "}"),
    "aliases of __typename": body("{" + " ".join(f"a{n}:__typename" for n in range(300)) + "}"),
    "__typename": body("{" + "__typename " * 900 + "}"),
    "__typename below": body("{viewer{" + "__typename " * 900 + "}}"),
    "directives": body("{viewer" + "@include(if:true)" * 140 + "{member}}"),
    "directives that are not there": body("{viewer" + "@a" * 400 + "{member}}"),
    "900 deep": body(deep(300) + deep(300) + deep(300)),
    "900 deep in one": body("{a" * 900 + "}" * 900),
    "brackets": body("{" * 16_000),
    "fields that overlap": body(
        "{caseFile(id:$i){" + " ".join(f"x:reference x:status y{n}:id" for n in range(100)) + "}}"
    ),
    "unknown fields": body("{" + " ".join(f"f{n}" for n in range(900)) + "}"),
    "variables that are declared": body(
        "query(" + " ".join(f"$v{n}:Int" for n in range(240)) + "){__typename}"
    ),
    "introspection in itself": body(
        "{__schema{types{" + "fields{type{" * 20 + "name" + "}}" * 20 + "}}}"
    ),
    "huge variables": body(f"query($id:ID!){{{CASE_FILE}{{id}}}}", id=list(range(10_000))),
    "a huge variable": body(f"query($id:ID!){{{CASE_FILE}{{id}}}}", id={"x": "y" * 60_000}),
    "many variables that nobody declared": json.dumps(
        {"query": "{", "variables": {f"v{n}": n for n in range(4_000)}}
    ).encode(),
    "deep variables": b'{"query":"{viewer{member}}","variables":{"v":'
    + b"[" * 30_000
    + b"]" * 30_000
    + b"}}",
    "deep objects in variables": b'{"query":"{viewer{member}}","variables":'
    + b'{"v":' * 9_000
    + b"1"
    + b"}" * 9_001,
    "deep input objects": body(
        "{caseFiles(first:1 filter:" + "{a:" * 240 + "1" + "}" * 240 + "){pageInfo{endCursor}}}"
    ),
    "deep input objects in a variable": body(
        "query($f:CaseFileFilter){caseFiles(first:1 filter:$f){pageInfo{endCursor}}}",
        f=json.loads('{"a":' * 300 + "1" + "}" * 300),
    ),
    "a long list of values": body(
        "query($f:CaseFileFilter){caseFiles(first:1 filter:$f){pageInfo{endCursor}}}",
        f={"statuses": ["NO"] * 8_000},
    ),
    "a number of many digits": body("{caseFiles(first:" + "9" * 15_000 + "){x}}"),
    "comments": body("{viewer{member}}" + "#\n" * 8_000),
    "commas": body("{viewer{member}}" + "," * 16_000 + "x"),
    "letters outside the plane": body("{viewer{member}} #" + "\U0001f3f4" * 5_000),
    "escapes": b'{"query":"{viewer{member}} #' + b"\\ud83d\\ude00" * 5_000 + b'"}',
    "half characters": b'{"query":"{viewer}","variables":{"v":"' + b"\\ud800" * 10_000 + b'"}}',
    "marks on a letter": body("{viewer{" + "a" + "\u0301" * 7_000 + "}}"),
    "the other direction": body("{\u202e" * 2_000),
    "escapes in a string": body('{caseFile(id:"' + "\\u{1F600}" * 1_500 + '"){x}}'),
    "a text in many lines": body('{caseFile(id:"""' + "\n  x" * 3_500 + '"""){x}}'),
    "a batch": b"[" + b'{"query":"{viewer{member}}"},' * 1_500 + b"1]",
    "one member over and over": b"{" + b'"query":1,' * 6_000 + b'"query":2}',
}


@pytest.fixture(scope="module")
def face() -> Face:
    async def sari(*_: object) -> Any:
        return SARI

    return Face(
        schema_of("agency"),
        authenticate=sari,
        # A resolver that is reached finds nothing to work with, and that is no refusal.
        begin=lambda *_: SimpleNamespace(
            context=lambda _stream: None, headers={}, receipt=lambda: None
        ),
        terms=Terms(Allowances(10**9), adhoc=frozenset({SARI.role}), pause=0),
    )


async def refused(face: Face, sent: bytes) -> float:
    """Send *sent*; prove that nothing was executed; give the processor's seconds it took."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": sent}

    async def send(message: Any) -> None:
        said.append(message)

    headers = [
        (b"content-type", b"application/json"),
        (b"accept", b"application/graphql-response+json"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    started = time.process_time()
    await face(scope, receive, send)
    taken = time.process_time() - started
    answer = json.loads(said[1]["body"])
    assert 400 <= said[0]["status"] < 500, answer
    assert "data" not in answer
    return taken


@pytest.mark.alone
@pytest.mark.parametrize("bomb", BOMBS)
async def test_it_is_refused_in_10_ms(face: Face, bomb: str) -> None:
    assert len(BOMBS[bomb]) <= 64 * 1024

    assert min([await refused(face, BOMBS[bomb]) for _ in range(7)]) < LIMIT


async def test_refusals_leave_nothing_behind(face: Face) -> None:
    tracemalloc.start()
    try:
        for sent in BOMBS.values():
            await refused(face, sent)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for sent in BOMBS.values():
            tracemalloc.reset_peak()
            now, _ = tracemalloc.get_traced_memory()
            await refused(face, sent)
            _, peak = tracemalloc.get_traced_memory()
            assert peak - now < MEMORY
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < LEFT
